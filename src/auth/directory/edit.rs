//! How an edit of the roster is decided, made durable and only then true, and how the roster is
//! kept tidy.

use super::actor::{Actor, Need};
use super::held::Held;
use super::{Accounts, Done};
use crate::model::{AuditEntry, Author, MonotonicSeconds, Timestamp};
use crate::store::{AccountEdit, MAX_ACCOUNT_EDITS, StoreError};

/// Times that an edit is decided anew before whoever asked is told that others are faster.
const TRIES: usize = 10;

/// Sessions and tokens whose last use is saved together, which leaves room for what is owed.
const TIDIED_AT_ONCE: usize = MAX_ACCOUNT_EDITS / 2;

/// What is to be edited, and what the one who asked for it is told.
pub struct Plan<T> {
    pub edits: Vec<AccountEdit>,
    /// As a sentence without its subject; nothing for what is not worth a line.
    pub words: Option<String>,
    pub answer: T,
}

impl<T> Plan<T> {
    /// Nothing to edit: it was done before.
    pub fn done(answer: T) -> Self {
        Plan {
            edits: Vec::new(),
            words: None,
            answer,
        }
    }

    /// A plan that is worth a line among the audit_entries.
    pub fn noted(edits: Vec<AccountEdit>, words: impl Into<String>, answer: T) -> Self {
        Plan {
            edits,
            words: Some(words.into()),
            answer,
        }
    }
}

impl Accounts {
    /// Makes an edit for `actor`, as `decide` does. Checks the actor again at every retry, in the step
    /// that decides: an edit whose session ended while it waited is refused.
    ///
    /// # Errors
    /// `SignedOut`, `NotAdmin`, and what the edit itself can fail with.
    pub(super) fn edit<T>(
        &self,
        actor: &Actor,
        need: Need<'_>,
        plan: impl Fn(&Held, MonotonicSeconds) -> Done<Plan<T>>,
    ) -> Done<T> {
        self.decide(&actor.author, |held, now| {
            actor.check(need, held, now)?;
            plan(held, now)
        })
    }

    /// Decides an edit on what is true now, makes it durable, and only then lets it be true; what
    /// it takes away is gone before. Where another node was faster, it is decided anew. Blocks on
    /// the disk.
    pub(super) fn decide<T>(
        &self,
        author: &Author,
        plan: impl Fn(&Held, MonotonicSeconds) -> Done<Plan<T>>,
    ) -> Done<T> {
        let _order = self.editing.lock().expect("no holder of this lock panics");
        for _ in 0..TRIES {
            let (read, plan) = {
                let held = self.held();
                (held.version, plan(&held, self.clock.now())?)
            };
            if plan.edits.is_empty() && plan.words.is_none() {
                return Ok(plan.answer);
            }
            let entry = plan.words.map(|words| (author, words));
            match self.write(read, plan.edits, entry) {
                Err(StoreError::Conflict) => {}
                written => return Ok(written.map(|()| plan.answer)?),
            }
        }
        Err(StoreError::Conflict.into())
    }

    /// Makes edits that were decided at `read` durable, with an entry in the audit. What they end is
    /// ended before, and stays so: where the disk refuses, it is told again with the next edits that
    /// it takes. Called with `editing` held, which the writer never waits for.
    fn write(
        &self,
        read: u64,
        mut edits: Vec<AccountEdit>,
        entry: Option<(&Author, String)>,
    ) -> Result<(), StoreError> {
        let (owed, ended) = {
            let mut held = self.held();
            (held.owed(), held.end(&edits))
        };
        if edits.iter().any(revokes) {
            // The writer accepts no more changes of whoever is ended. Those that it accepted before
            // are committed before the entry gets its position, and before the caller is answered.
            self.in_flight.wait();
        }
        edits.extend(entry.map(|(author, words)| {
            AccountEdit::AddAuditEntry(AuditEntry {
                at: Timestamp::now(),
                author: author.clone(),
                words,
                after: self.store.last_change(),
            })
        }));
        let room = MAX_ACCOUNT_EDITS.saturating_sub(edits.len() + 1);
        edits.splice(0..0, owed.into_iter().take(room));
        edits.extend(self.clock.reading().map(AccountEdit::SetClock));
        if edits.is_empty() {
            return Ok(());
        }
        let written = self.store.edit_accounts(read, &edits);
        let mut held = self.held();
        held.suspended.clear();
        if written == Err(StoreError::Conflict) {
            held.take_back(&ended);
        }
        written.map(drop)
    }

    /// Removes sessions and tokens that belong to no account, which earlier versions could leave
    /// behind. Where the store refuses, `tidy` tries again.
    pub(super) fn remove_orphans(&self) {
        let author = Author {
            name: "pet-store".to_owned(),
            client: "start".to_owned(),
        };
        let removed = self.decide(&author, |held, _| {
            let mut edits = held.orphans();
            edits.truncate(TIDIED_AT_ONCE);
            let count = edits.len();
            let words = format!("removed {count} sessions and tokens that belonged to no account");
            Ok(Plan {
                words: (count > 0).then_some(words),
                edits,
                answer: count,
            })
        });
        match removed {
            Ok(0) => {}
            Ok(count) => {
                tracing::warn!(
                    orphans.count = count,
                    "removed sessions and tokens that belonged to no account"
                );
            }
            Err(error) => {
                tracing::warn!(%error, "sessions and tokens that belong to no account could not be removed; retrying later");
            }
        }
    }

    /// Removes what has expired and saves when sessions and tokens were last used. Called now and
    /// then, and before the store is closed. Blocks on the disk.
    ///
    /// # Errors
    /// When the store cannot be written; nothing is lost by it.
    pub fn tidy(&self) -> Result<(), StoreError> {
        let _order = self.editing.lock().expect("no holder of this lock panics");
        for _ in 0..TRIES {
            let (read, edits, is_all) = {
                let (now, is_confirmed) = (self.clock.now(), self.clock.is_confirmed());
                let mut held = self.held();
                held.sessions.iter_mut().for_each(|used| used.bound_by(now));
                let mut edits = held.untidy(now);
                edits.retain(|edit| is_confirmed || !matches!(edit, AccountEdit::RemoveSession(_)));
                let is_needed = !edits.is_empty() || !held.owed().is_empty();
                if !is_needed && held.sessions.iter().next().is_none() {
                    return Ok(());
                }
                let is_all = edits.len() < TIDIED_AT_ONCE;
                edits.truncate(TIDIED_AT_ONCE);
                (held.version, edits, is_all)
            };
            // Saved also when nothing but the clock is: a session ages although nobody uses any.
            match self.write(read, edits, None) {
                Err(StoreError::Conflict) => {}
                Ok(()) if !is_all => {}
                written => return written,
            }
        }
        Ok(())
    }
}

/// Returns true if `edit` can revoke a permission.
fn revokes(edit: &AccountEdit) -> bool {
    match edit {
        AccountEdit::PutAccount(_)
        | AccountEdit::RemoveAccount(_)
        | AccountEdit::RemoveSession(_)
        | AccountEdit::RemoveToken(_) => true,
        AccountEdit::PutSession(_)
        | AccountEdit::PutToken(_)
        | AccountEdit::SetClock(_)
        | AccountEdit::AddAuditEntry(_) => false,
    }
}
