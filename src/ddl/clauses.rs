//! One clause of a table definition at a time: columns, indexes, constraints, periods.

use super::{
    definition::{
        CheckClause, Clause, ColumnClause, DefinitionError, ForeignKeyClause, Generated, IndexClause, IndexKind, IndexOption, IndexPart,
    },
    lex::{self, Kind, Token},
};

/// Walks over the significant tokens of a clause.
#[derive(Clone)]
pub(super) struct Cursor<'a> {
    pub(super) text: &'a str,
    tokens: &'a [Token],
    at: usize,
}

impl<'a> Cursor<'a> {
    pub(super) fn new(text: &'a str, tokens: &'a [Token]) -> Self {
        Self { text, tokens, at: 0 }
    }

    pub(super) fn position(&self) -> usize {
        self.at
    }

    pub(super) fn peek(&self) -> Option<Token> {
        self.tokens.get(self.at).copied()
    }

    pub(super) fn next(&mut self) -> Option<Token> {
        let token = self.peek()?;
        self.at += 1;
        Some(token)
    }

    pub(super) fn last_end(&self) -> usize {
        self.at.checked_sub(1).and_then(|i| self.tokens.get(i)).map_or(0, |t| t.end)
    }

    pub(super) fn peek_word(&self, word: &str) -> bool {
        self.peek().is_some_and(|t| t.is_word(self.text, word))
    }

    pub(super) fn eat_word(&mut self, word: &str) -> bool {
        let found = self.peek_word(word);
        self.at += usize::from(found);
        found
    }

    fn eat_words(&mut self, words: &[&str]) -> bool {
        let found = words.iter().enumerate().all(|(i, word)| self.tokens.get(self.at + i).is_some_and(|t| t.is_word(self.text, word)));
        if found {
            self.at += words.len();
        }
        found
    }

    pub(super) fn eat_symbol(&mut self, symbol: &str) -> bool {
        let found = self.peek().is_some_and(|t| t.is_symbol(self.text, symbol));
        self.at += usize::from(found);
        found
    }

    fn eat(&mut self, kind: Kind) -> bool {
        let found = self.peek().is_some_and(|t| t.kind == kind);
        self.at += usize::from(found);
        found
    }

    fn name(&mut self) -> Option<String> {
        let token = self.peek().filter(|t| matches!(t.kind, Kind::Quoted | Kind::Word))?;
        self.at += 1;
        Some(lex::name_of(token.text(self.text)))
    }

    /// A parenthesised group as printed, the cursor behind it.
    fn group(&mut self) -> Option<String> {
        let start = self.peek().filter(|t| t.is_symbol(self.text, "("))?.start;
        let mut depth = 0_usize;
        while let Some(token) = self.next() {
            if token.is_symbol(self.text, "(") {
                depth += 1;
            } else if token.is_symbol(self.text, ")") {
                depth -= 1;
                if depth == 0 {
                    return Some(self.text[start..token.end].to_owned());
                }
            }
        }
        None
    }

    /// The inside of a parenthesised group.
    fn inside(&mut self) -> Option<String> {
        let group = self.group()?;
        Some(group[1..group.len() - 1].trim().to_owned())
    }

    /// A value: a literal with its sign or introducer, a name, a group, a function call.
    pub(super) fn value(&mut self) -> Option<String> {
        let first = self.peek()?;
        if first.is_symbol(self.text, "(") {
            return self.group();
        }
        if first.is_symbol(self.text, "-") || first.is_symbol(self.text, "+") || first.kind == Kind::Introducer {
            self.at += 1;
        }
        let token = self.next().filter(|t| matches!(t.kind, Kind::Word | Kind::Quoted | Kind::String | Kind::Number | Kind::Hex))?;
        if token.kind == Kind::Word && self.peek().is_some_and(|t| t.is_symbol(self.text, "(") && t.start == token.end) {
            self.group()?;
        }
        Some(self.text[first.start..self.last_end()].to_owned())
    }

    pub(super) fn unknown(&self, place: &str) -> DefinitionError {
        let start = self.peek().map_or_else(|| self.last_end(), |t| t.start);
        let text = self.text[start..].lines().next().unwrap_or_default().chars().take(60).collect();
        DefinitionError::Unknown { place: place.to_owned(), text }
    }
}

pub(super) fn column(mut cursor: Cursor<'_>) -> Result<ColumnClause, DefinitionError> {
    let name = cursor.name().unwrap_or_default();
    let place = format!("column {name}");
    let mut column = ColumnClause { name, ..ColumnClause::default() };
    let Some(start) = cursor.next().filter(|t| t.kind == Kind::Word) else { return Err(cursor.unknown(&place)) };
    if cursor.peek().is_some_and(|t| t.is_symbol(cursor.text, "(")) {
        cursor.group();
    }
    while cursor.eat_word("UNSIGNED") || cursor.eat_word("ZEROFILL") {}
    column.data_type = cursor.text[start.start..cursor.last_end()].to_owned();
    while cursor.peek().is_some() {
        let before = cursor.clone();
        if attribute(&mut cursor, &mut column).is_none() {
            return Err(before.unknown(&place));
        }
    }
    Ok(column)
}

/// Reads one attribute of a column; `None` when it is not known.
fn attribute(cursor: &mut Cursor<'_>, column: &mut ColumnClause) -> Option<()> {
    // Executable comments are looked through: which version they name says nothing about the column.
    if cursor.eat(Kind::ExecOpen) || cursor.eat(Kind::ExecClose) {
        return Some(());
    }
    let start = cursor.peek()?.start;
    let token = cursor.next().filter(|t| matches!(t.kind, Kind::Word | Kind::Quoted | Kind::String))?;
    match lex::name_of(token.text(cursor.text)).to_ascii_uppercase().as_str() {
        "CHARACTER" if cursor.eat_word("SET") => column.charset = Some(cursor.name()?),
        "CHARSET" => column.charset = Some(cursor.name()?),
        "COLLATE" => column.collation = Some(cursor.name()?),
        "GENERATED" if cursor.eat_words(&["ALWAYS", "AS", "ROW"]) => column.row_period = Some(cursor.name()?.to_ascii_uppercase()),
        "GENERATED" if cursor.eat_words(&["ALWAYS", "AS"]) => {
            column.generated = Some(Generated { expression: cursor.inside()?, stored: false });
        }
        "AS" => column.generated = Some(Generated { expression: cursor.inside()?, stored: false }),
        "VIRTUAL" => {}
        "STORED" | "PERSISTENT" => column.generated.as_mut()?.stored = true,
        "NOT" if cursor.eat_word("NULL") => column.null = Some(false),
        "NOT" if cursor.eat_word("SECONDARY") => column.other.push("NOT SECONDARY".to_owned()),
        "NULL" => column.null = Some(true),
        "DEFAULT" => column.default = Some(cursor.value()?),
        "ON" if cursor.eat_word("UPDATE") => column.on_update = Some(cursor.value()?),
        "AUTO_INCREMENT" => column.auto_increment = true,
        "COMMENT" => column.comment = Some(cursor.value()?),
        "SRID" => column.srid = Some(cursor.value()?),
        "REF_SYSTEM_ID" if cursor.eat_symbol("=") => column.srid = Some(cursor.value()?),
        "INVISIBLE" => column.invisible = true,
        "CHECK" => column.check = Some(cursor.inside()?),
        "COMPRESSED" => {
            if cursor.eat_symbol("=") {
                cursor.value()?;
            }
            column.compressed = Some(cursor.text[start..cursor.last_end()].to_owned());
        }
        "WITHOUT" if cursor.eat_words(&["SYSTEM", "VERSIONING"]) => column.without_versioning = true,
        "STORAGE" | "COLUMN_FORMAT" | "ENGINE_ATTRIBUTE" | "SECONDARY_ENGINE_ATTRIBUTE" => {
            cursor.eat_symbol("=");
            cursor.value()?;
            column.other.push(cursor.text[start..cursor.last_end()].to_owned());
        }
        // A MariaDB engine's own attribute.
        _ if cursor.eat_symbol("=") => {
            cursor.value()?;
            column.other.push(cursor.text[start..cursor.last_end()].to_owned());
        }
        _ => return None,
    }
    Some(())
}

pub(super) fn index(mut cursor: Cursor<'_>) -> Result<IndexClause, DefinitionError> {
    let kind = if cursor.eat_word("PRIMARY") {
        IndexKind::Primary
    } else if cursor.eat_word("UNIQUE") {
        IndexKind::Unique
    } else if cursor.eat_word("FULLTEXT") {
        IndexKind::Fulltext
    } else if cursor.eat_word("SPATIAL") {
        IndexKind::Spatial
    } else if cursor.eat_word("VECTOR") {
        IndexKind::Vector
    } else {
        IndexKind::Plain
    };
    cursor.eat_word("KEY");
    let name = match cursor.peek() {
        Some(token) if token.kind == Kind::Quoted => cursor.name().unwrap_or_default(),
        _ => "PRIMARY".to_owned(),
    };
    let place = format!("index {name}");
    // Between name and parts stands USING in some versions.
    let mut options = Vec::new();
    while cursor.peek_word("USING") {
        options.push(index_option(&mut cursor).ok_or_else(|| cursor.unknown(&place))?);
    }
    let parts = index_parts(&mut cursor).ok_or_else(|| cursor.unknown(&place))?;
    while cursor.peek().is_some() {
        if cursor.eat(Kind::ExecOpen) || cursor.eat(Kind::ExecClose) {
            continue;
        }
        let before = cursor.clone();
        options.push(index_option(&mut cursor).ok_or_else(|| before.unknown(&place))?);
    }
    Ok(IndexClause { kind, name, parts, options })
}

fn index_parts(cursor: &mut Cursor<'_>) -> Option<Vec<IndexPart>> {
    if !cursor.eat_symbol("(") {
        return None;
    }
    let mut parts = Vec::new();
    loop {
        let mut part = IndexPart { column: None, expression: None, prefix: None, descending: false, without_overlaps: false };
        if cursor.peek()?.is_symbol(cursor.text, "(") {
            part.expression = Some(cursor.inside()?);
        } else {
            part.column = Some(cursor.name()?);
            if cursor.peek()?.is_symbol(cursor.text, "(") {
                part.prefix = Some(cursor.inside()?.parse().ok()?);
            }
        }
        if cursor.eat_word("DESC") {
            part.descending = true;
        } else if cursor.eat_words(&["WITHOUT", "OVERLAPS"]) {
            part.without_overlaps = true;
        } else {
            cursor.eat_word("ASC");
        }
        parts.push(part);
        if cursor.eat_symbol(")") {
            return Some(parts);
        }
        if !cursor.eat_symbol(",") {
            return None;
        }
    }
}

fn index_option(cursor: &mut Cursor<'_>) -> Option<IndexOption> {
    let token = cursor.next().filter(|t| matches!(t.kind, Kind::Word | Kind::Quoted))?;
    let key = lex::name_of(token.text(cursor.text)).to_ascii_uppercase();
    let (key, value) = match key.as_str() {
        "INVISIBLE" | "VISIBLE" | "IGNORED" => (key, None),
        "NOT" if cursor.eat_word("IGNORED") => ("VISIBLE".to_owned(), None),
        "WITH" if cursor.eat_word("PARSER") => ("WITH PARSER".to_owned(), Some(cursor.value()?)),
        "USING" | "COMMENT" => (key, Some(cursor.value()?)),
        _ if cursor.eat_symbol("=") => (key, Some(cursor.value()?)),
        "ENGINE_ATTRIBUTE" | "SECONDARY_ENGINE_ATTRIBUTE" => (key, Some(cursor.value()?)),
        _ => return None,
    };
    Some(IndexOption { key, value })
}

pub(super) fn constraint(mut cursor: Cursor<'_>) -> Result<Clause, DefinitionError> {
    let name = if cursor.eat_word("CONSTRAINT") { cursor.name() } else { None };
    let place = format!("constraint {}", name.as_deref().unwrap_or_default());
    if cursor.eat_words(&["FOREIGN", "KEY"]) {
        return foreign_key(&mut cursor, name).map(Clause::ForeignKey).ok_or_else(|| cursor.unknown(&place));
    }
    if !cursor.eat_word("CHECK") {
        return Err(cursor.unknown(&place));
    }
    let Some(expression) = cursor.inside() else { return Err(cursor.unknown(&place)) };
    let mut not_enforced = false;
    while cursor.peek().is_some() {
        if cursor.eat(Kind::ExecOpen) || cursor.eat(Kind::ExecClose) {
            continue;
        }
        if cursor.eat_words(&["NOT", "ENFORCED"]) {
            not_enforced = true;
        } else {
            return Err(cursor.unknown(&place));
        }
    }
    Ok(Clause::Check(CheckClause { name, expression, not_enforced }))
}

fn foreign_key(cursor: &mut Cursor<'_>, name: Option<String>) -> Option<ForeignKeyClause> {
    let names = |parts: Vec<IndexPart>| parts.into_iter().map(|p| p.column).collect::<Option<Vec<_>>>();
    let columns = names(index_parts(cursor)?)?;
    if !cursor.eat_word("REFERENCES") {
        return None;
    }
    let start = cursor.peek()?.start;
    let first = cursor.name()?;
    let (target_database, target_table) = if cursor.eat_symbol(".") { (Some(first), cursor.name()?) } else { (None, first) };
    let target_span = start..cursor.last_end();
    let target_columns = names(index_parts(cursor)?)?;
    let mut actions = Vec::new();
    while let Some(token) = cursor.next() {
        if token.kind != Kind::Word {
            return None;
        }
        actions.push(token.text(cursor.text));
    }
    Some(ForeignKeyClause { name, columns, target_database, target_table, target_span, target_columns, actions: actions.join(" ") })
}

pub(super) fn period(mut cursor: Cursor<'_>) -> Result<String, DefinitionError> {
    let start = cursor.peek().map_or(0, |t| t.start);
    let known = cursor.eat_words(&["PERIOD", "FOR"]) && cursor.name().is_some() && index_parts(&mut cursor).is_some();
    if known && cursor.peek().is_none() { Ok(cursor.text[start..cursor.last_end()].to_owned()) } else { Err(cursor.unknown("the period")) }
}
