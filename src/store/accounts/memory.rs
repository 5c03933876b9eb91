//! Accounts in memory: the local copy of a cluster's accounts, and a store for tests.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, Weak};

use super::follower::LocalAccountVersion;
use super::{
    AUDIT_ENTRIES_KEPT, AccountEdit, AccountFollower, AccountSet, AccountStore, ClockReading,
};
use crate::model::{
    Account, AccountName, AuditEntry, Key, Rescue, Session, Token, Webhook, WebhookId,
};
use crate::store::StoreError;

/// Accounts, sessions, tokens, webhooks and audit entries by their keys, and the settings of the rescue.
#[derive(Default)]
pub struct AccountRecords {
    accounts: BTreeMap<AccountName, Account>,
    sessions: BTreeMap<Key, Session>,
    tokens: BTreeMap<Key, Token>,
    clock: Option<ClockReading>,
    rescue: Option<Arc<Rescue>>,
    webhooks: BTreeMap<WebhookId, Arc<Webhook>>,
    routine_entries: BTreeMap<u64, AuditEntry>,
    admin_entries: BTreeMap<u64, AuditEntry>,
}

impl AccountRecords {
    /// Makes an edit.
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
            AccountEdit::PutRescue(rescue) => self.rescue = Some(rescue),
            AccountEdit::PutWebhook(webhook) => {
                self.webhooks.insert(webhook.id, webhook);
            }
            AccountEdit::RemoveWebhook(id) => drop(self.webhooks.remove(&id)),
            AccountEdit::SetClock(reading) => self.clock = Some(reading),
            AccountEdit::AddAuditEntry(entry) => {
                self.add_audit_entry(self.last_audit_number() + 1, entry);
            }
        }
    }

    /// Adds an audit entry that has a number, and drops the oldest of its kind if there are too many.
    pub fn add_audit_entry(&mut self, number: u64, entry: AuditEntry) {
        let entries = if entry.is_routine() {
            &mut self.routine_entries
        } else {
            &mut self.admin_entries
        };
        entries.insert(number, entry);
        while entries.len() as u64 > AUDIT_ENTRIES_KEPT {
            entries.pop_first();
        }
    }

    /// Returns the number of the newest audit entry; 0 if there is none.
    pub fn last_audit_number(&self) -> u64 {
        let last = |entries: &BTreeMap<u64, AuditEntry>| Some(*entries.last_key_value()?.0);
        let last = last(&self.routine_entries).max(last(&self.admin_entries));
        last.unwrap_or(0)
    }

    /// Returns everything except the audit entries.
    pub fn account_set(&self) -> AccountSet {
        AccountSet {
            accounts: self.accounts.values().cloned().collect(),
            sessions: self.sessions.values().cloned().collect(),
            tokens: self.tokens.values().cloned().collect(),
            clock: self.clock,
            rescue: self.rescue.clone(),
            webhooks: self.webhooks.values().cloned().collect(),
        }
    }

    /// Returns up to `limit` audit entries with their numbers, newest first.
    pub fn audit_entries(&self, before: Option<u64>, limit: usize) -> Vec<(u64, AuditEntry)> {
        let newest = |entries: &BTreeMap<u64, AuditEntry>| -> Vec<_> {
            let entries = entries.range(..before.unwrap_or(u64::MAX)).rev();
            let entries = entries.map(|(number, entry)| (*number, entry.clone()));
            entries.take(limit).collect()
        };
        let routine = newest(&self.routine_entries);
        newest_of_both(routine, newest(&self.admin_entries), limit)
    }
}

/// Merges two lists of audit entries into the newest `limit` of both, newest first.
pub fn newest_of_both(
    mut entries: Vec<(u64, AuditEntry)>,
    others: Vec<(u64, AuditEntry)>,
    limit: usize,
) -> Vec<(u64, AuditEntry)> {
    entries.extend(others);
    entries.sort_unstable_by_key(|(number, _)| Reverse(*number));
    entries.truncate(limit);
    entries
}

/// A store of accounts in memory, for tests.
#[derive(Default)]
pub struct MemoryAccountStore {
    records: Mutex<AccountRecords>,
    version: LocalAccountVersion,
}

impl MemoryAccountStore {
    fn lock(&self) -> MutexGuard<'_, AccountRecords> {
        self.records.lock().expect("no holder of this lock panics")
    }
}

impl AccountStore for MemoryAccountStore {
    fn account_set(&self) -> Result<AccountSet, StoreError> {
        Ok(self.lock().account_set())
    }

    fn follow_accounts(&self, follower: Weak<dyn AccountFollower>) -> Result<(), StoreError> {
        self.version.follow(follower, || self.account_set())
    }

    fn edit_accounts(&self, version: u64, edits: &[AccountEdit]) -> Result<u64, StoreError> {
        self.version.edit(version, edits, || {
            let mut records = self.lock();
            for edit in edits {
                records.apply(edit.clone());
            }
            Ok(())
        })
    }

    fn audit_entries(
        &self,
        before: Option<u64>,
        limit: usize,
    ) -> Result<Vec<(u64, AuditEntry)>, StoreError> {
        Ok(self.lock().audit_entries(before, limit))
    }
}
