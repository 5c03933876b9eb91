//! Turns commands into changes to be committed, against the board and what was decided before in
//! the same batch.

use std::collections::HashMap;
use std::sync::Arc;

use super::command::{Command, Committed, Expected, WriteError};
use super::key::IdempotencyKey;
use crate::hub::{BoardEntry, Hub};
use crate::model::{
    ChangeKind, Cursor, Epoch, Pet, PetId, ProfileBase, RequestId, RequestKey, Rev, Signature,
    Timestamp,
};
use crate::store::ProposedChange;

/// The changes of one batch so far. Nothing of it is true until it is committed.
pub struct Decision<'a> {
    hub: &'a Hub,
    /// What the board was at, or earlier, when it was looked at.
    read: Rev,
    next_pet: PetId,
    /// Pets as this batch leaves them; `None` for one that it removes.
    touched: HashMap<PetId, Option<Touched>>,
    proposed: Vec<ProposedChange>,
    /// The changes of requests with a key, and the fingerprint of each request.
    keyed: HashMap<RequestId, ([u8; 8], Decided)>,
}

/// The outcome of taking a command into the batch.
pub enum Taken {
    /// The batch has its change.
    Change(Decided),
    /// A command with the same key was committed before.
    Done(Committed),
}

/// A command whose change is in the batch.
#[derive(Clone)]
pub struct Decided {
    pet: PetId,
    /// The change's place in the batch.
    pub place: usize,
    after: Option<Arc<Pet>>,
}

/// A pet as the batch leaves it.
struct Touched {
    pet: Arc<Pet>,
    /// The last change that set its status; `None` if this batch has that change, which has no rev
    /// yet.
    status_set: Option<Rev>,
}

/// A pet, with the revs that a command's precondition is compared with.
struct Current {
    pet: Arc<Pet>,
    /// `None` if this batch changes it.
    changed: Option<Rev>,
    status_set: Option<Rev>,
    epoch: Epoch,
}

impl<'a> Decision<'a> {
    pub fn new(hub: &'a Hub) -> Self {
        let (read, next_pet) = hub.newest();
        Decision {
            hub,
            read,
            next_pet,
            touched: HashMap::new(),
            proposed: Vec::new(),
            keyed: HashMap::new(),
        }
    }

    /// Adds the change that `command` makes, unless a command with the same key made it before.
    ///
    /// # Errors
    /// `KeyReused`, and those of `decide`; the batch is then as it was.
    pub fn take(
        &mut self,
        command: &Command,
        key: Option<&IdempotencyKey>,
        signature: Signature,
    ) -> Result<Taken, WriteError> {
        let Some(key) = key else {
            return Ok(Taken::Change(self.decide(command, signature)?));
        };
        let author = signature.author.as_deref();
        let request = key.request(author.map_or("", |author| &author.name), command);
        if let Some(taken) = self.find(request) {
            return taken;
        }
        let decided = self.decide(command, signature)?;
        self.proposed[decided.place].request = Some(request);
        let keyed = (request.fingerprint, decided.clone());
        self.keyed.insert(request.id, keyed);
        Ok(Taken::Change(decided))
    }

    /// Finds the outcome of `request`, in this batch or before it.
    fn find(&self, request: RequestKey) -> Option<Result<Taken, WriteError>> {
        let (fingerprint, taken) = match self.keyed.get(&request.id) {
            Some((fingerprint, decided)) => (*fingerprint, Taken::Change(decided.clone())),
            None => {
                let done = self.hub.done_request(&request.id, Timestamp::now())?;
                let (epoch, rev) = (self.hub.epoch(), done.rev);
                let committed = Committed {
                    pet: done.pet,
                    cursor: Cursor { epoch, rev },
                    after: None,
                };
                (done.fingerprint, Taken::Done(committed))
            }
        };
        let is_same = fingerprint == request.fingerprint;
        Some(is_same.then_some(taken).ok_or(WriteError::KeyReused))
    }

    /// Adds the change that `command` makes.
    ///
    /// # Errors
    /// `UnknownPet`, or the precondition that does not hold; the batch is then as it was.
    fn decide(&mut self, command: &Command, signature: Signature) -> Result<Decided, WriteError> {
        let at = Timestamp::now();
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
            Command::Edit {
                pet,
                patch,
                base,
                expected,
            } => {
                let before = self.expect(*pet, expected)?;
                let conflicts = |base: &ProfileBase| base.conflicts(patch, &before.pet.profile);
                if base
                    .as_deref()
                    .is_some_and(|base| !conflicts(base).is_empty())
                {
                    return Err(WriteError::EditConflict);
                }
                let mut edited = Pet::clone(&before.pet);
                edited.profile = patch.clone().apply(&before.pet.profile);
                let kind = ChangeKind::Pet(Arc::new(edited));
                Ok(self.add(Some(before), *pet, kind, at, signature))
            }
            Command::SetStatus {
                pet,
                status,
                since,
                expected,
            } => {
                let before = self.expect(*pet, expected)?;
                let confirmed = (*status == before.pet.status).then_some(before.pet.since);
                let kind = match since.or(confirmed) {
                    Some(since) => ChangeKind::StatusSince(*status, since),
                    None => ChangeKind::Status(*status),
                };
                Ok(self.add(Some(before), *pet, kind, at, signature))
            }
            Command::Remove { pet, expected } => {
                let before = self.expect(*pet, expected)?;
                let kind = ChangeKind::Gone(Some(before.pet.profile.name.as_str().into()));
                Ok(self.add(Some(before), *pet, kind, at, signature))
            }
        }
    }

    /// How many changes it has.
    pub fn len(&self) -> usize {
        self.proposed.len()
    }

    /// The rev that the changes were decided at, and the changes in the order they were added.
    pub fn into_puts(self) -> (Rev, Vec<ProposedChange>) {
        (self.read, self.proposed)
    }

    fn add(
        &mut self,
        before: Option<Current>,
        pet: PetId,
        kind: ChangeKind,
        at: Timestamp,
        signature: Signature,
    ) -> Decided {
        let mut put = ProposedChange {
            at,
            signature,
            pet,
            request: None,
            kind,
            after: None,
        };
        let (before, was_set) = before.map(|old| (old.pet, old.status_set)).unzip();
        let status_set = match put.kind {
            ChangeKind::Pet(_) => was_set.flatten(),
            _ => None,
        };
        put.after = put.at_rev(self.read).leaves(before);
        let touched = |pet| Touched { pet, status_set };
        let after = put.after.clone();
        self.touched.insert(pet, after.clone().map(touched));
        self.proposed.push(put);
        let place = self.proposed.len() - 1;
        Decided { pet, place, after }
    }

    /// Returns the pet as the batch leaves it so far, if `expected` holds for it.
    fn expect(&self, id: PetId, expected: &Expected) -> Result<Current, WriteError> {
        let current = self.current(id).ok_or(WriteError::UnknownPet(id))?;
        let epoch = current.epoch;
        let is_at =
            |rev: Option<Rev>, cursor: &Cursor| Some(cursor.rev) == rev && cursor.epoch == epoch;
        match expected {
            Expected::LastChange(cursors)
                if !cursors.iter().any(|at| is_at(current.changed, at)) =>
            {
                Err(WriteError::PreconditionFailed)
            }
            Expected::StatusSetAt(cursor) if !is_at(current.status_set, cursor) => {
                Err(WriteError::StatusMovedOn)
            }
            _ => Ok(current),
        }
    }

    fn current(&self, id: PetId) -> Option<Current> {
        match self.touched.get(&id) {
            Some(touched) => touched.as_ref().map(|touched| Current {
                pet: Arc::clone(&touched.pet),
                changed: None,
                status_set: touched.status_set,
                epoch: self.hub.epoch(),
            }),
            None => self
                .hub
                .entry(id)
                .map(|(entry, epoch)| Current::of(entry, epoch)),
        }
    }
}

impl Decided {
    /// The answer, once the change is committed at `cursor`.
    pub fn committed(self, cursor: Cursor) -> Committed {
        Committed {
            pet: self.pet,
            cursor,
            after: self.after,
        }
    }
}

impl Current {
    fn of(entry: BoardEntry, epoch: Epoch) -> Self {
        Current {
            pet: entry.pet,
            changed: Some(entry.changed),
            status_set: Some(entry.status_set),
            epoch,
        }
    }
}
