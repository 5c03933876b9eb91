//! An HTTP client for the doctor: one connection per request, with or without TLS.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, Empty, Limited};
use hyper::body::Incoming;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use poem::http::{Request, Response, Uri, header};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::ServerName;
use tokio_rustls::rustls::{ClientConfig, RootCertStore};

/// For a connection and the head of an answer. A slow proxy is not a broken one.
const PATIENCE: Duration = Duration::from_secs(10);

/// The bodies that the doctor reads as a whole are short.
const MAX_BODY_BYTES: usize = 64 * 1024;

/// A website: where to connect, and the `Host` of requests.
pub struct Website {
    host: String,
    port: u16,
    authority: String,
    is_secure: bool,
}

trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

impl Website {
    /// Returns the site at an address of this machine.
    pub fn local(address: SocketAddr) -> Self {
        Website {
            host: address.ip().to_string(),
            port: address.port(),
            authority: address.to_string(),
            is_secure: false,
        }
    }

    /// Returns the site at an origin, such as `https://pets.example`. `None` if it has no host.
    pub fn at(origin: &str) -> Option<Self> {
        let uri: Uri = origin.parse().ok()?;
        let is_secure = uri.scheme_str() == Some("https");
        let authority = uri.authority()?;
        let host = authority
            .host()
            .trim_start_matches('[')
            .trim_end_matches(']');
        Some(Website {
            host: host.to_owned(),
            port: authority
                .port_u16()
                .unwrap_or(if is_secure { 443 } else { 80 }),
            authority: authority.to_string(),
            is_secure,
        })
    }

    /// Returns the host and, unless it is the scheme's, the port.
    pub fn authority(&self) -> &str {
        &self.authority
    }

    /// Returns the host.
    pub fn host(&self) -> &str {
        &self.host
    }

    async fn connect(&self) -> io::Result<Box<dyn Stream>> {
        let stream = TcpStream::connect((self.host.as_str(), self.port)).await?;
        if !self.is_secure {
            return Ok(Box::new(stream));
        }
        let mut roots = RootCertStore::empty();
        roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        let provider = Arc::new(ring::default_provider());
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(io::Error::other)?
            .with_root_certificates(roots)
            .with_no_client_auth();
        let name = ServerName::try_from(self.host.clone()).map_err(io::Error::other)?;
        let connector = TlsConnector::from(Arc::new(config));
        Ok(Box::new(connector.connect(name, stream).await?))
    }
}

/// Sends a GET request with further header fields. Returns the answer once its head has arrived.
///
/// # Errors
/// If there is no connection, or no answer in time.
pub async fn open(
    site: &Website,
    path: &str,
    fields: &[(&'static str, &str)],
) -> io::Result<Response<Incoming>> {
    let mut request = Request::get(path)
        .header(header::HOST, site.authority())
        .header(header::USER_AGENT, "pet-store doctor");
    for (name, value) in fields {
        request = request.header(*name, *value);
    }
    let request = request.body(Empty::<Bytes>::new());
    let request = request.map_err(io::Error::other)?;
    let answer = async {
        let stream = TokioIo::new(site.connect().await?);
        let (mut sender, connection) = http1::handshake(stream).await.map_err(io::Error::other)?;
        // Ends with the answer's body.
        tokio::spawn(connection.with_upgrades());
        sender.send_request(request).await.map_err(io::Error::other)
    };
    timeout(PATIENCE, answer).await?
}

/// Gets a short text. Returns its status and the text.
///
/// # Errors
/// As for `open`, and for a long answer.
pub async fn get(site: &Website, path: &str) -> io::Result<(u16, String)> {
    let answer = open(site, path, &[]).await?;
    let status = answer.status().as_u16();
    let body = Limited::new(answer.into_body(), MAX_BODY_BYTES).collect();
    let body = timeout(PATIENCE, body).await?.map_err(io::Error::other)?;
    let text = String::from_utf8_lossy(&body.to_bytes()).into_owned();
    Ok((status, text))
}
