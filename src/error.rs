//! The one place where a failure becomes an answer.
//!
//! A `Failure` is an HTTP status with words for the person who gets it. `cause` says which failure
//! each error of the layers below is, and `answer` how one is sent: pages show it as HTML, the API
//! as a problem document (RFC 9457), the socket as an `error` message. A 5xx never carries its
//! cause: that is in the log.

mod answer;
mod cause;

use poem::http::StatusCode;

pub use self::cause::{at_field, sentence};
use crate::model::FieldError;

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

    /// 409: understood, and not possible as things are.
    pub fn conflict(detail: impl Into<String>) -> Self {
        Failure::new(StatusCode::CONFLICT, "Not possible", detail)
    }

    /// 412: a precondition of the request does not hold. RFC 9110, section 15.5.13.
    pub fn precondition_failed(detail: impl Into<String>) -> Self {
        let title = "Precondition failed";
        Failure::new(StatusCode::PRECONDITION_FAILED, title, detail)
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
