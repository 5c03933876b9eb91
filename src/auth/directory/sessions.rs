//! Sessions: begun at a sign-in, renewed when what they may changes, ended by their owner, by an
//! admin or by time.

#[cfg(test)]
mod tests;

use std::sync::Arc;

use super::{Accounts, AccountsError, Actor, Done, Need, Plan};
use crate::auth::secret::Secret;
use crate::model::{Account, AccountName, Author, Key, MonotonicSeconds, Session, Timestamp};
use crate::store::AccountEdit;

/// Seconds without a request after which a session is over: a phone that was lost, or a browser
/// that nobody uses any more.
const IDLE: u64 = 7 * 24 * 3600;

/// Seconds after which it is over in any case.
pub const LONGEST: u64 = 30 * 24 * 3600;

/// Sessions of one account; a further one ends the one that was unused for longest.
const SESSIONS: usize = 20;

/// Whether a session has expired.
pub fn is_over(session: &Session, now: MonotonicSeconds) -> bool {
    let age = |since: MonotonicSeconds| now.0.saturating_sub(since.0);
    age(session.seen) >= IDLE || age(session.began) >= LONGEST
}

impl Accounts {
    /// The account and the session of a key, if it is valid now. Counts as use.
    pub fn session(&self, key: &Key) -> Option<(Arc<Account>, Session)> {
        let now = self.clock.now();
        let mut held = self.held();
        let used = held.sessions.get_mut(key)?;
        if is_over(&used.value, now) {
            return None;
        }
        used.touch(now);
        let session = used.value.clone();
        let account = Arc::clone(held.enabled_account(&session.account)?);
        Some((account, session))
    }

    /// Begins a session for whoever showed that the password is theirs, and ends the one that the
    /// browser had before. `password` is the hash that was compared with: if it is another by now,
    /// what was shown is worth nothing.
    ///
    /// # Errors
    /// `UnknownAccount` when the account is gone, disabled, or has another password meanwhile.
    pub fn begin_session(
        &self,
        name: &AccountName,
        password: &str,
        client: &str,
        before: Option<Key>,
    ) -> Done<Secret> {
        self.decide(&author(name, client), |held, now| {
            let account = held.accounts.get(name);
            let is_still = |account: &&Arc<Account>| account.password.as_deref() == Some(password);
            if account
                .filter(is_still)
                .is_none_or(|account| account.is_disabled)
            {
                return Err(AccountsError::UnknownAccount(name.to_string()));
            }
            let mut others: Vec<&Session> = held.sessions_of(name).collect();
            others.sort_unstable_by_key(|session| std::cmp::Reverse(session.seen));
            let surplus = others.iter().skip(SESSIONS - 1).map(|session| session.key);
            let before = before.filter(|key| held.sessions.get(key).is_some());
            let ended = surplus.chain(before).map(AccountEdit::RemoveSession);
            let (secret, session) = new_session(name, client, now);
            let edits = ended.chain([AccountEdit::PutSession(session)]).collect();
            Ok(Plan::noted(edits, "signed in", secret))
        })
    }

    /// Ends a session; one that has ended already is none.
    ///
    /// # Errors
    /// `Store`; the session is over here all the same, and in the store as soon as the disk takes it.
    pub fn end_session(&self, key: Key, author: &Author) -> Done<()> {
        self.decide(author, |held, _| {
            let is_there = held.sessions.get(&key).is_some();
            Ok(Plan {
                edits: is_there
                    .then_some(AccountEdit::RemoveSession(key))
                    .into_iter()
                    .collect(),
                words: is_there.then(|| "signed out".to_owned()),
                answer: (),
            })
        })
    }

    /// Ends one of an account's sessions by its handle.
    ///
    /// # Errors
    /// `Gone` when there is none such, `SignedOut`.
    pub fn end_session_of(&self, name: &AccountName, handle: &str, actor: &Actor) -> Done<()> {
        self.edit(actor, Need::Own(name), |held, _| {
            let mut sessions = held.sessions_of(name);
            let found = sessions.find(|session| session.key.handle() == handle);
            let session = found.ok_or(AccountsError::Gone)?;
            let words = format!("signed out {}", session.client);
            Ok(Plan::noted(
                vec![AccountEdit::RemoveSession(session.key)],
                words,
                (),
            ))
        })
    }

    /// Ends all of an account's sessions but the one of `key`.
    ///
    /// # Errors
    /// `SignedOut`, and `Store` as for `end_session`.
    pub fn end_other_sessions(&self, name: &AccountName, key: Key, actor: &Actor) -> Done<()> {
        self.edit(actor, Need::Own(name), |held, _| {
            let edits = held.end_sessions(name, Some(key));
            let words = (!edits.is_empty()).then(|| "signed out everywhere else".to_owned());
            let answer = ();
            Ok(Plan {
                edits,
                words,
                answer,
            })
        })
    }

    /// An account's sessions that are not over, the last used first.
    pub fn sessions_of(&self, name: &AccountName) -> Vec<SessionSummary> {
        let now = self.clock.now();
        let held = self.held();
        let sessions = held
            .sessions_of(name)
            .filter(|session| !is_over(session, now));
        let mut sessions: Vec<_> = sessions
            .map(|session| SessionSummary::of(session, now))
            .collect();
        sessions.sort_unstable_by_key(|session| session.idle_seconds);
        sessions
    }
}

/// A session as its owner sees it.
#[derive(Clone, Debug)]
pub struct SessionSummary {
    pub key: Key,
    pub client: String,
    pub began_at: Timestamp,
    /// Seconds since it was last used.
    pub idle_seconds: u64,
}

impl SessionSummary {
    fn of(session: &Session, now: MonotonicSeconds) -> Self {
        SessionSummary {
            key: session.key,
            client: session.client.clone(),
            began_at: session.began_at,
            idle_seconds: now.0.saturating_sub(session.seen.0),
        }
    }
}

/// A new session with a secret that nobody has seen yet.
pub fn new_session(name: &AccountName, client: &str, now: MonotonicSeconds) -> (Secret, Session) {
    let secret = Secret::random();
    let session = Session {
        key: secret.key(),
        account: name.clone(),
        client: client.to_owned(),
        began_at: Timestamp::now(),
        began: now,
        seen: now,
    };
    (secret, session)
}

/// A person with a browser, as audit_entries name them.
pub fn author(name: &AccountName, client: &str) -> Author {
    Author {
        name: name.to_string(),
        client: client.to_owned(),
    }
}
