//! Commands to the writer, their outcome and their errors.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::model::{
    Cursor, Pet, PetId, Photo, PhotoEdit, Profile, ProfileBase, ProfilePatch, Scope, Status,
    StatusNote, StatusStart, Timestamp,
};
use crate::store::{MAX_COMMIT_CHANGES, StoreError};

/// The most pets of one `Command::SetStatuses`, which is one commit.
pub const MAX_BULK_PETS: usize = MAX_COMMIT_CHANGES;

/// A request for a change, or for a change of each of several pets. Its values are valid: the writer refuses only what depends on the
/// state.
#[derive(Clone, Debug)]
pub enum Command {
    /// Creates a pet, which gets the next id.
    Create {
        /// Profile of the pet.
        profile: Profile,
        /// Photos of the pet, whose files are in the engine.
        photos: Vec<Photo>,
        /// First status of the pet.
        status: Status,
        /// Condition on the other pets.
        namesakes: Namesakes,
    },
    /// Edits a profile.
    Edit {
        /// The pet.
        pet: PetId,
        /// The fields that are set.
        patch: ProfilePatch,
        /// The profile on which the edit is based. Fields that someone else has changed since are
        /// kept, unless `patch` sets them too: then the edit is refused.
        base: Option<Box<ProfileBase>>,
        /// The precondition.
        expected: Expected,
        /// Condition on the other pets, if the edit changes what people tell this pet by.
        namesakes: Namesakes,
    },
    /// Sets a status. Setting the current status confirms it: this is a change too. It keeps the pet's
    /// `since` and note, unless the status is old or `edit` has a start or a note.
    SetStatus {
        /// The pet.
        pet: PetId,
        /// The status.
        edit: StatusEdit,
    },
    /// Sets the statuses of several pets in one commit, in the order of their ids.
    SetStatuses {
        /// The statuses by pet, of 1 to `MAX_BULK_PETS` pets.
        statuses: BTreeMap<PetId, StatusEdit>,
        /// The answer to a refusal of one of them.
        on_refusal: OnRefusal,
    },
    /// Adds a photo behind those of the pet. Its files are in the engine.
    AddPhoto {
        /// The pet.
        pet: PetId,
        /// The photo.
        photo: Photo,
    },
    /// Edits the photos of a pet.
    EditPhotos {
        /// The pet.
        pet: PetId,
        /// The edit.
        edit: PhotoEdit,
        /// The precondition.
        expected: Expected,
    },
    /// Removes a pet: puts it into the trash.
    Remove {
        /// The pet.
        pet: PetId,
        /// The precondition.
        expected: Expected,
    },
    /// Restores a pet from the trash, as it was.
    Restore(PetId),
    /// Deletes a pet in the trash for good.
    Delete(PetId),
}

/// A status that is set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StatusEdit {
    /// The status.
    pub status: Status,
    /// When the status began.
    pub start: StatusStart,
    /// The note on the status. `None` for no note, or for the present one if this confirms the status.
    pub note: Option<StatusNote>,
    /// The precondition.
    pub expected: Expected,
}

impl From<Status> for StatusEdit {
    /// Sets or confirms a status, from now on and without a precondition.
    fn from(status: Status) -> Self {
        StatusEdit {
            status,
            start: StatusStart::Now,
            note: None,
            expected: Expected::Anything,
        }
    }
}

/// The answer of a command for several pets to one that is unknown or not in the expected state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnRefusal {
    /// Refuses the whole command.
    Abort,
    /// Leaves this pet as it is. Refuses the command if no pet remains.
    Skip,
}

impl Command {
    /// Creates a pet without a status: somebody sets the first one.
    pub fn create(profile: Profile) -> Self {
        Command::create_among(Namesakes::Allowed, profile)
    }

    /// Creates a pet without a status, on a condition.
    pub fn create_among(namesakes: Namesakes, profile: Profile) -> Self {
        Command::Create {
            profile,
            photos: Vec::new(),
            status: Status::NotSetYet,
            namesakes,
        }
    }

    /// Edits a profile without a precondition.
    pub fn edit(pet: PetId, patch: ProfilePatch) -> Self {
        Command::Edit {
            pet,
            patch,
            base: None,
            expected: Expected::Anything,
            namesakes: Namesakes::Allowed,
        }
    }

    /// Sets or confirms a status without a precondition.
    pub fn set_status(pet: PetId, status: Status) -> Self {
        Command::SetStatus {
            pet,
            edit: status.into(),
        }
    }

    /// Sets or confirms the status of several pets.
    pub fn set_statuses(
        pets: impl IntoIterator<Item = PetId>,
        edit: impl Into<StatusEdit>,
        on_refusal: OnRefusal,
    ) -> Self {
        let edit: StatusEdit = edit.into();
        let statuses = pets.into_iter().map(|pet| (pet, edit.clone()));
        Command::SetStatuses {
            statuses: statuses.collect(),
            on_refusal,
        }
    }

    /// Returns true if the command is committed in a transaction of its own: its changes may be as many
    /// as one can have.
    pub(super) fn is_bulk(&self) -> bool {
        matches!(self, Command::SetStatuses { .. })
    }

    /// Removes a pet without a precondition.
    pub fn remove(pet: PetId) -> Self {
        Command::Remove {
            pet,
            expected: Expected::Anything,
        }
    }
}

/// Condition of a command on namesakes: pets that people would take for the same one. Private pets count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Namesakes {
    /// There may be others.
    Allowed,
    /// The command is refused if there is another: its author may have missed that pet.
    Refused,
}

/// A precondition on the pet. The writer checks it when it decides the command, and again after a
/// conflict with another node. A cursor of another epoch never holds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Expected {
    /// The pet exists.
    #[default]
    Anything,
    /// The last change of the pet, of any kind, is one of these: `If-Match`.
    LastChange(Vec<Cursor>),
    /// The last change that set or confirmed the status is this one, whatever happened to the
    /// profile since: an undo, which must not overwrite someone else's status.
    StatusSetAt(Cursor),
}

impl Expected {
    /// Returns true if the precondition on the last change holds for a pet that changed last at
    /// `cursor`. Ignores a precondition on the status.
    pub fn allows(&self, cursor: Cursor) -> bool {
        match self {
            Expected::LastChange(cursors) => cursors.contains(&cursor),
            Expected::Anything | Expected::StatusSetAt(_) => true,
        }
    }
}

/// The outcome of a command that was committed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Committed {
    /// The pet; the last one if the command changed several.
    pub pet: PetId,
    /// The cursor of the first change. The changes of a command have consecutive revs.
    pub first: Cursor,
    /// The cursor of the change; of the last one if there are several.
    pub cursor: Cursor,
    /// The pet after the change; `None` if the change deleted the pet, or if the command was a
    /// retry: then the pet is in the log.
    pub after: Option<Arc<Pet>>,
}

/// The reason why a command was refused or not confirmed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WriteError {
    /// There is no such pet.
    #[error("there is no pet {0}")]
    UnknownPet(PetId),
    /// There is no such pet in the trash.
    #[error("there is no pet {0} in the trash")]
    NotInTrash(PetId),
    /// The signer's permission was revoked while the command waited.
    #[error("the session or token is no longer valid")]
    SignedOut,
    /// The signer's role or scope no longer allows the command.
    #[error("this needs a token with the scope {}", .0.as_str())]
    NotInScope(Scope),
    /// `Expected::LastChange` does not hold.
    #[error("the pet has changed, so If-Match no longer holds; read the pet again")]
    PreconditionFailed,
    /// The idempotency key belongs to another command.
    #[error("this key was used for another request; send a new key with a new request")]
    KeyReused,
    /// Another edit changed a field that this edit sets.
    #[error("someone else saved changes to this pet while you were editing")]
    EditConflict,
    /// `Namesakes::Refused` does not hold: this is the other pet.
    #[error("pet {0} has the same name and species")]
    Namesake(PetId),
    /// The pet has as many photos as it may have.
    #[error("a pet has at most {} photos; remove one first", Photo::MAX_PER_PET)]
    TooManyPhotos,
    /// The pet has this photo already.
    #[error("this pet already has this photo")]
    PhotoExists,
    /// The edit names a photo that the pet does not have.
    #[error("this pet has no such photo; read the pet again")]
    UnknownPhoto,
    /// `Expected::StatusSetAt` does not hold.
    #[error("someone else has set this pet's status since then")]
    StatusMovedOn,
    /// The status would have begun before the one that precedes it.
    #[error("the previous status, {status}, began at {since}; use that time or a later one")]
    BeginsTooEarly {
        /// The status that precedes it.
        status: Status,
        /// When that one began.
        since: Timestamp,
        /// Field of the request that has the start.
        field: &'static str,
    },
    /// The queue is full.
    #[error("too many changes are waiting to be written; try again in a moment")]
    Busy,
    /// The writer has ended.
    #[error("the server is stopping")]
    Stopping,
    /// The disk failed. The change may be in the store after its recovery.
    #[error(
        "the disk failed, so the change was not confirmed; check the board before you try again"
    )]
    Store,
    /// The store's file was moved or deleted.
    #[error(
        "the data of this server was moved or deleted, so nothing was changed; tell the operator"
    )]
    Moved,
    /// The disk is full.
    #[error("the disk is full, so nothing can be changed until there is space")]
    Full,
    /// Other nodes kept changing the pet.
    #[error("someone else changed the same pet at the same time; check it and try again")]
    Conflict,
    /// The engine will never accept the change.
    #[error("the database cannot store this change, so nothing was changed")]
    Rejected,
    /// The engine does not respond.
    #[error("the database does not respond, so nothing was changed; try again in a moment")]
    Unavailable,
    /// The engine did not acknowledge the change.
    #[error(
        "the database did not confirm the change in time; it may still be applied, so check the \
         board before you try again"
    )]
    Unknown,
}

impl WriteError {
    /// The answer to a command whose commit failed with `error`.
    pub(super) fn from_store(error: &StoreError) -> Self {
        match error {
            StoreError::Full(_) => WriteError::Full,
            StoreError::Moved(_) => WriteError::Moved,
            StoreError::Conflict => WriteError::Conflict,
            StoreError::Unavailable(_) => WriteError::Unavailable,
            StoreError::Unknown(_) => WriteError::Unknown,
            StoreError::Rejected(_) => WriteError::Rejected,
            _ => WriteError::Store,
        }
    }

    /// The answer to a command during an outage that `error` caused: nothing of the command was
    /// written.
    pub(super) fn during_outage(error: &StoreError) -> Self {
        match WriteError::from_store(error) {
            WriteError::Unknown => WriteError::Unavailable,
            answer => answer,
        }
    }
}
