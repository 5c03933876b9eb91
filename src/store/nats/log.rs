//! The changes that the stream still has: the newest of each pet.

use super::hole::is_next;
use super::link::Link;
use super::message::{self, Entry, Record};
use super::read;
use super::subjects::{PET, PETS};
use crate::model::{Change, PetId, Rev};
use crate::store::{Recent, StoreError};

/// The factor by which each range is wider than the last one, in a backward search of a pet's history.
const WIDER: u64 = 4;

/// Messages that are read at once.
const READ_AT_ONCE: usize = 512;

/// What `Engine` promises of the log.
pub struct Log<'a>(pub &'a Link);

impl Log<'_> {
    pub async fn tail(&self, after: Rev, limit: usize) -> Result<Vec<Change>, StoreError> {
        let mut next = after.next().get();
        let mut changes = Vec::new();
        while changes.len() < limit {
            let entries = self.following(PETS.subjects, next).await?;
            if entries.is_empty() {
                break;
            }
            for entry in &entries {
                if !is_next(next, entry) {
                    return Err(StoreError::Forgotten);
                }
                changes.extend(change_of(entry)?);
                next = entry.seq + 1;
            }
        }
        changes.truncate(limit);
        Ok(changes)
    }

    pub async fn kept(&self, after: Rev, before: Rev) -> Result<Vec<Change>, StoreError> {
        let filter = format!("{PET}*");
        self.changes_at(&filter, after.next().get(), before.get())
            .await
    }

    pub async fn recent(&self, upto: Rev, limit: usize) -> Result<Recent, StoreError> {
        let mut next = upto.next().get().saturating_sub(limit as u64).max(1);
        let mut recent = Recent {
            after: Rev::new(next - 1),
            changes: Vec::new(),
        };
        while next <= upto.get() {
            let entries = read::some_following(self.0, &PETS, PETS.subjects, next, READ_AT_ONCE);
            for entry in entries.await? {
                if !is_next(next, &entry) {
                    // Also `upto` may be forgotten by now, next to nodes that are busy.
                    recent.after = Rev::new(entry.seq - 1).min(upto);
                    recent.changes.clear();
                }
                next = entry.seq + 1;
                if entry.seq > upto.get() {
                    break;
                }
                recent.changes.extend(change_of(&entry)?);
            }
        }
        Ok(recent)
    }

    /// Up to `limit` changes of one pet, newest first.
    pub async fn history(
        &self,
        pet: PetId,
        before: Option<Rev>,
        limit: usize,
    ) -> Result<Vec<Change>, StoreError> {
        let filter = format!("{PET}{pet}");
        let last = read::last_of(self.0, &filter).await?;
        let mut end = last.map_or(0, |last| last.seq + 1);
        end = before.map_or(end, |before| end.min(before.get()));
        // A direct get only reads forwards, so ever wider ranges are read, the newest first.
        let mut width = limit.max(1) as u64;
        let mut changes = Vec::new();
        while end > 1 && changes.len() < limit {
            let start = end.saturating_sub(width).max(1);
            let older = self.changes_at(&filter, start, end).await?;
            changes.extend(older.into_iter().rev());
            (end, width) = (start, width.saturating_mul(WIDER));
        }
        changes.truncate(limit);
        Ok(changes)
    }

    /// The changes at `filter` from the sequence number `next` to `end`, without `end`.
    async fn changes_at(
        &self,
        filter: &str,
        mut next: u64,
        end: u64,
    ) -> Result<Vec<Change>, StoreError> {
        let mut changes = Vec::new();
        while next < end {
            let most =
                usize::try_from(end - next).map_or(READ_AT_ONCE, |most| most.min(READ_AT_ONCE));
            let entries = read::following(self.0, &PETS, filter, next, most).await?;
            let Some(last) = entries.last() else { break };
            next = last.seq + 1;
            for entry in entries.iter().filter(|entry| entry.seq < end) {
                changes.extend(change_of(entry)?);
            }
        }
        Ok(changes)
    }

    async fn following(&self, filter: &str, next: u64) -> Result<Vec<Entry>, StoreError> {
        read::following(self.0, &PETS, filter, next, READ_AT_ONCE).await
    }
}

fn change_of(entry: &Entry) -> Result<Option<Change>, StoreError> {
    Ok(match message::read(entry)? {
        Record::Pet { change, .. } => Some(change),
        _ => None,
    })
}
