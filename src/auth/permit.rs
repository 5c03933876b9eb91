//! Permits: parameters by which a handler states who may call it.
//!
//! A handler with a permit is not called without it, and there is no other way to write.

use std::marker::PhantomData;
use std::sync::Arc;

use poem::{FromRequest, Request, RequestBody};

use super::accounts::{Accounts, AccountsError, Actor, author};
use super::authenticator::{AuthMode, Authenticator};
use super::csrf::form_token;
use super::principal::Principal;
use super::refusal::Refusal;
use super::staff::StaffAuth;
use crate::model::{Account, ChangeSource, Key, Role, Scope};
use crate::writer::Signer;

/// The scope that a permit requires.
pub trait RequiredScope: Send + Sync {
    /// The scope.
    const SCOPE: Scope;
}

/// Permission to read what only staff may read.
pub struct MayRead;
/// Permission to set the status of a pet.
pub struct MaySetStatus;
/// Permission to add, edit and remove pets.
pub struct MayWrite;

impl RequiredScope for MayRead {
    const SCOPE: Scope = Scope::Read;
}

impl RequiredScope for MaySetStatus {
    const SCOPE: Scope = Scope::SetStatus;
}

impl RequiredScope for MayWrite {
    const SCOPE: Scope = Scope::Write;
}

/// Proof that the principal of the request has the scope `S`.
pub struct Permit<S> {
    signer: Signer,
    scope: PhantomData<S>,
}

impl<S: RequiredScope> Permit<S> {
    /// Returns the permit of a principal.
    ///
    /// # Errors
    /// Why the principal lacks the scope.
    pub fn new(principal: &Principal) -> Result<Self, Refusal> {
        Ok(Permit {
            signer: principal.sign(S::SCOPE, ChangeSource::Staff)?,
            scope: PhantomData,
        })
    }
}

impl<S> Permit<S> {
    /// Returns the signer of a change that was made on a page.
    pub fn signer(self) -> Signer {
        self.signer
    }

    /// Returns the signer of a change that was made over the API. In the demo, where programs have no
    /// name, its source is the API.
    pub fn api_signer(self) -> Signer {
        if self.signer.is_named() {
            self.signer
        } else {
            ChangeSource::Api.into()
        }
    }
}

impl<'a, S: RequiredScope> FromRequest<'a> for Permit<S> {
    async fn from_request(request: &'a Request, _body: &mut RequestBody) -> poem::Result<Self> {
        Ok(Permit::new(Principal::get(request)?)?)
    }
}

/// A person who is signed in with this browser, which is not a station. Cheap to clone.
#[derive(Clone)]
pub struct SignedIn {
    /// The person's account.
    pub account: Arc<Account>,
    /// The key of the session.
    pub key: Key,
    /// The actor of the person's edits of accounts.
    pub actor: Actor,
    authenticator: Authenticator,
}

impl SignedIn {
    fn new(principal: &Principal) -> Result<Self, Refusal> {
        principal.person()?;
        if principal.station().is_some() {
            return Err(Refusal::AtStation);
        }
        SignedIn::at_any_browser(principal)
    }

    /// Returns the person, also if the browser is a station: there the person can do nothing but leave.
    ///
    /// # Errors
    /// As `Principal::person`.
    pub fn at_any_browser(principal: &Principal) -> Result<Self, Refusal> {
        let (account, key) = principal.person()?;
        Ok(SignedIn {
            actor: Actor::session(key, author(&account.name, principal.client())),
            account,
            key,
            authenticator: principal.authenticator().clone(),
        })
    }

    /// Returns the same person, submitting a form with this one-time key.
    pub fn with_request(self, key: Option<&str>) -> Self {
        SignedIn {
            actor: self.actor.with_request(key),
            ..self
        }
    }

    /// Returns the accounts and everything that signs people in.
    ///
    /// # Errors
    /// As `Authenticator::staff`.
    pub fn staff(&self) -> Result<&StaffAuth, Refusal> {
        self.authenticator.staff()
    }

    /// Edits accounts on behalf of this person.
    ///
    /// # Errors
    /// As `StaffAuth::edit`.
    pub async fn edit<T: Send + 'static>(
        &self,
        edit: impl FnOnce(&Accounts, &SignedIn) -> Result<T, AccountsError> + Send + 'static,
    ) -> Result<T, AccountsError> {
        let (staff, person) = (self.staff()?, self.clone());
        staff.edit(move |accounts| edit(accounts, &person)).await
    }
}

impl<'a> FromRequest<'a> for SignedIn {
    async fn from_request(request: &'a Request, _body: &mut RequestBody) -> poem::Result<Self> {
        Ok(SignedIn::new(Principal::get(request)?)?)
    }
}

/// An admin who is signed in with this browser.
pub struct Administrator(pub SignedIn);

impl<'a> FromRequest<'a> for Administrator {
    async fn from_request(request: &'a Request, _body: &mut RequestBody) -> poem::Result<Self> {
        let person = SignedIn::new(Principal::get(request)?)?;
        match person.account.role {
            Role::Admin => Ok(Administrator(person)),
            Role::Staff => Err(Refusal::NotAdmin.into()),
        }
    }
}

/// Actions that a page offers its reader. They grant nothing: every route checks for itself.
#[derive(Clone, Debug)]
pub struct Rights {
    /// The mode of the server.
    pub auth: AuthMode,
    /// The name of the account that is signed in.
    pub name: Option<String>,
    /// True if the reader may change pets.
    pub is_staff: bool,
    /// True if the reader may manage accounts.
    pub is_admin: bool,
    /// True if the browser is a station, whether somebody has a turn or not.
    pub is_station: bool,
    /// `name=value` of the cookie that says which account is signed in.
    pub account_cookie: Option<String>,
    /// The token of the page's forms.
    pub form_token: Option<String>,
}

impl Rights {
    /// Returns the rights with which parts are rendered that readers share: nothing about one reader.
    pub const fn shared(auth: AuthMode, is_staff: bool) -> Self {
        Rights {
            auth,
            name: None,
            is_staff,
            is_admin: false,
            is_station: false,
            account_cookie: None,
            form_token: None,
        }
    }

    /// Returns what pages offer this principal.
    pub fn new(principal: &Principal) -> Self {
        let authenticator = principal.authenticator();
        let person = principal.person().ok().map(|(account, _)| account);
        let is_station = principal.station().is_some();
        // The demo offers nothing at a host name where it would refuse every form.
        let is_demo_staff = || principal.sign(Scope::Write, ChangeSource::Staff).is_ok();
        let is_demo = authenticator.mode() == AuthMode::Demo;
        let cookie = |account: &Arc<Account>| {
            let cookies = authenticator.cookies();
            cookies.account_pair(account.name.as_str())
        };
        Rights {
            auth: authenticator.mode(),
            is_staff: person.is_some() || (is_demo && is_demo_staff()),
            is_admin: person
                .as_ref()
                .is_some_and(|account| account.role == Role::Admin && !is_station),
            is_station,
            account_cookie: person.as_ref().map(cookie),
            name: person.map(|account| account.name.to_string()),
            form_token: principal.cookie().map(form_token),
        }
    }
}
