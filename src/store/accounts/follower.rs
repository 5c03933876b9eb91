//! Followers of the accounts in a store, and the version that an edit is decided on.

use std::sync::{Arc, Mutex, MutexGuard, Weak};

use super::{AccountEdit, AccountSet};
use crate::store::StoreError;

/// Follows the accounts of an engine. Called by one thread at a time; never waits for a reader.
pub trait AccountFollower: Send + Sync {
    /// Replaces everything with `accounts`, at `version`: first, and if the engine has another set.
    fn reset(&self, accounts: AccountSet, version: u64);

    /// Applies edits that the store committed, also those of other nodes, and that lead to `version`.
    fn apply(&self, edits: &[AccountEdit], version: u64);
}

/// The followers of a set of accounts. The engine does not keep them alive.
#[derive(Default)]
pub struct AccountFollowers(Vec<Weak<dyn AccountFollower>>);

impl AccountFollowers {
    /// Adds a follower.
    pub fn add(&mut self, follower: Weak<dyn AccountFollower>) {
        self.0.push(follower);
    }

    /// Calls `call` with every follower.
    pub fn tell(&self, call: impl Fn(&dyn AccountFollower)) {
        let followers = self.0.iter().filter_map(Weak::upgrade);
        followers.for_each(|follower: Arc<dyn AccountFollower>| call(&*follower));
    }
}

/// The version of accounts that only this process edits: the number of its edits.
#[derive(Default)]
pub struct LocalAccountVersion(Mutex<FollowedVersion>);

#[derive(Default)]
struct FollowedVersion {
    version: u64,
    followers: AccountFollowers,
}

impl LocalAccountVersion {
    /// Gives `follower` the accounts that `read` returns, and every edit after that.
    pub fn follow(
        &self,
        follower: Weak<dyn AccountFollower>,
        read: impl FnOnce() -> Result<AccountSet, StoreError>,
    ) -> Result<(), StoreError> {
        let mut followed = self.lock();
        let accounts = read()?;
        if let Some(follower) = follower.upgrade() {
            follower.reset(accounts, followed.version);
        }
        followed.followers.add(follower);
        Ok(())
    }

    /// Makes `edits` with `write` if `version` is the present one, and passes them to the followers.
    pub fn edit(
        &self,
        version: u64,
        edits: &[AccountEdit],
        write: impl FnOnce() -> Result<(), StoreError>,
    ) -> Result<u64, StoreError> {
        let mut followed = self.lock();
        if version != followed.version {
            return Err(StoreError::Conflict);
        }
        write()?;
        followed.version += 1;
        let version = followed.version;
        let followers = &followed.followers;
        followers.tell(|follower| follower.apply(edits, version));
        Ok(version)
    }

    fn lock(&self) -> MutexGuard<'_, FollowedVersion> {
        self.0.lock().expect("no holder of this lock panics")
    }
}
