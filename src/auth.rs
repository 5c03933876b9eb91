//! Who asks, and may they.
//!
//! A request gets its identity once: the `Authenticator` reads what it shows (a session's cookie, a token)
//! and where it comes from into a `Principal`, which goes with it. A route states what it needs by
//! what it takes: a `Permit` for a scope, `SignedIn` for a person, `Administrator` for an admin. A
//! socket keeps a `SocketPrincipal`. Neither is believed for long: each permit and each command asks the
//! `directory` anew, after the request's body was read, so a session that was ended a moment ago
//! opens nothing.
//!
//! In demo mode everyone on this machine is staff, and there are no accounts. In either mode a page
//! of another site cannot write through a visitor's browser: `origin` tells it from ours, and forms
//! carry a token besides.
//!
//! What blocks (the disk, the slow hash of a password) runs off the async workers, within bounds.

mod attempts;
mod base_url;
mod caller;
mod client;
mod clock;
mod cookie;
mod credential;
mod directory;
mod founding;
mod freshness;
mod origin;
mod password;
mod permit;
mod refusal;
mod rights;
mod secret;
mod speaker;
mod staff;

use std::sync::Arc;

use poem::Request;
use poem::http::HeaderValue;

pub use self::base_url::BaseUrl;
pub use self::caller::Principal;
pub use self::cookie::Cookies;
pub use self::directory::{AccountSummary, Accounts, AccountsError, Actor, SessionSummary};
pub use self::origin::names_this_machine;
pub use self::password::{WeakPassword, check_password_rules, hash as hash_password};
pub use self::permit::{Administrator, MayRead, MaySetStatus, MayWrite, Permit, SignedIn};
pub use self::refusal::Refusal;
pub use self::rights::Rights;
pub use self::secret::Secret;
pub use self::speaker::SocketPrincipal;
pub use self::staff::{SignInError, SignInRequest, StaffAuth};
use crate::store::{AccountStore, StoreError};

/// Who may write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AuthMode {
    /// Everyone who can reach the server, which listens on loopback only.
    Demo,
    /// Staff.
    Serve,
}

/// Tells who asks. Cheap to clone; clones share what they know.
#[derive(Clone)]
pub struct Authenticator(Arc<Inner>);

struct Inner {
    base: Option<BaseUrl>,
    cookies: Cookies,
    /// None in the demo.
    staff: Option<StaffAuth>,
}

impl Authenticator {
    /// The gate of the demo, through which everyone on this machine passes.
    pub fn demo() -> Self {
        Authenticator(Arc::new(Inner {
            base: None,
            cookies: Cookies::new(None, None),
            staff: None,
        }))
    }

    /// The gate of a rescue. Reads the roster and so blocks on the disk. `port` is the port that the
    /// server listens on; it is ignored in a cluster, whose nodes may listen on several.
    ///
    /// # Errors
    /// When the roster cannot be read.
    pub fn new(
        store: Arc<dyn AccountStore>,
        base: Option<BaseUrl>,
        port: Option<u16>,
    ) -> Result<Self, StoreError> {
        let directory = Accounts::open(store)?;
        let port = port.filter(|_| !directory.is_shared());
        Ok(Authenticator(Arc::new(Inner {
            cookies: Cookies::new(base.as_ref(), port),
            base,
            staff: Some(StaffAuth::open(directory)),
        })))
    }

    /// # Errors
    /// As for `of_staff`.
    pub fn open(
        auth: AuthMode,
        store: Arc<dyn AccountStore>,
        base: Option<BaseUrl>,
        port: Option<u16>,
    ) -> Result<Self, StoreError> {
        match auth {
            AuthMode::Demo => Ok(Authenticator::demo()),
            AuthMode::Serve => Authenticator::new(store, base, port),
        }
    }

    pub fn auth(&self) -> AuthMode {
        match self.0.staff {
            None => AuthMode::Demo,
            Some(_) => AuthMode::Serve,
        }
    }

    /// Everything about staff.
    ///
    /// # Errors
    /// `Demo`, where there are no accounts.
    pub fn staff(&self) -> Result<&StaffAuth, Refusal> {
        self.0.staff.as_ref().ok_or(Refusal::Demo)
    }

    /// Reads who sent a request, from its head.
    pub async fn identify(&self, request: &Request) -> Principal {
        let caller = Principal::read(self.clone(), request.headers());
        if let (Some(staff), Some(key)) = (&self.0.staff, caller.unknown_key()) {
            staff.catch_up(key).await;
        }
        caller
    }

    /// The public address, where one was given.
    pub fn base(&self) -> Option<&BaseUrl> {
        self.0.base.as_ref()
    }

    /// The header that has a browser keep the secret of its session for as long as that may last.
    pub fn session_cookie(&self, secret: &Secret) -> HeaderValue {
        self.0
            .cookies
            .keep(secret, Some(directory::LONGEST_SESSION))
    }

    /// The header that has a browser keep a secret that opens nothing, until it is closed: what
    /// ties a sign-in form to it.
    pub fn form_cookie(&self, secret: &Secret) -> HeaderValue {
        self.0.cookies.keep(secret, None)
    }

    /// The header that has a browser keep which account is signed in, as long as its session.
    pub fn account_cookie(&self, account: &str) -> HeaderValue {
        let longest = directory::LONGEST_SESSION;
        self.0.cookies.account_cookie(account, longest)
    }

    /// The cookies of this instance.
    pub fn cookies(&self) -> &Cookies {
        &self.0.cookies
    }

    /// Whether browsers come over https, so that cookies are for https alone.
    pub fn is_secure(&self) -> bool {
        self.base().is_some_and(BaseUrl::is_secure)
    }
}
