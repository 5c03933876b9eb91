//! What is asked of an engine: a change that has no rev yet.

use std::sync::Arc;

use crate::model::{Change, ChangeKind, Pet, PetId, RequestKey, Rev, Signature, Timestamp};

/// A change to be committed. The engine gives it its rev.
#[derive(Clone, Debug)]
pub struct ProposedChange {
    pub at: Timestamp,
    pub signature: Signature,
    pub request: Option<RequestKey>,
    pub pet: PetId,
    pub kind: ChangeKind,
    /// The pet as it is then; `None` when it is gone.
    pub after: Option<Arc<Pet>>,
}

impl ProposedChange {
    /// The change that this becomes with its rev.
    pub fn at_rev(&self, rev: Rev) -> Change {
        Change {
            rev,
            at: self.at,
            by: self.signature.by,
            author: self.signature.author.clone(),
            request: self.request,
            pet: self.pet,
            kind: self.kind.clone(),
        }
    }

    /// The changes that `puts` become when they follow `read` without a hole, as they do where
    /// nobody else writes.
    pub fn number(read: Rev, proposed: &[ProposedChange]) -> Vec<Change> {
        let revs = std::iter::successors(Some(read.next()), |rev| Some(rev.next()));
        proposed
            .iter()
            .zip(revs)
            .map(|(put, rev)| put.at_rev(rev))
            .collect()
    }
}
