//! A binlog that began anew and has grown past the place that was read, under the same names, numbers and offsets.

use dtsctl::{
    binlog::{BinlogError, Position, Stream, is_what_was_read, snapshot},
    connect::{Purpose, Session},
};
use mysql::prelude::Queryable as _;
use testbed::{Flavor, Server, ServerOptions, have};

use super::{between, login, now, settings};
use crate::support::until;

const TABLE: &str = "CREATE DATABASE st_m;\nCREATE TABLE st_m.t (id INT PRIMARY KEY AUTO_INCREMENT, v VARCHAR(3000));";
const INSERT: &str = "INSERT INTO st_m.t (v) VALUES ('a');\n";

/// By GTID where there are any, and by file and offset.
fn each(test: impl Fn(&Server)) {
    let without = ServerOptions::new().gtid(false).arg("--gtid-mode=OFF").arg("--enforce-gtid-consistency=OFF");
    for (flavor, options) in [(Flavor::MySql, ServerOptions::new()), (Flavor::MySql, without), (Flavor::MariaDb, ServerOptions::new())] {
        if have(flavor) {
            test(&Server::start(flavor, options).unwrap());
        }
    }
}

fn marked(server: &Server) -> Position {
    let login = login(server);
    let mut session = Session::open(&login, Purpose::Catalog).unwrap();
    snapshot::marked(&mut session, &login, "stream", snapshot::start_position).unwrap()
}

/// What beginning there fails with.
fn opened(server: &Server, start: &Position) -> Result<(), BinlogError> {
    let (folder, login) = (tempfile::tempdir().unwrap(), login(server));
    Stream::open(settings(&login, start, &folder)).map(drop)
}

#[track_caller]
fn is_another(server: &Server, start: &Position) -> String {
    let error = opened(server, start).unwrap_err();
    assert!(matches!(error, BinlogError::Another { .. }) && !error.is_connection() && !error.is_transient(), "{error:?}");
    assert!(error.to_string().contains(&start.place.file), "{error}");
    let (login, mut session) = (login(server), Session::open(&login(server), Purpose::Catalog).unwrap());
    assert!(matches!(is_what_was_read(&mut session, &login, "plan", start), Err(BinlogError::Another { .. })));
    error.to_string()
}

/// Begins the binlog anew, and lets it grow past a place by GTIDs and by offset.
fn begin_anew(server: &Server, past: &Position) {
    server.exec(if server.flavor() == Flavor::MySql { "RESET BINARY LOGS AND GTIDS;" } else { "RESET MASTER;" }).unwrap();
    until("the new binlog to grow past the old place", || {
        server.exec(&INSERT.repeat(3)).unwrap();
        let now = now(server);
        assert_eq!(now.place.file, past.place.file);
        now.covers(past) == Some(true) && now.was_had_by(&now) && past.was_had_by(&now) && now.place.offset > past.place.offset
    });
}

/// Two files that are begun in one second are told apart by what is in them.
fn next_second(server: &Server) {
    let mut conn = server.root_conn().unwrap();
    let mut clock = || -> u64 { conn.query_first("SELECT UNIX_TIMESTAMP()").unwrap().unwrap() };
    let begin = clock();
    until("the next second", || clock() > begin);
}

#[test]
fn a_file_that_came_to_bear_the_name_is_not_read() {
    each(|server| {
        server.exec(TABLE).unwrap();
        let start = marked(server);
        assert!(start.mark.is_some(), "{}", server.flavor());
        server.exec(&INSERT.repeat(3)).unwrap();
        let end = now(server);
        let all = between(server, &start, &end);
        let read = all.last().unwrap().end.clone();
        assert!(all.len() == 3 && read.mark.is_some() && read.place == end.place, "{read:?}");
        next_second(server);
        begin_anew(server, &end);
        for position in [&start, &all[0].end, &read] {
            let said = is_another(server, position);
            assert!(said.contains("that one was begun at 20"), "{said}");
        }
        // What was noted before there were marks goes on as it did.
        opened(server, &Position { mark: None, ..read }).unwrap();
    });
}

/// The new binlog has as many transactions as the old one, in fewer files: the server was not started as often since.
#[test]
fn a_file_whose_number_is_not_reached_again_is_another_one() {
    each(|server| {
        server.exec(TABLE).unwrap();
        server.exec("FLUSH BINARY LOGS;\nFLUSH BINARY LOGS;\nFLUSH BINARY LOGS;").unwrap();
        let start = marked(server);
        server.exec(&INSERT.repeat(3)).unwrap();
        let read = between(server, &start, &now(server)).pop().unwrap().end;
        server.exec(if server.flavor() == Flavor::MySql { "RESET BINARY LOGS AND GTIDS;" } else { "RESET MASTER;" }).unwrap();
        server.exec(&INSERT.repeat(20)).unwrap();
        for position in [&start, &read, &Position { mark: None, ..read.clone() }] {
            let said = is_another(server, position);
            assert!(said.ends_with("its newest one is binlog.000001"), "{said}");
        }
    });
}

/// All within a second or so, as a script would do it: by the time alone two files are taken for one.
#[test]
fn a_file_of_the_same_second_is_another_one() {
    each(|server| {
        server.exec(TABLE).unwrap();
        for _ in 0..4 {
            server.exec(if server.flavor() == Flavor::MySql { "RESET BINARY LOGS AND GTIDS;" } else { "RESET MASTER;" }).unwrap();
            // Unmarked, so that nothing waits; the stream sees the file's beginning and its transactions by itself.
            let start = now(server);
            server.exec(&INSERT.repeat(2)).unwrap();
            let end = now(server);
            let read = between(server, &start, &end).pop().unwrap().end;
            begin_anew(server, &end);
            is_another(server, &read);
            // By its time alone: whoever takes it waits until the file's second is over.
            server.exec(if server.flavor() == Flavor::MySql { "RESET BINARY LOGS AND GTIDS;" } else { "RESET MASTER;" }).unwrap();
            let start = marked(server);
            begin_anew(server, &start);
            is_another(server, &start);
        }
    });
}

#[test]
fn what_stands_at_the_place_is_looked_at() {
    each(|server| {
        server.exec(TABLE).unwrap();
        let start = marked(server);
        server.exec(&INSERT.repeat(3)).unwrap();
        let read = between(server, &start, &now(server)).pop().unwrap().end;
        let with = |key: &str, value: serde_json::Value| -> Position {
            let mut json = serde_json::to_value(&read).unwrap();
            json["mark"]["last"][key] = value;
            serde_json::from_value(json).unwrap()
        };
        let offset = serde_json::to_value(&read).unwrap()["mark"]["last"]["offset"].as_u64().unwrap();
        assert!(is_another(server, &with("event", "12".into())).ends_with(&format!("at {offset} stands another event")));
        // In the middle of an event, at the next event, at the end, beyond it.
        for other in [offset - 100, offset + 1, offset + 9, read.place.offset, read.place.offset + 7000] {
            let said = is_another(server, &with("offset", other.into()));
            assert!(said.contains("is not there") || said.contains("stands another event"), "{said}");
        }
        opened(server, &read).unwrap();
    });
}

/// Nothing that a server does in its ordinary life looks like it.
#[test]
fn files_are_known_again_after_whatever_is_no_reset() {
    each(|server| {
        server.exec(TABLE).unwrap();
        let mut places = vec![marked(server)];
        let mut know_all = |server: &Server, what: &str| {
            let end = now(server);
            for place in &places {
                opened(server, place).unwrap_or_else(|error| panic!("{} after {what}: {error}", server.flavor()));
            }
            let last = places.last().unwrap().clone();
            places.extend(between(server, &last, &end).into_iter().map(|transaction| transaction.end));
            assert!(places.iter().all(|place| place.mark.is_some()), "{what}: {places:?}");
            places.push(marked(server));
        };
        server.exec(INSERT).unwrap();
        know_all(server, "nothing");
        server
            .exec(&format!(
                "{INSERT}FLUSH BINARY LOGS;\n{INSERT}INSERT INTO st_m.t (v) VALUES (REPEAT('x', 3000));\nCREATE TABLE st_m.u (id INT);"
            ))
            .unwrap();
        know_all(server, "a rotation");
        server.restart().unwrap();
        server.exec(INSERT).unwrap();
        know_all(server, "a restart");
        server.exec(INSERT).unwrap();
        server.kill9().unwrap();
        server.restart().unwrap();
        server.exec(INSERT).unwrap();
        know_all(server, "a crash");
        // Other checksums, other sizes of packets.
        server.exec(&format!("SET GLOBAL binlog_checksum = 'NONE';\n{INSERT}")).unwrap();
        know_all(server, "checksums off");
        server.exec(&format!("SET GLOBAL binlog_checksum = 'CRC32';\n{INSERT}")).unwrap();
        know_all(server, "checksums on");
        let file = now(server).place.file;
        server.exec(&format!("PURGE BINARY LOGS TO '{file}';\n{INSERT}")).unwrap();
        let (gone, kept): (Vec<Position>, Vec<Position>) = places.into_iter().partition(|place| place.place.file != file);
        assert!(!gone.is_empty() && !kept.is_empty());
        for place in &kept {
            opened(server, place).unwrap();
        }
        // Of what is gone nothing can be compared; GTIDs say whether anything is lost.
        for place in &gone {
            let error = opened(server, place).err();
            assert!(!matches!(error, Some(BinlogError::Another { .. })), "{error:?}");
        }
    });
}
