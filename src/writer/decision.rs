//! Turns commands into changes, against the board and the earlier commands of the same batch. What a status
//! begins with is decided in `status`.

mod status;

use std::collections::{BTreeMap, HashMap};
use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use super::command::{Command, Committed, Expected, Namesakes, OnRefusal, StatusEdit, WriteError};
use super::key::IdempotencyKey;
use super::photos::{add_photo, added_at, edit_photos};
use crate::hub::Hub;
use crate::model::{
    Audience, Change, ChangeKind, Cursor, Pet, PetId, Profile, Removal, RequestKey, Rev, Signature,
    StatusNote, Timestamp, Visibility,
};
use crate::store::{AppliedChange, Engine, StoreError};

/// The changes of one batch so far. None of them is visible before the commit.
pub struct Decision<'a> {
    hub: &'a Hub,
    /// The rev of the board when the batch was begun.
    base: Rev,
    next_pet: PetId,
    /// Pets as this batch leaves them, on the board or in the trash; `None` for one that it deletes.
    pets: HashMap<PetId, Option<CurrentPet>>,
    changes: Vec<AppliedChange>,
    /// Time after which confirming a status begins it again; `None` for never.
    status_age: Option<Duration>,
}

/// The outcome of deciding one command.
pub enum Decided {
    /// The batch has the command's changes, at these indices.
    Changes(Range<usize>),
    /// A command with the same key was committed before.
    Done(Committed),
}

/// The pet before a change, its id, and the change.
type Proposed = (Option<CurrentPet>, PetId, ChangeKind);

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
            status_age: None,
        }
    }

    /// Begins a status again that is confirmed after this time: nobody knows whether the pet did something
    /// else in between.
    pub fn with_status_age(mut self, age: Option<Duration>) -> Self {
        self.status_age = age;
        self
    }

    /// Adds the changes that `command` makes, unless a command with the same key made it before.
    ///
    /// # Errors
    /// `KeyReused`, `UnknownPet`, `NotInTrash`, `Namesake`, `BeginsTooEarly`, an error of photos, or the
    /// precondition that does not hold; the batch is then unchanged.
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
        let by = signature.author.as_deref().map(|author| &*author.name);
        let proposed = self.apply(command, at, by)?;
        let first = self.changes.len();
        for (before, pet, kind) in proposed {
            let change = Change {
                rev: self.base,
                at,
                by: signature.by,
                author: signature.author.clone(),
                request,
                visibility: Visibility::default(),
                pet,
                kind,
            };
            self.add(before, change);
        }
        Ok(Decided::Changes(first..self.changes.len()))
    }

    /// Finds the outcome of `request` in this batch or before it.
    fn find(&self, request: RequestKey) -> Option<Result<Decided, WriteError>> {
        let mut keys = self.changes.iter().map(|applied| applied.change.request);
        let is_same_id = |key: Option<RequestKey>| key.is_some_and(|key| key.id == request.id);
        let (fingerprint, decided) = if let Some(index) = keys.position(is_same_id) {
            let key = self.changes[index].change.request?;
            (key.fingerprint, Decided::Changes(index..index + 1))
        } else {
            let done = self.hub.done_request(&request.id, Timestamp::now())?;
            let epoch = self.hub.epoch();
            let cursor = |rev| Cursor { epoch, rev };
            let committed = Committed {
                pet: done.pet,
                first: cursor(done.first),
                cursor: cursor(done.rev),
                after: None,
            };
            (done.fingerprint, Decided::Done(committed))
        };
        let is_same = fingerprint == request.fingerprint;
        Some(is_same.then_some(decided).ok_or(WriteError::KeyReused))
    }

    /// Returns the changes that `command` of the account `by` makes.
    fn apply(
        &mut self,
        command: &Command,
        at: Timestamp,
        by: Option<&str>,
    ) -> Result<Vec<Proposed>, WriteError> {
        let (before, kind) = match command {
            Command::Create {
                profile,
                photos,
                status,
                namesakes,
            } => {
                self.check_namesakes(*namesakes, None, profile)?;
                let id = self.next_pet;
                self.next_pet = id.next();
                let pet = Pet {
                    id,
                    profile: profile.clone(),
                    photos: photos.iter().map(|photo| added_at(photo, at)).collect(),
                    status: *status,
                    since: at,
                    removed: None,
                    note: StatusNote::default(),
                };
                return Ok(vec![(None, id, ChangeKind::Pet(Arc::new(pet)))]);
            }
            Command::Edit {
                pet,
                patch,
                base,
                expected,
                namesakes,
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
                if edited.profile.folded_identity() != before.pet.profile.folded_identity() {
                    self.check_namesakes(*namesakes, Some(*pet), &edited.profile)?;
                }
                (before, ChangeKind::Pet(Arc::new(edited)))
            }
            Command::AddPhoto { pet, photo } => {
                let before = self.current_if(*pet, &Expected::Anything)?;
                let kind = add_photo(&before.pet, photo, at)?;
                (before, kind)
            }
            Command::EditPhotos {
                pet,
                edit,
                expected,
            } => {
                let before = self.current_if(*pet, expected)?;
                let kind = edit_photos(&before.pet, edit)?;
                (before, kind)
            }
            Command::SetStatus { pet, edit } => self.apply_status(*pet, edit, at)?,
            Command::SetStatuses {
                statuses,
                on_refusal,
            } => return self.apply_statuses(statuses, *on_refusal, at),
            Command::Remove { pet, expected } => {
                let before = self.current_if(*pet, expected)?;
                let mut removed = Pet::clone(&before.pet);
                let by = by.map(str::to_owned);
                removed.removed = Some(Removal { at, by });
                (before, ChangeKind::Pet(Arc::new(removed)))
            }
            Command::Restore(pet) => {
                let before = self.in_trash(*pet)?;
                let mut restored = Pet::clone(&before.pet);
                restored.removed = None;
                (before, ChangeKind::Pet(Arc::new(restored)))
            }
            Command::Delete(pet) => {
                let before = self.in_trash(*pet)?;
                let name = before.pet.profile.name.as_str().into();
                (before, ChangeKind::Gone(Some(name)))
            }
        };
        let pet = before.pet.id;
        Ok(vec![(Some(before), pet, kind)])
    }

    /// Returns the pet, and the change that sets its status.
    fn apply_status(
        &self,
        pet: PetId,
        edit: &StatusEdit,
        at: Timestamp,
    ) -> Result<(CurrentPet, ChangeKind), WriteError> {
        let before = self.current_if(pet, &edit.expected)?;
        let kind = self.set_status(&before.pet, edit, at)?;
        Ok((before, kind))
    }

    /// Returns the changes that set `statuses`.
    fn apply_statuses(
        &self,
        statuses: &BTreeMap<PetId, StatusEdit>,
        on_refusal: OnRefusal,
        at: Timestamp,
    ) -> Result<Vec<Proposed>, WriteError> {
        let (mut proposed, mut refusal) = (Vec::with_capacity(statuses.len()), None);
        for (pet, edit) in statuses {
            match (self.apply_status(*pet, edit, at), on_refusal) {
                (Ok((before, kind)), _) => proposed.push((Some(before), *pet, kind)),
                (Err(error), OnRefusal::Abort) => return Err(error),
                (Err(error), OnRefusal::Skip) => refusal = Some(error),
            }
        }
        match refusal {
            Some(error) if proposed.is_empty() => Err(error),
            _ => Ok(proposed),
        }
    }

    /// Refuses `profile` of `pet` if another pet is a namesake, unless that is allowed.
    fn check_namesakes(
        &self,
        namesakes: Namesakes,
        pet: Option<PetId>,
        profile: &Profile,
    ) -> Result<(), WriteError> {
        if namesakes == Namesakes::Allowed {
            return Ok(());
        }
        let board = self.hub.board(Audience::Staff);
        let unchanged = board
            .pets
            .iter()
            .filter(|pet| !self.pets.contains_key(&pet.id));
        let in_batch = self.pets.values().flatten().map(|current| &current.pet);
        let mut others = unchanged.chain(in_batch.filter(|pet| !pet.is_in_trash()));
        let identity = profile.folded_identity();
        let namesake = others
            .find(|other| Some(other.id) != pet && other.profile.folded_identity() == identity);
        namesake.map_or(Ok(()), |other| Err(WriteError::Namesake(other.id)))
    }

    /// Appends `change` with the visibility that follows from its pet before and after.
    fn add(&mut self, before: Option<CurrentPet>, mut change: Change) {
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
    }

    /// Returns the pet as the batch leaves it so far, if `expected` holds for it.
    fn current_if(&self, id: PetId, expected: &Expected) -> Result<CurrentPet, WriteError> {
        let on_board = self.stored(id).filter(|stored| !stored.pet.is_in_trash());
        let current = on_board.ok_or(WriteError::UnknownPet(id))?;
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

    /// Returns the pet in the trash as the batch leaves it so far.
    fn in_trash(&self, id: PetId) -> Result<CurrentPet, WriteError> {
        let in_trash = self.stored(id).filter(|stored| stored.pet.is_in_trash());
        in_trash.ok_or(WriteError::NotInTrash(id))
    }

    /// Returns a pet on the board or in the trash.
    fn stored(&self, id: PetId) -> Option<CurrentPet> {
        if let Some(current) = self.pets.get(&id) {
            return current.clone();
        }
        let (entry, epoch) = self.hub.stored(id)?;
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

    /// Returns the outcome of the command whose changes are at `places`, after the batch was committed
    /// at `revs`.
    pub fn committed(&self, places: &Range<usize>, revs: &[Rev]) -> Committed {
        let epoch = self.hub.epoch();
        let cursor = |place: usize| Cursor {
            epoch,
            rev: revs[place],
        };
        let last = places.end - 1;
        let AppliedChange { change, after } = &self.changes[last];
        Committed {
            pet: change.pet,
            first: cursor(places.start),
            cursor: cursor(last),
            after: after.clone(),
        }
    }
}
