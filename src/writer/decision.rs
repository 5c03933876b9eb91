//! Turns commands into numbered changes, against the board and what was decided before in the
//! same batch.

use std::collections::HashMap;
use std::sync::Arc;

use super::command::{Command, Committed, WriteError};
use crate::hub::Hub;
use crate::model::{Change, ChangeKind, Cursor, Moment, Pet, PetId, Rev, Signature};

/// The changes of one batch so far. Nothing of it is true until it is committed.
pub struct Decision<'a> {
    hub: &'a Hub,
    rev: Rev,
    next_pet: PetId,
    /// Pets as this batch leaves them; `None` for one that it removes.
    touched: HashMap<PetId, Option<Arc<Pet>>>,
    changes: Vec<Change>,
}

impl<'a> Decision<'a> {
    pub fn new(hub: &'a Hub) -> Self {
        let (rev, next_pet) = hub.newest();
        Decision {
            hub,
            rev,
            next_pet,
            touched: HashMap::new(),
            changes: Vec::new(),
        }
    }

    /// Adds the change that `command` makes, and says which it will be once it is committed.
    ///
    /// # Errors
    /// `UnknownPet`; the batch is then as it was.
    pub fn take(
        &mut self,
        command: Command,
        signature: Signature,
    ) -> Result<Committed, WriteError> {
        let at = Moment::now();
        match command {
            Command::Create { profile, status } => {
                let id = self.next_pet;
                self.next_pet = id.next();
                let since = at;
                let pet = Pet {
                    id,
                    profile,
                    status,
                    since,
                };
                Ok(self.add(None, id, ChangeKind::Pet(Arc::new(pet)), at, signature))
            }
            Command::Edit { pet, patch } => {
                let before = self.pet(pet)?;
                let mut edited = Pet::clone(&before);
                edited.profile = patch.apply(&before.profile);
                let kind = ChangeKind::Pet(Arc::new(edited));
                Ok(self.add(Some(before), pet, kind, at, signature))
            }
            Command::SetStatus { pet, status } => {
                let before = self.pet(pet)?;
                Ok(self.add(Some(before), pet, ChangeKind::Status(status), at, signature))
            }
            Command::Remove { pet } => {
                let before = self.pet(pet)?;
                Ok(self.add(Some(before), pet, ChangeKind::Gone, at, signature))
            }
        }
    }

    pub fn into_changes(self) -> Vec<Change> {
        self.changes
    }

    fn add(
        &mut self,
        before: Option<Arc<Pet>>,
        pet: PetId,
        kind: ChangeKind,
        at: Moment,
        signature: Signature,
    ) -> Committed {
        self.rev = self.rev.next();
        let rev = self.rev;
        let change = Change {
            rev,
            at,
            by: signature.by,
            author: signature.author,
            pet,
            kind,
        };
        self.touched.insert(pet, change.leaves(before));
        self.changes.push(change);
        let epoch = self.hub.epoch();
        Committed {
            pet,
            cursor: Cursor { epoch, rev },
        }
    }

    fn pet(&self, id: PetId) -> Result<Arc<Pet>, WriteError> {
        let pet = match self.touched.get(&id) {
            Some(touched) => touched.clone(),
            None => self.hub.pet(id).map(|(pet, _)| pet),
        };
        pet.ok_or(WriteError::UnknownPet(id))
    }
}
