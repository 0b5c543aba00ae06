//! Sessions on real servers: logins, TLS, errors, settings, the lock at the destination.

mod auth;
mod errors;
mod lock;
mod proxy;
mod session;
mod tls;

use dtsctl::connect::{ConnectError, Login, Place, Purpose, Session, TlsChoice, TlsLevel};
use testbed::Server;

/// A TCP login without TLS.
fn login_as(server: &Server, user: &str, password: &str) -> Login {
    Login {
        place: Place::Tcp { host: server.host().to_owned(), port: server.port() },
        user: user.to_owned(),
        password: password.to_owned(),
        tls: TlsChoice { level: TlsLevel::Disabled, ca: None, identity: None },
    }
}

fn root(server: &Server) -> Login {
    login_as(server, server.user(), server.password())
}

fn with_tls(mut login: Login, level: TlsLevel, ca: Option<&std::path::Path>) -> Login {
    login.tls = TlsChoice { level, ca: ca.map(Into::into), identity: None };
    login
}

fn open(login: &Login) -> Result<Session, ConnectError> {
    Session::open(login, Purpose::Control)
}

/// The account that a login ends up as.
fn who(login: &Login) -> String {
    open(login).map_or_else(|e| panic!("{e} ({login:?})"), |session| session.info().account.clone())
}
