//! Certificates of authorities that a test creates, and the server's side of TLS.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::PrivateKeyDer;

const DAY: Duration = Duration::from_hours(24);

/// An authority that signs certificates.
pub struct TestAuthority {
    issuer: Issuer<'static, KeyPair>,
    root: String,
}

impl TestAuthority {
    pub fn new(name: &str) -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().unwrap();
        let root = params.self_signed(&key).unwrap().pem();
        TestAuthority {
            issuer: Issuer::new(params, key),
            root,
        }
    }

    /// Writes the root certificate to a file of `folder`, for `SSL_CERT_FILE`.
    pub fn write_root(&self, folder: &Path) -> PathBuf {
        let path = folder.join("root.pem");
        std::fs::write(&path, &self.root).unwrap();
        path
    }

    /// Returns the server's side of TLS for `name`, with a certificate that began 60 days ago and ends in `days`.
    pub fn server(&self, name: &str, days: i32) -> TlsAcceptor {
        let mut params = CertificateParams::new(vec![name.to_owned()]).unwrap();
        let now = SystemTime::now();
        let days_off = DAY * days.unsigned_abs();
        let end = if days < 0 {
            now - days_off
        } else {
            // A minute is for the test.
            now + days_off + Duration::from_mins(1)
        };
        (params.not_before, params.not_after) = ((now - 60 * DAY).into(), end.into());
        let key = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        let key = PrivateKeyDer::Pkcs8(key.serialize_der().into());
        let config = ServerConfig::builder_with_provider(ring::default_provider().into())
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![certificate.der().clone()], key);
        TlsAcceptor::from(Arc::new(config.unwrap()))
    }
}
