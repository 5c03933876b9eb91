//! How a failure is sent: its status, its headers, and its words as a problem document.

use poem::error::ResponseError;
use poem::http::{HeaderMap, HeaderValue, StatusCode, header};
use poem::{IntoResponse, Response};
use serde_json::json;

use super::Failure;

impl Failure {
    /// What goes with a 401: what can be shown. RFC 6750, section 3.
    pub const fn challenge() -> HeaderValue {
        HeaderValue::from_static("Bearer realm=\"pet-store\"")
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
            .header(header::CACHE_CONTROL, "no-store")
            .body(body);
        self.add_headers(response.headers_mut());
        response
    }

    /// Adds the headers that belong to this status.
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
            // What to upgrade to: RFC 9110, section 15.5.22, and RFC 6455, section 4.4.
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
