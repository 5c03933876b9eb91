//! The account cache: accounts, sessions and tokens in memory. Revocations apply here before they are
//! durable.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use super::sessions::is_expired;
use crate::model::{
    Account, AccountName, Key, MonotonicSeconds, Rescue, Role, Session, Station, Timestamp, Token,
    Turn, Webhook, WebhookId,
};
use crate::store::{AccountEdit, AccountSet};

/// Seconds by which the saved last use of a session or token may be late.
const SAVE_AFTER: u64 = 60;

/// In-memory copy of accounts, sessions, tokens, webhooks and the settings of the rescue.
#[derive(Default)]
pub struct AccountCache {
    /// The version of the store that the next edit is decided on.
    pub version: u64,
    /// Accounts by name.
    pub accounts: BTreeMap<AccountName, Arc<Account>>,
    /// Sessions by key.
    pub sessions: CredentialTable<Session>,
    /// API tokens by key.
    pub tokens: CredentialTable<Token>,
    /// The settings of the rescue; the default until they are saved.
    pub rescue: Arc<Rescue>,
    /// Webhooks by id.
    pub webhooks: BTreeMap<WebhookId, Arc<Webhook>>,
    /// Accounts that the edit in progress disables or removes: they have no rights meanwhile.
    pub suspended: HashSet<AccountName>,
    /// Time without a tap after which a turn at a station ends.
    pub turn_idle: Duration,
}

impl AccountCache {
    /// Replaces everything with what the store has.
    pub fn reset(&mut self, set: AccountSet, version: u64) {
        self.accounts.clear();
        self.rescue = set.rescue.unwrap_or_default();
        let webhooks = set.webhooks.into_iter();
        self.webhooks = webhooks.map(|webhook| (webhook.id, webhook)).collect();
        self.sessions.retain(&set.sessions);
        self.tokens.retain(&set.tokens);
        let accounts = set.accounts.into_iter().map(AccountEdit::PutAccount);
        let sessions = set.sessions.into_iter().map(AccountEdit::PutSession);
        let tokens = set.tokens.into_iter().map(AccountEdit::PutToken);
        let edits: Vec<_> = accounts.chain(sessions).chain(tokens).collect();
        self.apply(&edits, version);
    }

    /// Applies edits that the store committed, which lead to `version`.
    pub fn apply(&mut self, edits: &[AccountEdit], version: u64) {
        self.version = version;
        for edit in edits {
            match edit.clone() {
                AccountEdit::PutAccount(account) => {
                    self.accounts.insert(account.name.clone(), account.into());
                }
                AccountEdit::RemoveAccount(name) => drop(self.accounts.remove(&name)),
                AccountEdit::PutSession(session) => self.sessions.put(session),
                AccountEdit::PutToken(token) => self.tokens.put(token),
                AccountEdit::RemoveSession(key) => self.sessions.remove(&key),
                AccountEdit::RemoveToken(key) => self.tokens.remove(&key),
                AccountEdit::PutRescue(rescue) => self.rescue = rescue,
                AccountEdit::PutWebhook(hook) => drop(self.webhooks.insert(hook.id, hook)),
                AccountEdit::RemoveWebhook(id) => drop(self.webhooks.remove(&id)),
                AccountEdit::SetClock(_) | AccountEdit::AddAuditEntry(_) => {}
            }
        }
    }

    /// Returns the account of this name, unless it is disabled, or about to be disabled or removed.
    pub fn enabled_account(&self, name: &AccountName) -> Option<&Arc<Account>> {
        let account = self.accounts.get(name);
        account.filter(|account| !account.is_disabled && !self.suspended.contains(name))
    }

    /// Returns the account of the person whose turn it is at a station. Without a PIN, nobody has a turn.
    pub fn person_at(&self, station: &Station, now: MonotonicSeconds) -> Option<&Arc<Account>> {
        let is_on = |turn: &&Turn| turn.is_on(now, self.turn_idle);
        let turn = station.turn.as_ref().filter(is_on)?;
        let account = self.enabled_account(&turn.account);
        account.filter(|account| account.pin.is_some())
    }

    /// Returns true if somebody tapped at a station since the session was saved, and it is still their turn.
    pub fn has_unsaved_taps(&self, now: MonotonicSeconds) -> bool {
        let mut unsaved = self.sessions.iter().filter(|tracked| tracked.is_unsaved);
        unsaved.any(|tracked| {
            let station = tracked.value.station.as_ref();
            station.is_some_and(|station| self.person_at(station, now).is_some())
        })
    }

    /// Applies the revocations among `edits` before they are durable: suspends the accounts that they
    /// disable or remove, and revokes sessions and tokens. Returns the keys that were valid before.
    pub fn revoke(&mut self, edits: &[AccountEdit]) -> Vec<Key> {
        let mut revoked = Vec::new();
        for edit in edits {
            match edit {
                AccountEdit::PutAccount(account) if account.is_disabled => {
                    self.suspended.insert(account.name.clone());
                }
                AccountEdit::RemoveAccount(name) => {
                    self.suspended.insert(name.clone());
                }
                AccountEdit::RemoveSession(key) if self.sessions.revoke(*key) => revoked.push(*key),
                AccountEdit::RemoveToken(key) if self.tokens.revoke(*key) => revoked.push(*key),
                _ => {}
            }
        }
        revoked
    }

    /// Undoes `revoke` for these keys.
    pub fn restore(&mut self, keys: &[Key]) {
        for key in keys {
            self.sessions.restore(key);
            self.tokens.restore(key);
        }
    }

    /// Returns the edits that remove revoked sessions and tokens which the store still has.
    pub fn pending_revocations(&self) -> Vec<AccountEdit> {
        let sessions = self.sessions.revoked.iter().copied();
        let tokens = self.tokens.revoked.iter().copied();
        let sessions = sessions.map(AccountEdit::RemoveSession);
        sessions
            .chain(tokens.map(AccountEdit::RemoveToken))
            .collect()
    }

    /// Returns true if an account other than `name` can sign in as admin.
    pub fn has_another_admin(&self, name: &AccountName) -> bool {
        self.accounts.values().any(|account| {
            account.name != *name
                && account.role == Role::Admin
                && !account.is_disabled
                && account.password.is_some()
        })
    }

    /// Returns the sessions of an account.
    pub fn sessions_of<'a>(&'a self, name: &'a AccountName) -> impl Iterator<Item = &'a Session> {
        let sessions = self.sessions.iter().map(|tracked| &tracked.value);
        sessions.filter(move |session| session.account == *name)
    }

    /// Returns the tokens of an account.
    pub fn tokens_of<'a>(&'a self, name: &'a AccountName) -> impl Iterator<Item = &'a Token> {
        let tokens = self.tokens.iter().map(|tracked| &tracked.value);
        tokens.filter(move |token| token.account == *name)
    }

    /// Returns the edits that end every session of an account except `kept`.
    pub fn end_sessions(&self, name: &AccountName, kept: Option<Key>) -> Vec<AccountEdit> {
        let keys = self.sessions_of(name).map(|session| session.key);
        let ended = keys.filter(|key| Some(*key) != kept);
        ended.map(AccountEdit::RemoveSession).collect()
    }

    /// Returns the edits that end every session of an account and revoke its tokens.
    pub fn end_everything(&self, name: &AccountName) -> Vec<AccountEdit> {
        let tokens = self.tokens_of(name).map(|token| token.key);
        let mut edits = self.end_sessions(name, None);
        edits.extend(tokens.map(AccountEdit::RemoveToken));
        edits
    }

    /// Returns the edits that store an account, end its sessions and revoke its tokens.
    pub fn put_and_end_everything(&self, account: Account) -> Vec<AccountEdit> {
        let mut edits = self.end_everything(&account.name);
        edits.push(AccountEdit::PutAccount(account));
        edits
    }

    /// Returns the edits that remove sessions and tokens without an account.
    pub fn orphans(&self) -> Vec<AccountEdit> {
        let edits = self.unsaved(|_| false).into_iter();
        edits.filter(is_removal).collect()
    }

    /// Returns the edits that remove expired sessions, sessions and tokens without an account, and that save
    /// the last use of the others.
    pub fn maintenance(&self, now: MonotonicSeconds) -> Vec<AccountEdit> {
        self.unsaved(|session| is_expired(session, now))
    }

    fn unsaved(&self, is_expired: impl Fn(&Session) -> bool) -> Vec<AccountEdit> {
        let has_account = |name| self.accounts.contains_key(name);
        let sessions = self.sessions.iter().filter_map(|tracked| {
            let session = &tracked.value;
            if !has_account(&session.account) || is_expired(session) {
                return Some(AccountEdit::RemoveSession(session.key));
            }
            let save = || AccountEdit::PutSession(session.clone());
            tracked.is_unsaved.then(save)
        });
        let tokens = self.tokens.iter().filter_map(|tracked| {
            let token = &tracked.value;
            if !has_account(&token.account) {
                return Some(AccountEdit::RemoveToken(token.key));
            }
            tracked
                .is_unsaved
                .then(|| AccountEdit::PutToken(token.clone()))
        });
        sessions.chain(tokens).collect()
    }
}

fn is_removal(edit: &AccountEdit) -> bool {
    matches!(
        edit,
        AccountEdit::RemoveSession(_) | AccountEdit::RemoveToken(_)
    )
}

/// A credential that is found by its key and remembers when it was last used.
pub trait TrackedCredential {
    /// The clock that uses are recorded by.
    type LastUse: Ord + Copy;

    /// Returns the key.
    fn key(&self) -> Key;

    /// Returns the last use.
    fn last_use(&mut self) -> &mut Self::LastUse;

    /// Takes over what `known`, the same credential, has of the uses at this node. Returns true if that is later.
    fn take_later_use(&mut self, known: &mut Self) -> bool {
        let (known, own) = (*known.last_use(), self.last_use());
        let is_later = known > *own;
        *own = known.max(*own);
        is_later
    }
}

impl TrackedCredential for Session {
    type LastUse = MonotonicSeconds;

    fn key(&self) -> Key {
        self.key
    }

    fn last_use(&mut self) -> &mut MonotonicSeconds {
        &mut self.seen
    }

    /// A turn of the same person lasts from the last tap at any node.
    fn take_later_use(&mut self, known: &mut Self) -> bool {
        let is_later = known.seen > self.seen;
        self.seen = self.seen.max(known.seen);
        let Some((turn, known)) = self.turn_mut().zip(known.turn_mut()) else {
            return is_later;
        };
        if turn.account != known.account || turn.last_tap >= known.last_tap {
            return is_later;
        }
        turn.last_tap = known.last_tap;
        true
    }
}

impl TrackedCredential for Token {
    type LastUse = Option<Timestamp>;

    fn key(&self) -> Key {
        self.key
    }

    fn last_use(&mut self) -> &mut Option<Timestamp> {
        &mut self.used
    }
}

/// A session or a token, with its last use.
pub struct LastUsed<T> {
    /// The session or token.
    pub value: T,
    /// True if the store does not have the last use yet.
    pub is_unsaved: bool,
}

impl LastUsed<Session> {
    /// Records a use.
    pub fn touch(&mut self, now: MonotonicSeconds) {
        self.is_unsaved |= now.0 >= self.value.seen.0 + SAVE_AFTER;
        if self.is_unsaved {
            self.value.seen = self.value.seen.max(now);
        }
    }

    /// Prolongs the turn at a station, if it is on.
    pub fn tap(&mut self, now: MonotonicSeconds, idle: Duration) {
        let turn = self.value.turn_mut().filter(|turn| turn.is_on(now, idle));
        if let Some(turn) = turn.filter(|turn| turn.last_tap < now) {
            turn.last_tap = now;
            self.is_unsaved = true;
        }
    }

    /// Lowers times from a clock that was ahead, with which the session would last too long.
    pub fn bound_by(&mut self, now: MonotonicSeconds) {
        let latest = MonotonicSeconds(now.0 + SAVE_AFTER);
        if self.value.seen > latest || self.value.began > latest {
            self.value.seen = self.value.seen.min(now);
            self.value.began = self.value.began.min(now);
            self.value.station = self.value.station.take().map(|_| Station::default());
            self.is_unsaved = true;
        }
    }
}

impl LastUsed<Token> {
    /// Records a use.
    pub fn touch(&mut self, now: Timestamp) {
        let is_recent = |used| used <= now && now.since(used).as_secs() < SAVE_AFTER;
        if !self.value.used.is_some_and(is_recent) {
            self.value.used = Some(now);
            self.is_unsaved = true;
        }
    }
}

/// All sessions, or all tokens.
pub struct CredentialTable<T> {
    by_key: HashMap<Key, LastUsed<T>>,
    /// Pending revocations: keys that are revoked and still in the store. Each is in `by_key` too, so
    /// there are no more than fit there.
    revoked: HashSet<Key>,
}

impl<T> Default for CredentialTable<T> {
    fn default() -> Self {
        CredentialTable {
            by_key: HashMap::new(),
            revoked: HashSet::new(),
        }
    }
}

impl<T: TrackedCredential> CredentialTable<T> {
    /// Iterates over everything that is not revoked.
    pub fn iter(&self) -> impl Iterator<Item = &LastUsed<T>> {
        let tracked = self.by_key.values();
        tracked.filter(|tracked| !self.revoked.contains(&tracked.value.key()))
    }

    /// Iterates over everything, what is revoked included.
    pub fn iter_mut(&mut self) -> impl Iterator<Item = &mut LastUsed<T>> {
        self.by_key.values_mut()
    }

    /// Returns the credential of a key, unless it is revoked.
    pub fn get(&self, key: &Key) -> Option<&LastUsed<T>> {
        self.by_key.get(key).filter(|_| !self.revoked.contains(key))
    }

    /// As `get`.
    pub fn get_mut(&mut self, key: &Key) -> Option<&mut LastUsed<T>> {
        let is_revoked = self.revoked.contains(key);
        self.by_key.get_mut(key).filter(|_| !is_revoked)
    }

    /// Stores a credential that the store has. A later use that was recorded here stays, to be saved.
    fn put(&mut self, mut value: T) {
        let known = self.by_key.get_mut(&value.key());
        let is_unsaved = known.is_some_and(|known| value.take_later_use(&mut known.value));
        self.by_key
            .insert(value.key(), LastUsed { value, is_unsaved });
    }

    /// Drops a credential that the store does not have any more.
    fn remove(&mut self, key: &Key) {
        self.by_key.remove(key);
        self.revoked.remove(key);
    }

    /// Drops everything that is not in `kept`.
    fn retain(&mut self, kept: &[T]) {
        let kept: HashSet<Key> = kept.iter().map(T::key).collect();
        self.by_key.retain(|key, _| kept.contains(key));
        self.revoked.retain(|key| kept.contains(key));
    }

    /// Revokes a credential before the store does. Returns true if it was valid.
    fn revoke(&mut self, key: Key) -> bool {
        self.by_key.contains_key(&key) && self.revoked.insert(key)
    }

    /// Undoes `revoke`.
    fn restore(&mut self, key: &Key) {
        self.revoked.remove(key);
    }
}
