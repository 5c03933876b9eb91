//! Security headers of every answer.

use poem::Response;
use poem::http::{HeaderName, HeaderValue, header};

/// Allows only what this server itself serves, no inline script or style, and no frames. Trusted Types
/// keep scripts from turning text into markup.
const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; \
     img-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; \
     frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'";

const HEADERS: [(HeaderName, &str); 6] = [
    (header::CONTENT_SECURITY_POLICY, CONTENT_SECURITY_POLICY),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
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

/// Adds the headers.
pub async fn add(answer: poem::Result<Response>) -> poem::Result<Response> {
    let mut response = answer?;
    for (name, value) in HEADERS {
        let value = HeaderValue::from_static(value);
        response.headers_mut().insert(name, value);
    }
    Ok(response)
}
