//! Statements about tables and their indexes.

use std::ops::Range;

use super::{Class, Classified, Expected, Name, NameKind, Piece, PieceKind, Trouble, walk::Walk};
use crate::ddl::lex::{self, Kind, Token};

/// Behind `CREATE [OR REPLACE] [TEMPORARY] TABLE`.
pub(super) fn create(walk: &mut Walk<'_>) -> Result<Classified, Expected> {
    let mut out = Classified::of(Class::CreateTable);
    out.if_exists = walk.eat_words(&["IF", "NOT", "EXISTS"]);
    out.names.push(walk.name(NameKind::Target).ok_or("the table's name")?);
    if walk.eat_word("LIKE") {
        out.names.push(walk.name(NameKind::Like).ok_or("the name of the table to take after")?);
        return Ok(out);
    }
    if walk.is_symbol("(") && walk.ahead(1).is_some_and(|t| t.is_word(walk.text, "LIKE")) {
        walk.skip(2);
        out.names.push(walk.name(NameKind::Like).ok_or("the name of the table to take after")?);
        return Ok(out);
    }
    let query =
        |walk: &Walk<'_>, at: usize| walk.ahead(at).is_some_and(|t| ["SELECT", "WITH", "VALUES"].iter().any(|w| t.is_word(walk.text, w)));
    if walk.is_symbol("(") && !query(walk, 1) {
        definitions(walk, &mut out)?;
        out.options_at = Some(walk.end());
    } else {
        out.options_at = Some(walk.end());
    }
    while let Some(token) = walk.peek() {
        if walk.eat_words(&["START", "TRANSACTION"]) {
            let span = token.start..walk.end();
            out.pieces.push(Piece { kind: PieceKind::StartTransaction, value: String::new(), span: span.clone(), clause: span });
        } else if walk.is_any(&["SELECT", "VALUES"]) || walk.at_words(&["AS", "TABLE"]) || (walk.is_symbol("(") && query(walk, 1)) {
            out.troubles.push(Trouble::Query);
            return Ok(out);
        } else if walk.at_words(&["WITH", "SYSTEM", "VERSIONING"]) {
            walk.skip(3);
        } else if walk.is_word("WITH") {
            out.troubles.push(Trouble::Query);
            return Ok(out);
        } else if !option(walk, &mut out)? {
            partition_options(walk, &mut out)?;
        }
    }
    without_collated_charsets(&mut out, None);
    Ok(out)
}

/// The parenthesised columns, indexes and constraints of `CREATE TABLE`.
fn definitions(walk: &mut Walk<'_>, out: &mut Classified) -> Result<(), Expected> {
    walk.eat_symbol("(");
    loop {
        let item = walk.start();
        let key = item_of_definition(walk, out)?;
        let span = item..walk.end();
        if key && let Some(parent) = out.names.iter_mut().rfind(|n| n.kind == NameKind::Parent) {
            parent.clause = Some(span.clone());
        }
        without_collated_charsets(out, Some(&span));
        if walk.eat_symbol(")") {
            return Ok(());
        }
        if !walk.eat_symbol(",") {
            return Err("a comma or the end of the columns");
        }
    }
}

/// Up to the comma or parenthesis that ends it; `true` for a foreign key, whose parent is the last name then.
fn item_of_definition(walk: &mut Walk<'_>, out: &mut Classified) -> Result<bool, Expected> {
    let mut foreign = false;
    // A column may be called `charset`.
    if walk.ahead(1).is_some_and(|t| t.kind == Kind::Word) && !walk.is_any(&["FOREIGN", "CONSTRAINT"]) {
        walk.skip(1);
    }
    while let Some(token) = walk.peek() {
        if walk.is_symbol(",") || walk.is_symbol(")") {
            break;
        }
        if walk.at_words(&["FOREIGN", "KEY"]) {
            foreign = true;
        }
        if walk.is_word("REFERENCES") {
            parent(walk, out, token.start)?;
        } else if let Some(sequence) = sequence(walk) {
            out.names.push(sequence);
        } else if !collation(walk, out) {
            walk.skip_group();
        }
    }
    if walk.at_end() { Err("the end of the columns") } else { Ok(foreign) }
}

/// `REFERENCES t (a) MATCH FULL ON DELETE CASCADE ON UPDATE SET NULL`.
fn parent(walk: &mut Walk<'_>, out: &mut Classified, start: usize) -> Result<(), Expected> {
    walk.eat_word("REFERENCES");
    let mut name = walk.name(NameKind::Parent).ok_or("the name of the referenced table")?;
    if walk.is_symbol("(") {
        walk.skip_group();
    }
    loop {
        if walk.eat_word("MATCH") {
            walk.skip(1);
        } else if walk.at_words(&["ON", "DELETE"])
            || (walk.at_words(&["ON", "UPDATE"]) && !walk.ahead(2).is_some_and(|t| is_now(t, walk.text)))
        {
            walk.skip(2);
            let two = walk.is_any(&["SET", "NO"]);
            walk.skip(if two { 2 } else { 1 });
        } else {
            break;
        }
    }
    name.clause = Some(start..walk.end());
    out.names.push(name);
    Ok(())
}

fn is_now(token: Token, text: &str) -> bool {
    ["CURRENT_TIMESTAMP", "NOW", "LOCALTIME", "LOCALTIMESTAMP"].iter().any(|w| token.is_word(text, w))
}

/// `nextval(s)`, `NEXT VALUE FOR s` and the like: the name of the sequence.
fn sequence(walk: &mut Walk<'_>) -> Option<Name> {
    if walk.at_words(&["NEXT", "VALUE", "FOR"]) || walk.at_words(&["PREVIOUS", "VALUE", "FOR"]) {
        walk.skip(3);
        return walk.name(NameKind::Sequence);
    }
    let call = walk.is_any(&["NEXTVAL", "LASTVAL", "SETVAL"]) && walk.ahead(1).is_some_and(|t| t.is_symbol(walk.text, "("));
    if !call {
        return None;
    }
    let mark = walk.mark();
    walk.skip(2);
    let name = walk.name(NameKind::Sequence);
    match walk.inside_group().filter(|_| name.is_some()) {
        Some(rest) => walk.skip(rest + 1),
        None => walk.back_to(mark),
    }
    name.filter(|_| walk.mark() != mark)
}

/// One `CHARACTER SET x` or `COLLATE x`, noted.
fn collation(walk: &mut Walk<'_>, out: &mut Classified) -> bool {
    let start = walk.start();
    let kind = if walk.eat_word("COLLATE") {
        PieceKind::Collation
    } else if walk.eat_words(&["CHARACTER", "SET"]) || walk.eat_words(&["CHAR", "SET"]) || walk.eat_word("CHARSET") {
        PieceKind::Charset
    } else {
        return false;
    };
    walk.eat_symbol("=");
    let Some(value) = walk.peek().filter(|t| matches!(t.kind, Kind::Word | Kind::Quoted | Kind::String)) else { return true };
    walk.skip(1);
    let text = value.text(walk.text);
    let named = if value.kind == Kind::String { lex::string_value(text) } else { lex::name_of(text) };
    out.pieces.push(Piece { kind, value: named, span: value.span(), clause: start..value.end });
    true
}

/// A charset beside a collation says nothing: forgets those of an item, or those outside of all items.
fn without_collated_charsets(out: &mut Classified, item: Option<&Range<usize>>) {
    let names_at = out.options_at;
    let here = |piece: &Piece| match item {
        Some(item) => item.start <= piece.span.start && piece.span.end <= item.end,
        None => names_at.is_some_and(|at| piece.span.start >= at),
    };
    let collated = out.pieces.iter().any(|p| p.kind == PieceKind::Collation && here(p));
    if item.is_none() {
        out.names_charset = out.pieces.iter().any(|p| matches!(p.kind, PieceKind::Collation | PieceKind::Charset) && here(p));
    }
    out.pieces.retain(|p| p.kind != PieceKind::Charset || !collated || !here(p));
}

/// One option of a table that matters here; `false` where there is none.
fn option(walk: &mut Walk<'_>, out: &mut Classified) -> Result<bool, Expected> {
    let start = walk.start();
    if collation(walk, out) {
        return Ok(true);
    }
    let words = 1 + usize::from(walk.is_any(&["DATA", "INDEX", "STORAGE"]));
    // A column may bear such a name.
    let valued =
        |t: Token| matches!(t.kind, Kind::Word | Kind::Quoted | Kind::String) || ["=", "("].iter().any(|s| t.is_symbol(walk.text, s));
    if !walk.ahead(words).is_some_and(valued) {
        return Ok(false);
    }
    let kind = if walk.eat_word("ENGINE") || walk.eat_words(&["STORAGE", "ENGINE"]) {
        PieceKind::Engine
    } else if walk.eat_words(&["DATA", "DIRECTORY"]) || walk.eat_words(&["INDEX", "DIRECTORY"]) || walk.eat_word("TABLESPACE") {
        PieceKind::LocalOption
    } else if walk.is_word("ROW_FORMAT") {
        walk.skip(1);
        walk.eat_symbol("=");
        // Formats of MyISAM and Aria, which InnoDB refuses.
        let foreign = walk.is_any(&["FIXED", "PAGE"]);
        walk.skip(1);
        if foreign {
            let span = start..walk.end();
            out.pieces.push(Piece { kind: PieceKind::RowFormat, value: String::new(), span: span.clone(), clause: span });
        }
        return Ok(true);
    } else if walk.at_words(&["UNION"]) && walk.ahead(1).is_some_and(|t| t.is_symbol(walk.text, "=") || t.is_symbol(walk.text, "(")) {
        walk.skip(1);
        walk.eat_symbol("=");
        if walk.eat_symbol("(") && !walk.is_symbol(")") {
            out.names.extend(walk.names(NameKind::Member).ok_or("the names of the tables of the union")?);
        }
        walk.eat_symbol(")");
        return Ok(true);
    } else {
        return Ok(false);
    };
    walk.eat_symbol("=");
    let Some(value) = walk.next() else { return Err("a value") };
    let text = value.text(walk.text);
    let named = if value.kind == Kind::String { lex::string_value(text) } else { lex::name_of(text) };
    out.pieces.push(Piece { kind, value: named, span: value.span(), clause: start..value.end });
    Ok(true)
}

/// One token of what may follow the options; inside the parentheses of partitions there are options again.
fn partition_options(walk: &mut Walk<'_>, out: &mut Classified) -> Result<(), Expected> {
    if !walk.is_symbol("(") {
        walk.skip(1);
        return Ok(());
    }
    let mut depth = 0_usize;
    loop {
        if walk.eat_symbol("(") {
            depth += 1;
        } else if walk.eat_symbol(")") {
            depth -= 1;
        } else if walk.at_end() {
            return Err("a closing parenthesis");
        } else if walk.is_any(&["ENGINE", "STORAGE", "DATA", "INDEX", "TABLESPACE"]) {
            if !option(walk, out)? {
                walk.skip(1);
            } else if let Some(piece) = out.pieces.last_mut().filter(|p| p.kind == PieceKind::LocalOption) {
                piece.kind = PieceKind::LocalPart;
            }
        } else {
            walk.skip(1);
        }
        if depth == 0 {
            return Ok(());
        }
    }
}

/// `WAIT n` or `NOWAIT`.
fn wait(walk: &mut Walk<'_>, out: &mut Classified) {
    let start = walk.start();
    let is_number = walk.ahead(1).is_some_and(|t| t.kind == Kind::Number);
    if walk.is_word("WAIT") && is_number {
        walk.skip(2);
    } else if !walk.eat_word("NOWAIT") {
        return;
    }
    let span = start..walk.end();
    out.pieces.push(Piece { kind: PieceKind::Wait, value: String::new(), span: span.clone(), clause: span });
}

/// Behind `ALTER [ONLINE] [IGNORE] TABLE`.
pub(super) fn alter(walk: &mut Walk<'_>) -> Result<Classified, Expected> {
    let mut out = Classified::of(Class::AlterTable);
    out.if_exists = walk.eat_words(&["IF", "EXISTS"]);
    out.names.push(walk.name(NameKind::Target).ok_or("the table's name")?);
    wait(walk, &mut out);
    while !walk.at_end() {
        let start = walk.start();
        let whole = action(walk, &mut out)?;
        let span = start..walk.end();
        match whole {
            Whole::ForeignKey => {
                if let Some(parent) = out.names.iter_mut().rfind(|n| n.kind == NameKind::Parent) {
                    parent.clause = Some(span.clone());
                }
            }
            Whole::How => {
                out.pieces.push(Piece { kind: PieceKind::How, value: String::new(), span: span.clone(), clause: span.clone() });
            }
            Whole::Else => {}
        }
        without_collated_charsets(&mut out, Some(&span));
        for piece in out.pieces.iter_mut().filter(|p| p.clause.start >= span.start && p.clause != span) {
            piece.kind = match piece.kind {
                PieceKind::LocalOption => PieceKind::LocalPart,
                PieceKind::RowFormat => PieceKind::RowFormatPart,
                kind => kind,
            };
        }
        walk.eat_symbol(",");
    }
    Ok(out)
}

/// What a whole action of `ALTER TABLE` is.
enum Whole {
    ForeignKey,
    How,
    Else,
}

fn action(walk: &mut Walk<'_>, out: &mut Classified) -> Result<Whole, Expected> {
    let mut whole = Whole::Else;
    redefined(walk, out);
    if walk.is_word("RENAME") {
        walk.skip(1);
        if !walk.is_any(&["COLUMN", "INDEX", "KEY", "CONSTRAINT"]) {
            if !(walk.eat_word("TO") || walk.eat_word("AS")) {
                walk.eat_symbol("=");
            }
            out.names.push(walk.name(NameKind::Becomes).ok_or("the table's new name")?);
        }
    } else if walk.at_words(&["EXCHANGE", "PARTITION"]) {
        while !walk.at_end() && !walk.eat_words(&["WITH", "TABLE"]) {
            walk.skip(1);
        }
        out.names.push(walk.name(NameKind::Exchanged).ok_or("the name of the table to exchange with")?);
        out.troubles.push(Trouble::Exchange);
    } else if walk.eat_words(&["CONVERT", "PARTITION"]) {
        while !walk.at_end() && !walk.eat_words(&["TO", "TABLE"]) {
            walk.skip(1);
        }
        out.names.push(walk.name(NameKind::Exchanged).ok_or("the name of the new table")?);
        out.troubles.push(Trouble::Convert);
    } else if walk.eat_words(&["CONVERT", "TABLE"]) {
        out.names.push(walk.name(NameKind::Exchanged).ok_or("the name of the table to convert")?);
        out.troubles.push(Trouble::Convert);
    } else if walk.is_any(&["DISCARD", "IMPORT"]) {
        out.troubles.push(Trouble::Tablespace);
    } else if walk.is_any(&["ADD", "DROP"]) && walk.ahead(1).is_some_and(|t| ["SYSTEM", "PERIOD"].iter().any(|w| t.is_word(walk.text, w))) {
        out.troubles.push(Trouble::Versioning);
        walk.skip(2);
    } else if walk.is_any(&["ALGORITHM", "LOCK"]) {
        whole = Whole::How;
    }
    let add = walk.is_word("ADD");
    let redefines = walk.is_any(&["CHANGE", "MODIFY"]);
    let options = !walk.is_any(&["ADD", "DROP", "CHANGE", "MODIFY", "ALTER", "CONVERT"]);
    let mut depth = 0_usize;
    while let Some(token) = walk.peek() {
        if walk.is_symbol("(") {
            depth += 1;
        } else if walk.is_symbol(")") {
            depth = depth.saturating_sub(1);
        } else if depth == 0 && walk.is_symbol(",") {
            break;
        } else if walk.at_words(&["FOREIGN", "KEY"]) && add {
            whole = Whole::ForeignKey;
        } else if walk.is_word("REFERENCES") {
            parent(walk, out, token.start)?;
            continue;
        } else if depth == 0 && walk.is_word("PARTITION") {
            // The rest: PARTITION BY, ADD PARTITION (...), DROP PARTITION a, b.
            walk.skip(1);
            while !walk.at_end() {
                partition_options(walk, out)?;
            }
            break;
        } else if add && numbers(walk) {
            out.troubles.push(Trouble::Numbers);
        } else if redefines && numbers(walk) {
            out.troubles.push(Trouble::Renumbers);
        } else if add && is_random(walk, token) {
            out.troubles.push(Trouble::Random);
        }
        if let Some(sequence) = sequence(walk) {
            out.names.push(sequence);
            continue;
        }
        let noted = if options && depth == 0 { option(walk, out)? } else { depth < 2 && collation(walk, out) };
        if !noted {
            walk.skip(1);
        }
    }
    Ok(whole)
}

/// Notes the column that an action drops, renames or defines anew. Takes nothing.
fn redefined(walk: &mut Walk<'_>, out: &mut Classified) {
    let start = walk.mark();
    if walk.eat_words(&["CONVERT", "TO"]) {
        out.converts = true;
    } else if walk.eat_word("DROP") {
        const NO_COLUMN: &[&str] = &["INDEX", "KEY", "PRIMARY", "FOREIGN", "CONSTRAINT", "CHECK", "PARTITION", "SYSTEM", "PERIOD"];
        if walk.eat_word("COLUMN") || !walk.is_any(NO_COLUMN) {
            column(walk, out);
        }
    } else if walk.eat_word("CHANGE") || walk.eat_word("MODIFY") {
        walk.eat_word("COLUMN");
        column(walk, out);
    } else if walk.eat_words(&["RENAME", "COLUMN"]) {
        column(walk, out);
    }
    walk.back_to(start);
}

fn column(walk: &mut Walk<'_>, out: &mut Classified) {
    walk.eat_words(&["IF", "EXISTS"]);
    out.redefined.extend(walk.identifier().map(|(name, _)| name));
}

/// `AUTO_INCREMENT` as an attribute, not the option that sets the counter.
fn numbers(walk: &Walk<'_>) -> bool {
    const ATTRIBUTES: &[&str] =
        &["NOT", "NULL", "DEFAULT", "UNIQUE", "PRIMARY", "KEY", "COMMENT", "FIRST", "AFTER", "CHECK", "INVISIBLE", "VISIBLE", "REFERENCES"];
    let sets = walk.ahead(1).is_some_and(|t| t.is_symbol(walk.text, "=") || t.kind == Kind::Number);
    // A column may be called `serial`: then its type comes behind.
    let is_name = || walk.ahead(1).is_some_and(|t| t.kind == Kind::Word && !ATTRIBUTES.iter().any(|w| t.is_word(walk.text, w)));
    walk.is_word("AUTO_INCREMENT") && !sets || walk.is_word("SERIAL") && !is_name()
}

/// A function whose value every server finds for itself, or a variable. The time is not one: it comes with the statement.
fn is_random(walk: &Walk<'_>, token: Token) -> bool {
    const FUNCTIONS: &[&str] = &[
        "UUID",
        "UUID_SHORT",
        "UUID_V4",
        "UUID_V7",
        "SYS_GUID",
        "RAND",
        "RANDOM_BYTES",
        "SYSDATE",
        "CONNECTION_ID",
        "USER",
        "SESSION_USER",
        "SYSTEM_USER",
        "DATABASE",
        "SCHEMA",
        "VERSION",
        "LAST_INSERT_ID",
        "FOUND_ROWS",
        "ROW_COUNT",
        "NEXTVAL",
        "LASTVAL",
        "SETVAL",
    ];
    let called = walk.ahead(1).is_some_and(|t| t.is_symbol(walk.text, "("));
    token.kind == Kind::Variable
        || (called && FUNCTIONS.iter().any(|f| token.is_word(walk.text, f)))
        || walk.is_any(&["CURRENT_USER", "CURRENT_ROLE"])
        || walk.at_words(&["NEXT", "VALUE"])
}

/// Behind `DROP [TEMPORARY] TABLE`.
pub(super) fn drop(walk: &mut Walk<'_>) -> Result<Classified, Expected> {
    let mut out = Classified::of(Class::DropTable);
    out.if_exists = walk.eat_words(&["IF", "EXISTS"]);
    out.names = walk.names(NameKind::Target).ok_or("the table's name")?;
    wait(walk, &mut out);
    if !walk.eat_word("RESTRICT") {
        walk.eat_word("CASCADE");
    }
    ends(walk, out)
}

/// At `RENAME TABLE`.
pub(super) fn rename(walk: &mut Walk<'_>) -> Result<Classified, Expected> {
    walk.skip(2);
    let mut out = Classified::of(Class::RenameTable);
    out.if_exists = walk.eat_words(&["IF", "EXISTS"]);
    loop {
        out.names.push(walk.name(NameKind::Target).ok_or("the table's name")?);
        wait(walk, &mut out);
        if !walk.eat_word("TO") {
            return Err("TO");
        }
        out.names.push(walk.name(NameKind::Becomes).ok_or("the table's new name")?);
        if !walk.eat_symbol(",") {
            break;
        }
    }
    ends(walk, out)
}

/// At `TRUNCATE`.
pub(super) fn truncate(walk: &mut Walk<'_>) -> Result<Classified, Expected> {
    walk.skip(1);
    walk.eat_word("TABLE");
    let mut out = Classified::of(Class::TruncateTable);
    out.names.push(walk.name(NameKind::Target).ok_or("the table's name")?);
    wait(walk, &mut out);
    // MariaDB takes Oracle's words and does nothing else for them.
    let start = walk.start();
    if walk.eat_words(&["DROP", "STORAGE"]) || walk.eat_words(&["REUSE", "STORAGE"]) {
        let span = start..walk.end();
        out.pieces.push(Piece { kind: PieceKind::Wait, value: String::new(), span: span.clone(), clause: span });
    }
    ends(walk, out)
}

fn ends(walk: &Walk<'_>, out: Classified) -> Result<Classified, Expected> {
    if walk.at_end() { Ok(out) } else { Err("the statement's end") }
}

/// Behind `INDEX` of `CREATE INDEX` and `DROP INDEX`.
pub(super) fn index(walk: &mut Walk<'_>, class: Class) -> Result<Classified, Expected> {
    let mut out = Classified::of(class);
    out.if_exists = walk.eat_words(&["IF", "NOT", "EXISTS"]) || walk.eat_words(&["IF", "EXISTS"]);
    walk.identifier().ok_or("the index's name")?;
    if walk.eat_word("USING") || walk.eat_word("TYPE") {
        walk.skip(1);
    }
    wait(walk, &mut out);
    if !walk.eat_word("ON") {
        return Err("ON");
    }
    out.names.push(walk.name(NameKind::Target).ok_or("the table's name")?);
    while !walk.at_end() {
        let start = walk.start();
        wait(walk, &mut out);
        if walk.start() != start {
            continue;
        }
        if walk.eat_word("ALGORITHM") || walk.eat_word("LOCK") {
            walk.eat_symbol("=");
            walk.skip(1);
            let span = start..walk.end();
            out.pieces.push(Piece { kind: PieceKind::How, value: String::new(), span: span.clone(), clause: span });
        } else {
            walk.skip_group();
        }
    }
    Ok(out)
}
