//! Answers to the errors of all modules. A table in the tests pins every variant.

#[cfg(test)]
mod tests;

use std::error::Error;

use poem::error::ResponseError;
use poem::http::StatusCode;
use poem::{IntoResponse, Response};

use super::Failure;
use crate::auth::{AccountsError, Refusal};
use crate::hub::TooManyPets;
use crate::model::picture::PhotoError;
use crate::model::{
    CursorError, FieldError, InvalidProfile, PetIdError, StatusNoteError, UnknownStatus,
};
use crate::store::StoreError;
use crate::writer::WriteError;

impl Failure {
    /// Returns the answer to an error that a handler, an extractor or Poem's router returned.
    pub fn from_poem(error: &poem::Error) -> Self {
        if let Some(failure) = error.downcast_ref::<Failure>() {
            return failure.clone();
        }
        if let Some(refusal) = error.downcast_ref::<Refusal>() {
            return refusal.clone().into();
        }
        if let Some(error) = error.downcast_ref::<AccountsError>() {
            return error.clone().into();
        }
        match error.status() {
            StatusCode::NOT_FOUND => Failure::not_found("There is nothing at this address."),
            status if status.is_server_error() => {
                tracing::error!(%error, "request failed");
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

/// Lets extractors and handlers return an error of `auth` as it is.
macro_rules! respond_with_failure {
    ($($error:ty),*) => {$(
        impl ResponseError for $error {
            fn status(&self) -> StatusCode {
                Failure::from(self.clone()).status
            }

            fn as_response(&self) -> Response {
                Failure::from(self.clone()).into_response()
            }
        }
    )*};
}

respond_with_failure!(Refusal, AccountsError);

impl From<Refusal> for Failure {
    fn from(refusal: Refusal) -> Self {
        let detail = sentence(&refusal);
        match refusal {
            Refusal::NotSignedIn => Failure::unauthorized(detail),
            Refusal::SocketNotSignedIn
            | Refusal::NotInScope(_)
            | Refusal::NotAdmin
            | Refusal::NotAPerson
            | Refusal::AtStation
            | Refusal::CrossOrigin
            | Refusal::WrongAddress(_)
            | Refusal::OtherHost
            | Refusal::StaleForm => Failure::forbidden(detail),
            Refusal::Demo => Failure::not_found(detail),
            Refusal::Unidentified => Failure::internal(),
        }
    }
}

impl From<AccountsError> for Failure {
    fn from(error: AccountsError) -> Self {
        let detail = sentence(&error);
        match error {
            AccountsError::SignedOut => Refusal::NotSignedIn.into(),
            AccountsError::NotAdmin => Refusal::NotAdmin.into(),
            AccountsError::Refused(refusal) => refusal.into(),
            AccountsError::UnknownAccount(_)
            | AccountsError::BadInvitation
            | AccountsError::Gone => Failure::not_found(detail),
            AccountsError::NameTaken(_) | AccountsError::LastAdmin(_) | AccountsError::Full(_) => {
                Failure::conflict(detail)
            }
            AccountsError::Busy | AccountsError::HashingBusy(_) => Failure::unavailable(detail, 2),
            AccountsError::Panicked => Failure::internal(),
            AccountsError::Store(StoreError::Write(reason)) => {
                tracing::error!(%reason, "could not write an edit of accounts");
                Failure::unavailable("The change could not be saved to disk.", 5)
            }
            AccountsError::Store(StoreError::Full(reason)) => {
                tracing::error!(%reason, "could not write an edit of accounts: the disk is full");
                Failure::full("The disk is full, so the change was not saved.", 30)
            }
            AccountsError::Store(StoreError::Conflict) => {
                Failure::conflict("Someone else is editing staff accounts. Please try again.")
            }
            AccountsError::Store(StoreError::Unknown(reason)) => {
                tracing::error!(%reason, "the database did not confirm a change of accounts in time; it may still be applied");
                Failure::unavailable(
                    "The database did not confirm the change in time. It may still be applied; \
                     check before retrying.",
                    5,
                )
            }
            AccountsError::Store(error) => error.into(),
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
            WriteError::NotInScope(scope) => Refusal::NotInScope(scope).into(),
            WriteError::UnknownPet(_) | WriteError::NotInTrash(_) => Failure::not_found(detail),
            WriteError::Busy => Failure::unavailable(detail, 1),
            WriteError::Stopping
            | WriteError::Store
            | WriteError::Unavailable
            | WriteError::Unknown => Failure::unavailable(detail, 5),
            WriteError::BeginsTooEarly { field, .. } => Failure {
                fields: vec![at_field(field, &error)],
                ..Failure::invalid(detail)
            },
            WriteError::KeyReused => Failure::invalid(detail),
            WriteError::PreconditionFailed => Failure::precondition_failed(detail),
            WriteError::Conflict
            | WriteError::StatusMovedOn
            | WriteError::EditConflict
            | WriteError::Namesake(_)
            | WriteError::TooManyPhotos
            | WriteError::UnknownPhoto
            | WriteError::PhotoExists => Failure::conflict(detail),
            WriteError::Full => Failure::full(detail, 30),
            WriteError::Moved => Failure::unavailable(detail, 30),
            WriteError::Rejected => Failure::internal(),
        }
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Unavailable(reason) => {
                tracing::debug!(reason, "cannot read: the engine does not respond");
                Failure::unavailable("The database does not respond. Try again in a moment.", 5)
            }
            StoreError::Moved(_) => WriteError::Moved.into(),
            error => {
                tracing::error!(%error, "the store failed to answer a request");
                Failure::internal()
            }
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

impl From<PhotoError> for Failure {
    fn from(error: PhotoError) -> Self {
        let detail = error.to_string();
        match error {
            PhotoError::FileTooLarge => Failure::too_large(detail),
            PhotoError::Heic
            | PhotoError::OtherFormat(_)
            | PhotoError::Video
            | PhotoError::NotAPicture => Failure::unsupported_media_type(detail),
            PhotoError::Empty
            | PhotoError::Animation
            | PhotoError::TooManyPixels { .. }
            | PhotoError::SideOutOfRange { .. }
            | PhotoError::TooMuchMemory
            | PhotoError::Damaged => Failure::invalid(detail),
        }
    }
}

impl From<FieldError> for Failure {
    fn from(error: FieldError) -> Self {
        Failure {
            fields: vec![error.clone()],
            ..Failure::invalid(format!("{}: {}", error.field, error.message))
        }
    }
}

impl From<StatusNoteError> for Failure {
    fn from(error: StatusNoteError) -> Self {
        FieldError::from(error).into()
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

/// Returns the message of an error as sentences: a semicolon before a new clause becomes a full stop.
pub fn sentence(error: &impl Error) -> String {
    let message = error.to_string();
    let sentences: Vec<String> = message.split("; ").map(capitalized).collect();
    format!("{}.", sentences.join(". "))
}

fn capitalized(clause: &str) -> String {
    let mut letters = clause.chars();
    let first = letters.next().into_iter().flat_map(char::to_uppercase);
    first.chain(letters).collect()
}

/// Returns the message of an error at the field that has the wrong value.
pub fn at_field(field: &'static str, error: &impl Error) -> FieldError {
    FieldError::new(field, sentence(error))
}
