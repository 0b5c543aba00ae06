//! Statements that are known and not carried, and those that write rows.

use super::{Class, Classified, Expected, NameKind, walk::Walk};

/// What stands behind the words that tell a class.
#[derive(Clone, Copy)]
enum Subject {
    /// Nothing of a database's: accounts, the server.
    Server,
    /// `[IF [NOT] EXISTS] database`.
    Database,
    /// `[IF [NOT] EXISTS] name, name`.
    Object,
    /// `name ... ON table`, as triggers have it.
    OnTable,
}

/// Words, what they are called, what they are about. The first that fits counts.
type Row = (&'static [&'static str], &'static str, Subject);

use Subject::{Database, Object, OnTable, Server};

const CREATE: &[Row] = &[
    (&["DATABASE"], "CREATE DATABASE", Database),
    (&["SCHEMA"], "CREATE DATABASE", Database),
    (&["TRIGGER"], "CREATE TRIGGER", OnTable),
    (&["EVENT"], "CREATE EVENT", Object),
    (&["FUNCTION"], "CREATE FUNCTION SONAME", Server),
    (&["SEQUENCE"], "CREATE SEQUENCE", Object),
    (&["PACKAGE", "BODY"], "CREATE PACKAGE BODY", Object),
    (&["PACKAGE"], "CREATE PACKAGE", Object),
    (&["LIBRARY"], "CREATE LIBRARY", Object),
    (&["JSON", "RELATIONAL", "DUALITY", "VIEW"], "CREATE JSON DUALITY VIEW", Object),
    (&["JSON", "DUALITY", "VIEW"], "CREATE JSON DUALITY VIEW", Object),
    (&["MATERIALIZED", "VIEW"], "CREATE MATERIALIZED VIEW", Object),
    (&["USER"], "CREATE USER", Server),
    (&["ROLE"], "CREATE ROLE", Server),
    (&["SERVER"], "CREATE SERVER", Server),
    (&["TABLESPACE"], "CREATE TABLESPACE", Server),
    (&["UNDO"], "CREATE UNDO TABLESPACE", Server),
    (&["LOGFILE"], "CREATE LOGFILE GROUP", Server),
    (&["SPATIAL", "REFERENCE"], "CREATE SPATIAL REFERENCE SYSTEM", Server),
    (&["RESOURCE", "GROUP"], "CREATE RESOURCE GROUP", Server),
];

const ALTER: &[Row] = &[
    (&["DATABASE"], "ALTER DATABASE", Database),
    (&["SCHEMA"], "ALTER DATABASE", Database),
    (&["FUNCTION"], "ALTER FUNCTION", Object),
    (&["PROCEDURE"], "ALTER PROCEDURE", Object),
    (&["EVENT"], "ALTER EVENT", Object),
    (&["SEQUENCE"], "ALTER SEQUENCE", Object),
    (&["LIBRARY"], "ALTER LIBRARY", Object),
    (&["JSON", "DUALITY", "VIEW"], "ALTER JSON DUALITY VIEW", Object),
    (&["JSON", "RELATIONAL", "DUALITY", "VIEW"], "ALTER JSON DUALITY VIEW", Object),
    (&["USER"], "ALTER USER", Server),
    (&["ROLE"], "ALTER ROLE", Server),
    (&["SERVER"], "ALTER SERVER", Server),
    (&["TABLESPACE"], "ALTER TABLESPACE", Server),
    (&["UNDO"], "ALTER UNDO TABLESPACE", Server),
    (&["LOGFILE"], "ALTER LOGFILE GROUP", Server),
    (&["INSTANCE"], "ALTER INSTANCE", Server),
    (&["RESOURCE", "GROUP"], "ALTER RESOURCE GROUP", Server),
];

const DROP: &[Row] = &[
    (&["DATABASE"], "DROP DATABASE", Database),
    (&["SCHEMA"], "DROP DATABASE", Database),
    (&["VIEW"], "DROP VIEW", Object),
    (&["FUNCTION"], "DROP FUNCTION", Object),
    (&["PROCEDURE"], "DROP PROCEDURE", Object),
    (&["TRIGGER"], "DROP TRIGGER", Object),
    (&["EVENT"], "DROP EVENT", Object),
    (&["SEQUENCE"], "DROP SEQUENCE", Object),
    (&["PACKAGE", "BODY"], "DROP PACKAGE BODY", Object),
    (&["PACKAGE"], "DROP PACKAGE", Object),
    (&["LIBRARY"], "DROP LIBRARY", Object),
    (&["USER"], "DROP USER", Server),
    (&["ROLE"], "DROP ROLE", Server),
    (&["SERVER"], "DROP SERVER", Server),
    (&["TABLESPACE"], "DROP TABLESPACE", Server),
    (&["UNDO"], "DROP UNDO TABLESPACE", Server),
    (&["LOGFILE"], "DROP LOGFILE GROUP", Server),
    (&["SPATIAL", "REFERENCE"], "DROP SPATIAL REFERENCE SYSTEM", Server),
    (&["RESOURCE", "GROUP"], "DROP RESOURCE GROUP", Server),
    (&["PREPARE"], "DROP PREPARE", Server),
];

const OTHER: &[Row] = &[
    (&["GRANT"], "GRANT", Server),
    (&["REVOKE"], "REVOKE", Server),
    (&["RENAME", "USER"], "RENAME USER", Server),
    (&["SET", "PASSWORD"], "SET PASSWORD", Server),
    (&["SET", "DEFAULT", "ROLE"], "SET DEFAULT ROLE", Server),
    (&["SET", "ROLE"], "SET ROLE", Server),
    (&["FLUSH"], "FLUSH", Server),
    (&["RESET"], "RESET", Server),
    (&["PURGE"], "PURGE", Server),
    (&["INSTALL"], "INSTALL", Server),
    (&["UNINSTALL"], "UNINSTALL", Server),
    (&["KILL"], "KILL", Server),
    (&["SHUTDOWN"], "SHUTDOWN", Server),
    (&["BACKUP"], "BACKUP", Server),
    (&["CACHE", "INDEX"], "CACHE INDEX", Server),
    (&["LOAD", "INDEX"], "LOAD INDEX INTO CACHE", Server),
    (&["LOCK"], "LOCK", Server),
    (&["UNLOCK"], "UNLOCK", Server),
    (&["ANALYZE", "LOCAL", "TABLE"], "ANALYZE TABLE", Object),
    (&["ANALYZE", "NO_WRITE_TO_BINLOG", "TABLE"], "ANALYZE TABLE", Object),
    (&["ANALYZE", "TABLE"], "ANALYZE TABLE", Object),
    (&["ANALYZE", "TABLES"], "ANALYZE TABLE", Object),
    (&["OPTIMIZE", "TABLE"], "OPTIMIZE TABLE", Object),
    (&["OPTIMIZE", "TABLES"], "OPTIMIZE TABLE", Object),
    (&["REPAIR", "TABLE"], "REPAIR TABLE", Object),
    (&["REPAIR", "TABLES"], "REPAIR TABLE", Object),
    (&["REPAIR", "VIEW"], "REPAIR VIEW", Object),
    (&["CHECK", "TABLE"], "CHECK TABLE", Object),
    (&["CHECK", "VIEW"], "CHECK VIEW", Object),
    (&["CHECKSUM"], "CHECKSUM TABLE", Server),
];

const WRITES: &[(&str, &str)] = &[
    ("INSERT", "INSERT"),
    ("REPLACE", "REPLACE"),
    ("UPDATE", "UPDATE"),
    ("DELETE", "DELETE"),
    ("LOAD", "LOAD DATA"),
    ("CALL", "CALL"),
    ("DO", "DO"),
    ("SELECT", "SELECT"),
    ("WITH", "WITH"),
    ("VALUES", "VALUES"),
    ("TABLE", "TABLE"),
    ("EXECUTE", "EXECUTE"),
    ("BEGIN", "BEGIN"),
    ("FOR", "FOR"),
    ("IF", "IF"),
    ("LOOP", "LOOP"),
    ("WHILE", "WHILE"),
    ("REPEAT", "REPEAT"),
    ("CASE", "CASE"),
];

/// At `CREATE` of what is no table, index, view or routine.
pub(super) fn create(walk: &mut Walk<'_>) -> Result<Classified, Expected> {
    walk.eat_word("CREATE");
    let or_replace = walk.eat_words(&["OR", "REPLACE"]);
    super::head_of_stored(walk);
    walk.eat_word("TEMPORARY");
    walk.eat_word("AGGREGATE");
    let mut classified = of(walk, CREATE)?;
    classified.or_replace = or_replace;
    Ok(classified)
}

/// At `ALTER` of what is neither table nor view.
pub(super) fn alter(walk: &mut Walk<'_>) -> Result<Classified, Expected> {
    walk.eat_word("ALTER");
    super::head_of_stored(walk);
    of(walk, ALTER)
}

/// At `DROP` of what is neither table nor index.
pub(super) fn drop(walk: &mut Walk<'_>) -> Result<Classified, Expected> {
    walk.eat_word("DROP");
    // Of a sequence: MariaDB writes one for every session that ends and had made such.
    let temporary = walk.eat_word("TEMPORARY");
    Ok(Classified { temporary, ..of(walk, DROP)? })
}

/// At any other first word.
pub(super) fn other(walk: &mut Walk<'_>) -> Result<Classified, Expected> {
    if walk.eat_word("SAVEPOINT") || walk.at_words(&["RELEASE", "SAVEPOINT"]) {
        return Ok(Classified::of(Class::Nothing));
    }
    if walk.eat_words(&["ROLLBACK", "TO"]) || walk.eat_words(&["ROLLBACK", "WORK", "TO"]) {
        return Ok(Classified::of(Class::RollbackTo));
    }
    if walk.eat_words(&["IMPORT", "TABLE"]) {
        return Ok(Classified::of(Class::MovesRows("IMPORT TABLE")));
    }
    let is_data = walk.at_words(&["LOAD", "DATA"]) || walk.at_words(&["LOAD", "XML"]);
    if !is_data && let Ok(classified) = of(walk, OTHER) {
        return Ok(classified);
    }
    match WRITES.iter().find(|(word, _)| walk.is_word(word)) {
        Some((_, words)) => Ok(Classified::of(Class::Writes(words))),
        None => Err("a statement that is known"),
    }
}

fn of(walk: &mut Walk<'_>, rows: &'static [Row]) -> Result<Classified, Expected> {
    let Some((words, name, subject)) = rows.iter().find(|(words, ..)| walk.at_words(words)) else {
        return Err("a statement that is known");
    };
    walk.skip(words.len());
    let mut classified = Classified::of(Class::Unlisted(name));
    if matches!(subject, Server) {
        return Ok(classified);
    }
    classified.if_exists = walk.eat_words(&["IF", "NOT", "EXISTS"]) || walk.eat_words(&["IF", "EXISTS"]);
    match subject {
        Server => {}
        // ALTER DATABASE may leave its name out.
        Database if walk.is_any(&["DEFAULT", "CHARACTER", "CHARSET", "COLLATE", "ENCRYPTION", "READ", "COMMENT"]) => {}
        Database => {
            let (database, token) = walk.identifier().ok_or("the database's name")?;
            classified.names.push(super::Name {
                kind: NameKind::Database,
                database: None,
                name: database,
                span: token.span(),
                clause: None,
            });
        }
        Object => classified.names = walk.names(NameKind::Other).ok_or("the object's name")?,
        OnTable => {
            walk.name(NameKind::Other).ok_or("the trigger's name")?;
            while !walk.at_end() && !walk.eat_word("ON") {
                walk.skip(1);
            }
            classified.names.push(walk.name(NameKind::Target).ok_or("the trigger's table")?);
        }
    }
    Ok(classified)
}
