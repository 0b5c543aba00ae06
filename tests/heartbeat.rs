//! The heartbeat row at real servers: written, read, and given up where the account may not.

use std::sync::{Arc, Mutex};

use dtsctl::{
    event::{BinlogKept, Event, Observer},
    phase::incremental::heartbeat::{Beat, Heartbeat, SourceClock},
};
use mysql::prelude::Queryable as _;
use testbed::{Flavor, Role, Server, ServerOptions, have, shared};

use crate::{full::login, support::until};

#[derive(Default)]
struct Heard(Mutex<Vec<String>>, Mutex<Vec<BinlogKept>>);

impl Observer for Heard {
    fn observe(&self, event: &Event) {
        match event {
            Event::BinlogKept(kept) => self.1.lock().unwrap().push(*kept),
            event => self.0.lock().unwrap().push(format!("{event:?}")),
        }
    }
}

fn beat(server: &Server, task: &str, write: bool) -> (Beat, Arc<Heard>) {
    let heard = Arc::new(Heard::default());
    let beat = Beat {
        login: login(server),
        task: task.to_owned(),
        write,
        interval: std::time::Duration::from_millis(20),
        needed: 24 * 3600,
        clock: SourceClock::default(),
        observer: Arc::clone(&heard) as Arc<dyn Observer>,
    };
    (beat, heard)
}

fn one(server: &Server, sql: &str) -> Option<String> {
    server.root_conn().expect("a connection").query_first(sql).ok().flatten()
}

fn row(server: &Server, task: &str) -> Option<String> {
    one(server, &format!("SELECT CAST(`at` AS CHAR) FROM dts.dtsctl_heartbeat WHERE task = '{task}'"))
}

#[test]
fn a_row_is_written_again_and_again_by_the_source_s_own_clock() {
    for flavor in [Flavor::MariaDb, Flavor::MySql] {
        if !have(flavor) {
            continue;
        }
        let server = shared(flavor, Role::Source);
        let task = format!("beat'{}", flavor.name());
        let quoted = task.replace('\'', "''");
        let (settings, heard) = beat(server, &task, true);
        let clock = settings.clock.clone();
        let heart = Heartbeat::start(settings).expect("a thread");
        until("the first beat", || row(server, &quoted).is_some());
        let first = row(server, &quoted);
        until("another beat", || row(server, &quoted) != first);
        until("the clock", || clock.now().is_some());
        assert!(heart.writes());
        let theirs = one(server, "SELECT CAST(TIMESTAMPDIFF(MICROSECOND, '1970-01-01', UTC_TIMESTAMP(6)) AS CHAR)");
        let theirs: u64 = theirs.expect("a value").parse().expect("a number");
        assert!(clock.now().unwrap().abs_diff(theirs) < 60_000_000, "{flavor}: the clock is the server's");
        drop(heart);
        let last = row(server, &quoted);
        assert_eq!(row(server, &quoted), last, "{flavor}: nothing beats any more");
        assert_eq!(*heard.0.lock().unwrap(), Vec::<String>::new(), "{flavor}");
    }
}

#[test]
fn an_account_that_may_not_write_costs_the_row_and_not_the_clock() {
    for flavor in [Flavor::MariaDb, Flavor::MySql] {
        if !have(flavor) {
            continue;
        }
        let server = shared(flavor, Role::Source);
        server.exec("DROP USER IF EXISTS 'beat_none'@'%'").expect("drop user");
        server.exec("CREATE USER 'beat_none'@'%' IDENTIFIED BY 'pw-beat'").expect("a user");
        let (mut settings, heard) = beat(server, "beat_none", true);
        settings.login.user = "beat_none".to_owned();
        settings.login.password = "pw-beat".to_owned();
        let clock = settings.clock.clone();
        let heart = Heartbeat::start(settings).expect("a thread");
        until("the clock", || clock.now().is_some());
        assert!(!heart.writes());
        drop(heart);
        let heard = heard.0.lock().unwrap();
        assert!(heard.len() == 1 && heard[0].contains("the heartbeat row is not written"), "{heard:?}");
        assert_eq!(row(server, "beat_none"), None);
    }
}

/// Requirements B09: it is looked again how long the source keeps its binlog, by its word and by its oldest file.
#[test]
fn how_long_the_source_keeps_its_binlog_is_looked_at_again() {
    for flavor in [Flavor::MariaDb, Flavor::MySql] {
        if !have(flavor) {
            continue;
        }
        // A server of its own: its settings are changed.
        let server = Server::start(flavor, ServerOptions::new()).expect("a server");
        let measured = |name: &str| {
            let (settings, heard) = beat(&server, name, true);
            let heart = Heartbeat::start(settings).expect("a thread");
            until("the look", || !heard.1.lock().unwrap().is_empty());
            drop(heart);
            *heard.1.lock().unwrap().first().expect("a look")
        };
        server.exec("SET GLOBAL binlog_expire_logs_seconds=86400").expect("set");
        let kept = measured("kept_long");
        assert_eq!((kept.retention.removed_after, kept.needed), (Some(86_400), 86_400), "{flavor}");
        assert!(kept.retention.oldest_age.is_some_and(|age| age < 600) && kept.retention.uptime.is_some(), "{flavor}: {kept:?}");
        assert!(!kept.retention.is_short_of(kept.needed), "{flavor}");
        server.exec("SET GLOBAL binlog_expire_logs_seconds=86399").expect("set");
        let kept = measured("kept_short");
        assert!(kept.retention.is_short_of(kept.needed), "{flavor}: {kept:?}");
    }
}
