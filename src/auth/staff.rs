//! Staff authentication: the accounts with the services that sign people in, and the edits of accounts
//! that run off the async workers.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::sync::{Mutex as AsyncMutex, Semaphore};
use tokio::time::{Instant, MissedTickBehavior, interval, sleep_until};
use tokio_util::task::TaskTracker;

use super::accounts::{Accounts, AccountsError};
use super::login_throttle::LoginThrottle;
use super::password::HashingPool;
use super::secret::Secret;
use crate::model::Key;

/// Edits of accounts that may wait for the disk; a further one is answered 503.
const PENDING_EDITS: usize = 32;

/// How often expired sessions are removed, and the last use of the others is saved.
const MAINTENANCE_INTERVAL: Duration = Duration::from_mins(10);

/// How often taps at stations are saved, which prolong turns.
const TAPS_INTERVAL: Duration = Duration::from_mins(1);

/// How soon revocations that the disk did not take are written again.
const RETRY_INTERVAL: Duration = Duration::from_secs(10);

/// Signs people in and edits their accounts. The methods for signing in are in `login`.
pub struct StaffAuth {
    accounts: Arc<Accounts>,
    pub(super) hashing: HashingPool,
    pub(super) throttle: LoginThrottle,
    bootstrap: Option<BootstrapToken>,
    edits: Arc<Semaphore>,
    lookups: LookupCoalescer,
    /// Owns what runs off the async workers.
    tasks: TaskTracker,
}

impl StaffAuth {
    /// Creates a bootstrap token if there are no accounts; the caller prints it. A cluster gets none: a
    /// load balancer could send its holder to a node that does not know it.
    pub fn new(accounts: Accounts) -> Self {
        let needs_bootstrap = accounts.is_empty() && !accounts.is_shared();
        let tasks = TaskTracker::new();
        StaffAuth {
            accounts: Arc::new(accounts),
            hashing: HashingPool::new(tasks.clone()),
            throttle: LoginThrottle::new(),
            bootstrap: needs_bootstrap.then(BootstrapToken::new),
            edits: Arc::new(Semaphore::new(PENDING_EDITS)),
            lookups: LookupCoalescer::default(),
            tasks,
        }
    }

    /// Returns the accounts.
    pub fn accounts(&self) -> &Accounts {
        &self.accounts
    }

    /// Returns the bootstrap token to the first caller. `None` if there are accounts.
    pub fn take_bootstrap_token(&self) -> Option<Secret> {
        self.bootstrap.as_ref()?.take_secret()
    }

    /// Returns true if `secret` is the bootstrap token, and there are still no accounts.
    pub fn is_bootstrap_token(&self, secret: &Secret) -> bool {
        let token = self.bootstrap.as_ref();
        token.is_some_and(|token| token.matches(secret)) && self.accounts.is_empty()
    }

    /// On a cluster, fetches what other nodes changed before a credential with an unknown key is
    /// refused.
    pub async fn refresh(&self, key: Key) {
        if !self.accounts.is_shared() {
            return;
        }
        let fetch = async || {
            let accounts = Arc::clone(&self.accounts);
            let fetching = self.tasks.spawn_blocking(move || accounts.catch_up());
            if let Ok(Err(error)) = fetching.await {
                tracing::debug!(%error, "cannot read the accounts that other nodes changed");
            }
        };
        self.lookups.run(key, fetch).await;
    }

    /// Edits accounts off the async workers. The edit finishes also if the caller leaves.
    ///
    /// # Errors
    /// 503 immediately if too many edits wait, and the errors of the edit.
    pub async fn edit<T: Send + 'static>(
        &self,
        edit: impl FnOnce(&Accounts) -> Result<T, AccountsError> + Send + 'static,
    ) -> Result<T, AccountsError> {
        let permit = Arc::clone(&self.edits).try_acquire_owned();
        let permit = permit.map_err(|_| AccountsError::Busy)?;
        let accounts = Arc::clone(&self.accounts);
        let editing = self.tasks.spawn_blocking(move || {
            let _permit = permit;
            edit(&accounts)
        });
        editing.await.map_err(|_| AccountsError::Panicked)?
    }

    /// Maintains the accounts at intervals, until the future is dropped.
    pub async fn run_maintenance(&self) {
        let mut ticks = interval(RETRY_INTERVAL);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut next = Instant::now();
        let mut next_taps = next;
        loop {
            let now = ticks.tick().await;
            let has_taps = now >= next_taps && self.accounts.stations().have_unsaved_taps();
            if now >= next || has_taps || self.accounts.has_pending_revocations() {
                self.maintain().await;
                next = now + MAINTENANCE_INTERVAL;
                next_taps = now + TAPS_INTERVAL;
            }
        }
    }

    /// Saves what is not saved, and waits for the running edits and hashes.
    pub async fn close(&self) {
        self.maintain().await;
        self.tasks.close();
        self.tasks.wait().await;
    }

    async fn maintain(&self) {
        let maintaining = self.edit(|accounts| Ok(accounts.maintain()?));
        if let Err(failure) = maintaining.await {
            tracing::warn!(%failure, "cannot save when sessions were last used; retrying later");
        }
    }
}

/// A bootstrap token in an old log must not create an account.
const BOOTSTRAP_LIFETIME: Duration = Duration::from_hours(24);

/// The token with which the first admin account is created: new at each start, valid for a day.
struct BootstrapToken {
    key: Key,
    expires: Instant,
    /// The secret, until it is printed.
    secret: Mutex<Option<Secret>>,
}

impl BootstrapToken {
    fn new() -> Self {
        let secret = Secret::random();
        BootstrapToken {
            key: secret.key(),
            expires: Instant::now() + BOOTSTRAP_LIFETIME,
            secret: Mutex::new(Some(secret)),
        }
    }

    fn take_secret(&self) -> Option<Secret> {
        let mut secret = self.secret.lock().expect("no holder of this lock panics");
        secret.take()
    }

    /// Returns true if this is the token's secret, and the token has not expired.
    fn matches(&self, secret: &Secret) -> bool {
        self.key == secret.key() && Instant::now() < self.expires
    }
}

/// The least time between two lookups. Unknown credentials, which may be many, share one.
const LOOKUP_INTERVAL: Duration = Duration::from_millis(20);

/// How long a key that was not found counts as unknown without another lookup. By then this node has
/// applied the change, or has looked itself.
const NEGATIVE_CACHE_TTL: Duration = Duration::from_secs(5);

/// Keys in the negative cache.
const NEGATIVE_CACHE_SIZE: usize = 1000;

/// Coalesces lookups of unknown credentials in the cluster, with a negative cache.
///
/// A person who signed in at another node may send a request here before this node has applied the
/// session, so an unknown credential is looked up before it is refused. Attackers can send any number of
/// unknown credentials.
#[derive(Default)]
struct LookupCoalescer(AsyncMutex<Lookups>);

#[derive(Default)]
struct Lookups {
    last: Option<Instant>,
    /// Keys that were not found, and when they were looked up.
    not_found: HashMap<Key, Instant>,
}

impl LookupCoalescer {
    /// Returns after `fetch` was run by some caller since this call began, or for `key` within the
    /// lifetime of the negative cache.
    async fn run(&self, key: Key, fetch: impl AsyncFnOnce()) {
        let called = Instant::now();
        let mut lookups = self.0.lock().await;
        let is_fresh = |at: &Instant| called.saturating_duration_since(*at) < NEGATIVE_CACHE_TTL;
        if lookups.not_found.get(&key).is_some_and(is_fresh) {
            return;
        }
        if lookups.last.is_none_or(|last| last < called) {
            if let Some(last) = lookups.last {
                sleep_until(last + LOOKUP_INTERVAL).await;
            }
            lookups.last = Some(Instant::now());
            fetch().await;
        }
        if lookups.not_found.len() >= NEGATIVE_CACHE_SIZE {
            lookups.not_found.clear();
        }
        lookups.not_found.insert(key, Instant::now());
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use futures_util::future::join_all;
    use tokio::time::{advance, sleep};

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_bootstrap_token_matches_its_own_secret_for_a_day() {
        let token = BootstrapToken::new();
        let secret = token.take_secret().unwrap();
        assert!(token.matches(&secret) && token.take_secret().is_none());
        assert!(!token.matches(&Secret::random()));
        advance(BOOTSTRAP_LIFETIME).await;
        assert!(!token.matches(&secret));
    }

    #[tokio::test(start_paused = true)]
    async fn concurrent_lookups_share_one_fetch_and_an_unknown_key_is_cached() {
        let (lookups, count) = (LookupCoalescer::default(), AtomicU32::new(0));
        let fetch = async || {
            sleep(Duration::from_millis(5)).await;
            count.fetch_add(1, Ordering::Relaxed);
        };
        let key = |number: u8| Key::new([number; 32]);
        let fetched = || count.load(Ordering::Relaxed);
        let look_up = async |number: u8| {
            sleep(Duration::from_millis(number.min(2).into())).await;
            lookups.run(key(number), fetch).await;
        };
        join_all((0..100).map(look_up)).await;
        assert_eq!(
            fetched(),
            2,
            "the first, and one for all that came during it"
        );
        lookups.run(key(1), fetch).await;
        assert_eq!(fetched(), 2, "in the negative cache");
        let start = Instant::now();
        lookups.run(key(200), fetch).await;
        assert_eq!(fetched(), 3);
        assert!(start.elapsed() >= LOOKUP_INTERVAL - Duration::from_millis(6));
        advance(NEGATIVE_CACHE_TTL).await;
        lookups.run(key(1), fetch).await;
        assert_eq!(fetched(), 4);
    }
}
