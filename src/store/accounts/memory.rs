//! A roster that forgets everything when it is dropped: for tests.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard};

use super::{Accounts, ClockReading, DEEDS_KEPT, Roster, RosterEdit};
use crate::model::{Account, AccountName, Deed, Key, Session, Token};
use crate::store::StoreError;

/// Accounts in memory.
#[derive(Default)]
pub struct MemoryAccounts(Mutex<State>);

#[derive(Default)]
struct State {
    accounts: BTreeMap<AccountName, Account>,
    sessions: BTreeMap<Key, Session>,
    tokens: BTreeMap<Key, Token>,
    clock: Option<ClockReading>,
    deeds: BTreeMap<u64, Deed>,
}

impl MemoryAccounts {
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().expect("no holder of this lock panics")
    }
}

impl State {
    fn apply(&mut self, edit: &RosterEdit) {
        match edit.clone() {
            RosterEdit::PutAccount(account) => {
                self.accounts.insert(account.name.clone(), account);
            }
            RosterEdit::RemoveAccount(name) => drop(self.accounts.remove(&name)),
            RosterEdit::PutSession(session) => drop(self.sessions.insert(session.key, session)),
            RosterEdit::RemoveSession(key) => drop(self.sessions.remove(&key)),
            RosterEdit::PutToken(token) => drop(self.tokens.insert(token.key, token)),
            RosterEdit::RemoveToken(key) => drop(self.tokens.remove(&key)),
            RosterEdit::SetClock(reading) => self.clock = Some(reading),
            RosterEdit::Note(deed) => self.note(deed),
        }
    }

    fn note(&mut self, deed: Deed) {
        let last = self.deeds.last_key_value().map_or(0, |(number, _)| *number);
        self.deeds.insert(last + 1, deed);
        while self.deeds.len() as u64 > DEEDS_KEPT {
            self.deeds.pop_first();
        }
    }
}

impl Accounts for MemoryAccounts {
    fn roster(&self) -> Result<Roster, StoreError> {
        let state = self.state();
        Ok(Roster {
            accounts: state.accounts.values().cloned().collect(),
            sessions: state.sessions.values().cloned().collect(),
            tokens: state.tokens.values().cloned().collect(),
            clock: state.clock,
        })
    }

    fn edit_roster(&self, edits: &[RosterEdit]) -> Result<(), StoreError> {
        let mut state = self.state();
        edits.iter().for_each(|edit| state.apply(edit));
        Ok(())
    }

    fn deeds(&self, before: Option<u64>, limit: usize) -> Result<Vec<(u64, Deed)>, StoreError> {
        let state = self.state();
        let deeds = state.deeds.range(..before.unwrap_or(u64::MAX)).rev();
        let deeds = deeds
            .take(limit)
            .map(|(number, deed)| (*number, deed.clone()));
        Ok(deeds.collect())
    }
}
