//! SQL expressions in one canonical form, to tell whether two servers print the same one.
//!
//! MySQL stores ``((`a` + (1 * 2)))`` where MariaDB stores ``` `a` + 1 * 2 ```, `_utf8mb4'x'` for `'x'`, `(not((a like b)))` for `a not like b`.
//! The canonical form has every parenthesis, no introducer of the connection's own charset, one spelling of each function and
//! operator, and one of zero dates and typed constants. It is for comparing only and is never sent to a server. What the small grammar
//! here does not know is compared token by token: at worst two equal expressions look different, never the other way round.

use super::lex::{self, Kind, Mode, Token};

/// The canonical form.
pub fn canonical(expression: &str) -> String {
    let tokens: Vec<Token> =
        lex::significant(expression, Mode::default()).into_iter().filter(|t| !matches!(t.kind, Kind::ExecOpen | Kind::ExecClose)).collect();
    let mut parser = Parser { text: expression, tokens: &tokens, at: 0, depth: 0 };
    match parser.expression(0) {
        Some(node) if parser.at == tokens.len() => node,
        _ => tokens.iter().map(|t| atom(t, expression)).collect::<Vec<_>>().join(" "),
    }
}

/// One spelling for functions that have several (seen in what 9.7.4 and 10.11.19 print).
const SYNONYMS: &[(&str, &str)] = &[
    ("lcase", "lower"),
    ("ucase", "upper"),
    ("substring", "substr"),
    ("mid", "substr"),
    ("ceiling", "ceil"),
    ("character_length", "char_length"),
    ("octet_length", "length"),
    ("power", "pow"),
    ("now", "current_timestamp"),
    ("localtime", "current_timestamp"),
    ("localtimestamp", "current_timestamp"),
    ("current_date", "curdate"),
    ("current_time", "curtime"),
    ("day", "dayofmonth"),
    ("sha", "sha1"),
    ("std", "stddev"),
    ("position", "locate"),
];

/// Functions that may stand without parentheses.
const BARE: &[&str] = &["current_timestamp", "localtime", "localtimestamp", "current_date", "current_time", "utc_timestamp", "utc_date"];

struct Parser<'a> {
    text: &'a str,
    tokens: &'a [Token],
    at: usize,
    depth: usize,
}

/// Binding strengths, weakest first (manual: Operator Precedence).
fn infix(word: &str) -> Option<(u8, &'static str)> {
    Some(match word {
        "or" | "||" => (1, "or"),
        "xor" => (2, "xor"),
        "and" | "&&" => (3, "and"),
        "=" => (6, "="),
        "<=>" => (6, "<=>"),
        ">=" => (6, ">="),
        ">" => (6, ">"),
        "<=" => (6, "<="),
        "<" => (6, "<"),
        "<>" | "!=" => (6, "<>"),
        "|" => (7, "|"),
        "&" => (8, "&"),
        "<<" => (9, "<<"),
        ">>" => (9, ">>"),
        "+" => (10, "+"),
        "-" => (10, "-"),
        "*" => (11, "*"),
        "/" => (11, "/"),
        "div" => (11, "div"),
        "%" | "mod" => (11, "%"),
        "^" => (12, "^"),
        _ => return None,
    })
}

const NOT: u8 = 4;
const COMPARISON: u8 = 6;
const UNARY: u8 = 13;
const COLLATE: u8 = 15;
const DEEPEST: usize = 200;

impl Parser<'_> {
    fn word(&self) -> Option<String> {
        self.word_at(self.at)
    }

    fn word_at(&self, at: usize) -> Option<String> {
        let token = self.tokens.get(at)?;
        matches!(token.kind, Kind::Word | Kind::Symbol).then(|| token.text(self.text).to_ascii_lowercase())
    }

    fn eat(&mut self, word: &str) -> bool {
        let found = self.word().as_deref() == Some(word);
        self.at += usize::from(found);
        found
    }

    fn expression(&mut self, least: u8) -> Option<String> {
        self.depth += 1;
        if self.depth > DEEPEST {
            return None;
        }
        let mut left = self.prefix()?;
        while let Some(word) = self.word() {
            let negated = word == "not" && least <= COMPARISON;
            let word = if negated { self.word_at(self.at + 1)? } else { word };
            let found = match word.as_str() {
                "collate" if least <= COLLATE => {
                    self.at += 1;
                    let name = self.tokens.get(self.at)?.text(self.text).to_ascii_lowercase();
                    self.at += 1;
                    Some(format!("({left} collate {})", lex::name_of(&name)))
                }
                "->" | "->>" => {
                    self.at += 1;
                    let path = self.expression(COLLATE)?;
                    let extract = format!("json_extract({left},{path})");
                    Some(if word == "->>" { format!("json_unquote({extract})") } else { extract })
                }
                "like" | "regexp" | "rlike" | "in" | "between" | "is" | "member" | "sounds" if least <= COMPARISON => {
                    self.at += usize::from(negated);
                    self.comparison(&left, &word)?
                }
                _ => None,
            };
            left = match found {
                Some(found) if negated => format!("(not {found})"),
                Some(found) => found,
                None if negated => break,
                None => match infix(&word) {
                    Some((strength, name)) if strength >= least => {
                        self.at += 1;
                        let right = self.expression(strength + 1)?;
                        join(name, &left, &right)
                    }
                    _ => break,
                },
            };
        }
        self.depth -= 1;
        Some(left)
    }

    /// The comparisons that are words; the cursor stands on the word.
    fn comparison(&mut self, left: &str, word: &str) -> Option<Option<String>> {
        self.at += 1;
        Some(Some(match word {
            "like" => {
                let pattern = self.expression(COMPARISON + 1)?;
                if self.eat("escape") {
                    format!("({left} like {pattern} escape {})", self.expression(COMPARISON + 1)?)
                } else {
                    format!("({left} like {pattern})")
                }
            }
            "regexp" | "rlike" => format!("({left} regexp {})", self.expression(COMPARISON + 1)?),
            "in" => format!("({left} in {})", self.arguments()?),
            "between" => {
                let low = self.expression(COMPARISON + 1)?;
                if !self.eat("and") {
                    return None;
                }
                format!("({left} between {low} and {})", self.expression(COMPARISON + 1)?)
            }
            "is" => {
                let not = self.eat("not");
                let what = self.word()?;
                self.at += 1;
                if !["null", "true", "false", "unknown"].contains(&what.as_str()) {
                    return None;
                }
                let left = if what == "null" { left } else { truth(left) };
                if not { format!("(not ({left} is {what}))") } else { format!("({left} is {what})") }
            }
            "member" if self.eat("of") => format!("({left} member of {})", self.arguments()?),
            _ => return None,
        }))
    }

    fn prefix(&mut self) -> Option<String> {
        let token = *self.tokens.get(self.at)?;
        if let Some(word) = self.word() {
            match word.as_str() {
                "not" => {
                    self.at += 1;
                    return Some(format!("(not {})", truth(&self.expression(NOT)?)));
                }
                "!" => {
                    self.at += 1;
                    return Some(format!("(not {})", truth(&self.expression(UNARY + 1)?)));
                }
                "-" | "~" => {
                    self.at += 1;
                    return Some(format!("({word} {})", self.expression(UNARY)?));
                }
                "+" => {
                    self.at += 1;
                    return self.expression(UNARY);
                }
                "binary" if self.word_at(self.at + 1).as_deref() != Some("(") => {
                    self.at += 1;
                    return Some(format!("cast({} as char charset binary)", self.expression(COLLATE)?));
                }
                "case" => return self.case(),
                "interval" if self.word_at(self.at + 1).as_deref() != Some("(") || self.is_interval() => {
                    self.at += 1;
                    let amount = self.expression(COMPARISON + 1)?;
                    let unit = self.word()?;
                    self.at += 1;
                    return Some(format!("interval {amount} {unit}"));
                }
                "(" => {
                    let list = self.arguments()?;
                    // One in parentheses is itself, several are a row.
                    return Some(if list.1 == 1 { list.0 } else { format!("row({})", list.0) });
                }
                _ if token.kind == Kind::Symbol => return None,
                _ => {}
            }
        }
        self.primary(token)
    }

    /// `interval(a) day` looks like a call of INTERVAL(): a unit behind the parenthesis tells.
    fn is_interval(&self) -> bool {
        let mut depth = 0_usize;
        for at in self.at + 1..self.tokens.len() {
            match self.word_at(at).as_deref() {
                Some("(") => depth += 1,
                Some(")") => {
                    depth -= 1;
                    if depth == 0 {
                        return self.tokens.get(at + 1).is_some_and(|t| t.kind == Kind::Word);
                    }
                }
                _ => {}
            }
        }
        false
    }

    fn primary(&mut self, token: Token) -> Option<String> {
        self.at += 1;
        match token.kind {
            Kind::Introducer => {
                let charset = token.text(self.text).to_ascii_lowercase();
                let literal = self.tokens.get(self.at).map(|t| atom(t, self.text))?;
                self.at += 1;
                Some(if charset == "_utf8mb4" { literal } else { format!("{charset}{literal}") })
            }
            Kind::Word => {
                let word = token.text(self.text).to_ascii_lowercase();
                let next = self.tokens.get(self.at);
                if next.is_some_and(|t| t.is_symbol(self.text, "(")) {
                    return self.call(&word);
                }
                if ["date", "time", "timestamp"].contains(&word.as_str()) && next.is_some_and(|t| t.kind == Kind::String) {
                    // MySQL gives a constant the type of the column it meets (seen on 9.7.4), MariaDB leaves it as it was written.
                    let literal = atom(next?, self.text);
                    self.at += 1;
                    return Some(literal);
                }
                if BARE.contains(&word.as_str()) {
                    return Some(format!("{}()", synonym(&word)));
                }
                self.name(token)
            }
            Kind::Quoted => self.name(token),
            Kind::String | Kind::Number | Kind::Hex | Kind::Variable => Some(atom(&token, self.text)),
            _ => None,
        }
    }

    fn name(&mut self, token: Token) -> Option<String> {
        let mut name = atom(&token, self.text);
        while self.tokens.get(self.at).is_some_and(|t| t.is_symbol(self.text, ".")) {
            let next = self.tokens.get(self.at + 1)?;
            name = format!("{name}.{}", atom(next, self.text));
            self.at += 2;
        }
        Some(name)
    }

    fn call(&mut self, word: &str) -> Option<String> {
        let Arguments(list, count) = self.arguments()?;
        match (synonym(word), count) {
            ("mod", 2) => {
                let (left, right) = list.split_once(',')?;
                if right.contains(',') { Some(format!("mod({list})")) } else { Some(format!("({left} % {right})")) }
            }
            ("regexp_like", 2) if list.matches(',').count() == 1 => list.split_once(',').map(|(a, b)| format!("({a} regexp {b})")),
            (name, _) => Some(format!("{name}({list})")),
        }
    }

    /// A list in parentheses and how many it holds. Between expressions may stand keywords, as in `cast(a as char)`.
    fn arguments(&mut self) -> Option<Arguments> {
        let conditional = self.at > 0 && self.word_at(self.at - 1).as_deref() == Some("if");
        if !self.eat("(") {
            return None;
        }
        let mut list = Vec::new();
        if self.eat(")") {
            return Some(Arguments(String::new(), 0));
        }
        loop {
            let first = self.expression(0)?;
            let mut parts = vec![if conditional && list.is_empty() { truth(&first).to_owned() } else { first }];
            while !matches!(self.word().as_deref(), Some("," | ")")) {
                parts.push(self.expression(0)?);
            }
            list.push(parts.join(" "));
            if self.eat(")") {
                let count = list.len();
                return Some(Arguments(list.join(","), count));
            }
            self.at += 1;
        }
    }

    fn case(&mut self) -> Option<String> {
        self.at += 1;
        let mut parts = vec!["case".to_owned()];
        if self.word().as_deref() != Some("when") {
            parts.push(self.expression(0)?);
        }
        while self.eat("when") {
            let condition = self.expression(0)?;
            if !self.eat("then") {
                return None;
            }
            let condition = if parts.len() == 1 || parts[1].starts_with("when ") { truth(&condition).to_owned() } else { condition };
            parts.push(format!("when {condition} then {}", self.expression(0)?));
        }
        if self.eat("else") {
            parts.push(format!("else {}", self.expression(0)?));
        }
        self.eat("end").then(|| format!("({} end)", parts.join(" ")))
    }
}

struct Arguments(String, usize);

impl std::fmt::Display for Arguments {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "({})", self.0)
    }
}

fn synonym(word: &str) -> &str {
    SYNONYMS.iter().find(|(from, _)| *from == word).map_or(word, |(_, to)| to)
}

/// What a condition tests. MySQL stores `0 <> a` where a bare value stands as a condition (seen on 9.7.4), MariaDB the value or `a <> 0`.
fn truth(condition: &str) -> &str {
    let Some(inner) = condition.strip_prefix('(').and_then(|c| c.strip_suffix(')')) else { return condition };
    let value = inner.strip_prefix("0 <> ").or_else(|| inner.strip_suffix(" <> 0"));
    value.filter(|v| is_one(v)).unwrap_or(condition)
}

/// A canonical text that is one operand: no blank outside of its own parentheses, brackets and quotes.
fn is_one(text: &str) -> bool {
    let (mut depth, mut quote) = (0_usize, None);
    for c in text.chars() {
        match (quote, c) {
            (Some(q), _) if q == c => quote = None,
            (Some(_), _) => {}
            (None, '\'' | '`') => quote = Some(c),
            (None, '(' | '[') => depth += 1,
            (None, ')' | ']') => depth = depth.saturating_sub(1),
            (None, ' ') if depth == 0 => return false,
            _ => {}
        }
    }
    true
}

/// AND and OR of several are one list, however they were nested.
fn join(operator: &str, left: &str, right: &str) -> String {
    let open = |side: &str| {
        let inner = side.strip_prefix(&format!("[{operator} "))?.strip_suffix(&format!(" {operator}]"))?;
        Some(inner.to_owned())
    };
    let (left, right) = if matches!(operator, "and" | "or" | "xor") { (truth(left), truth(right)) } else { (left, right) };
    if matches!(operator, "and" | "or") {
        let left = open(left).unwrap_or_else(|| left.to_owned());
        let right = open(right).unwrap_or_else(|| right.to_owned());
        return format!("[{operator} {left}, {right} {operator}]");
    }
    format!("({left} {operator} {right})")
}

fn atom(token: &Token, text: &str) -> String {
    let text = token.text(text);
    match token.kind {
        Kind::Quoted => format!("`{}`", lex::name_of(text).to_lowercase()),
        Kind::String => match lex::string_value(text).as_str() {
            // The zero of dates, which compares as 0.
            "0000-00-00" | "0000-00-00 00:00:00" => "0".to_owned(),
            value => lex::string_literal(value),
        },
        Kind::Hex => hex(text),
        Kind::Introducer | Kind::Word | Kind::Number => text.to_lowercase(),
        _ => text.to_owned(),
    }
}

fn hex(text: &str) -> String {
    let lower = text.to_ascii_lowercase();
    match lower.strip_prefix("x'").and_then(|t| t.strip_suffix('\'')) {
        Some(digits) => format!("0x{digits}"),
        None => lower,
    }
}

#[cfg(test)]
mod tests {
    use super::canonical;

    /// Left as MySQL 9.7.4 prints it, right as MariaDB 10.11.19 prints the same expression.
    #[test]
    fn the_two_vendors_print_the_same_expression() {
        for (mysql, mariadb) in [
            ("(`i` + (1 * 2))", "`i` + 1 * 2"),
            ("concat(`v`,_utf8mb4'é',upper(`c`))", "concat(`v`,'é',ucase(`c`))"),
            ("(case when (`a` > 1) then 2 else 3 end)", "case when `a` > 1 then 2 else 3 end"),
            ("if((`a` between 1 and 3),(`a` in (1,2)),(0 = `a`))", "if(`a` between 1 and 3,`a` in (1,2),0 = `a`)"),
            ("(-(`a`) DIV 2)", "-`a` DIV 2"),
            ("(cast(`a` as char(9) charset utf8mb4) collate utf8mb4_bin)", "cast(`a` as char(9) charset utf8mb4) collate utf8mb4_bin"),
            ("(((`a` * 1.0e0) % 3) + ((`a` - (`b` - 1)) * 2))", "`a` * 1.0e0 MOD 3 + (`a` - (`b` - 1)) * 2"),
            ("(`c` + interval 1 day)", "`c` + interval 1 day"),
            ("((`a` <=> 3) xor (0 <> `b`))", "`a` <=> 3 xor 0 <> `b`"),
            ("((`a` ^ 3) | (~(`a`) & (2 << 1)))", "`a` ^ 3 | ~`a` & 2 << 1"),
            ("trim(both _utf8mb4'x' from `d`)", "trim(both 'x' from `d`)"),
            ("extract(year from `c`)", "extract(year from `c`)"),
            ("regexp_like(`d`,_utf8mb4'^a')", "`d` regexp '^a'"),
            ("((0 <> `a`) is true)", "(0 <> `a`) is true"),
            ("(not((`d` like _utf8mb4'a!%' escape _utf8mb4'!')))", "`d`  not like 'a!%' escape '!'"),
            ("(((0 <> `a`) and (0 <> `b`)) or (DATE'0000-00-00' = `c`))", "0 <> `a` and 0 <> `b` or DATE'0000-00-00' = `c`"),
            ("((((`i` < 100) and (`d` is not null)) or (`v` like _utf8mb4'a%')))", "`i` < 100 and `d` is not null or `v` like 'a%'"),
            ("json_unquote(json_extract(`j`,_utf8mb4'$.a'))", "`j`->>'$.a'"),
            ("((`a` and `b`) and `c`)", "`a` and (`b` and `c`)"),
            ("(`d` in (_utf8mb4'x',_utf8mb4'y'))", "`d` in ('x','y')"),
            ("(`d` not in (1,2))", "!(`d` in (1,2))"),
            ("((`a` <=> 3) xor (0 <> `b`))", "`a` <=> 3 xor `b`"),
            ("((0 <> `a`) is true)", "`a` is true"),
            ("if((0 <> `a`),(0 <> `b`),1)", "if(`a`,0 <> `b`,1)"),
            ("(case when (0 <> (`a` + 1)) then 1 end)", "case when `a` + 1 then 1 end"),
            ("((0 <> `a`) and (DATE'0000-00-00' <> `c`))", "`a` and `c` <> DATE'0000-00-00'"),
            ("(`c` = DATE'0000-00-00')", "`c` = 0"),
            ("(`c` > DATE'2020-01-01')", "`c` > '2020-01-01'"),
            ("CURRENT_TIMESTAMP", "current_timestamp()"),
            ("CURRENT_TIMESTAMP(3)", "current_timestamp(3)"),
        ] {
            assert_eq!(canonical(mysql), canonical(mariadb), "{mysql}");
        }
    }

    #[test]
    fn different_expressions_stay_different() {
        for (a, b) in [
            ("(`a` + `b`) * `c`", "`a` + `b` * `c`"),
            ("`a` - (`b` - `c`)", "`a` - `b` - `c`"),
            ("not `a` and `b`", "not (`a` and `b`)"),
            ("`a` or `b` and `c`", "(`a` or `b`) and `c`"),
            ("'a'", "'A'"),
            ("_latin1'a'", "'a'"),
            ("`a` between 1 and 2 and `b`", "`a` between 1 and (2 and `b`)"),
            ("-`a` ^ 2", "-(`a` ^ 2)"),
            ("0 <> `a`", "`a`"),
            ("`b` and 0 <> `a` <> 0", "`b` and `a`"),
            ("if(`b`,0 <> `a`,1)", "if(`b`,`a`,1)"),
        ] {
            assert_ne!(canonical(a), canonical(b), "{a} / {b}");
        }
    }
}
