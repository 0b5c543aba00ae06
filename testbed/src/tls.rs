//! Certificates made on the spot: an authority, a server certificate that names hosts and addresses, and a client certificate.
//!
//! The certificates a server makes for itself name no host, so an identity check fails against them by right; these here name
//! `localhost` and `127.0.0.1`, so that every TLS mode can be tested both ways.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use rcgen::{BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair, KeyUsagePurpose};

/// Where the files of one authority lie. All are PEM; keys are PKCS#8.
#[derive(Debug, Clone)]
pub struct TlsFiles {
    /// The authority's certificate: what a client trusts.
    pub ca: PathBuf,
    /// The server's certificate.
    pub server_cert: PathBuf,
    /// The server's key.
    pub server_key: PathBuf,
    /// A client's certificate from the same authority.
    pub client_cert: PathBuf,
    /// That client's key.
    pub client_key: PathBuf,
}

/// The names a server certificate carries unless others are asked for.
pub const DEFAULT_NAMES: &[&str] = &["localhost", "127.0.0.1", "::1"];

/// Makes an authority, a server certificate for `names` (host names and IP addresses) and a client certificate in `folder`.
///
/// Calling it again for another folder makes another authority, which is how a wrong one is had.
pub fn generate(folder: &Path, names: &[&str]) -> Result<TlsFiles> {
    fs::create_dir_all(folder).with_context(|| format!("creating {}", folder.display()))?;
    let files = TlsFiles {
        ca: folder.join("ca.pem"),
        server_cert: folder.join("server.pem"),
        server_key: folder.join("server-key.pem"),
        client_cert: folder.join("client.pem"),
        client_key: folder.join("client-key.pem"),
    };

    let ca_key = KeyPair::generate()?;
    let mut ca = CertificateParams::new(Vec::<String>::new())?;
    ca.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    ca.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign, KeyUsagePurpose::DigitalSignature];
    ca.distinguished_name.push(DnType::CommonName, "dtsctl testbed authority");
    let ca_cert = ca.self_signed(&ca_key)?;
    fs::write(&files.ca, ca_cert.pem())?;
    let issuer = Issuer::new(ca, ca_key);

    let leaf = |common_name: &str, names: Vec<String>, purpose, cert: &Path, key: &Path| -> Result<()> {
        let leaf_key = KeyPair::generate()?;
        let mut params = CertificateParams::new(names)?;
        params.distinguished_name.push(DnType::CommonName, common_name);
        params.extended_key_usages = vec![purpose];
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        fs::write(cert, params.signed_by(&leaf_key, &issuer)?.pem())?;
        fs::write(key, leaf_key.serialize_pem())?;
        Ok(())
    };
    let names = names.iter().map(|name| (*name).to_owned()).collect();
    leaf("dtsctl testbed server", names, ExtendedKeyUsagePurpose::ServerAuth, &files.server_cert, &files.server_key)?;
    leaf("dtsctl testbed client", Vec::new(), ExtendedKeyUsagePurpose::ClientAuth, &files.client_cert, &files.client_key)?;
    Ok(files)
}
