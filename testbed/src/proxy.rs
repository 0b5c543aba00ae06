//! A network in between that can be broken on purpose: connections cut, refused, delayed, or shared out over several servers.
//!
//! Stands for a bad line, and for a database proxy behind which consecutive connections reach different servers.

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context, Result};

use crate::server::Server;

/// A listening proxy; dropping it cuts all connections and stops listening.
#[derive(Debug)]
pub struct Proxy {
    address: SocketAddr,
    shared: Arc<Shared>,
}

#[derive(Debug, Default)]
struct Shared {
    targets: Mutex<Vec<(String, u16)>>,
    /// Both halves of each connection, so that they can be shut down.
    open: Mutex<Vec<TcpStream>>,
    accepted: AtomicU64,
    bytes: AtomicU64,
    taken: AtomicU64,
    delay_micros: AtomicU64,
    cut_after: AtomicU64,
    /// Words of a statement whose answer is lost, and words that its connection must have sent before.
    lost: Mutex<Option<(String, String)>>,
    refuse: AtomicBool,
    end: AtomicBool,
}

impl Proxy {
    /// Listens on a free loopback port and hands connections to the servers in turn.
    pub fn start(servers: &[&Server]) -> Result<Proxy> {
        let listener = TcpListener::bind("127.0.0.1:0").context("listening on a loopback port")?;
        let address = listener.local_addr()?;
        let shared = Arc::new(Shared::default());
        *lock(&shared.targets) = servers.iter().map(|server| (server.host().to_owned(), server.port())).collect();
        let for_thread = Arc::clone(&shared);
        std::thread::spawn(move || {
            for client in listener.incoming() {
                if for_thread.end.load(Ordering::SeqCst) {
                    return;
                }
                let Ok(client) = client else { continue };
                for_thread.join_up(client);
            }
        });
        Ok(Proxy { address, shared })
    }

    /// The port to connect to, on 127.0.0.1.
    pub fn port(&self) -> u16 {
        self.address.port()
    }

    /// Cuts all connections there are; new ones are taken.
    pub fn cut(&self) {
        for stream in lock(&self.shared.open).drain(..) {
            let _ = stream.shutdown(Shutdown::Both);
        }
    }

    /// Cuts all connections once so many more bytes have passed, in either direction; happens once.
    pub fn cut_after(&self, bytes: u64) {
        self.shared.cut_after.store(self.bytes() + bytes, Ordering::SeqCst);
    }

    /// Takes back a [`Proxy::cut_after`] that has not happened yet.
    pub fn cut_never(&self) {
        self.shared.cut_after.store(0, Ordering::SeqCst);
    }

    /// Once a connection has sent `before`, the answer to its next statement with `words` does not come back, though the server has done it: the
    /// connection is cut instead. Happens once.
    pub fn lose_answer(&self, before: &str, words: &str) {
        *lock(&self.shared.lost) = Some((before.to_owned(), words.to_owned()));
    }

    /// The answer of [`Proxy::lose_answer`] has been lost.
    pub fn has_lost(&self) -> bool {
        lock(&self.shared.lost).is_none()
    }

    /// Whether new connections are closed as soon as they come.
    pub fn refuse(&self, refuse: bool) {
        self.shared.refuse.store(refuse, Ordering::SeqCst);
    }

    /// Holds every piece of data back for so long, in each direction.
    pub fn delay(&self, delay: Duration) {
        self.shared.delay_micros.store(u64::try_from(delay.as_micros()).unwrap_or(u64::MAX), Ordering::SeqCst);
    }

    /// How many connections came so far.
    pub fn accepted(&self) -> u64 {
        self.shared.accepted.load(Ordering::SeqCst)
    }

    /// How many bytes came so far, those included that are held back.
    pub fn taken(&self) -> u64 {
        self.shared.taken.load(Ordering::SeqCst)
    }

    /// How many bytes passed so far, both directions together.
    pub fn bytes(&self) -> u64 {
        self.shared.bytes.load(Ordering::SeqCst)
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.shared.end.store(true, Ordering::SeqCst);
        self.cut();
        // Wakes the accepting thread, which then sees the end.
        let _ = TcpStream::connect(self.address);
    }
}

impl Shared {
    fn join_up(self: &Arc<Self>, client: TcpStream) {
        let count = self.accepted.fetch_add(1, Ordering::SeqCst);
        if self.refuse.load(Ordering::SeqCst) {
            return;
        }
        let target = {
            let targets = lock(&self.targets);
            let turn = usize::try_from(count).unwrap_or_default() % targets.len().max(1);
            targets.get(turn).cloned()
        };
        let Some((host, port)) = target else { return };
        let Ok(server) = TcpStream::connect((host.as_str(), port)) else { return };
        for stream in [&client, &server] {
            let _ = stream.set_nodelay(true);
        }
        let (Ok(client_again), Ok(server_again)) = (client.try_clone(), server.try_clone()) else { return };
        let (Ok(client_held), Ok(server_held)) = (client.try_clone(), server.try_clone()) else { return };
        lock(&self.open).extend([client_held, server_held]);
        let cut_answer = Arc::new(AtomicBool::new(false));
        for (from, to, asks) in [(client, server, true), (server_again, client_again, false)] {
            let (shared, cut_answer) = (Arc::clone(self), Arc::clone(&cut_answer));
            std::thread::spawn(move || shared.pass(from, to, asks, &cut_answer));
        }
    }

    fn pass(&self, mut from: TcpStream, mut to: TcpStream, asks: bool, cut_answer: &AtomicBool) {
        let mut buffer = vec![0; 64 << 10];
        let mut has_sent = false;
        loop {
            let count = match from.read(&mut buffer) {
                Ok(0) | Err(_) => break,
                Ok(count) => count,
            };
            self.taken.fetch_add(count as u64, Ordering::SeqCst);
            let delay = self.delay_micros.load(Ordering::SeqCst);
            if delay > 0 {
                std::thread::sleep(Duration::from_micros(delay));
            }
            let passed = self.bytes.fetch_add(count as u64, Ordering::SeqCst) + count as u64;
            let limit = self.cut_after.load(Ordering::SeqCst);
            if limit > 0 && passed >= limit && self.cut_after.compare_exchange(limit, 0, Ordering::SeqCst, Ordering::SeqCst).is_ok() {
                for stream in lock(&self.open).drain(..) {
                    let _ = stream.shutdown(Shutdown::Both);
                }
                break;
            }
            if asks {
                let has = |words: &str| buffer[..count].windows(words.len()).any(|bytes| bytes == words.as_bytes());
                let mut lost = lock(&self.lost);
                if let Some((before, words)) = lost.as_ref() {
                    if has_sent && has(words) {
                        cut_answer.store(true, Ordering::SeqCst);
                        *lost = None;
                    } else {
                        has_sent |= has(before);
                    }
                }
            } else if cut_answer.load(Ordering::SeqCst) {
                break;
            }
            if to.write_all(&buffer[..count]).is_err() {
                break;
            }
        }
        let _ = from.shutdown(Shutdown::Both);
        let _ = to.shutdown(Shutdown::Both);
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use mysql::Conn;
    use mysql::prelude::Queryable;

    use super::Proxy;
    use crate::{Flavor, Role, have, shared};

    #[test]
    fn passes_cuts_refuses_and_takes_turns() {
        if !Flavor::ALL.into_iter().all(have) {
            return;
        }
        let servers = Flavor::ALL.map(|flavor| shared(flavor, Role::Source));
        let proxy = Proxy::start(&servers).unwrap();
        let connect = || Conn::new(servers[0].opts().tcp_port(proxy.port()));
        let mut versions: Vec<String> = (0..2).map(|_| connect().unwrap().query_first("SELECT VERSION()").unwrap().unwrap()).collect();
        versions.sort();
        versions.dedup();
        assert_eq!(versions.len(), 2, "{versions:?}");

        let mut conn = connect().unwrap();
        conn.query_drop("DO 1").unwrap();
        proxy.cut();
        conn.query_drop("DO 1").unwrap_err();
        let mut conn = connect().unwrap();
        proxy.cut_after(50_000);
        conn.query_drop("DO 1").unwrap();
        assert!((0..3).any(|_| conn.query_drop("SELECT REPEAT('x', 30000)").is_err()));
        proxy.refuse(true);
        connect().unwrap_err();
        proxy.refuse(false);
        connect().unwrap();
    }
}
