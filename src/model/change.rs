//! One committed fact.

use std::sync::Arc;

use super::{Author, Pet, PetId, RequestKey, Rev, Status, Timestamp};

/// Who asked for a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ChangeSource {
    Simulator,
    /// A person, through a page or the page's socket.
    Staff,
    Api,
}

impl ChangeSource {
    /// Every source.
    pub const ALL: [ChangeSource; 3] = [
        ChangeSource::Simulator,
        ChangeSource::Staff,
        ChangeSource::Api,
    ];

    /// The word used in messages and the store.
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
    pub rev: Rev,
    /// When it was committed.
    pub at: Timestamp,
    pub by: ChangeSource,
    /// Who that was by name, where it is known. Never shown to visitors.
    pub author: Option<Arc<Author>>,
    /// The key of the request that made it, if the request had one.
    pub request: Option<RequestKey>,
    pub pet: PetId,
    pub kind: ChangeKind,
}

/// What happened to the pet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ChangeKind {
    /// It does something else now, since `Change::at`.
    Status(Status),
    /// The pet has this status since an earlier time: an undo restored the status, or somebody
    /// confirmed it.
    StatusSince(Status, Timestamp),
    /// It was created or edited, and this is what it is now.
    Pet(Arc<Pet>),
    /// The pet of this name was removed. Records of earlier versions have no name.
    Gone(Option<Arc<str>>),
}

impl Change {
    /// The pet after this change, which was `before` until then; `None` when it is gone.
    pub fn leaves(&self, before: Option<Arc<Pet>>) -> Option<Arc<Pet>> {
        if let Some((status, since)) = self.status() {
            return before.map(|mut pet| {
                let record = Arc::make_mut(&mut pet);
                record.status = status;
                record.since = since;
                pet
            });
        }
        match &self.kind {
            ChangeKind::Pet(pet) => Some(Arc::clone(pet)),
            _ => None,
        }
    }

    /// The status that this change sets, and the time when the status began; `None` for a change of
    /// another kind.
    pub const fn status(&self) -> Option<(Status, Timestamp)> {
        match self.kind {
            ChangeKind::Status(status) => Some((status, self.at)),
            ChangeKind::StatusSince(status, since) => Some((status, since)),
            ChangeKind::Pet(_) | ChangeKind::Gone(_) => None,
        }
    }
}

impl ChangeKind {
    /// The pet's name after this change, or before its removal, if the change contains it.
    pub fn name(&self) -> Option<&str> {
        match self {
            ChangeKind::Pet(pet) => Some(&pet.profile.name),
            ChangeKind::Gone(name) => name.as_deref(),
            _ => None,
        }
    }

    /// The message type that carries this kind of change.
    pub const fn as_str(&self) -> &'static str {
        match self {
            ChangeKind::Status(_) | ChangeKind::StatusSince(..) => "status",
            ChangeKind::Pet(_) => "pet",
            ChangeKind::Gone(_) => "gone",
        }
    }
}
