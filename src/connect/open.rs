//! Opening a connection: addresses, TLS, login, and what each failure means.

use std::{io, sync::mpsc, time::Duration};

use mysql::{Conn, OptsBuilder, SslOpts};

use super::{
    error::{ConnectError, from_mysql, io_error},
    session::{Login, Place, TlsChoice, TlsLevel},
};

/// The `mysql` crate names no file that it cannot read, and takes a file without a certificate for one in another encoding.
fn check_files(tls: &TlsChoice, address: &str) -> Result<(), ConnectError> {
    let files = tls.ca.iter().map(|ca| (ca, "CERTIFICATE"));
    let identity = tls.identity.iter().flat_map(|(cert, key)| [(cert, "CERTIFICATE"), (key, "PRIVATE KEY")]);
    for (file, kind) in files.chain(identity) {
        let fail = |reason| ConnectError::Tls { address: address.to_owned(), reason };
        let text = std::fs::read(file).map_err(|e| fail(format!("cannot read '{}': {e}", file.display())))?;
        let text = String::from_utf8_lossy(&text);
        if !text.lines().any(|line| line.starts_with("-----BEGIN ") && line.contains(kind)) {
            return Err(fail(format!("'{}' holds no {} in PEM form", file.display(), kind.to_lowercase())));
        }
    }
    Ok(())
}

/// Opens a connection that is not prepared yet. A read that waits longer than `silence` fails.
pub(super) fn connect(login: &Login, address: &str, silence: Option<Duration>) -> Result<Conn, ConnectError> {
    if login.tls.level != TlsLevel::Disabled {
        check_files(&login.tls, address)?;
    }
    let ssl = match login.tls.level {
        TlsLevel::Disabled => None,
        level => {
            let mut ssl = SslOpts::default();
            if let Some(ca) = &login.tls.ca {
                ssl = ssl.with_root_cert_path(Some(ca.clone()));
            }
            if let Some((cert, key)) = &login.tls.identity {
                ssl = ssl.with_client_identity(Some(mysql::ClientIdentity::new(cert.clone(), key.clone())));
            }
            let verify_ca = matches!(level, TlsLevel::VerifyCa | TlsLevel::VerifyIdentity);
            Some(ssl.with_danger_accept_invalid_certs(!verify_ca).with_danger_skip_domain_validation(level != TlsLevel::VerifyIdentity))
        }
    };
    let attempt = |ssl: Option<SslOpts>| {
        let mut opts = OptsBuilder::new()
            .user(Some(&login.user))
            .pass(Some(&login.password))
            .prefer_socket(false)
            .max_allowed_packet(Some(1 << 30))
            .tcp_connect_timeout(Some(Duration::from_secs(10)))
            .tcp_keepalive_time_ms(Some(20_000))
            .tcp_keepalive_probe_interval_secs(Some(10))
            .tcp_keepalive_probe_count(Some(3))
            .tcp_user_timeout_ms(Some(60_000))
            .tcp_nodelay(true)
            .stmt_cache_size(0)
            .read_timeout(silence)
            .connect_attrs::<&str, &str>(Some([("program_name", "dtsctl")].into()))
            .ssl_opts(ssl);
        opts = match &login.place {
            Place::Tcp { host, port } => opts.ip_or_hostname(Some(host.clone())).tcp_port(*port),
            Place::Socket(path) => opts.socket(Some(path.to_string_lossy().into_owned())),
        };
        open_within(opts, ANSWER)
    };
    let result = match attempt(ssl.clone()) {
        Err(mysql::Error::DriverError(mysql::DriverError::TlsNotSupported)) if login.tls.level == TlsLevel::Preferred => attempt(None),
        other => other,
    };
    result.map_err(|error| match error {
        mysql::Error::MySqlError(e) if e.code == 1130 => ConnectError::HostNotAllowed { address: address.to_owned(), reason: e.message },
        mysql::Error::MySqlError(e) if matches!(e.code, 1044 | 1045 | 1227 | 1251 | 1524 | 1698 | 1862 | 3118 | 3159 | 3955 | 4151) => {
            ConnectError::AccessDenied { address: address.to_owned(), user: login.user.clone(), reason: e.message }
        }
        mysql::Error::DriverError(mysql::DriverError::UnknownAuthPlugin(plugin)) => ConnectError::AccessDenied {
            address: address.to_owned(),
            user: login.user.clone(),
            // Seen on 9.7.4: so that nobody can find out which accounts exist, the server asks unknown ones for a plugin picked at random.
            reason: format!("the server asks for the login method '{plugin}', which dtsctl does not know, or the account does not exist"),
        },
        mysql::Error::DriverError(e @ (mysql::DriverError::OldMysqlPasswordDisabled | mysql::DriverError::CleartextPluginDisabled)) => {
            ConnectError::AccessDenied { address: address.to_owned(), user: login.user.clone(), reason: e.to_string() }
        }
        mysql::Error::DriverError(mysql::DriverError::TlsNotSupported) => {
            ConnectError::Tls { address: address.to_owned(), reason: "the server does not offer TLS".to_owned() }
        }
        mysql::Error::TlsError(e) => ConnectError::Tls { address: address.to_owned(), reason: e.to_string() },
        mysql::Error::DriverError(mysql::DriverError::CouldNotConnect(Some((_, reason, _)))) => {
            ConnectError::Unreachable { address: address.to_owned(), reason }
        }
        mysql::Error::DriverError(e @ (mysql::DriverError::ConnectTimeout | mysql::DriverError::CouldNotConnect(None))) => {
            ConnectError::Unreachable { address: address.to_owned(), reason: e.to_string() }
        }
        other => match io_error(&other) {
            Some(e) => match tls_reason(e) {
                Some(reason) => ConnectError::Tls { address: address.to_owned(), reason },
                None => ConnectError::Unreachable { address: address.to_owned(), reason: e.to_string() },
            },
            None => from_mysql(other, address, &format_args!("connecting to {address}")),
        },
    })
}

/// How long a server may take to name itself and to let us in.
const ANSWER: Duration = Duration::from_secs(30);

/// A stopped server, or a proxy whose server is gone, takes a connection and then never says a word, and nothing ends a read that waits
/// for the first one. So a thread waits for it, and stays behind until the connection ends by itself.
fn open_within(opts: OptsBuilder, time: Duration) -> mysql::Result<Conn> {
    let (done, opened) = mpsc::sync_channel(1);
    let waits = std::thread::Builder::new().name("connecting".to_owned());
    waits.spawn(move || done.send(Conn::new(opts)))?;
    opened.recv_timeout(time).unwrap_or(Err(mysql::Error::DriverError(mysql::DriverError::ConnectTimeout)))
}

/// A failed handshake reaches us as an I/O error of this kind that holds the TLS library's error. A connection that breaks during the
/// handshake is of another kind, and worth another try.
fn tls_reason(error: &io::Error) -> Option<String> {
    (error.kind() == io::ErrorKind::InvalidData && error.get_ref().is_some()).then(|| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_that_says_nothing_is_not_waited_for_for_ever() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let opts = OptsBuilder::new().ip_or_hostname(Some("127.0.0.1")).tcp_port(port).prefer_socket(false);
        let error = open_within(opts, Duration::from_millis(50)).unwrap_err();
        assert!(matches!(error, mysql::Error::DriverError(mysql::DriverError::ConnectTimeout)), "{error}");
    }
}
