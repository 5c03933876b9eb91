//! Turns commands into changes to be committed, against the board and what was decided before in
//! the same batch.

use std::collections::HashMap;
use std::sync::Arc;

use super::command::{Command, WriteError};
use crate::hub::Hub;
use crate::model::{ChangeKind, Moment, Pet, PetId, Rev, Signature};
use crate::store::Put;

/// The changes of one batch so far. Nothing of it is true until it is committed.
pub struct Decision<'a> {
    hub: &'a Hub,
    /// What the board was at, or earlier, when it was looked at.
    read: Rev,
    next_pet: PetId,
    /// Pets as this batch leaves them; `None` for one that it removes.
    touched: HashMap<PetId, Option<Arc<Pet>>>,
    puts: Vec<Put>,
}

impl<'a> Decision<'a> {
    pub fn new(hub: &'a Hub) -> Self {
        let (read, next_pet) = hub.newest();
        Decision {
            hub,
            read,
            next_pet,
            touched: HashMap::new(),
            puts: Vec::new(),
        }
    }

    /// Adds the change that `command` makes, and says of which pet.
    ///
    /// # Errors
    /// `UnknownPet`; the batch is then as it was.
    pub fn take(&mut self, command: &Command, signature: Signature) -> Result<PetId, WriteError> {
        let at = Moment::now();
        match command {
            Command::Create { profile, status } => {
                let id = self.next_pet;
                self.next_pet = id.next();
                let pet = Pet {
                    id,
                    profile: profile.clone(),
                    status: *status,
                    since: at,
                };
                Ok(self.add(None, id, ChangeKind::Pet(Arc::new(pet)), at, signature))
            }
            Command::Edit { pet, patch } => {
                let before = self.pet(*pet)?;
                let mut edited = Pet::clone(&before);
                edited.profile = patch.clone().apply(&before.profile);
                let kind = ChangeKind::Pet(Arc::new(edited));
                Ok(self.add(Some(before), *pet, kind, at, signature))
            }
            Command::SetStatus { pet, status } => {
                let before = self.pet(*pet)?;
                let kind = ChangeKind::Status(*status);
                Ok(self.add(Some(before), *pet, kind, at, signature))
            }
            Command::Remove { pet } => {
                let before = self.pet(*pet)?;
                Ok(self.add(Some(before), *pet, ChangeKind::Gone, at, signature))
            }
        }
    }

    /// How many changes it has.
    pub fn len(&self) -> usize {
        self.puts.len()
    }

    /// The rev that the changes were decided at, and the changes in the order they were added.
    pub fn into_puts(self) -> (Rev, Vec<Put>) {
        (self.read, self.puts)
    }

    fn add(
        &mut self,
        before: Option<Arc<Pet>>,
        pet: PetId,
        kind: ChangeKind,
        at: Moment,
        signature: Signature,
    ) -> PetId {
        let mut put = Put {
            at,
            signature,
            pet,
            kind,
            after: None,
        };
        put.after = put.at_rev(self.read).leaves(before);
        self.touched.insert(pet, put.after.clone());
        self.puts.push(put);
        pet
    }

    fn pet(&self, id: PetId) -> Result<Arc<Pet>, WriteError> {
        let pet = match self.touched.get(&id) {
            Some(touched) => touched.clone(),
            None => self.hub.pet(id).map(|(pet, _)| pet),
        };
        pet.ok_or(WriteError::UnknownPet(id))
    }
}
