//! Statements of a binlog: which class they are of, and where in them names of tables and databases stand.
//!
//! No statement is parsed whole and none is printed anew: the reading is at the level of tokens, finds what must be known to carry the
//! statement (its class, its names, what moves rows), and leaves every byte that is not a name as it was written. What is of no known
//! class is [`ClassifyError`], which stops the task: a guess would lose rows.

mod comments;
mod rewrite;
mod table;
mod unlisted;
mod view;
mod walk;

use std::ops::Range;

pub use comments::{Server, flatten};
pub use rewrite::{Edit, apply};

use self::walk::Walk;
use super::lex::{Kind, Mode};

/// What a statement does, as far as the task must know. The carried ones are those of requirements group E.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Class {
    /// `CREATE TABLE` in all its forms.
    CreateTable,
    /// `ALTER TABLE`.
    AlterTable,
    /// `DROP TABLE`.
    DropTable,
    /// `RENAME TABLE`.
    RenameTable,
    /// `TRUNCATE TABLE`.
    TruncateTable,
    /// `CREATE INDEX`.
    CreateIndex,
    /// `DROP INDEX`.
    DropIndex,
    /// `CREATE VIEW`.
    CreateView,
    /// `ALTER VIEW`.
    AlterView,
    /// `CREATE FUNCTION` that is no loadable one.
    CreateFunction,
    /// `CREATE PROCEDURE`.
    CreateProcedure,
    /// Known, and not carried (requirements C10). The words name it: `drop view`.
    Unlisted(&'static str),
    /// Writes rows, or may: in STATEMENT format it cannot be carried.
    Writes(&'static str),
    /// `IMPORT TABLE` and the like: rows that no row event tells of.
    MovesRows(&'static str),
    /// `SAVEPOINT`, `RELEASE SAVEPOINT`, and what says nothing at all.
    Nothing,
    /// `ROLLBACK TO SAVEPOINT`: what came before it in the transaction is undone.
    RollbackTo,
}

impl Class {
    /// In words, for people and for the ledger: `ALTER TABLE`.
    pub fn words(self) -> &'static str {
        match self {
            Self::CreateTable => "CREATE TABLE",
            Self::AlterTable => "ALTER TABLE",
            Self::DropTable => "DROP TABLE",
            Self::RenameTable => "RENAME TABLE",
            Self::TruncateTable => "TRUNCATE TABLE",
            Self::CreateIndex => "CREATE INDEX",
            Self::DropIndex => "DROP INDEX",
            Self::CreateView => "CREATE VIEW",
            Self::AlterView => "ALTER VIEW",
            Self::CreateFunction => "CREATE FUNCTION",
            Self::CreateProcedure => "CREATE PROCEDURE",
            Self::Unlisted(words) | Self::Writes(words) | Self::MovesRows(words) => words,
            Self::Nothing => "nothing",
            Self::RollbackTo => "ROLLBACK TO SAVEPOINT",
        }
    }
}

/// What a name stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum NameKind {
    /// The table that the statement is about, or one of them.
    Target,
    /// A table's new name: what the target before it becomes.
    Becomes,
    /// The table whose definition is taken over.
    Like,
    /// The parent of a foreign key.
    Parent,
    /// The other table of `EXCHANGE PARTITION` or `CONVERT TABLE`.
    Exchanged,
    /// A table that another is made of: `UNION=(...)`.
    Member,
    /// A sequence in a default.
    Sequence,
    /// A view that is made or altered.
    View,
    /// A table or view that a view selects from; `alias_at` is where an alias can be put when it has none.
    Source {
        /// End of the reference, where it has no alias.
        alias_at: Option<usize>,
    },
    /// The database part of `database.table.column`.
    Qualifier,
    /// A routine that is made, or called with its database.
    Routine,
    /// A database.
    Database,
    /// Any other object: trigger, event, sequence.
    Other,
}

/// A name and where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Name {
    /// What it stands for.
    pub kind: NameKind,
    /// Its database, where it is written.
    pub database: Option<String>,
    /// Its name; for [`NameKind::Database`] the database's, for [`NameKind::Qualifier`] the table's.
    pub name: String,
    /// All of it, the database's part and the dot included; for [`NameKind::Qualifier`] the database's part alone.
    pub span: Range<usize>,
    /// The clause that can be left out together with the name (a foreign key), and with it a comma before or behind it.
    pub clause: Option<Range<usize>>,
}

/// What in a statement moves rows without row events, or fills rows in a way that two servers do not do alike.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Trouble {
    /// `EXCHANGE PARTITION`: right where both tables are carried.
    Exchange,
    /// `CONVERT PARTITION ... TO TABLE`, `CONVERT TABLE ... TO PARTITION`: right where both tables are carried.
    Convert,
    /// `DISCARD` or `IMPORT TABLESPACE`.
    Tablespace,
    /// A column with AUTO_INCREMENT is added: rows are numbered in the order in which they lie.
    Numbers,
    /// A column that was there gets AUTO_INCREMENT: so are rows that have NULL or 0 in it.
    Renumbers,
    /// A column is added with a default that every server computes for itself: `UUID()`, `RAND()`.
    Random,
    /// `CREATE TABLE ... SELECT` with its query: STATEMENT format.
    Query,
    /// System versioning is added or dropped.
    Versioning,
    /// `ALTER IGNORE TABLE`: which of several equal rows stays hangs on the order in which they lie.
    Ignore,
}

/// Something that is not a name and may have to change: an option with its value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Piece {
    /// What it is.
    pub kind: PieceKind,
    /// The value as it is meant, quotes off.
    pub value: String,
    /// The value.
    pub span: Range<usize>,
    /// Option, value and what stands between.
    pub clause: Range<usize>,
}

/// What a [`Piece`] is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum PieceKind {
    /// `ENGINE = x`.
    Engine,
    /// `COLLATE [=] x`.
    Collation,
    /// `CHARACTER SET [=] x`, `CHARSET [=] x`, with no `COLLATE` beside it.
    Charset,
    /// `DATA DIRECTORY`, `INDEX DIRECTORY`, `TABLESPACE`: a place on one machine.
    LocalOption,
    /// The same as one of several options of a partition or of one action: no item of a list, so that the comma behind it stays.
    LocalPart,
    /// `ROW_FORMAT = FIXED` or `PAGE`: of an engine that the destination's tables do not have.
    RowFormat,
    /// The same as one of several options of one action.
    RowFormatPart,
    /// `START TRANSACTION` at the end of a `CREATE TABLE`; a value it has none.
    StartTransaction,
    /// `WAIT n`, `NOWAIT`: how long the source's client would wait.
    Wait,
    /// `ALGORITHM = x`, `LOCK = x`, `ONLINE`: how the source did it; an item of a list.
    How,
    /// `SET STATEMENT ... FOR`, before a statement of MariaDB.
    SetStatement,
}

/// A statement taken apart. All places are bytes of the text that was given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Classified {
    /// What it does.
    pub class: Class,
    /// `TEMPORARY`: of one session, and carried nowhere.
    pub temporary: bool,
    /// `OR REPLACE`.
    pub or_replace: bool,
    /// `IF EXISTS` or `IF NOT EXISTS`.
    pub if_exists: bool,
    /// Its names, by place.
    pub names: Vec<Name>,
    /// What moves rows.
    pub troubles: Vec<Trouble>,
    /// Options that may have to change, by place.
    pub pieces: Vec<Piece>,
    /// In `CREATE TABLE`: where a table option can be put, and whether the table names no charset and no collation of its own.
    pub options_at: Option<usize>,
    /// The table names its charset or collation.
    pub names_charset: bool,
    /// Columns that an `ALTER TABLE` drops, renames or defines anew.
    pub redefined: Vec<String>,
    /// `CONVERT TO CHARACTER SET`: every column of text gets another definition.
    pub converts: bool,
}

impl Classified {
    fn of(class: Class) -> Self {
        Self {
            class,
            temporary: false,
            or_replace: false,
            if_exists: false,
            names: Vec::new(),
            troubles: Vec::new(),
            pieces: Vec::new(),
            options_at: None,
            names_charset: false,
            redefined: Vec::new(),
            converts: false,
        }
    }

    /// The names of a kind.
    pub fn of_kind(&self, kind: NameKind) -> impl Iterator<Item = &Name> {
        self.names.iter().filter(move |n| n.kind == kind)
    }

    /// It moves or fills rows in this way.
    pub fn has(&self, trouble: Trouble) -> bool {
        self.troubles.contains(&trouble)
    }

    /// Of a class of requirements group E.
    pub fn is_carried(&self) -> bool {
        !matches!(self.class, Class::Unlisted(_) | Class::Writes(_) | Class::MovesRows(_) | Class::Nothing | Class::RollbackTo)
    }
}

/// The text is of no class that is known.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the statement beginning with '{words}' is not understood ({what})")]
pub struct ClassifyError {
    /// Its first words, keywords only.
    pub words: String,
    /// What was expected.
    pub what: &'static str,
}

/// Reads a statement whose executable comments are [`flatten`]ed. `mode` is of the session that ran it.
///
/// # Errors
/// [`ClassifyError`].
pub fn classify(text: &str, mode: Mode) -> Result<Classified, ClassifyError> {
    let mut walk = Walk::new(text, mode);
    let mut prefix = None;
    // SET STATEMENT max_statement_time=10 FOR ALTER TABLE ... (MariaDB)
    if walk.at_words(&["SET", "STATEMENT"]) {
        let start = walk.start();
        while !walk.at_end() && !walk.eat_word("FOR") {
            walk.skip_group();
        }
        prefix =
            Some(Piece { kind: PieceKind::SetStatement, value: String::new(), span: start..walk.start(), clause: start..walk.start() });
    }
    let words = walk.first_words();
    let mut classified = match statement(&mut walk) {
        Ok(classified) => classified,
        Err(what) => return Err(ClassifyError { words, what }),
    };
    classified.pieces.extend(prefix);
    classified.names.sort_by_key(|n| n.span.start);
    classified.pieces.sort_by_key(|p| p.span.start);
    Ok(classified)
}

/// What was expected and is not there.
type Expected = &'static str;

fn statement(walk: &mut Walk<'_>) -> Result<Classified, Expected> {
    let Some(first) = walk.peek() else { return Ok(Classified::of(Class::Nothing)) };
    if first.kind == Kind::Symbol && walk.is_symbol("(") {
        return Ok(Classified::of(Class::Writes("SELECT")));
    }
    if first.kind != Kind::Word {
        return Err("a keyword");
    }
    match walk.word().to_ascii_uppercase().as_str() {
        "CREATE" => create(walk),
        "ALTER" => alter(walk),
        "DROP" => drop(walk),
        "RENAME" if walk.at_words(&["RENAME", "TABLE"]) || walk.at_words(&["RENAME", "TABLES"]) => table::rename(walk),
        "TRUNCATE" => table::truncate(walk),
        _ => unlisted::other(walk),
    }
}

fn create(walk: &mut Walk<'_>) -> Result<Classified, Expected> {
    let start = walk.mark();
    walk.eat_word("CREATE");
    let or_replace = walk.eat_words(&["OR", "REPLACE"]);
    let temporary = walk.eat_word("TEMPORARY");
    if walk.eat_word("TABLE") {
        let mut classified = table::create(walk)?;
        (classified.or_replace, classified.temporary) = (or_replace, temporary);
        return Ok(classified);
    }
    let kind_at = walk.mark();
    while ["UNIQUE", "FULLTEXT", "SPATIAL", "VECTOR", "ONLINE", "OFFLINE"].iter().any(|w| walk.eat_word(w)) {}
    if walk.eat_word("INDEX") {
        let mut classified = table::index(walk, Class::CreateIndex)?;
        classified.or_replace = or_replace;
        return Ok(classified);
    }
    walk.back_to(kind_at);
    head_of_stored(walk);
    let aggregate = walk.eat_word("AGGREGATE");
    let class = if walk.eat_word("VIEW") {
        let mut classified = view::view(walk, Class::CreateView)?;
        classified.or_replace = or_replace;
        return Ok(classified);
    } else if walk.eat_word("FUNCTION") {
        Class::CreateFunction
    } else if walk.eat_word("PROCEDURE") && !aggregate {
        Class::CreateProcedure
    } else {
        walk.back_to(start);
        return unlisted::create(walk);
    };
    let if_exists = walk.eat_words(&["IF", "NOT", "EXISTS"]);
    let name = walk.name(NameKind::Routine).ok_or("the routine's name")?;
    // CREATE FUNCTION f RETURNS STRING SONAME 'x.so' loads a library.
    let loadable = class == Class::CreateFunction && walk.is_word("RETURNS");
    let class = if loadable { Class::Unlisted("CREATE FUNCTION SONAME") } else { class };
    Ok(Classified { or_replace, if_exists, names: vec![name], ..Classified::of(class) })
}

/// `ALGORITHM = x DEFINER = y SQL SECURITY z`, in any order.
fn head_of_stored(walk: &mut Walk<'_>) {
    loop {
        if walk.at_word_symbol("ALGORITHM", "=") {
            walk.skip(3);
        } else if walk.at_word_symbol("DEFINER", "=") {
            walk.skip(2);
            // 'u'@'h', u@h, CURRENT_USER, CURRENT_USER(), role
            walk.skip(1);
            if walk.peek().is_some_and(|t| t.kind == Kind::Variable) {
                walk.skip(1);
            } else if walk.is_symbol("(") {
                walk.skip_group();
            }
        } else if walk.at_words(&["SQL", "SECURITY"]) {
            walk.skip(3);
        } else {
            return;
        }
    }
}

fn alter(walk: &mut Walk<'_>) -> Result<Classified, Expected> {
    let start = walk.mark();
    walk.eat_word("ALTER");
    let here = walk.mark();
    let mut how = Vec::new();
    let mut ignore = false;
    while walk.is_any(&["ONLINE", "OFFLINE", "IGNORE"]) {
        ignore |= walk.is_word("IGNORE");
        if let Some(token) = walk.next().filter(|t| !t.is_word(walk.text, "IGNORE")) {
            how.push(Piece { kind: PieceKind::How, value: String::new(), span: token.span(), clause: token.span() });
        }
    }
    if walk.eat_word("TABLE") {
        let mut classified = table::alter(walk)?;
        classified.pieces.extend(how);
        classified.troubles.extend(ignore.then_some(Trouble::Ignore));
        return Ok(classified);
    }
    walk.back_to(here);
    head_of_stored(walk);
    if walk.eat_word("VIEW") {
        return view::view(walk, Class::AlterView);
    }
    walk.back_to(start);
    unlisted::alter(walk)
}

fn drop(walk: &mut Walk<'_>) -> Result<Classified, Expected> {
    let start = walk.mark();
    walk.eat_word("DROP");
    let temporary = walk.eat_word("TEMPORARY");
    if walk.eat_word("TABLE") || walk.eat_word("TABLES") {
        let mut classified = table::drop(walk)?;
        classified.temporary = temporary;
        return Ok(classified);
    }
    while walk.eat_word("ONLINE") || walk.eat_word("OFFLINE") {}
    if walk.eat_word("INDEX") {
        return table::index(walk, Class::DropIndex);
    }
    walk.back_to(start);
    unlisted::drop(walk)
}
