//! The writing half of the incremental phase: changes made by hand go through a lane into real servers, and the servers say what came of
//! them.

mod conflicts;
mod fence;
mod keyless;
mod plain;
mod servers;
mod sizes;
mod types;

use std::sync::Arc;

use dtsctl::{
    binlog::{Image, Place, Position},
    catalog::{self, Table},
    connect::{Login, Purpose, Session, TlsChoice, TlsLevel},
    destination::{
        CopyTable, Destination as _, DestinationError,
        change::{Applied, Batch, Certainty, ConflictKind, OnConflict, RowChange, TableChanges, Written},
        mysql::MySqlDestination,
    },
    event::{Event, Observer},
};
use testbed::{Flavor, Role, Server};

struct Deaf;

impl Observer for Deaf {
    fn observe(&self, _: &Event) {}
}

fn login(server: &Server) -> Login {
    Login {
        place: dtsctl::connect::Place::Tcp { host: server.host().to_owned(), port: server.port() },
        user: server.user().to_owned(),
        password: server.password().to_owned(),
        tls: TlsChoice { level: TlsLevel::Disabled, ca: None, identity: None },
    }
}

/// Runs a test on both flavours, each with a database of its own.
fn on_both(name: &str, test: impl Fn(&Bench)) {
    for flavor in [Flavor::MariaDb, Flavor::MySql] {
        if testbed::have(flavor) {
            crate::support::say(&format!("on {flavor}"));
            test(&Bench::new(testbed::shared(flavor, Role::Destination), name));
        }
    }
}

/// A destination with a database and a task.
struct Bench {
    server: &'static Server,
    database: String,
    end: MySqlDestination,
}

impl Bench {
    fn new(server: &'static Server, name: &str) -> Self {
        let database = format!("write_{name}");
        let bench = Self { server, end: MySqlDestination::new(login(server), &database, Arc::new(Deaf)).expect("a destination"), database };
        bench.sql(&format!("DROP DATABASE IF EXISTS {0}; CREATE DATABASE {0} DEFAULT CHARACTER SET utf8mb4", bench.database));
        bench.end.take_over("source").expect("taken over");
        bench.end.begin_following(&position(4), None).expect("begun");
        bench
    }

    fn session(&self) -> Session {
        Session::open(&login(self.server), Purpose::Control).expect("a session")
    }

    /// Statements in the test's database.
    fn sql(&self, statements: &str) {
        let (mut session, database) = (self.session(), &self.database);
        for statement in statements.split("; ") {
            if !statement.starts_with("DROP DATABASE") && !statement.starts_with("CREATE DATABASE") {
                session.exec("a test", &format!("USE {database}")).expect("a database");
            }
            session.exec("a test", statement).unwrap_or_else(|e| panic!("{statement}: {e}"));
        }
    }

    /// Rows as one text each, values joined by commas.
    fn rows(&self, query: &str) -> Vec<String> {
        let mut session = self.session();
        session.exec("a test", &format!("USE {}", self.database)).expect("a database");
        let rows = session.query("a test", query).unwrap_or_else(|e| panic!("{query}: {e}"));
        let text = |value: &Option<Vec<u8>>| value.as_ref().map_or("NULL".to_owned(), |v| String::from_utf8_lossy(v).into_owned());
        rows.rows.iter().map(|row| row.iter().map(text).collect::<Vec<_>>().join(",")).collect()
    }

    fn table(&self, name: &str) -> Table {
        let mut session = Session::open(&login(self.server), Purpose::Catalog).expect("a session");
        let scope = catalog::Scope { database: &|database| database == self.database, table: &|_| true };
        let catalog = catalog::read(&mut session, &scope).expect("a catalog");
        catalog.tables.into_iter().find(|t| t.name.table == name).unwrap_or_else(|| panic!("no table {name}"))
    }

    /// A followed table that is the same at both ends, and that is taken for a large one: its keys go in long lists.
    fn followed(&self, name: &str) -> Arc<CopyTable> {
        let table = Table { rows_estimate: 1 << 40, ..self.table(name) };
        Arc::new(CopyTable::new(table, self.table(name), false))
    }

    /// The same, for a small one: each key has a statement of its own.
    fn followed_small(&self, name: &str) -> Arc<CopyTable> {
        Arc::new(CopyTable::new(self.table(name), self.table(name), false))
    }

    /// A followed table whose source has another definition.
    fn followed_from(&self, source: &str, destination: &str) -> Arc<CopyTable> {
        Arc::new(CopyTable::new(self.table(source), self.table(destination), false))
    }

    /// Writes and commits.
    fn apply(&self, batch: &Batch, certainty: Certainty) -> Result<Written, DestinationError> {
        let mut lane = self.end.lane()?;
        let result = lane.write(batch, certainty);
        match &result {
            Ok(_) => lane.commit(&applied(10))?,
            Err(_) => lane.roll_back()?,
        }
        result
    }

    /// Writes strictly, where nothing may be amiss.
    fn apply_cleanly(&self, batch: &Batch) {
        let written = self.apply(batch, STRICT).unwrap_or_else(|e| panic!("{e}"));
        assert_eq!(written.conflicts, []);
    }
}

const STRICT: Certainty = Certainty::Strict(OnConflict::Fail);
const IGNORE: Certainty = Certainty::Strict(OnConflict::Ignore);
const OVERWRITE: Certainty = Certainty::Strict(OnConflict::Overwrite);
const REPEATABLE: Certainty = Certainty::Repeatable(OnConflict::Fail);

fn position(offset: u64) -> Position {
    Position::new(Place { file: "binlog.000001".into(), offset }, None)
}

fn applied(offset: u64) -> Applied {
    Applied { position: position(offset), read_from: None, source_micros: 1, transactions: 1, row_events: 1 }
}

/// A row from text: values by commas, `NULL` is NULL.
fn row(text: &str) -> Image {
    let mut image = Image::with_capacity(4, 64);
    for value in text.split(',') {
        image.push((value != "NULL").then_some(value.as_bytes()));
    }
    image
}

fn rows(texts: &[&str]) -> Vec<Image> {
    texts.iter().map(|t| row(t)).collect()
}

fn pairs(texts: &[(&str, &str)]) -> Vec<(Image, Image)> {
    texts.iter().map(|(a, b)| (row(a), row(b))).collect()
}

fn keyed(table: &Arc<CopyTable>, deletes: &[&str], updates: &[(&str, &str)], inserts: &[&str]) -> Batch {
    assert!(table.folding_key().is_some(), "{} has no key", table.source.name);
    let changes = TableChanges { table: Arc::clone(table), deletes: rows(deletes), updates: pairs(updates), inserts: rows(inserts) };
    Batch { keyed: vec![changes], ordered: Vec::new(), cascades: Vec::new() }
}

fn ordered(table: &Arc<CopyTable>, changes: Vec<RowChange>) -> Batch {
    assert!(table.folding_key().is_none(), "{} has a key", table.source.name);
    Batch { keyed: Vec::new(), ordered: vec![(Arc::clone(table), changes)], cascades: Vec::new() }
}

fn insert(text: &str) -> RowChange {
    RowChange::Insert(row(text))
}

fn delete(text: &str) -> RowChange {
    RowChange::Delete(row(text))
}

fn update(before: &str, after: &str) -> RowChange {
    RowChange::Update { before: row(before), after: row(after) }
}

/// Conflicts as `kind(key)=rows`.
fn conflicts(written: &Written) -> Vec<String> {
    written.conflicts.iter().map(|c| format!("{}({})={}", c.kind.name(), c.key.join(","), c.rows)).collect()
}

fn conflict_of(result: Result<Written, DestinationError>) -> (ConflictKind, Vec<String>) {
    match result {
        Err(DestinationError::Conflict { kind, key, .. }) => (kind, key),
        other => panic!("a conflict was due: {other:?}"),
    }
}
