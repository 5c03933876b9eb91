//! Headers that every answer carries.

use poem::Response;
use poem::http::{HeaderValue, header};

/// Only what this server itself serves is loaded, run, connected to or posted to, and nobody
/// frames it. No inline script or style: text that slips through as markup stays dead.
const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; \
     img-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; \
     frame-ancestors 'none'";

pub async fn secure(answer: poem::Result<Response>) -> poem::Result<Response> {
    let mut response = answer?;
    let headers = response.headers_mut();
    for (name, value) in [
        (header::CONTENT_SECURITY_POLICY, CONTENT_SECURITY_POLICY),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "same-origin"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    Ok(response)
}
