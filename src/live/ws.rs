//! WebSocket: `GET /live/ws`.
//!
//! Poem answers the handshake; hello and what the viewer missed are written; then the bare socket
//! goes to a sender, which also reads what the viewer says.

use std::sync::Arc;

use futures_util::FutureExt;
use poem::{Request, Response, Upgraded};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::arrival::Arrival;
use super::handoff::Handoff;
use super::handshake::Upgrade;
use super::opening::Opening;
use super::query::LiveQuery;
use super::{Live, Transport, no_handoff};
use crate::auth::Principal;
use crate::error::Failure;
use crate::limits::ClientAddress;
use crate::wire::Encoding;

/// Bytes that are taken from one who speaks before it is answered; the rest is read later.
const EARLY_BYTES: usize = 16 * 1024;

/// The subprotocol that names the messages of this route, for clients that offer it.
const PROTOCOL: &str = "petstore.v1";

/// Answers the handshake and leaves the rest to a short task.
///
/// # Errors
/// 426 or 400 for what is no handshake, 400 for a bad parameter, 503 when there is no place.
pub fn ws(live: &Arc<Live>, request: &Request) -> Result<Response, Failure> {
    let query = LiveQuery::of(request, live.auth)?;
    let trouble = query.trouble(Transport::WebSocket)?;
    let upgrade = Upgrade::of(request)?.with_protocol(request, PROTOCOL);
    let handoff = Handoff::of(request).ok_or_else(no_handoff)?;
    let speaker = Principal::get(request)?.socket_principal();
    let visitor = ClientAddress::from_request(request);
    let place = live.admit(Transport::WebSocket, &query, visitor)?;
    let (response, upgraded) = upgrade.accept();
    let owned = Arc::clone(live);
    let opening = async move {
        let Some(mut stream) = upgraded.await else {
            return;
        };
        let transport = Transport::WebSocket;
        let (filter, form, encoding) = (query.filter, query.form, Encoding::WebSocket);
        let since = owned.hub.reach(query.since).await;
        let mut arrival = Arrival {
            opening: Opening::new(&owned, transport, encoding, filter.clone(), form, since),
            live: owned,
            encoding,
            filter,
            form,
            said: Vec::new(),
            speaker,
            visitor,
            place,
            trouble,
        };
        while let Some(bytes) = arrival.next().await {
            if stream.write_all(&bytes).await.is_err() {
                return;
            }
        }
        if stream.flush().await.is_err() {
            return;
        }
        arrival.said = read_early(&mut stream);
        handoff.arm(move |connection| arrival.go_on(connection));
        // Lets go of the upgraded connection, which gives up the socket.
        drop(stream);
    };
    live.tasks
        .spawn(live.cut.clone().run_until_cancelled_owned(opening));
    Ok(response)
}

/// What the viewer said before it was answered: hyper may have read it with the handshake.
fn read_early(stream: &mut Upgraded) -> Vec<u8> {
    let mut said = Vec::new();
    while said.len() < EARLY_BYTES
        && let Some(Ok(1..)) = stream.read_buf(&mut said).now_or_never()
    {}
    said
}
