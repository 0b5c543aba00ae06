//! Tokens of MySQL's and MariaDB's SQL, each with its place in the text.
//!
//! Lossless: the spans of all tokens, blanks and comments included, follow one another and cover the text. The content of executable
//! comments (`/*!50100 ... */`, `/*M!100301 ... */`) is tokens like any other, between [`Kind::ExecOpen`] and [`Kind::ExecClose`].
//! Strings are read as under a `sql_mode` without `ANSI_QUOTES` and `NO_BACKSLASH_ESCAPES`, which is what catalog sessions set; the
//! binlog's statements carry their own mode, see [`Mode`].

use std::ops::Range;

/// What a token is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// Spaces, tabs, line ends.
    Blank,
    /// `-- ...`, `# ...` up to and with the line's end, or `/* ... */`.
    Comment,
    /// The opening of an executable comment with its version: `/*!50100`, `/*M!`.
    ExecOpen,
    /// `*/` of an executable comment.
    ExecClose,
    /// A bare identifier or keyword.
    Word,
    /// An identifier between backticks (or double quotes under `ANSI_QUOTES`).
    Quoted,
    /// A string between single or double quotes.
    String,
    /// A charset introducer directly before a string or hexadecimal literal: `_utf8mb4`.
    Introducer,
    /// An integer, decimal or floating-point literal.
    Number,
    /// `0x1F`, `x'1F'`, `0b01`, `b'01'`, `N'...'` apart, which is a [`Kind::String`].
    Hex,
    /// `@name`, `@@name`, `@'name'`.
    Variable,
    /// An operator or punctuation; the longest that fits.
    Symbol,
}

/// One token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Token {
    /// What it is.
    pub kind: Kind,
    /// Byte position of its first byte.
    pub start: usize,
    /// Byte position after its last byte.
    pub end: usize,
}

impl Token {
    /// Its span.
    pub fn span(&self) -> Range<usize> {
        self.start..self.end
    }

    /// Its text.
    pub fn text<'a>(&self, source: &'a str) -> &'a str {
        &source[self.start..self.end]
    }

    /// Is the keyword, without regard to case.
    pub fn is_word(&self, source: &str, word: &str) -> bool {
        self.kind == Kind::Word && self.text(source).eq_ignore_ascii_case(word)
    }

    /// Is the symbol.
    pub fn is_symbol(&self, source: &str, symbol: &str) -> bool {
        self.kind == Kind::Symbol && self.text(source) == symbol
    }

    /// Blank or plain comment: nothing to a parser.
    pub fn is_trivia(&self) -> bool {
        matches!(self.kind, Kind::Blank | Kind::Comment)
    }
}

/// The two settings of `sql_mode` that change what a token is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Mode {
    /// Double quotes enclose identifiers.
    pub ansi_quotes: bool,
    /// A backslash in a string is itself.
    pub no_backslash_escapes: bool,
}

const SYMBOLS: &[&str] = &["->>", "<=>", "->", "<=", ">=", "<>", "!=", "<<", ">>", "||", "&&", ":="];

/// Cuts a text into tokens. Never fails: an unclosed string or comment runs to the text's end.
pub fn lex(text: &str, mode: Mode) -> Vec<Token> {
    let bytes = text.as_bytes();
    let mut tokens: Vec<Token> = Vec::with_capacity(bytes.len() / 4);
    let mut at = 0;
    let mut exec_depth = 0_usize;
    while at < bytes.len() {
        let rest = &bytes[at..];
        let (kind, length) = match rest[0] {
            b if b.is_ascii_whitespace() || b == 0x0b => {
                (Kind::Blank, rest.iter().take_while(|b| b.is_ascii_whitespace() || **b == 0x0b).count())
            }
            b'#' => (Kind::Comment, line(rest)),
            b'-' if rest.starts_with(b"--") && rest.get(2).is_none_or(|b| b.is_ascii_whitespace() || b.is_ascii_control()) => {
                (Kind::Comment, line(rest))
            }
            b'/' if rest.starts_with(b"/*!") || rest.starts_with(b"/*M!") => {
                exec_depth += 1;
                let head = if rest[2] == b'!' { 3 } else { 4 };
                let digits = rest[head..].iter().take(6).take_while(|b| b.is_ascii_digit()).count();
                (Kind::ExecOpen, head + if digits >= 5 { digits } else { 0 })
            }
            b'/' if rest.starts_with(b"/*") => (Kind::Comment, find(rest, 2, b"*/").map_or(rest.len(), |i| i + 2)),
            b'*' if exec_depth > 0 && rest.starts_with(b"*/") => {
                exec_depth -= 1;
                (Kind::ExecClose, 2)
            }
            b'`' => (Kind::Quoted, quoted(rest, false)),
            b'"' if mode.ansi_quotes => (Kind::Quoted, quoted(rest, false)),
            b'\'' | b'"' => (Kind::String, quoted(rest, !mode.no_backslash_escapes)),
            b'@' => (Kind::Variable, variable(rest, mode)),
            b'x' | b'X' | b'b' | b'B' if rest.get(1) == Some(&b'\'') => (Kind::Hex, 1 + quoted(&rest[1..], false)),
            b'n' | b'N' if rest.get(1) == Some(&b'\'') => (Kind::String, 1 + quoted(&rest[1..], !mode.no_backslash_escapes)),
            b'0' if after_digits(rest, b'x', |b| b.is_ascii_hexdigit()).is_some() => {
                (Kind::Hex, after_digits(rest, b'x', |b| b.is_ascii_hexdigit()).unwrap_or(1))
            }
            b'0' if after_digits(rest, b'b', |b| matches!(b, b'0' | b'1')).is_some() => {
                (Kind::Hex, after_digits(rest, b'b', |b| matches!(b, b'0' | b'1')).unwrap_or(1))
            }
            b'0'..=b'9' => number_or_word(rest, tokens.last().is_some_and(|t| t.is_symbol(text, "."))),
            b'.' if rest.get(1).is_some_and(u8::is_ascii_digit) && !follows_name(&tokens) => (Kind::Number, number(rest)),
            b if is_word_byte(b) => (Kind::Word, rest.iter().take_while(|b| is_word_byte(**b)).count()),
            _ => (Kind::Symbol, SYMBOLS.iter().find(|s| rest.starts_with(s.as_bytes())).map_or(1, |s| s.len())),
        };
        tokens.push(Token { kind, start: at, end: at + length });
        at += length;
    }
    mark_introducers(text, &mut tokens);
    tokens
}

/// The tokens that mean something: all but blanks and plain comments.
pub fn significant(text: &str, mode: Mode) -> Vec<Token> {
    let mut tokens = lex(text, mode);
    tokens.retain(|t| !t.is_trivia());
    tokens
}

fn mark_introducers(text: &str, tokens: &mut [Token]) {
    for i in 0..tokens.len() {
        if tokens[i].kind != Kind::Word || !tokens[i].text(text).starts_with('_') || tokens[i].end - tokens[i].start < 2 {
            continue;
        }
        let next = tokens[i + 1..].iter().find(|t| !t.is_trivia());
        if next.is_some_and(|t| matches!(t.kind, Kind::String | Kind::Hex)) {
            tokens[i].kind = Kind::Introducer;
        }
    }
}

/// Letters, digits, `_`, `$`, and every byte of a character beyond ASCII (manual: Schema Object Names).
fn is_word_byte(b: u8) -> bool {
    b.is_ascii_alphanumeric() || b == b'_' || b == b'$' || b >= 0x80
}

fn line(rest: &[u8]) -> usize {
    rest.iter().position(|b| *b == b'\n').map_or(rest.len(), |i| i + 1)
}

fn find(rest: &[u8], from: usize, needle: &[u8]) -> Option<usize> {
    rest.get(from..)?.windows(needle.len()).position(|w| w == needle).map(|i| i + from)
}

/// Length of what begins with a quote: up to the same quote that is not doubled nor, with `escapes`, behind a backslash.
fn quoted(rest: &[u8], escapes: bool) -> usize {
    let quote = rest[0];
    let mut at = 1;
    while at < rest.len() {
        match rest[at] {
            b'\\' if escapes => at += 2,
            b if b == quote && rest.get(at + 1) == Some(&quote) => at += 2,
            b if b == quote => return at + 1,
            _ => at += 1,
        }
    }
    rest.len()
}

fn variable(rest: &[u8], mode: Mode) -> usize {
    let ats = if rest.get(1) == Some(&b'@') { 2 } else { 1 };
    match rest.get(ats) {
        Some(b'`') => ats + quoted(&rest[ats..], false),
        Some(b'\'' | b'"') => ats + quoted(&rest[ats..], !mode.no_backslash_escapes),
        _ => ats + rest[ats..].iter().take_while(|b| is_word_byte(**b) || **b == b'.').count(),
    }
}

/// Length of `0x12` or `0b01` when nothing that could belong to a name follows; `0xyz` is a name.
fn after_digits(rest: &[u8], letter: u8, digit: impl Fn(u8) -> bool) -> Option<usize> {
    if rest.get(1) != Some(&letter) {
        return None;
    }
    let digits = rest[2..].iter().take_while(|b| digit(**b)).count();
    let ends = rest.get(2 + digits).is_none_or(|b| !is_word_byte(*b));
    (digits > 0 && ends).then_some(2 + digits)
}

/// Names may begin with a digit, as in `1st_column` or `5e`; a number with an exponent may not be mistaken for one.
fn number_or_word(rest: &[u8], after_dot: bool) -> (Kind, usize) {
    let word = rest.iter().take_while(|b| is_word_byte(**b)).count();
    if after_dot {
        return (Kind::Word, word);
    }
    let number = number(rest);
    if number < word { (Kind::Word, word) } else { (Kind::Number, number) }
}

fn number(rest: &[u8]) -> usize {
    let digits = |from: usize| rest[from..].iter().take_while(|b| b.is_ascii_digit()).count();
    let mut at = digits(0);
    if rest.get(at) == Some(&b'.') {
        at += 1 + digits(at + 1);
    }
    if matches!(rest.get(at), Some(b'e' | b'E')) {
        let sign = usize::from(matches!(rest.get(at + 1), Some(b'+' | b'-')));
        let exponent = if at + 1 + sign <= rest.len() { digits(at + 1 + sign) } else { 0 };
        if exponent > 0 {
            at += 1 + sign + exponent;
        }
    }
    at
}

fn follows_name(tokens: &[Token]) -> bool {
    tokens.last().is_some_and(|t| matches!(t.kind, Kind::Word | Kind::Quoted))
}

/// The name that an identifier token stands for: backticks off, doubled ones single.
pub fn name_of(text: &str) -> String {
    for quote in ['`', '"'] {
        if let Some(inner) = text.strip_prefix(quote).and_then(|t| t.strip_suffix(quote)) {
            return inner.replace(&format!("{quote}{quote}"), &quote.to_string());
        }
    }
    text.to_owned()
}

/// The characters that a string literal stands for. Escapes as in the manual's String Literals; `\%` and `\_` keep their backslash.
pub fn string_value(literal: &str) -> String {
    let literal = literal.strip_prefix(['n', 'N']).unwrap_or(literal);
    let mut chars = literal.chars();
    let Some(quote) = chars.next() else { return String::new() };
    let mut value = String::with_capacity(literal.len());
    while let Some(c) = chars.next() {
        match c {
            '\\' => match chars.next() {
                Some('0') => value.push('\0'),
                Some('n') => value.push('\n'),
                Some('r') => value.push('\r'),
                Some('t') => value.push('\t'),
                Some('b') => value.push('\u{8}'),
                Some('Z') => value.push('\u{1a}'),
                Some(c @ ('%' | '_')) => value.extend(['\\', c]),
                Some(c) => value.push(c),
                None => {}
            },
            c if c == quote => {
                // The second of a doubled quote, or the end.
                if chars.next().is_some() {
                    value.push(quote);
                }
            }
            c => value.push(c),
        }
    }
    value
}

/// A string literal for these characters, escaped as `SHOW CREATE TABLE` does.
pub fn string_literal(value: &str) -> String {
    let mut literal = String::with_capacity(value.len() + 2);
    literal.push('\'');
    for c in value.chars() {
        match c {
            '\'' => literal.push_str("''"),
            '\\' => literal.push_str("\\\\"),
            '\0' => literal.push_str("\\0"),
            '\n' => literal.push_str("\\n"),
            '\r' => literal.push_str("\\r"),
            c => literal.push(c),
        }
    }
    literal.push('\'');
    literal
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn kinds(text: &str) -> Vec<(Kind, &str)> {
        significant(text, Mode::default()).iter().map(|t| (t.kind, t.text(text))).collect()
    }

    #[test]
    fn quotes_escapes_and_comments_are_told_apart() {
        use Kind::*;
        assert_eq!(
            kinds("`a``b` 'it''s \\' ok' \"d\"\"q\" -- c\n#x\n/* `no` */ /*!50100 `in` */ *"),
            [
                (Quoted, "`a``b`"),
                (String, "'it''s \\' ok'"),
                (String, "\"d\"\"q\""),
                (ExecOpen, "/*!50100"),
                (Quoted, "`in`"),
                (ExecClose, "*/"),
                (Symbol, "*"),
            ]
        );
        assert_eq!(
            kinds("/*M!100301 COMPRESSED*/ /*!x*/"),
            [(ExecOpen, "/*M!100301"), (Word, "COMPRESSED"), (ExecClose, "*/"), (ExecOpen, "/*!"), (Word, "x"), (ExecClose, "*/")]
        );
    }

    #[test]
    fn numbers_and_names_that_look_like_numbers() {
        use Kind::*;
        assert_eq!(
            kinds("1e3 1e 0xAF 0xAG x'AF' b'01' 1.5e-3 .5 t.1a 1st a.b _utf8mb4'x' _x 5--3"),
            [
                (Number, "1e3"),
                (Word, "1e"),
                (Hex, "0xAF"),
                (Word, "0xAG"),
                (Hex, "x'AF'"),
                (Hex, "b'01'"),
                (Number, "1.5e-3"),
                (Number, ".5"),
                (Word, "t"),
                (Symbol, "."),
                (Word, "1a"),
                (Word, "1st"),
                (Word, "a"),
                (Symbol, "."),
                (Word, "b"),
                (Introducer, "_utf8mb4"),
                (String, "'x'"),
                (Word, "_x"),
                (Number, "5"),
                (Symbol, "-"),
                (Symbol, "-"),
                (Number, "3"),
            ]
        );
        assert_eq!(kinds("a->>'$.x' <=> @@g.x @'u v'").len(), 6);
    }

    #[test]
    fn modes_change_what_a_quote_is() {
        let mode = Mode { ansi_quotes: true, no_backslash_escapes: true };
        let text = r#""a" 'x\' "b""#;
        let found: Vec<_> = significant(text, mode).iter().map(|t| t.text(text)).collect();
        assert_eq!(found, ["\"a\"", "'x\\'", "\"b\""]);
    }

    proptest! {
        #[test]
        fn spans_cover_the_text(text in ".{0,80}") {
            check(&text);
        }

        #[test]
        fn spans_cover_what_looks_like_sql(parts in proptest::collection::vec(prop_oneof![
            Just("`"), Just("'"), Just("\""), Just("\\"), Just("/*!50100 "), Just("/*M!"), Just("/*"), Just("*/"), Just("--"), Just(" "), Just("\n"),
            Just("#"), Just("0x1"), Just("1e5"), Just("a"), Just("é"), Just("😀"), Just("@"), Just("_utf8mb4"), Just("."), Just("->>"), Just(",("),
        ], 0..40)) {
            check(&parts.concat());
        }

        #[test]
        fn literals_stand_for_their_value(value in ".{0,40}") {
            prop_assume!(!value.contains('\u{1a}'));
            prop_assert_eq!(string_value(&string_literal(&value)), value);
        }
    }

    fn check(text: &str) {
        for ansi_quotes in [false, true] {
            for no_backslash_escapes in [false, true] {
                let mut at = 0;
                for token in lex(text, Mode { ansi_quotes, no_backslash_escapes }) {
                    assert_eq!(token.start, at);
                    assert!(token.end > at && text.is_char_boundary(token.end.min(text.len())), "{text:?} {token:?}");
                    at = token.end;
                }
                assert_eq!(at, text.len());
            }
        }
    }
}
