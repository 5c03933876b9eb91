//! The client's side of TLS, for webhooks and `pet-store doctor`: certificates are checked against the root
//! certificates of this machine.

use std::io;
use std::sync::Arc;

use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName};
use tokio_rustls::rustls::{CertificateError, ClientConfig, Error, RootCertStore};

/// Connects with TLS. Clones share the root certificates.
#[derive(Clone)]
pub struct TlsClient(TlsConnector);

/// Failure of a TLS connection.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// No certificate can be checked.
    #[error(
        "this machine has no root certificates for https: install ca-certificates, or set SSL_CERT_FILE"
    )]
    NoRoots,
    /// The certificate ended.
    #[error("the certificate has expired")]
    Expired,
    /// The certificate begins later, by this machine's clock.
    #[error("the certificate is not valid yet, by the clock of this machine")]
    NotYetValid,
    /// The certificate is not signed by a root certificate of this machine, or a certificate between is missing.
    #[error("the certificate is not from an authority that this machine trusts")]
    UnknownIssuer,
    /// The certificate is that of other names.
    #[error("the certificate is for another name")]
    OtherName,
    /// The certificate breaks another rule.
    #[error("the certificate is not valid: {0}")]
    Invalid(CertificateError),
    /// The handshake failed.
    #[error("{0}")]
    Handshake(io::Error),
}

impl TlsClient {
    /// Reads the root certificates of this machine, or those that `SSL_CERT_FILE` and `SSL_CERT_DIR` name.
    /// Blocks on the disk.
    ///
    /// # Errors
    /// `NoRoots`.
    pub fn with_native_roots() -> Result<Self, TlsError> {
        let mut roots = RootCertStore::empty();
        roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        if roots.is_empty() {
            return Err(TlsError::NoRoots);
        }
        let config = ClientConfig::builder_with_provider(ring::default_provider().into())
            .with_safe_default_protocol_versions()
            .map_err(|error| TlsError::Handshake(io::Error::other(error)))?
            .with_root_certificates(roots)
            .with_no_client_auth();
        Ok(TlsClient(Arc::new(config).into()))
    }

    /// Encrypts a connection to `host`, and checks its certificate.
    ///
    /// # Errors
    /// All but `NoRoots`.
    pub async fn connect(
        &self,
        host: &str,
        stream: TcpStream,
    ) -> Result<TlsStream<TcpStream>, TlsError> {
        let name = ServerName::try_from(host.to_owned());
        let name = name.map_err(|error| TlsError::Handshake(io::Error::other(error)))?;
        let connected = self.0.connect(name, stream).await;
        connected.map_err(TlsError::from_handshake)
    }
}

/// Returns the certificate of the server itself.
pub fn server_certificate(stream: &TlsStream<TcpStream>) -> Option<&CertificateDer<'static>> {
    let (_, connection) = stream.get_ref();
    connection.peer_certificates()?.first()
}

impl TlsError {
    fn from_handshake(error: io::Error) -> Self {
        let cause = error.get_ref().and_then(|cause| cause.downcast_ref());
        let Some(Error::InvalidCertificate(fault)) = cause else {
            return TlsError::Handshake(error);
        };
        match fault {
            CertificateError::Expired | CertificateError::ExpiredContext { .. } => {
                TlsError::Expired
            }
            CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
                TlsError::NotYetValid
            }
            CertificateError::UnknownIssuer => TlsError::UnknownIssuer,
            CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
                TlsError::OtherName
            }
            other => TlsError::Invalid(other.clone()),
        }
    }
}
