//! A roster in memory: what an engine far away is a copy of, and one that is forgotten when it is
//! dropped, for tests.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, Weak};

use super::following::LocalAccountVersion;
use super::{
    AUDIT_ENTRIES_KEPT, AccountEdit, AccountFollower, AccountSet, AccountStore, ClockReading,
};
use crate::model::{Account, AccountName, AuditEntry, Key, Session, Token};
use crate::store::StoreError;

/// Everything that is kept about staff.
#[derive(Default)]
pub struct AccountRecords {
    accounts: BTreeMap<AccountName, Account>,
    sessions: BTreeMap<Key, Session>,
    tokens: BTreeMap<Key, Token>,
    clock: Option<ClockReading>,
    routine_deeds: BTreeMap<u64, AuditEntry>,
    admin_deeds: BTreeMap<u64, AuditEntry>,
}

impl AccountRecords {
    pub fn apply(&mut self, edit: AccountEdit) {
        match edit {
            AccountEdit::PutAccount(account) => {
                self.accounts.insert(account.name.clone(), account);
            }
            AccountEdit::RemoveAccount(name) => drop(self.accounts.remove(&name)),
            AccountEdit::PutSession(session) => drop(self.sessions.insert(session.key, session)),
            AccountEdit::RemoveSession(key) => drop(self.sessions.remove(&key)),
            AccountEdit::PutToken(token) => drop(self.tokens.insert(token.key, token)),
            AccountEdit::RemoveToken(key) => drop(self.tokens.remove(&key)),
            AccountEdit::SetClock(reading) => self.clock = Some(reading),
            AccountEdit::AddAuditEntry(audit_entry) => self.note(self.last_deed() + 1, audit_entry),
        }
    }

    /// Adds a audit_entry that has its number already; the oldest of its kind are dropped.
    pub fn note(&mut self, number: u64, audit_entry: AuditEntry) {
        let audit_entries = if audit_entry.is_routine() {
            &mut self.routine_deeds
        } else {
            &mut self.admin_deeds
        };
        audit_entries.insert(number, audit_entry);
        while audit_entries.len() as u64 > AUDIT_ENTRIES_KEPT {
            audit_entries.pop_first();
        }
    }

    /// The number of the newest audit_entry; 0 for none.
    pub fn last_deed(&self) -> u64 {
        let last = |audit_entries: &BTreeMap<u64, AuditEntry>| {
            audit_entries.last_key_value().map(|(number, _)| *number)
        };
        let last = last(&self.routine_deeds).max(last(&self.admin_deeds));
        last.unwrap_or(0)
    }

    pub fn account_set(&self) -> AccountSet {
        AccountSet {
            accounts: self.accounts.values().cloned().collect(),
            sessions: self.sessions.values().cloned().collect(),
            tokens: self.tokens.values().cloned().collect(),
            clock: self.clock,
        }
    }

    pub fn audit_entries(&self, before: Option<u64>, limit: usize) -> Vec<(u64, AuditEntry)> {
        let newest = |audit_entries: &BTreeMap<u64, AuditEntry>| -> Vec<_> {
            let audit_entries = audit_entries.range(..before.unwrap_or(u64::MAX)).rev();
            let audit_entries =
                audit_entries.map(|(number, audit_entry)| (*number, audit_entry.clone()));
            audit_entries.take(limit).collect()
        };
        newest_of_both(
            newest(&self.routine_deeds),
            newest(&self.admin_deeds),
            limit,
        )
    }
}

/// Up to `limit` of two lists together, newest first.
pub fn newest_of_both(
    mut audit_entries: Vec<(u64, AuditEntry)>,
    others: Vec<(u64, AuditEntry)>,
    limit: usize,
) -> Vec<(u64, AuditEntry)> {
    audit_entries.extend(others);
    audit_entries.sort_unstable_by_key(|(number, _)| Reverse(*number));
    audit_entries.truncate(limit);
    audit_entries
}

/// Accounts in memory.
#[derive(Default)]
pub struct MemoryAccountStore {
    kept: Mutex<AccountRecords>,
    version: LocalAccountVersion,
}

impl MemoryAccountStore {
    fn kept(&self) -> MutexGuard<'_, AccountRecords> {
        self.kept.lock().expect("no holder of this lock panics")
    }
}

impl AccountStore for MemoryAccountStore {
    fn account_set(&self) -> Result<AccountSet, StoreError> {
        Ok(self.kept().account_set())
    }

    fn follow_accounts(&self, follower: Weak<dyn AccountFollower>) -> Result<(), StoreError> {
        self.version.follow(follower, || self.account_set())
    }

    fn edit_accounts(&self, read: u64, edits: &[AccountEdit]) -> Result<u64, StoreError> {
        self.version.edit(read, edits, || {
            let mut kept = self.kept();
            edits.iter().for_each(|edit| kept.apply(edit.clone()));
            Ok(())
        })
    }

    fn audit_entries(
        &self,
        before: Option<u64>,
        limit: usize,
    ) -> Result<Vec<(u64, AuditEntry)>, StoreError> {
        Ok(self.kept().audit_entries(before, limit))
    }
}
