//! What is shown to prove who asks, and what that amounts to as long as it is valid.

use std::sync::Arc;

use poem::http::HeaderValue;

use super::directory::author;
use super::secret::Secret;
use super::{Gate, Refusal};
use crate::model::{Account, By, Key, Scope, Signature};

/// What was shown to prove who asks.
#[derive(Clone, Copy, Debug)]
pub enum Credential {
    Session(Key),
    Token(Key),
}

/// What a credential amounts to as long as it is valid.
pub struct Standing {
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

impl Standing {
    pub fn sign(self, scope: Scope) -> Result<Signature, Refusal> {
        match self.scope >= scope {
            true => Ok(self.signature),
            false => Err(Refusal::NotInScope(scope)),
        }
    }
}

impl Gate {
    /// What a credential amounts to now; nothing when it is not valid.
    pub(super) fn standing(&self, credential: Credential) -> Option<Standing> {
        let directory = self.staff().ok()?.directory();
        let (account, scope, by, author) = match credential {
            Credential::Session(key) => {
                let (account, session) = directory.session(&key)?;
                let author = author(&account.name, &session.client);
                (account, Scope::Write, By::Staff, author)
            }
            Credential::Token(key) => {
                let (account, token) = directory.token(&key)?;
                let author = author(&account.name, &format!("token {}", token.name));
                (account, token.scope, By::Api, author)
            }
        };
        let author = Some(Arc::new(author));
        Some(Standing {
            account,
            scope,
            signature: Signature { by, author },
        })
    }
}

/// The token in `Bearer …` (RFC 6750, section 2.1; the scheme's case does not matter).
fn bearer(shown: &str) -> Option<&str> {
    let (scheme, token) = shown.split_once(' ')?;
    let is_bearer = scheme.eq_ignore_ascii_case("bearer");
    is_bearer.then(|| token.trim())
}
