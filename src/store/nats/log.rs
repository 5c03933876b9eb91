//! The changes that the stream still has: the last few of each pet.

use super::hole::is_next;
use super::link::Link;
use super::message::{self, Entry, Record};
use super::read;
use super::subjects::{PET, PETS};
use crate::model::{Change, PetId, Rev};
use crate::store::{Recent, StoreError};

/// Messages of one pet that the stream keeps, with room for those that come meanwhile.
const HISTORY_LIMIT: usize = 64;

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
        let (filter, mut next) = (format!("{PET}*"), after.next().get());
        let mut changes = Vec::new();
        while next < before.get() {
            let entries = self.following(&filter, next).await?;
            let Some(last) = entries.last() else { break };
            next = last.seq + 1;
            for entry in entries.iter().filter(|entry| entry.seq < before.get()) {
                changes.extend(change_of(entry)?);
            }
        }
        Ok(changes)
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
        let entries = read::following(self.0, &PETS, &filter, 1, HISTORY_LIMIT).await?;
        let changes: Result<Vec<Option<Change>>, _> = entries.iter().map(change_of).collect();
        let changes = changes?.into_iter().flatten().rev();
        let is_asked_for = |change: &Change| before.is_none_or(|before| change.rev < before);
        Ok(changes.filter(is_asked_for).take(limit).collect())
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
