//! One end: address, account, password's source, TLS. No message repeats a value: it may come from the environment.

use std::net::Ipv6Addr;

use crate::spec::{
    model::TlsMode,
    written::{Endpoint, Password, Tls},
};

use super::Problems;

pub(super) fn check(found: &mut Problems<'_>, end: &str, endpoint: &Endpoint) {
    address(found, end, endpoint);
    if endpoint.user.is_empty() || endpoint.user.chars().any(char::is_control) {
        found.value(&[end, "user"], format!("`{end}.user` must be the account's name"), "");
    }
    match &endpoint.password {
        Password::Env(name) if !is_variable(name) => {
            found.value(
                &[end, "password", "env"],
                format!("`{end}.password.env` must be the name of an environment variable"),
                "letters, digits and `_`, without `$`; the password itself does not belong here",
            );
        }
        Password::File(path) if path.is_empty() => {
            found.value(&[end, "password", "file"], format!("`{end}.password.file` must be a path"), "");
        }
        _ => {}
    }
    if let Some(tls) = &endpoint.tls {
        self::tls(found, end, tls, endpoint.socket.is_some());
    }
}

fn address(found: &mut Problems<'_>, end: &str, endpoint: &Endpoint) {
    match (&endpoint.host, &endpoint.socket) {
        (None, None) => {
            found.key(&[end], format!("`{end}` has neither `host` nor `socket`"), "");
        }
        (Some(_), Some(_)) => {
            found.key(&[end, "socket"], format!("`{end}` has both `host` and `socket`"), "keep one of the two");
        }
        (None, Some(path)) if path.is_empty() => {
            found.value(&[end, "socket"], format!("`{end}.socket` must be a path"), "");
        }
        (None, Some(_)) if endpoint.port.is_some() => {
            found.key(&[end, "port"], format!("`{end}.port` does not go with `socket`"), "remove it");
        }
        (None, Some(_)) => {}
        (Some(host), None) => {
            let hint = if host.contains("://") || host.contains('@') {
                Some("the account goes to `user` and `password`, the port to `port`")
            } else if host.starts_with('[') {
                Some("write an IPv6 address without brackets")
            } else if host.parse::<Ipv6Addr>().is_ok() || host.contains('%') && host.contains(':') {
                None
            } else if host.contains(':') {
                Some("the port goes to `port`")
            } else if host.is_empty() || host.chars().any(|c| c.is_whitespace() || c.is_control() || c == '/') {
                Some("write it as for the `mysql` client's `--host`")
            } else {
                None
            };
            if let Some(hint) = hint {
                found.value(&[end, "host"], format!("`{end}.host` must be a host name or an IP address"), hint);
            }
        }
    }
}

fn tls(found: &mut Problems<'_>, end: &str, tls: &Tls, socket: bool) {
    let mode = tls.mode.unwrap_or_default();
    for (key, value) in [("ca", &tls.ca), ("cert", &tls.cert), ("key", &tls.key)] {
        if value.as_ref().is_some_and(String::is_empty) {
            found.value(&[end, "tls", key], format!("`{end}.tls.{key}` must be a path"), "");
        }
    }
    if socket && !matches!(mode, TlsMode::Disabled | TlsMode::Preferred) {
        found.value(
            &[end, "tls", "mode"],
            format!("`{end}.tls` does not go with `socket`"),
            "a socket never leaves the machine; remove `tls`, or use `host`",
        );
        return;
    }
    let verifies = matches!(mode, TlsMode::VerifyCa | TlsMode::VerifyIdentity);
    if tls.ca.is_some() && !verifies {
        found.key(
            &[end, "tls", "ca"],
            format!("`{end}.tls.ca` is not used: this mode verifies nothing"),
            "add `mode: verify-identity` (or `verify-ca`), or remove `ca`",
        );
    }
    if tls.ca.is_none() && mode == TlsMode::VerifyCa {
        found.value(
            &[end, "tls", "mode"],
            format!("`{end}.tls` needs `ca` with the mode `verify-ca`"),
            "name the PEM file with the authority, or use `verify-identity` to trust the public ones",
        );
    }
    if tls.cert.is_some() != tls.key.is_some() {
        found.key(&[end, "tls"], format!("`{end}.tls` needs both `cert` and `key`, or neither"), "");
    } else if tls.cert.is_some() && mode == TlsMode::Disabled {
        found.key(&[end, "tls", "cert"], format!("`{end}.tls.cert` is not used: the mode is `disabled`"), "remove `cert` and `key`");
    }
}

fn is_variable(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_') && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}
