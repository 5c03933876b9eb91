//! Charges requests and unread answers to the memory budget of all requests.
//!
//! A client that does not read keeps its answer in memory. An answer of known length is charged as a
//! whole before its head is sent, so that it can still be refused. A streamed answer is charged piece
//! by piece, and waits while the budget is used up.

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

use crate::app_state::AppState;
use crate::error::Failure;
use crate::limits::{ClientAddress, REQUEST_BYTES};

/// Answers up to this length are part of the memory that every connection reserves.
const INCLUDED_BYTES: u64 = 8 * 1024;

/// How long a piece of a streamed answer waits for memory, and how often it retries.
const MEMORY_TIMEOUT: Duration = Duration::from_secs(5);
const MEMORY_INTERVAL: Duration = Duration::from_millis(50);

/// `Retry-After` of a request that was refused for want of memory. Bodies end within seconds.
const RETRY_AFTER_SECONDS: u64 = 5;

/// Reserves memory for a request while its handler runs, and for its answer until it is read.
///
/// # Errors
/// 503 when the budget is used up.
pub async fn charge_request<E: Endpoint>(next: Arc<E>, request: Request) -> poem::Result<Response> {
    let app = request.data::<Arc<AppState>>().cloned();
    let app = app.ok_or_else(Failure::internal)?;
    let client = ClientAddress::from_request(&request);
    let mut reservation = app.limiter().open_reservation(client);
    if reservation.resize(REQUEST_BYTES).is_err() {
        app.count_refused_memory();
        return Err(memory_exhausted().into());
    }
    let response = next.call(request).await?.into_response();
    drop(reservation);
    Ok(charge_response(&app, client, response).await?)
}

/// The failure for a request that the budget has no memory for.
pub fn memory_exhausted() -> Failure {
    let detail = "The server is handling too many requests right now. Try again in a few seconds.";
    Failure::unavailable(detail, RETRY_AFTER_SECONDS)
}

async fn charge_response(
    app: &Arc<AppState>,
    client: ClientAddress,
    mut response: Response,
) -> Result<Response, Failure> {
    if response.status() == StatusCode::SWITCHING_PROTOCOLS {
        return Ok(response);
    }
    let body: BoxBody<Bytes, io::Error> = response.take_body().into();
    let length = body.size_hint().exact();
    let body = Body::from(body);
    response.set_body(match length {
        Some(..=INCLUDED_BYTES) => body,
        Some(_) => {
            let pieces: Result<Vec<Bytes>, _> = body.into_bytes_stream().try_collect().await;
            let pieces = pieces.map_err(|_| Failure::internal())?.into_iter();
            let charged = pieces.map(|piece| app.limiter().reserve_response(client, piece));
            let charged: Result<Vec<Bytes>, _> = charged.collect();
            sized_body(charged.map_err(|_refused| {
                app.count_refused_memory();
                memory_exhausted()
            })?)
        }
        None => {
            let app = Arc::clone(app);
            Body::from_bytes_stream(body.into_bytes_stream().then(move |piece| {
                let app = Arc::clone(&app);
                async move { charge_piece(&app, client, piece?).await }
            }))
        }
    });
    Ok(response)
}

async fn charge_piece(
    app: &AppState,
    client: ClientAddress,
    mut piece: Bytes,
) -> io::Result<Bytes> {
    let deadline = Instant::now() + MEMORY_TIMEOUT;
    loop {
        piece = match app.limiter().reserve_response(client, piece) {
            Ok(charged) => return Ok(charged),
            Err(refused) => refused.bytes,
        };
        if Instant::now() > deadline {
            app.count_refused_memory();
            return Err(io::ErrorKind::OutOfMemory.into());
        }
        sleep(MEMORY_INTERVAL).await;
    }
}

/// Returns a body of known length. The pieces are not copied, so that readers can share them.
pub fn sized_body(pieces: Vec<Bytes>) -> Body {
    let left = pieces.iter().map(|piece| piece.len() as u64).sum();
    let pieces = pieces.into_iter();
    Body::from(BoxBody::new(SizedBody { pieces, left }))
}

struct SizedBody {
    pieces: vec::IntoIter<Bytes>,
    /// Bytes in the pieces.
    left: u64,
}

impl hyper::body::Body for SizedBody {
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
