//! Accounts for tests: with a clock that the test sets, and a store that the test makes fail.

use std::ops::Deref;
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

/// A store whose disk can be full, and that can run something right before an edit.
pub struct FlakyStore {
    inner: Arc<dyn AccountStore>,
    pub is_full: AtomicBool,
    /// The rev of the last change, if the inner store has none.
    pub newest: AtomicU64,
    interruption: Mutex<Option<Box<dyn FnOnce() + Send>>>,
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
            interruption: Mutex::default(),
        }
    }

    /// Fails every edit from now on, or no longer.
    pub fn fill(&self, is_full: bool) {
        self.is_full.store(is_full, Ordering::Relaxed);
    }

    /// Calls `interruption` right before the next edit.
    pub fn interrupt(&self, interruption: impl FnOnce() + Send + 'static) {
        *self.interruption.lock().unwrap() = Some(Box::new(interruption));
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

    fn edit_accounts(&self, version: u64, edits: &[AccountEdit]) -> Result<u64, StoreError> {
        let interruption = self.interruption.lock().unwrap().take();
        if let Some(interruption) = interruption {
            interruption();
        }
        if self.is_full.load(Ordering::Relaxed) {
            return Err(StoreError::Write("no space".to_owned()));
        }
        self.inner.edit_accounts(version, edits)
    }

    fn audit_entries(
        &self,
        before: Option<u64>,
        limit: usize,
    ) -> Result<Vec<(u64, AuditEntry)>, StoreError> {
        self.inner.audit_entries(before, limit)
    }
}

/// Accounts over such a store.
pub struct TestAccounts {
    pub store: Arc<FlakyStore>,
    pub clock: TestClock,
    accounts: Accounts,
}

impl Deref for TestAccounts {
    type Target = Accounts;

    fn deref(&self) -> &Accounts {
        &self.accounts
    }
}

impl TestAccounts {
    pub fn new() -> Self {
        TestAccounts::on(Arc::default(), Timestamp::now())
    }

    pub fn on(store: Arc<FlakyStore>, wall: Timestamp) -> Self {
        let clock = TestClock::at(wall);
        let saved = store.account_set().unwrap().clock;
        let store_clock = StoreClock::resume(saved, clock.clock());
        let accounts = Accounts::with_clock(Arc::clone(&store) as _, store_clock).unwrap();
        TestAccounts {
            store,
            clock,
            accounts,
        }
    }

    pub fn over(store: Arc<dyn AccountStore>) -> Self {
        TestAccounts::on(Arc::new(FlakyStore::over(store)), Timestamp::now())
    }

    /// With the admin anna and the staff boris, who have the same password.
    pub fn with_two() -> Self {
        let test = TestAccounts::new();
        test.add("anna", Role::Admin);
        test.add("boris", Role::Staff);
        test
    }

    /// Another node on the same store.
    pub fn other_node(&self) -> Self {
        TestAccounts::on(Arc::clone(&self.store), Timestamp::now())
    }

    /// The same store after a restart, at which the wall clock says `wall`.
    pub fn restarted(self, wall: Timestamp) -> Self {
        TestAccounts::on(self.store, wall)
    }

    pub fn add(&self, text: &str, role: Role) {
        let added = self
            .members()
            .add(&name(text), role, HASH.to_owned(), &operator());
        added.unwrap();
    }

    pub fn pass(&self, seconds: u64) {
        self.clock.pass(seconds.cast_signed());
    }

    pub fn sign_in(&self, text: &str) -> Key {
        let begun = self.sessions().begin(&name(text), HASH, "Firefox", None);
        begun.unwrap().key()
    }

    pub fn has_session(&self, key: &Key) -> bool {
        self.sessions().get(key).is_some()
    }

    pub fn create_token(&self, text: &str) -> Key {
        let created = self
            .tokens()
            .create(&name(text), "Feeder", Scope::Write, &operator());
        created.unwrap().key()
    }

    pub fn has_token(&self, key: &Key) -> bool {
        self.tokens().get(key).is_some()
    }

    pub fn last_entry(&self) -> AuditEntry {
        self.audit_entries(None, 1).unwrap().remove(0).1
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

pub fn operator() -> Actor {
    Actor::operator(author())
}

pub fn later(seconds: u64) -> Timestamp {
    Timestamp::from_micros(Timestamp::now().micros() + seconds.cast_signed() * 1_000_000)
}
