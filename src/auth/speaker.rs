//! One who commands over a socket: what it has shown, which is asked anew at every command.

use std::sync::Arc;

use super::credential::Credential;
use super::{AuthMode, Authenticator, Refusal};
use crate::model::{Account, ChangeSource, Scope};
use crate::writer::Signer;

/// Who commands over a socket. One is kept with every socket, so it is small.
#[derive(Clone, Debug)]
pub enum SocketPrincipal {
    /// Whatever it shows, its commands are refused.
    Barred(Refusal),
    /// Nothing was shown yet.
    Stranger,
    Shown(Arc<Credential>),
}

impl SocketPrincipal {
    /// Shows a token from now on. One that is barred stays so: a page of another site may watch
    /// and never command.
    pub fn show(&mut self, token: &str) {
        if matches!(self, SocketPrincipal::Barred(_)) {
            return;
        }
        *self = SocketPrincipal::Shown(Arc::new(Credential::of_token(token)));
    }

    /// The account behind what was shown, as long as it is valid.
    pub fn account(&self, authenticator: &Authenticator) -> Option<Arc<Account>> {
        match self {
            SocketPrincipal::Shown(credential) => Some(authenticator.grant(**credential)?.account),
            SocketPrincipal::Barred(_) | SocketPrincipal::Stranger => None,
        }
    }

    /// Returns the signer of a command of this speaker.
    ///
    /// # Errors
    /// Why it may not do what takes `scope`.
    pub fn sign(&self, authenticator: &Authenticator, scope: Scope) -> Result<Signer, Refusal> {
        match (self, authenticator.auth()) {
            (SocketPrincipal::Barred(refusal), _) => Err(*refusal),
            (_, AuthMode::Demo) => Ok(ChangeSource::Staff.into()),
            (SocketPrincipal::Stranger, AuthMode::Serve) => Err(Refusal::NotSignedIn),
            (SocketPrincipal::Shown(credential), AuthMode::Serve) => {
                authenticator.signer(**credential, scope)
            }
        }
    }
}
