//! Views of the board, for the page and for the API.

use std::sync::Arc;

use super::site::run_blocking;
use crate::error::Failure;
use crate::model::{Activities, Audience, Pet, PetPage, PetQuery, QueryProblem};

/// Parses the query of an address. Parameters that belong to no view are ignored.
pub fn parse_view(query: Option<&str>, activities: &Activities) -> (PetQuery, Vec<QueryProblem>) {
    let pairs = serde_urlencoded::from_str::<Vec<(String, String)>>(query.unwrap_or_default());
    let pairs = pairs.unwrap_or_default();
    PetQuery::parse(
        pairs
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str())),
        activities,
    )
}

/// Selects the pets of a view. A search of a large board runs outside of the async workers.
///
/// # Errors
/// 500 if the search panics.
pub async fn find_pets(
    query: &PetQuery,
    pets: &Arc<[Arc<Pet>]>,
    audience: Audience,
) -> Result<PetPage, Failure> {
    if query.is_plain() {
        return Ok(query.select(pets, audience));
    }
    let (query, pets) = (query.clone(), Arc::clone(pets));
    run_blocking(move || Ok(query.select(&pets, audience))).await
}
