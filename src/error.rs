//! Failures: the answers to what goes wrong, and the only place where errors become answers.
//!
//! A `Failure` is an HTTP status with words for the person who gets it. `mapping` has the failure for
//! each error of the layers below, the refusals of `auth` included. Pages show a failure as HTML, the
//! API as a problem document (RFC 9457), and a socket as an `error` message. A 5xx never carries its
//! cause: the cause is in the log.

mod mapping;

use poem::error::ResponseError;
use poem::http::{HeaderMap, HeaderValue, StatusCode, header};
use poem::{IntoResponse, Response};
use serde_json::json;

pub use self::mapping::{at_field, sentence};
use crate::model::FieldError;

/// Answer to a request or a command that failed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{title}: {detail}")]
pub struct Failure {
    /// HTTP status.
    pub status: StatusCode,
    /// Kind of failure, in words.
    pub title: &'static str,
    /// Sentence that says what happened and what to do.
    pub detail: String,
    /// Messages at the fields that have wrong values.
    pub fields: Vec<FieldError>,
    /// Seconds after which a retry can succeed.
    pub retry_after: Option<u64>,
    /// Methods that the address allows, as `Allow` lists them.
    pub allow: Option<String>,
}

impl Failure {
    /// Returns a failure without headers.
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

    /// Returns a 400: the request cannot be read.
    pub fn bad_request(detail: impl Into<String>) -> Self {
        Failure::new(StatusCode::BAD_REQUEST, "Bad request", detail)
    }

    /// Returns a 401: the credential is missing or invalid.
    pub fn unauthorized(detail: impl Into<String>) -> Self {
        Failure::new(StatusCode::UNAUTHORIZED, "Sign in first", detail)
    }

    /// Returns a 403: the principal may not do this.
    pub fn forbidden(detail: impl Into<String>) -> Self {
        Failure::new(StatusCode::FORBIDDEN, "Not allowed", detail)
    }

    /// Returns a 404: there is nothing of this name.
    pub fn not_found(detail: impl Into<String>) -> Self {
        Failure::new(StatusCode::NOT_FOUND, "Not found", detail)
    }

    /// Returns a 405; `allow` lists the methods that are allowed.
    pub fn method_not_allowed(allow: String) -> Self {
        let detail = format!("This address allows {allow}.");
        let title = "Method not allowed";
        Failure {
            allow: Some(allow),
            ..Failure::new(StatusCode::METHOD_NOT_ALLOWED, title, detail)
        }
    }

    /// Returns a 409: the current state does not allow this.
    pub fn conflict(detail: impl Into<String>) -> Self {
        Failure::new(StatusCode::CONFLICT, "Not possible", detail)
    }

    /// Returns a 412: a precondition of the request does not hold (RFC 9110, section 15.5.13).
    pub fn precondition_failed(detail: impl Into<String>) -> Self {
        let title = "Precondition failed";
        Failure::new(StatusCode::PRECONDITION_FAILED, title, detail)
    }

    /// Returns a 413: the body or message is too large.
    pub fn too_large(detail: impl Into<String>) -> Self {
        Failure::new(StatusCode::PAYLOAD_TOO_LARGE, "Too large", detail)
    }

    /// Returns a 415: the body has a type that this address does not accept.
    pub fn unsupported_media_type(detail: impl Into<String>) -> Self {
        let title = "Unsupported media type";
        Failure::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, title, detail)
    }

    /// Returns a 422: a value breaks a rule.
    pub fn invalid(detail: impl Into<String>) -> Self {
        Failure::new(StatusCode::UNPROCESSABLE_ENTITY, "Not valid", detail)
    }

    /// Returns a 429: a rate limit is exceeded; a retry can succeed after `retry_after` seconds.
    pub fn too_often(detail: impl Into<String>, retry_after: u64) -> Self {
        Failure {
            retry_after: Some(retry_after),
            ..Failure::new(StatusCode::TOO_MANY_REQUESTS, "Too often", detail)
        }
    }

    /// Returns a 503; a retry can succeed after `retry_after` seconds.
    pub fn unavailable(detail: impl Into<String>, retry_after: u64) -> Self {
        Failure {
            retry_after: Some(retry_after),
            ..Failure::new(StatusCode::SERVICE_UNAVAILABLE, "Not available", detail)
        }
    }

    /// Returns a 507: the disk is full; a retry can succeed after `retry_after` seconds.
    pub fn full(detail: impl Into<String>, retry_after: u64) -> Self {
        Failure {
            retry_after: Some(retry_after),
            ..Failure::new(StatusCode::INSUFFICIENT_STORAGE, "Disk full", detail)
        }
    }

    /// Returns a 500, which never names its cause.
    pub fn internal() -> Self {
        let detail = "Something went wrong on our side. The error has been logged.";
        Failure::new(StatusCode::INTERNAL_SERVER_ERROR, "Server error", detail)
    }

    /// Returns the challenge of a 401 (RFC 6750, section 3).
    pub const fn challenge() -> HeaderValue {
        HeaderValue::from_static("Bearer realm=\"pet-store\"")
    }

    /// Returns the failure as a problem document (RFC 9457).
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

    /// Returns a response with this status and its headers.
    pub fn respond(&self, content_type: &str, body: String) -> Response {
        let mut response = Response::builder()
            .status(self.status)
            .content_type(content_type)
            .header(header::CACHE_CONTROL, "no-store")
            .body(body);
        self.add_headers(response.headers_mut());
        response
    }

    /// Adds the headers of this status.
    pub fn add_headers(&self, headers: &mut HeaderMap) {
        if let Some(seconds) = self.retry_after {
            headers.insert(header::RETRY_AFTER, seconds.into());
        }
        if let Some(allow) = self.allow.as_deref().and_then(|allow| allow.parse().ok()) {
            headers.insert(header::ALLOW, allow);
        }
        if self.status == StatusCode::UNAUTHORIZED {
            headers.insert(header::WWW_AUTHENTICATE, Failure::challenge());
        }
        if self.status == StatusCode::UPGRADE_REQUIRED {
            // The protocol to upgrade to: RFC 9110, section 15.5.22, and RFC 6455, section 4.4.
            headers.insert(header::CONNECTION, HeaderValue::from_static("upgrade"));
            headers.insert(header::UPGRADE, HeaderValue::from_static("websocket"));
            let version = HeaderValue::from_static("13");
            headers.insert(header::SEC_WEBSOCKET_VERSION, version);
        }
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
