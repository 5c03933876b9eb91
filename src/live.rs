//! The live routes: deliver what the hub publishes over WebSocket, Server-Sent Events or long
//! polling.
//!
//! A route parses the request (`query`), takes a slot, and sends hello and the changes since the
//! viewer's cursor (`initial_payload`). Then the socket leaves HTTP (`upgrade`) and is registered with a
//! delivery worker; so is that of a poll for which there is nothing to send (`poll`). `protocol` handles what a
//! WebSocket viewer sends. Behind a cache, readers follow the `log` instead, and are no viewers. The server
//! keeps no session: the cursor in the request is the whole state, so a viewer may
//! reconnect over any transport. In the demo, a viewer can ask for network faults (`chaos`).

mod chaos;
mod echo;
mod handshake;
mod initial_payload;
mod log;
mod poll;
mod protocol;
mod query;
mod sse;
mod state;
mod upgrade;
mod webhooks;
mod websocket;

pub use self::chaos::inject_faults;
pub use self::echo::{EchoBudget, EchoCodec, echo_websocket};
pub use self::log::{ForSharedCaches, LogWaits, log_address, read_log, read_state_at};
pub use self::poll::poll_changes;
pub use self::protocol::{REFERENCE_LIMIT, too_many_writes};
pub use self::query::{LiveQuery, WAIT_MAX};
pub use self::sse::watch_sse;
pub use self::state::read_state;
pub use self::webhooks::{WebhookConfig, WebhookWorkers};
pub use self::websocket::watch_websocket;
use crate::app_state::AppState;
use crate::delivery::{Transport, ViewerSlot};
use crate::error::Failure;
use crate::limits::ClientAddress;

/// Takes a slot for a viewer, and counts a switch of transport.
fn admit(
    app: &AppState,
    transport: Transport,
    query: &LiveQuery,
    visitor: ClientAddress,
) -> Result<ViewerSlot, Failure> {
    let slot = app.slots().admit(transport, visitor)?;
    query.count_switch(app.metrics(), transport.as_str());
    Ok(slot)
}

/// The failure of a request that did not come over a connection of the accept loop, and so has no
/// socket to hand over.
fn no_handoff() -> Failure {
    tracing::error!("a live request has no connection to hand over");
    Failure::internal()
}
