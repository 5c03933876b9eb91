//! Credentials, the rights they give while they are valid, and the permission that goes with a command
//! to the writer.

#[cfg(test)]
mod tests;

use std::sync::Arc;

use poem::http::HeaderValue;

use super::directory::{Accounts, author};
use super::secret::Secret;
use super::{Authenticator, Refusal};
use crate::model::{Account, ChangeSource, Key, Scope, Signature};
use crate::writer::{Authorization, CommitGuard, Signer, WriteError};

/// What was shown to prove who asks.
#[derive(Clone, Copy, Debug)]
pub enum Credential {
    Session(Key),
    Token(Key),
}

/// What a credential amounts to as long as it is valid.
pub struct Grant {
    pub account: Arc<Account>,
    pub scope: Scope,
    pub signature: Signature,
}

impl Credential {
    /// What an `Authorization` header shows. One that holds no token counts as a token that nobody
    /// has: nothing else that was shown stands in for it.
    pub fn of_header(shown: &HeaderValue) -> Self {
        let token = bearer(shown.to_str().unwrap_or_default());
        Credential::of_token(token.unwrap_or_default())
    }

    /// A token as its text; what is no token counts as one that nobody has.
    pub fn of_token(text: &str) -> Self {
        let token = Secret::parse_token(text);
        Credential::Token(token.map_or(Key::new([0; 32]), |token| token.key()))
    }
}

impl Grant {
    fn sign(self, scope: Scope) -> Result<Signature, Refusal> {
        if self.scope < scope {
            return Err(Refusal::NotInScope(scope));
        }
        Ok(self.signature)
    }
}

impl Authenticator {
    /// What a credential amounts to now; nothing when it is not valid.
    pub(super) fn grant(&self, credential: Credential) -> Option<Grant> {
        let directory = self.staff().ok()?.accounts();
        let (account, scope, by, author) = match credential {
            Credential::Session(key) => {
                let (account, session) = directory.session(&key)?;
                let author = author(&account.name, &session.client);
                (account, Scope::Write, ChangeSource::Staff, author)
            }
            Credential::Token(key) => {
                let (account, token) = directory.token(&key)?;
                let author = author(&account.name, &format!("token {}", token.name));
                (account, token.scope, ChangeSource::Api, author)
            }
        };
        let author = Some(Arc::new(author));
        Some(Grant {
            account,
            scope,
            signature: Signature { by, author },
        })
    }
}

impl Authenticator {
    /// Returns the signer of a command that takes `scope`. The writer checks the credential again when
    /// it decides the command.
    ///
    /// # Errors
    /// `NotSignedIn` or `NotInScope`.
    pub(super) fn signer(&self, credential: Credential, scope: Scope) -> Result<Signer, Refusal> {
        let grant = self.grant(credential).ok_or(Refusal::NotSignedIn)?;
        let signature = grant.sign(scope)?;
        let grant = CommandAuthorization {
            authenticator: self.clone(),
            credential,
            scope,
        };
        Ok(Signer::new(signature, Box::new(grant)))
    }
}

/// The permission to do what takes `scope`, as long as the credential is valid.
struct CommandAuthorization {
    authenticator: Authenticator,
    credential: Credential,
    scope: Scope,
}

impl Authorization for CommandAuthorization {
    fn refresh(&self) -> Result<(), WriteError> {
        let directory = self.accounts()?;
        if !directory.is_shared() {
            return Ok(());
        }
        directory.catch_up().map_err(|error| {
            tracing::debug!(%error, "cannot read the revocations of other nodes; the command is refused");
            WriteError::Unavailable
        })
    }

    fn check(&self) -> Result<CommitGuard, WriteError> {
        let guard = self.accounts()?.in_flight().enter();
        let grant = self.authenticator.grant(self.credential);
        let signed = grant.ok_or(WriteError::SignedOut)?.sign(self.scope);
        signed.map_err(|_| WriteError::NotInScope(self.scope))?;
        Ok(guard)
    }
}

impl CommandAuthorization {
    fn accounts(&self) -> Result<&Accounts, WriteError> {
        let staff = self
            .authenticator
            .staff()
            .map_err(|_| WriteError::SignedOut)?;
        Ok(staff.accounts())
    }
}

/// The token in `Bearer …` (RFC 6750, section 2.1; the scheme's case does not matter).
fn bearer(shown: &str) -> Option<&str> {
    let (scheme, token) = shown.split_once(' ')?;
    let is_bearer = scheme.eq_ignore_ascii_case("bearer");
    is_bearer.then(|| token.trim())
}
