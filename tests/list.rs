//! `dtsctl list`: many tasks at a glance, from their state files alone (requirements I11).

use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use dtsctl::{
    binlog::{Place, Position},
    clock::Clock,
    event::{Event, Lag, Observer as _, Phase, PlannedTable},
    report::list::table,
    state::{ListedTask, RunEnd, StateWriter, TaskIdentity, TaskList, lock, read},
};

use crate::state::{me, start, table as source_table, task};

fn at(second: u64) -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(1_714_557_600 + second)
}

/// A clock that stands until it is set, and what sets it.
fn clock() -> (Clock, impl Fn(u64)) {
    let now = Arc::new(AtomicU64::new(0));
    let told = now.clone();
    (Clock::new(move || at(told.load(Ordering::SeqCst))), move |second| now.store(second, Ordering::SeqCst))
}

fn named(name: &str) -> TaskIdentity {
    TaskIdentity { name: name.to_owned(), ..task() }
}

fn copies(writer: &StateWriter, rows_done: u64, finished: bool) {
    writer.observe(&Event::PhaseStarted { phase: Phase::Full });
    let planned = PlannedTable {
        table: source_table("orders"),
        destination: source_table("orders"),
        rows_estimate: 1000,
        bytes_estimate: 100_000,
        rows_done,
        bytes_done: rows_done * 100,
        finished,
    };
    writer.observe(&Event::TablesPlanned { tables: vec![planned] });
    if finished {
        writer.observe(&Event::PhaseFinished { phase: Phase::Full });
    }
}

fn follows(writer: &StateWriter, micros: Option<u64>, idle: bool) {
    let position = |offset| Position::new(Place { file: "binlog.000003".to_owned(), offset }, Some("0-1-7".parse().unwrap()));
    writer.observe(&Event::PhaseStarted { phase: Phase::Incremental });
    writer.observe(&Event::FollowStarted { from: position(157), until: "never".to_owned(), lanes: 4 });
    let (applied, read) = (position(500), position(900));
    writer.observe(&Event::Lag(Box::new(Lag { applied, read, micros, idle, by_heartbeat: true, lanes_busy: 2, backlog_bytes: 400 })));
}

/// A folder of state files: what each kind of task leaves.
fn fill(folder: &Path) {
    let (clock, set) = clock();
    // Killed in the copy: the run has no end, and nobody holds the lock.
    let (killed, _) = start(&folder.join("crm-to-dr.db"), &named("crm-to-dr"), &clock);
    copies(&killed, 420, false);
    killed.flush().unwrap();
    drop(killed);
    // Stopped while it followed.
    let (stopped, _) = start(&folder.join("shop.db"), &named("shop"), &clock);
    copies(&stopped, 1000, true);
    follows(&stopped, Some(1_500_000), false);
    set(3600);
    stopped.end_run(RunEnd::Stopped, None).unwrap();
    // Failed, under a file's name that is not the task's.
    let long = "a-name-as-long-as-a-name-may-be-which-is-fifty-seven-long";
    let (failed, _) = start(&folder.join("other.db"), &named(long), &clock);
    failed.observe(&Event::PhaseStarted { phase: Phase::Schema });
    failed
        .end_run(RunEnd::Failed, Some("shop.orders: statement 1 of action a1 failed: server error 1114 (HY000): The table is full"))
        .unwrap();
}

/// Files of a folder that are no tasks, and do no harm.
fn strew(folder: &Path) {
    rusqlite::Connection::open(folder.join("theirs.db")).unwrap().execute_batch("CREATE TABLE theirs (x)").unwrap();
    fs::write(folder.join("empty.db"), "").unwrap();
    fs::write(folder.join("notes.txt"), "not looked at").unwrap();
    fs::create_dir(folder.join("folder.db")).unwrap();
}

fn show(name: &str, shown: &str) {
    insta::with_settings!({snapshot_path => "snapshots/list", prepend_module_to_snapshot => false, omit_expression => true}, {
        insta::assert_snapshot!(name, shown);
    });
}

fn program(folder: &Path, arguments: &[&str]) -> String {
    crate::spec::outcome(crate::spec::dtsctl().current_dir(folder).arg("list").args(arguments))
}

#[test]
fn tasks_of_a_folder_by_the_program() {
    let folder = tempfile::tempdir().unwrap();
    show("nothing-yet", &program(folder.path(), &[]));
    let state = folder.path().join(".dtsctl");
    fill(&state);
    strew(&state);
    let usual = program(folder.path(), &[]);
    show("table", &usual);
    let body = usual.split("---stdout---\n").nth(1).unwrap().split("---stderr---").next().unwrap();
    assert!(body.lines().all(|line| line.chars().count() <= 80), "{body}");
    assert_eq!(program(folder.path(), &["."]), usual, "a folder brings the .dtsctl in it");
    assert_eq!(program(folder.path(), &[".", ".dtsctl", ".dtsctl/shop.db"]), usual, "no task is listed twice");
    assert_eq!(program(folder.path(), &["--state", ".dtsctl/shop.db"]), usual, "the folder that --state points into");
    show("markdown", &program(folder.path(), &["--format", "markdown"]));
    let json = program(folder.path(), &["--format", "json"]);
    let json = json.strip_prefix("exit 0\n---stdout---\n").unwrap().split("---stderr---").next().unwrap();
    let document: serde_json::Value = serde_json::from_str(json).unwrap();
    let states: Vec<_> = document["tasks"].as_array().unwrap().iter().map(|task| task["state"].as_str().unwrap()).collect();
    assert_eq!(states, ["killed", "failed", "stopped"]);
    assert_eq!(document["tasks"][2]["since"], "2024-05-01T11:00:00.000Z");
    assert_eq!(document["tasks"][2]["position"]["gtid"], "0-1-7");
    assert_eq!(document["unusable"].as_array().unwrap().len(), 2);
}

#[test]
fn a_file_that_cannot_be_read_costs_no_other_its_line() {
    let folder = tempfile::tempdir().unwrap();
    fill(folder.path());
    rusqlite::Connection::open(folder.path().join("other.db")).unwrap().pragma_update(None, "user_version", 99).unwrap();
    fs::write(folder.path().join("shop.db"), &fs::read(folder.path().join("shop.db")).unwrap()[..2000]).unwrap();
    show("unusable", &program(folder.path(), &["."]));
    show("unusable-alone", &program(folder.path(), &["other.db"]));
    // What is named one by one has to be there, and to be ours.
    fs::write(folder.path().join("text.db"), "x".repeat(200)).unwrap();
    show("foreign-alone", &program(folder.path(), &["text.db"]));
    show("missing-alone", &program(folder.path(), &["no.db"]));
}

/// A read-only medium: neither the folder nor the files can be written.
#[test]
fn tasks_are_listed_where_nothing_can_be_written() {
    let folder = tempfile::tempdir().unwrap();
    let (clock, set) = clock();
    let path = folder.path().join("shop.db");
    let (writer, _) = start(&path, &named("shop"), &clock);
    set(5);
    writer.end_run(RunEnd::Finished, None).unwrap();
    drop(writer);
    fs::set_permissions(&path, PermissionsExt::from_mode(0o444)).unwrap();
    fs::set_permissions(folder.path(), PermissionsExt::from_mode(0o555)).unwrap();
    // The administrator may write all the same, and then SQLite puts its files for readers beside.
    let writable = fs::write(folder.path().join("probe"), "").is_ok();
    let shown = program(folder.path(), &["."]);
    let files = fs::read_dir(folder.path()).unwrap().count();
    fs::set_permissions(folder.path(), PermissionsExt::from_mode(0o755)).unwrap();
    assert!(shown.starts_with("exit 0\n") && shown.contains("shop  finished  2024-05-01 10:00:05"), "{shown}");
    assert!(writable || files == 1, "nothing is left behind");
}

#[test]
fn running_tasks_with_their_lag_and_what_they_wait_for() {
    let folder = tempfile::tempdir().unwrap();
    let (clock, set) = clock();
    let paths = ["behind", "quiet", "waiting"].map(|name| folder.path().join(format!("{name}.db")));
    let guards = paths.each_ref().map(|path| lock(path, &me()).unwrap());
    let writers = ["behind", "quiet", "waiting"].map(|name| start(&folder.path().join(format!("{name}.db")), &named(name), &clock).0);
    set(10);
    for writer in &writers {
        copies(writer, 1000, true);
    }
    follows(&writers[0], Some(3_725_000_000), false);
    follows(&writers[1], Some(90_000_000), true);
    follows(&writers[2], None, false);
    writers[2].observe(&Event::Waiting { who: "source".to_owned(), reason: "connection to db1:3306 lost".to_owned() });
    for writer in &writers {
        writer.flush().unwrap();
    }
    let mut list = TaskList::new("2024-05-01T10:00:15.000Z".to_owned());
    list.tasks = paths.iter().map(|path| ListedTask::new(path, read(path, at(15)).unwrap())).collect();
    show("running", &table(&list, 80));
    for writer in writers {
        writer.end_run(RunEnd::Stopped, None).unwrap();
    }
    drop(guards);
}
