//! The topics that viewers subscribe to.

use crate::model::PetId;

/// Subject of a frame: one pet. Delivery compares topics and does not look inside.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Topic(PetId);

impl Topic {
    /// Returns the pet that the topic is about.
    pub fn pet(self) -> PetId {
        self.0
    }
}

impl From<PetId> for Topic {
    fn from(pet: PetId) -> Self {
        Topic(pet)
    }
}
