//! Checks that the lines of an export are consistent with each other, which their hash does not show.

use std::collections::{BTreeSet, HashSet};
use std::sync::Arc;

use super::ExportedItem;
use crate::model::{AccountName, Change, Pet, PetId, PhotoHash, Rev, Webhook};
use crate::store::replay::LogReplay;
use crate::store::{AccountEdit, StoreError};

/// The part of the items so far that later items must be consistent with.
#[derive(Default)]
pub struct ConsistencyCheck {
    rev: Rev,
    next_pet: Option<PetId>,
    pets: Vec<Arc<Pet>>,
    replay: LogReplay,
    /// The revs of the first and the last change.
    changes: Option<(Rev, Rev)>,
    accounts: BTreeSet<AccountName>,
    webhooks: usize,
    /// Files of photos: hash and width.
    files: HashSet<(PhotoHash, u32)>,
}

impl ConsistencyCheck {
    /// Checks the next item.
    ///
    /// # Errors
    /// `Record` if it is inconsistent with the items before it.
    pub fn check(&mut self, item: &ExportedItem) -> Result<(), StoreError> {
        match item {
            ExportedItem::Start { rev, next_pet } => {
                (self.rev, self.next_pet) = (*rev, Some(*next_pet));
                Ok(())
            }
            ExportedItem::Pet(pet) => self.check_pet(pet),
            ExportedItem::Change(change) => self.check_change(change),
            ExportedItem::Staff(AccountEdit::PutAccount(account)) => {
                self.accounts.insert(account.name.clone());
                Ok(())
            }
            ExportedItem::Staff(AccountEdit::PutWebhook(_)) => self.check_webhook(),
            ExportedItem::Photo(hash, files) => {
                let files = files.iter();
                self.files.extend(files.map(|file| (*hash, file.width_px)));
                Ok(())
            }
            ExportedItem::Staff(_) => Ok(()),
        }
    }

    /// Checks the whole after the last item.
    ///
    /// # Errors
    /// `Record` if the log does not lead to the pets and the rev.
    pub fn finish(&self) -> Result<(), StoreError> {
        let (first, last) = self.changes.unwrap_or((Rev::ZERO.next(), Rev::ZERO));
        if last != self.rev {
            let rev = self.rev.get();
            return Err(StoreError::record(format!(
                "the log does not end at rev {rev}"
            )));
        }
        for photo in self.pets.iter().flat_map(|pet| &pet.photos) {
            let mut files = photo.widths_px().map(|width| (photo.hash, width));
            if !files.all(|file| self.files.contains(&file)) {
                let reason = format!("a file of the photo {} is missing", photo.hash);
                return Err(StoreError::Record(reason));
            }
        }
        self.replay.compare(&self.pets, first == Rev::ZERO.next())
    }

    fn check_pet(&mut self, pet: &Pet) -> Result<(), StoreError> {
        if self.changes.is_some() {
            return Err(StoreError::record("a pet follows a change"));
        }
        if self.pets.last().is_some_and(|last| last.id >= pet.id) {
            return Err(StoreError::record(format!(
                "pet {} is not in its order",
                pet.id
            )));
        }
        self.check_id(pet.id)?;
        self.pets.push(Arc::new(pet.clone()));
        Ok(())
    }

    fn check_change(&mut self, change: &Change) -> Result<(), StoreError> {
        let (first, expected) = match self.changes {
            Some((first, last)) => (first, last.next()),
            None => (change.rev, change.rev),
        };
        if change.rev != expected {
            let rev = expected.get();
            return Err(StoreError::record(format!(
                "change {rev} is missing from the log"
            )));
        }
        self.check_id(change.pet)?;
        self.changes = Some((first, expected));
        self.replay.apply(change);
        Ok(())
    }

    fn check_webhook(&mut self) -> Result<(), StoreError> {
        self.webhooks += 1;
        if self.webhooks <= Webhook::LIMIT {
            return Ok(());
        }
        Err(StoreError::Record(format!(
            "there are more than {} webhooks, which is the limit",
            Webhook::LIMIT
        )))
    }

    fn check_id(&self, pet: PetId) -> Result<(), StoreError> {
        if self.next_pet > Some(pet) {
            return Ok(());
        }
        Err(StoreError::record(format!(
            "pet {pet} has an id that is yet to be given"
        )))
    }

    /// Returns true for a token without an account, which exports of earlier versions can have.
    pub fn is_orphan(&self, item: &ExportedItem) -> bool {
        let ExportedItem::Staff(AccountEdit::PutToken(token)) = item else {
            return false;
        };
        !self.accounts.contains(&token.account)
    }
}
