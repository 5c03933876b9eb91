//! Secrets for forms that may be submitted twice: a second click gets the token or the link that the
//! first one made.
//!
//! A secret is derived from the form's one-time key, the session, the content of the form, and a seed
//! that this process keeps to itself. So no secret is kept: a form that is submitted again leads to
//! the same one, whose key the roster has. After a restart, and on another node, a form leads to
//! another secret, and a second token is made.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard};

use super::{AccountsError, Actor, Done};
use crate::auth::secret::Secret;
use crate::model::Key;

/// Keys that are remembered: far more than people submit forms before they forget one.
const REMEMBERED: usize = 1000;

/// The seed, and the keys of what was made.
pub struct Issued {
    seed: Secret,
    /// The newest last.
    keys: Mutex<VecDeque<Key>>,
}

impl Default for Issued {
    fn default() -> Self {
        Issued {
            seed: Secret::random(),
            keys: Mutex::default(),
        }
    }
}

impl Issued {
    /// The secret for what a form asks for, or a random one without a form.
    pub fn secret(&self, actor: &Actor, content: &[&str]) -> Secret {
        let Some((session, request)) = actor.request() else {
            return Secret::random();
        };
        let mut parts = vec![session.bytes().as_slice(), request.as_bytes()];
        parts.extend(content.iter().map(|text| text.as_bytes()));
        self.seed.derive(&parts)
    }

    /// Refuses a secret that was made and taken away again: to submit an old form must not bring
    /// back a token that was revoked.
    ///
    /// # Errors
    /// `Gone`.
    pub fn check_new(&self, secret: &Secret) -> Done<()> {
        if self.keys().contains(&secret.key()) {
            return Err(AccountsError::Gone);
        }
        Ok(())
    }

    /// Remembers that a secret was made.
    pub fn remember(&self, secret: &Secret) {
        let (key, mut keys) = (secret.key(), self.keys());
        if keys.contains(&key) {
            return;
        }
        if keys.len() >= REMEMBERED {
            keys.pop_front();
        }
        keys.push_back(key);
    }

    fn keys(&self) -> MutexGuard<'_, VecDeque<Key>> {
        self.keys.lock().expect("no holder of this lock panics")
    }
}
