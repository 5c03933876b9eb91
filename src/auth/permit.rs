//! What routes take to state what they need. A handler that takes a permit is not called without
//! it, and there is no way to write but with one.

use std::marker::PhantomData;
use std::sync::Arc;

use poem::{FromRequest, Request, RequestBody};

use super::directory::{Accounts, AccountsError, Actor, author};
use super::{Authenticator, Principal, Refusal, StaffAuth};
use crate::error::Failure;
use crate::model::{Account, ChangeSource, Key, Role, Scope};
use crate::writer::Signer;

/// What a permit is for.
pub trait Need: Send + Sync {
    const SCOPE: Scope;
}

/// To read what staff read.
pub struct MayRead;
/// To say what a pet is doing.
pub struct MaySetStatus;
/// To add, edit and remove pets.
pub struct MayWrite;

impl Need for MayRead {
    const SCOPE: Scope = Scope::Read;
}

impl Need for MaySetStatus {
    const SCOPE: Scope = Scope::SetStatus;
}

impl Need for MayWrite {
    const SCOPE: Scope = Scope::Write;
}

/// The caller may do what `N` says.
pub struct Permit<N> {
    signer: Signer,
    need: PhantomData<N>,
}

impl<N: Need> Permit<N> {
    /// # Errors
    /// Why the caller may not.
    pub fn of(caller: &Principal) -> Result<Self, Refusal> {
        let need = PhantomData;
        let signer = caller.sign(N::SCOPE, ChangeSource::Staff)?;
        Ok(Permit { signer, need })
    }
}

impl<N> Permit<N> {
    /// Returns the signer of a change that was asked for on a page.
    pub fn signer(self) -> Signer {
        self.signer
    }

    /// The same for one that was asked for over the API, where a program without a name is one.
    pub fn api_signer(self) -> Signer {
        if self.signer.is_named() {
            self.signer
        } else {
            ChangeSource::Api.into()
        }
    }
}

impl<'a, N: Need> FromRequest<'a> for Permit<N> {
    async fn from_request(request: &'a Request, _body: &mut RequestBody) -> poem::Result<Self> {
        Ok(Permit::of(Principal::get(request)?).map_err(Failure::from)?)
    }
}

/// A person who is signed in with this browser. Cheap to clone.
#[derive(Clone)]
pub struct SignedIn {
    pub account: Arc<Account>,
    /// Of the session.
    pub key: Key,
    /// The principal of their edits of staff.
    pub actor: Actor,
    authenticator: Authenticator,
}

impl SignedIn {
    fn of(caller: &Principal) -> Result<Self, Refusal> {
        let (account, key) = caller.person()?;
        let actor = Actor::session(key, author(&account.name, caller.client()));
        let authenticator = caller.authenticator().clone();
        Ok(SignedIn {
            account,
            key,
            actor,
            authenticator,
        })
    }

    /// The same person, submitting a form with this one-time key.
    pub fn with_request(self, key: Option<&str>) -> Self {
        SignedIn {
            actor: self.actor.with_request(key),
            ..self
        }
    }

    /// # Errors
    /// As for `Authenticator::staff`.
    pub fn staff(&self) -> Result<&StaffAuth, Refusal> {
        self.authenticator.staff()
    }

    /// Makes an edit of the roster for this person, as `StaffAuth::edit` does.
    ///
    /// # Errors
    /// As there.
    pub async fn edit<T: Send + 'static>(
        &self,
        edit: impl FnOnce(&Accounts, &SignedIn) -> Result<T, AccountsError> + Send + 'static,
    ) -> Result<T, Failure> {
        let (staff, person) = (self.staff()?, self.clone());
        staff.edit(move |directory| edit(directory, &person)).await
    }
}

impl<'a> FromRequest<'a> for SignedIn {
    async fn from_request(request: &'a Request, _body: &mut RequestBody) -> poem::Result<Self> {
        Ok(SignedIn::of(Principal::get(request)?).map_err(Failure::from)?)
    }
}

/// An admin who is signed in with this browser.
pub struct Administrator(pub SignedIn);

impl<'a> FromRequest<'a> for Administrator {
    async fn from_request(request: &'a Request, _body: &mut RequestBody) -> poem::Result<Self> {
        let person = SignedIn::of(Principal::get(request)?).map_err(Failure::from)?;
        match person.account.role {
            Role::Admin => Ok(Administrator(person)),
            Role::Staff => Err(Failure::from(Refusal::NotAdmin).into()),
        }
    }
}
