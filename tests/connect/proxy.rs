//! What stands between: a load balancer, and a network that breaks.

use std::{
    sync::Mutex,
    time::{Duration, Instant},
};

use dtsctl::{
    connect::{GlobalLock, Login, Place, Purpose, RetryError, RetryWindows, Session, Taken, retry},
    event::{Event, Observer, StopToken},
};
use testbed::{Flavor, Role, Server, have, proxy::Proxy, shared};

use super::{open, root};

fn through(proxy: &Proxy, server: &Server) -> Login {
    Login { place: Place::Tcp { host: "127.0.0.1".into(), port: proxy.port() }, ..root(server) }
}

/// A load balancer that gives every connection to the next server must not pass for one server.
#[test]
fn different_servers_behind_one_address_are_noticed() {
    for flavor in Flavor::ALL {
        if !have(flavor) {
            continue;
        }
        let servers = [shared(flavor, Role::Source), shared(flavor, Role::Destination)];
        let proxy = Proxy::start(&servers).unwrap();
        // All stay open: a proxy that gives an idle connection to the next client would hide the others.
        let sessions: Vec<_> = (0..4).map(|_| open(&through(&proxy, servers[0])).unwrap()).collect();
        let mut identities: Vec<&str> = sessions.iter().map(|s| s.info().identity.as_str()).collect();
        identities.sort_unstable();
        identities.dedup();
        assert_eq!(identities.len(), 2, "{flavor}");
    }
}

/// Mends the network at the second wait.
struct Mending<'a>(&'a Proxy, Mutex<Vec<Event>>);

impl Observer for Mending<'_> {
    fn observe(&self, event: &Event) {
        let mut seen = self.1.lock().unwrap();
        seen.push(event.clone());
        if seen.len() == 2 {
            self.0.refuse(false);
        }
    }
}

#[test]
fn a_broken_network_is_waited_for_and_the_work_goes_on() {
    for flavor in Flavor::ALL {
        if !have(flavor) {
            continue;
        }
        let server = shared(flavor, Role::Source);
        let proxy = Proxy::start(&[server]).unwrap();
        let login = through(&proxy, server);
        let mut session = Some(open(&login).unwrap());
        proxy.refuse(true);
        proxy.cut();
        let mending = Mending(&proxy, Mutex::default());
        let windows = RetryWindows { connection: Duration::from_secs(60), other: Duration::from_secs(10) };
        let answer = retry(windows, &StopToken::default(), &mending, "test", |_| {
            let mut open = match session.take() {
                Some(session) => session,
                None => Session::open(&login, Purpose::Read)?,
            };
            let answer = open.query("asking", "SELECT 42")?.number_at(0, 0);
            session = Some(open);
            Ok::<_, dtsctl::connect::ConnectError>(answer)
        });
        assert_eq!(answer.unwrap(), Some(42));
        let seen = mending.1.into_inner().unwrap();
        assert!(matches!(seen.last(), Some(Event::WaitOver { .. })), "{flavor}: {seen:?}");
        assert!(seen.len() >= 3);
    }
}

#[test]
fn a_network_that_stays_broken_ends_with_the_window() {
    if !have(Flavor::MariaDb) {
        return;
    }
    let server = shared(Flavor::MariaDb, Role::Source);
    let proxy = Proxy::start(&[server]).unwrap();
    proxy.refuse(true);
    let login = through(&proxy, server);
    let mending = Mending(&Proxy::start(&[server]).unwrap(), Mutex::default());
    let windows = RetryWindows { connection: Duration::from_secs(2), other: Duration::from_secs(1) };
    let begin = Instant::now();
    let result = retry(windows, &StopToken::default(), &mending, "test", |_| Session::open(&login, Purpose::Read));
    let Err(RetryError::GaveUp { window, last, .. }) = result else { panic!("{result:?}") };
    assert_eq!(window, "retry.connection");
    assert!(last.is_connection(), "{last:?}");
    assert!(begin.elapsed() >= Duration::from_secs(2));
}

/// The network goes without a word to the server, which holds the lock for a client that is not there any more.
#[test]
fn the_lock_is_taken_back_from_ones_own_dead_session() {
    for flavor in Flavor::ALL {
        if !have(flavor) {
            continue;
        }
        let server = shared(flavor, Role::Destination);
        let proxy = Proxy::start(&[server]).unwrap();
        let Taken::Mine(mut lock) = GlobalLock::take(&through(&proxy, server), "lock-dead").unwrap() else { panic!("held by whom?") };
        // From here on the server hears nothing of the old session, not even its end; the new one comes by another way.
        proxy.delay(Duration::from_secs(3600));
        assert_eq!(lock.take_again(&root(server), "lock-dead").unwrap(), None, "not given back");
        assert!(lock.is_still_held().unwrap());
    }
}
