//! Security headers of every answer.

use std::sync::Arc;

use data_encoding::BASE64;
use poem::http::{HeaderName, HeaderValue, header};
use poem::{Endpoint, IntoResponse, Request, Response};
use sha2::{Digest, Sha256};

use crate::web::Site;

/// Allows only what this server itself serves, one inline script, icons inside of style sheets, and no frames.
/// Trusted Types keep scripts from turning text into markup.
const POLICY_OF_SCRIPTS: &str = "default-src 'none'; script-src 'self'";
const POLICY_OF_OTHERS: &str = "; style-src 'self'; img-src 'self' data:; connect-src 'self'; \
     form-action 'self'; base-uri 'none'; frame-ancestors 'none'; \
     require-trusted-types-for 'script'; trusted-types 'none'";

const HEADERS: [(HeaderName, &str); 5] = [
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

/// Returns the `Content-Security-Policy` for pages that contain this script.
pub fn policy(inline_script: Option<&str>) -> HeaderValue {
    let hash = inline_script.map(|script| {
        let hash = BASE64.encode(&Sha256::digest(script));
        format!(" 'sha256-{hash}'")
    });
    let hash = hash.unwrap_or_default();
    let policy = format!("{POLICY_OF_SCRIPTS}{hash}{POLICY_OF_OTHERS}");
    HeaderValue::try_from(policy).expect("a policy is visible ASCII")
}

/// Adds the headers. A file that pages load needs only the first one: the others are about documents.
pub async fn add<E: Endpoint>(next: Arc<E>, request: Request) -> poem::Result<Response> {
    let is_file = is_file(request.uri().path());
    let site = request.data::<Arc<Site>>();
    let policy = site.map_or_else(|| policy(None), |site| site.policy.clone());
    let mut response = next.call(request).await?.into_response();
    let headers = response.headers_mut();
    let count = if is_file { 1 } else { HEADERS.len() };
    for (name, value) in &HEADERS[..count] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    if !is_file {
        headers.insert(header::CONTENT_SECURITY_POLICY, policy);
    }
    Ok(response)
}

fn is_file(path: &str) -> bool {
    path.starts_with("/assets/") || path.starts_with("/live/client.") || path == "/favicon.ico"
}
