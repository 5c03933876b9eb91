//! The authenticator: identifies who sent a request, and owns the cookies and accounts it needs.

use std::sync::Arc;
use std::time::Duration;

use poem::Request;
use poem::http::HeaderValue;

use super::accounts::{Accounts, LONGEST_SESSION};
use super::base_url::BaseUrl;
use super::cookie::Cookies;
use super::principal::Principal;
use super::refusal::Refusal;
use super::secret::Secret;
use super::staff::StaffAuth;
use crate::model::Rescue;
use crate::store::{AccountStore, StoreError};

/// People who may write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AuthMode {
    /// Every client may write; the server listens on loopback only. There are no accounts.
    Demo,
    /// Staff.
    Serve,
}

/// Identifies who sent a request. Cheap to clone; clones share their state.
#[derive(Clone)]
pub struct Authenticator(Arc<AuthenticatorParts>);

struct AuthenticatorParts {
    base: Option<BaseUrl>,
    cookies: Cookies,
    /// None in the demo.
    staff: Option<StaffAuth>,
}

impl Authenticator {
    /// Creates the authenticator of the demo, in which everyone on this machine is staff.
    pub fn demo() -> Self {
        Authenticator::demo_at(None)
    }

    fn demo_at(base: Option<BaseUrl>) -> Self {
        Authenticator(Arc::new(AuthenticatorParts {
            cookies: Cookies::new(base.as_ref(), None),
            base,
            staff: None,
        }))
    }

    /// Creates the authenticator of a server with accounts, which it reads from `store`; blocks on the
    /// disk. `port` is the port that the server listens on. A cluster ignores it, because its nodes
    /// may listen on different ports. A turn at a station ends `turn_idle` after the last tap.
    ///
    /// # Errors
    /// If the accounts cannot be read.
    pub fn new(
        store: Arc<dyn AccountStore>,
        base: Option<BaseUrl>,
        port: Option<u16>,
        turn_idle: Duration,
    ) -> Result<Self, StoreError> {
        let accounts = Accounts::open(store)?.with_turns(turn_idle);
        let port = port.filter(|_| !accounts.is_shared());
        Ok(Authenticator(Arc::new(AuthenticatorParts {
            cookies: Cookies::new(base.as_ref(), port),
            base,
            staff: Some(StaffAuth::new(accounts)),
        })))
    }

    /// Creates the authenticator for a mode.
    ///
    /// # Errors
    /// As `new`.
    pub fn open(
        mode: AuthMode,
        store: Arc<dyn AccountStore>,
        base: Option<BaseUrl>,
        port: Option<u16>,
        turn_idle: Duration,
    ) -> Result<Self, StoreError> {
        match mode {
            AuthMode::Demo => Ok(Authenticator::demo_at(base)),
            AuthMode::Serve => Authenticator::new(store, base, port, turn_idle),
        }
    }

    /// Returns the mode.
    pub fn mode(&self) -> AuthMode {
        if self.0.staff.is_some() {
            AuthMode::Serve
        } else {
            AuthMode::Demo
        }
    }

    /// Returns the accounts and everything that signs people in.
    ///
    /// # Errors
    /// `Demo`: the demo has no accounts.
    pub fn staff(&self) -> Result<&StaffAuth, Refusal> {
        self.0.staff.as_ref().ok_or(Refusal::Demo)
    }

    /// Returns the settings of the rescue. The demo has a sample.
    pub fn rescue(&self) -> Arc<Rescue> {
        match &self.0.staff {
            Some(staff) => staff.accounts().rescue(),
            None => Arc::new(Rescue::sample()),
        }
    }

    /// Identifies who sent a request, from its headers. If this node of a cluster does not know the
    /// credential, it first fetches what other nodes changed.
    pub async fn identify(&self, request: &Request) -> Principal {
        let principal = Principal::from_headers(self.clone(), request.headers());
        if let (Some(staff), Some(key)) = (&self.0.staff, principal.unknown_key()) {
            staff.refresh(key).await;
        }
        principal
    }

    /// Returns the public address, if one was configured.
    pub fn base(&self) -> Option<&BaseUrl> {
        self.0.base.as_ref()
    }

    /// Returns the public address if pages of no other address may write. The demo takes writes at every address of this
    /// machine.
    pub fn base_of_writes(&self) -> Option<&BaseUrl> {
        self.base().filter(|_| self.0.staff.is_some())
    }

    /// Returns the base path, which every address of the site starts with; empty without one.
    pub fn base_path(&self) -> &str {
        self.base().map(BaseUrl::path).unwrap_or_default()
    }

    /// Returns the `Set-Cookie` header that stores the secret of a session for as long as a session
    /// can last.
    pub fn session_cookie(&self, secret: &Secret) -> HeaderValue {
        self.0.cookies.session(secret, Some(LONGEST_SESSION))
    }

    /// Returns the `Set-Cookie` header that stores a secret until the browser is closed. The secret
    /// authorizes nothing; it ties the sign-in form to this browser.
    pub fn form_cookie(&self, secret: &Secret) -> HeaderValue {
        self.0.cookies.session(secret, None)
    }

    /// Returns the `Set-Cookie` header that stores which account is signed in, for as long as a
    /// session can last.
    pub fn account_cookie(&self, account: &str) -> HeaderValue {
        self.0.cookies.account(account, LONGEST_SESSION)
    }

    /// Returns the cookies of this instance.
    pub fn cookies(&self) -> &Cookies {
        &self.0.cookies
    }

    /// Returns true if browsers use https, so that cookies are restricted to it.
    pub fn is_secure(&self) -> bool {
        self.base().is_some_and(BaseUrl::is_secure)
    }
}
