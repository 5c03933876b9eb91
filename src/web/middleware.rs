//! What happens to every request before its handler, and to every answer after it.

pub mod body_limit;
pub mod cors;
mod error_pages;
pub mod host;
mod identity;
mod rate_limit;
pub mod request_memory;
pub mod security_headers;
pub mod trace;

use std::sync::Arc;

use poem::{Endpoint, EndpointExt, Response, Route};

pub use self::body_limit::BodyLimits;
use super::poem_fixes;
use crate::metrics::Metrics;

/// Wraps the URL table. A request meets the last of these first.
pub fn wrap(
    routes: Route,
    bodies: BodyLimits,
    metrics: Metrics,
) -> impl Endpoint<Output = Response> {
    let metrics = Arc::new(metrics);
    routes
        .around(identity::refuse_other_origins)
        .around(move |next, request| body_limit::limit(next, request, bodies))
        .around(move |next, request| rate_limit::limit_writes(next, request, bodies))
        .around(host::check)
        // Inside of the error pages, so that a request refused for want of memory gets one.
        .around(request_memory::charge_request)
        .around(error_pages::answer)
        .around(poem_fixes::redirect_trailing_slash)
        .around(identity::identify)
        .around(cors::share_reads)
        .after(security_headers::add)
        .around(move |next, request| trace::trace(next, request, Arc::clone(&metrics)))
}
