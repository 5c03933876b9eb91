//! Accounts on a cluster: a private stream, of which every node holds a copy in memory.
//!
//! An edit is one atomic batch, stored only if the stream still ends where the node that decided the
//! edit had read it: two nodes never decide on the same version. A node that has edited accounts
//! notifies the others, and they read the edit from the stream. A node that misses the notification
//! finds the edit within a second.

mod edit;
mod record;
mod replica;

use std::sync::{Arc, Weak};
use std::time::Duration;

use futures_util::StreamExt;
use tokio::sync::{Mutex, MutexGuard};
use tokio::time::{Instant, MissedTickBehavior, interval};

pub use self::replica::AccountReplica;
use super::NatsEngine;
use super::client::NatsClient;
use super::health::EngineHealth;
use super::subjects::{ACCOUNTS_CHANGED, STAFF};
use crate::model::{AuditEntry, Rev, Timestamp};
use crate::store::{AccountEdit, AccountFollower, AccountSet, AccountStore, StoreError};

/// Interval at which the stream is polled.
const POLL_INTERVAL: Duration = Duration::from_secs(1);

/// How long the stream must be unreadable before that is logged. An election is shorter.
const LOG_FAILURE_AFTER: Duration = Duration::from_secs(10);

/// The stream of accounts as this node reads and writes it.
pub struct AccountLog {
    client: NatsClient,
    replica: Mutex<AccountReplica>,
    health: EngineHealth,
}

impl AccountLog {
    /// Creates the log with an empty copy.
    pub fn new(client: NatsClient) -> Self {
        AccountLog {
            health: EngineHealth::new(client.clone()),
            client,
            replica: Mutex::default(),
        }
    }

    /// Locks the copy. An edit holds the lock until its outcome is known.
    pub async fn replica(&self) -> MutexGuard<'_, AccountReplica> {
        self.replica.lock().await
    }

    /// Replaces the copy with the state of the stream.
    pub async fn load(&self) -> Result<(), StoreError> {
        self.replica().await.load(&self.client).await
    }

    /// Catches up with the stream.
    pub async fn catch_up(&self) -> Result<(), StoreError> {
        let mut replica = self.replica().await;
        let sent = Instant::now();
        replica.catch_up(&self.client).await?;
        self.health.record_answer(sent);
        Ok(())
    }

    /// Shows `follower` all accounts now and every edit later. Returns true if it is the first
    /// follower, for which a task must `follow_stream`.
    async fn add_follower(&self, follower: Weak<dyn AccountFollower>) -> bool {
        let mut replica = self.replica().await;
        if let Some(follower) = follower.upgrade() {
            follower.reset(replica.records.account_set(), replica.seq);
        }
        replica.followers.add(follower);
        !std::mem::replace(&mut replica.is_followed, true)
    }

    /// Catches up with the stream again and again until the future is dropped.
    async fn follow_stream(self: Arc<Self>) {
        // Fails only when the client has ended, and the node with it.
        let Ok(mut changed) = self.client.client().subscribe(ACCOUNTS_CHANGED).await else {
            return;
        };
        let mut poll = interval(POLL_INTERVAL);
        poll.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut failing_since = None;
        let mut is_logged = false;
        loop {
            tokio::select! {
                notification = changed.next() => match notification {
                    Some(_) => {}
                    None => return,
                },
                _ = poll.tick() => {}
            }
            // The stream may have been deleted while everything else works.
            match self.catch_up().await {
                Ok(()) => {
                    if is_logged {
                        tracing::info!("accounts can be read from the engine again");
                    }
                    (failing_since, is_logged) = (None, false);
                }
                Err(error) => {
                    let since = *failing_since.get_or_insert_with(Instant::now);
                    if since.elapsed() >= LOG_FAILURE_AFTER && !is_logged {
                        is_logged = true;
                        tracing::error!(
                            %error,
                            stream.name = STAFF.name,
                            "accounts cannot be read from the engine, so nobody can sign in or edit \
                             accounts; if the stream was deleted, restore it from a backup while no \
                             node runs"
                        );
                    }
                }
            }
        }
    }
}

impl AccountStore for NatsEngine {
    fn engine_time(&self) -> Option<Timestamp> {
        let ahead_ms = self.replica.clock.ahead_ms()?;
        let now = Timestamp::now().micros();
        let micros = now.saturating_sub(ahead_ms.saturating_mul(1000));
        Some(Timestamp::from_micros(micros))
    }

    fn account_set(&self) -> Result<AccountSet, StoreError> {
        let replica = self.runtime.block_on(self.accounts.replica());
        Ok(replica.records.account_set())
    }

    fn follow_accounts(&self, follower: Weak<dyn AccountFollower>) -> Result<(), StoreError> {
        let added = self.accounts.add_follower(follower);
        if self.runtime.block_on(added) {
            self.spawn(Arc::clone(&self.accounts).follow_stream());
        }
        Ok(())
    }

    fn are_accounts_shared(&self) -> bool {
        true
    }

    fn catch_up_accounts(&self) -> Result<(), StoreError> {
        self.runtime.block_on(async {
            self.accounts.health.check_writable().await?;
            self.accounts.catch_up().await
        })
    }

    fn last_change(&self) -> Option<Rev> {
        Some(self.replica.state().newest)
    }

    fn edit_accounts(&self, read: u64, edits: &[AccountEdit]) -> Result<u64, StoreError> {
        self.runtime.block_on(self.accounts.edit(read, edits))
    }

    fn audit_entries(
        &self,
        before: Option<u64>,
        limit: usize,
    ) -> Result<Vec<(u64, AuditEntry)>, StoreError> {
        let replica = self.runtime.block_on(self.accounts.replica());
        Ok(replica.records.audit_entries(before, limit))
    }
}
