//! Changes: the numbered facts of which a store's history consists.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::{Author, Pet, PetId, RequestKey, Rev, Status, StatusNote, Timestamp, Visibility};

/// Kind of principal that asked for a change; this is all that visitors learn about the author.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ChangeSource {
    /// The simulator.
    Simulator,
    /// A person, through a page or the page's socket.
    Staff,
    /// A program, through the API or a socket of its own.
    Api,
}

impl ChangeSource {
    /// Every source.
    pub const ALL: [ChangeSource; 3] = [
        ChangeSource::Simulator,
        ChangeSource::Staff,
        ChangeSource::Api,
    ];

    /// Returns the word used in messages and the store.
    pub const fn as_str(self) -> &'static str {
        match self {
            ChangeSource::Simulator => "simulator",
            ChangeSource::Staff => "staff",
            ChangeSource::Api => "api",
        }
    }
}

/// One committed fact about one pet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// Number of the change.
    pub rev: Rev,
    /// Time of the commit.
    pub at: Timestamp,
    /// Kind of principal that asked for it.
    pub by: ChangeSource,
    /// Account and client that asked for it, where they are known. Never shown to visitors.
    pub author: Option<Arc<Author>>,
    /// Key of the request, if it had one.
    pub request: Option<RequestKey>,
    /// Visibility to visitors.
    pub visibility: Visibility,
    /// Pet that changed.
    pub pet: PetId,
    /// Kind of the change.
    pub kind: ChangeKind,
}

/// Content of a change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ChangeKind {
    /// The pet has this status since `Change::at`, without a note.
    Status(Status),
    /// The pet has this status since a time of its own, with a note or none: an undo restored the status,
    /// somebody confirmed it, or it began earlier.
    StatusSince(Status, Timestamp, StatusNote),
    /// The pet was created, edited, put into the trash or restored, and is like this now.
    Pet(Arc<Pet>),
    /// The pet of this name was deleted. Records of earlier versions have no name.
    Gone(Option<Arc<str>>),
}

impl Change {
    /// Returns the pet after this change, given the pet `before` it; `None` when it is deleted.
    pub fn apply_to(&self, before: Option<Arc<Pet>>) -> Option<Arc<Pet>> {
        let set_status = |status, since, note| {
            before.map(|mut pet| {
                let pet_after = Arc::make_mut(&mut pet);
                (pet_after.status, pet_after.since, pet_after.note) = (status, since, note);
                pet
            })
        };
        match &self.kind {
            ChangeKind::Status(status) => set_status(*status, self.at, StatusNote::default()),
            ChangeKind::StatusSince(status, since, note) => {
                set_status(*status, *since, note.clone())
            }
            ChangeKind::Pet(pet) => Some(Arc::clone(pet)),
            ChangeKind::Gone(_) => None,
        }
    }

    /// Returns the status that this change sets, and the time when the status began; `None` for a
    /// change of another kind.
    pub const fn status(&self) -> Option<(Status, Timestamp)> {
        match self.kind {
            ChangeKind::Status(status) => Some((status, self.at)),
            ChangeKind::StatusSince(status, since, _) => Some((status, since)),
            ChangeKind::Pet(_) | ChangeKind::Gone(_) => None,
        }
    }
}

impl ChangeKind {
    /// Returns the note on the status after the change; `None` if there is none.
    pub fn note(&self) -> Option<&StatusNote> {
        let note = match self {
            ChangeKind::StatusSince(_, _, note) => note,
            ChangeKind::Pet(pet) if !pet.is_in_trash() => &pet.note,
            ChangeKind::Status(_) | ChangeKind::Pet(_) | ChangeKind::Gone(_) => return None,
        };
        Some(note).filter(|note| !note.is_empty())
    }

    /// Returns the pet's name if the change contains it: the name after a create or edit, the last name
    /// of a pet that was removed.
    pub fn name(&self) -> Option<&str> {
        match self {
            ChangeKind::Pet(pet) => Some(&pet.profile.name),
            ChangeKind::Gone(name) => name.as_deref(),
            ChangeKind::Status(_) | ChangeKind::StatusSince(..) => None,
        }
    }

    /// Returns true if the change put the pet into the trash.
    pub fn is_removal(&self) -> bool {
        matches!(self, ChangeKind::Pet(pet) if pet.is_in_trash())
    }

    /// Returns the type of the message that carries this kind of change.
    pub fn as_str(&self) -> &'static str {
        match self {
            ChangeKind::Status(_) | ChangeKind::StatusSince(..) => "status",
            ChangeKind::Pet(pet) if pet.is_in_trash() => "gone",
            ChangeKind::Pet(_) => "pet",
            ChangeKind::Gone(_) => "gone",
        }
    }
}
