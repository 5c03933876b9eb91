//! Which failure each error of the layers below is to the asker. The table in the tests pins every
//! variant.

#[cfg(test)]
mod tests;

use std::error::Error;

use poem::http::StatusCode;

use super::Failure;
use crate::hub::TooManyPets;
use crate::model::{CursorError, FieldError, InvalidProfile, PetIdError, UnknownStatus};
use crate::store::StoreError;
use crate::writer::WriteError;

impl Failure {
    /// What a failure inside poem (no such route, a path that does not parse) means to the asker.
    pub fn of_poem(error: &poem::Error) -> Self {
        if let Some(failure) = error.downcast_ref::<Failure>() {
            return failure.clone();
        }
        match error.status() {
            StatusCode::NOT_FOUND => Failure::not_found("There is nothing at this address."),
            status if status.is_server_error() => {
                tracing::error!(%error, "a request failed");
                Failure::internal()
            }
            status => Failure::new(
                status,
                status.canonical_reason().unwrap_or("Refused"),
                error.to_string(),
            ),
        }
    }
}

impl From<WriteError> for Failure {
    fn from(error: WriteError) -> Self {
        let detail = sentence(&error);
        match error {
            WriteError::SignedOut => Failure::unauthorized(
                "Your session or token ended before this was saved. Sign in and try again.",
            ),
            WriteError::NotInScope(_) => Failure::forbidden(detail),
            WriteError::UnknownPet(_) => Failure::not_found(detail),
            WriteError::Busy => Failure::unavailable(detail, 1),
            WriteError::Stopping
            | WriteError::Store
            | WriteError::Unavailable
            | WriteError::Unknown => Failure::unavailable(detail, 5),
            WriteError::KeyReused => Failure::invalid(detail),
            WriteError::PreconditionFailed => Failure::precondition_failed(detail),
            WriteError::Conflict | WriteError::StatusMovedOn | WriteError::EditConflict => {
                Failure::conflict(detail)
            }
            WriteError::Full => Failure::full(detail, 30),
            WriteError::Moved => Failure::unavailable(detail, 30),
            WriteError::Rejected => Failure::internal(),
        }
    }
}

impl From<InvalidProfile> for Failure {
    fn from(error: InvalidProfile) -> Self {
        Failure {
            fields: error.0.clone(),
            ..Failure::invalid(sentence(&error))
        }
    }
}

impl From<UnknownStatus> for Failure {
    fn from(error: UnknownStatus) -> Self {
        Failure {
            fields: vec![at_field("status", &error)],
            ..Failure::invalid(sentence(&error))
        }
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        if let StoreError::Unavailable(reason) = error {
            tracing::debug!(reason, "a request came while the engine was out of reach");
            return Failure::unavailable("The data is out of reach. Try again in a moment.", 5);
        }
        if let StoreError::Moved(_) = error {
            return Failure::unavailable(sentence(&WriteError::Moved), 30);
        }
        tracing::error!(%error, "the store could not answer a request");
        Failure::internal()
    }
}

impl From<CursorError> for Failure {
    fn from(error: CursorError) -> Self {
        Failure::bad_request(sentence(&error))
    }
}

impl From<PetIdError> for Failure {
    fn from(error: PetIdError) -> Self {
        Failure::bad_request(sentence(&error))
    }
}

impl From<TooManyPets> for Failure {
    fn from(error: TooManyPets) -> Self {
        Failure::bad_request(sentence(&error))
    }
}

/// An error's words as a sentence: with a capital and a full stop.
pub fn sentence(error: &impl Error) -> String {
    let words = error.to_string();
    let mut letters = words.chars();
    let first = letters.next().into_iter().flat_map(char::to_uppercase);
    first.chain(letters).chain(['.']).collect()
}

/// What is wrong with what was entered at a field, as a sentence.
pub fn at_field(field: &'static str, error: &impl Error) -> FieldError {
    let message = sentence(error);
    FieldError { field, message }
}
