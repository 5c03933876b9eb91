//! WebSocket: `GET /live/ws`.
//!
//! Poem answers the handshake; hello and what the viewer missed are written; then the bare socket
//! goes to a sender, which also reads what the viewer says.

use std::sync::Arc;

use poem::{Request, Response};
use tokio::io::AsyncWriteExt;

use super::handoff::Handoff;
use super::handshake::Upgrade;
use super::opening::Opening;
use super::query::LiveQuery;
use super::senders::Newcomer;
use super::{Live, Transport, no_handoff};
use crate::error::Failure;
use crate::wire::Encoding;

/// Answers the handshake and leaves the rest to a short task.
///
/// # Errors
/// 426 or 400 for what is no handshake, 400 for a bad parameter, 503 when there is no place.
pub fn ws(live: &Arc<Live>, request: &Request) -> Result<Response, Failure> {
    let query = LiveQuery::of(request)?;
    let upgrade = Upgrade::of(request)?;
    let handoff = Handoff::of(request).ok_or_else(no_handoff)?;
    let permission = live.auth.check_staff(request.headers());
    let place = live.places.admit(Transport::WebSocket)?;
    let (response, upgraded) = upgrade.accept();
    let owned = Arc::clone(live);
    live.tasks.spawn(async move {
        let Some(mut stream) = upgraded.await else {
            return;
        };
        let (filter, encoding) = (query.filter, Encoding::WebSocket);
        let transport = Transport::WebSocket;
        let mut opening = Opening::new(&owned, transport, encoding, filter.clone(), query.since);
        while let Some(bytes) = opening.next().await {
            if stream.write_all(&bytes).await.is_err() {
                return;
            }
        }
        let at = opening.reaches();
        handoff.arm(move |connection| {
            owned.senders.join(Newcomer {
                connection,
                encoding,
                filter,
                at,
                permission,
                place,
            });
        });
        // Lets go of the upgraded connection, which gives up the socket.
        drop(stream);
    });
    Ok(response)
}
