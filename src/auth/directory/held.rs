//! The roster in memory.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use super::sessions::is_over;
use super::uses::{Usable, Uses};
use crate::model::{Account, AccountName, Key, MonotonicSeconds, Role, Session, Token};
use crate::store::{AccountEdit, AccountSet};

/// What is true, as far as the store has it; what was ended is so before the store has that.
#[derive(Default)]
pub struct Held {
    /// What the next edit is decided on.
    pub version: u64,
    pub accounts: BTreeMap<AccountName, Arc<Account>>,
    pub sessions: Uses<Session>,
    pub tokens: Uses<Token>,
    /// Accounts that the edit in progress disables or removes: they may do nothing meanwhile.
    pub suspended: HashSet<AccountName>,
}

impl Held {
    /// Takes in the whole of what the store has.
    pub fn begin_anew(&mut self, roster: AccountSet, version: u64) {
        self.version = version;
        self.accounts.clear();
        let sessions = roster.sessions.iter().map(Usable::key).collect();
        let tokens = roster.tokens.iter().map(Usable::key).collect();
        self.sessions.keep_only(&sessions);
        self.tokens.keep_only(&tokens);
        let accounts = roster.accounts.into_iter();
        accounts.for_each(|account| self.put_account(account));
        let sessions = roster.sessions.into_iter();
        sessions.for_each(|session| self.sessions.put(session));
        let tokens = roster.tokens.into_iter();
        tokens.for_each(|token| self.tokens.put(token));
    }

    /// Takes in edits that the store has, which lead to `version`.
    pub fn apply(&mut self, edits: &[AccountEdit], version: u64) {
        self.version = version;
        for edit in edits {
            match edit.clone() {
                AccountEdit::PutAccount(account) => self.put_account(account),
                AccountEdit::RemoveAccount(name) => drop(self.accounts.remove(&name)),
                AccountEdit::PutSession(session) => self.sessions.put(session),
                AccountEdit::PutToken(token) => self.tokens.put(token),
                AccountEdit::RemoveSession(key) => self.sessions.remove(&key),
                AccountEdit::RemoveToken(key) => self.tokens.remove(&key),
                AccountEdit::SetClock(_) | AccountEdit::AddAuditEntry(_) => {}
            }
        }
    }

    fn put_account(&mut self, account: Account) {
        self.accounts
            .insert(account.name.clone(), Arc::new(account));
    }

    /// The account of this name, if it is enabled and not about to be disabled or removed.
    pub fn enabled_account(&self, name: &AccountName) -> Option<&Arc<Account>> {
        let account = self.accounts.get(name);
        account.filter(|account| !account.is_disabled && !self.suspended.contains(name))
    }

    /// Ends what `edits` end, before the store has it, and suspends the accounts that they disable
    /// or remove. Returns the keys that were not ended before.
    pub fn end(&mut self, edits: &[AccountEdit]) -> Vec<Key> {
        self.suspended
            .extend(edits.iter().filter_map(|edit| match edit {
                AccountEdit::PutAccount(account) if account.is_disabled => {
                    Some(account.name.clone())
                }
                AccountEdit::RemoveAccount(name) => Some(name.clone()),
                _ => None,
            }));
        let ended = edits.iter().filter_map(|edit| match edit {
            AccountEdit::RemoveSession(key) => self.sessions.end(*key).then_some(*key),
            AccountEdit::RemoveToken(key) => self.tokens.end(*key).then_some(*key),
            _ => None,
        });
        ended.collect()
    }

    /// Takes `end` back.
    pub fn take_back(&mut self, keys: &[Key]) {
        for key in keys {
            self.sessions.take_back(key);
            self.tokens.take_back(key);
        }
    }

    /// What was ended and is still in the store.
    pub fn owed(&self) -> Vec<AccountEdit> {
        let sessions = self.sessions.ended().map(AccountEdit::RemoveSession);
        let tokens = self.tokens.ended().map(AccountEdit::RemoveToken);
        sessions.chain(tokens).collect()
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
        let sessions = self.sessions.iter().map(|used| &used.value);
        sessions.filter(move |session| session.account == *name)
    }

    pub fn tokens_of<'a>(&'a self, name: &'a AccountName) -> impl Iterator<Item = &'a Token> {
        let tokens = self.tokens.iter().map(|used| &used.value);
        tokens.filter(move |token| token.account == *name)
    }

    /// Ends every session of an account but `kept`.
    pub fn end_sessions(&self, name: &AccountName, kept: Option<Key>) -> Vec<AccountEdit> {
        let ended = self.sessions_of(name).map(|session| session.key);
        let ended = ended.filter(|key| Some(*key) != kept);
        ended.map(AccountEdit::RemoveSession).collect()
    }

    /// Ends every session of an account, and revokes its tokens.
    pub fn end_everything(&self, name: &AccountName) -> Vec<AccountEdit> {
        let revoked = self.tokens_of(name).map(|token| token.key);
        let mut edits = self.end_sessions(name, None);
        edits.extend(revoked.map(AccountEdit::RemoveToken));
        edits
    }

    /// Returns the edits that remove sessions and tokens without an account.
    pub fn orphans(&self) -> Vec<AccountEdit> {
        let is_orphan = |name: &AccountName| !self.accounts.contains_key(name);
        let sessions = self.sessions.iter().map(|used| &used.value);
        let sessions = sessions.filter(|session| is_orphan(&session.account));
        let tokens = self.tokens.iter().map(|used| &used.value);
        let tokens = tokens.filter(|token| is_orphan(&token.account));
        let sessions = sessions.map(|session| AccountEdit::RemoveSession(session.key));
        let tokens = tokens.map(|token| AccountEdit::RemoveToken(token.key));
        sessions.chain(tokens).collect()
    }

    /// What has expired or belongs to no account, and what was used since it was last saved.
    pub fn untidy(&self, now: MonotonicSeconds) -> Vec<AccountEdit> {
        let sessions = self.sessions.iter().filter_map(|used| {
            let has_account = self.accounts.contains_key(&used.value.account);
            match (!has_account || is_over(&used.value, now), used.is_unsaved) {
                (true, _) => Some(AccountEdit::RemoveSession(used.value.key)),
                (false, true) => Some(AccountEdit::PutSession(used.value.clone())),
                (false, false) => None,
            }
        });
        let tokens = self.tokens.iter().filter_map(|used| {
            let has_account = self.accounts.contains_key(&used.value.account);
            match (has_account, used.is_unsaved) {
                (false, _) => Some(AccountEdit::RemoveToken(used.value.key)),
                (true, true) => Some(AccountEdit::PutToken(used.value.clone())),
                (true, false) => None,
            }
        });
        sessions.chain(tokens).collect()
    }
}
