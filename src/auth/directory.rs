//! Who is staff: accounts, sessions and tokens, all of them in memory, and every edit in the store
//! before it is true.
//!
//! Asking whether a session or a token is valid touches no disk, so it is asked for every request
//! and every command anew: what was ended a moment ago opens nothing, whatever began before. Edits
//! block on the disk and are made one after the other. Only what takes something away is true at
//! once, before the disk has it.
//!
//! `accounts`, `sessions` and `tokens` hold what can be done to each.

mod accounts;
mod held;
mod sessions;
#[cfg(test)]
mod tests;
mod tokens;

use std::sync::{Arc, Mutex, MutexGuard};

pub use self::accounts::Member;
use self::held::Held;
pub use self::sessions::{LONGEST as LONGEST_SESSION, SessionSummary, author};
use super::clock::Clock;
use crate::model::{AccountName, Author, Deed, Moment, Tick};
use crate::store::{Accounts, RosterEdit, StoreError};

/// Accounts that there can be. A rescue has tens of people.
const ACCOUNTS: usize = 500;

/// The roster of staff.
pub struct Directory {
    store: Arc<dyn Accounts>,
    clock: Clock,
    held: Mutex<Held>,
    /// Held while an edit is decided and made durable, so that each is decided on what is true.
    editing: Mutex<()>,
}

/// Why something could not be done to the roster.
#[derive(Debug, thiserror::Error)]
pub enum DirectoryError {
    #[error("the name {0} is taken already")]
    NameTaken(AccountName),
    #[error("there is no account {0}")]
    UnknownAccount(String),
    #[error("an admin who can sign in must remain, and {0} is the last one")]
    LastAdmin(AccountName),
    #[error("the link is no longer valid; ask for a new one")]
    BadInvitation,
    #[error("there are {0} already, which is as many as there can be")]
    Full(usize),
    #[error("it is gone already")]
    Gone,
    #[error(transparent)]
    Store(#[from] StoreError),
}

type Done<T> = Result<T, DirectoryError>;

/// What is to be edited, and what the one who asked for it is told.
struct Plan<T> {
    edits: Vec<RosterEdit>,
    /// As a sentence without its subject; nothing for what is not worth a line.
    words: Option<String>,
    answer: T,
}

impl Directory {
    /// Reads the roster; blocks on the disk.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn open(store: Arc<dyn Accounts>) -> Result<Self, StoreError> {
        let roster = store.roster()?;
        let clock = Clock::resume(roster.clock);
        Directory::of(store, clock)
    }

    /// The same by a clock that was given.
    pub fn of(store: Arc<dyn Accounts>, clock: Clock) -> Result<Self, StoreError> {
        let held = Held::of(store.roster()?);
        Ok(Directory {
            store,
            clock,
            held: Mutex::new(held),
            editing: Mutex::new(()),
        })
    }

    /// Decides an edit on what is true now, makes it durable, and only then lets it be true; what
    /// it takes away is gone before. Blocks on the disk.
    fn edit<T>(&self, author: &Author, plan: impl FnOnce(&Held, Tick) -> Done<Plan<T>>) -> Done<T> {
        let _order = self.editing.lock().expect("no holder of this lock panics");
        let plan = plan(&self.held(), self.clock.now())?;
        let mut edits = plan.edits;
        edits.extend(plan.words.map(|words| {
            RosterEdit::Note(Deed {
                at: Moment::now(),
                author: author.clone(),
                words,
            })
        }));
        if edits.is_empty() {
            return Ok(plan.answer);
        }
        edits.push(RosterEdit::SetClock(self.clock.reading()));
        self.write(&edits)?;
        self.held().apply(edits);
        Ok(plan.answer)
    }

    /// Makes edits durable. What they end is ended before, and stays so: where the disk refuses, it
    /// is told again with the next edits that it takes.
    fn write(&self, edits: &[RosterEdit]) -> Result<(), StoreError> {
        let owed = self.held().take_away(edits);
        self.store.edit_roster(&[owed, edits.to_vec()].concat())?;
        self.held().owed.clear();
        Ok(())
    }

    /// Removes what has expired and saves when sessions and tokens were last used. Called now and
    /// then, and before the store is closed. Blocks on the disk.
    ///
    /// # Errors
    /// When the store cannot be written; nothing is lost by it.
    pub fn tidy(&self) -> Result<(), StoreError> {
        let _order = self.editing.lock().expect("no holder of this lock panics");
        let mut edits = self.held().untidy(self.clock.now());
        if edits.is_empty() && self.held().sessions.is_empty() && !self.is_owing() {
            return Ok(());
        }
        // Saved also when nothing else is: a session ages although nobody uses any.
        edits.push(RosterEdit::SetClock(self.clock.reading()));
        self.write(&edits)?;
        self.held().tidied();
        Ok(())
    }

    /// Whether something was ended that the disk does not know of yet.
    pub fn is_owing(&self) -> bool {
        !self.held().owed.is_empty()
    }

    /// Up to `limit` deeds with their numbers, newest first. Blocks on the disk.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn deeds(&self, before: Option<u64>, limit: usize) -> Result<Vec<(u64, Deed)>, StoreError> {
        self.store.deeds(before, limit)
    }

    fn held(&self) -> MutexGuard<'_, Held> {
        self.held.lock().expect("no holder of this lock panics")
    }
}
