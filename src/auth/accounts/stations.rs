//! Stations: browsers that several people share, and the turns of the people at them.
//!
//! A turn is part of the session of its station. Taps prolong it in memory, and are saved each minute: after a kill,
//! and at another node of a cluster, a turn may end that much earlier.

use super::edit::valid_session;
use super::sessions::{is_expired, new_session};
use super::{Accounts, AccountsError, AccountsResult, Actor, ActorRequirement, Plan};
use crate::auth::secret::Secret;
use crate::model::{AccountName, Author, Key, Session, Station, Turn};
use crate::store::AccountEdit;

/// Sets up stations, and begins turns.
pub struct Stations<'a>(pub(super) &'a Accounts);

impl Stations<'_> {
    /// Makes the browser with the session `key` of the account `owner` a station, and ends that session. Returns
    /// the secret of the station's session.
    ///
    /// # Errors
    /// `SignedOut`.
    pub fn set_up(&self, owner: &AccountName, key: Key, actor: &Actor) -> AccountsResult<Secret> {
        let requirement = ActorRequirement::Account(owner);
        self.0.edit(actor, requirement, |cache, now| {
            let (_, session) = valid_session(cache, &key, now)?;
            let (secret, station) = new_session(owner, &session.client, now);
            let station = Session {
                client: format!("shared device, {}", session.client),
                station: Some(Station::default()),
                ..station
            };
            let edits = vec![
                AccountEdit::RemoveSession(key),
                AccountEdit::PutSession(station),
            ];
            let action = format!("made {} a shared device", session.client);
            Ok(Plan::routine(edits, action, secret))
        })
    }

    /// Returns true if a browser with this key is a station.
    pub fn contains(&self, key: &Key) -> bool {
        let now = self.0.clock.now();
        let cache = self.0.cache();
        let tracked = cache.sessions.get(key);
        let session = tracked.map(|tracked| &tracked.value);
        session.is_some_and(|session| {
            session.station.is_some()
                && !is_expired(session, now)
                && cache.enabled_account(&session.account).is_some()
        })
    }

    /// Returns the names of the people who can have a turn: those with a PIN. Counts as use of the station.
    pub fn people(&self, key: &Key) -> Vec<AccountName> {
        let now = self.0.clock.now();
        let mut cache = self.0.cache();
        if let Some(tracked) = cache.sessions.get_mut(key) {
            tracked.touch(now);
        }
        let names = cache.accounts.keys();
        let can_enter = |name: &&AccountName| {
            let account = cache.enabled_account(name);
            account.is_some_and(|account| account.pin.is_some())
        };
        names.filter(can_enter).cloned().collect()
    }

    /// Begins the turn of a person, after the PIN was compared with the hash `known`.
    ///
    /// # Errors
    /// `UnknownAccount` if the account is removed, suspended, or has another PIN by now, `SignedOut` if the
    /// browser is no station any more.
    pub fn begin_turn(
        &self,
        key: Key,
        author: &Author,
        name: &AccountName,
        known: &str,
    ) -> AccountsResult<()> {
        self.0.decide(author, |cache, now| {
            let account = cache.enabled_account(name);
            if account.and_then(|account| account.pin.as_deref()) != Some(known) {
                return Err(AccountsError::UnknownAccount(name.to_string()));
            }
            let tracked = cache.sessions.get(&key).map(|tracked| &tracked.value);
            let station = tracked.filter(|session| {
                session.station.is_some()
                    && !is_expired(session, now)
                    && cache.enabled_account(&session.account).is_some()
            });
            let station = station.ok_or(AccountsError::SignedOut)?;
            let turn = Turn {
                account: name.clone(),
                last_tap: now,
            };
            let edit = AccountEdit::PutSession(Session {
                station: Some(Station { turn: Some(turn) }),
                ..station.clone()
            });
            Ok(Plan::routine(vec![edit], "entered their PIN", ()))
        })
    }

    /// Prolongs the turn at a station. Does nothing for other sessions.
    pub fn tap(&self, key: &Key) {
        let now = self.0.clock.now();
        let mut cache = self.0.cache();
        let idle = cache.turn_idle;
        if let Some(tracked) = cache.sessions.get_mut(key) {
            tracked.tap(now, idle);
        }
    }

    /// Returns true if taps of a turn that is on are not saved.
    pub fn have_unsaved_taps(&self) -> bool {
        let now = self.0.clock.now();
        self.0.cache().has_unsaved_taps(now)
    }
}
