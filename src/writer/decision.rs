//! Turns commands into changes, against the board and the earlier commands of the same batch.

use std::collections::HashMap;
use std::sync::Arc;

use super::command::{Command, Committed, Expected, WriteError};
use super::key::IdempotencyKey;
use crate::hub::Hub;
use crate::model::{
    Audience, Change, ChangeKind, Cursor, Pet, PetId, RequestKey, Rev, Signature, Timestamp,
    Visibility,
};
use crate::store::{AppliedChange, Engine, StoreError};

/// The changes of one batch so far. None of them is visible before the commit.
pub struct Decision<'a> {
    hub: &'a Hub,
    /// The rev of the board when the batch was begun.
    base: Rev,
    next_pet: PetId,
    /// Pets as this batch leaves them; `None` for one that it removes.
    pets: HashMap<PetId, Option<CurrentPet>>,
    changes: Vec<AppliedChange>,
}

/// The outcome of deciding one command.
pub enum Decided {
    /// The batch has the command's change, at this index.
    Change(usize),
    /// A command with the same key was committed before.
    Done(Committed),
}

/// A pet, with the cursors that a command's precondition is compared with. A cursor is `None` if
/// this batch makes that change, which has no rev yet.
#[derive(Clone)]
struct CurrentPet {
    pet: Arc<Pet>,
    /// The last change of the pet.
    changed: Option<Cursor>,
    /// The last change that set or confirmed its status.
    status_set: Option<Cursor>,
}

impl<'a> Decision<'a> {
    /// Begins a batch at the hub's newest rev.
    pub fn new(hub: &'a Hub) -> Self {
        let (base, next_pet) = hub.newest();
        Decision {
            hub,
            base,
            next_pet,
            pets: HashMap::new(),
            changes: Vec::new(),
        }
    }

    /// Adds the change that `command` makes, unless a command with the same key made it before.
    ///
    /// # Errors
    /// `KeyReused`, `UnknownPet`, or the precondition that does not hold; the batch is then
    /// unchanged.
    pub fn decide(
        &mut self,
        command: &Command,
        key: Option<&IdempotencyKey>,
        signature: Signature,
    ) -> Result<Decided, WriteError> {
        let principal = signature.author.as_deref();
        let principal = principal.map_or("", |author| &author.name);
        let request = key.map(|key| key.request(principal, command));
        if let Some(done) = request.and_then(|request| self.find(request)) {
            return done;
        }
        let at = Timestamp::now();
        let (before, pet, kind) = self.apply(command, at)?;
        let change = Change {
            rev: self.base,
            at,
            by: signature.by,
            author: signature.author,
            request,
            visibility: Visibility::default(),
            pet,
            kind,
        };
        Ok(Decided::Change(self.add(before, change)))
    }

    /// Finds the outcome of `request` in this batch or before it.
    fn find(&self, request: RequestKey) -> Option<Result<Decided, WriteError>> {
        let mut keys = self.changes.iter().map(|applied| applied.change.request);
        let is_same_id = |key: Option<RequestKey>| key.is_some_and(|key| key.id == request.id);
        let (fingerprint, decided) = if let Some(index) = keys.position(is_same_id) {
            let key = self.changes[index].change.request?;
            (key.fingerprint, Decided::Change(index))
        } else {
            let done = self.hub.done_request(&request.id, Timestamp::now())?;
            let (epoch, rev) = (self.hub.epoch(), done.rev);
            let committed = Committed {
                pet: done.pet,
                cursor: Cursor { epoch, rev },
                after: None,
            };
            (done.fingerprint, Decided::Done(committed))
        };
        let is_same = fingerprint == request.fingerprint;
        Some(is_same.then_some(decided).ok_or(WriteError::KeyReused))
    }

    /// Returns the pet before `command`, its id, and the change that the command makes to it.
    fn apply(
        &mut self,
        command: &Command,
        at: Timestamp,
    ) -> Result<(Option<CurrentPet>, PetId, ChangeKind), WriteError> {
        let (before, kind) = match command {
            Command::Create { profile, status } => {
                let id = self.next_pet;
                self.next_pet = id.next();
                let pet = Pet {
                    id,
                    profile: profile.clone(),
                    status: *status,
                    since: at,
                };
                return Ok((None, id, ChangeKind::Pet(Arc::new(pet))));
            }
            Command::Edit {
                pet,
                patch,
                base,
                expected,
            } => {
                let before = self.current_if(*pet, expected)?;
                let conflicts = |profile| {
                    let base = base.as_deref();
                    base.is_some_and(|base| !base.conflicts(patch, profile).is_empty())
                };
                if conflicts(&before.pet.profile) {
                    return Err(WriteError::EditConflict);
                }
                let mut edited = Pet::clone(&before.pet);
                edited.profile = patch.apply(&before.pet.profile);
                (before, ChangeKind::Pet(Arc::new(edited)))
            }
            Command::SetStatus {
                pet,
                status,
                since,
                expected,
            } => {
                let before = self.current_if(*pet, expected)?;
                let confirmed = (*status == before.pet.status).then_some(before.pet.since);
                let kind = match since.or(confirmed) {
                    Some(since) => ChangeKind::StatusSince(*status, since),
                    None => ChangeKind::Status(*status),
                };
                (before, kind)
            }
            Command::Remove { pet, expected } => {
                let before = self.current_if(*pet, expected)?;
                let name = before.pet.profile.name.as_str().into();
                (before, ChangeKind::Gone(Some(name)))
            }
        };
        let pet = before.pet.id;
        Ok((Some(before), pet, kind))
    }

    /// Appends `change` with the visibility that follows from its pet before and after, and returns its
    /// index.
    fn add(&mut self, before: Option<CurrentPet>, mut change: Change) -> usize {
        let (before, status_set) = before.map(|pet| (pet.pet, pet.status_set)).unzip();
        // Only an edit keeps the status.
        let status_set = match change.kind {
            ChangeKind::Pet(_) => status_set.flatten(),
            _ => None,
        };
        let id = change.pet;
        let after = change.apply_to(before.clone());
        change.visibility = Visibility::between(before.as_deref(), after.as_deref());
        let current = after.clone().map(|pet| CurrentPet {
            pet,
            changed: None,
            status_set,
        });
        self.pets.insert(id, current);
        self.changes.push(AppliedChange { change, after });
        self.changes.len() - 1
    }

    /// Returns the pet as the batch leaves it so far, if `expected` holds for it.
    fn current_if(&self, id: PetId, expected: &Expected) -> Result<CurrentPet, WriteError> {
        let current = self.current(id).ok_or(WriteError::UnknownPet(id))?;
        let is_met =
            |at: Option<Cursor>, cursors: &[Cursor]| at.is_some_and(|at| cursors.contains(&at));
        match expected {
            Expected::LastChange(cursors) if !is_met(current.changed, cursors) => {
                Err(WriteError::PreconditionFailed)
            }
            Expected::StatusSetAt(cursor) if !is_met(current.status_set, &[*cursor]) => {
                Err(WriteError::StatusMovedOn)
            }
            _ => Ok(current),
        }
    }

    fn current(&self, id: PetId) -> Option<CurrentPet> {
        if let Some(current) = self.pets.get(&id) {
            return current.clone();
        }
        let (entry, epoch) = self.hub.entry(id, Audience::Staff)?;
        let cursor = |rev| Some(Cursor { epoch, rev });
        Some(CurrentPet {
            pet: entry.pet,
            changed: cursor(entry.changed),
            status_set: cursor(entry.status_set),
        })
    }

    /// Number of changes.
    pub fn len(&self) -> usize {
        self.changes.len()
    }

    /// Makes the changes durable and then, and only then, visible. Returns their revs.
    ///
    /// # Errors
    /// As for `Engine::commit`.
    pub fn commit(&self, engine: &dyn Engine) -> Result<Vec<Rev>, StoreError> {
        let metrics = self.hub.metrics();
        let timer = metrics.commit_duration.start_timer();
        let committed = engine.commit(self.base, &self.changes);
        timer.observe_duration();
        match &committed {
            Ok(_) => metrics.commits.inc(),
            Err(StoreError::Conflict) => metrics.conflicts.inc(),
            Err(_) => metrics.commit_failures.inc(),
        }
        committed
    }

    /// Returns the outcome of the change at `index`, after it was committed at `cursor`.
    pub fn committed(&self, index: usize, cursor: Cursor) -> Committed {
        let AppliedChange { change, after } = &self.changes[index];
        Committed {
            pet: change.pet,
            cursor,
            after: after.clone(),
        }
    }
}
