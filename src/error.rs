//! The one place where a failure becomes an answer.
//!
//! A `Failure` is an HTTP status with words for the person who gets it. Pages show it as HTML, the
//! API as a problem document (RFC 9457), the socket as an `error` message. A 5xx never carries its
//! cause: that is in the log.

use poem::error::ResponseError;
use poem::http::{HeaderValue, StatusCode, header};
use poem::{IntoResponse, Response};
use serde_json::json;

use crate::hub::TooManyPets;
use crate::model::{CursorError, FieldError, InvalidProfile, PetIdError, UnknownStatus};
use crate::store::StoreError;
use crate::writer::WriteError;

/// What the asker is told.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{title}: {detail}")]
pub struct Failure {
    pub status: StatusCode,
    /// The same for every failure of a kind.
    pub title: &'static str,
    /// What was wrong this time, and what is allowed.
    pub detail: String,
    /// For a form: what is wrong at which field.
    pub fields: Vec<FieldError>,
    /// Seconds after which it is worth asking again.
    pub retry_after: Option<u64>,
    /// The methods that would have been allowed, as `Allow` lists them.
    pub allow: Option<String>,
}

impl Failure {
    pub fn new(status: StatusCode, title: &'static str, detail: impl Into<String>) -> Self {
        Failure {
            status,
            title,
            detail: detail.into(),
            fields: Vec::new(),
            retry_after: None,
            allow: None,
        }
    }

    /// 400: the request itself cannot be understood.
    pub fn bad_request(detail: impl Into<String>) -> Self {
        Failure::new(StatusCode::BAD_REQUEST, "Bad request", detail)
    }

    /// 401: nobody who may was shown.
    pub fn unauthorized(detail: impl Into<String>) -> Self {
        Failure::new(StatusCode::UNAUTHORIZED, "Sign in first", detail)
    }

    /// 403: understood, and not allowed for this asker.
    pub fn forbidden(detail: impl Into<String>) -> Self {
        Failure::new(StatusCode::FORBIDDEN, "Not allowed", detail)
    }

    /// 404.
    pub fn not_found(detail: impl Into<String>) -> Self {
        Failure::new(StatusCode::NOT_FOUND, "Not found", detail)
    }

    /// 405; `allow` lists what is allowed.
    pub fn method_not_allowed(allow: String) -> Self {
        let detail = format!("This address allows {allow}.");
        let title = "Method not allowed";
        Failure {
            allow: Some(allow),
            ..Failure::new(StatusCode::METHOD_NOT_ALLOWED, title, detail)
        }
    }

    /// What goes with a 401: what can be shown. RFC 6750, section 3.
    pub const fn challenge() -> HeaderValue {
        HeaderValue::from_static("Bearer realm=\"pet-store\"")
    }

    /// 409: understood, and not possible as things are.
    pub fn conflict(detail: impl Into<String>) -> Self {
        Failure::new(StatusCode::CONFLICT, "Not possible", detail)
    }

    /// 413.
    pub fn too_large(detail: impl Into<String>) -> Self {
        Failure::new(StatusCode::PAYLOAD_TOO_LARGE, "Too large", detail)
    }

    /// 422: understood, and the content breaks a rule.
    pub fn invalid(detail: impl Into<String>) -> Self {
        Failure::new(StatusCode::UNPROCESSABLE_ENTITY, "Not valid", detail)
    }

    /// 429: too often, worth another try after `retry_after` seconds.
    pub fn too_often(detail: impl Into<String>, retry_after: u64) -> Self {
        Failure {
            retry_after: Some(retry_after),
            ..Failure::new(StatusCode::TOO_MANY_REQUESTS, "Too often", detail)
        }
    }

    /// 503, worth asking again after `retry_after` seconds.
    pub fn unavailable(detail: impl Into<String>, retry_after: u64) -> Self {
        Failure {
            retry_after: Some(retry_after),
            ..Failure::new(StatusCode::SERVICE_UNAVAILABLE, "Not available", detail)
        }
    }

    /// 507: there is no room for it, and it is worth asking again after `retry_after` seconds.
    pub fn full(detail: impl Into<String>, retry_after: u64) -> Self {
        Failure {
            retry_after: Some(retry_after),
            ..Failure::new(StatusCode::INSUFFICIENT_STORAGE, "Disk full", detail)
        }
    }

    /// 500 without a word about the cause.
    pub fn internal() -> Self {
        let detail = "Something went wrong on our side. It has been written down.";
        Failure::new(StatusCode::INTERNAL_SERVER_ERROR, "Server error", detail)
    }
}

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

    /// The failure as a problem document, RFC 9457. `errors` names the fields of a form.
    pub fn to_problem(&self) -> serde_json::Value {
        let mut problem = json!({
            "type": "about:blank",
            "title": self.title,
            "status": self.status.as_u16(),
            "detail": self.detail,
        });
        if !self.fields.is_empty() {
            let fields = self.fields.iter();
            problem["errors"] = fields
                .map(|error| json!({ "field": error.field, "message": error.message }))
                .collect();
        }
        problem
    }

    /// An answer with this status and the headers that belong to it.
    pub fn respond(&self, content_type: &str, body: String) -> Response {
        let mut response = Response::builder()
            .status(self.status)
            .content_type(content_type)
            .header(header::CACHE_CONTROL, "no-store");
        if let Some(seconds) = self.retry_after {
            response = response.header(header::RETRY_AFTER, seconds);
        }
        if let Some(allow) = &self.allow {
            response = response.header(header::ALLOW, allow);
        }
        if self.status == StatusCode::UNAUTHORIZED {
            response = response.header(header::WWW_AUTHENTICATE, Failure::challenge());
        }
        if self.status == StatusCode::UPGRADE_REQUIRED {
            // What to upgrade to: RFC 9110, section 15.5.22, and RFC 6455, section 4.4.
            response = response
                .header(header::CONNECTION, "upgrade")
                .header(header::UPGRADE, "websocket")
                .header(header::SEC_WEBSOCKET_VERSION, "13");
        }
        response.body(body)
    }
}

impl ResponseError for Failure {
    fn status(&self) -> StatusCode {
        self.status
    }

    fn as_response(&self) -> Response {
        self.respond("application/problem+json", self.to_problem().to_string())
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        self.as_response()
    }
}

impl From<WriteError> for Failure {
    fn from(error: WriteError) -> Self {
        let detail = sentence(&error);
        match error {
            WriteError::UnknownPet(_) => Failure::not_found(detail),
            WriteError::Busy => Failure::unavailable(detail, 1),
            WriteError::Stopping
            | WriteError::Store
            | WriteError::Unavailable
            | WriteError::Unknown => Failure::unavailable(detail, 5),
            WriteError::Conflict => Failure::conflict(detail),
            WriteError::Full => Failure::full(detail, 30),
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
            fields: vec![FieldError {
                field: "status",
                message: sentence(&error),
            }],
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
pub fn sentence(error: &impl std::error::Error) -> String {
    let words = error.to_string();
    let mut letters = words.chars();
    let first = letters.next().into_iter().flat_map(char::to_uppercase);
    first.chain(letters).chain(['.']).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::PetId;

    #[test]
    fn every_failure_has_its_status_and_says_what_is_allowed() {
        let table: [(Failure, u16, &str); 13] = [
            (
                WriteError::UnknownPet(PetId::new(7)).into(),
                404,
                "no pet 7",
            ),
            (WriteError::Busy.into(), 503, "try again"),
            (WriteError::Stopping.into(), 503, "stopping"),
            (WriteError::Store.into(), 503, "not confirmed"),
            (WriteError::Full.into(), 507, "until there is room"),
            (WriteError::Conflict.into(), 409, "look at it and try again"),
            (WriteError::Rejected.into(), 500, "on our side"),
            (WriteError::Unavailable.into(), 503, "nothing was changed"),
            (WriteError::Unknown.into(), 503, "may have been made"),
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
}
