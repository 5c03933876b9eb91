//! For the one who runs the machine: is it alive, should it get traffic, what has it counted.

use std::sync::Arc;

use poem::http::StatusCode;
use poem::web::Data;
use poem::{Response, handler};

use crate::live::Live;

/// The process answers.
#[handler]
pub fn health() -> Response {
    text(StatusCode::OK, "ok\n")
}

/// Whether new visitors should be sent here: not while it stops, and not while its own disk cannot
/// be written.
#[handler]
pub fn readiness(Data(live): Data<&Arc<Live>>) -> Response {
    if live.stop.is_cancelled() {
        text(StatusCode::SERVICE_UNAVAILABLE, "stopping\n")
    } else if live.is_cut_off() {
        // A balancer that dropped this node would drop all of them.
        text(
            StatusCode::OK,
            "ready to be read; changes cannot be made, the engine is out of reach\n",
        )
    } else if !live.is_working() {
        text(
            StatusCode::SERVICE_UNAVAILABLE,
            "changes cannot be written or delivered\n",
        )
    } else {
        text(StatusCode::OK, "ready\n")
    }
}

#[handler]
pub fn metrics(Data(live): Data<&Arc<Live>>) -> Response {
    Response::builder()
        .content_type("text/plain; version=0.0.4; charset=utf-8")
        .header("cache-control", "no-store")
        .body(live.hub.metrics().encode())
}

fn text(status: StatusCode, body: &'static str) -> Response {
    Response::builder()
        .status(status)
        .content_type("text/plain; charset=utf-8")
        .header("cache-control", "no-store")
        .body(body)
}
