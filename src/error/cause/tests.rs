//! Every error has its status and its words, and a server error keeps its cause to itself.

use super::*;
use crate::model::{PetId, Scope};

#[test]
fn every_failure_has_its_status_and_says_what_is_allowed() {
    let table: [(Failure, u16, &str); 20] = [
        (
            WriteError::UnknownPet(PetId::new(7)).into(),
            404,
            "no pet 7",
        ),
        (WriteError::SignedOut.into(), 401, "Sign in and try again"),
        (
            WriteError::NotInScope(Scope::Write).into(),
            403,
            "the scope write",
        ),
        (
            WriteError::PreconditionFailed.into(),
            412,
            "read the pet again",
        ),
        (
            WriteError::StatusMovedOn.into(),
            409,
            "set this pet's status",
        ),
        (
            WriteError::EditConflict.into(),
            409,
            "while you were editing",
        ),
        (WriteError::KeyReused.into(), 422, "another request"),
        (WriteError::Busy.into(), 503, "try again"),
        (WriteError::Stopping.into(), 503, "stopping"),
        (WriteError::Store.into(), 503, "not confirmed"),
        (WriteError::Moved.into(), 503, "moved or deleted"),
        (WriteError::Full.into(), 507, "until there is space"),
        (WriteError::Conflict.into(), 409, "check it and try again"),
        (WriteError::Rejected.into(), 500, "on our side"),
        (WriteError::Unavailable.into(), 503, "nothing was changed"),
        (WriteError::Unknown.into(), 503, "may still be applied"),
        (
            UnknownStatus.into(),
            422,
            "eating, bathing, sleeping, playing",
        ),
        (CursorError.into(), 400, "9f2c41aa-1042"),
        (PetIdError.into(), 400, "whole number"),
        (TooManyPets.into(), 400, "most 100 pets"),
    ];
    for (failure, status, words) in table {
        assert_eq!(failure.status.as_u16(), status, "{failure:?}");
        assert!(failure.detail.contains(words), "{failure:?}");
        let is_worth_a_retry = [503, 507].contains(&status);
        assert_eq!(
            failure.retry_after.is_some(),
            is_worth_a_retry,
            "{failure:?}"
        );
    }
}

#[test]
fn a_server_error_does_not_carry_its_cause() {
    let failure = Failure::from(StoreError::Read("/var/lib/secret".to_owned()));
    assert_eq!(failure.status, StatusCode::INTERNAL_SERVER_ERROR);
    assert!(!failure.detail.contains("secret"));
}
