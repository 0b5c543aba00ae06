//! Views: where in a query the names of tables stand, without parsing the query whole.

use super::{Class, Classified, Expected, Name, NameKind, walk::Walk};
use crate::ddl::lex::{self, Kind, Token};

/// Behind `VIEW` of `CREATE VIEW` and `ALTER VIEW`.
pub(super) fn view(walk: &mut Walk<'_>, class: Class) -> Result<Classified, Expected> {
    let mut out = Classified::of(class);
    out.if_exists = walk.eat_words(&["IF", "NOT", "EXISTS"]) || walk.eat_words(&["IF", "EXISTS"]);
    out.names.push(walk.name(NameKind::View).ok_or("the view's name")?);
    if walk.is_symbol("(") {
        walk.skip_group();
    }
    if !walk.eat_word("AS") {
        return Err("AS");
    }
    let mut query = Query { frames: vec![Frame::query()], common: Vec::new(), names: Vec::new() };
    query.read(walk)?;
    let common = query.common;
    let is_common = |name: &Name| name.database.is_none() && common.iter().any(|c| c.eq_ignore_ascii_case(&name.name));
    out.names.extend(query.names.into_iter().filter(|n| !is_common(n)));
    Ok(out)
}

/// What is expected at a place of a query.
#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    /// Its first word.
    Start,
    /// Expressions.
    Expression,
    /// A table, a derived table, or tables in parentheses.
    Table,
    /// Behind a table: joins, commas, conditions.
    Tables,
}

/// One pair of parentheses, or the whole.
struct Frame {
    state: State,
    /// FROM begins a list of tables here, and is not a part of `EXTRACT(... FROM ...)`.
    is_query: bool,
}

impl Frame {
    fn query() -> Self {
        Self { state: State::Start, is_query: true }
    }
}

struct Query {
    frames: Vec<Frame>,
    /// Names that WITH gives.
    common: Vec<String>,
    names: Vec<Name>,
}

/// Words that end a list of tables.
const ENDS: &[&str] = &[
    "SELECT",
    "WHERE",
    "GROUP",
    "HAVING",
    "WINDOW",
    "QUALIFY",
    "ORDER",
    "LIMIT",
    "UNION",
    "EXCEPT",
    "INTERSECT",
    "MINUS",
    "INTO",
    "PROCEDURE",
    "LOCK",
    "OFFSET",
    "FETCH",
];

/// Words that may stand behind a table and are no alias.
const NO_ALIAS: &[&str] = &[
    "ON",
    "USING",
    "JOIN",
    "INNER",
    "LEFT",
    "RIGHT",
    "CROSS",
    "NATURAL",
    "STRAIGHT_JOIN",
    "FULL",
    "USE",
    "IGNORE",
    "FORCE",
    "FOR",
    "PARTITION",
    "WITH",
    "SET",
    "TABLESAMPLE",
];

impl Query {
    fn frame(&mut self) -> &mut Frame {
        if self.frames.is_empty() {
            self.frames.push(Frame::query());
        }
        let last = self.frames.len() - 1;
        &mut self.frames[last]
    }

    fn state(&mut self) -> State {
        self.frame().state
    }

    fn enter(&mut self, state: State) {
        self.frame().state = state;
    }

    fn read(&mut self, walk: &mut Walk<'_>) -> Result<(), Expected> {
        while let Some(token) = walk.peek() {
            if walk.is_symbol("(") {
                self.open(walk);
            } else if walk.is_symbol(")") {
                walk.skip(1);
                if self.frames.len() < 2 {
                    return Err("an opening parenthesis before a closing one");
                }
                self.frames.pop();
                self.behind_group(walk);
            } else if self.state() == State::Table {
                self.table(walk)?;
            } else if token.kind == Kind::Word {
                self.word(walk)?;
            } else if token.kind == Kind::Quoted {
                self.reference(walk);
            } else {
                if walk.is_symbol(",") && self.state() == State::Tables {
                    self.enter(State::Table);
                }
                walk.skip(1);
            }
        }
        if self.frames.len() == 1 { Ok(()) } else { Err("a closing parenthesis") }
    }

    fn open(&mut self, walk: &mut Walk<'_>) {
        walk.skip(1);
        let begins = walk.is_any(&["SELECT", "WITH", "VALUES", "TABLE"]) || walk.is_symbol("(");
        let frame = match self.state() {
            // A derived table, or tables in parentheses.
            State::Table if !begins || walk.is_symbol("(") => Frame { state: State::Table, is_query: true },
            State::Start => Frame::query(),
            _ if begins && !walk.is_symbol("(") => Frame::query(),
            _ => Frame { state: State::Expression, is_query: false },
        };
        self.frames.push(frame);
    }

    /// What was in parentheses stood for a table, or for the first part of a UNION.
    fn behind_group(&mut self, walk: &mut Walk<'_>) {
        match self.state() {
            State::Table => {
                self.enter(State::Tables);
                skip_alias(walk);
            }
            State::Start => self.enter(State::Expression),
            _ => {}
        }
    }

    fn word(&mut self, walk: &mut Walk<'_>) -> Result<(), Expected> {
        let at_start = self.state() == State::Start;
        if at_start && walk.eat_word("WITH") {
            walk.eat_word("RECURSIVE");
            return self.common_tables(walk);
        }
        if at_start && walk.eat_word("TABLE") {
            self.enter(State::Table);
            return Ok(());
        }
        let is_query = self.frame().is_query;
        if is_query && walk.eat_word("FROM") {
            let dual = walk.eat_word("DUAL");
            self.enter(if dual { State::Tables } else { State::Table });
        } else if is_query && self.state() == State::Tables && walk.is_any(&["JOIN", "STRAIGHT_JOIN"]) {
            walk.skip(1);
            self.enter(State::Table);
        } else if is_query && walk.is_word("FOR") {
            // FOR SYSTEM_TIME, USE INDEX FOR JOIN (...), FOR UPDATE.
            walk.skip(2);
        } else if is_query && walk.is_any(ENDS) {
            let again = walk.is_any(&["UNION", "EXCEPT", "INTERSECT", "MINUS"]);
            walk.skip(1);
            if again && !walk.eat_word("ALL") {
                walk.eat_word("DISTINCT");
            }
            self.enter(if again { State::Start } else { State::Expression });
        } else {
            if at_start {
                self.enter(State::Expression);
            }
            self.reference(walk);
        }
        Ok(())
    }

    /// `a [(c, d)] AS (query), b AS (query)`, the cursor behind `WITH`.
    fn common_tables(&mut self, walk: &mut Walk<'_>) -> Result<(), Expected> {
        loop {
            let (name, _) = walk.identifier().ok_or("the name of a common table expression")?;
            self.common.push(name);
            if walk.is_symbol("(") {
                walk.skip_group();
            }
            if !walk.eat_word("AS") || !walk.eat_symbol("(") {
                return Err("AS and a query");
            }
            let outer = std::mem::replace(&mut self.frames, vec![Frame::query()]);
            self.until_closed(walk)?;
            self.frames = outer;
            // CYCLE a, b RESTRICT (MariaDB)
            if walk.eat_word("CYCLE") {
                while !walk.at_end() && !walk.eat_word("RESTRICT") {
                    walk.skip(1);
                }
            }
            if !walk.eat_symbol(",") {
                return Ok(());
            }
        }
    }

    /// Reads to the parenthesis that closes the frame it begins in.
    fn until_closed(&mut self, walk: &mut Walk<'_>) -> Result<(), Expected> {
        let inner = walk.inside_group().ok_or("a closing parenthesis")?;
        let mut rest = walk.part(inner);
        self.read(&mut rest)?;
        walk.skip(inner + 1);
        Ok(())
    }

    fn table(&mut self, walk: &mut Walk<'_>) -> Result<(), Expected> {
        if walk.eat_word("LATERAL") {
            return Ok(());
        }
        // { OJ a LEFT OUTER JOIN b ... }
        if walk.eat_symbol("{") {
            walk.skip(1);
            return Ok(());
        }
        // JSON_TABLE(...), or another function that makes rows.
        if walk.ahead(1).is_some_and(|t| t.is_symbol(walk.text, "(")) {
            walk.skip(1);
            // Its arguments are expressions.
            self.enter(State::Tables);
            return Ok(());
        }
        let mut name = walk.name(NameKind::Source { alias_at: None }).ok_or("the name of a table")?;
        if walk.is_word("PARTITION") && walk.ahead(1).is_some_and(|t| t.is_symbol(walk.text, "(")) {
            walk.skip(1);
            walk.skip_group();
        }
        if walk.at_words(&["FOR", "SYSTEM_TIME"]) {
            // FOR SYSTEM_TIME AS OF x, BETWEEN a AND b, FROM a TO b, ALL: no alias can be put here, and none is looked for.
            walk.skip(2);
            walk.eat_word("FROM");
        } else {
            let end = walk.end();
            if !skip_alias(walk) {
                name.kind = NameKind::Source { alias_at: Some(end) };
            }
        }
        self.names.push(name);
        self.enter(State::Tables);
        Ok(())
    }

    /// `a`, `a.b`, `a.b.c`, `a.b.*`, `a.f(`: the database's part of those that have one.
    fn reference(&mut self, walk: &mut Walk<'_>) {
        let mut parts: Vec<Token> = Vec::new();
        let mut star = false;
        while let Some(token) = walk.peek().filter(|t| matches!(t.kind, Kind::Word | Kind::Quoted)) {
            walk.skip(1);
            parts.push(token);
            if !walk.eat_symbol(".") {
                break;
            }
            star = walk.is_symbol("*");
        }
        if self.state() == State::Start {
            self.enter(State::Expression);
        }
        if parts.is_empty() {
            return walk.skip(1);
        }
        let name = |t: Token| lex::name_of(t.text(walk.text));
        let called = parts.len() == 2 && walk.peek().is_some_and(|t| t.is_symbol(walk.text, "("));
        if called {
            let span = parts[0].start..parts[1].end;
            self.names.push(Name { kind: NameKind::Routine, database: Some(name(parts[0])), name: name(parts[1]), span, clause: None });
        } else if parts.len() == 3 || (parts.len() == 2 && star) {
            let (database, table) = (name(parts[0]), name(parts[1]));
            self.names.push(Name { kind: NameKind::Qualifier, database: Some(database), name: table, span: parts[0].span(), clause: None });
        }
    }
}

/// Over `AS x` or `x`; whether there was one.
fn skip_alias(walk: &mut Walk<'_>) -> bool {
    let named = walk.eat_word("AS") || walk.peek().is_some_and(|t| t.kind == Kind::Quoted);
    if !named && (walk.peek().is_none_or(|t| t.kind != Kind::Word) || walk.is_any(ENDS) || walk.is_any(NO_ALIAS)) {
        return false;
    }
    walk.skip(1);
    // The columns of a derived table.
    if walk.is_symbol("(") {
        walk.skip_group();
    }
    true
}
