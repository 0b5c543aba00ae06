//! The full copy of a source that is written to meanwhile: what it leaves behind is what the binlog can go on from.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use dtsctl::{
    binlog::Position,
    catalog::{self, TableName},
    connect::{Login, Place, Purpose, RetryWindows, Session, TlsChoice, TlsLevel},
    destination::{CopyTable, Destination as _, TaskProgress, mysql::MySqlDestination},
    event::{Event, Observer, StopToken},
    phase::{
        full::{self, FullOutcome, FullSettings, Throttle},
        throttle::{Limit, Limits},
    },
};
use mysql::prelude::Queryable as _;
use testbed::{Flavor, Server, ServerOptions};

struct Deaf;

impl Observer for Deaf {
    fn observe(&self, _: &Event) {}
}

fn login(server: &Server) -> Login {
    Login {
        place: Place::Tcp { host: server.host().to_owned(), port: server.port() },
        user: server.user().to_owned(),
        password: server.password().to_owned(),
        tls: TlsChoice { level: TlsLevel::Disabled, ca: None, identity: None },
    }
}

/// Copies all tables of a database, which the destination has already.
fn copy(source: &Server, destination: &Server, task: &str, database: &str, threads: usize, throttle: Throttle) -> TaskProgress {
    let read = |server: &Server| {
        let mut session = Session::open(&login(server), Purpose::Catalog).expect("a session");
        let scope = catalog::Scope { database: &|name| name == database, table: &|_| true };
        catalog::read(&mut session, &scope).expect("a catalog")
    };
    let (from, to) = (read(source), read(destination));
    let tables: Vec<CopyTable> =
        from.tables.iter().map(|t| CopyTable::new(t.clone(), to.table(&t.name).expect("made at both ends").clone(), false)).collect();
    assert!(!tables.is_empty());
    let end = MySqlDestination::new(login(destination), task, Arc::new(Deaf)).expect("a destination");
    let progress = end.take_over("source").expect("progress");
    let (stop, source_login) = (StopToken::default(), login(source));
    let settings = FullSettings {
        source: &source_login,
        destination: &end,
        progress: &progress,
        threads,
        followed: true,
        throttle,
        retry: RetryWindows { connection: Duration::from_secs(60), other: Duration::from_secs(60) },
        stop: &stop,
        observer: &Deaf,
    };
    assert_eq!(full::run(&settings, tables).expect("a copy"), FullOutcome::Done);
    end.take_over("source").expect("progress")
}

/// Transactions of the only server that has any, by its GTIDs.
fn transactions(position: &Position) -> u64 {
    let text = position.gtid.as_ref().expect("GTIDs").to_string();
    text.rsplit(['-', ':']).next().and_then(|n| n.parse().ok()).unwrap_or_else(|| panic!("{text}"))
}

/// Writers insert a row a transaction, so that the number of rows tells which transactions a copy has. It must be exactly those before the
/// position that the copy names.
fn keyless_tables_know_their_place(flavor: Flavor) {
    if !testbed::have(flavor) {
        return;
    }
    let source = Server::start(flavor, ServerOptions::new()).expect("a server");
    let destination = testbed::shared(flavor, testbed::Role::Destination);
    for (number, table) in ["CREATE TABLE placed.k (n INT)", "CREATE TABLE placed.k (u INT UNIQUE, n INT)"].into_iter().enumerate() {
        for server in [&source, destination] {
            server.exec("DROP DATABASE IF EXISTS placed").expect("dropped");
            server.exec("CREATE DATABASE placed").expect("made");
            server.exec(table).expect("made");
        }
        // Also what is in the table before counts, as one transaction.
        let mut conn = source.root_conn().expect("a connection");
        conn.query_drop("INSERT INTO placed.k (n) VALUES (0)").expect("written");
        let base = {
            let mut session = Session::open(&login(&source), Purpose::Read).expect("a session");
            transactions(&dtsctl::binlog::snapshot::start_position(&mut session).expect("a position")) - 1
        };
        let (stop, written) = (AtomicBool::new(false), AtomicU64::new(0));
        let seen: Vec<u64> = std::thread::scope(|scope| {
            for _ in 0..3 {
                scope.spawn(|| {
                    let mut conn = source.root_conn().expect("a connection");
                    while !stop.load(Ordering::SeqCst) {
                        conn.query_drop("INSERT INTO placed.k (n) VALUES (1)").expect("written");
                        written.fetch_add(1, Ordering::SeqCst);
                    }
                });
            }
            let seen = (0..12)
                .map(|round| {
                    let before = written.load(Ordering::SeqCst);
                    crate::support::until("some rows", || written.load(Ordering::SeqCst) > before + 20);
                    destination.exec("TRUNCATE TABLE placed.k").expect("emptied");
                    let progress =
                        copy(&source, destination, &format!("placed{number}-{round}"), "placed", 3, Throttle::new(&Limits::default()));
                    let state = progress.table(&TableName::new("placed", "k")).expect("the table");
                    assert!(state.copied && state.ranges.len() == 1);
                    let place = state.start_position.clone().expect("a position of its own");
                    let rows: u64 = destination
                        .root_conn()
                        .expect("a connection")
                        .query_first("SELECT COUNT(*) FROM placed.k")
                        .expect("rows")
                        .expect("one");
                    assert_eq!(rows, transactions(&place) - base, "{flavor}, round {round}: at {place}");
                    assert_eq!(rows, state.ranges[0].found);
                    rows
                })
                .collect();
            stop.store(true, Ordering::SeqCst);
            seen
        });
        assert!(seen.windows(2).all(|w| w[0] < w[1]), "nobody wrote during the copies: {seen:?}");
    }
}

#[test]
fn keyless_tables_know_their_place_on_mariadb() {
    keyless_tables_know_their_place(Flavor::MariaDb);
}

#[test]
fn keyless_tables_know_their_place_on_mysql() {
    keyless_tables_know_their_place(Flavor::MySql);
}

/// Rows move ahead of the cursor and are read twice, and unique values move from row to row between two reads. Nothing of that may fail the
/// copy or be counted wrongly; what it leaves wrong the binlog mends, whose start is before the copy.
fn rows_that_move_are_no_duplicates(flavor: Flavor, local_infile: bool) {
    if !testbed::have(flavor) {
        return;
    }
    let source = testbed::shared(flavor, testbed::Role::Source);
    let option = format!("--local-infile={}", u8::from(local_infile));
    let destination = Server::start(flavor, ServerOptions::new().arg(option)).expect("a server");
    let database = if local_infile { "moves_load" } else { "moves_insert" };
    let rows = 6000;
    for server in [source, &destination] {
        server.exec(&format!("CREATE DATABASE {database}")).expect("made");
        server
            .exec(&format!("CREATE TABLE {database}.m (id INT NOT NULL PRIMARY KEY, s VARCHAR(20) CHARACTER SET latin1 NOT NULL, b BLOB, UNIQUE KEY (s))"))
            .expect("made");
    }
    let mut conn = source.root_conn().expect("a connection");
    let values: Vec<String> = (1..=rows).map(|n| format!("({n}, 's{n}', REPEAT('b', 7000))")).collect();
    for some in values.chunks(1000) {
        conn.query_drop(format!("INSERT INTO {database}.m VALUES {}", some.join(","))).expect("filled");
    }
    // Two ranges, read one after the other, each in a statement of its own.
    conn.query_drop(format!("ANALYZE TABLE {database}.m")).expect("analyzed");
    let stop = AtomicBool::new(false);
    let state = std::thread::scope(|scope| {
        scope.spawn(|| {
            let mut conn = source.root_conn().expect("a connection");
            let mut random = crate::support::Random::new("rows_that_move_are_no_duplicates");
            while !stop.load(Ordering::SeqCst) {
                let (a, b) = (1 + random.below(rows), 1 + random.below(rows));
                // A row goes behind all others; a value goes from a row to one further on.
                conn.query_drop(format!("UPDATE {database}.m SET id = id + 1000000 WHERE id = {a}")).expect("moved");
                conn.query_drop("BEGIN").expect("begun");
                conn.query_drop(format!("DELETE FROM {database}.m WHERE s = 's{a}'")).expect("gone");
                conn.query_drop(format!("UPDATE {database}.m SET s = 's{a}' WHERE id = {b}")).expect("moved");
                conn.query_drop("COMMIT").expect("committed");
            }
        });
        let limits = Limits::default();
        limits.set(Limit::FullRows, Some(4000.0));
        let throttle = Throttle::new(&limits).with_chunks_of(Some(200));
        let progress = copy(source, &destination, database, database, 1, throttle);
        stop.store(true, Ordering::SeqCst);
        progress.table(&TableName::new(database, "m")).expect("the table").clone()
    });
    let sum = |of: fn(&dtsctl::destination::RangeState) -> u64| state.ranges.iter().map(of).sum::<u64>();
    let (read, written, found, replaced) = (sum(|r| r.read), sum(|r| r.written), sum(|r| r.found), sum(|r| r.replaced));
    crate::support::say(&format!("{flavor} {local_infile}: {read} read, {written} written, {found} found, {replaced} replaced"));
    assert!(state.ranges.len() > 1, "{:?}", state.ranges);
    assert!(state.copied && read == written && replaced > 0, "{read} read, {written} written, {replaced} replaced");
    let there: u64 = destination
        .root_conn()
        .expect("a connection")
        .query_first(format!("SELECT COUNT(*) FROM {database}.m"))
        .expect("rows")
        .expect("one");
    assert_eq!(there, read - replaced, "{read} read, {found} found, {replaced} replaced");
}

#[test]
fn rows_that_move_are_no_duplicates_on_mariadb() {
    rows_that_move_are_no_duplicates(Flavor::MariaDb, true);
    rows_that_move_are_no_duplicates(Flavor::MariaDb, false);
}

#[test]
fn rows_that_move_are_no_duplicates_on_mysql() {
    rows_that_move_are_no_duplicates(Flavor::MySql, true);
    rows_that_move_are_no_duplicates(Flavor::MySql, false);
}

/// Moves keys and unique values of `m` and rows of the keyless `k` until told to stop.
fn move_rows(source: &Server, db: &str, rows: u64, stop: &AtomicBool) {
    let mut conn = source.root_conn().expect("a connection");
    let mut random = crate::support::Random::new("live_copy");
    let mut far = 1_000_000;
    while !stop.load(Ordering::SeqCst) {
        let (a, b) = (1 + random.below(rows), 1 + random.below(rows));
        far += 1;
        for statement in [
            format!("UPDATE {db}.m SET id = {far} WHERE id = {a}"),
            format!("UPDATE {db}.m SET id = {a} WHERE id = {}", far - 40),
            "BEGIN".to_owned(),
            format!("DELETE FROM {db}.m WHERE s = 's{a}'"),
            format!("UPDATE {db}.m SET s = 's{a}' WHERE id = {b}"),
            format!("INSERT INTO {db}.k VALUES ({a}, {b})"),
            format!("DELETE FROM {db}.k WHERE a = {b} LIMIT 1"),
            "COMMIT".to_owned(),
            format!("UPDATE {db}.k SET b = b + 1 WHERE a = {a}"),
        ] {
            conn.query_drop(statement).expect("written");
        }
        // Slower than what is carried afterwards.
        std::thread::sleep(Duration::from_millis(2));
    }
}

/// The whole way: what the copy leaves behind and the binlog brings is in the end what the source has, to the byte and to the row.
fn copied_while_it_moves_and_followed(source: &Server, destination: &Server, name: &str) {
    let db = format!("moving_{name}");
    let rows = 6000;
    for server in [source, destination] {
        server.exec(&format!("DROP DATABASE IF EXISTS {db}")).expect("dropped");
    }
    let mut conn = source.root_conn().expect("a connection");
    for statement in [
        format!("CREATE DATABASE {db}"),
        format!("CREATE TABLE {db}.m (id INT NOT NULL PRIMARY KEY, s VARCHAR(20) CHARACTER SET latin1 NOT NULL, x BLOB, UNIQUE KEY (s))"),
        format!("CREATE TABLE {db}.k (a INT, b INT)"),
    ] {
        conn.query_drop(statement).expect("made");
    }
    let values: Vec<String> = (1..=rows).map(|n| format!("({n}, 's{n}', REPEAT('b', 7000))")).collect();
    for some in values.chunks(1000) {
        conn.query_drop(format!("INSERT INTO {db}.m VALUES {}", some.join(","))).expect("filled");
    }
    conn.query_drop(format!("INSERT INTO {db}.k SELECT id, id % 7 FROM {db}.m")).expect("filled");
    conn.query_drop(format!("ANALYZE TABLE {db}.m")).expect("analyzed");
    let rest = format!(
        "phases: {{schema: true, full: true, incremental: true}}\nthrottle: {{full: {{rps: 4000}}}}\nobjects: [{{database: {db}}}]\n"
    );
    let task = crate::support::Task::new(&db, source, destination, &rest);
    let stop = AtomicBool::new(false);
    std::thread::scope(|scope| {
        struct Stop<'a>(&'a AtomicBool);
        impl Drop for Stop<'_> {
            fn drop(&mut self) {
                self.0.store(true, Ordering::SeqCst);
            }
        }
        let end = Stop(&stop);
        scope.spawn(|| move_rows(source, &db, rows, &stop));
        let apply = ["apply", "--yes", "--threads", "1", "--until", "caught-up"];
        let mut running = task.start(&apply, &[("DTSCTL_TEST_CHUNK", "200")]);
        crate::support::until("the copy", || {
            assert!(!running.has_ended(), "{}", running.said());
            let sql = format!("SELECT COUNT(*) FROM dts.dtsctl_applied WHERE task = '{db}' AND copy_end IS NOT NULL");
            destination.root_conn().expect("a connection").query_first::<u64, _>(sql).is_ok_and(|n| n == Some(1))
        });
        drop(end);
        running.end().expect(0);
    });
    task.run(&["apply", "--yes", "--until", "caught-up"]).expect(0);
    let mut copy = destination.root_conn().expect("a connection");
    let sql = format!("SELECT CAST(SUM(rows_replaced) AS UNSIGNED) FROM dts.dtsctl_range WHERE task = '{db}'");
    let replaced: u64 = copy.query_first(sql).expect("asked").expect("a row");
    assert!(replaced > 0, "no row was in the way of a newer read: nothing was on trial");
    testbed::equal::compare_databases(&mut conn, &db, &mut copy, &db).unwrap_or_else(|problem| panic!("{problem}"));
    let conflicts: u64 =
        copy.query_first(format!("SELECT conflicts FROM dts.dtsctl_applied WHERE task = '{db}'")).expect("asked").expect("a row");
    assert_eq!(conflicts, 0, "after the end of the copy everything is as it must be");
    task.run(&["verify"]).expect(0);
}

fn on_shared_servers(flavor: Flavor) {
    if testbed::have(flavor) {
        let (source, destination) = (testbed::shared(flavor, testbed::Role::Source), testbed::shared(flavor, testbed::Role::Destination));
        copied_while_it_moves_and_followed(source, destination, flavor.name());
    }
}

#[test]
fn copied_while_it_moves_and_followed_on_mariadb() {
    on_shared_servers(Flavor::MariaDb);
}

#[test]
fn copied_while_it_moves_and_followed_on_mysql() {
    on_shared_servers(Flavor::MySql);
}

/// File and offset are all there is; they are ahead of what can be seen, and each table is waited for before its first row is read.
#[test]
fn copied_while_it_moves_and_followed_without_gtids() {
    if testbed::have(Flavor::MySql) {
        let source = Server::start(Flavor::MySql, ServerOptions::new().gtid(false)).expect("a server");
        copied_while_it_moves_and_followed(&source, testbed::shared(Flavor::MySql, testbed::Role::Destination), "nogtid");
    }
}

/// A table that was there before and lacks the source's key takes a change that is repeated as another row. So it is copied as one that nothing
/// identifies the rows of.
#[test]
fn a_destination_without_the_key_gets_no_row_twice() {
    let flavor = Flavor::MariaDb;
    if !testbed::have(flavor) {
        return;
    }
    let (source, destination) = (testbed::shared(flavor, testbed::Role::Source), testbed::shared(flavor, testbed::Role::Destination));
    let db = "keyless_there";
    for (server, key) in [(source, " PRIMARY KEY"), (destination, "")] {
        for statement in [
            format!("DROP DATABASE IF EXISTS {db}"),
            format!("CREATE DATABASE {db}"),
            format!("CREATE TABLE {db}.t (id INT NOT NULL{key}, n INT)"),
        ] {
            server.exec(&statement).expect("made");
        }
    }
    let values = (1..=4000).map(|n| format!("({n}, 0)")).collect::<Vec<_>>().join(",");
    source.exec(&format!("INSERT INTO {db}.t VALUES {values}")).expect("filled");
    let rest = format!(
        "phases: {{schema: true, full: true, incremental: true}}\nconflict: {{existing_tables: ignore}}\n\
         throttle: {{full: {{rps: 4000}}}}\nobjects: [{{database: {db}}}]\n"
    );
    let task = crate::support::Task::new(db, source, destination, &rest);
    let stop = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let mut conn = source.root_conn().expect("a connection");
            let mut id = 4000;
            while !stop.load(Ordering::SeqCst) {
                id += 1;
                conn.query_drop(format!("INSERT INTO {db}.t VALUES ({id}, 1)")).expect("written");
                conn.query_drop(format!("UPDATE {db}.t SET n = n + 1 WHERE id = {}", id % 4000 + 1)).expect("written");
                std::thread::sleep(Duration::from_millis(1));
            }
        });
        let mut running = task.start(&["apply", "--yes", "--until", "caught-up"], &[]);
        crate::support::until("the copy", || {
            let ended = running.has_ended();
            let sql = format!("SELECT COUNT(*) FROM dts.dtsctl_applied WHERE task = '{db}'");
            let noted = destination.root_conn().expect("a connection").query_first::<u64, _>(sql);
            ended || noted.is_ok_and(|n| n == Some(1))
        });
        stop.store(true, Ordering::SeqCst);
        running.end().expect(0);
    });
    task.run(&["apply", "--yes", "--until", "caught-up"]).expect(0);
    let rows = |server: &Server| -> Vec<(i32, i32)> {
        server.root_conn().expect("a connection").query(format!("SELECT id, n FROM {db}.t ORDER BY id, n")).expect("rows")
    };
    let (there, here) = (rows(source), rows(destination));
    assert!(there.len() > 4000 && there == here, "{} rows at the source, {} at the destination", there.len(), here.len());
    let sql = format!("SELECT start_position IS NOT NULL FROM dts.dtsctl_table WHERE task = '{db}'");
    assert_eq!(destination.root_conn().expect("a connection").query_first::<u8, _>(sql).expect("asked"), Some(1));
}
