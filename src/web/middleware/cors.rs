//! Lets pages of any origin read (CORS; Fetch standard, "CORS protocol").
//!
//! A page of any origin may read the live routes, the API, the feeds and the probes, without credentials. Every
//! answer of these routes has the headers, errors included, and preflights are answered before the rest
//! sees the request. Writes have none of it: a write from another origin is refused, and its preflight
//! grants nothing.

use std::sync::Arc;

use poem::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use poem::{Endpoint, IntoResponse, Request, Response};

use crate::web::api;
use crate::web::api::live::{ASYNCAPI_PATH, SCHEMA_PATH};
use crate::web::embeds::oembed;
use crate::web::feeds;
use crate::web::pages::doctor;

/// Headers that readers send: `EventSource` polyfills, `fetch` with `cache`, libraries that name
/// themselves, and tracing scripts. A browser remembers an allowed header for every method of a URL, so
/// the list has nothing that a write needs: no `Content-Type` and no `*`. Therefore a cross-origin GET
/// with `Content-Type`, which some wrappers of fetch send, fails its preflight.
const ALLOWED_HEADERS: &str = "Accept, Accept-Language, Baggage, Cache-Control, If-Modified-Since, \
     If-None-Match, Last-Event-ID, Pragma, Sentry-Trace, Traceparent, Tracestate, X-Requested-With";

/// Headers that a script can read, beside those that it always can.
const EXPOSED_HEADERS: &str = "Allow, Date, ETag, Link, Retry-After, X-Request-Id";

/// Seconds that a browser may cache a preflight: the longest that any browser accepts.
const MAX_AGE: &str = "86400";

/// Answers preflights of readable routes, and adds the headers to every answer of these.
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

/// Returns the method that a preflight asks for.
fn requested_method(headers: &HeaderMap) -> Option<&str> {
    let method = headers.get(header::ACCESS_CONTROL_REQUEST_METHOD)?;
    // A value that is not text is not a method that reads.
    Some(method.to_str().unwrap_or_default())
}

/// Returns true if the answer to `method` is that of a read. Only the API has other answers.
fn is_read(method: &Method, path: &str) -> bool {
    method.is_safe() || !path.starts_with(api::ADDRESS)
}

/// Returns true if a page of any origin may read `path`: true for routes of programs, false for pages.
/// A redirect from a path with slashes at its end is as readable as its target.
pub fn is_readable(path: &str) -> bool {
    match path.trim_end_matches('/') {
        "/api/openapi.json"
        | SCHEMA_PATH
        | ASYNCAPI_PATH
        | "/healthz"
        | "/readyz"
        | oembed::PATH => true,
        doctor::PATH => false,
        path if feeds::is_feed(path) => true,
        // Modules that a page in a sandboxed frame imports, which has no origin.
        path if path.starts_with("/assets/newest/") => true,
        _ => path.starts_with("/live/") || path.starts_with(api::ADDRESS),
    }
}

/// Returns the answer to the preflight of a read.
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
