//! Whether the lines of an export fit together: what a sum over them cannot tell.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::Entry;
use crate::model::{AccountName, Change, Pet, PetId, Rev};
use crate::store::replay::Replay;
use crate::store::{AccountEdit, StoreError};

/// What was said so far, as far as later lines must fit to it.
#[derive(Default)]
pub struct Fit {
    rev: Rev,
    next_pet: Option<PetId>,
    pets: Vec<Arc<Pet>>,
    told: Replay,
    /// The first and the last change.
    changes: Option<(Rev, Rev)>,
    accounts: BTreeSet<AccountName>,
}

impl Fit {
    /// Passes the next entry.
    ///
    /// # Errors
    /// `Record` when it does not fit to those before it.
    pub fn pass(&mut self, entry: &Entry) -> Result<(), StoreError> {
        match entry {
            Entry::Start { rev, next_pet } => {
                (self.rev, self.next_pet) = (*rev, Some(*next_pet));
                Ok(())
            }
            Entry::Pet(pet) => self.pass_pet(pet),
            Entry::Change(change) => self.pass_change(change),
            Entry::Staff(AccountEdit::PutAccount(account)) => {
                self.accounts.insert(account.name.clone());
                Ok(())
            }
            Entry::Staff(_) => Ok(()),
        }
    }

    /// # Errors
    /// `Record` when the whole is not one store.
    pub fn finish(&self) -> Result<(), StoreError> {
        let (first, last) = self.changes.unwrap_or((Rev::ZERO.next(), Rev::ZERO));
        if last != self.rev {
            return Err(misfit(format!(
                "the log does not end at rev {}",
                self.rev.get()
            )));
        }
        self.told.compare(&self.pets, first == Rev::ZERO.next())
    }

    fn pass_pet(&mut self, pet: &Pet) -> Result<(), StoreError> {
        if self.changes.is_some() {
            return Err(misfit("a pet follows a change".to_owned()));
        }
        if self.pets.last().is_some_and(|last| last.id >= pet.id) {
            return Err(misfit(format!("pet {} is not in its order", pet.id)));
        }
        self.check_id(pet.id)?;
        self.pets.push(Arc::new(pet.clone()));
        Ok(())
    }

    fn pass_change(&mut self, change: &Change) -> Result<(), StoreError> {
        let (first, last) = match self.changes {
            Some((first, last)) => (first, last.next()),
            None => (change.rev, change.rev),
        };
        if change.rev != last {
            return Err(misfit(format!(
                "change {} is missing from the log",
                last.get()
            )));
        }
        self.check_id(change.pet)?;
        self.changes = Some((first, last));
        self.told.pass(change);
        Ok(())
    }

    fn check_id(&self, pet: PetId) -> Result<(), StoreError> {
        match self.next_pet > Some(pet) {
            true => Ok(()),
            false => Err(misfit(format!(
                "pet {pet} has an id that is yet to be given"
            ))),
        }
    }

    /// Returns true for a token without an account, which exports of earlier versions can have.
    pub fn is_orphan(&self, entry: &Entry) -> bool {
        let Entry::Staff(AccountEdit::PutToken(token)) = entry else {
            return false;
        };
        !self.accounts.contains(&token.account)
    }
}

fn misfit(reason: String) -> StoreError {
    StoreError::Record(reason)
}
