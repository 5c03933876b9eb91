//! One who asks: what was shown, where it comes from, and what that amounts to at this moment.

use std::sync::Arc;

use poem::http::header::AUTHORIZATION;
use poem::http::{HeaderMap, HeaderValue, Method};
use poem::{FromRequest, Request, RequestBody};

use super::credential::{Credential, Grant};
use super::origin::{is_from_elsewhere, names_this_machine};
use super::secret::Secret;
use super::speaker::SocketPrincipal;
use super::{AuthMode, Authenticator, Refusal, client};
use crate::error::Failure;
use crate::model::{Account, ChangeSource, Key, Scope};
use crate::writer::Signer;

/// Who sent a request. Cheap to clone.
#[derive(Clone)]
pub struct Principal(Arc<Inner>);

#[derive(Clone)]
struct Inner {
    authenticator: Authenticator,
    credential: Option<Credential>,
    /// What the browser keeps; also before somebody signed in.
    cookie: Option<Secret>,
    has_earlier_cookie: bool,
    is_from_elsewhere: bool,
    is_from_another_site: bool,
    is_from_other_host: bool,
    /// The kind of client, in words.
    client: String,
}

impl Principal {
    pub fn read(authenticator: Authenticator, headers: &HeaderMap) -> Self {
        let is_demo = authenticator.auth() == AuthMode::Demo;
        let kept = authenticator.cookies().read(headers).filter(|_| !is_demo);
        let has_earlier_cookie = kept.as_ref().is_some_and(|kept| kept.is_earlier);
        let cookie = kept.map(|kept| kept.secret);
        let shown = headers.get(AUTHORIZATION).filter(|_| !is_demo);
        let credential = match (shown, &cookie) {
            (Some(shown), _) => Some(Credential::of_header(shown)),
            (None, Some(cookie)) => Some(Credential::Session(cookie.key())),
            (None, None) => None,
        };
        Principal(Arc::new(Inner {
            is_from_elsewhere: is_from_elsewhere(headers, authenticator.base()),
            is_from_another_site: is_from_elsewhere(headers, None),
            is_from_other_host: is_demo && !names_this_machine(headers),
            client: client::describe(headers),
            authenticator,
            credential,
            cookie,
            has_earlier_cookie,
        }))
    }

    /// The caller that goes with a request.
    ///
    /// # Errors
    /// A server error where nobody identified it.
    pub fn get(request: &Request) -> Result<&Self, Failure> {
        request.data::<Principal>().ok_or_else(|| {
            tracing::error!("a request came without its caller");
            Failure::internal()
        })
    }

    /// The key of what was shown and is worth nothing, as far as is known.
    pub fn unknown_key(&self) -> Option<Key> {
        let (Credential::Session(key) | Credential::Token(key)) = self.0.credential?;
        self.grant().is_none().then_some(key)
    }

    pub fn authenticator(&self) -> &Authenticator {
        &self.0.authenticator
    }

    pub fn client(&self) -> &str {
        &self.0.client
    }

    /// The secret of the browser's cookie.
    pub fn cookie(&self) -> Option<&Secret> {
        self.0.cookie.as_ref()
    }

    /// Returns the `Set-Cookie` headers that delete what the browser keeps of its session.
    pub fn clear_cookies(&self) -> Vec<HeaderValue> {
        let cookies = self.0.authenticator.cookies();
        let earlier = self.0.has_earlier_cookie.then(|| cookies.forget_earlier());
        [cookies.forget(), cookies.forget_account()]
            .into_iter()
            .chain(earlier)
            .collect()
    }

    /// The same caller, whose browser is about to be given this cookie.
    pub fn with_cookie(&self, secret: Secret) -> Self {
        Principal(Arc::new(Inner {
            credential: Some(Credential::Session(secret.key())),
            cookie: Some(secret),
            ..Inner::clone(&self.0)
        }))
    }

    /// Returns true if a page of another site had the browser send this request.
    pub fn is_from_another_site(&self) -> bool {
        self.0.is_from_another_site
    }

    /// Returns true if a page of this server sent the request, opened at another address than the
    /// public one.
    pub fn is_at_another_address(&self) -> bool {
        self.0.is_from_elsewhere && !self.0.is_from_another_site
    }

    /// Lets a request pass that changes nothing, or that no other site's page had sent.
    ///
    /// # Errors
    /// Which of the rules was broken.
    pub fn check_origin(&self, method: &Method) -> Result<(), Failure> {
        match self.bar().filter(|_| !method.is_safe()) {
            None => Ok(()),
            Some(refusal) => Err(self.explain(refusal)),
        }
    }

    /// Turns a refusal into an answer, which names the public address if only the address was wrong.
    fn explain(&self, refusal: Refusal) -> Failure {
        match self
            .0
            .authenticator
            .base()
            .filter(|_| self.is_at_another_address())
        {
            Some(base) => Failure::forbidden(format!(
                "Changes work only at {}. This page was opened at another address.",
                base.origin()
            )),
            None => refusal.into(),
        }
    }

    /// Lets a form pass that carries the token of a page made for this browser. A program shows
    /// its own token, which no other site's page can have it send; in the demo nothing is shown.
    ///
    /// # Errors
    /// `StaleForm`.
    pub fn check_form(&self, shown: Option<&str>) -> Result<(), Refusal> {
        let is_by_cookie = !matches!(self.0.credential, Some(Credential::Token(_)));
        if self.0.authenticator.auth() == AuthMode::Demo || !is_by_cookie {
            return Ok(());
        }
        let made = |cookie: &Secret| cookie.made_form_token(shown.unwrap_or_default());
        match self.cookie().is_some_and(made) {
            true => Ok(()),
            false => Err(Refusal::StaleForm),
        }
    }

    /// Returns the signer of a change by this caller: `unnamed` in the demo, where nobody has a name.
    ///
    /// # Errors
    /// Why the caller may not do what takes `scope`.
    pub fn sign(&self, scope: Scope, unnamed: ChangeSource) -> Result<Signer, Refusal> {
        if self.0.authenticator.auth() == AuthMode::Demo {
            return match self.0.is_from_other_host {
                true => Err(Refusal::OtherHost),
                false => Ok(unnamed.into()),
            };
        }
        let credential = self.0.credential.ok_or(Refusal::NotSignedIn)?;
        self.0.authenticator.signer(credential, scope)
    }

    /// The account that is signed in with this browser, and the key of its session.
    ///
    /// # Errors
    /// Why there is none.
    pub fn person(&self) -> Result<(Arc<Account>, Key), Refusal> {
        self.0.authenticator.staff()?;
        let grant = self.grant().ok_or(Refusal::NotSignedIn)?;
        match self.0.credential {
            Some(Credential::Session(key)) => Ok((grant.account, key)),
            _ => Err(Refusal::NotAPerson),
        }
    }

    /// Who commands over the socket that this request opens.
    pub fn socket_principal(&self) -> SocketPrincipal {
        match (self.bar(), self.0.credential) {
            (Some(refusal), _) => SocketPrincipal::Barred(refusal),
            (None, Some(credential)) => SocketPrincipal::Shown(Arc::new(credential)),
            (None, None) => SocketPrincipal::Stranger,
        }
    }

    /// The account behind what was shown, as long as it is valid.
    pub fn account(&self) -> Option<Arc<Account>> {
        Some(self.grant()?.account)
    }

    fn grant(&self) -> Option<Grant> {
        self.0.authenticator.grant(self.0.credential?)
    }

    fn bar(&self) -> Option<Refusal> {
        match (self.0.is_from_other_host, self.0.is_from_elsewhere) {
            (true, _) => Some(Refusal::OtherHost),
            (false, true) => Some(Refusal::FromElsewhere),
            (false, false) => None,
        }
    }
}

impl<'a> FromRequest<'a> for Principal {
    async fn from_request(request: &'a Request, _body: &mut RequestBody) -> poem::Result<Self> {
        Ok(Principal::get(request)?.clone())
    }
}
