//! How an edit of the roster is decided, made durable and only then true, and how the roster is
//! kept tidy.

use super::held::Held;
use super::{Directory, Done};
use crate::model::{Author, Deed, Moment, Tick};
use crate::store::{EDITS_AT_ONCE, RosterEdit, StoreError};

/// Times that an edit is decided anew before whoever asked is told that others are faster.
const TRIES: usize = 10;

/// Sessions and tokens whose last use is saved together, which leaves room for what is owed.
const TIDIED_AT_ONCE: usize = EDITS_AT_ONCE / 2;

/// What is to be edited, and what the one who asked for it is told.
pub struct Plan<T> {
    pub edits: Vec<RosterEdit>,
    /// As a sentence without its subject; nothing for what is not worth a line.
    pub words: Option<String>,
    pub answer: T,
}

impl<T> Plan<T> {
    /// A plan that is worth a line among the deeds.
    pub fn noted(edits: Vec<RosterEdit>, words: impl Into<String>, answer: T) -> Self {
        Plan {
            edits,
            words: Some(words.into()),
            answer,
        }
    }
}

impl Directory {
    /// Decides an edit on what is true now, makes it durable, and only then lets it be true; what
    /// it takes away is gone before. Where another node was faster, it is decided anew. Blocks on
    /// the disk.
    pub(super) fn edit<T>(
        &self,
        author: &Author,
        plan: impl Fn(&Held, Tick) -> Done<Plan<T>>,
    ) -> Done<T> {
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
}
