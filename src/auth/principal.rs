//! Principals: who sent a request, or who sends commands over a socket.
//!
//! A principal holds a credential, not a permission. Every use looks up if the credential is valid.

use std::sync::Arc;

use poem::http::header::{AUTHORIZATION, USER_AGENT};
use poem::http::{HeaderMap, HeaderValue, Method};
use poem::{FromRequest, Request, RequestBody};

use super::authenticator::{AuthMode, Authenticator};
use super::csrf::is_form_token;
use super::grant::{Credential, Grant};
use super::origin::{is_cross_origin, is_local_host};
use super::refusal::Refusal;
use super::secret::Secret;
use crate::model::{Account, Audience, ChangeSource, Key, Scope};
use crate::writer::Signer;

/// Sender of a request. Cheap to clone.
#[derive(Clone)]
pub struct Principal(Arc<PrincipalParts>);

#[derive(Clone)]
struct PrincipalParts {
    authenticator: Authenticator,
    credential: Option<Credential>,
    /// The secret in the browser's cookie, which also exists before a person signs in.
    cookie: Option<Secret>,
    has_legacy_cookie: bool,
    is_cross_origin: bool,
    is_cross_site: bool,
    is_from_other_host: bool,
    /// The answer is shown as a page, so that no other page can read it.
    is_navigation: bool,
    /// The kind of client: "Firefox on Android".
    client: String,
}

impl Principal {
    /// Reads the headers of a request. A token has precedence over a cookie.
    pub fn from_headers(authenticator: Authenticator, headers: &HeaderMap) -> Self {
        let is_demo = authenticator.mode() == AuthMode::Demo;
        let read = authenticator.cookies().read(headers).filter(|_| !is_demo);
        let has_legacy_cookie = read.as_ref().is_some_and(|cookie| cookie.is_legacy);
        let cookie = read.map(|cookie| cookie.secret);
        let token = headers.get(AUTHORIZATION).filter(|_| !is_demo);
        let session = || Some(Credential::Session(cookie.as_ref()?.key()));
        let credential = token.map(Credential::from_header).or_else(session);
        Principal(Arc::new(PrincipalParts {
            is_cross_origin: is_cross_origin(headers, authenticator.base_of_writes()),
            is_cross_site: is_cross_origin(headers, None),
            is_from_other_host: is_demo && !is_local_host(headers),
            is_navigation: headers
                .get("sec-fetch-mode")
                .is_some_and(|mode| mode == "navigate"),
            client: describe_client(headers),
            authenticator,
            credential,
            cookie,
            has_legacy_cookie,
        }))
    }

    /// Returns the principal of a request, which the identity middleware attached.
    ///
    /// # Errors
    /// A server error if there is none.
    pub fn get(request: &Request) -> Result<&Self, Refusal> {
        request.data::<Principal>().ok_or_else(|| {
            tracing::error!("bug: the request was not identified before its handler ran");
            Refusal::Unidentified
        })
    }

    /// Returns the key of the credential if this node does not know a valid one with that key.
    pub fn unknown_key(&self) -> Option<Key> {
        let (Credential::Session(key) | Credential::Token(key)) = self.0.credential?;
        let is_known = self.grant().is_some() || self.station().is_some();
        (!is_known).then_some(key)
    }

    /// Returns the key of the station that the browser is, whether somebody has a turn or not.
    pub fn station(&self) -> Option<Key> {
        let accounts = self.0.authenticator.staff().ok()?.accounts();
        match self.0.credential? {
            Credential::Session(key) => Some(key).filter(|key| accounts.stations().contains(key)),
            Credential::Token(_) => None,
        }
    }

    /// Returns the authenticator that identified the request.
    pub fn authenticator(&self) -> &Authenticator {
        &self.0.authenticator
    }

    /// Returns the kind of client: "Firefox on Android".
    pub fn client(&self) -> &str {
        &self.0.client
    }

    /// Returns the secret in the browser's cookie.
    pub fn cookie(&self) -> Option<&Secret> {
        self.0.cookie.as_ref()
    }

    /// Returns the `Set-Cookie` headers that delete the cookies of the session.
    pub fn clear_cookies(&self) -> Vec<HeaderValue> {
        let cookies = self.0.authenticator.cookies();
        let legacy = self.0.has_legacy_cookie.then(|| cookies.clear_legacy());
        [cookies.clear_session(), cookies.clear_account()]
            .into_iter()
            .chain(legacy)
            .collect()
    }

    /// Returns the principal of this browser with another cookie.
    pub fn with_cookie(&self, secret: Secret) -> Self {
        Principal(Arc::new(PrincipalParts {
            credential: Some(Credential::Session(secret.key())),
            cookie: Some(secret),
            ..PrincipalParts::clone(&self.0)
        }))
    }

    /// Returns true if a page of another site made the browser send this request.
    pub fn is_from_another_site(&self) -> bool {
        self.0.is_cross_site
    }

    /// Returns true if a page of this server sent the request, opened at another address than the
    /// public one.
    pub fn is_at_another_address(&self) -> bool {
        self.0.is_cross_origin && !self.0.is_cross_site
    }

    /// Checks that the request changes nothing, or that no page of another site sent it.
    ///
    /// # Errors
    /// A 403 that names the public address if only the address was wrong.
    pub fn check_origin(&self, method: &Method) -> Result<(), Refusal> {
        let Some(refusal) = self.origin_refusal().filter(|_| !method.is_safe()) else {
            return Ok(());
        };
        let base = self.0.authenticator.base_of_writes();
        match base.filter(|_| self.is_at_another_address()) {
            Some(base) => Err(Refusal::WrongAddress(base.site())),
            None => Err(refusal),
        }
    }

    /// Checks the form token of a form. A program that sends an API token needs none, since no page
    /// of another site can make a browser send it; nor does the demo.
    ///
    /// # Errors
    /// `StaleForm`.
    pub fn check_form(&self, shown: Option<&str>) -> Result<(), Refusal> {
        let has_token = matches!(self.0.credential, Some(Credential::Token(_)));
        let is_exempt = has_token || self.0.authenticator.mode() == AuthMode::Demo;
        let is_valid = |cookie: &Secret| is_form_token(cookie, shown.unwrap_or_default());
        if is_exempt || self.cookie().is_some_and(is_valid) {
            Ok(())
        } else {
            Err(Refusal::StaleForm)
        }
    }

    /// Returns the signer of a change by this principal; in the demo, which has no accounts, a signer
    /// without a name from `source`.
    ///
    /// # Errors
    /// Why the principal lacks `scope`.
    pub fn sign(&self, scope: Scope, source: ChangeSource) -> Result<Signer, Refusal> {
        if self.0.authenticator.mode() == AuthMode::Demo {
            if self.0.is_from_other_host {
                return Err(Refusal::OtherHost);
            }
            return Ok(source.into());
        }
        let credential = self.0.credential.ok_or(Refusal::NotSignedIn)?;
        self.0.authenticator.signer(credential, scope)
    }

    /// Returns the audience that this principal belongs to. A script of another site reads what visitors
    /// read, unless it sends a token.
    pub fn audience(&self) -> Audience {
        let has_token = matches!(self.0.credential, Some(Credential::Token(_)));
        let is_trusted = has_token || self.0.is_navigation || !self.0.is_cross_origin;
        if is_trusted && self.sign(Scope::Read, ChangeSource::Api).is_ok() {
            Audience::Staff
        } else {
            Audience::Public
        }
    }

    /// Returns the account that is signed in with this browser, and the key of its session. At a station it
    /// is the account of the person whose turn it is.
    ///
    /// # Errors
    /// `Demo`, `NotSignedIn`, or `NotAPerson` for a token.
    pub fn person(&self) -> Result<(Arc<Account>, Key), Refusal> {
        self.0.authenticator.staff()?;
        let grant = self.grant().ok_or(Refusal::NotSignedIn)?;
        match self.0.credential {
            Some(Credential::Session(key)) => Ok((grant.account, key)),
            _ => Err(Refusal::NotAPerson),
        }
    }

    /// Returns the principal of the socket that this request opens.
    pub fn socket_principal(&self) -> SocketPrincipal {
        match (self.origin_refusal(), self.0.credential) {
            (Some(refusal), _) => SocketPrincipal::Refused(refusal),
            (None, Some(credential)) => SocketPrincipal::Credential(Arc::new(credential)),
            (None, None) => SocketPrincipal::Anonymous,
        }
    }

    /// Returns the account of the credential, if that is valid.
    pub fn account(&self) -> Option<Arc<Account>> {
        Some(self.grant()?.account)
    }

    fn grant(&self) -> Option<Grant> {
        self.0.authenticator.grant(self.0.credential?)
    }

    fn origin_refusal(&self) -> Option<Refusal> {
        if self.0.is_from_other_host {
            Some(Refusal::OtherHost)
        } else if self.0.is_cross_origin {
            Some(Refusal::CrossOrigin)
        } else {
            None
        }
    }
}

impl<'a> FromRequest<'a> for Principal {
    async fn from_request(request: &'a Request, _body: &mut RequestBody) -> poem::Result<Self> {
        Ok(Principal::get(request)?.clone())
    }
}

/// Sender of commands over a socket. Every socket keeps one, so it is small.
#[derive(Clone, Debug)]
pub enum SocketPrincipal {
    /// Every command is refused, also one with a valid token: a page of another site may watch, and
    /// never command.
    Refused(Refusal),
    /// No credential was sent yet.
    Anonymous,
    /// A session cookie or a token, which is checked at every command.
    Credential(Arc<Credential>),
}

impl SocketPrincipal {
    /// Uses a token from now on, unless commands are refused.
    pub fn set_token(&mut self, token: &str) {
        if !matches!(self, SocketPrincipal::Refused(_)) {
            *self = SocketPrincipal::Credential(Arc::new(Credential::from_token(token)));
        }
    }

    /// Returns the account of the credential, if that is valid.
    pub fn account(&self, authenticator: &Authenticator) -> Option<Arc<Account>> {
        match self {
            SocketPrincipal::Credential(credential) => {
                Some(authenticator.grant(**credential)?.account)
            }
            SocketPrincipal::Refused(_) | SocketPrincipal::Anonymous => None,
        }
    }

    /// Returns the signer of a command over this socket.
    ///
    /// # Errors
    /// Why the principal lacks `scope`.
    pub fn sign(&self, authenticator: &Authenticator, scope: Scope) -> Result<Signer, Refusal> {
        match (self, authenticator.mode()) {
            (SocketPrincipal::Refused(refusal), _) => Err(refusal.clone()),
            (_, AuthMode::Demo) => Ok(ChangeSource::Staff.into()),
            (SocketPrincipal::Anonymous, AuthMode::Serve) => Err(Refusal::NotSignedIn),
            (SocketPrincipal::Credential(credential), AuthMode::Serve) => {
                authenticator.signer(**credential, scope)
            }
        }
    }
}

/// Browsers by a part of their `User-Agent`. The more specific come first: most claim to be several.
const BROWSERS: [(&str, &str); 6] = [
    ("Firefox/", "Firefox"),
    ("FxiOS/", "Firefox"),
    ("Edg", "Edge"),
    ("OPR/", "Opera"),
    ("Chrome/", "Chrome"),
    ("Safari/", "Safari"),
];

/// Operating systems by a part of the `User-Agent`.
const SYSTEMS: [(&str, &str); 6] = [
    ("Android", "Android"),
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Windows", "Windows"),
    ("Mac OS X", "Mac"),
    ("Linux", "Linux"),
];

/// Describes the client, so that people recognise their own sessions. Made of fixed words only: the
/// text of the header is never stored.
fn describe_client(headers: &HeaderMap) -> String {
    let agent = headers.get(USER_AGENT).map(HeaderValue::to_str);
    let agent = agent.and_then(Result::ok).unwrap_or_default();
    let find = |table: [(&str, &'static str); 6]| {
        let found = table.into_iter().find(|(part, _)| agent.contains(part));
        found.map(|(_, name)| name)
    };
    match (find(BROWSERS), find(SYSTEMS)) {
        (Some(browser), Some(system)) => format!("{browser} on {system}"),
        (Some(name), None) | (None, Some(name)) => name.to_owned(),
        (None, None) => "another client".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_client_is_described_in_fixed_words_whatever_its_header_says() {
        for (agent, words) in [
            (
                "Mozilla/5.0 (Android 14; Mobile; rv:130.0) Gecko/130.0 Firefox/130.0",
                "Firefox on Android",
            ),
            (
                "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 \
                 (KHTML, like Gecko) Version/17.5 Mobile/15E148 Safari/604.1",
                "Safari on iPhone",
            ),
            (
                "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) \
                 Chrome/128.0.0.0 Safari/537.36 Edg/128.0.0.0",
                "Edge on Windows",
            ),
            ("<script>alert(1)</script>", "another client"),
            ("", "another client"),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(USER_AGENT, agent.parse().unwrap());
            assert_eq!(describe_client(&headers), words, "{agent}");
        }
        assert_eq!(describe_client(&HeaderMap::new()), "another client");
    }
}
