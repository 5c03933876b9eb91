//! Cross-origin reads (CORS; Fetch standard, "CORS protocol").
//!
//! A page of any origin may read the live routes, the API and the probes, without credentials:
//! every answer of these routes carries the headers, errors included, and preflights are answered
//! before anything else looks at the request. Writes get none of it: a write from another origin
//! stays refused, and its preflight is answered without leave.

use std::sync::Arc;

use poem::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use poem::{Endpoint, IntoResponse, Request, Response};

use crate::web::api;
use crate::web::pages::doctor;

/// What readers send: `EventSource` and its polyfills, `fetch` with `cache`, libraries that name
/// themselves, and the trace headers that monitoring scripts add to every request. A browser
/// remembers an allowed header for an address and every method, so nothing is listed that a write
/// needs: no `Content-Type`, and no `*`. So a cross-origin GET with `Content-Type`, which some fetch
/// wrappers add though it has no body, fails its preflight.
const ALLOWED_HEADERS: &str = "Accept, Accept-Language, Baggage, Cache-Control, If-Modified-Since, \
     If-None-Match, Last-Event-ID, Pragma, Sentry-Trace, Traceparent, Tracestate, X-Requested-With";

/// What a script may read besides the few headers that it always may.
const EXPOSED_HEADERS: &str = "Allow, Date, ETag, Retry-After, X-Request-Id";

/// Seconds that a browser may remember a preflight: the longest that any of them keeps one.
const MAX_AGE: &str = "86400";

/// Answers preflights of readable routes, and marks every answer of these as readable.
pub async fn share_reads<E: Endpoint>(next: Arc<E>, request: Request) -> poem::Result<Response> {
    let (method, path) = (request.method(), request.uri().path());
    let preflight = requested_method(request.headers()).filter(|_| method == Method::OPTIONS);
    let is_read = preflight.map_or(is_read(method, path), |asked| {
        ["GET", "HEAD"].contains(&asked)
    });
    if !is_read || !is_readable(path) {
        return Ok(next.call(request).await?.into_response());
    }
    let mut response = match preflight {
        Some(_) => allow_reads(),
        None => next.get_response(request).await,
    };
    let headers = response.headers_mut();
    for (name, value) in [
        (header::ACCESS_CONTROL_ALLOW_ORIGIN, "*"),
        (header::ACCESS_CONTROL_EXPOSE_HEADERS, EXPOSED_HEADERS),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    Ok(response)
}

/// The method that a preflight asks about.
fn requested_method(headers: &HeaderMap) -> Option<&str> {
    let method = headers.get(header::ACCESS_CONTROL_REQUEST_METHOD)?;
    // What is no text is no method that reads.
    Some(method.to_str().unwrap_or_default())
}

/// Returns true if the answer to `method` is that of a read. Only the API has other answers.
fn is_read(method: &Method, path: &str) -> bool {
    method.is_safe() || !path.starts_with(api::ADDRESS)
}

/// Returns true if a page of any origin may read what is at `path`: all that is for programs, and no
/// page. The redirect from an address with slashes at its end is as readable as its target.
pub fn is_readable(path: &str) -> bool {
    match path.trim_end_matches('/') {
        "/api/openapi.json" | "/healthz" | "/readyz" => true,
        doctor::PATH => false,
        _ => path.starts_with("/live/") || path.starts_with(api::ADDRESS),
    }
}

/// The answer to the preflight of a read.
fn allow_reads() -> Response {
    let mut response = StatusCode::NO_CONTENT.into_response();
    let allowed: [(HeaderName, &str); 3] = [
        (header::ACCESS_CONTROL_ALLOW_METHODS, "GET, HEAD"),
        (header::ACCESS_CONTROL_ALLOW_HEADERS, ALLOWED_HEADERS),
        (header::ACCESS_CONTROL_MAX_AGE, MAX_AGE),
    ];
    let allowed = allowed.map(|(name, value)| (name, HeaderValue::from_static(value)));
    response.headers_mut().extend(allowed);
    response
}
