//! Statements run at a source and carried to a destination under other names: the definitions must be the same there.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
    time::Duration,
};

use dtsctl::{
    binlog::{Begin, Place, Statement},
    catalog::{self, ColumnMap, TableName},
    connect::{Login, Place as Address, Purpose, Session, TlsChoice, TlsLevel},
    destination::{Destination as _, mysql::MySqlDestination},
    diff,
    event::{DdlOutcome, Event, Observer, StopToken},
    phase::incremental::{
        ddl::{Carried, Carrier, DdlError, DdlSettings, Judgement, Occurrence, SourceFacts, Statements as _, Translate},
        history::History,
        names::Names,
    },
};
use mysql::{Conn, prelude::Queryable as _};
use testbed::{Flavor, Role, Server, have, shared};

/// Databases `<prefix>_db` and `<prefix>_other` as a whole, under other names; of `<prefix>_part` the tables `kept` and `t*` alone.
struct Selected(String);

impl Names for Selected {
    fn table(&self, source: &TableName) -> Option<TableName> {
        let database = self.database(&source.database)?;
        if source.database == format!("{}_part", self.0) {
            let renamed = (source.table == "kept").then(|| "kept_2".to_owned());
            let same = source.table.starts_with('t').then(|| source.table.clone());
            return Some(TableName::new(database, renamed.or(same)?));
        }
        (!source.table.starts_with("excluded")).then(|| TableName::new(database, source.table.clone()))
    }

    fn database(&self, source: &str) -> Option<String> {
        let part = source.strip_prefix(&self.0)?.strip_prefix('_')?;
        ["db", "other", "part"].contains(&part).then(|| format!("{}_{part}_x", self.0))
    }

    fn columns(&self, _: &TableName) -> ColumnMap {
        ColumnMap::default()
    }

    fn whole(&self, source: &str) -> bool {
        self.database(source).is_some() && !source.ends_with("_part")
    }
}

/// What `diff` knows of the destination.
struct Words {
    flavors: (dtsctl::connect::Flavor, dtsctl::connect::Flavor),
    collations: Vec<String>,
    engines: Vec<String>,
}

impl Translate for Words {
    fn collation(&self, source: &str) -> Option<String> {
        diff::collation_at(self.flavors.0, self.flavors.1, &self.collations, source).map(|(name, _)| name)
    }

    fn engine(&self, source: &str) -> Result<String, String> {
        diff::engine_at(&self.engines, Some("InnoDB"), source)
    }
}

#[derive(Default)]
struct Heard {
    events: Mutex<Vec<Event>>,
    dies_at: Mutex<Option<&'static str>>,
}

impl Observer for Heard {
    fn observe(&self, event: &Event) {
        if let Event::Moment { name } = event
            && *self.dies_at.lock().unwrap() == Some(name)
        {
            std::panic::resume_unwind(Box::new(*name));
        }
        self.events.lock().unwrap().push(event.clone());
    }
}

fn login(server: &Server) -> Login {
    Login {
        place: Address::Tcp { host: server.host().to_owned(), port: server.port() },
        user: server.user().to_owned(),
        password: server.password().to_owned(),
        tls: TlsChoice { level: TlsLevel::Preferred, ca: None, identity: None },
    }
}

/// A source and a destination with databases of this test's own, and a carrier between them.
pub(super) struct Bed {
    pub(super) prefix: String,
    pub(super) source: Conn,
    pub(super) destination: Conn,
    pub(super) carrier: Carrier,
    pub(super) history: History,
    from: &'static Server,
    to: &'static Server,
    heard: Arc<Heard>,
    number: u64,
    /// Bits of `sql_mode` of the next statements.
    pub(super) sql_mode: u64,
    pub(super) during_copy: bool,
    pub(super) seconds: u32,
    pub(super) default: &'static str,
}

const FOLDERS: [&str; 3] = ["db", "other", "part"];

impl Bed {
    pub(super) fn new(from: Flavor, to: Flavor, name: &str) -> Option<Self> {
        if !have(from) || !have(to) {
            return None;
        }
        let prefix = format!("ddl_{name}_{from}_{to}");
        let (from, to) = (shared(from, Role::Source), shared(to, Role::Destination));
        let (mut source, mut destination) = (from.root_conn().unwrap(), to.root_conn().unwrap());
        for (conn, tail) in [(&mut source, ""), (&mut destination, "_x")] {
            conn.query_drop("SET NAMES utf8mb4").unwrap();
            for part in FOLDERS {
                conn.query_drop(format!("DROP DATABASE IF EXISTS {prefix}_{part}{tail}")).unwrap();
                conn.query_drop(format!("CREATE DATABASE {prefix}_{part}{tail} CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci")).unwrap();
            }
        }
        for table in ["dtsctl_task", "dtsctl_ddl", "dtsctl_schema", "dtsctl_table", "dtsctl_range", "dtsctl_applied"] {
            let column = if table == "dtsctl_task" { "name" } else { "task" };
            let _ = destination.query_drop(format!("DELETE FROM dts.{table} WHERE {column} = '{prefix}'"));
        }
        let heard = Arc::new(Heard::default());
        let (carrier, history) = carrier(from, to, &prefix, &heard, (true, false));
        Some(Self {
            prefix,
            source,
            destination,
            carrier,
            history,
            from,
            to,
            heard,
            number: 0,
            sql_mode: 0,
            during_copy: false,
            seconds: 1_700_000_000,
            default: "db",
        })
    }

    /// As a later run of the task would begin.
    pub(super) fn restart(&mut self, stop_on_error: bool) {
        (self.carrier, self.history) = carrier(self.from, self.to, &self.prefix, &self.heard, (false, stop_on_error));
    }

    /// The text with `db`, `other` and `part` as this test calls them.
    pub(super) fn named(&self, text: &str) -> String {
        let mut out = text.to_owned();
        for part in FOLDERS {
            for (mark, quote) in [("`", "`"), ("\"", "\"")] {
                out = out.replace(&format!("{mark}{part}{quote}"), &format!("{mark}{}_{part}{quote}", self.prefix));
            }
            for (head, tail) in [(" ", "."), ("(", "."), (" ", " ."), (",", ".")] {
                out = out.replace(&format!("{head}{part}{tail}"), &format!("{head}{}_{part}{tail}", self.prefix));
            }
        }
        out
    }

    pub(super) fn statement(&mut self, text: &str) -> (Statement, Begin) {
        self.number += 1;
        let place = Place { file: "bin.1".to_owned(), offset: self.number };
        let id = |conn: &mut Conn, name: &str| -> u16 {
            conn.query_first(format!("SELECT ID FROM information_schema.COLLATIONS WHERE COLLATION_NAME = '{name}'")).unwrap().unwrap()
        };
        let utf8mb4 = id(&mut self.source, "utf8mb4_general_ci");
        let statement = Statement {
            place: place.clone(),
            text: text.as_bytes().to_vec(),
            alone: true,
            database: format!("{}_{}", self.prefix, self.default),
            sql_mode: self.sql_mode,
            charset_client: utf8mb4,
            collation_connection: utf8mb4,
            collation_server: utf8mb4,
            collation_database: None,
            collation_utf8mb4: None,
            explicit_defaults_for_timestamp: None,
            foreign_key_checks: true,
            error: 0,
            seconds: self.seconds,
            microseconds: None,
            time_zone: None,
            databases: Vec::new(),
        };
        (statement, Begin { gtid: None, place, micros: 0 })
    }

    /// Judges and carries a text that the source is said to have run.
    pub(super) fn carry(&mut self, text: &str) -> Result<Option<Carried>, DdlError> {
        let text = self.named(text);
        let (statement, begin) = self.statement(&text);
        self.again(&statement, &begin)
    }

    pub(super) fn again(&mut self, statement: &Statement, begin: &Begin) -> Result<Option<Carried>, DdlError> {
        let at = Occurrence { statement, begin, part: 0, during_copy: self.during_copy };
        match self.carrier.judge(at, &self.history)? {
            Judgement::Pass => Ok(None),
            Judgement::Record | Judgement::Barrier => self.carrier.carry(at, &mut self.history, &mut Vec::new()).map(Some),
        }
    }

    /// Runs a text at the source and carries it.
    #[track_caller]
    pub(super) fn both(&mut self, text: &str) -> Option<Carried> {
        self.at_source(text);
        self.carry(text).unwrap_or_else(|e| panic!("{text}: {e}"))
    }

    /// Runs a text at the source.
    #[track_caller]
    pub(super) fn at_source(&mut self, text: &str) {
        let here = self.named(text);
        self.source.query_drop(format!("USE {}_{}", self.prefix, self.default)).unwrap();
        self.source.query_drop(format!("SET timestamp = {}, sql_mode = {}", self.seconds, self.sql_mode)).unwrap();
        self.source.query_drop(&here).unwrap_or_else(|e| panic!("{here}: {e}"));
        if text.contains("START TRANSACTION") {
            self.source.query_drop("COMMIT").unwrap();
        }
    }

    /// The next time that this moment comes, the run ends there.
    pub(super) fn dies_at(&mut self, moment: Option<&'static str>) {
        *self.heard.dies_at.lock().unwrap() = moment;
    }

    /// All followed tables hold the same rows.
    #[track_caller]
    pub(super) fn rows_are_equal(&mut self) {
        let names: Vec<(TableName, TableName)> = self.history.tables().map(|(n, t)| (n.clone(), t.destination.name.clone())).collect();
        for (a, b) in names {
            let equal =
                testbed::equal::compare_tables(&mut self.source, &a.database, &a.table, &mut self.destination, &b.database, &b.table);
            equal.unwrap_or_else(|e| panic!("{e}"));
        }
        for conn in [&mut self.source, &mut self.destination] {
            conn.query_drop("SET NAMES utf8mb4").unwrap();
        }
    }

    #[track_caller]
    pub(super) fn done(&mut self, text: &str) {
        assert_eq!(self.both(text), Some(Carried::Done), "{text}");
    }

    /// The code with which a text stops the task.
    #[track_caller]
    pub(super) fn stops(&mut self, text: &str) -> &'static str {
        match self.carry(text) {
            Err(DdlError::Stop { code, .. }) => code,
            other => panic!("{text}: {other:?}"),
        }
    }

    /// What listeners heard of the statements so far.
    pub(super) fn outcomes(&self) -> Vec<DdlOutcome> {
        let heard = self.heard.events.lock().unwrap();
        heard.iter().filter_map(|e| if let Event::DdlSeen(seen) = e { Some(seen.outcome.clone()) } else { None }).collect()
    }

    pub(super) fn name(&self, part: &str, table: &str) -> TableName {
        TableName::new(format!("{}_{part}", self.prefix), table)
    }

    /// Definitions of all objects of a database, the names of databases as the source's.
    fn shown(&mut self, at_source: bool, part: &str) -> BTreeMap<String, String> {
        let (conn, tail) = if at_source { (&mut self.source, "") } else { (&mut self.destination, "_x") };
        let database = format!("{}_{part}{tail}", self.prefix);
        let mut shown = BTreeMap::new();
        conn.query_drop(format!("USE `{database}`")).unwrap();
        conn.query_drop("SET sql_mode = ''").unwrap();
        let tables: Vec<(String, String)> =
            conn.query(format!("SELECT TABLE_NAME, TABLE_TYPE FROM information_schema.TABLES WHERE TABLE_SCHEMA = '{database}'")).unwrap();
        let routines: Vec<(String, String)> = conn
            .query(format!("SELECT ROUTINE_NAME, ROUTINE_TYPE FROM information_schema.ROUTINES WHERE ROUTINE_SCHEMA = '{database}'"))
            .unwrap();
        for (name, kind) in tables.into_iter().chain(routines).filter(|(n, _)| !n.starts_with("excluded") && n != "nobody") {
            let word = if kind.contains("TABLE") || kind == "SYSTEM VERSIONED" { "TABLE" } else { kind.as_str() };
            let row: mysql::Row = conn
                .query_first(format!("SHOW CREATE {word} `{database}`.`{}`", name.replace('`', "``")))
                .unwrap_or_else(|e| panic!("{name}: {e}"))
                .unwrap();
            let column = if ["FUNCTION", "PROCEDURE"].contains(&word) { 2 } else { 1 };
            let text: String = row.get(column).unwrap();
            let mut text = text.replace(&format!("`{}_", self.prefix), "`").replace("_x`", "`");
            if let Some(at) = text.find(" AUTO_INCREMENT=") {
                let rest = text[at + 16..].trim_start_matches(|c: char| c.is_ascii_digit()).to_owned();
                text = format!("{}{rest}", &text[..at]);
            }
            shown.insert(format!("{word} {name}"), text);
        }
        shown
    }

    /// What `SHOW CREATE` says is the same on both sides, but for the databases' names.
    #[track_caller]
    pub(super) fn is_equal(&mut self) {
        for part in FOLDERS {
            let (source, destination) = (self.shown(true, part), self.shown(false, part));
            // `schema.engine` is InnoDB.
            let source: BTreeMap<String, String> = source
                .into_iter()
                .map(|(n, t)| (n, t.replace("ENGINE=MyISAM", "ENGINE=InnoDB").replace("ENGINE=Aria", "ENGINE=InnoDB")))
                .collect();
            let rename = |shown: BTreeMap<String, String>| -> Vec<(String, String)> {
                shown.into_iter().map(|(n, t)| (n.replace("kept_2", "kept"), t.replace("kept_2", "kept"))).collect()
            };
            pretty(&rename(source), &rename(destination));
        }
    }
}

#[track_caller]
fn pretty(source: &[(String, String)], destination: &[(String, String)]) {
    let text = |list: &[(String, String)]| list.iter().map(|(n, t)| format!("{n}:\n{t}\n")).collect::<String>();
    let (a, b) = (text(source), text(destination));
    assert!(a == b, "source:\n{a}\ndestination:\n{b}");
}

fn carrier(from: &Server, to: &Server, prefix: &str, heard: &Arc<Heard>, (begins, stop_on_error): (bool, bool)) -> (Carrier, History) {
    let mut source = Session::open(&login(from), Purpose::Catalog).unwrap();
    let mut destination = Session::open(&login(to), Purpose::Catalog).unwrap();
    let known = catalog::read(&mut destination, &catalog::Scope { database: &|_| false, table: &|_| false }).unwrap();
    let observer: Arc<dyn Observer> = Arc::clone(heard) as Arc<dyn Observer>;
    let place = MySqlDestination::new(login(to), prefix, Arc::clone(&observer)).unwrap();
    let run = place.take_over("the source").unwrap().run;
    let words = Words { flavors: (source.flavor(), destination.flavor()), collations: known.collations, engines: known.engines };
    let settings = DdlSettings {
        task: prefix.to_owned(),
        run,
        login: login(to),
        source: SourceFacts::read(&mut source).unwrap(),
        names: Arc::new(Selected(prefix.to_owned())),
        translate: Arc::new(words),
        stop_on_error,
        lock_timeout: Duration::from_secs(10),
        stop: StopToken::default(),
        observer,
    };
    let mut carrier = Carrier::new(settings);
    if begins {
        carrier.begin(&[], true).unwrap();
    }
    let history = carrier.load().unwrap();
    (carrier, history)
}

/// All that `testdata/ddl` has, under other names of databases: the destination ends with the source's definitions, and the history with
/// what the source's catalog says.
fn corpus(flavor: Flavor, files: &[&str], name: &str, mode: u64, least: usize) {
    let Some(mut bed) = Bed::new(flavor, flavor, name) else { return };
    let (mut differs, mut compared) = (false, 0);
    bed.source.query_drop("SET SESSION foreign_key_checks = 0").unwrap();
    for file in files {
        bed.sql_mode = mode;
        for text in super::classes::corpus(file) {
            let stopped_only = [
                "DEFAULT (UUID",
                "ALTER IGNORE",
                "TABLESPACE",
                "IMPORT",
                "SYSTEM VERSIONING",
                "SYSTEM_TIME",
                "PACKAGE",
                "AS SELECT * FROM customers",
            ];
            let server_only = ["ALTER DATABASE", "USER ", "GRANT", "FLUSH", "RESOURCE", "INSTANCE", "DROP SCHEMA", "UNDO"];
            if stopped_only.iter().chain(&server_only).any(|w| text.contains(w)) || text.contains("TABLE numbered") {
                continue;
            }
            // Behind one that is not carried the two differ, as they must.
            let outcome = bed.both(&text);
            differs |= !matches!(outcome, None | Some(Carried::Done));
            assert!(!matches!(outcome, Some(Carried::Failed { .. })), "{text}: {outcome:?}");
            if !differs {
                bed.is_equal();
                compared += 1;
            }
        }
    }
    assert!(compared >= least, "{compared} statements compared");
    bed.followed_as_the_source_has_it();
}

impl Bed {
    /// The history has the columns that the source's catalog has.
    #[track_caller]
    pub(super) fn followed_as_the_source_has_it(&mut self) {
        let mut session = Session::open(&login(self.from), Purpose::Catalog).unwrap();
        let prefix = self.prefix.clone();
        let scope = catalog::Scope { database: &|d| d.starts_with(&prefix), table: &|_| true };
        let catalog = catalog::read(&mut session, &scope).unwrap();
        let names: Vec<_> = self.history.tables().map(|(n, _)| n.clone()).collect();
        let there: Vec<_> = catalog.tables.iter().filter(|t| Selected(prefix.clone()).table(&t.name).is_some()).collect();
        assert_eq!(there.iter().map(|t| t.name.clone()).collect::<Vec<_>>(), names);
        for table in there {
            let known = &self.history.table(&table.name).unwrap().source;
            assert_eq!(known.columns, table.columns, "{}", table.name);
            assert_eq!(known.keys, table.keys, "{}", table.name);
        }
    }
}

#[test]
fn the_corpus_means_the_same_under_other_names_on_mariadb() {
    corpus(Flavor::MariaDb, &["common"], "corpus", 0, 35);
    corpus(Flavor::MariaDb, &["mariadb"], "own", 0, 8);
    corpus(Flavor::MariaDb, &["ansi"], "ansi", (1 << 2) | (1 << 20), 5);
}

#[test]
fn the_corpus_means_the_same_under_other_names_on_mysql() {
    corpus(Flavor::MySql, &["common"], "corpus", 0, 35);
    corpus(Flavor::MySql, &["mysql"], "own", 0, 8);
    corpus(Flavor::MySql, &["ansi"], "ansi", (1 << 2) | (1 << 20), 5);
}
