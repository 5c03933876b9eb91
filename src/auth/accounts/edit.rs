//! The way of an edit of accounts: it is decided on the cache, written to the store, and applied to the
//! cache by the store. Also the maintenance of what is stored.

use super::cache::AccountCache;
use super::sessions::is_expired;
use super::{Accounts, AccountsError, AccountsResult};
use crate::model::{
    Account, AccountName, AuditEntry, AuditKind, Author, Key, MonotonicSeconds, Role, Session,
    Timestamp,
};
use crate::store::{AccountEdit, MAX_ACCOUNT_EDITS, StoreError};

/// Times that an edit is decided before it fails, if other nodes commit first.
const MAX_TRIES: usize = 10;

/// Edits of maintenance in one write, which leaves room for pending revocations.
const MAINTENANCE_BATCH: usize = MAX_ACCOUNT_EDITS / 2;

/// Author of an edit of accounts. Session and role are checked in the step that decides the edit.
#[derive(Clone, Debug)]
pub struct Actor {
    /// The author of the audit entry.
    pub author: Author,
    session: Option<Key>,
    /// The one-time key of the form that was submitted.
    request: Option<String>,
}

/// Requirement of an edit for the account of the actor's session.
#[derive(Clone, Copy)]
pub enum ActorRequirement<'a> {
    /// The role admin.
    Admin,
    /// To be this account.
    Account(&'a AccountName),
}

impl Actor {
    /// A person, by the session of their browser.
    pub fn session(key: Key, author: Author) -> Self {
        Actor {
            author,
            session: Some(key),
            request: None,
        }
    }

    /// An operator with access to the machine, who may do everything.
    pub fn operator(author: Author) -> Self {
        Actor {
            author,
            session: None,
            request: None,
        }
    }

    /// Returns the same actor with the one-time key of a form: submitted twice, the form is one edit.
    pub fn with_request(self, request: Option<&str>) -> Self {
        Actor {
            request: request.map(str::to_owned),
            ..self
        }
    }

    /// Returns the session and the one-time key of the form, if there are both.
    pub fn form(&self) -> Option<(&Key, &str)> {
        Some((self.session.as_ref()?, self.request.as_deref()?))
    }

    /// Checks that the session is valid, its account is enabled, and the requirement is met. Call this
    /// in the step that decides the edit, at every retry.
    ///
    /// # Errors
    /// `SignedOut`, `NotAdmin`.
    fn check(
        &self,
        requirement: ActorRequirement<'_>,
        cache: &AccountCache,
        now: MonotonicSeconds,
    ) -> AccountsResult<()> {
        let Some(key) = self.session else {
            return Ok(());
        };
        let (account, _) = valid_session(cache, &key, now)?;
        match requirement {
            ActorRequirement::Admin if account.role != Role::Admin => Err(AccountsError::NotAdmin),
            ActorRequirement::Account(name) if account.name != *name => {
                Err(AccountsError::SignedOut)
            }
            ActorRequirement::Admin | ActorRequirement::Account(_) => Ok(()),
        }
    }
}

/// Returns the account and the session of a key. At a station, nobody edits accounts.
///
/// # Errors
/// `SignedOut` if the session has ended or is that of a station, or its account is removed or disabled.
pub fn valid_session<'a>(
    cache: &'a AccountCache,
    key: &Key,
    now: MonotonicSeconds,
) -> AccountsResult<(&'a Account, &'a Session)> {
    let session = cache.sessions.get(key).map(|tracked| &tracked.value);
    let session = session.filter(|session| !is_expired(session, now) && session.station.is_none());
    let session = session.ok_or(AccountsError::SignedOut)?;
    let account = cache.enabled_account(&session.account);
    Ok((account.ok_or(AccountsError::SignedOut)?, session))
}

/// The decision about an edit.
pub struct Plan<T> {
    /// Edits of the store.
    pub edits: Vec<AccountEdit>,
    /// The kind and the action of the audit entry; `None` if there is nothing to record.
    pub audit: Option<(AuditKind, String)>,
    /// The result for the caller.
    pub result: T,
}

impl<T> Plan<T> {
    /// Changes nothing: it was done before.
    pub fn unchanged(result: T) -> Self {
        Plan {
            edits: Vec::new(),
            audit: None,
            result,
        }
    }

    /// An edit that everyone can make of their own account.
    pub fn routine(edits: Vec<AccountEdit>, action: impl Into<String>, result: T) -> Self {
        Plan {
            edits,
            audit: Some((AuditKind::Routine, action.into())),
            result,
        }
    }

    /// An edit of an account itself.
    pub fn administrative(edits: Vec<AccountEdit>, action: impl Into<String>, result: T) -> Self {
        Plan {
            edits,
            audit: Some((AuditKind::Administrative, action.into())),
            result,
        }
    }
}

impl Accounts {
    /// Makes the edit that `plan` decides on behalf of `actor`. Checks the actor at every retry, in the
    /// step that decides: if the session ended meanwhile, the edit is refused.
    ///
    /// # Errors
    /// `SignedOut`, `NotAdmin`, `Store`, and the errors of `plan`.
    pub(super) fn edit<T>(
        &self,
        actor: &Actor,
        requirement: ActorRequirement<'_>,
        plan: impl Fn(&AccountCache, MonotonicSeconds) -> AccountsResult<Plan<T>>,
    ) -> AccountsResult<T> {
        self.decide(&actor.author, |cache, now| {
            actor.check(requirement, cache, now)?;
            plan(cache, now)
        })
    }

    /// Decides an edit on the present state, makes it durable, and then applies it; revocations apply
    /// first. Decides again if another node committed meanwhile. Blocks on the disk.
    pub(super) fn decide<T>(
        &self,
        author: &Author,
        plan: impl Fn(&AccountCache, MonotonicSeconds) -> AccountsResult<Plan<T>>,
    ) -> AccountsResult<T> {
        let _order = self.editing.lock().expect("no holder of this lock panics");
        for _ in 0..MAX_TRIES {
            let (version, plan) = {
                let cache = self.cache();
                (cache.version, plan(&cache, self.clock.now())?)
            };
            if plan.edits.is_empty() && plan.audit.is_none() {
                return Ok(plan.result);
            }
            let audit = plan.audit.map(|(kind, action)| (author, kind, action));
            match self.write(version, plan.edits, audit) {
                Err(StoreError::Conflict) => {}
                written => return Ok(written.map(|()| plan.result)?),
            }
        }
        Err(StoreError::Conflict.into())
    }

    /// Makes edits that were decided at `version` durable, with an audit entry. Revocations apply before
    /// that and stay: if the disk refuses them, they are written with the next edits that it takes.
    /// Called with `editing` locked, for which the writer never waits.
    fn write(
        &self,
        version: u64,
        mut edits: Vec<AccountEdit>,
        audit: Option<(&Author, AuditKind, String)>,
    ) -> Result<(), StoreError> {
        let (pending, revoked) = {
            let mut cache = self.cache();
            (cache.pending_revocations(), cache.revoke(&edits))
        };
        if edits.iter().any(can_revoke) {
            // From here on the writer refuses changes with the revoked permissions. Changes that it has
            // authorized are committed before the audit entry gets its position.
            self.in_flight.wait();
        }
        edits.extend(audit.map(|(author, kind, action)| {
            AccountEdit::AddAuditEntry(AuditEntry {
                at: Timestamp::now(),
                author: author.clone(),
                kind,
                action,
                after: self.store.last_change(),
            })
        }));
        let room = MAX_ACCOUNT_EDITS.saturating_sub(edits.len() + 1);
        edits.splice(0..0, pending.into_iter().take(room));
        edits.extend(self.clock.reading().map(AccountEdit::SetClock));
        if edits.is_empty() {
            return Ok(());
        }
        let written = self.store.edit_accounts(version, &edits);
        let mut cache = self.cache();
        cache.suspended.clear();
        if written == Err(StoreError::Conflict) {
            cache.restore(&revoked);
        }
        written.map(drop)
    }

    /// Removes sessions and tokens without an account, which earlier versions could leave behind. If the
    /// store refuses, `maintain` tries again.
    pub(super) fn remove_orphans(&self) {
        let author = Author {
            name: "pet-store".to_owned(),
            client: "start".to_owned(),
        };
        let removed = self.decide(&author, |cache, _| {
            let mut edits = cache.orphans();
            edits.truncate(MAINTENANCE_BATCH);
            let count = edits.len();
            if count == 0 {
                return Ok(Plan::unchanged(0));
            }
            let action = format!("removed {count} sessions and tokens without an account");
            Ok(Plan::administrative(edits, action, count))
        });
        match removed {
            Ok(0) => {}
            Ok(count) => {
                tracing::warn!(
                    orphans.count = count,
                    "removed sessions and tokens without an account"
                );
            }
            Err(error) => {
                tracing::warn!(%error, "cannot remove sessions and tokens without an account; retrying later");
            }
        }
    }

    /// Removes what has expired, saves when sessions and tokens were last used, and writes pending
    /// revocations. Called at intervals, and before the store is closed. Blocks on the disk.
    ///
    /// # Errors
    /// If the store cannot be written; nothing is lost.
    pub fn maintain(&self) -> Result<(), StoreError> {
        let _order = self.editing.lock().expect("no holder of this lock panics");
        for _ in 0..MAX_TRIES {
            let (version, edits, is_last) = {
                let (now, is_confirmed) = (self.clock.now(), self.clock.is_confirmed());
                let mut cache = self.cache();
                let sessions = cache.sessions.iter_mut();
                sessions.for_each(|tracked| tracked.bound_by(now));
                let mut edits = cache.maintenance(now);
                edits.retain(|edit| is_confirmed || !matches!(edit, AccountEdit::RemoveSession(_)));
                let is_needed = !edits.is_empty() || !cache.pending_revocations().is_empty();
                if !is_needed && cache.sessions.iter().next().is_none() {
                    return Ok(());
                }
                let is_last = edits.len() < MAINTENANCE_BATCH;
                edits.truncate(MAINTENANCE_BATCH);
                (cache.version, edits, is_last)
            };
            // Also written if only the clock changed: unused sessions age too.
            match self.write(version, edits, None) {
                Err(StoreError::Conflict) => {}
                Ok(()) if !is_last => {}
                written => return written,
            }
        }
        Ok(())
    }
}

/// Returns true if `edit` can revoke a permission.
fn can_revoke(edit: &AccountEdit) -> bool {
    match edit {
        AccountEdit::PutAccount(_)
        | AccountEdit::RemoveAccount(_)
        | AccountEdit::RemoveSession(_)
        | AccountEdit::RemoveToken(_) => true,
        AccountEdit::PutSession(_)
        | AccountEdit::PutToken(_)
        | AccountEdit::PutRescue(_)
        | AccountEdit::PutWebhook(_)
        | AccountEdit::RemoveWebhook(_)
        | AccountEdit::SetClock(_)
        | AccountEdit::AddAuditEntry(_) => false,
    }
}
