//! One who commands over a socket: what it has shown, which is asked anew at every command.

use std::sync::Arc;

use super::credential::Credential;
use super::{Auth, Authenticator, Refusal};
use crate::model::{Account, ChangeSource, Scope};
use crate::writer::Signer;

/// Who commands over a socket. One is kept with every socket, so it is small.
#[derive(Clone, Debug)]
pub enum Speaker {
    /// Whatever it shows, its commands are refused.
    Barred(Refusal),
    /// Nothing was shown yet.
    Stranger,
    Shown(Arc<Credential>),
}

impl Speaker {
    /// Shows a token from now on. One that is barred stays so: a page of another site may watch
    /// and never command.
    pub fn show(&mut self, token: &str) {
        if matches!(self, Speaker::Barred(_)) {
            return;
        }
        *self = Speaker::Shown(Arc::new(Credential::of_token(token)));
    }

    /// The account behind what was shown, as long as it is valid.
    pub fn account(&self, authenticator: &Authenticator) -> Option<Arc<Account>> {
        match self {
            Speaker::Shown(credential) => Some(authenticator.standing(**credential)?.account),
            Speaker::Barred(_) | Speaker::Stranger => None,
        }
    }

    /// Returns the signer of a command of this speaker.
    ///
    /// # Errors
    /// Why it may not do what takes `scope`.
    pub fn sign(&self, authenticator: &Authenticator, scope: Scope) -> Result<Signer, Refusal> {
        match (self, authenticator.auth()) {
            (Speaker::Barred(refusal), _) => Err(*refusal),
            (_, Auth::Demo) => Ok(ChangeSource::Staff.into()),
            (Speaker::Stranger, Auth::Serve) => Err(Refusal::NotSignedIn),
            (Speaker::Shown(credential), Auth::Serve) => authenticator.signer(**credential, scope),
        }
    }
}
