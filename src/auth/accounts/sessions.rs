//! Sessions: they begin at a sign-in, and are ended by their owner, by an admin or by age.

use std::sync::Arc;

use super::{Accounts, AccountsError, AccountsResult, Actor, ActorRequirement, Plan};
use crate::auth::secret::Secret;
use crate::model::{
    Account, AccountName, Author, Key, MonotonicSeconds, Session, Station, Timestamp,
};
use crate::store::AccountEdit;

/// Seconds without a request after which a session expires: a lost phone, or an abandoned browser.
const IDLE: u64 = 7 * 24 * 3600;

/// Seconds after which a session expires however it is used.
pub const LONGEST: u64 = 30 * 24 * 3600;

/// Sessions of one account at most; a further one ends the least recently used.
const MAX_SESSIONS: usize = 20;

/// Returns true if a session has expired.
pub fn is_expired(session: &Session, now: MonotonicSeconds) -> bool {
    let age = |since: MonotonicSeconds| now.0.saturating_sub(since.0);
    age(session.seen) >= IDLE || age(session.began) >= LONGEST
}

/// Looks sessions up, begins and ends them.
pub struct Sessions<'a>(pub(super) &'a Accounts);

impl Sessions<'_> {
    /// Returns the session of a key and the account of the person who uses it, if it is valid now: its
    /// owner, or the person whose turn it is at a station. Counts as use.
    pub fn get(&self, key: &Key) -> Option<(Arc<Account>, Session)> {
        let now = self.0.clock.now();
        let mut cache = self.0.cache();
        let tracked = cache.sessions.get_mut(key)?;
        if is_expired(&tracked.value, now) {
            return None;
        }
        tracked.touch(now);
        let session = tracked.value.clone();
        let owner = cache.enabled_account(&session.account)?;
        let account = match &session.station {
            None => owner,
            Some(station) => cache.person_at(station, now)?,
        };
        Some((Arc::clone(account), session))
    }

    /// Begins a session after the password was compared with the hash `known`, and ends the session
    /// `before` of the same browser.
    ///
    /// # Errors
    /// `UnknownAccount` if the account is removed, disabled, or has another password by now.
    pub fn begin(
        &self,
        name: &AccountName,
        known: &str,
        client: &str,
        before: Option<Key>,
    ) -> AccountsResult<Secret> {
        self.0.decide(&author(name, client), |cache, now| {
            let account = cache.accounts.get(name).filter(|account| {
                account.password.as_deref() == Some(known) && !account.is_disabled
            });
            if account.is_none() {
                return Err(AccountsError::UnknownAccount(name.to_string()));
            }
            let mut others: Vec<&Session> = cache.sessions_of(name).collect();
            others.sort_unstable_by_key(|session| std::cmp::Reverse(session.seen));
            let surplus = others.iter().skip(MAX_SESSIONS - 1);
            let surplus = surplus.map(|session| session.key);
            let before = before.filter(|key| cache.sessions.get(key).is_some());
            let ended = surplus.chain(before).map(AccountEdit::RemoveSession);
            let (secret, session) = new_session(name, client, now);
            let edits = ended.chain([AccountEdit::PutSession(session)]).collect();
            Ok(Plan::routine(edits, "signed in", secret))
        })
    }

    /// Ends a session, or at a station the turn of the person who uses it. Does nothing if it has ended.
    ///
    /// # Errors
    /// `Store`; the session has ended here all the same, and is removed from the store as soon as the
    /// disk takes it.
    pub fn end(&self, key: Key, author: &Author) -> AccountsResult<()> {
        self.0.decide(author, |cache, _| {
            let Some(tracked) = cache.sessions.get(&key) else {
                return Ok(Plan::unchanged(()));
            };
            let mut session = tracked.value.clone();
            let edit = if session.station.is_some() {
                session.station = Some(Station::default());
                AccountEdit::PutSession(session)
            } else {
                AccountEdit::RemoveSession(key)
            };
            Ok(Plan::routine(vec![edit], "signed out", ()))
        })
    }

    /// Ends one of an account's sessions by its handle.
    ///
    /// # Errors
    /// `Gone` if there is no such session, `SignedOut`.
    pub fn end_by_handle(
        &self,
        name: &AccountName,
        handle: &str,
        actor: &Actor,
    ) -> AccountsResult<()> {
        self.0
            .edit(actor, ActorRequirement::Account(name), |cache, _| {
                let mut sessions = cache.sessions_of(name);
                let found = sessions.find(|session| session.key.handle() == handle);
                let session = found.ok_or(AccountsError::Gone)?;
                let edits = vec![AccountEdit::RemoveSession(session.key)];
                let action = format!("signed out {}", session.client);
                Ok(Plan::routine(edits, action, ()))
            })
    }

    /// Ends all sessions of an account except the one of `key`.
    ///
    /// # Errors
    /// `SignedOut`, and `Store` as for `end`.
    pub fn end_others(&self, name: &AccountName, key: Key, actor: &Actor) -> AccountsResult<()> {
        self.0
            .edit(actor, ActorRequirement::Account(name), |cache, _| {
                let edits = cache.end_sessions(name, Some(key));
                if edits.is_empty() {
                    return Ok(Plan::unchanged(()));
                }
                Ok(Plan::routine(edits, "signed out everywhere else", ()))
            })
    }

    /// Returns the valid sessions of an account, the last used first.
    pub fn list(&self, name: &AccountName) -> Vec<SessionSummary> {
        let now = self.0.clock.now();
        let cache = self.0.cache();
        let sessions = cache.sessions_of(name);
        let mut summaries: Vec<_> = sessions
            .filter(|session| !is_expired(session, now))
            .map(|session| SessionSummary {
                key: session.key,
                client: session.client.clone(),
                began_at: session.began_at,
                idle_seconds: now.0.saturating_sub(session.seen.0),
                is_station: session.station.is_some(),
            })
            .collect();
        summaries.sort_unstable_by_key(|session| session.idle_seconds);
        summaries
    }
}

/// A session as its owner sees it.
#[derive(Clone, Debug)]
pub struct SessionSummary {
    /// The key of the session.
    pub key: Key,
    /// The kind of client: "Firefox on Android".
    pub client: String,
    /// When the session began.
    pub began_at: Timestamp,
    /// Seconds since the session was last used.
    pub idle_seconds: u64,
    /// True if the browser is a station.
    pub is_station: bool,
}

/// Returns a new session and its secret.
pub fn new_session(name: &AccountName, client: &str, now: MonotonicSeconds) -> (Secret, Session) {
    let secret = Secret::random();
    let session = Session {
        key: secret.key(),
        account: name.clone(),
        client: client.to_owned(),
        began_at: Timestamp::now(),
        began: now,
        seen: now,
        station: None,
    };
    (secret, session)
}

/// Returns the author for an account and a kind of client.
pub fn author(name: &AccountName, client: &str) -> Author {
    Author {
        name: name.to_string(),
        client: client.to_owned(),
    }
}
