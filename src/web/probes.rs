//! For the one who runs the machine: is it alive, should it get traffic, what has it counted.

use std::sync::Arc;

use poem::endpoint::{BoxEndpoint, make_sync};
use poem::http::StatusCode;
use poem::web::Data;
use poem::{EndpointExt, Request, Response, Route, handler};

use super::middleware::{host, security_headers, trace};
use super::poem_fixes::resource;
use crate::app_state::AppState;
use crate::auth::{MayRead, Permit, Principal, is_local_host};
use crate::error::Failure;
use crate::limits::PeerAddress;
use crate::metrics::Metrics;

/// The process answers.
#[handler]
pub fn health() -> Response {
    text(StatusCode::OK, "ok\n")
}

/// Whether new visitors should be sent here: not while it stops, and not while its own disk cannot
/// be written.
#[handler]
pub fn readiness(Data(app): Data<&Arc<AppState>>) -> Response {
    if app.is_stopping() {
        text(StatusCode::SERVICE_UNAVAILABLE, "stopping\n")
    } else if app.is_engine_unreachable() {
        // A balancer that dropped this node would drop all of them.
        text(
            StatusCode::OK,
            "ready to be read; changes cannot be made, the engine is out of reach\n",
        )
    } else if !app.is_working() {
        text(
            StatusCode::SERVICE_UNAVAILABLE,
            "changes cannot be written or delivered\n",
        )
    } else if app.limiter().suspects_unnamed_proxy() {
        text(
            StatusCode::OK,
            "ready; a proxy seems to be in front that --trusted-proxy does not name: all its visitors \
             count as one address\n",
        )
    } else {
        text(StatusCode::OK, "ready\n")
    }
}

/// The metrics, for programs on this machine, and for tokens and people with the scope `read`: the
/// metrics count failed sign-ins and refused visitors.
#[handler]
pub fn show_metrics(
    Data(app): Data<&Arc<AppState>>,
    caller: Principal,
    request: &Request,
) -> poem::Result<Response> {
    // A name that leads to loopback by mistake or on purpose (DNS rebinding) is not this machine,
    // and neither is the public name that a proxy passes on.
    let is_local = PeerAddress::is_local_client(request) && is_local_host(request.headers());
    if !is_local {
        Permit::<MayRead>::new(&caller).map_err(Failure::from)?;
    }
    Ok(exposition(app.metrics()))
}

/// The endpoint of `--metrics-listen`: `/metrics`, for everyone who can reach that address.
pub fn metrics_endpoint(metrics: Metrics) -> BoxEndpoint<'static> {
    let shared = Arc::new(metrics.clone());
    let endpoint = make_sync(move |_request| exposition(&metrics));
    Route::new()
        .at("/metrics", resource().get(endpoint))
        .around(host::check)
        .after(security_headers::add)
        .around(move |next, request| trace::trace(next, request, Arc::clone(&shared)))
        .boxed()
}

fn exposition(metrics: &Metrics) -> Response {
    Response::builder()
        .content_type("text/plain; version=0.0.4; charset=utf-8")
        .header("cache-control", "no-store")
        .body(metrics.encode())
}

fn text(status: StatusCode, body: &'static str) -> Response {
    Response::builder()
        .status(status)
        .content_type("text/plain; charset=utf-8")
        .header("cache-control", "no-store")
        .body(body)
}
