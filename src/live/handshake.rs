//! Answers the opening handshake of WebSocket (RFC 6455, section 4.2).
//!
//! Ours, because poem's refuses `Upgrade: WEBSOCKET`, answers a wrong version with 400 and
//! HTTP/1.0 with 500. `delivery` decodes the frames that follow.

use poem::http::{HeaderMap, HeaderName, StatusCode, Version, header};
use poem::{OnUpgrade, Request, Response, Upgraded};
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;

use crate::error::Failure;

/// A request that is a WebSocket handshake, not yet answered.
pub struct Handshake {
    accept_key: String,
    protocol: Option<&'static str>,
    upgrade: OnUpgrade,
}

impl Handshake {
    /// Checks that `request` is a handshake.
    ///
    /// # Errors
    /// 426 for what is no WebSocket handshake or has another version, 400 for a broken one.
    pub fn from_request(request: &Request) -> Result<Self, Failure> {
        let headers = request.headers();
        if request.version() != Version::HTTP_11
            || !lists(headers, &header::CONNECTION, "upgrade")
            || !lists(headers, &header::UPGRADE, "websocket")
        {
            return Err(upgrade_required("This address speaks WebSocket only."));
        }
        let version = headers.get(header::SEC_WEBSOCKET_VERSION);
        if version.is_none_or(|version| version != "13") {
            return Err(upgrade_required("This server speaks WebSocket version 13."));
        }
        let key = headers.get(header::SEC_WEBSOCKET_KEY);
        let key = key.filter(|key| key.len() == 24).ok_or_else(|| {
            Failure::bad_request("Sec-WebSocket-Key must be 16 bytes in base64: 24 characters.")
        })?;
        let upgrade = request
            .take_upgrade()
            .map_err(|_| upgrade_required("This connection cannot be turned into a WebSocket."))?;
        Ok(Handshake {
            protocol: None,
            accept_key: derive_accept_key(key.as_bytes()),
            upgrade,
        })
    }

    /// Agrees on `protocol` if the client offers it. A client that offers none must not be sent one
    /// (RFC 6455, section 4.1).
    pub fn with_protocol(self, request: &Request, protocol: &'static str) -> Self {
        let offered = request.headers().get_all(header::SEC_WEBSOCKET_PROTOCOL);
        let offered = offered.iter().filter_map(|list| list.to_str().ok());
        let is_offered = offered
            .flat_map(|list| list.split(','))
            .any(|name| name.trim() == protocol);
        Handshake {
            protocol: is_offered.then_some(protocol),
            ..self
        }
    }

    /// Returns the response, and the stream that is available once the response was sent.
    pub fn accept(self) -> (Response, impl Future<Output = Option<Upgraded>> + Send) {
        let mut response = Response::builder()
            .status(StatusCode::SWITCHING_PROTOCOLS)
            .header(header::CONNECTION, "Upgrade")
            .header(header::UPGRADE, "websocket")
            .header(header::SEC_WEBSOCKET_ACCEPT, self.accept_key);
        if let Some(protocol) = self.protocol {
            response = response.header(header::SEC_WEBSOCKET_PROTOCOL, protocol);
        }
        (response.finish(), async move { self.upgrade.await.ok() })
    }
}

/// Returns true if a header that lists words contains `word`, in any case.
fn lists(headers: &HeaderMap, name: &HeaderName, word: &str) -> bool {
    let lists = headers.get_all(name).iter();
    let words = lists
        .filter_map(|list| list.to_str().ok())
        .flat_map(|list| list.split(','));
    words
        .map(str::trim)
        .any(|found| found.eq_ignore_ascii_case(word))
}

fn upgrade_required(detail: &str) -> Failure {
    Failure::new(StatusCode::UPGRADE_REQUIRED, "WebSocket required", detail)
}
