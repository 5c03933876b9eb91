//! The board: the current status of every pet, and its snapshots.

use std::sync::{Arc, OnceLock};

use crate::model::{Audience, Change, Cursor, Pet, PetId, Rev};
use crate::wire::{Frame, SnapshotForm};

/// A snapshot of up to this many pets is encoded in less than a millisecond.
const QUICK_PETS: usize = 1000;

/// The pets of a page.
#[derive(Clone, Debug)]
pub struct Board {
    /// The cursor at which all of this is true.
    pub cursor: Cursor,
    /// All pets that the reader may know of, in the order of their ids.
    pub pets: Arc<[Arc<Pet>]>,
}

/// A pet on the board or in the trash, with the revs that preconditions of commands are compared with.
#[derive(Clone, Debug)]
pub struct BoardEntry {
    /// The pet.
    pub pet: Arc<Pet>,
    /// The last change of any kind.
    pub changed: Rev,
    /// The last change that visitors learned of. It may be unknown for a pet that is not public:
    /// then it is `Rev::ZERO`.
    pub(super) announced: Rev,
    /// The last change that set or confirmed the status. After a restart it may be unknown: then it is
    /// `Rev::ZERO` if the last change of the pet is in the backlog, and `changed` otherwise.
    pub status_set: Rev,
}

impl BoardEntry {
    /// Creates the entry of a loaded pet that was last changed at `changed`.
    pub(super) fn load((pet, changed): (Pet, Rev)) -> (PetId, Self) {
        let entry = BoardEntry {
            changed,
            announced: if pet.is_public() { changed } else { Rev::ZERO },
            status_set: changed,
            pet: Arc::new(pet),
        };
        (entry.pet.id, entry)
    }

    /// Returns true if the pet is on the board of `audience`. A pet in the trash is on none.
    pub(super) fn is_for(&self, audience: Audience) -> bool {
        match audience {
            Audience::Public => self.pet.is_public(),
            Audience::Staff => !self.pet.is_in_trash(),
        }
    }

    /// Returns the entry after `change`, or `None` if the pet was deleted.
    pub(super) fn after(change: &Change, before: Option<BoardEntry>) -> Option<Self> {
        let announced_before = before.as_ref().map(|entry| entry.announced);
        let (before, was_set) = before.map(|entry| (entry.pet, entry.status_set)).unzip();
        let status_before = before.as_deref().map(|pet| (pet.status, pet.since));
        let pet = change.apply_to(before)?;
        let is_set = change.status().is_some() || status_before != Some((pet.status, pet.since));
        Some(BoardEntry {
            changed: change.rev,
            announced: if change.visibility.is_announced() {
                change.rev
            } else {
                announced_before.unwrap_or_default()
            },
            status_set: if is_set { change.rev } else { was_set? },
            pet,
        })
    }
}

/// A snapshot of some pets, encoded when the first viewer needs it. Clones share the encoding.
#[derive(Clone)]
pub struct BoardSnapshot {
    cursor: Cursor,
    pets: Arc<[Arc<Pet>]>,
    whole: Arc<OnceLock<Frame>>,
    parts: Arc<OnceLock<Vec<Frame>>>,
}

impl BoardSnapshot {
    /// Creates a snapshot of `pets` at `cursor`.
    pub(super) fn new(cursor: Cursor, pets: Arc<[Arc<Pet>]>) -> Self {
        BoardSnapshot {
            cursor,
            pets,
            whole: Arc::default(),
            parts: Arc::default(),
        }
    }

    /// Returns the pets.
    pub fn pets(&self) -> Arc<[Arc<Pet>]> {
        Arc::clone(&self.pets)
    }

    /// Returns the cursor of a viewer that has this snapshot.
    pub fn cursor(&self) -> Cursor {
        self.cursor
    }

    /// Returns the frames, unless they have to be encoded first and that takes long.
    pub fn frames_now(&self, form: SnapshotForm) -> Option<Vec<Frame>> {
        let is_encoded = match form {
            SnapshotForm::Whole => self.whole.get().is_some(),
            SnapshotForm::Parts => self.parts.get().is_some(),
        };
        (is_encoded || self.pets.len() <= QUICK_PETS).then(|| self.frames(form))
    }

    /// Returns the frames for viewers that take snapshots in `form`. Encoded once per form, also when
    /// several viewers ask simultaneously.
    pub fn frames(&self, form: SnapshotForm) -> Vec<Frame> {
        let pets = self.pets.iter().map(|pet| &**pet);
        let Cursor { epoch, rev } = self.cursor;
        match form {
            SnapshotForm::Whole => {
                let encode = || Frame::from_snapshot(epoch, rev, pets);
                vec![self.whole.get_or_init(encode).clone()]
            }
            SnapshotForm::Parts => {
                let encode = || Frame::from_snapshot_in_parts(epoch, rev, pets);
                self.parts.get_or_init(encode).clone()
            }
        }
    }
}
