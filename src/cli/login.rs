//! From an endpoint of the spec to what `connect` opens a session with.

use crate::{
    connect::{Login, Place, TlsChoice, TlsLevel},
    spec::{Address, Endpoint, TlsMode},
};

/// What `connect` needs of an endpoint.
pub(super) fn login(endpoint: &Endpoint) -> Login {
    Login {
        place: match &endpoint.address {
            Address::Tcp { host, port } => Place::Tcp { host: host.clone(), port: *port },
            Address::Socket(path) => Place::Socket(path.clone()),
        },
        user: endpoint.user.clone(),
        password: endpoint.password.expose().to_owned(),
        tls: TlsChoice {
            level: match endpoint.tls.mode {
                TlsMode::Disabled => TlsLevel::Disabled,
                TlsMode::Preferred => TlsLevel::Preferred,
                TlsMode::Required => TlsLevel::Required,
                TlsMode::VerifyCa => TlsLevel::VerifyCa,
                TlsMode::VerifyIdentity => TlsLevel::VerifyIdentity,
            },
            ca: endpoint.tls.ca.clone(),
            identity: endpoint.tls.cert.clone().zip(endpoint.tls.key.clone()),
        },
    }
}
