//! What can be asked of the writer, and what it answers.

use std::sync::Arc;

use crate::model::{
    Cursor, Pet, PetId, Profile, ProfileBase, ProfilePatch, Scope, Status, Timestamp,
};
use crate::store::StoreError;

/// A request to change something. Validated already: the writer refuses only what depends on the
/// state.
#[derive(Clone, Debug)]
pub enum Command {
    /// A new pet, which is given the next id.
    Create {
        profile: Profile,
        status: Status,
    },
    Edit {
        pet: PetId,
        patch: ProfilePatch,
        /// The profile that the edit was made for. Fields that somebody else has changed since are
        /// kept, unless `patch` sets them too: then the edit is refused.
        base: Option<Box<ProfileBase>>,
        expected: Expected,
    },
    /// Setting the status that the pet already has confirms it: this is a change too, and `since` of
    /// the pet stays.
    SetStatus {
        pet: PetId,
        status: Status,
        /// When the status began; `None` for now, or for the moment that the pet has if this
        /// confirms its status. An undo restores it.
        since: Option<Timestamp>,
        expected: Expected,
    },
    Remove {
        pet: PetId,
        expected: Expected,
    },
}

/// A precondition on the pet, which the writer checks when it decides the command, and again when
/// another node was faster. A cursor of another epoch never holds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Expected {
    /// No precondition but that the pet exists.
    #[default]
    Anything,
    /// The last change of the pet, of any kind, is one of these: `If-Match`.
    LastChange(Vec<Cursor>),
    /// The last change that set or confirmed the status is this one, whatever happened to the
    /// profile since: an undo, which must not overwrite somebody else's status.
    StatusSetAt(Cursor),
}

/// What a new pet is doing until somebody says otherwise: most of them sleep after the journey.
const FIRST_STATUS: Status = Status::Sleeping;

impl Expected {
    /// Returns true if it holds for a pet that changed last at `cursor`. Says nothing about its
    /// status.
    pub fn allows(&self, cursor: Cursor) -> bool {
        match self {
            Expected::LastChange(cursors) => cursors.contains(&cursor),
            Expected::Anything | Expected::StatusSetAt(_) => true,
        }
    }
}

impl Command {
    /// A new pet, of which nobody said yet what it is doing.
    pub fn create(profile: Profile) -> Self {
        Command::Create {
            profile,
            status: FIRST_STATUS,
        }
    }

    /// An edit, whatever the pet was before.
    pub fn edit(pet: PetId, patch: ProfilePatch) -> Self {
        let expected = Expected::Anything;
        Command::Edit {
            pet,
            patch,
            base: None,
            expected,
        }
    }

    /// A removal, whatever the pet was before.
    pub fn remove(pet: PetId) -> Self {
        let expected = Expected::Anything;
        Command::Remove { pet, expected }
    }

    /// Sets a status from now on, or confirms it, whatever the pet did before.
    pub fn set_status(pet: PetId, status: Status) -> Self {
        Command::SetStatus {
            pet,
            status,
            since: None,
            expected: Expected::Anything,
        }
    }
}

/// A command that was carried out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Committed {
    pub pet: PetId,
    /// The cursor of the change it made.
    pub cursor: Cursor,
    /// The pet as this change left it; `None` if the change removed the pet, or if the command was a
    /// retry: then the pet is in the log.
    pub after: Option<Arc<Pet>>,
}

/// Why a command was not carried out.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WriteError {
    #[error("there is no pet {0}")]
    UnknownPet(PetId),
    #[error("the session or token is not valid any more")]
    SignedOut,
    #[error("this takes a token with the scope {}", .0.as_str())]
    NotInScope(Scope),
    #[error("the pet has changed, so If-Match no longer holds; read the pet again")]
    PreconditionFailed,
    #[error("this key was used for another request; send a new key with a new request")]
    KeyReused,
    #[error("someone else saved changes to this pet while you were editing")]
    EditConflict,
    #[error("someone else has set this pet's status since then")]
    StatusMovedOn,
    #[error("too many changes are waiting to be written; try again in a moment")]
    Busy,
    #[error("the server is stopping")]
    Stopping,
    #[error(
        "the disk failed, so the change was not confirmed and shown to nobody; look at the board \
         before you try again"
    )]
    Store,
    #[error(
        "the data of this server was moved or deleted, so nothing was changed; \
         please tell the operator"
    )]
    Moved,
    #[error("the disk is full, so nothing can be changed until there is room")]
    Full,
    #[error("somebody else changed the same pet at the same moment; look at it and try again")]
    Conflict,
    #[error("the data will never take this change, so nothing was changed")]
    Rejected,
    #[error("the data is out of reach, so nothing was changed; try again in a moment")]
    Unavailable,
    #[error(
        "the data was lost from reach before it answered, so the change may have been made, or may \
         still be; look at the board before you try again"
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
