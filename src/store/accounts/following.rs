//! Who is told what was edited, and what an edit was decided on.

use std::sync::{Arc, Mutex, MutexGuard, Weak};

use super::{AccountEdit, AccountSet};
use crate::store::StoreError;

/// Follows the roster of an engine. Called by one thread at a time, and never waits for a reader.
pub trait AccountFollower: Send + Sync {
    /// The whole roster, at `version`: at first, and when the engine has another one.
    fn reset(&self, accounts: AccountSet, version: u64);

    /// Edits that the store has, whoever made them, and the version they lead to.
    fn apply(&self, edits: &[AccountEdit], version: u64);
}

/// Those who follow a roster. The engine does not keep them alive.
#[derive(Default)]
pub struct AccountFollowers(Vec<Weak<dyn AccountFollower>>);

impl AccountFollowers {
    pub fn add(&mut self, follower: Weak<dyn AccountFollower>) {
        self.0.push(follower);
    }

    pub fn tell(&self, tell: impl Fn(&dyn AccountFollower)) {
        let followers = self.0.iter().filter_map(Weak::upgrade);
        followers.for_each(|follower: Arc<dyn AccountFollower>| tell(&*follower));
    }
}

/// The version of a roster that only this process edits: how often it did so.
#[derive(Default)]
pub struct LocalAccountVersion(Mutex<Followed>);

#[derive(Default)]
struct Followed {
    version: u64,
    followers: AccountFollowers,
}

impl LocalAccountVersion {
    /// Gives `follower` the roster that `read` gives, and every edit after it.
    pub fn follow(
        &self,
        follower: Weak<dyn AccountFollower>,
        read: impl FnOnce() -> Result<AccountSet, StoreError>,
    ) -> Result<(), StoreError> {
        let mut followed = self.followed();
        let roster = read()?;
        if let Some(follower) = follower.upgrade() {
            follower.reset(roster, followed.version);
        }
        followed.followers.add(follower);
        Ok(())
    }

    /// Makes `edits` with `write` if they were decided on what is true, and shows them.
    pub fn edit(
        &self,
        read: u64,
        edits: &[AccountEdit],
        write: impl FnOnce() -> Result<(), StoreError>,
    ) -> Result<u64, StoreError> {
        let mut followed = self.followed();
        if read != followed.version {
            return Err(StoreError::Conflict);
        }
        write()?;
        followed.version += 1;
        let version = followed.version;
        followed
            .followers
            .tell(|follower| follower.apply(edits, version));
        Ok(version)
    }

    fn followed(&self) -> MutexGuard<'_, Followed> {
        self.0.lock().expect("no holder of this lock panics")
    }
}
