//! The text of `SHOW CREATE TABLE`, taken apart into its clauses.
//!
//! Read as the servers print it, not as people write it: one clause a line, names between backticks. A clause that is not known here is
//! an error, never skipped, and a text whose clauses do not join to the same bytes again is one too: such a table is declared
//! unsupported rather than made wrongly somewhere else. (skeema taught this: `docs/decisions/004-own-lexer.md`.)

use std::ops::Range;

use super::{
    clauses::{Cursor, column, constraint, index, period},
    lex::{self, Kind, Mode, Token},
};

/// Why a text could not be taken apart.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DefinitionError {
    /// It does not begin as `SHOW CREATE TABLE` prints.
    #[error("the definition does not begin with CREATE TABLE and a name")]
    NotATable,
    /// A clause, attribute or option is not known.
    #[error("{place}: '{text}' is not known to dtsctl")]
    Unknown {
        /// Which clause it stands in.
        place: String,
        /// The beginning of what is not known.
        text: String,
    },
    /// The clauses do not join to the original text.
    #[error("the definition cannot be put together again from its clauses")]
    NotRebuilt,
}

/// A table definition in clauses. All texts are as the server printed them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Definition {
    /// The table's name without quotes.
    pub name: String,
    /// Where the name stands.
    pub name_span: Range<usize>,
    /// Columns, indexes and constraints in order.
    pub items: Vec<Item>,
    /// Table options in order.
    pub options: Vec<TableOption>,
    /// `PARTITION BY ...` without the executable comment around it.
    pub partition: Option<String>,
    /// The whole partition clause with what is around it.
    pub partition_span: Option<Range<usize>>,
}

/// One line between the parentheses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item {
    /// Where it stands, without the comma.
    pub span: Range<usize>,
    /// What it is.
    pub clause: Clause,
}

/// What a line between the parentheses is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Clause {
    /// A column.
    Column(ColumnClause),
    /// An index, the primary key included.
    Index(IndexClause),
    /// A foreign key.
    ForeignKey(ForeignKeyClause),
    /// A check constraint of the table.
    Check(CheckClause),
    /// `PERIOD FOR ...`, as printed.
    Period(String),
}

/// A column's clause.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ColumnClause {
    /// Name without quotes.
    pub name: String,
    /// Type with its parameters, `unsigned` and `zerofill`, without charset.
    pub data_type: String,
    /// `CHARACTER SET`, where printed.
    pub charset: Option<String>,
    /// `COLLATE`, where printed.
    pub collation: Option<String>,
    /// The text printed no charset, and the one that stands here was filled in: it may be the table's. MySQL prints a collation of the table
    /// that is not its charset's first beside such a column too (seen on 9.7.4).
    pub inherits_charset: bool,
    /// `GENERATED ALWAYS AS (...)`.
    pub generated: Option<Generated>,
    /// `GENERATED ALWAYS AS ROW START` (`START`) or `END`.
    pub row_period: Option<String>,
    /// `NULL` (true) or `NOT NULL` (false), where printed.
    pub null: Option<bool>,
    /// What follows `DEFAULT`.
    pub default: Option<String>,
    /// What follows `ON UPDATE`.
    pub on_update: Option<String>,
    /// `AUTO_INCREMENT`.
    pub auto_increment: bool,
    /// The literal after `COMMENT`.
    pub comment: Option<String>,
    /// The number after `SRID`.
    pub srid: Option<String>,
    /// `INVISIBLE`.
    pub invisible: bool,
    /// The expression of MariaDB's column check, without its parentheses.
    pub check: Option<String>,
    /// MariaDB's `COMPRESSED`, as printed.
    pub compressed: Option<String>,
    /// MariaDB's `WITHOUT SYSTEM VERSIONING`.
    pub without_versioning: bool,
    /// Attributes that hold no meaning for rows, `COLUMN_FORMAT FIXED` and the like, as printed.
    pub other: Vec<String>,
}

/// A generated column's expression.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Generated {
    /// Without the outer parentheses.
    pub expression: String,
    /// `STORED`; else `VIRTUAL`.
    pub stored: bool,
}

/// Kinds of indexes as `CREATE TABLE` names them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum IndexKind {
    /// `PRIMARY KEY`.
    Primary,
    /// `UNIQUE KEY`.
    Unique,
    /// `KEY`.
    Plain,
    /// `FULLTEXT KEY`.
    Fulltext,
    /// `SPATIAL KEY`.
    Spatial,
    /// `VECTOR KEY` (MariaDB 11.7).
    Vector,
}

impl IndexKind {
    /// As `CREATE TABLE` writes it.
    pub fn keyword(self) -> &'static str {
        match self {
            Self::Primary => "PRIMARY KEY",
            Self::Unique => "UNIQUE KEY",
            Self::Plain => "KEY",
            Self::Fulltext => "FULLTEXT KEY",
            Self::Spatial => "SPATIAL KEY",
            Self::Vector => "VECTOR KEY",
        }
    }
}

/// An index's clause.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IndexClause {
    /// Which kind.
    pub kind: IndexKind,
    /// Name without quotes; `PRIMARY` for the primary key.
    pub name: String,
    /// Its parts.
    pub parts: Vec<IndexPart>,
    /// Its options.
    pub options: Vec<IndexOption>,
}

/// One part of an index.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IndexPart {
    /// The column's name; `None` for an expression.
    pub column: Option<String>,
    /// The expression of a functional part, without its parentheses.
    pub expression: Option<String>,
    /// Prefix length.
    pub prefix: Option<u32>,
    /// `DESC`.
    pub descending: bool,
    /// MariaDB's `WITHOUT OVERLAPS` on an application-time period.
    pub without_overlaps: bool,
}

/// One option of an index: `USING BTREE`, `COMMENT 'x'`, `INVISIBLE`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IndexOption {
    /// Upper-case keyword: `USING`, `COMMENT`, `KEY_BLOCK_SIZE`, `WITH PARSER`, `INVISIBLE`, `IGNORED`, or an engine's own.
    pub key: String,
    /// Its value as printed.
    pub value: Option<String>,
}

/// A foreign key's clause.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ForeignKeyClause {
    /// Constraint name.
    pub name: Option<String>,
    /// Columns of this table.
    pub columns: Vec<String>,
    /// The referenced database where the text names it.
    pub target_database: Option<String>,
    /// The referenced table.
    pub target_table: String,
    /// Where the referenced table's name stands, with its database.
    pub target_span: Range<usize>,
    /// Columns of the referenced table.
    pub target_columns: Vec<String>,
    /// `ON DELETE ...`, `ON UPDATE ...` as printed.
    pub actions: String,
}

/// A check constraint's clause.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckClause {
    /// Constraint name.
    pub name: Option<String>,
    /// Without the outer parentheses.
    pub expression: String,
    /// `NOT ENFORCED`.
    pub not_enforced: bool,
}

/// A table option.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableOption {
    /// Upper case, words joined by one space: `ENGINE`, `DEFAULT CHARSET`, `WITH SYSTEM VERSIONING`.
    pub key: String,
    /// As printed.
    pub value: Option<String>,
    /// Where it stands, its executable comment included.
    pub span: Range<usize>,
}

impl Definition {
    /// Takes a text apart and proves that it can be put together again.
    ///
    /// # Errors
    /// [`DefinitionError`] names the place that is not understood.
    pub fn parse(text: &str) -> Result<Self, DefinitionError> {
        let tokens = lex::significant(text, Mode::default());
        let mut cursor = Cursor::new(text, &tokens);
        if !(cursor.eat_word("CREATE") && cursor.eat_word("TABLE")) {
            return Err(DefinitionError::NotATable);
        }
        let name_token = cursor.next().filter(|t| t.kind == Kind::Quoted).ok_or(DefinitionError::NotATable)?;
        let open = cursor.next().filter(|t| t.is_symbol(text, "(")).ok_or(DefinitionError::NotATable)?;
        let close = matching(text, &tokens, cursor.position() - 1).ok_or(DefinitionError::NotATable)?;
        let mut items = Vec::new();
        for range in split(text, &tokens[cursor.position()..close]) {
            let part = &tokens[cursor.position()..close][range.clone()];
            let after = cursor.position() + range.end;
            // Up to the comma or the line end before the closing parenthesis: MySQL prints a blank before some commas.
            let end = if tokens[after].is_symbol(text, ",") {
                tokens[after].start
            } else {
                text[..tokens[close].start].trim_end_matches('\n').len()
            };
            if let Some(first) = part.first() {
                items.push(Item { span: first.start..end, clause: clause(text, part)? });
            }
        }
        let (options, partition, partition_span) = options(text, &tokens[close + 1..])?;
        let definition =
            Self { name: lex::name_of(name_token.text(text)), name_span: name_token.span(), items, options, partition, partition_span };
        if open.start < name_token.end || definition.rebuild(text) != text {
            return Err(DefinitionError::NotRebuilt);
        }
        Ok(definition)
    }

    /// Joins the clauses as the servers do.
    fn rebuild(&self, text: &str) -> String {
        let mut out = format!("CREATE TABLE {} (", &text[self.name_span.clone()]);
        for (i, item) in self.items.iter().enumerate() {
            out.push_str(if i == 0 { "\n  " } else { ",\n  " });
            out.push_str(&text[item.span.clone()]);
        }
        out.push_str("\n)");
        for option in &self.options {
            out.push(' ');
            out.push_str(&text[option.span.clone()]);
        }
        if let Some(span) = &self.partition_span {
            // MySQL begins the comment on a new line, MariaDB the clause on a new line behind a blank.
            out.push_str(if text[span.clone()].starts_with("/*") { "\n" } else { "\n " });
            out.push_str(&text[span.clone()]);
        }
        out
    }

    /// The columns.
    pub fn columns(&self) -> impl Iterator<Item = &ColumnClause> {
        self.items.iter().filter_map(|i| if let Clause::Column(c) = &i.clause { Some(c) } else { None })
    }

    /// The indexes.
    pub fn indexes(&self) -> impl Iterator<Item = &IndexClause> {
        self.items.iter().filter_map(|i| if let Clause::Index(c) = &i.clause { Some(c) } else { None })
    }

    /// The foreign keys.
    pub fn foreign_keys(&self) -> impl Iterator<Item = &ForeignKeyClause> {
        self.items.iter().filter_map(|i| if let Clause::ForeignKey(c) = &i.clause { Some(c) } else { None })
    }

    /// An option's value.
    pub fn option(&self, key: &str) -> Option<&str> {
        self.options.iter().find(|o| o.key == key)?.value.as_deref()
    }
}

/// Index of the parenthesis that closes the one at `open`.
fn matching(text: &str, tokens: &[Token], open: usize) -> Option<usize> {
    let mut depth = 0_usize;
    for (i, token) in tokens.iter().enumerate().skip(open) {
        if token.is_symbol(text, "(") {
            depth += 1;
        } else if token.is_symbol(text, ")") {
            depth = depth.checked_sub(1)?;
            if depth == 0 {
                return Some(i);
            }
        }
    }
    None
}

/// Ranges of tokens between commas outside of parentheses.
fn split(text: &str, tokens: &[Token]) -> Vec<Range<usize>> {
    let mut ranges = Vec::new();
    let (mut depth, mut start) = (0_usize, 0);
    for (i, token) in tokens.iter().enumerate() {
        if token.is_symbol(text, "(") {
            depth += 1;
        } else if token.is_symbol(text, ")") {
            depth = depth.saturating_sub(1);
        } else if depth == 0 && token.is_symbol(text, ",") {
            ranges.push(start..i);
            start = i + 1;
        }
    }
    ranges.push(start..tokens.len());
    ranges
}

fn clause(text: &str, tokens: &[Token]) -> Result<Clause, DefinitionError> {
    let first = tokens[0];
    let word = if first.kind == Kind::Word { first.text(text).to_ascii_uppercase() } else { String::new() };
    let cursor = Cursor::new(text, tokens);
    match word.as_str() {
        _ if first.kind == Kind::Quoted => column(cursor).map(Clause::Column),
        "PRIMARY" | "UNIQUE" | "KEY" | "FULLTEXT" | "SPATIAL" | "VECTOR" => index(cursor).map(Clause::Index),
        "CONSTRAINT" | "FOREIGN" | "CHECK" => constraint(cursor),
        "PERIOD" => period(cursor).map(Clause::Period),
        _ => Err(cursor.unknown("the table's clauses")),
    }
}

type Tail = (Vec<TableOption>, Option<String>, Option<Range<usize>>);

fn options(text: &str, tokens: &[Token]) -> Result<Tail, DefinitionError> {
    let mut found = Vec::new();
    let mut cursor = Cursor::new(text, tokens);
    while let Some(token) = cursor.peek() {
        let start = token.start;
        let in_comment = token.kind == Kind::ExecOpen;
        if in_comment {
            cursor.next();
        }
        if cursor.peek_word("PARTITION") {
            let (Some(begin), Some(last)) = (cursor.peek(), tokens.last()) else { break };
            let end = if in_comment { tokens.get(tokens.len().saturating_sub(2)).map_or(last.end, |t| t.end) } else { last.end };
            if in_comment && last.kind != Kind::ExecClose {
                return Err(cursor.unknown("the partition clause"));
            }
            return Ok((found, Some(text[begin.start..end].to_owned()), Some(start..last.end)));
        }
        let (key, value) = option(&mut cursor)?;
        if in_comment && cursor.next().is_none_or(|t| t.kind != Kind::ExecClose) {
            return Err(cursor.unknown("a table option"));
        }
        found.push(TableOption { key, value, span: start..cursor.last_end() });
    }
    Ok((found, None, None))
}

/// `KEY=value`, `DEFAULT CHARSET=x`, `UNION=(...)`, `` `engine_option`='x' ``, `TABLESPACE name`, `WITH SYSTEM VERSIONING`.
fn option(cursor: &mut Cursor<'_>) -> Result<(String, Option<String>), DefinitionError> {
    const PLACE: &str = "a table option";
    if cursor.eat_word("WITH") {
        return if cursor.eat_word("SYSTEM") && cursor.eat_word("VERSIONING") {
            Ok(("WITH SYSTEM VERSIONING".to_owned(), None))
        } else {
            Err(cursor.unknown(PLACE))
        };
    }
    if cursor.eat_word("TABLESPACE") {
        let value = cursor.value().ok_or_else(|| cursor.unknown(PLACE))?;
        return Ok(("TABLESPACE".to_owned(), Some(value)));
    }
    let mut key = Vec::new();
    while let Some(token) = cursor.peek().filter(|t| matches!(t.kind, Kind::Word | Kind::Quoted)) {
        key.push(lex::name_of(token.text(cursor.text)).to_ascii_uppercase());
        cursor.next();
    }
    if key.is_empty() || key.len() > 2 || !cursor.eat_symbol("=") {
        return Err(cursor.unknown(PLACE));
    }
    let value = cursor.value().ok_or_else(|| cursor.unknown(PLACE))?;
    Ok((key.join(" "), Some(value)))
}

#[cfg(test)]
mod tests;
