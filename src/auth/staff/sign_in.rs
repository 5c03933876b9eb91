//! Coming in with a password, and changing it. Each try is counted before it is compared.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::sleep;

use super::StaffAuth;
use crate::auth::attempts::Attempt;
use crate::auth::directory::AccountsError;
use crate::auth::password::{Crowded, Slots};
use crate::auth::secret::Secret;
use crate::error::Failure;
use crate::model::{Account, AccountName, Author, Key};

/// Somebody who wants to sign in.
pub struct SignInRequest<'a> {
    /// As it was typed.
    pub name: &'a str,
    pub password: &'a str,
    pub address: IpAddr,
    pub client: &'a str,
    /// What the browser has kept until now, which opens nothing afterwards.
    pub before: Option<Key>,
}

/// Why somebody was not let in.
#[derive(Debug)]
pub enum SignInError {
    /// Name or password; which of the two, nobody is told.
    Wrong,
    TooMany {
        retry_after: Duration,
    },
    Failed(Failure),
}

impl From<Failure> for SignInError {
    fn from(failure: Failure) -> Self {
        SignInError::Failed(failure)
    }
}

impl From<Crowded> for SignInError {
    fn from(error: Crowded) -> Self {
        SignInError::Failed(error.into())
    }
}

impl Attempt {
    fn slots(&self) -> Slots {
        if self.is_known {
            Slots::Known
        } else {
            Slots::Everyone
        }
    }
}

impl StaffAuth {
    /// Begins a session for whoever knows the password. A wrong name takes as long as a wrong
    /// password.
    ///
    /// # Errors
    /// Why not.
    pub async fn sign_in(&self, asked: SignInRequest<'_>) -> Result<Secret, SignInError> {
        let attempt = self.attempt(asked.name, asked.address).await?;
        let account = self.account(asked.name);
        let known = account
            .as_ref()
            .and_then(|account| account.password.clone());
        let password = asked.password.to_owned();
        let is_right = self
            .compare(&attempt, password.clone(), known.clone())
            .await?;
        let (Some(account), Some(known), true) = (account, known, is_right) else {
            return Err(SignInError::Wrong);
        };
        if account.is_disabled {
            return Err(SignInError::Wrong);
        }
        self.attempts.forgive(&attempt);
        let known = self.renew(&account.name, password, known).await;
        let (name, client, before) = (account.name.clone(), asked.client.to_owned(), asked.before);
        self.begin(name, known, client, before).await
    }

    /// Changes the password of whoever knows the present one; everything that was begun with it
    /// ends, and this browser goes on under the secret that is given back.
    ///
    /// # Errors
    /// `Wrong` when the present one is another.
    pub async fn change_password(
        &self,
        account: &Account,
        session: Key,
        (present, wanted): (&str, &str),
        (author, address): (&Author, IpAddr),
    ) -> Result<Secret, SignInError> {
        let attempt = self.attempt(account.name.as_str(), address).await?;
        let known = account.password.clone();
        let is_right = self.compare(&attempt, present.to_owned(), known.clone());
        let (true, Some(known)) = (is_right.await?, known) else {
            return Err(SignInError::Wrong);
        };
        self.attempts.forgive(&attempt);
        let hash = self.passwords.hash(Slots::Known, wanted.to_owned()).await?;
        let author = author.clone();
        let changing =
            self.edit(move |directory| directory.change_password(session, &known, hash, &author));
        Ok(changing.await?)
    }

    /// Counts a try, and slows it down after many that failed.
    async fn attempt(&self, name: &str, address: IpAddr) -> Result<Attempt, SignInError> {
        let name = name.trim().to_ascii_lowercase();
        let attempt = self.attempts.begin(&name, address).map_err(|too_many| {
            let retry_after = too_many.retry_after;
            SignInError::TooMany { retry_after }
        })?;
        sleep(attempt.pause).await;
        Ok(attempt)
    }

    /// Whether the password is right. Where there was no room to compare it, the try does not count.
    async fn compare(
        &self,
        attempt: &Attempt,
        password: String,
        hash: Option<String>,
    ) -> Result<bool, Crowded> {
        let compared = self.passwords.verify(attempt.slots(), password, hash).await;
        if compared.is_err() {
            self.attempts.take_back(attempt);
        }
        compared
    }

    /// Replaces the hash of a password that an earlier version hashed as it was typed. Returns the hash
    /// that the account has now. If it cannot be replaced, the next sign-in tries again.
    async fn renew(&self, name: &AccountName, password: String, known: String) -> String {
        let Ok(Some(hash)) = self.passwords.renew(password, known.clone()).await else {
            return known;
        };
        let (name, before, renewed) = (name.clone(), known.clone(), hash.clone());
        let renewing =
            self.edit(move |directory| directory.renew_password(&name, &before, renewed));
        match renewing.await {
            Ok(()) => hash,
            Err(_) => known,
        }
    }

    fn account(&self, name: &str) -> Option<Arc<Account>> {
        self.directory.account(&name.parse().ok()?)
    }

    /// Begins a session for whoever has shown that the password of the hash `known` is theirs.
    pub(super) async fn begin(
        &self,
        name: AccountName,
        known: String,
        client: String,
        before: Option<Key>,
    ) -> Result<Secret, SignInError> {
        let begun = self.edit(move |directory| {
            match directory.begin_session(&name, &known, &client, before) {
                // Disabled, removed or changed while the hash was computed.
                Err(AccountsError::UnknownAccount(_)) => Ok(None),
                begun => begun.map(Some),
            }
        });
        begun.await?.ok_or(SignInError::Wrong)
    }
}
