//! Who is staff: accounts, sessions and tokens, all of them in memory, and every edit in the store
//! before it is true.
//!
//! Asking whether a session or a token is valid touches no disk, so it is asked for every request
//! and every command anew: what was ended a moment ago opens nothing, whatever began before. Edits
//! block on the disk and are made one after the other; the store shows them, and those of other
//! nodes. Only what takes something away is true at once, before the disk has it.
//!
//! `accounts`, `sessions` and `tokens` hold what can be done to each.

mod accounts;
mod held;
mod sessions;
#[cfg(test)]
mod tests;
mod tokens;
mod uses;

use std::sync::{Arc, Mutex, MutexGuard, Weak};

pub use self::accounts::Member;
use self::held::Held;
pub use self::sessions::{LONGEST as LONGEST_SESSION, SessionSummary, author};
use super::clock::Clock;
use crate::model::{AccountName, Author, Deed, Moment, Tick};
use crate::store::{Accounts, EDITS_AT_ONCE, Roster, RosterEdit, RosterFollower, StoreError};

/// Accounts that there can be. A rescue has tens of people.
const ACCOUNTS: usize = 500;

/// Times that an edit is decided anew before whoever asked is told that others are faster.
const TRIES: usize = 10;

/// Sessions and tokens whose last use is saved together, which leaves room for what is owed.
const TIDIED_AT_ONCE: usize = EDITS_AT_ONCE / 2;

/// The roster of staff.
pub struct Directory {
    store: Arc<dyn Accounts>,
    clock: Clock,
    shared: Arc<Shared>,
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

impl<T> Plan<T> {
    /// A plan that is worth a line among the deeds.
    fn noted(edits: Vec<RosterEdit>, words: impl Into<String>, answer: T) -> Self {
        Plan {
            edits,
            words: Some(words.into()),
            answer,
        }
    }
}

impl Directory {
    /// Reads the roster, and follows it; blocks on the disk.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn open(store: Arc<dyn Accounts>) -> Result<Self, StoreError> {
        let clock = Clock::resume(store.roster()?.clock);
        Directory::of(store, clock)
    }

    /// The same by a clock that was given.
    pub fn of(store: Arc<dyn Accounts>, clock: Clock) -> Result<Self, StoreError> {
        let shared = Arc::new(Shared::default());
        let follower: Weak<Shared> = Arc::downgrade(&shared);
        store.follow_roster(follower)?;
        Ok(Directory {
            store,
            clock,
            shared,
            editing: Mutex::new(()),
        })
    }

    /// Decides an edit on what is true now, makes it durable, and only then lets it be true; what
    /// it takes away is gone before. Where another node was faster, it is decided anew. Blocks on
    /// the disk.
    fn edit<T>(&self, author: &Author, plan: impl Fn(&Held, Tick) -> Done<Plan<T>>) -> Done<T> {
        let _order = self.editing.lock().expect("no holder of this lock panics");
        for _ in 0..TRIES {
            let (read, plan) = {
                let held = self.held();
                (held.version, plan(&held, self.clock.now())?)
            };
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
            match self.write(read, edits) {
                Err(StoreError::Conflict) => {}
                written => return Ok(written.map(|()| plan.answer)?),
            }
        }
        Err(StoreError::Conflict.into())
    }

    /// Makes edits that were decided at `read` durable. What they end is ended before, and stays
    /// so: where the disk refuses, it is told again with the next edits that it takes.
    fn write(&self, read: u64, mut edits: Vec<RosterEdit>) -> Result<(), StoreError> {
        let (owed, ended) = {
            let mut held = self.held();
            (held.owed(), held.end(&edits))
        };
        let room = EDITS_AT_ONCE.saturating_sub(edits.len() + 1);
        edits.splice(0..0, owed.into_iter().take(room));
        edits.push(RosterEdit::SetClock(self.clock.reading()));
        let written = self.store.edit_roster(read, &edits);
        if written == Err(StoreError::Conflict) {
            self.held().take_back(&ended);
        }
        written.map(drop)
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
                let held = self.held();
                let mut edits = held.untidy(self.clock.now());
                let is_needed = !edits.is_empty() || !held.owed().is_empty();
                if !is_needed && held.sessions.iter().next().is_none() {
                    return Ok(());
                }
                let is_all = edits.len() < TIDIED_AT_ONCE;
                edits.truncate(TIDIED_AT_ONCE);
                (held.version, edits, is_all)
            };
            // Saved also when nothing but the clock is: a session ages although nobody uses any.
            match self.write(read, edits) {
                Err(StoreError::Conflict) => {}
                Ok(()) if !is_all => {}
                written => return written,
            }
        }
        Ok(())
    }

    /// Whether other nodes edit the roster too.
    pub fn is_shared(&self) -> bool {
        self.store.is_roster_shared()
    }

    /// Has what other nodes edited before this call be true here. Blocks on the network.
    ///
    /// # Errors
    /// When it cannot be known.
    pub fn catch_up(&self) -> Result<(), StoreError> {
        self.store.catch_up_roster()
    }

    /// Whether something was ended that the disk does not know of yet.
    pub fn is_owing(&self) -> bool {
        !self.held().owed().is_empty()
    }

    /// Up to `limit` deeds with their numbers, newest first. Blocks on the disk.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn deeds(&self, before: Option<u64>, limit: usize) -> Result<Vec<(u64, Deed)>, StoreError> {
        self.store.deeds(before, limit)
    }

    fn held(&self) -> MutexGuard<'_, Held> {
        self.shared.held()
    }
}

/// What the directory shares with the store, which shows it every edit.
#[derive(Default)]
struct Shared(Mutex<Held>);

impl Shared {
    fn held(&self) -> MutexGuard<'_, Held> {
        self.0.lock().expect("no holder of this lock panics")
    }
}

impl RosterFollower for Shared {
    fn begin_anew(&self, roster: Roster, version: u64) {
        self.held().begin_anew(roster, version);
    }

    fn show(&self, edits: &[RosterEdit], version: u64) {
        self.held().apply(edits, version);
    }
}
