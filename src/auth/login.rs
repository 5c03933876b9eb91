//! Signing in with a password, a PIN, the bootstrap token or an invitation, and changing a password.

use std::net::IpAddr;
use std::time::{Duration, Instant};

use tokio::time::sleep;

use super::accounts::{Accounts, AccountsError, author};
use super::login_throttle::LoginAttempt;
use super::password::{HashQueue, HashingBusy};
use super::secret::Secret;
use super::staff::StaffAuth;
use crate::model::{Account, AccountName, Author, Key};

/// A request to sign in with a password.
pub struct SignInRequest<'a> {
    /// The name as it was typed.
    pub name: &'a str,
    /// The password as it was typed.
    pub password: &'a str,
    /// The address of the client.
    pub address: IpAddr,
    /// The kind of client: "Firefox on Android".
    pub client: &'a str,
    /// The key of the session that the browser had, which ends.
    pub before: Option<Key>,
}

/// A request to begin a turn at a station.
pub struct TurnRequest<'a> {
    /// The key of the station.
    pub station: Key,
    /// The name that was chosen.
    pub name: &'a str,
    /// The PIN as it was typed.
    pub pin: &'a str,
    /// The address of the client.
    pub address: IpAddr,
    /// The kind of client: "Firefox on Android".
    pub client: &'a str,
}

/// Failure of a sign-in or of a change of a password.
#[derive(Debug)]
pub enum SignInError {
    /// The name or the password is wrong; the answer does not say which.
    Wrong,
    /// Too many sign-ins failed.
    TooMany {
        /// The time after which another one is possible.
        retry_after: Duration,
    },
    /// Another failure.
    Failed(AccountsError),
}

impl From<AccountsError> for SignInError {
    fn from(error: AccountsError) -> Self {
        SignInError::Failed(error)
    }
}

impl From<HashingBusy> for SignInError {
    fn from(error: HashingBusy) -> Self {
        SignInError::Failed(error.into())
    }
}

impl StaffAuth {
    /// Begins a session. A wrong name takes as long as a wrong password.
    ///
    /// # Errors
    /// `Wrong`, `TooMany`, or `Failed` if the session cannot be stored.
    pub async fn sign_in(&self, request: SignInRequest<'_>) -> Result<Secret, SignInError> {
        let attempt = self.begin_attempt(request.name, request.address).await?;
        let name = request.name.parse().ok();
        let account = name.and_then(|name| self.accounts().account(&name));
        let known = account
            .as_ref()
            .and_then(|account| account.password.clone());
        let password = request.password.to_owned();
        let is_right = self
            .verify(&attempt, password.clone(), known.clone())
            .await?;
        let (Some(account), Some(known), true) = (account, known, is_right) else {
            return Err(SignInError::Wrong);
        };
        if account.is_disabled {
            return Err(SignInError::Wrong);
        }
        self.throttle.succeed(&attempt);
        let known = self.rehash(&account.name, password, known).await;
        let client = request.client.to_owned();
        self.begin_session(account.name.clone(), known, client, request.before)
            .await
    }

    /// Begins a turn at a station. Wrong PINs are counted apart from wrong passwords, so that they lock nobody
    /// out of the account.
    ///
    /// # Errors
    /// As `sign_in`.
    pub async fn begin_turn(&self, request: TurnRequest<'_>) -> Result<(), SignInError> {
        let counted = format!("pin:{}", request.name);
        let attempt = self.begin_attempt(&counted, request.address).await?;
        let name: Option<AccountName> = request.name.parse().ok();
        let account = name.and_then(|name| self.accounts().account(&name));
        let known = account.as_ref().and_then(|account| account.pin.clone());
        let pin = request.pin.to_owned();
        let is_right = self.verify(&attempt, pin, known.clone()).await?;
        let (Some(account), Some(known), true) = (account, known, is_right) else {
            return Err(SignInError::Wrong);
        };
        self.throttle.succeed(&attempt);
        let (station, author) = (request.station, author(&account.name, request.client));
        let begin = self.edit(move |accounts| {
            let stations = accounts.stations();
            match stations.begin_turn(station, &author, &account.name, &known) {
                // Suspended, removed or changed while the hash was computed.
                Err(AccountsError::UnknownAccount(_)) => Ok(false),
                begun => begun.map(|()| true),
            }
        });
        begin.await?.then_some(()).ok_or(SignInError::Wrong)
    }

    /// Hashes a PIN.
    ///
    /// # Errors
    /// `HashingBusy` immediately if too many people are signing in.
    pub async fn hash_pin(&self, pin: &str) -> Result<String, AccountsError> {
        Ok(self
            .hashing
            .hash(HashQueue::Reserved, pin.to_owned())
            .await?)
    }

    /// Changes the password of an account from `current` to `new`, and ends all its sessions. Returns the
    /// secret of a new session for this browser.
    ///
    /// # Errors
    /// `Wrong` if the account has another password than `current`; otherwise as `sign_in`.
    pub async fn change_password(
        &self,
        account: &Account,
        session: Key,
        (current, new): (&str, &str),
        (author, address): (&Author, IpAddr),
    ) -> Result<Secret, SignInError> {
        let attempt = self.begin_attempt(account.name.as_str(), address).await?;
        let known = account.password.clone();
        let is_right = self.verify(&attempt, current.to_owned(), known.clone());
        let (true, Some(known)) = (is_right.await?, known) else {
            return Err(SignInError::Wrong);
        };
        self.throttle.succeed(&attempt);
        let hash = self
            .hashing
            .hash(HashQueue::Reserved, new.to_owned())
            .await?;
        let author = author.clone();
        let change = self.edit(move |accounts| {
            accounts
                .members()
                .change_password(session, &known, hash, &author)
        });
        Ok(change.await?)
    }

    /// Creates the first admin account, and signs it in.
    ///
    /// # Errors
    /// `BadInvitation` if there is an account by now.
    pub async fn create_first_admin(
        &self,
        name: &AccountName,
        password: &str,
        client: &str,
    ) -> Result<Secret, SignInError> {
        let (author, name) = (author(name, client), name.clone());
        let create = move |accounts: &Accounts, hash| {
            let members = accounts.members();
            members
                .create_first_admin(&name, hash, &author)
                .map(|()| name)
        };
        self.set_password(password, client, create).await
    }

    /// Sets the password of an invited account, and signs it in.
    ///
    /// # Errors
    /// `BadInvitation` if the invitation was used or has expired.
    pub async fn accept_invitation(
        &self,
        invitation: &Secret,
        name: &AccountName,
        password: &str,
        client: &str,
    ) -> Result<Secret, SignInError> {
        let (author, key) = (author(name, client), invitation.key());
        let accept =
            move |accounts: &Accounts, hash| accounts.invitations().accept(&key, hash, &author);
        self.set_password(password, client, accept).await
    }

    /// Sets a password with `edit`, which returns the name of the account, and signs that account in.
    async fn set_password(
        &self,
        password: &str,
        client: &str,
        edit: impl FnOnce(&Accounts, String) -> Result<AccountName, AccountsError> + Send + 'static,
    ) -> Result<Secret, SignInError> {
        let hashing = self.hashing.hash(HashQueue::Shared, password.to_owned());
        let hash = hashing.await?;
        let known = hash.clone();
        let name = self.edit(move |accounts| edit(accounts, hash)).await?;
        self.begin_session(name, known, client.to_owned(), None)
            .await
    }

    /// Counts an attempt, and delays it if many have failed.
    async fn begin_attempt(
        &self,
        name: &str,
        address: IpAddr,
    ) -> Result<LoginAttempt, SignInError> {
        let name = name.trim().to_ascii_lowercase();
        let attempt = self.throttle.begin(&name, address, Instant::now());
        let attempt = attempt.map_err(|throttled| SignInError::TooMany {
            retry_after: throttled.retry_after,
        })?;
        sleep(attempt.delay).await;
        Ok(attempt)
    }

    /// Compares a password. If the queue for it is full, the attempt does not count.
    async fn verify(
        &self,
        attempt: &LoginAttempt,
        password: String,
        hash: Option<String>,
    ) -> Result<bool, HashingBusy> {
        let queue = if attempt.is_known {
            HashQueue::Reserved
        } else {
            HashQueue::Shared
        };
        let verified = self.hashing.verify(queue, password, hash).await;
        if verified.is_err() {
            self.throttle.cancel(attempt);
        }
        verified
    }

    /// Replaces the hash of a password that an earlier version hashed as it was typed, and returns the
    /// hash that the account has now. If that fails, the next sign-in tries again.
    async fn rehash(&self, name: &AccountName, password: String, known: String) -> String {
        let Ok(Some(hash)) = self.hashing.rehash(password, known.clone()).await else {
            return known;
        };
        let (name, before, new) = (name.clone(), known.clone(), hash.clone());
        let replace =
            self.edit(move |accounts| accounts.members().replace_hash(&name, &before, new));
        if replace.await.is_ok() { hash } else { known }
    }

    /// Begins a session after the password was compared with the hash `known`.
    async fn begin_session(
        &self,
        name: AccountName,
        known: String,
        client: String,
        before: Option<Key>,
    ) -> Result<Secret, SignInError> {
        let begin = self.edit(move |accounts| {
            match accounts.sessions().begin(&name, &known, &client, before) {
                // Disabled, removed or changed while the hash was computed.
                Err(AccountsError::UnknownAccount(_)) => Ok(None),
                begun => begun.map(Some),
            }
        });
        begin.await?.ok_or(SignInError::Wrong)
    }
}
