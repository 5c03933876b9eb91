//! Credentials, the grant that a valid credential gives, and the authorization that goes with a
//! command to the writer.

use std::sync::Arc;
use std::time::Duration;

use poem::http::HeaderValue;

use super::accounts::{Accounts, author};
use super::authenticator::Authenticator;
use super::refusal::Refusal;
use super::secret::Secret;
use crate::model::{Account, ChangeSource, Key, Scope, Signature};
use crate::writer::{Authorization, CommitGuard, Signer, WriteError};

/// A proof of identity that a request contains.
#[derive(Clone, Copy, Debug)]
pub enum Credential {
    /// The cookie of a session.
    Session(Key),
    /// An API token.
    Token(Key),
}

/// The rights of a valid credential.
pub struct Grant {
    /// The account that the credential belongs to.
    pub account: Arc<Account>,
    /// Scope of the credential.
    pub scope: Scope,
    /// The signature of changes made with the credential.
    pub signature: Signature,
}

impl Credential {
    /// Reads an `Authorization` header. Without a bearer token (RFC 6750, section 2.1; the case of the
    /// scheme does not matter) it counts as an unknown token, so that a cookie is not used instead.
    pub fn from_header(header: &HeaderValue) -> Self {
        let parts = header.to_str().ok().and_then(|text| text.split_once(' '));
        let bearer = parts.filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"));
        Credential::from_token(bearer.map_or("", |(_, token)| token.trim()))
    }

    /// Reads the text of a token. A malformed one counts as an unknown token.
    pub fn from_token(text: &str) -> Self {
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
    /// Returns the grant of a credential, or `None` if it is not valid now. Counts as use.
    pub(super) fn grant(&self, credential: Credential) -> Option<Grant> {
        let accounts = self.staff().ok()?.accounts();
        let (account, scope, by, client) = match credential {
            Credential::Session(key) => {
                let (account, session) = accounts.sessions().get(&key)?;
                (account, Scope::Write, ChangeSource::Staff, session.client)
            }
            Credential::Token(key) => {
                let (account, token) = accounts.tokens().get(&key)?;
                let client = format!("token {}", token.name);
                (account, token.scope, ChangeSource::Api, client)
            }
        };
        let author = Some(Arc::new(author(&account.name, &client)));
        Some(Grant {
            account,
            scope,
            signature: Signature { by, author },
        })
    }

    /// Returns the signer of a command that needs `scope`. The writer checks the credential again in
    /// the step that commits the command. More than reading counts as a tap at a station.
    ///
    /// # Errors
    /// `NotSignedIn` or `NotInScope`.
    pub(super) fn signer(&self, credential: Credential, scope: Scope) -> Result<Signer, Refusal> {
        let grant = self.grant(credential).ok_or(Refusal::NotSignedIn)?;
        if let (Credential::Session(key), true) = (credential, scope > Scope::Read) {
            self.staff()?.accounts().stations().tap(&key);
        }
        let authorization = CommandAuthorization {
            authenticator: self.clone(),
            credential,
            scope,
        };
        Ok(Signer::new(grant.sign(scope)?, Box::new(authorization)))
    }
}

/// The authorization of a command, which is valid as long as the credential is.
struct CommandAuthorization {
    authenticator: Authenticator,
    credential: Credential,
    scope: Scope,
}

impl Authorization for CommandAuthorization {
    fn refresh(&self) -> Result<(), WriteError> {
        let accounts = self.accounts()?;
        if !accounts.is_shared() {
            return Ok(());
        }
        accounts.catch_up().map_err(|error| {
            tracing::debug!(%error, "cannot read the revocations of other nodes; refusing the command");
            WriteError::Unavailable
        })
    }

    fn status_age(&self) -> Option<Duration> {
        let accounts = self.accounts().ok()?;
        accounts.rescue().status_age()
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
        let staff = self.authenticator.staff();
        Ok(staff.map_err(|_| WriteError::SignedOut)?.accounts())
    }
}
