//! Conditions on the rows of one table, as `where` of the spec has them: what may stand in one, and how it is sent.
//!
//! A condition is judged by the source's server, never here: collations, numbers beside strings and NULL are its business. What is done here
//! is to let through only what means the same whenever and in whichever session of ours it is asked: columns of the table, literals,
//! operators, and functions that depend on their arguments alone. Everything else is refused with its place. Precedence does not matter
//! for that, so no tree is made.

use std::ops::Range;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::lex::{self, Kind, Mode, Token};

/// Longest condition, in bytes.
const LONGEST: usize = 64 << 10;

/// Deepest nesting.
const DEEPEST: usize = 100;

/// Functions that depend on their arguments alone, whatever the session, on all supported versions.
const FUNCTIONS: &[&str] = &[
    "ABS",
    "BIT_COUNT",
    "CEIL",
    "CEILING",
    "CHAR_LENGTH",
    "CHARACTER_LENGTH",
    "COALESCE",
    "CONCAT",
    "CONCAT_WS",
    "CRC32",
    "DATE",
    "DATEDIFF",
    "DAY",
    "DAYOFMONTH",
    "DAYOFWEEK",
    "DAYOFYEAR",
    "FIELD",
    "FIND_IN_SET",
    "FLOOR",
    "GREATEST",
    "HEX",
    "HOUR",
    "IF",
    "IFNULL",
    "INSTR",
    "ISNULL",
    "LCASE",
    "LEAST",
    "LEFT",
    "LENGTH",
    "LOCATE",
    "LOWER",
    "LTRIM",
    "MID",
    "MINUTE",
    "MOD",
    "MONTH",
    "NULLIF",
    "OCTET_LENGTH",
    "QUARTER",
    "REPLACE",
    "REVERSE",
    "RIGHT",
    "ROUND",
    "RTRIM",
    "SECOND",
    "SIGN",
    "STRCMP",
    "SUBSTR",
    "SUBSTRING",
    "TRIM",
    "TRUNCATE",
    "UCASE",
    "UPPER",
    "YEAR",
];

/// Of these, the ones that turn a TIME into a date by way of today.
const OF_DATES: &[&str] = &["DATE", "DATEDIFF", "DAY", "DAYOFMONTH", "DAYOFWEEK", "DAYOFYEAR", "MONTH", "QUARTER", "YEAR"];

/// Words that are no columns unless they stand in backquotes, and what is said of them.
const REFUSED: &[(&[&str], &str)] = &[
    (&["SELECT", "EXISTS", "ANY", "SOME", "ALL", "UNION", "FROM", "WITH", "TABLE", "VALUES"], "a sub-query"),
    (&["REGEXP", "RLIKE", "SOUNDS", "MATCH", "AGAINST", "MEMBER"], "a comparison whose meaning depends on the server's version"),
    (
        &["CASE", "WHEN", "THEN", "ELSE", "END", "ROW", "DEFAULT", "BINARY", "CAST", "CONVERT", "INTERVAL", "USING"],
        "not carried in a condition",
    ),
    (
        &[
            "CURRENT_DATE",
            "CURRENT_TIME",
            "CURRENT_TIMESTAMP",
            "LOCALTIME",
            "LOCALTIMESTAMP",
            "UTC_DATE",
            "UTC_TIME",
            "UTC_TIMESTAMP",
            "NOW",
            "SYSDATE",
        ],
        "the time of day, which is another one each time it is asked",
    ),
    (&["CURRENT_USER", "SESSION_USER", "CURRENT_ROLE"], "an account, which is another one in each session"),
];

/// Operators between two operands. `||` is left out: what it means depends on `sql_mode`.
const INFIX: &[&str] = &["=", "<=>", "<>", "!=", "<", ">", "<=", ">=", "+", "-", "*", "/", "%", "&&", "&", "|", "^", "<<", ">>"];
const INFIX_WORDS: &[&str] = &["AND", "OR", "XOR", "DIV", "MOD", "LIKE"];
const ARITHMETIC: &[&str] = &["+", "-", "*", "/", "%", "&", "|", "^", "<<", ">>"];

/// Which of a changed row's two states decides whether the change is carried.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum FilterOn {
    /// Both: a row that enters is inserted, one that leaves is deleted.
    #[default]
    RowImage,
    /// The one before: a row that leaves is deleted, one that enters is not carried.
    PreImage,
}

impl FilterOn {
    /// As the spec writes it.
    pub fn name(self) -> &'static str {
        match self {
            Self::RowImage => "row-image",
            Self::PreImage => "pre-image",
        }
    }
}

/// Which rows of a table are carried.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Filter {
    /// For which this holds.
    pub condition: Condition,
    /// How changes are judged.
    pub on: FilterOn,
}

/// What is wrong with a condition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConditionError {
    /// Where, in bytes of the text.
    pub at: Range<usize>,
    /// What.
    pub what: String,
    /// What to do about it; empty where there is nothing more to say.
    pub hint: &'static str,
}

/// A condition that may be asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Condition {
    text: String,
    sql: String,
    columns: Vec<String>,
    of_dates: bool,
}

impl Condition {
    /// Reads a condition.
    ///
    /// # Errors
    /// [`ConditionError`] for the first thing in it that may not stand there.
    pub fn parse(text: &str) -> Result<Self, ConditionError> {
        if text.len() > LONGEST {
            return Err(refused(0..0, format!("a condition has at most {LONGEST} bytes"), ""));
        }
        let tokens = tokens(text)?;
        let mut parser = Parser { text, tokens: &tokens, at: 0, depth: 0, sql: String::new(), columns: Vec::new(), of_dates: false };
        parser.expression()?;
        if let Some(token) = parser.peek() {
            return Err(match token.text(text) {
                ")" => refused(token.span(), "this `)` closes nothing", ""),
                "," => refused(token.span(), "a list stands only behind IN and in a function", ""),
                "||" => refused(token.span(), "`||` means OR or the joining of texts, as `sql_mode` has it", "write OR, or CONCAT"),
                other => refused(token.span(), format!("`{other}` cannot stand here: an operator is missing before it"), ""),
            });
        }
        let Parser { sql, columns, of_dates, .. } = parser;
        Ok(Self { text: text.trim().to_owned(), sql: format!("({sql})"), columns, of_dates })
    }

    /// As it was written.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// As it is sent: between parentheses, to stand beside other conditions; every column in backquotes, so that no server takes one for
    /// anything else.
    pub fn sql(&self) -> &str {
        &self.sql
    }

    /// The columns it names, each once, as first written; servers compare their names without regard to case.
    pub fn columns(&self) -> &[String] {
        &self.columns
    }

    /// It names this column.
    pub fn names(&self, column: &str) -> bool {
        let column = column.to_lowercase();
        self.columns.iter().any(|c| c.to_lowercase() == column)
    }

    /// It asks for parts of dates: of a TIME these are those of today.
    pub fn asks_for_dates(&self) -> bool {
        self.of_dates
    }
}

fn refused(at: Range<usize>, what: impl Into<String>, hint: &'static str) -> ConditionError {
    ConditionError { at, what: what.into(), hint }
}

/// The tokens that mean something; comments, variables and the like are refused here.
fn tokens(text: &str) -> Result<Vec<Token>, ConditionError> {
    let mut kept = Vec::new();
    for token in lex::lex(text, Mode::default()) {
        let word = token.text(text);
        match token.kind {
            Kind::Blank => continue,
            Kind::Comment | Kind::ExecOpen | Kind::ExecClose => {
                return Err(refused(token.span(), "a comment cannot stand in a condition", "put it into the YAML, behind a `#`"));
            }
            Kind::Variable => {
                return Err(refused(token.span(), format!("`{word}` is a variable, which has another value in each session"), ""));
            }
            Kind::Introducer => {
                return Err(refused(token.span(), format!("`{word}` names a charset, which is not carried in a condition"), ""));
            }
            Kind::String if word.starts_with('"') => {
                return Err(refused(token.span(), "texts stand in single quotes: in double quotes `sql_mode` decides what they are", ""));
            }
            Kind::String | Kind::Quoted if !is_closed(word) => return Err(refused(token.span(), "its closing quote is missing", "")),
            Kind::Hex if word.contains('\'') && !is_closed(word) => return Err(refused(token.span(), "its closing quote is missing", "")),
            Kind::Symbol if word == ";" => return Err(refused(token.span(), "`;` cannot stand in a condition", "leave it out")),
            Kind::Symbol if word == "." => {
                return Err(refused(
                    token.span(),
                    "a column stands without its table: the condition is about one table only",
                    "write the column's name alone",
                ));
            }
            _ => kept.push(token),
        }
    }
    Ok(kept)
}

/// A quoted text ends with its quote.
fn is_closed(word: &str) -> bool {
    let bytes = word.as_bytes();
    let Some(from) = bytes.iter().position(|b| matches!(b, b'\'' | b'`')) else { return false };
    let quote = bytes[from];
    let mut at = from + 1;
    while at < bytes.len() {
        match bytes[at] {
            b'\\' if quote == b'\'' && from == 0 => at += 2,
            b if b == quote && bytes.get(at + 1) == Some(&quote) => at += 2,
            b if b == quote => return at + 1 == bytes.len(),
            _ => at += 1,
        }
    }
    false
}

struct Parser<'a> {
    text: &'a str,
    tokens: &'a [Token],
    at: usize,
    depth: usize,
    sql: String,
    columns: Vec<String>,
    of_dates: bool,
}

impl Parser<'_> {
    fn peek(&self) -> Option<&Token> {
        self.tokens.get(self.at)
    }

    /// The next token's text if it is a bare word or a symbol, in upper case.
    fn word(&self) -> Option<String> {
        self.word_at(self.at)
    }

    fn word_at(&self, at: usize) -> Option<String> {
        let token = self.tokens.get(at)?;
        matches!(token.kind, Kind::Word | Kind::Symbol).then(|| token.text(self.text).to_ascii_uppercase())
    }

    /// Takes the next token over as it is.
    fn take(&mut self) {
        if let Some(token) = self.tokens.get(self.at) {
            let text = token.text(self.text).to_owned();
            self.put(&text);
            self.at += 1;
        }
    }

    fn put(&mut self, text: &str) {
        if !self.sql.is_empty() {
            self.sql.push(' ');
        }
        self.sql.push_str(text);
    }

    fn eat(&mut self, word: &str) -> bool {
        let found = self.word().as_deref() == Some(word);
        if found {
            self.take();
        }
        found
    }

    fn expect(&mut self, word: &'static str) -> Result<(), ConditionError> {
        if self.eat(word) {
            return Ok(());
        }
        Err(self.wrong(&format!("`{word}`")))
    }

    /// Something else should stand here.
    fn wrong(&self, wanted: &str) -> ConditionError {
        match self.peek() {
            Some(token) => {
                let word = token.text(self.text);
                if word == "||" {
                    return refused(token.span(), "`||` means OR or the joining of texts, as `sql_mode` has it", "write OR, or CONCAT");
                }
                refused(token.span(), format!("`{word}` stands where {wanted} is wanted"), "")
            }
            None => {
                let end = self.tokens.last().map_or(0, |t| t.end);
                let from = self.tokens.last().map_or(0, |t| t.start);
                refused(from..end, format!("{wanted} is missing at the end"), "")
            }
        }
    }

    fn expression(&mut self) -> Result<(), ConditionError> {
        self.depth += 1;
        if self.depth > DEEPEST {
            let at = self.peek().map_or(0..0, Token::span);
            return Err(refused(at, format!("nested deeper than {DEEPEST} levels"), ""));
        }
        self.operand()?;
        while let Some(word) = self.word() {
            if self.eat("IS") {
                self.eat("NOT");
                if !["NULL", "TRUE", "FALSE", "UNKNOWN"].iter().any(|w| self.eat(w)) {
                    return Err(self.wrong("NULL, TRUE, FALSE or UNKNOWN"));
                }
                continue;
            }
            if word == "COLLATE" {
                self.take();
                let name = self.peek().filter(|t| t.kind == Kind::Word && t.text(self.text).is_ascii());
                if name.is_none() {
                    return Err(self.wrong("the name of a collation"));
                }
                self.take();
                continue;
            }
            let negated = word == "NOT" && self.word_at(self.at + 1).is_some_and(|w| matches!(w.as_str(), "IN" | "LIKE" | "BETWEEN"));
            if negated {
                self.take();
            }
            if self.eat("IN") {
                self.expect("(")?;
                self.list()?;
            } else if self.eat("BETWEEN") {
                self.arithmetic()?;
                self.expect("AND")?;
                self.operand()?;
            } else if self.eat("LIKE") {
                self.operand()?;
                if self.eat("ESCAPE") {
                    if self.peek().is_none_or(|t| t.kind != Kind::String) {
                        return Err(self.wrong("a text of one character"));
                    }
                    self.take();
                }
            } else if self.is_infix(&word) {
                self.take();
                self.operand()?;
            } else {
                break;
            }
        }
        self.depth -= 1;
        Ok(())
    }

    fn is_infix(&self, word: &str) -> bool {
        let kind = self.peek().map(|t| t.kind);
        (kind == Some(Kind::Symbol) && INFIX.contains(&word)) || (kind == Some(Kind::Word) && INFIX_WORDS.contains(&word))
    }

    /// The lower bound of BETWEEN, which ends at its AND.
    fn arithmetic(&mut self) -> Result<(), ConditionError> {
        self.operand()?;
        while self.word().is_some_and(|w| ARITHMETIC.contains(&w.as_str())) {
            self.take();
            self.operand()?;
        }
        Ok(())
    }

    /// What stands between parentheses behind IN or a function's name, up to the closing one.
    fn list(&mut self) -> Result<(), ConditionError> {
        loop {
            self.expression()?;
            if self.eat(")") {
                return Ok(());
            }
            if !self.eat(",") {
                return Err(self.wrong("`,` or `)`"));
            }
        }
    }

    fn operand(&mut self) -> Result<(), ConditionError> {
        self.depth += 1;
        if self.depth > DEEPEST {
            let at = self.peek().map_or(0..0, Token::span);
            return Err(refused(at, format!("nested deeper than {DEEPEST} levels"), ""));
        }
        let Some(&token) = self.peek() else { return Err(self.wrong("a column or a value")) };
        match token.kind {
            Kind::String | Kind::Number | Kind::Hex => self.take(),
            Kind::Quoted => self.column(&lex::name_of(token.text(self.text))),
            Kind::Symbol => match token.text(self.text) {
                "(" => {
                    self.take();
                    self.expression()?;
                    self.expect(")")?;
                }
                "-" | "+" | "!" | "~" => {
                    self.take();
                    self.operand()?;
                }
                _ => return Err(self.wrong("a column or a value")),
            },
            _ => self.bare(token)?,
        }
        self.depth -= 1;
        Ok(())
    }

    /// A word: a literal, a function, a typed literal, or a column.
    fn bare(&mut self, token: Token) -> Result<(), ConditionError> {
        let written = token.text(self.text);
        let word = written.to_ascii_uppercase();
        let next = self.tokens.get(self.at + 1);
        if matches!(word.as_str(), "NULL" | "TRUE" | "FALSE") {
            self.take();
            return Ok(());
        }
        if word == "NOT" {
            self.take();
            return self.operand();
        }
        if next.is_some_and(|t| t.is_symbol(self.text, "(")) {
            if let Some(what) = said_of(&word) {
                return Err(refused(token.span(), format!("`{written}` is {what}"), ""));
            }
            if !FUNCTIONS.contains(&word.as_str()) {
                return Err(refused(
                    token.span(),
                    format!("function `{written}` is not one of those that mean the same at all times"),
                    "docs/spec.md lists the functions of a condition",
                ));
            }
            self.of_dates |= OF_DATES.contains(&word.as_str());
            // A blank between the name and its parenthesis would make some servers look for a stored function.
            self.put(&word);
            self.sql.push('(');
            self.at += 2;
            return self.list();
        }
        if matches!(word.as_str(), "DATE" | "TIMESTAMP") && next.is_some_and(|t| t.kind == Kind::String) {
            self.of_dates = true;
            self.take();
            self.take();
            return Ok(());
        }
        if let Some(what) = said_of(&word) {
            return Err(refused(token.span(), format!("`{written}` is {what}"), "put it into backquotes if it is a column"));
        }
        if INFIX_WORDS.contains(&word.as_str()) || matches!(word.as_str(), "IS" | "IN" | "BETWEEN" | "COLLATE" | "ESCAPE") {
            return Err(self.wrong("a column or a value"));
        }
        if !written.chars().next().is_some_and(|c| c.is_alphabetic() || c == '_' || c == '$' || c.is_ascii_digit()) {
            return Err(self.wrong("a column or a value"));
        }
        self.column(written);
        Ok(())
    }

    fn column(&mut self, name: &str) {
        let lower = name.to_lowercase();
        if !self.columns.iter().any(|c| c.to_lowercase() == lower) {
            self.columns.push(name.to_owned());
        }
        self.put(&format!("`{}`", name.replace('`', "``")));
        self.at += 1;
    }
}

fn said_of(word: &str) -> Option<&'static str> {
    REFUSED.iter().find(|(words, _)| words.contains(&word)).map(|(_, what)| *what)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_may_stand_is_sent_with_every_column_quoted() {
        for (text, sql, columns) in [
            ("status <> 'draft'", "`status` <> 'draft'", "status"),
            ("a=1 and B is not null", "`a` = 1 and `B` is not null", "a,B"),
            ("`or``der` IN (1,2) or A not in ('x')", "`or``der` IN ( 1 , 2 ) or `A` not in ( 'x' )", "or`der,A"),
            ("a between 1 and 5+1 AND b", "`a` between 1 and 5 + 1 AND `b`", "a,b"),
            ("a between b + 1 and c", "`a` between `b` + 1 and `c`", "a,b,c"),
            ("name like 'a|%' escape '|'", "`name` like 'a|%' escape '|'", "name"),
            ("lower (name) = 'x' collate utf8mb4_bin", "LOWER( `name` ) = 'x' collate utf8mb4_bin", "name"),
            ("if(a, b, NULL) <=> TRUE", "IF( `a` , `b` , NULL ) <=> TRUE", "a,b"),
            ("not (a xor !b) && -c div 2 mod 3 < ~0", "not ( `a` xor ! `b` ) && - `c` div 2 mod 3 < ~ 0", "a,b,c"),
            ("d >= date '2020-01-01'", "`d` >= date '2020-01-01'", "d"),
            ("a = 5--3", "`a` = 5 - - 3", "a"),
            ("key = 0x1F and größe = x'00'", "`key` = 0x1F and `größe` = x'00'", "key,größe"),
            ("A = a", "`A` = `a`", "A"),
            ("left(a, 1) = 'it''s' and left = \n2", "LEFT( `a` , 1 ) = 'it''s' and `left` = 2", "a,left"),
        ] {
            let found = Condition::parse(text).unwrap_or_else(|e| panic!("{text}: {e:?}"));
            assert_eq!(found.sql(), format!("({sql})"), "{text}");
            assert_eq!(found.columns().join(","), columns, "{text}");
        }
    }

    #[test]
    fn everything_else_is_refused_with_its_place() {
        for (text, marked, says) in [
            ("", "", "missing"),
            ("  ", "", "missing"),
            ("a = 1;", ";", "`;`"),
            ("a = 1 -- x", "-- x", "comment"),
            ("a = 1 # x", "# x", "comment"),
            ("a /* x */ = 1", "/* x */", "comment"),
            ("a = /*!1*/", "/*!", "comment"),
            ("a = @x", "@x", "variable"),
            ("a = @@sql_mode", "@@sql_mode", "variable"),
            ("a in (select 1)", "select", "sub-query"),
            ("exists (select 1)", "exists", "sub-query"),
            ("a > now()", "now", "time of day"),
            ("a > CURRENT_DATE", "CURRENT_DATE", "time of day"),
            ("a = rand()", "rand", "function `rand`"),
            ("a = uuid()", "uuid", "function `uuid`"),
            ("count(a) > 1", "count", "function `count`"),
            ("sum(a) > 1", "sum", "function `sum`"),
            ("sleep(1)", "sleep", "function `sleep`"),
            ("shop.f(a)", ".", "without its table"),
            ("t.a = 1", ".", "without its table"),
            ("a = 1 || b = 2", "||", "sql_mode"),
            ("a = \"x\"", "\"x\"", "single quotes"),
            ("a = 'x", "'x", "closing quote"),
            ("`a = 1", "`a = 1", "closing quote"),
            ("(a = 1", "1", "`)` is missing"),
            ("a = 1)", ")", "closes nothing"),
            ("a = 1) OR (1 = 1", ")", "closes nothing"),
            ("a = 1, 2", ",", "list"),
            ("(a, b) = 1", ",", "`)` is wanted"),
            ("a = = 1", "=", "a column or a value"),
            ("a b", "b", "operator is missing"),
            ("a regexp 'x'", "regexp", "operator is missing"),
            ("a = _latin1'x'", "_latin1", "charset"),
            ("a := 1", ":=", "cannot stand"),
            ("a->'$.x' = 1", "->", "cannot stand"),
            ("case when a then 1 end", "case", "not carried"),
            ("d > d2 - interval 1 day", "interval", "not carried"),
            ("cast(a as char)", "cast", "not carried"),
            ("binary a = 'x'", "binary", "not carried"),
            ("a is 1", "1", "NULL, TRUE"),
            ("lower()", ")", "a column or a value"),
            ("?", "?", "a column or a value"),
        ] {
            let error = Condition::parse(text).expect_err(text);
            assert_eq!(&text[error.at.clone()], marked, "{text}: {error:?}");
            assert!(error.what.contains(says), "{text}: {error:?}");
        }
        let deep = format!("{}a{}", "(".repeat(1000), ")".repeat(1000));
        assert!(Condition::parse(&deep).expect_err("deep").what.contains("nested deeper"));
        assert!(Condition::parse(&"-".repeat(5000)).is_err());
        assert!(Condition::parse(&"a + ".repeat(20_000)).is_err());
    }

    proptest! {
        /// What is let through is closed in itself: as many parentheses open as close, and nothing closes too early.
        #[test]
        fn nothing_gets_out_of_its_parentheses(parts in proptest::collection::vec(prop_oneof![
            Just("a"), Just("("), Just(")"), Just("'"), Just("`"), Just("\\"), Just("--"), Just("/*"), Just("*/"), Just(" "), Just("\n"), Just("="),
            Just("1"), Just("in"), Just(","), Just("lower"), Just("or"), Just("not"), Just(";"), Just("x'"), Just("#"), Just("\"") ], 0..24)) {
            let text = parts.concat();
            if let Ok(found) = Condition::parse(&text) {
                let mut depth = 0_i32;
                for token in lex::lex(found.sql(), Mode::default()) {
                    prop_assert!(!matches!(token.kind, Kind::Comment | Kind::ExecOpen | Kind::Variable));
                    match token.text(found.sql()) {
                        "(" => depth += 1,
                        ")" => depth -= 1,
                        ";" => prop_assert!(false, "{text}"),
                        _ => {}
                    }
                    prop_assert!(depth >= 1 || token.end == found.sql().len(), "{text}: {}", found.sql());
                }
                prop_assert_eq!(depth, 0);
            }
        }
    }
}
