//! What the tests of the accounts and of its parts run on: a roster, a clock that they turn, and a
//! disk that they fill.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, Weak};

use crate::auth::accounts::{Accounts, Actor};
use crate::auth::clock::StoreClock;
use crate::clock::example::TestClock;
use crate::model::{AccountName, AuditEntry, Author, Key, Rev, Role, Scope, Timestamp};
use crate::store::{
    AccountEdit, AccountFollower, AccountSet, AccountStore, MemoryAccountStore, StoreError,
};

pub const HOUR: u64 = 3600;
pub const DAY: u64 = 24 * HOUR;
pub const HASH: &str = "the hash of a password";

/// A store that refuses to write when it is told to, and in which something can happen right before
/// an edit.
pub struct FlakyStore {
    inner: Arc<dyn AccountStore>,
    pub is_full: AtomicBool,
    /// The rev of the last change, where the store below has none.
    pub newest: AtomicU64,
    meanwhile: Mutex<Option<Box<dyn FnOnce() + Send>>>,
}

impl Default for FlakyStore {
    fn default() -> Self {
        FlakyStore::over(Arc::new(MemoryAccountStore::default()))
    }
}

impl FlakyStore {
    pub fn over(inner: Arc<dyn AccountStore>) -> Self {
        FlakyStore {
            inner,
            is_full: AtomicBool::new(false),
            newest: AtomicU64::new(0),
            meanwhile: Mutex::default(),
        }
    }

    pub fn meanwhile(&self, happening: impl FnOnce() + Send + 'static) {
        *self.meanwhile.lock().unwrap() = Some(Box::new(happening));
    }
}

impl AccountStore for FlakyStore {
    fn account_set(&self) -> Result<AccountSet, StoreError> {
        self.inner.account_set()
    }

    fn follow_accounts(&self, follower: Weak<dyn AccountFollower>) -> Result<(), StoreError> {
        self.inner.follow_accounts(follower)
    }

    fn are_accounts_shared(&self) -> bool {
        self.inner.are_accounts_shared()
    }

    fn last_change(&self) -> Option<Rev> {
        let newest = || Rev::new(self.newest.load(Ordering::SeqCst));
        Some(self.inner.last_change().unwrap_or_else(newest))
    }

    fn catch_up_accounts(&self) -> Result<(), StoreError> {
        self.inner.catch_up_accounts()
    }

    fn edit_accounts(&self, read: u64, edits: &[AccountEdit]) -> Result<u64, StoreError> {
        let happening = self.meanwhile.lock().unwrap().take();
        if let Some(happening) = happening {
            happening();
        }
        match self.is_full.load(Ordering::Relaxed) {
            true => Err(StoreError::Write("no space".to_owned())),
            false => self.inner.edit_accounts(read, edits),
        }
    }

    fn audit_entries(
        &self,
        before: Option<u64>,
        limit: usize,
    ) -> Result<Vec<(u64, AuditEntry)>, StoreError> {
        self.inner.audit_entries(before, limit)
    }
}

/// A accounts whose clock a test turns.
pub struct TestAccounts {
    pub disk: Arc<FlakyStore>,
    pub clock: TestClock,
    pub accounts: Accounts,
}

impl TestAccounts {
    pub fn start() -> Self {
        TestAccounts::on(Arc::default(), Timestamp::now())
    }

    pub fn on(disk: Arc<FlakyStore>, wall: Timestamp) -> Self {
        let clock = TestClock::at(wall);
        let saved = disk.account_set().unwrap().clock;
        let resumed = StoreClock::resume(saved, clock.clock());
        let accounts =
            Accounts::with_clock(Arc::clone(&disk) as Arc<dyn AccountStore>, resumed).unwrap();
        TestAccounts {
            disk,
            clock,
            accounts,
        }
    }

    /// With the admin anna and the staff boris, who know the same password.
    pub fn with_two() -> Self {
        let test = TestAccounts::start();
        test.add("anna", Role::Admin);
        test.add("boris", Role::Staff);
        test
    }

    pub fn add(&self, text: &str, role: Role) {
        let added = self
            .accounts
            .members()
            .add(&name(text), role, HASH.to_owned(), &operator());
        added.unwrap();
    }

    /// The same store after a restart, at which the wall clock says `wall`.
    pub fn restarted(self, wall: Timestamp) -> Self {
        TestAccounts::on(self.disk, wall)
    }

    pub fn turn(&self, seconds: u64) {
        self.clock.pass(seconds.cast_signed());
    }

    pub fn sign_in(&self, text: &str) -> Key {
        let begun = self
            .accounts
            .sessions()
            .begin(&name(text), HASH, "Firefox", None);
        begun.unwrap().key()
    }

    pub fn is_in(&self, key: &Key) -> bool {
        self.accounts.sessions().get(key).is_some()
    }

    pub fn token(&self, text: &str) -> Key {
        let made = self
            .accounts
            .tokens()
            .create(&name(text), "Feeder", Scope::Write, &operator());
        made.unwrap().key()
    }

    pub fn last_action(&self) -> String {
        self.accounts.audit_entries(None, 1).unwrap()[0]
            .1
            .action
            .clone()
    }
}

pub fn name(text: &str) -> AccountName {
    text.parse().unwrap()
}

pub fn author() -> Author {
    Author {
        name: "anna".to_owned(),
        client: "a test".to_owned(),
    }
}

/// The operator of the machine.
pub fn operator() -> Actor {
    Actor::operator(author())
}

pub fn later(seconds: u64) -> Timestamp {
    Timestamp::from_micros(Timestamp::now().micros() + seconds.cast_signed() * 1_000_000)
}
