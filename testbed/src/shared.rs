//! The servers that the tests of one process share, at most one per flavour and role.

use std::collections::HashMap;
use std::sync::{Mutex, OnceLock, PoisonError};

use anyhow::Result;

use crate::fetch::progress;
use crate::server::{Flavor, Server, ServerOptions};

/// Which end of a sync a shared server stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Role {
    /// Where rows come from.
    Source,
    /// Where rows go.
    Destination,
}

/// The shared server of this flavour and role, started at first use; it ends with the process.
///
/// `DTSCTL_TEST_SOURCE` and `DTSCTL_TEST_DESTINATION` (`mysql://user:password@host:port`) name a server of one's own, used for the
/// flavour it is of. Tests make databases of their own and leave the server's settings as they are.
///
/// # Panics
///
/// When the server cannot be had. Ask [`have`] first where a skip is right.
pub fn shared(flavor: Flavor, role: Role) -> &'static Server {
    static SERVERS: [OnceLock<Server>; 4] = [const { OnceLock::new() }; 4];
    let slot = &SERVERS[2 * usize::from(flavor == Flavor::MySql) + usize::from(role == Role::Destination)];
    slot.get_or_init(|| match obtain(flavor, role) {
        Ok(server) => server,
        Err(error) => panic!("no {flavor} server for tests: {error:#}"),
    })
}

fn obtain(flavor: Flavor, role: Role) -> Result<Server> {
    let variable = match role {
        Role::Source => "DTSCTL_TEST_SOURCE",
        Role::Destination => "DTSCTL_TEST_DESTINATION",
    };
    if let Ok(url) = std::env::var(variable)
        && !url.is_empty()
    {
        let server = Server::external(&url)?;
        if server.flavor() == flavor {
            return Ok(server);
        }
    }
    Server::start(flavor, ServerOptions::new())
}

/// Whether servers of this flavour can be had here. When not: a loud line and `false`, for the test to skip; with `CI` set, a failure.
///
/// # Panics
///
/// With `CI` set in the environment and no server to be had.
pub fn have(flavor: Flavor) -> bool {
    static KNOWN: Mutex<Option<HashMap<Flavor, Option<String>>>> = Mutex::new(None);
    let mut known = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
    let reason =
        known.get_or_insert_default().entry(flavor).or_insert_with(|| flavor.program().err().map(|error| format!("{error:#}"))).clone();
    let Some(reason) = reason else { return true };
    if std::env::var_os("CI").is_some_and(|value| !value.is_empty()) {
        panic!("no {flavor} server can be had, and CI is set: {reason}");
    }
    progress(&format!("SKIPPED: no {flavor} server can be had here: {reason}"));
    false
}
