//! The state file as other processes meet it: locked, killed, damaged, foreign, read while it is written.

use std::{
    io::{BufRead, BufReader},
    path::Path,
    process::{Child, Command, Stdio},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use dtsctl::{
    binlog::{Place, Position, Retention},
    catalog::TableName,
    clock::Clock,
    event::{BatchCommitted, BinlogKept, DdlOutcome, DdlSeen, Event, Lag, Observer, Phase, PlannedTable, StopToken},
    state::{
        ControlWatch, Holder, Opened, RangeTruth, Requests, RunEnd, RunStart, RunState, ServerIdentity, StateError, StateFile, StateWriter,
        TableState, TaskIdentity, holder, lock, progress, read, release_hold, request_hold, request_setting, request_stop, saved_plan,
    },
};

pub(crate) fn server(name: &str) -> ServerIdentity {
    ServerIdentity { identity: format!("uuid-of-{name}"), address: format!("{name}:3306"), version: "mysql 8.0.36".to_owned() }
}

pub(crate) fn task() -> TaskIdentity {
    TaskIdentity {
        name: "shop".to_owned(),
        spec_digest: "d1".to_owned(),
        spec_document: "{}".to_owned(),
        source: server("db1"),
        destination: server("db2"),
    }
}

pub(crate) fn clock() -> Clock {
    Clock::new(SystemTime::now)
}

pub(crate) fn table(name: &str) -> TableName {
    TableName::new("shop", name)
}

pub(crate) fn start(path: &Path, task: &TaskIdentity, clock: &Clock) -> (StateWriter, Opened) {
    let (file, opened) = StateFile::open_or_create(path, task, clock).unwrap();
    let run = RunStart { pid: std::process::id(), host: "here".to_owned(), version: "0.1.0".to_owned() };
    (file.begin_run(&run, &StopToken::default()).unwrap(), opened)
}

pub(crate) fn me() -> Holder {
    Holder { pid: std::process::id(), host: "here".to_owned(), since: "2024-05-01T10:00:00.000Z".to_owned() }
}

fn chunk(table: &TableName, range: u32, chunk: u64) -> Event {
    Event::ChunkCommitted { table: table.clone(), range, chunk, read: 10, written: 10, found: 10, bytes: 1000, milliseconds: 1 }
}

fn table_started(name: &str, rows_done: u64) -> Event {
    Event::TableStarted {
        table: table(name),
        destination: TableName::new("shop_dr", name),
        rows_estimate: 1_000_000,
        bytes_estimate: 100_000_000,
        rows_done,
        ranges: 4,
    }
}

/// Not a test of its own: what the child process of the others does. It writes until it is killed.
#[test]
fn child_that_writes_until_it_is_killed() {
    let Some(path) = std::env::var_os("DTSCTL_TEST_STATE_CHILD") else { return };
    let path = Path::new(&path);
    let _guard = lock(path, &me()).unwrap();
    let (writer, _) = start(path, &task(), &clock());
    writer.observe(&Event::PhaseStarted { phase: Phase::Full });
    writer.observe(&table_started("orders", 0));
    let mut out = std::io::stdout();
    for number in 0.. {
        writer.observe(&chunk(&table("orders"), (number % 4) as u32, number / 4));
        if number % 25 == 24 {
            writer.flush().unwrap();
            std::io::Write::write_all(&mut out, format!("\ncommitted {}\n", number + 1).as_bytes()).unwrap();
        }
    }
}

struct Writing {
    child: Child,
    lines: std::io::Lines<BufReader<std::process::ChildStdout>>,
}

impl Writing {
    fn start(path: &Path) -> Self {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "state::child_that_writes_until_it_is_killed", "--nocapture"])
            .env("DTSCTL_TEST_STATE_CHILD", path)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        Self { child, lines }
    }

    /// The next count of chunks that the child says are in the file.
    fn committed(&mut self) -> u64 {
        loop {
            let line = self.lines.next().expect("the child goes on until it is killed").unwrap();
            if let Some(count) = line.strip_prefix("committed ") {
                return count.parse().unwrap();
            }
        }
    }

    fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

#[test]
fn a_killed_writer_leaves_a_state_that_can_be_read_and_resumed() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("shop.db");
    for round in 0..10 {
        let mut writing = Writing::start(&path);
        let mut told = 0;
        for _ in 0..=round {
            told = writing.committed();
        }
        let pid = writing.child.id();
        let running = read(&path, SystemTime::now()).unwrap();
        assert_eq!(running.state, RunState::Running);
        assert_eq!(running.holder.unwrap().pid, pid);
        assert!(running.tables[0].rows_done >= told * 10);
        assert!(matches!(lock(&path, &me()), Err(StateError::Locked { holder, .. }) if holder.pid == pid));
        writing.kill();

        let killed = read(&path, SystemTime::now()).unwrap();
        assert_eq!((killed.state, killed.runs), (RunState::Killed, round + 1));
        assert_eq!(killed.holder, None);
        assert!(killed.tables[0].rows_done >= told * 10, "what was flushed is there");
        assert_eq!(killed.tables[0].state, TableState::Interrupted);
        assert_eq!(killed.run.unwrap().ended, None);
    }
    // The destination has less or more than the file says: its truth is written over it.
    let _guard = lock(&path, &me()).unwrap();
    let (writer, opened) = start(&path, &task(), &clock());
    assert_eq!(opened, Opened::Resumed { spec_changed: false });
    writer.observe(&table_started("orders", 777));
    writer.set_range(&table("orders"), 0, RangeTruth { rows: 700, written: 690, bytes: 7000, finished: true });
    writer.set_range(&table("orders"), 1, RangeTruth { rows: 77, written: 77, bytes: 770, finished: false });
    for range in 2..4 {
        writer.set_range(&table("orders"), range, RangeTruth { rows: 0, written: 0, bytes: 0, finished: false });
    }
    writer.flush().unwrap();
    let status = read(&path, SystemTime::now()).unwrap();
    let orders = &status.tables[0];
    assert_eq!((orders.rows_done, orders.bytes_done, orders.ranges, orders.ranges_finished), (777, 7770, 4, 1));
    assert_eq!((orders.rows_kept, status.totals.rows_kept), (10, 10));
    writer.end_run(RunEnd::Stopped, None).unwrap();
    drop(_guard);
    assert_eq!(read(&path, SystemTime::now()).unwrap().state, RunState::Stopped);
}

#[test]
fn readers_find_a_whole_state_while_it_is_written() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("shop.db");
    let _guard = lock(&path, &me()).unwrap();
    let (writer, opened) = start(&path, &task(), &clock());
    assert_eq!(opened, Opened::New);
    writer.observe(&table_started("a", 0));
    writer.observe(&table_started("b", 0));
    writer.flush().unwrap();
    let done = StopToken::default();
    std::thread::scope(|scope| {
        let reader = scope.spawn(|| {
            let (mut last, mut looks) = (0, 0);
            while !done.is_stopped() {
                let status = read(&path, SystemTime::now()).unwrap();
                let rows = status.totals.rows_done;
                assert!(rows >= last, "{rows} after {last}");
                assert_eq!(rows, status.tables.iter().map(|t| t.rows_done).sum::<u64>());
                assert_eq!(rows, status.tables.iter().map(|t| t.chunks).sum::<u64>() * 10);
                (last, looks) = (rows, looks + 1);
            }
            looks
        });
        for number in 0..20_000u64 {
            writer.observe(&chunk(&table(if number % 2 == 0 { "a" } else { "b" }), 0, number / 2));
        }
        writer.flush().unwrap();
        done.stop();
        assert!(reader.join().unwrap() > 0);
    });
    assert_eq!(read(&path, SystemTime::now()).unwrap().totals.rows_done, 200_000);
}

#[test]
fn the_life_of_a_task() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("deep/shop.db");
    let now = std::sync::Arc::new(std::sync::atomic::AtomicU64::new(0));
    let at = |seconds: u64| UNIX_EPOCH + Duration::from_secs(1_714_557_600 + seconds);
    let clock = Clock::new({
        let now = now.clone();
        move || UNIX_EPOCH + Duration::from_secs(1_714_557_600 + now.load(std::sync::atomic::Ordering::SeqCst))
    });
    let set = |seconds| now.store(seconds, std::sync::atomic::Ordering::SeqCst);
    assert!(matches!(read(&path, at(0)), Err(StateError::Missing { .. })));
    assert!(matches!(progress(&path), Err(StateError::Missing { .. })));

    let guard = lock(&path, &me()).unwrap();
    let (writer, _) = start(&path, &task(), &clock);
    writer.save_plan("p-1", "{\"plan\": 1}").unwrap();
    writer.observe(&Event::PhaseStarted { phase: Phase::Schema });
    writer.observe(&Event::StatementStarted {
        action: "a1".to_owned(),
        index: 0,
        object: "shop.orders".to_owned(),
        sql: "CREATE TABLE orders (id INT)".to_owned(),
    });
    set(2);
    writer.observe(&Event::StatementFinished {
        action: "a1".to_owned(),
        index: 0,
        milliseconds: 1234,
        warnings: vec![(1681, "deprecated".to_owned())],
        found_done: false,
    });
    writer.created("table", "shop_dr.orders", "f1");
    writer.observe(&Event::PhaseFinished { phase: Phase::Schema });
    writer.observe(&Event::PhaseStarted { phase: Phase::Full });
    let planned = |name: &str, rows_estimate| PlannedTable {
        table: table(name),
        destination: TableName::new("shop_dr", name),
        rows_estimate,
        bytes_estimate: rows_estimate * 100,
        rows_done: 0,
        bytes_done: 0,
        finished: false,
    };
    writer.observe(&Event::TablesPlanned { tables: vec![planned("orders", 1_000_000), planned("users", 500)] });
    writer.observe(&table_started("orders", 0));
    writer.flush().unwrap();
    set(12);
    for number in 0..1000 {
        writer.observe(&chunk(&table("orders"), 0, number));
    }
    writer.observe(&Event::RangeFinished { table: table("orders"), range: 0 });
    writer.observe(&Event::Waiting { who: "full copy".to_owned(), reason: "connection lost".to_owned() });
    writer.observe(&Event::Note { text: "look here".to_owned() });
    writer.flush().unwrap();

    let status = read(&path, at(17)).unwrap();
    assert_eq!(status.state, RunState::Running);
    assert_eq!((status.totals.tables, status.totals.rows_done, status.totals.rows_expected), (2, 10_000, 1_000_500));
    assert_eq!(status.totals.rows_per_second, Some(666.7), "10,000 rows in 15 s, the wait included");
    assert_eq!(status.totals.eta_seconds, Some(1486));
    assert_eq!((status.waits[0].since.as_deref(), status.waits[0].seconds), (Some("2024-05-01T10:00:12.000Z"), 5.0));
    assert_eq!((status.statements.finished, status.statements.with_warnings, status.statements.milliseconds), (1, 1, 1234));
    assert_eq!(status.run.as_ref().unwrap().plan_id.as_deref(), Some("p-1"));
    insta::with_settings!({prepend_module_to_snapshot => false}, {
        let stable = serde_json::to_string_pretty(&status).unwrap().replace(&format!("\"pid\": {}", std::process::id()), "\"pid\": 4711");
        insta::assert_snapshot!("status_running", stable);
    });

    // Somebody asks to stop.
    let watch = ControlWatch::open(&path).unwrap();
    assert_eq!(watch.requests().unwrap(), Requests::default());
    request_stop(&path, "now", &clock).unwrap();
    request_setting(&path, "throttle.full.rps", "5", &clock).unwrap();
    request_setting(&path, "throttle.full.rps", "none", &clock).unwrap();
    let asked = Requests { stop: Some("now".to_owned()), settings: vec![("throttle.full.rps".to_owned(), "none".to_owned())], hold: None };
    assert_eq!(watch.requests().unwrap(), asked);
    request_hold(&path, "now", &clock).unwrap();
    assert_eq!(watch.requests().unwrap().hold.map(|(at, _)| at).as_deref(), Some("now"));
    release_hold(&path, &clock).unwrap();
    assert_eq!(watch.requests().unwrap(), asked);
    assert!(read(&path, at(17)).unwrap().stop_requested.is_some());
    set(20);
    writer.observe(&Event::WaitOver { who: "full copy".to_owned() });
    writer.end_run(RunEnd::Stopped, None).unwrap();
    drop((writer, guard));
    assert!(matches!(request_stop(&path, "now", &clock), Err(StateError::NotRunning { .. })));
    let status = read(&path, at(100)).unwrap();
    assert_eq!((status.state, status.totals.eta_seconds), (RunState::Stopped, None));
    assert_eq!((status.waits[0].since.as_deref(), status.waits[0].seconds), (None, 8.0));

    // A second run with a changed spec: the old stop is forgotten, what is done is known, a statement fails.
    set(200);
    let guard = lock(&path, &me()).unwrap();
    let changed = TaskIdentity { spec_digest: "d2".to_owned(), ..task() };
    let (writer, opened) = start(&path, &changed, &clock);
    assert_eq!(opened, Opened::Resumed { spec_changed: true });
    assert_eq!(watch.requests().unwrap(), Requests::default());
    writer.observe(&table_started("orders", 10_000));
    writer.observe(&Event::TableFinished { table: table("orders"), rows: 990_000, bytes: 99_000_000 });
    writer.observe(&Event::TablesPlanned {
        tables: vec![PlannedTable { rows_done: 501, bytes_done: 50_100, finished: true, ..planned("users", 500) }],
    });
    writer.observe(&Event::PhaseFinished { phase: Phase::Full });
    writer.observe(&Event::StatementStarted {
        action: "a9".to_owned(),
        index: 1,
        object: "shop.orders".to_owned(),
        sql: "ALTER TABLE orders ADD INDEX (id)".to_owned(),
    });
    writer.observe(&Event::StatementFailed { action: "a9".to_owned(), index: 1, error: "server error 1114".to_owned() });
    writer.end_run(RunEnd::Failed, Some("server error 1114")).unwrap();
    drop((writer, guard));
    let status = read(&path, at(300)).unwrap();
    assert_eq!((status.state, status.task.specs, status.runs), (RunState::Failed, 2, 2));
    assert_eq!((status.totals.tables_finished, status.totals.rows_done, status.totals.rows_expected), (2, 990_501, 990_501));
    assert_eq!(status.run.unwrap().error.as_deref(), Some("server error 1114"));
    assert_eq!(status.statements.failed[0].error.as_deref(), Some("server error 1114"));

    let done = progress(&path).unwrap();
    assert_eq!(done.task_id, task().task_id());
    assert_eq!(done.statements_done, [("a1".to_owned(), 0)]);
    assert_eq!(done.tables_finished, [table("orders"), table("users")]);
    assert_eq!(done.phases_finished, [Phase::Schema, Phase::Full]);
    assert_eq!((done.created[0].object.as_str(), done.created[0].fingerprint.as_str()), ("shop_dr.orders", "f1"));
    assert_eq!(saved_plan(&path).unwrap().unwrap().document, "{\"plan\": 1}");
    assert_eq!(holder(&path).unwrap(), None);
}

#[test]
fn files_that_are_not_ones_own_are_refused_with_a_reason() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("shop.db");
    drop(start(&path, &task(), &clock()));
    let open = |task: &TaskIdentity| StateFile::open_or_create(&path, task, &clock()).map(|_| ()).unwrap_err();
    let said = |error: StateError| error.to_string().replace(&path.display().to_string(), "PATH");

    insta::assert_snapshot!(said(open(&TaskIdentity { name: "other".to_owned(), ..task() })), @"the state file 'PATH' belongs to the task 'shop', not to 'other'");
    insta::assert_snapshot!(said(open(&TaskIdentity { source: server("db7"), ..task() })), @"the state file 'PATH' is for the source server db1:3306 (mysql 8.0.36, uuid-of-db1), and the spec's source is now another server, db7:3306 (mysql 8.0.36, uuid-of-db7)");
    let moved = ServerIdentity { address: "10.0.0.9:3306".to_owned(), version: "mysql 8.4.3".to_owned(), ..server("db2") };
    StateFile::open_or_create(&path, &TaskIdentity { destination: moved, ..task() }, &clock()).unwrap();
    assert_eq!(read(&path, SystemTime::now()).unwrap().task.destination.address, "10.0.0.9:3306", "the same server under another address");

    rusqlite::Connection::open(&path).unwrap().pragma_update(None, "user_version", 99).unwrap();
    insta::assert_snapshot!(said(open(&task())), @"the state file 'PATH' has version 99, and this dtsctl knows versions up to 3");
    insta::assert_snapshot!(said(read(&path, SystemTime::now()).unwrap_err()), @"the state file 'PATH' has version 99, and this dtsctl knows versions up to 3");
    rusqlite::Connection::open(&path).unwrap().pragma_update(None, "user_version", 3).unwrap();

    rusqlite::Connection::open(&path).unwrap().execute_batch("DROP TABLE range_copy").unwrap();
    insta::assert_snapshot!(said(read(&path, SystemTime::now()).unwrap_err()), @"the state file 'PATH' is damaged: no such table: range_copy");
    std::fs::write(&path, "name: shop\n").unwrap();
    insta::assert_snapshot!(said(open(&task())), @"'PATH' is not a state file of dtsctl");
    insta::assert_snapshot!(said(read(&path, SystemTime::now()).unwrap_err()), @"'PATH' is not a state file of dtsctl");
}

#[test]
fn the_incremental_phase_in_the_state_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("shop.db");
    let now = std::sync::Arc::new(std::sync::atomic::AtomicU64::new(0));
    let at = |second: u64| UNIX_EPOCH + Duration::from_secs(1_714_557_600 + second);
    let set = |second: u64| now.store(second, std::sync::atomic::Ordering::SeqCst);
    let clock = Clock::new({
        let now = now.clone();
        move || UNIX_EPOCH + Duration::from_secs(1_714_557_600 + now.load(std::sync::atomic::Ordering::SeqCst))
    });
    let position = |offset: u64| Position::new(Place { file: "binlog.000003".to_owned(), offset }, Some("0-1-7".parse().unwrap()));
    let batch = |offset: u64| {
        Event::BatchCommitted(Box::new(BatchCommitted {
            position: position(offset),
            source_micros: 1_714_557_600_000_000,
            transactions: 2,
            row_events: 10,
            inserted: 5,
            updated: 3,
            deleted: 1,
            bytes: 1000,
            micros: 700,
        }))
    };
    let lag = |micros, idle| {
        let (applied, read) = (position(500), position(900));
        Event::Lag(Box::new(Lag { applied, read, micros, idle, by_heartbeat: true, lanes_busy: 2, backlog_bytes: 400 }))
    };
    let ddl = |class: &str, outcome| {
        Event::DdlSeen(Box::new(DdlSeen {
            place: Place { file: "binlog.000003".to_owned(), offset: 400 },
            gtid: Some("0-1-7".to_owned()),
            class: class.to_owned(),
            object: Some("shop.orders".to_owned()),
            sql: "ALTER TABLE shop.orders ADD x INT".to_owned(),
            outcome,
        }))
    };
    let guard = lock(&path, &me()).unwrap();
    let (writer, _) = start(&path, &task(), &clock);
    writer.observe(&Event::PhaseStarted { phase: Phase::Incremental });
    writer.observe(&Event::LimitsChanged { limits: vec![("threads", 4.0), ("throttle.incremental.rps", 5000.0)] });
    writer.observe(&Event::FollowStarted { from: position(157), until: "never".to_owned(), lanes: 4 });
    writer.flush().unwrap();
    set(10);
    writer.observe(&batch(400));
    writer.observe(&batch(500));
    writer.observe(&lag(Some(1_500_000), false));
    let retention = |hours: u64| Retention { removed_after: Some(hours * 3600), oldest_age: Some(7200), uptime: Some(9000) };
    writer.observe(&Event::BinlogKept(BinlogKept { retention: retention(72), needed: 86_400 }));
    writer.observe(&Event::BinlogKept(BinlogKept { retention: retention(12), needed: 86_400 }));
    let met = |rows| Event::ConflictMet { table: table("orders"), kind: "update-missing", key: vec!["id".to_owned()], rows };
    writer.observe(&met(2));
    writer.observe(&met(1));
    writer.observe(&ddl("alter-table", DdlOutcome::Carried { milliseconds: 12, found_done: false }));
    writer.observe(&ddl("alter-table", DdlOutcome::Failed { error: "server error 1060 (42S21): Duplicate column name 'x'".to_owned() }));
    writer.observe(&ddl("create-user", DdlOutcome::Skipped { reason: "accounts are not carried".to_owned() }));
    writer.flush().unwrap();
    let status = read(&path, at(12)).unwrap();
    let follow = status.follow.as_ref().unwrap();
    assert_eq!((follow.lag_seconds, follow.idle), (Some(3.5), Some(false)), "what was measured two seconds ago has grown");
    assert_eq!((follow.transactions, follow.row_events, follow.commits), (4, 20, 2));
    assert_eq!((follow.rows_per_second, follow.transactions_per_second), (Some(1.7), Some(0.3)));
    assert_eq!((status.conflicts.len(), status.conflicts[0].rows), (1, 3));
    insta::with_settings!({prepend_module_to_snapshot => false}, {
        let parts = serde_json::json!({"follow": status.follow, "conflicts": status.conflicts, "ddl": status.ddl, "limits": status.limits});
        insta::assert_snapshot!("status_follow", serde_json::to_string_pretty(&parts).unwrap());
    });
    // The destination knows better, and a run that has ended has no lag.
    writer.set_follow(&position(600), 7, 30);
    writer.observe(&Event::FollowMoved { position: position(650) });
    writer.observe(&Event::CaughtUp { position: position(650) });
    writer.observe(&Event::LimitsChanged { limits: vec![("threads", 2.0)] });
    writer.end_run(RunEnd::Stopped, None).unwrap();
    drop((writer, guard));
    let status = read(&path, at(100)).unwrap();
    let follow = status.follow.as_ref().unwrap();
    assert_eq!((follow.lag_seconds, follow.idle, follow.lanes_busy), (None, None, 0));
    assert_eq!((follow.transactions, follow.row_events, follow.position.offset), (7, 30, 650));
    assert_eq!(follow.caught_up.as_deref(), Some("2024-05-01T10:00:10.000Z"));
    assert_eq!(status.limits.len(), 1);
    // A later run goes on with the same counts.
    let guard = lock(&path, &me()).unwrap();
    let (writer, _) = start(&path, &task(), &clock);
    writer.observe(&Event::FollowStarted { from: position(650), until: "caught-up".to_owned(), lanes: 2 });
    writer.observe(&batch(700));
    writer.flush().unwrap();
    let follow = read(&path, at(11)).unwrap().follow.unwrap();
    assert_eq!((follow.transactions, follow.from.offset, follow.position.offset, follow.lanes), (9, 157, 700, 2));
    assert_eq!((follow.lag_seconds, follow.read), (None, None), "nothing of the run before is told as of now");
    drop((writer, guard));
}

/// Files as earlier versions wrote them; a new step of the ladder adds a file here and changes none.
const FILES: &[(u32, &str)] = &[
    (1, include_str!("../testdata/state/v1.sql")),
    (2, include_str!("../testdata/state/v2.sql")),
    (3, include_str!("../testdata/state/v3.sql")),
];

#[test]
fn files_of_every_earlier_version_are_read_and_lifted() {
    let folder = tempfile::tempdir().unwrap();
    for (version, sql) in FILES {
        let path = folder.path().join(format!("v{version}.db"));
        rusqlite::Connection::open(&path).unwrap().execute_batch(sql).unwrap();
        let before = std::fs::read(&path).unwrap();
        let status = read(&path, UNIX_EPOCH).unwrap();
        assert_eq!((status.task.name.as_str(), status.state, status.totals.rows_done), ("shop", RunState::Killed, 777), "v{version}");
        assert_eq!(std::fs::read(&path).unwrap(), before, "v{version}: reading does not write");
        let followed = |status: &dtsctl::state::Status| {
            status.follow.as_ref().map(|f| (f.transactions, f.row_events, f.from.offset, f.position.offset, status.conflicts.len()))
        };
        let expected = (*version > 1).then_some((4, 20, 157, 400, 1));
        assert_eq!(followed(&status), expected, "v{version}");
        let kept = status.follow.as_ref().and_then(|f| f.retention.as_ref()).map(|kept| (kept.removed_after_seconds, kept.short));
        assert_eq!(kept, (*version > 2).then_some((Some(259_200), false)), "v{version}");
        let (writer, opened) = start(&path, &task(), &clock());
        assert_eq!(opened, Opened::Resumed { spec_changed: false }, "v{version}");
        writer.observe(&chunk(&table("orders"), 1, 0));
        writer.end_run(RunEnd::Finished, None).unwrap();
        let status = read(&path, UNIX_EPOCH).unwrap();
        assert_eq!((status.totals.rows_done, followed(&status)), (787, expected), "v{version}");
    }
}

/// An account that may look but not write, as a colleague's: the folder and the files are read-only.
#[test]
fn a_finished_state_is_read_where_nothing_can_be_written() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("shop.db");
    let (writer, _) = start(&path, &task(), &clock());
    writer.end_run(RunEnd::Finished, None).unwrap();
    drop(writer);
    assert!(!folder.path().join("shop.db-wal").exists(), "closed in order");
    std::fs::set_permissions(folder.path(), PermissionsExt::from_mode(0o555)).unwrap();
    let state = read(&path, SystemTime::now()).map(|s| s.state);
    std::fs::set_permissions(folder.path(), PermissionsExt::from_mode(0o755)).unwrap();
    assert_eq!(state.unwrap(), RunState::Finished);
}

#[test]
fn status_and_stop_by_the_program() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("shop.db");
    let program = |arguments: &[&str]| {
        let shown = crate::spec::outcome(crate::spec::dtsctl().args(arguments).arg("--state").arg(&path));
        shown.replace(&path.display().to_string(), "PATH")
    };
    let show = |name: &str, shown: String| {
        insta::with_settings!({snapshot_path => "snapshots/state", prepend_module_to_snapshot => false, omit_expression => true}, {
            insta::assert_snapshot!(name, shown);
        });
    };
    show("status-of-nothing", program(&["status"]));
    rusqlite::Connection::open(&path).unwrap().execute_batch(include_str!("../testdata/state/v1.sql")).unwrap();
    show("status-of-a-killed-run", program(&["status"]));
    show("status-watch-ends-with-the-run", program(&["status", "--watch"]));
    let json = program(&["status", "--format", "json"]);
    let json = json.strip_prefix("exit 0\n---stdout---\n").unwrap().split("---stderr---").next().unwrap();
    assert_eq!(serde_json::from_str::<serde_json::Value>(json).unwrap()["state"], "killed");
    show("stop-of-nothing", program(&["stop"]));
    {
        let _guard = lock(&path, &me()).unwrap();
        show("stop-of-a-run", program(&["stop"]));
        assert_eq!(ControlWatch::open(&path).unwrap().requests().unwrap().stop.as_deref(), Some("now"));
    }
    std::fs::write(&path, "not a database, and long enough to be looked at twice: a hundred bytes are what its header would have taken")
        .unwrap();
    show("status-of-another-file", program(&["status"]));
}
