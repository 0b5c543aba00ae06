//! Where reading may begin: gone, never there, on another server, without GTIDs, with tags; and a server that says nothing.

use std::time::{Duration, Instant};

use dtsctl::{
    binlog::{BinlogError, Item, Position, Stream},
    connect::BinlogTiming,
};
use testbed::{Flavor, Server, ServerOptions, have};

use super::{between, login, now, settings};
use crate::support::until;

const TABLE: &str = "CREATE DATABASE st_p;\nCREATE TABLE st_p.t (id INT PRIMARY KEY AUTO_INCREMENT, v VARCHAR(30));";
const INSERT: &str = "INSERT INTO st_p.t (v) VALUES ('a');";

/// Since 9.7 a MySQL server has them unless told otherwise.
fn without_gtids() -> ServerOptions {
    ServerOptions::new().gtid(false).arg("--gtid-mode=OFF").arg("--enforce-gtid-consistency=OFF")
}

fn error(server: &Server, start: &Position) -> BinlogError {
    let folder = tempfile::tempdir().unwrap();
    let login = login(server);
    match Stream::open(settings(&login, start, &folder)) {
        Err(error) => error,
        Ok(mut stream) => loop {
            if let Err(error) = stream.next_item() {
                return error;
            }
        },
    }
}

#[test]
fn what_is_purged_is_an_error_that_names_it() {
    for (flavor, gtid) in [(Flavor::MariaDb, true), (Flavor::MySql, true), (Flavor::MySql, false)] {
        if !have(flavor) {
            continue;
        }
        let server = Server::start(flavor, if gtid { ServerOptions::new() } else { without_gtids() }).unwrap();
        server.exec(TABLE).unwrap();
        let start = now(&server);
        server.exec(&format!("{INSERT}\nFLUSH BINARY LOGS;\n{INSERT}\nFLUSH BINARY LOGS;\n{INSERT}")).unwrap();
        let file = now(&server).place.file;
        until("the old files to go", || {
            server.exec(&format!("PURGE BINARY LOGS TO '{file}';")).unwrap();
            let mut conn = server.root_conn().unwrap();
            let files: Vec<mysql::Row> = mysql::prelude::Queryable::query(&mut conn, "SHOW BINARY LOGS").unwrap();
            files.len() == 1
        });
        let error = error(&server, &start);
        assert!(matches!(error, BinlogError::Purged { .. }), "{flavor} {gtid} {error:?}");
        assert!(!error.is_connection());
        let named = match flavor {
            Flavor::MySql if gtid => ":3".to_owned(),
            _ => format!("the oldest file is {file}"),
        };
        assert!(error.to_string().contains(&named) || flavor == Flavor::MariaDb, "{flavor} {gtid} {error}");
        // Reset, the server knows nothing of what was read.
        if gtid {
            server.exec(if flavor == Flavor::MySql { "RESET BINARY LOGS AND GTIDS;" } else { "RESET MASTER;" }).unwrap();
            let error = self::error(&server, &start);
            assert!(matches!(error, BinlogError::Ahead { switched: false, .. }), "{flavor} {error:?}");
        }
    }
}

/// A server and its replica, whose binlogs do not look alike.
fn pair(flavor: Flavor) -> (Server, Server) {
    let old = Server::start(flavor, ServerOptions::new()).unwrap();
    let options = ServerOptions::new().arg(if flavor == Flavor::MySql { "--log-replica-updates=ON" } else { "--log-slave-updates=ON" });
    let new = Server::start(flavor, options).unwrap();
    let (host, port, password) = (old.host(), old.port(), old.password());
    new.exec(&match flavor {
        Flavor::MySql => format!("RESET BINARY LOGS AND GTIDS;\nCHANGE REPLICATION SOURCE TO SOURCE_HOST='{host}', SOURCE_PORT={port}, SOURCE_USER='root', SOURCE_PASSWORD='{password}', SOURCE_AUTO_POSITION=1, GET_SOURCE_PUBLIC_KEY=1;\nSTART REPLICA;"),
        Flavor::MariaDb => format!("RESET MASTER;\nSET GLOBAL gtid_slave_pos='';\nCHANGE MASTER TO MASTER_HOST='{host}', MASTER_PORT={port}, MASTER_USER='root', MASTER_PASSWORD='{password}', MASTER_USE_GTID=slave_pos;\nSTART SLAVE;"),
    }).unwrap();
    // Places differ from here on.
    new.exec("FLUSH BINARY LOGS;\nFLUSH BINARY LOGS;").unwrap();
    (old, new)
}

#[test]
fn another_server_goes_on_by_gtid() {
    for flavor in Flavor::ALL {
        if !have(flavor) {
            continue;
        }
        let (old, new) = pair(flavor);
        let stranger = Server::start(flavor, ServerOptions::new()).unwrap();
        old.exec(TABLE).unwrap();
        let start = now(&old);
        old.exec(&format!("{INSERT}\n{INSERT}")).unwrap();
        let middle = now(&old);
        old.exec(&format!("{INSERT}\nUPDATE st_p.t SET v = 'longer than before';")).unwrap();
        let end = now(&old);
        until("the replica", || now(&new).gtid == end.gtid);
        let all = between(&old, &start, &end);
        assert_eq!(all.len(), 4);
        new.exec(INSERT).unwrap();
        let end = now(&new);
        // From a position that the stream itself gave, and from one that was asked for.
        for from in [&all[1].end, &middle] {
            let there = between(&new, from, &end);
            let lines = |all: &[super::Transaction]| all.iter().map(|t| t.lines[1..].to_vec()).collect::<Vec<_>>();
            assert_eq!(lines(&there)[..2], lines(&all)[2..], "{flavor}");
            assert_eq!(there.len(), 3, "{flavor} {there:#?}");
            let stops = there[0].end.clone();
            assert_eq!(stops.gtid, all[2].end.gtid, "{flavor}");
            assert_eq!(between(&new, &stops, &end), there[1..], "{flavor}");
        }
        // Nothing but a place: it means nothing there.
        let without = Position { gtid: None, ..middle.clone() };
        assert!(matches!(error(&new, &without), BinlogError::SourceSwitched { .. }), "{flavor}");
        // A server that lacks what was read.
        let lacking = error(&stranger, &middle);
        assert!(matches!(lacking, BinlogError::Ahead { switched: true, .. }) && lacking.is_connection(), "{flavor} {lacking:?}");
    }
}

#[test]
fn without_gtids_and_with_tags() {
    if !have(Flavor::MySql) {
        return;
    }
    let server = Server::start(Flavor::MySql, without_gtids()).unwrap();
    server.exec(TABLE).unwrap();
    let start = now(&server);
    assert_eq!(start.gtid, None);
    server.exec(&format!("{INSERT}\nFLUSH BINARY LOGS;\n{INSERT}")).unwrap();
    server.restart().unwrap();
    server.exec(INSERT).unwrap();
    let end = now(&server);
    let all = between(&server, &start, &end);
    assert_eq!(all.len(), 3);
    for (index, transaction) in all.iter().enumerate() {
        assert_eq!(transaction.end.gtid, None);
        assert_eq!(between(&server, &transaction.end, &end), all[index + 1..]);
    }
    let server = Server::start(Flavor::MySql, ServerOptions::new()).unwrap();
    server.exec(TABLE).unwrap();
    let start = now(&server);
    let tagged = format!("SET SESSION gtid_next = 'AUTOMATIC:night';\n{INSERT}\n{INSERT}");
    server.exec(&format!("{tagged}\nSET SESSION gtid_next = 'AUTOMATIC';\n{INSERT}\n{tagged}")).unwrap();
    let end = now(&server);
    let all = between(&server, &start, &end);
    assert_eq!(all.len(), 5);
    assert!(all[4].end.gtid.as_ref().unwrap().to_string().ends_with(":1-3:night:1-4"), "{}", all[4].end);
    for (index, transaction) in all.iter().enumerate() {
        assert_eq!(between(&server, &transaction.end, &end), all[index + 1..]);
    }
}

#[test]
fn two_tasks_read_side_by_side_and_silence_is_an_error() {
    for flavor in Flavor::ALL {
        if !have(flavor) {
            continue;
        }
        let server = Server::start(flavor, ServerOptions::new()).unwrap();
        server.exec(TABLE).unwrap();
        let (login, start) = (login(&server), now(&server));
        let folder = tempfile::tempdir().unwrap();
        let open = |task| {
            let mut settings = settings(&login, &start, &folder);
            settings.task = task;
            settings.timing = BinlogTiming { silence: Duration::from_secs(3), ..settings.timing };
            Stream::open(settings).unwrap()
        };
        let (mut a, mut b) = (open("a"), open("b"));
        for _ in 0..3 {
            let idle = |stream: &mut Stream| matches!(stream.next_item().unwrap(), Item::Heartbeat | Item::Moved(_));
            assert!(idle(&mut a) && idle(&mut b), "{flavor}");
        }
        server.exec(INSERT).unwrap();
        for stream in [&mut a, &mut b] {
            let mut items = std::iter::from_fn(|| stream.next_item().ok());
            assert!(items.any(|item| matches!(item, Item::Commit(_))), "{flavor}");
        }
        drop(b);
        // A second stream of one task takes the first one's place, as after a lost connection that the server has not noticed.
        let mut again = open("a");
        until("the first one's end", || {
            let _ = again.next_item().unwrap();
            a.next_item().is_err()
        });
        server.freeze().unwrap();
        let begin = Instant::now();
        let error = std::iter::from_fn(|| Some(again.next_item())).find_map(Result::err).unwrap();
        server.thaw().unwrap();
        assert!(error.is_connection() && error.to_string().contains("neither event nor heartbeat for 3 s"), "{flavor} {error}");
        assert!(begin.elapsed() < Duration::from_secs(20));
    }
}

#[test]
fn a_server_without_binlog_is_refused() {
    if !have(Flavor::MariaDb) {
        return;
    }
    let server = Server::start(Flavor::MariaDb, ServerOptions::new().binlog(false)).unwrap();
    let place = dtsctl::binlog::Place { file: "binlog.000001".to_owned(), offset: 4 };
    assert!(matches!(error(&server, &Position::new(place, None)), BinlogError::NotLogged { .. }));
}

/// A task whose source has failed over goes on with the new one, also when it is started anew; a stranger is refused.
#[test]
fn a_task_goes_on_at_another_source() {
    for flavor in Flavor::ALL {
        if !have(flavor) {
            continue;
        }
        let (old, new) = pair(flavor);
        let (stranger, destination) =
            (Server::start(flavor, ServerOptions::new()).unwrap(), Server::start(flavor, ServerOptions::new()).unwrap());
        old.exec(&format!("{TABLE}\n{INSERT}")).unwrap();
        stranger.exec(TABLE).unwrap();
        let rest = "phases: {schema: true, full: true, incremental: true}\nobjects: [{database: st_p}]\n";
        let apply = |source: &Server, state: Option<&crate::support::Task>| {
            let task = crate::support::Task::new("over", source, &destination, rest);
            if let Some(before) = state {
                std::fs::create_dir_all(task.state().parent().unwrap()).unwrap();
                std::fs::copy(before.state(), task.state()).unwrap();
            }
            let outcome = task.run(&["apply", "--yes", "--until", "caught-up"]);
            (task, outcome)
        };
        let (first, outcome) = apply(&old, None);
        outcome.expect(0);
        old.exec(&format!("{INSERT}\nUPDATE st_p.t SET v = 'old' WHERE id = 1;")).unwrap();
        let end = now(&old).gtid;
        until("the replica", || now(&new).gtid == end);
        old.stop().unwrap();
        new.exec(INSERT).unwrap();
        let (_, refused) = apply(&stranger, Some(&first));
        assert!(refused.code != Some(0) && refused.stderr.contains("lacks what has been read before"), "{flavor} {}", refused.shown());
        let (second, outcome) = apply(&new, Some(&first));
        outcome.expect(0);
        let rows = |server: &Server| -> Vec<(u32, String)> {
            mysql::prelude::Queryable::query(&mut server.root_conn().unwrap(), "SELECT id, v FROM st_p.t ORDER BY id").unwrap()
        };
        assert_eq!(rows(&destination), rows(&new), "{flavor}");
        assert_eq!(rows(&new).len(), 3);
        new.exec(INSERT).unwrap();
        apply(&new, Some(&second)).1.expect(0);
        assert_eq!(rows(&destination), rows(&new), "{flavor}");
    }
}
