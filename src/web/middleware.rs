//! Middleware around every handler.

mod base_path;
mod body_limit;
mod compress;
mod cors;
mod error_pages;
pub mod host;
mod identity;
mod rate_limit;
pub mod request_memory;
pub mod security_headers;
pub mod trace;

use std::sync::Arc;

use poem::endpoint::BoxEndpoint;
use poem::{EndpointExt, Route};
use tokio::sync::Semaphore;

pub use self::body_limit::BodyLimits;
pub use self::compress::{ContainsSecret, Precompressed};
use super::poem_fixes;
use crate::metrics::Metrics;

/// Wraps the URL table. Read the list from its end: a request meets the last entry first.
pub fn wrap(
    routes: Route,
    bodies: BodyLimits,
    metrics: Metrics,
    base_path: &str,
) -> BoxEndpoint<'static> {
    let metrics = Arc::new(metrics);
    // Half of the cores stay free for the async workers.
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let compressions = Arc::new(Semaphore::new((cores / 2).max(1)));
    let below_base_path = routes
        // Before the answer is charged: what is kept for a slow reader is the compressed answer.
        .around(move |next, request| compress::compress(next, request, Arc::clone(&compressions)))
        // Needs the principal. Before the body is believed, and after it is kept for the answer.
        .around(identity::refuse_other_origins)
        .around(move |next, request| body_limit::limit(next, request, bodies))
        // Before the body is read: a request over the limit costs as little as possible.
        .around(move |next, request| rate_limit::limit_writes(next, request, bodies))
        .around(host::check)
        .around(request_memory::charge_request)
        // Outside of everything that can fail, inside of what its pages need.
        .around(error_pages::answer)
        .around(poem_fixes::redirect_trailing_slash)
        .around(identity::identify)
        // Marks the answers to failures too, and answers preflights.
        .around(cors::share_reads)
        .around(security_headers::add)
        .around(move |next, request| trace::trace(next, request, Arc::clone(&metrics)))
        .boxed();
    if base_path.is_empty() {
        return below_base_path;
    }
    let base_path: Arc<str> = base_path.into();
    below_base_path
        .around(move |next, request| base_path::strip(next, request, Arc::clone(&base_path)))
        .boxed()
}
