//! What people do to come in and to stay: sign in, open a link, change their password. And how
//! edits of the roster get off the async workers.

use std::net::IpAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::sync::Semaphore;
use tokio::time::{Instant, MissedTickBehavior, interval, sleep};
use tokio_util::task::TaskTracker;

use super::attempts::{Attempt, Attempts};
use super::directory::{Directory, DirectoryError, author};
use super::founding::Founding;
use super::freshness::Freshness;
use super::password::{Crowded, Passwords};
use super::secret::Secret;
use crate::error::Failure;
use crate::model::{Account, AccountName, Author, Key};

/// Edits of the roster that may wait for the disk; one more is told to come back.
const EDITS: usize = 32;

/// How often expired sessions are removed, and the last use of the others is saved.
const TIDY_EVERY: Duration = Duration::from_secs(600);

/// How soon the disk is told again what was ended while it refused.
const TELL_AGAIN: Duration = Duration::from_secs(10);

/// Everything about the people who may change something.
pub struct Staff {
    directory: Arc<Directory>,
    passwords: Passwords,
    attempts: Attempts,
    founding: Option<Founding>,
    /// The secret of the founding link until it was told.
    untold: Mutex<Option<Secret>>,
    edits: Arc<Semaphore>,
    freshness: Freshness,
    /// Owns what runs off the async workers.
    tasks: TaskTracker,
}

/// Somebody who wants to sign in.
pub struct SignIn<'a> {
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

impl From<Crowded> for SignInError {
    fn from(error: Crowded) -> Self {
        SignInError::Failed(error.into())
    }
}

impl Staff {
    /// Prints nothing: whoever starts the server asks for the founding link. Where there are other
    /// nodes there is none: a balancer would bring whoever opens it to a node that does not know it.
    pub fn open(directory: Directory) -> Self {
        let has_founding = directory.is_empty() && !directory.is_shared();
        let founding = has_founding.then(Founding::begin);
        let (founding, untold) = founding.unzip();
        let tasks = TaskTracker::new();
        Staff {
            directory: Arc::new(directory),
            passwords: Passwords::new(tasks.clone()),
            attempts: Attempts::new(),
            founding,
            untold: Mutex::new(untold),
            edits: Arc::new(Semaphore::new(EDITS)),
            freshness: Freshness::default(),
            tasks,
        }
    }

    pub fn directory(&self) -> &Directory {
        &self.directory
    }

    /// The secret of the founding link, the first time it is asked for; none where there are
    /// accounts.
    pub fn take_founding_secret(&self) -> Option<Secret> {
        let mut untold = self.untold.lock().expect("no holder of this lock panics");
        untold.take()
    }

    /// Learns what other nodes have edited, before somebody whose `key` this one does not know is
    /// taken for a stranger.
    pub async fn catch_up(&self, key: Key) {
        if !self.directory.is_shared() {
            return;
        }
        let ask = async || {
            let directory = Arc::clone(&self.directory);
            let asking = self.tasks.spawn_blocking(move || directory.catch_up());
            if let Ok(Err(error)) = asking.await {
                tracing::debug!(%error, "what other nodes edited is not known");
            }
        };
        self.freshness.renew(key, ask).await;
    }

    /// Whether `secret` is the founding link's and nobody used it yet.
    pub fn is_founding(&self, secret: &Secret) -> bool {
        let founding = self.founding.as_ref();
        founding.is_some_and(|founding| founding.is_opened_by(secret)) && self.directory.is_empty()
    }

    /// Makes an edit of the roster off the async workers. It is made to its end, also when
    /// whoever asked for it leaves.
    ///
    /// # Errors
    /// 503 at once when too many wait, and what the edit can fail with.
    pub async fn edit<T: Send + 'static>(
        &self,
        edit: impl FnOnce(&Directory) -> Result<T, DirectoryError> + Send + 'static,
    ) -> Result<T, Failure> {
        let place = Arc::clone(&self.edits).try_acquire_owned();
        let place = place.map_err(|_| {
            Failure::unavailable("Too many changes of staff are waiting. Try again.", 2)
        })?;
        let directory = Arc::clone(&self.directory);
        let editing = self.tasks.spawn_blocking(move || {
            let _place = place;
            edit(&directory)
        });
        let edited = editing.await.map_err(|_| Failure::internal())?;
        Ok(edited?)
    }

    /// Begins a session for whoever knows the password. A wrong name takes as long as a wrong
    /// password.
    ///
    /// # Errors
    /// Why not.
    pub async fn sign_in(&self, asked: SignIn<'_>) -> Result<Secret, SignInError> {
        let attempt = self.attempt(asked.name, asked.address).await?;
        let account = self.account(asked.name);
        let known = account
            .as_ref()
            .and_then(|account| account.password.clone());
        let password = asked.password.to_owned();
        let is_right = self.compare(&attempt, password, known.clone()).await?;
        let (Some(account), Some(known), true) = (account, known, is_right) else {
            return Err(SignInError::Wrong);
        };
        if account.is_disabled {
            return Err(SignInError::Wrong);
        }
        self.attempts.forgive(&attempt);
        let (name, client, before) = (account.name.clone(), asked.client.to_owned(), asked.before);
        self.begin(name, known, client, before).await
    }

    /// Whether the password is right. Where there was no room to compare it, the try does not count.
    async fn compare(
        &self,
        attempt: &Attempt,
        password: String,
        hash: Option<String>,
    ) -> Result<bool, Crowded> {
        let compared = self.passwords.verify(password, hash).await;
        if compared.is_err() {
            self.attempts.take_back(attempt);
        }
        compared
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
        let hash = self.passwords.hash(wanted.to_owned()).await?;
        let author = author.clone();
        let changing =
            self.edit(move |directory| directory.change_password(session, &known, hash, &author));
        changing.await.map_err(SignInError::Failed)
    }

    /// Makes the first admin, and signs them in.
    ///
    /// # Errors
    /// 404 when somebody was faster.
    pub async fn found(
        &self,
        name: &AccountName,
        password: &str,
        client: &str,
    ) -> Result<Secret, SignInError> {
        let hash = self.passwords.hash(password.to_owned()).await?;
        let author = author(name, client);
        let (founder, known) = (name.clone(), hash.clone());
        let founding = self.edit(move |directory| directory.found(&founder, hash, &author));
        founding.await.map_err(SignInError::Failed)?;
        self.begin(name.clone(), known, client.to_owned(), None)
            .await
    }

    /// Gives the owner of an invitation a password, and signs them in.
    ///
    /// # Errors
    /// 404 when it was used, or has expired meanwhile.
    pub async fn accept(
        &self,
        invitation: &Secret,
        name: &AccountName,
        password: &str,
        client: &str,
    ) -> Result<Secret, SignInError> {
        let hash = self.passwords.hash(password.to_owned()).await?;
        let (key, known, author) = (invitation.key(), hash.clone(), author(name, client));
        let accepting = self.edit(move |directory| directory.accept(&key, hash, &author));
        let name = accepting.await.map_err(SignInError::Failed)?;
        self.begin(name, known, client.to_owned(), None).await
    }

    /// Tidies the roster now and then, until it is dropped.
    pub async fn keep_tidy(&self) {
        let mut ticks = interval(TELL_AGAIN);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut next = Instant::now();
        loop {
            let now = ticks.tick().await;
            if now >= next || self.directory.is_owing() {
                self.tidy().await;
                next = now + TIDY_EVERY;
            }
        }
    }

    /// Finishes what runs, and saves what is not saved.
    pub async fn close(&self) {
        self.tidy().await;
        self.tasks.close();
        self.tasks.wait().await;
    }

    async fn tidy(&self) {
        let tidying = self.edit(|directory| Ok(directory.tidy()?));
        if let Err(failure) = tidying.await {
            tracing::warn!(%failure, "the last use of sessions was not saved; it will be tried again");
        }
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

    fn account(&self, name: &str) -> Option<Arc<Account>> {
        self.directory.account(&name.parse().ok()?)
    }

    async fn begin(
        &self,
        name: AccountName,
        known: String,
        client: String,
        before: Option<Key>,
    ) -> Result<Secret, SignInError> {
        let begun = self.edit(move |directory| {
            match directory.begin_session(&name, &known, &client, before) {
                // Disabled, removed or changed while the hash was computed.
                Err(DirectoryError::UnknownAccount(_)) => Ok(None),
                begun => begun.map(Some),
            }
        });
        let begun = begun.await.map_err(SignInError::Failed)?;
        begun.ok_or(SignInError::Wrong)
    }
}
