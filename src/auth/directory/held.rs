//! The roster in memory, and when it was last used.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use super::sessions::is_over;
use crate::model::{Account, AccountName, Key, Moment, Role, Session, Tick, Token};
use crate::store::{Roster, RosterEdit};

/// Seconds of use that are not worth saving again.
const SAVE_AFTER: u64 = 60;

/// What is true, as far as the disk has it.
pub struct Held {
    pub accounts: BTreeMap<AccountName, Arc<Account>>,
    pub sessions: HashMap<Key, Used<Session>>,
    pub tokens: HashMap<Key, Used<Token>>,
    /// What was ended and is still in the store, which refused to write. Each was in one of the
    /// tables above, so there are no more than fit there.
    pub owed: Vec<RosterEdit>,
}

/// A session or a token, and whether the store has yet to learn of its last use.
pub struct Used<T> {
    pub value: T,
    is_unsaved: bool,
}

impl<T> Used<T> {
    fn saved(value: T) -> Self {
        let is_unsaved = false;
        Used { value, is_unsaved }
    }
}

impl Used<Session> {
    pub fn touch(&mut self, now: Tick) {
        self.is_unsaved |= now.0 >= self.value.seen.0 + SAVE_AFTER;
        if self.is_unsaved {
            self.value.seen = now;
        }
    }
}

impl Used<Token> {
    pub fn touch(&mut self, now: Moment) {
        let age = self.value.used.map(|used| now.since(used).as_secs());
        if age.is_none_or(|age| age >= SAVE_AFTER) {
            self.value.used = Some(now);
            self.is_unsaved = true;
        }
    }
}

impl Held {
    pub fn of(roster: Roster) -> Self {
        let mut held = Held {
            accounts: BTreeMap::new(),
            sessions: HashMap::new(),
            tokens: HashMap::new(),
            owed: Vec::new(),
        };
        held.apply(roster.accounts.into_iter().map(RosterEdit::PutAccount));
        held.apply(roster.sessions.into_iter().map(RosterEdit::PutSession));
        held.apply(roster.tokens.into_iter().map(RosterEdit::PutToken));
        held
    }

    /// Takes in edits that the store has.
    pub fn apply(&mut self, edits: impl IntoIterator<Item = RosterEdit>) {
        for edit in edits {
            match edit {
                RosterEdit::PutAccount(account) => {
                    self.accounts
                        .insert(account.name.clone(), Arc::new(account));
                }
                RosterEdit::RemoveAccount(name) => drop(self.accounts.remove(&name)),
                RosterEdit::PutSession(session) => {
                    self.sessions.insert(session.key, Used::saved(session));
                }
                RosterEdit::PutToken(token) => {
                    self.tokens.insert(token.key, Used::saved(token));
                }
                RosterEdit::RemoveSession(key) => drop(self.sessions.remove(&key)),
                RosterEdit::RemoveToken(key) => drop(self.tokens.remove(&key)),
                RosterEdit::SetClock(_) | RosterEdit::Note(_) => {}
            }
        }
    }

    /// Takes in what `edits` end, before the store has it; gives what it was to end earlier.
    pub fn take_away(&mut self, edits: &[RosterEdit]) -> Vec<RosterEdit> {
        let is_ending = |edit: &&RosterEdit| {
            matches!(
                edit,
                RosterEdit::RemoveSession(_) | RosterEdit::RemoveToken(_)
            )
        };
        let ended: Vec<RosterEdit> = edits.iter().filter(is_ending).cloned().collect();
        self.apply(ended.iter().cloned());
        let earlier = self.owed.clone();
        self.owed.extend(ended);
        earlier
    }

    /// Whether somebody beside `name` can sign in as admin.
    pub fn has_another_admin(&self, name: &AccountName) -> bool {
        let is_another = |account: &&Arc<Account>| {
            account.name != *name
                && account.role == Role::Admin
                && !account.is_disabled
                && account.password.is_some()
        };
        self.accounts.values().any(|account| is_another(&account))
    }

    pub fn sessions_of<'a>(&'a self, name: &'a AccountName) -> impl Iterator<Item = &'a Session> {
        let sessions = self.sessions.values().map(|used| &used.value);
        sessions.filter(move |session| session.account == *name)
    }

    pub fn tokens_of<'a>(&'a self, name: &'a AccountName) -> impl Iterator<Item = &'a Token> {
        let tokens = self.tokens.values().map(|used| &used.value);
        tokens.filter(move |token| token.account == *name)
    }

    /// Ends every session of an account but `kept`.
    pub fn end_sessions(&self, name: &AccountName, kept: Option<Key>) -> Vec<RosterEdit> {
        let ended = self.sessions_of(name).map(|session| session.key);
        let ended = ended.filter(|key| Some(*key) != kept);
        ended.map(RosterEdit::RemoveSession).collect()
    }

    pub fn revoke_tokens(&self, name: &AccountName) -> Vec<RosterEdit> {
        let revoked = self.tokens_of(name).map(|token| token.key);
        revoked.map(RosterEdit::RemoveToken).collect()
    }

    /// What has expired, and what was used since it was last saved.
    pub fn untidy(&self, now: Tick) -> Vec<RosterEdit> {
        let sessions = self.sessions.values().filter_map(|used| {
            match (is_over(&used.value, now), used.is_unsaved) {
                (true, _) => Some(RosterEdit::RemoveSession(used.value.key)),
                (false, true) => Some(RosterEdit::PutSession(used.value.clone())),
                (false, false) => None,
            }
        });
        let tokens = self.tokens.values().filter(|used| used.is_unsaved);
        let tokens = tokens.map(|used| RosterEdit::PutToken(used.value.clone()));
        sessions.chain(tokens).collect()
    }

    /// The store has the last use of everything.
    pub fn tidied(&mut self) {
        self.sessions
            .values_mut()
            .for_each(|used| used.is_unsaved = false);
        self.tokens
            .values_mut()
            .for_each(|used| used.is_unsaved = false);
    }
}
