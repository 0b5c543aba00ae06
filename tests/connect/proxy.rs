//! A load balancer that gives every connection to the next server must not pass for one server.

use std::{
    io::copy,
    net::{Shutdown, TcpListener, TcpStream},
};

use dtsctl::connect::Place;
use testbed::{Flavor, Role, have, shared};

use super::{open, root};

/// Passes bytes on until either side closes.
fn pass(client: TcpStream, server: TcpStream) {
    for (mut from, mut to) in [(client.try_clone().unwrap(), server.try_clone().unwrap()), (server, client)] {
        std::thread::spawn(move || {
            let _ = copy(&mut from, &mut to);
            let _ = to.shutdown(Shutdown::Both);
        });
    }
}

#[test]
fn different_servers_behind_one_address_are_noticed() {
    for flavor in Flavor::ALL {
        if !have(flavor) {
            continue;
        }
        let servers = [shared(flavor, Role::Source), shared(flavor, Role::Destination)];
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        std::thread::spawn(move || {
            for (turn, client) in listener.incoming().enumerate() {
                let server = servers[turn % 2];
                let Ok(client) = client else { break };
                pass(client, TcpStream::connect((server.host(), server.port())).unwrap());
            }
        });
        let mut login = root(servers[0]);
        login.place = Place::Tcp { host: "127.0.0.1".into(), port };
        // All stay open: a proxy that gives an idle connection to the next client would hide the others.
        let sessions: Vec<_> = (0..4).map(|_| open(&login).unwrap()).collect();
        let mut identities: Vec<&str> = sessions.iter().map(|s| s.info().identity.as_str()).collect();
        identities.sort_unstable();
        identities.dedup();
        assert_eq!(identities.len(), 2, "{flavor}");
    }
}
