//! An HTTP client for the doctor: one connection per request, with or without TLS.

use std::io;
use std::net::SocketAddr;
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

use crate::serve::tls::{TlsClient, TlsError, server_certificate};

use crate::auth::BaseUrl;

/// For a connection and the head of an answer. A slow proxy is not a broken one.
const TIMEOUT: Duration = Duration::from_secs(10);

/// The bodies that the doctor reads as a whole are short.
const MAX_BODY_BYTES: usize = 64 * 1024;

/// A website: where to connect, the `Host` of requests, and what their paths begin with.
pub struct Website {
    host: String,
    port: u16,
    authority: String,
    base_path: String,
    /// For https.
    tls: Option<TlsClient>,
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
            base_path: String::new(),
            tls: None,
        }
    }

    /// Returns the site at a public address, which needs `tls` if it is https. `None` if it has no host.
    pub fn at(base: &BaseUrl, tls: Option<TlsClient>) -> Option<Self> {
        let uri: Uri = base.origin().parse().ok()?;
        let authority = uri.authority()?;
        let host = authority
            .host()
            .trim_start_matches('[')
            .trim_end_matches(']');
        Some(Website {
            host: host.to_owned(),
            port: authority
                .port_u16()
                .unwrap_or(if tls.is_some() { 443 } else { 80 }),
            authority: authority.to_string(),
            base_path: base.path().to_owned(),
            tls,
        })
    }

    /// Returns the host and, unless it is the scheme's, the port.
    pub fn authority(&self) -> &str {
        &self.authority
    }

    /// Returns the port.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Returns the host.
    pub fn host(&self) -> &str {
        &self.host
    }

    async fn connect(&self) -> io::Result<Box<dyn Stream>> {
        let stream = TcpStream::connect((self.host.as_str(), self.port)).await?;
        let Some(tls) = &self.tls else {
            return Ok(Box::new(stream));
        };
        let connected = tls.connect(&self.host, stream).await;
        Ok(Box::new(connected.map_err(io::Error::other)?))
    }

    /// Connects, and returns the certificate of the site in DER after it was checked. `None` without https.
    ///
    /// # Errors
    /// The outer ones if there is no connection, the inner ones if the certificate or the handshake has a fault.
    pub async fn certificate(&self) -> io::Result<Result<Option<Vec<u8>>, TlsError>> {
        let Some(tls) = &self.tls else {
            return Ok(Ok(None));
        };
        let connected = async {
            let stream = TcpStream::connect((self.host.as_str(), self.port)).await?;
            io::Result::Ok(tls.connect(&self.host, stream).await)
        };
        let connected = timeout(TIMEOUT, connected).await??;
        Ok(connected.map(|stream| server_certificate(&stream).map(|found| found.to_vec())))
    }
}

/// Sends a GET request for a path of the URL table, with further header fields. Returns the answer once its head has arrived.
///
/// # Errors
/// If there is no connection, or no answer in time.
pub async fn open(
    site: &Website,
    path: &str,
    fields: &[(&'static str, &str)],
) -> io::Result<Response<Incoming>> {
    let mut request = Request::get(format!("{}{path}", site.base_path))
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
    timeout(TIMEOUT, answer).await?
}

/// Gets a short text. Returns its status and the text.
///
/// # Errors
/// As for `open`, and for a long answer.
pub async fn get(site: &Website, path: &str) -> io::Result<(u16, String)> {
    let answer = open(site, path, &[]).await?;
    let status = answer.status().as_u16();
    let body = Limited::new(answer.into_body(), MAX_BODY_BYTES).collect();
    let body = timeout(TIMEOUT, body).await?.map_err(io::Error::other)?;
    let text = String::from_utf8_lossy(&body.to_bytes()).into_owned();
    Ok((status, text))
}
