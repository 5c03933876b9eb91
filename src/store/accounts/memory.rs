//! A roster in memory: what an engine far away is a copy of, and one that is forgotten when it is
//! dropped, for tests.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, Weak};

use super::following::OwnVersion;
use super::{Accounts, ClockReading, DEEDS_KEPT, Roster, RosterEdit, RosterFollower};
use crate::model::{Account, AccountName, Deed, Key, Session, Token};
use crate::store::StoreError;

/// Everything that is kept about staff.
#[derive(Default)]
pub struct Kept {
    accounts: BTreeMap<AccountName, Account>,
    sessions: BTreeMap<Key, Session>,
    tokens: BTreeMap<Key, Token>,
    clock: Option<ClockReading>,
    routine_deeds: BTreeMap<u64, Deed>,
    admin_deeds: BTreeMap<u64, Deed>,
}

impl Kept {
    pub fn apply(&mut self, edit: RosterEdit) {
        match edit {
            RosterEdit::PutAccount(account) => {
                self.accounts.insert(account.name.clone(), account);
            }
            RosterEdit::RemoveAccount(name) => drop(self.accounts.remove(&name)),
            RosterEdit::PutSession(session) => drop(self.sessions.insert(session.key, session)),
            RosterEdit::RemoveSession(key) => drop(self.sessions.remove(&key)),
            RosterEdit::PutToken(token) => drop(self.tokens.insert(token.key, token)),
            RosterEdit::RemoveToken(key) => drop(self.tokens.remove(&key)),
            RosterEdit::SetClock(reading) => self.clock = Some(reading),
            RosterEdit::Note(deed) => self.note(self.last_deed() + 1, deed),
        }
    }

    /// Adds a deed that has its number already; the oldest of its kind are dropped.
    pub fn note(&mut self, number: u64, deed: Deed) {
        let deeds = if deed.is_routine() {
            &mut self.routine_deeds
        } else {
            &mut self.admin_deeds
        };
        deeds.insert(number, deed);
        while deeds.len() as u64 > DEEDS_KEPT {
            deeds.pop_first();
        }
    }

    /// The number of the newest deed; 0 for none.
    pub fn last_deed(&self) -> u64 {
        let last = |deeds: &BTreeMap<u64, Deed>| deeds.last_key_value().map(|(number, _)| *number);
        let last = last(&self.routine_deeds).max(last(&self.admin_deeds));
        last.unwrap_or(0)
    }

    pub fn roster(&self) -> Roster {
        Roster {
            accounts: self.accounts.values().cloned().collect(),
            sessions: self.sessions.values().cloned().collect(),
            tokens: self.tokens.values().cloned().collect(),
            clock: self.clock,
        }
    }

    pub fn deeds(&self, before: Option<u64>, limit: usize) -> Vec<(u64, Deed)> {
        let newest = |deeds: &BTreeMap<u64, Deed>| -> Vec<_> {
            let deeds = deeds.range(..before.unwrap_or(u64::MAX)).rev();
            let deeds = deeds.map(|(number, deed)| (*number, deed.clone()));
            deeds.take(limit).collect()
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
    mut deeds: Vec<(u64, Deed)>,
    others: Vec<(u64, Deed)>,
    limit: usize,
) -> Vec<(u64, Deed)> {
    deeds.extend(others);
    deeds.sort_unstable_by_key(|(number, _)| Reverse(*number));
    deeds.truncate(limit);
    deeds
}

/// Accounts in memory.
#[derive(Default)]
pub struct MemoryAccounts {
    kept: Mutex<Kept>,
    version: OwnVersion,
}

impl MemoryAccounts {
    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().expect("no holder of this lock panics")
    }
}

impl Accounts for MemoryAccounts {
    fn roster(&self) -> Result<Roster, StoreError> {
        Ok(self.kept().roster())
    }

    fn follow_roster(&self, follower: Weak<dyn RosterFollower>) -> Result<(), StoreError> {
        self.version.follow(follower, || self.roster())
    }

    fn edit_roster(&self, read: u64, edits: &[RosterEdit]) -> Result<u64, StoreError> {
        self.version.edit(read, edits, || {
            let mut kept = self.kept();
            edits.iter().for_each(|edit| kept.apply(edit.clone()));
            Ok(())
        })
    }

    fn deeds(&self, before: Option<u64>, limit: usize) -> Result<Vec<(u64, Deed)>, StoreError> {
        Ok(self.kept().deeds(before, limit))
    }
}
