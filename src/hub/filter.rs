//! Which pets a viewer wants to hear of.

use std::sync::Arc;

use crate::model::PetId;

/// The most pets that one viewer may name; who wants more watches all of them. Keeps a request
/// from costing more than a snapshot of the whole board.
pub const FILTER_LIMIT: usize = 100;

/// Which pets a viewer wants to hear of.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Filter {
    All,
    /// Sorted, each once, at least one.
    Pets(Arc<[PetId]>),
}

/// The request names more pets than `FILTER_LIMIT`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("at most {FILTER_LIMIT} pets can be named; leave `pet` out to watch all of them")]
pub struct TooManyPets;

impl Filter {
    /// The pets named in a request; none means all.
    pub fn of(mut pets: Vec<PetId>) -> Result<Self, TooManyPets> {
        pets.sort_unstable();
        pets.dedup();
        match pets.len() {
            0 => Ok(Filter::All),
            1..=FILTER_LIMIT => Ok(Filter::Pets(pets.into())),
            _ => Err(TooManyPets),
        }
    }

    pub fn wants(&self, pet: PetId) -> bool {
        match self {
            Filter::All => true,
            Filter::Pets(pets) => pets.binary_search(&pet).is_ok(),
        }
    }
}
