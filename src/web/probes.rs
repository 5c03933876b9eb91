//! Probes for operators: liveness, readiness, metrics.

use std::sync::Arc;

use poem::endpoint::{BoxEndpoint, make_sync};
use poem::http::StatusCode;
use poem::web::{Data, Json};
use poem::{EndpointExt, IntoResponse, Request, Response, Route, handler};
use serde::{Deserialize, Serialize};

use super::middleware::{host, security_headers, trace};
use super::poem_fixes::get;
use crate::app_state::AppState;
use crate::auth::{MayRead, Permit, Principal, is_local_host};
use crate::error::Failure;
use crate::limits::{ClientAddress, PeerAddress, has_forwarding_header};
use crate::metrics::Metrics;

/// Answers as long as the process runs.
#[handler]
pub fn health() -> Response {
    text(StatusCode::OK, "ok\n")
}

/// Path at which a client reads what arrives of its request. Not for pages of other sites: the answer has the
/// client's address.
pub const ARRIVED: &str = "/healthz/request";

/// A request as it arrived, after proxies. `pet-store doctor` compares it with what it sent.
#[derive(Debug, Deserialize, Serialize)]
pub struct ArrivedRequest {
    /// Version of this program.
    pub version: String,
    /// Epoch of its store.
    pub epoch: String,
    /// The `Host` header.
    pub host: Option<String>,
    /// The path, with the base path in front if a proxy left it.
    pub path: String,
    /// The base path of the server.
    pub base_path: String,
    /// Address of the client, as limits count it.
    pub client: String,
    /// True if a trusted proxy named the client.
    pub is_forwarded: bool,
    /// True if a proxy added something about the client, trusted or not.
    pub has_forwarding_header: bool,
}

/// Shows a request as it arrived.
#[handler]
pub fn show_arrived(Data(app): Data<&Arc<AppState>>, request: &Request) -> Response {
    let client = ClientAddress::from_request(request);
    let host = request.header("host").map(str::to_owned);
    let arrived = ArrivedRequest {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        epoch: app.hub().epoch().to_string(),
        host,
        path: request.original_uri().path().to_owned(),
        base_path: app.authenticator().base_path().to_owned(),
        client: client.ip.to_string(),
        is_forwarded: client.is_forwarded,
        has_forwarding_header: has_forwarding_header(request.headers()),
    };
    Json(arrived)
        .with_header("cache-control", "no-store")
        .into_response()
}

/// Answers 200 if a load balancer should send visitors here. Answers 503 while the server stops, and
/// while its own disk cannot be written.
#[handler]
pub fn readiness(Data(app): Data<&Arc<AppState>>) -> Response {
    if app.is_stopping() {
        text(StatusCode::SERVICE_UNAVAILABLE, "stopping\n")
    } else if app.is_engine_unreachable() {
        // All nodes share the engine: a load balancer that drops this node would drop all of them.
        text(
            StatusCode::OK,
            "read-only: the database is unreachable, changes cannot be saved\n",
        )
    } else if !app.is_working() {
        text(
            StatusCode::SERVICE_UNAVAILABLE,
            "changes cannot be saved or delivered\n",
        )
    } else if app.limiter().suspects_unnamed_proxy() {
        text(
            StatusCode::OK,
            "ready; warning: requests come through a proxy that --trusted-proxy does not list, so all \
             its visitors count as one address\n",
        )
    } else {
        text(StatusCode::OK, "ready\n")
    }
}

/// Shows the metrics to programs on this machine, and to principals with the scope `read`. The metrics
/// tell attackers about failed sign-ins and refused clients.
#[handler]
pub fn show_metrics(
    Data(app): Data<&Arc<AppState>>,
    principal: Principal,
    request: &Request,
) -> poem::Result<Response> {
    // A host name that resolves to loopback (DNS rebinding) is not this machine, and neither is the
    // public name that a proxy passes on.
    let is_local = PeerAddress::is_local_client(request) && is_local_host(request.headers());
    if !is_local {
        Permit::<MayRead>::new(&principal).map_err(Failure::from)?;
    }
    Ok(exposition(app.metrics()))
}

/// Returns the endpoint of `--metrics-listen`: `/metrics`, for everyone who can reach that address.
pub fn metrics_endpoint(metrics: Metrics) -> BoxEndpoint<'static> {
    let shared = Arc::new(metrics.clone());
    let endpoint = make_sync(move |_request| exposition(&metrics));
    Route::new()
        .at("/metrics", get(endpoint))
        .around(host::check)
        .around(security_headers::add)
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
