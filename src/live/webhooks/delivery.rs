//! From a change in the log to a delivery: its event, and what visitors may know of the pet now.

use std::sync::Arc;

use super::WebhookWorkers;
use super::message::Content;
use crate::model::{
    AdoptionState, Change, ChangeKind, Cursor, Pet, PetId, Rev, Visibility, WebhookEvent,
};
use crate::store::StoreError;

/// Start of the id of a test.
const TEST: &str = "test-";

/// Changes per read when the last edit of a pet is searched.
const HISTORY_PAGE: usize = 500;

/// A change that may be sent.
pub struct PublicDelivery {
    /// The change.
    pub change: Change,
    /// Position of the change, which is the id of the delivery.
    pub cursor: Cursor,
    /// Kind of the change for receivers.
    pub event: WebhookEvent,
    /// Name of the pet; `None` if visitors may not know it now.
    pub name: Option<String>,
}

/// A change of the log that is not sent, and the reason.
pub enum NotSent {
    /// The pet is private now, or was deleted, or visitors never learned of the change.
    NotPublic,
    /// The log does not have the change any more.
    NotInLog,
}

impl NotSent {
    /// Returns the reason as a sentence.
    pub const fn text(&self) -> &'static str {
        match self {
            NotSent::NotPublic => "The pet is private now, or was deleted.",
            NotSent::NotInLog => "The history does not have this change any more.",
        }
    }
}

impl WebhookWorkers {
    /// Returns the delivery of a change, as visitors may have it now: a pet that is private now is named in
    /// nothing but the id of its removal. Blocks on the disk.
    ///
    /// # Errors
    /// `Read`, as for the rest of the store.
    pub fn delivery(&self, change: Change) -> Result<Result<PublicDelivery, NotSent>, StoreError> {
        if change.visibility == Visibility::Hidden {
            return Ok(Err(NotSent::NotPublic));
        }
        let name = self.public_name(change.pet);
        let event = match &change.kind {
            _ if change.visibility.is_withdrawn() => WebhookEvent::Removed,
            ChangeKind::Gone(_) => WebhookEvent::Removed,
            ChangeKind::Pet(pet) if pet.is_in_trash() => WebhookEvent::Removed,
            _ if name.is_none() => return Ok(Err(NotSent::NotPublic)),
            ChangeKind::Pet(pet) => self.edit_event(&change, pet)?,
            ChangeKind::Status(_) | ChangeKind::StatusSince(..) => WebhookEvent::Status,
        };
        let epoch = self.hub.epoch();
        Ok(Ok(PublicDelivery {
            cursor: Cursor {
                epoch,
                rev: change.rev,
            },
            name: name.filter(|_| !change.visibility.is_withdrawn()),
            event,
            change,
        }))
    }

    /// Returns the content of a delivery.
    pub fn content(&self, delivery: &PublicDelivery) -> Content {
        let rescue = self.authenticator.staff().ok();
        let rescue = rescue.map(|staff| staff.accounts().rescue());
        let activities = rescue.map(|rescue| rescue.activities.clone());
        let base = self.authenticator.base();
        Content::new(delivery, &activities.unwrap_or_default(), base)
    }

    /// Reads the delivery with this id again, for a later attempt. Blocks on the disk.
    ///
    /// # Errors
    /// `Read`, as for the rest of the store.
    pub fn content_again(&self, id: &str) -> Result<Result<Content, NotSent>, StoreError> {
        if id.starts_with(TEST) {
            return Ok(Ok(Content::test()));
        }
        let Ok(cursor) = id.parse() else {
            return Ok(Err(NotSent::NotInLog));
        };
        let delivery = self.delivery_of(cursor)?;
        Ok(delivery.map(|delivery| self.content(&delivery)))
    }

    fn delivery_of(&self, cursor: Cursor) -> Result<Result<PublicDelivery, NotSent>, StoreError> {
        let before = Rev::new(cursor.rev.get().saturating_sub(1));
        if cursor.epoch != self.hub.epoch() {
            return Ok(Err(NotSent::NotInLog));
        }
        let left = self.engine.remaining_after(before, cursor.rev, 1)?;
        match left.changes.into_iter().next() {
            Some(change) => self.delivery(change),
            None => Ok(Err(NotSent::NotInLog)),
        }
    }

    /// Returns whether an edit added the pet to the board, or has it adopted, by the last edit before it.
    fn edit_event(&self, change: &Change, after: &Pet) -> Result<WebhookEvent, StoreError> {
        let is_adopted = |pet: &Pet| pet.profile.state == AdoptionState::Adopted;
        let Some(before) = self.last_edit(change)? else {
            // The pet is new, or the log was trimmed. The status of a new pet begins with it.
            return Ok(if after.since == change.at {
                WebhookEvent::Added
            } else if is_adopted(after) {
                WebhookEvent::Adopted
            } else {
                WebhookEvent::Edited
            });
        };
        let shown = match &before.kind {
            ChangeKind::Pet(pet) if before.visibility.is_public() => {
                Some(pet).filter(|pet| pet.is_public())
            }
            _ => None,
        };
        Ok(match shown {
            None => WebhookEvent::Added,
            Some(before) if is_adopted(after) && !is_adopted(before) => WebhookEvent::Adopted,
            Some(_) => WebhookEvent::Edited,
        })
    }

    /// Finds the last change before `change` that is no status. A log that was trimmed may have none.
    fn last_edit(&self, change: &Change) -> Result<Option<Change>, StoreError> {
        let mut before = change.rev;
        loop {
            let read = self
                .engine
                .history(change.pet, Some(before), HISTORY_PAGE)?;
            let is_end = read.len() < HISTORY_PAGE;
            before = read.last().map_or(Rev::ZERO, |oldest| oldest.rev);
            let edit = read.into_iter().find(|change| change.status().is_none());
            if edit.is_some() || is_end {
                return Ok(edit);
            }
        }
    }

    /// Returns the name of a pet on the board or in the trash, unless it is private or was deleted.
    fn public_name(&self, pet: PetId) -> Option<String> {
        let stored: Arc<Pet> = self.hub.stored(pet)?.0.pet;
        let is_private = stored.profile.state == AdoptionState::Private;
        (!is_private).then(|| stored.profile.name.clone())
    }
}
