//! Reads the store's log for viewers with old cursors, without the changes of private pets.

use std::collections::HashMap;

use super::Hub;
use crate::model::{Audience, Change, PetId, Rev, Visibility};
use crate::store::StoreError;

/// A part of the log, as visitors may have it now.
pub struct Replay {
    /// The changes, oldest first.
    pub changes: Vec<Change>,
    /// Rev of the last change that was read; `None` if there was none.
    pub reaches: Option<Rev>,
}

impl Replay {
    /// Reads `limit` changes after `after`, and returns those that visitors may have now: the ones that
    /// they learned of when they were made. Of a pet that is private now, or was when it was removed, only
    /// the change by which it went is left. Blocks on the disk.
    ///
    /// # Errors
    /// As `Engine::tail`.
    pub fn read(hub: &Hub, after: Rev, limit: usize) -> Result<Self, StoreError> {
        let read = hub.engine.tail(after, limit)?;
        let reaches = read.last().map(|last| last.rev);
        let (mut changes, mut concealed) = (Vec::new(), HashMap::new());
        for change in read {
            let is_left_out = match change.visibility {
                Visibility::Public => is_concealed(hub, change.pet, &mut concealed)?,
                Visibility::Withdrawn => false,
                Visibility::Hidden => true,
            };
            if !is_left_out {
                changes.push(change);
            }
        }
        Ok(Replay { changes, reaches })
    }
}

/// Returns true if a pet is private, or was when it was removed.
fn is_concealed(
    hub: &Hub,
    pet: PetId,
    known: &mut HashMap<PetId, bool>,
) -> Result<bool, StoreError> {
    if let Some(known) = known.get(&pet) {
        return Ok(*known);
    }
    let is_concealed = if let Some((entry, _)) = hub.entry(pet, Audience::Staff) {
        !entry.pet.is_public()
    } else {
        // Visitors learn nothing of the deletion that follows a removal.
        let last = hub.engine.history(pet, None, 2)?;
        let removal = last.iter().find(|change| change.kind.is_removal());
        let removal = removal.or(last.first());
        removal.is_some_and(|change| !change.visibility.is_announced())
    };
    known.insert(pet, is_concealed);
    Ok(is_concealed)
}
