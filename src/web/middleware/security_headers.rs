//! Security headers of every answer.

use std::sync::Arc;

use poem::http::{HeaderName, HeaderValue, header};
use poem::{Endpoint, IntoResponse, Request, Response};

/// Allows only what this server itself serves, no inline script or style, and no frames. Trusted Types
/// keep scripts from turning text into markup.
const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; \
     img-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; \
     frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'";

const HEADERS: [(HeaderName, &str); 6] = [
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::CONTENT_SECURITY_POLICY, CONTENT_SECURITY_POLICY),
    (header::REFERRER_POLICY, "same-origin"),
    // For browsers that do not support frame-ancestors.
    (header::X_FRAME_OPTIONS, "DENY"),
    // Another site's window that opened a page cannot access it.
    (
        HeaderName::from_static("cross-origin-opener-policy"),
        "same-origin",
    ),
    // Features that no page uses.
    (
        HeaderName::from_static("permissions-policy"),
        "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    ),
];

/// Adds the headers. A file that pages load needs only the first one: the others are about documents.
pub async fn add<E: Endpoint>(next: Arc<E>, request: Request) -> poem::Result<Response> {
    let is_file = is_file(request.uri().path());
    let mut response = next.call(request).await?.into_response();
    let count = if is_file { 1 } else { HEADERS.len() };
    for (name, value) in &HEADERS[..count] {
        let value = HeaderValue::from_static(value);
        response.headers_mut().insert(name, value);
    }
    Ok(response)
}

fn is_file(path: &str) -> bool {
    path.starts_with("/assets/") || path.starts_with("/live/client.") || path == "/favicon.ico"
}
