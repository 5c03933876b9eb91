//! WebSocket: `GET /live/ws`.
//!
//! `handshake` answers the upgrade request, and then the bare socket leaves HTTP. The delivery worker also reads
//! what the viewer sends.

use std::sync::Arc;

use futures_util::FutureExt;
use poem::web::Data;
use poem::{Request, Response, Upgraded, handler};
use tokio::io::AsyncReadExt;

use super::handshake::Handshake;
use super::protocol::CommandHandler;
use super::query::LiveQuery;
use super::upgrade::Upgrade;
use super::{admit, no_handoff};
use crate::app_state::AppState;
use crate::auth::Principal;
use crate::delivery::Transport;
use crate::limits::ClientAddress;
use crate::serve::Handoff;
use crate::wire::Encoding;

/// Bytes that are read from a viewer that sends before the handshake is answered. The worker reads
/// the rest.
const EARLY_BYTES: usize = 16 * 1024;

/// The subprotocol that names the messages of this route, for clients that offer it.
const PROTOCOL: &str = "petstore.v1";

/// Answers the handshake, and leaves the rest to a short task.
///
/// # Errors
/// 426 or 400 for what is no handshake, 400 for an invalid parameter, 503 when all slots are taken.
#[handler]
pub fn watch_websocket(
    Data(app): Data<&Arc<AppState>>,
    request: &Request,
) -> poem::Result<Response> {
    let query = LiveQuery::parse(request)?;
    let handshake = Handshake::from_request(request)?.with_protocol(request, PROTOCOL);
    let handoff = Handoff::from_request(request).ok_or_else(no_handoff)?;
    let speaker = Principal::get(request)?.socket_principal();
    let visitor = ClientAddress::from_request(request);
    let slot = admit(app, Transport::WebSocket, &query, visitor)?;
    let (response, upgraded) = handshake.accept();
    let owned = Arc::clone(app);
    app.spawn(async move {
        let Some(mut stream) = upgraded.await else {
            return;
        };
        let form = (Transport::WebSocket, Encoding::WebSocket);
        let handler = CommandHandler::new(Arc::clone(&owned), speaker);
        let mut upgrade = Upgrade::new(owned, query, form, (visitor, slot)).await;
        upgrade.handler = Some(Box::new(handler));
        upgrade.received = read_early(&mut stream);
        upgrade.arm(&handoff);
        // Releases the socket.
        drop(stream);
    });
    Ok(response)
}

/// Reads what the viewer has sent already: hyper may have read it with the handshake.
fn read_early(stream: &mut Upgraded) -> Vec<u8> {
    let mut received = Vec::new();
    while received.len() < EARLY_BYTES
        && let Some(Ok(1..)) = stream.read_buf(&mut received).now_or_never()
    {}
    received
}
