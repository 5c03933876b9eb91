//! Memory of answers: charged to the budget of all requests until the reader took them.
//!
//! A reader that does not read keeps hyper from dropping what it was handed. An answer whose length
//! is known is charged as a whole before its head is sent, so that it can be refused. One that is
//! made while it is sent is charged piece by piece, and waits while there is no room.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;
use std::vec;

use bytes::Bytes;
use futures_util::{StreamExt, TryStreamExt};
use http_body_util::combinators::BoxBody;
use hyper::body::{Body as _, Frame, SizeHint};
use poem::http::StatusCode;
use poem::{Body, Endpoint, IntoResponse, Request, Response};
use tokio::time::{Instant, sleep};

use super::body_limit;
use crate::app_state::AppState;
use crate::error::Failure;
use crate::limits::{ClientAddress, REQUEST_BYTES};

/// An answer of up to this length is part of what every connection takes.
const INCLUDED_BYTES: u64 = 8 * 1024;

/// How long a piece of an answer waits for room, and how often it looks.
const ROOM_TIMEOUT: Duration = Duration::from_secs(5);
const ROOM_INTERVAL: Duration = Duration::from_millis(50);

/// Lets a request through that the budget of all requests has room for, and then its answer.
///
/// # Errors
/// 503.
pub async fn charge_request<E: Endpoint>(next: Arc<E>, request: Request) -> poem::Result<Response> {
    let app = request.data::<Arc<AppState>>().cloned();
    let app = app.ok_or_else(Failure::internal)?;
    let visitor = ClientAddress::from_request(&request);
    let mut buffered = app.limiter().open_reservation(visitor);
    if buffered.resize(REQUEST_BYTES).is_err() {
        app.count_refused_buffers();
        return Err(body_limit::no_room().into());
    }
    let response = next.call(request).await?.into_response();
    drop(buffered);
    Ok(charge(&app, visitor, response).await?)
}

/// Charges `response` for `visitor`.
///
/// # Errors
/// 503 when the budget has no room for it.
async fn charge(
    app: &Arc<AppState>,
    visitor: ClientAddress,
    mut response: Response,
) -> Result<Response, Failure> {
    if response.status() == StatusCode::SWITCHING_PROTOCOLS {
        return Ok(response);
    }
    let body: BoxBody<Bytes, io::Error> = response.take_body().into();
    let length = body.size_hint().exact();
    let body = Body::from(body);
    let body = match length {
        Some(..=INCLUDED_BYTES) => body,
        Some(_) => {
            let pieces: Vec<Bytes> = body
                .into_bytes_stream()
                .try_collect()
                .await
                .map_err(|_| Failure::internal())?;
            let charged = pieces
                .into_iter()
                .map(|piece| app.limiter().reserve_response(visitor, piece));
            let charged = charged.collect::<Result<Vec<_>, _>>().map_err(|_refused| {
                app.count_refused_buffers();
                body_limit::no_room()
            })?;
            whole(charged)
        }
        None => {
            let app = Arc::clone(app);
            Body::from_bytes_stream(body.into_bytes_stream().then(move |piece| {
                let app = Arc::clone(&app);
                async move { charge_piece(&app, visitor, piece?).await }
            }))
        }
    };
    response.set_body(body);
    Ok(response)
}

async fn charge_piece(
    app: &AppState,
    visitor: ClientAddress,
    mut piece: Bytes,
) -> io::Result<Bytes> {
    let deadline = Instant::now() + ROOM_TIMEOUT;
    loop {
        piece = match app.limiter().reserve_response(visitor, piece) {
            Ok(charged) => return Ok(charged),
            Err(full) => full.bytes,
        };
        if Instant::now() > deadline {
            app.count_refused_buffers();
            return Err(io::ErrorKind::OutOfMemory.into());
        }
        sleep(ROOM_INTERVAL).await;
    }
}

/// A body of known length from pieces that stay as they are, so that readers can share them.
pub fn whole(pieces: Vec<Bytes>) -> Body {
    let left = pieces.iter().map(|piece| piece.len() as u64).sum();
    let pieces = pieces.into_iter();
    Body::from(BoxBody::new(Pieces { pieces, left }))
}

struct Pieces {
    pieces: vec::IntoIter<Bytes>,
    /// Bytes in them.
    left: u64,
}

impl hyper::body::Body for Pieces {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _context: &mut Context<'_>,
    ) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        let piece = self.pieces.find(|piece| !piece.is_empty());
        if let Some(piece) = &piece {
            self.left -= piece.len() as u64;
        }
        Poll::Ready(piece.map(|piece| Ok(Frame::data(piece))))
    }

    fn is_end_stream(&self) -> bool {
        self.left == 0
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.left)
    }
}
