//! What a reader of the destination may see: only states that the source had.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use testbed::{Flavor, Server, ServerOptions, equal, workload::Random, workload::bank::Bank};

use super::bed::{CATCH_UP, PHASES};
use crate::support::{Task, until};

/// Looks at the destination all the time, on a thread of its own, until told to stop; how often it looked and the last journal.
pub(super) struct Reader {
    thread: Option<std::thread::JoinHandle<Result<(u64, u64), String>>>,
    stop: Arc<AtomicBool>,
}

impl Reader {
    /// Looks at this bank under its destination's name. A server that is away is waited for.
    pub(super) fn start(bank: &Bank, database: &str, server: &Server) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let (bank, database, access, ended) = (bank.clone(), database.to_owned(), server.opts(), Arc::clone(&stop));
        let thread = std::thread::spawn(move || {
            let (mut looks, mut last) = (0, 0);
            let mut conn: Option<mysql::Conn> = None;
            while !ended.load(Ordering::SeqCst) {
                if conn.is_none() {
                    conn = mysql::Conn::new(access.clone()).ok();
                }
                let Some(mut open) = conn.take() else {
                    std::thread::sleep(std::time::Duration::from_millis(20));
                    continue;
                };
                match bank.look(&mut open, &database) {
                    Ok(lines) if lines < last => return Err(format!("the journal had {last} lines, and then {lines}")),
                    Ok(lines) => {
                        looks += 1;
                        last = lines;
                        conn = Some(open);
                    }
                    // The server's end of the connection, and not what was seen.
                    Err(error) if error.downcast_ref::<mysql::Error>().is_some() => {}
                    Err(error) => return Err(format!("{error:#}")),
                }
                std::thread::sleep(std::time::Duration::from_millis(3));
            }
            Ok((looks, last))
        });
        Self { thread: Some(thread), stop }
    }

    /// Ends it; fails with what it saw.
    #[track_caller]
    pub(super) fn stop(mut self) -> (u64, u64) {
        self.stop.store(true, Ordering::SeqCst);
        let seen = self.thread.take().unwrap().join().unwrap();
        seen.unwrap_or_else(|problem| panic!("at the destination: {problem}"))
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::SeqCst);
    }
}

fn a_reader_sees_states_of_the_source(from: Flavor, to: Flavor) {
    if !testbed::have(from) || !testbed::have(to) {
        return;
    }
    let (source, destination) = (Server::start(from, ServerOptions::new()).unwrap(), Server::start(to, ServerOptions::new()).unwrap());
    let bank = Bank::new("bank", 40);
    bank.create(&mut source.root_conn().unwrap()).unwrap();
    let mut random = Random::new(crate::support::Random::new("a_reader_sees_states_of_the_source").next());
    let transfers = bank.start(&source.opts(), 4, &mut random);
    let task = Task::new("bank", &source, &destination, &format!("{PHASES}objects: [{{database: bank, rename: vault}}]\n"));
    // The copy reads tables at different moments: only from its end on is the destination at one moment of the source.
    task.run(&CATCH_UP).expect(0);
    let reader = Reader::start(&bank, "vault", &destination);
    let mut running = task.start(&["apply", "--yes", "--until", "never"], &[]);
    running.follows();
    let begin = transfers.done();
    until("transfers", || {
        assert!(!running.has_ended(), "it ended: {}", running.said());
        transfers.done() > begin + 1500
    });
    running.signal("TERM");
    running.end().expect(5);
    let done = transfers.stop().unwrap();
    task.run(&CATCH_UP).expect(0);
    let (mut here, mut there) = (source.root_conn().unwrap(), destination.root_conn().unwrap());
    let lines = bank.look(&mut here, "bank").unwrap();
    assert_eq!(bank.look(&mut there, "vault").unwrap(), lines);
    let (looks, last) = reader.stop();
    crate::support::say(&format!("{done} transfers, {lines} lines, {looks} looks, the last at line {last}"));
    assert!(looks > 20, "only {looks} looks");
    equal::compare_databases(&mut here, "bank", &mut there, "vault").unwrap_or_else(|problem| panic!("{problem}"));
}

#[test]
fn a_reader_sees_states_of_the_source_on_mariadb() {
    a_reader_sees_states_of_the_source(Flavor::MariaDb, Flavor::MariaDb);
}

#[test]
fn a_reader_sees_states_of_the_source_on_mysql() {
    a_reader_sees_states_of_the_source(Flavor::MySql, Flavor::MySql);
}

#[test]
fn a_reader_sees_states_of_the_source_from_mysql_to_mariadb() {
    a_reader_sees_states_of_the_source(Flavor::MySql, Flavor::MariaDb);
}
