//! `mysql://USER[:PASSWORD]@HOST[:PORT]/`, as `init --from-source` takes it. No message repeats any part of it.

use crate::spec::{Address, Endpoint, PasswordSource, Secret, Tls};

pub(super) fn parse(url: &str) -> Result<Endpoint, String> {
    let rest = url.strip_prefix("mysql://").or_else(|| url.strip_prefix("mariadb://")).ok_or("the URL must begin with mysql://")?;
    let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
    if !path.is_empty() {
        return Err("nothing may follow the slash behind the port: every database is listed".to_owned());
    }
    let (account, place) = authority.rsplit_once('@').ok_or("the URL names no user")?;
    let (user, password) = account.split_once(':').unwrap_or((account, ""));
    let (user, password) = (decode(user)?, decode(password)?);
    if user.is_empty() {
        return Err("the URL names no user".to_owned());
    }
    let (host, port) = match place.strip_prefix('[') {
        Some(inner) => {
            let (host, port) = inner.split_once(']').ok_or("the bracket of the IPv6 address is not closed")?;
            (host.to_owned(), port.strip_prefix(':'))
        }
        None => match place.split_once(':') {
            Some((host, port)) => (decode(host)?, Some(port)),
            None => (decode(place)?, None),
        },
    };
    if host.is_empty() || host.chars().any(|c| c.is_whitespace() || c.is_control()) {
        return Err("the URL names no host".to_owned());
    }
    let port = port
        .filter(|port| !port.is_empty())
        .map_or(Ok(3306), |port| port.parse().ok().filter(|port| *port > 0).ok_or_else(|| "the port must be from 1 to 65535".to_owned()))?;
    Ok(Endpoint {
        engine: None,
        address: Address::Tcp { host, port },
        user,
        password: Secret::new(password),
        password_from: PasswordSource::Given,
        tls: Tls::default(),
    })
}

/// Replaces `%XX`.
fn decode(text: &str) -> Result<String, String> {
    let mut bytes = Vec::new();
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte != b'%' {
            bytes.push(byte);
            continue;
        }
        let digit = |byte: Option<u8>| byte.and_then(|byte| char::from(byte).to_digit(16));
        match (digit(rest.next()), digit(rest.next())) {
            (Some(high), Some(low)) => bytes.push(u8::try_from(high * 16 + low).unwrap_or_default()),
            _ => return Err("`%` must be followed by two hexadecimal digits".to_owned()),
        }
    }
    String::from_utf8(bytes).map_err(|_| "the account is not UTF-8 text".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_are_taken_apart() {
        let endpoint = parse("mysql://dts:p%40ss:word@db1:3307/").expect("a good URL");
        assert_eq!(endpoint.address, Address::Tcp { host: "db1".to_owned(), port: 3307 });
        assert_eq!((endpoint.user.as_str(), endpoint.password.expose()), ("dts", "p@ss:word"));
        let endpoint = parse("mysql://root@[::1]").expect("a good URL");
        assert_eq!(endpoint.address, Address::Tcp { host: "::1".to_owned(), port: 3306 });
        assert!(endpoint.password.is_empty());
    }

    #[test]
    fn refusals_do_not_repeat_the_password() {
        for url in [
            "dts:hunter2@db1",
            "mysql://dts:hunter2@",
            "mysql://dts:hunter2@db1:99999/",
            "mysql://dts:hunter2@db1/shop",
            "mysql://:hunter2@db1",
            "mysql://dts:hunter2%@db1",
            "postgres://dts:hunter2@db1",
        ] {
            let reason = parse(url).expect_err("a bad URL");
            assert!(!reason.contains("hunter2"), "{reason}");
        }
    }
}
