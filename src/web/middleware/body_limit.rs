//! Request bodies are read here, once, up to a limit and within a time: whatever comes after sees
//! only whole, small ones.

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::StreamExt;
use poem::http::{Method, StatusCode, header};
use poem::{Body, Endpoint, Request};
use tokio::time::timeout;

use crate::app_state::AppState;
use crate::error::Failure;
use crate::limits::{ClientAddress, MemoryExhausted, MemoryReservation};
use crate::web::pages::unsaved_form::SentForm;

/// A body is read into blocks of this size. One growing buffer would take twice its bytes, and fragment
/// the heap.
const BLOCK_BYTES: usize = 4 * 1024;

/// `Retry-After` of a request that was refused for want of memory: bodies end within seconds.
const NO_ROOM_RETRY_SECONDS: u64 = 5;

/// How large a body may be, and how long it may take to arrive: one that is trickled would
/// otherwise hold its connection for ever. The longest form that we accept has 2,240 characters;
/// percent-encoded that is under 30 KiB.
#[derive(Clone, Copy, Debug)]
pub struct BodyLimits {
    pub bytes: usize,
    pub time: Duration,
}

/// Replaces the request's body by the bytes read from it.
///
/// # Errors
/// 413 as soon as the limit is passed, also when the length was not told; 408 after the time.
pub async fn limit<E: Endpoint>(
    next: Arc<E>,
    mut request: Request,
    limits: BodyLimits,
) -> poem::Result<E::Output> {
    if !matches!(
        *request.method(),
        Method::GET | Method::HEAD | Method::OPTIONS
    ) {
        let told = request.headers().get(header::CONTENT_LENGTH);
        let told = told.and_then(|length| length.to_str().ok()?.parse::<u64>().ok());
        if told.is_some_and(|length| length > limits.bytes as u64) {
            return Err(limits.too_large().into());
        }
        keep(&mut request, limits).await?;
    }
    next.call(request).await
}

/// Reads the body, and keeps it for the answer if it is a form.
///
/// # Errors
/// As for `limit`.
pub async fn keep(request: &mut Request, limits: BodyLimits) -> Result<(), Failure> {
    let app = request.data::<Arc<AppState>>().cloned();
    let app = app.ok_or_else(Failure::internal)?;
    let mut buffered = app
        .limiter()
        .open_reservation(ClientAddress::from_request(request));
    let body = limits.read(request.take_body(), &mut buffered).await;
    let body = body.inspect_err(|failure| {
        if failure.status == StatusCode::SERVICE_UNAVAILABLE {
            app.count_refused_buffers();
        }
    })?;
    // Returned to the budget when the request is dropped.
    request.set_data(Arc::new(buffered));
    SentForm::keep(request, &body);
    request.set_body(body);
    Ok(())
}

impl BodyLimits {
    async fn read(self, body: Body, buffered: &mut MemoryReservation) -> Result<Bytes, Failure> {
        match timeout(self.time, self.gather(body, buffered)).await {
            Ok(read) => read,
            Err(_late) => Err(Failure::new(
                StatusCode::REQUEST_TIMEOUT,
                "Too slow",
                format!(
                    "The body did not arrive within {}.",
                    humantime::format_duration(self.time)
                ),
            )),
        }
    }

    /// Copies the body out of hyper's buffers: even a small slice keeps the whole buffer that it was read
    /// into.
    async fn gather(self, body: Body, buffered: &mut MemoryReservation) -> Result<Bytes, Failure> {
        let mut pieces = pin!(body.into_bytes_stream());
        let (mut blocks, mut length) = (Vec::<Vec<u8>>::new(), 0);
        while let Some(piece) = pieces.next().await {
            let piece = piece
                .map_err(|_| Failure::bad_request("The body could not be read to its end."))?;
            length += piece.len();
            if length > self.bytes {
                return Err(self.too_large());
            }
            let mut rest = &piece[..];
            while !rest.is_empty() {
                if blocks
                    .last()
                    .is_none_or(|block| block.len() == block.capacity())
                {
                    let held = (blocks.len() + 1) * BLOCK_BYTES;
                    buffered.resize(held).map_err(|MemoryExhausted| no_room())?;
                    blocks.push(Vec::with_capacity(BLOCK_BYTES));
                }
                if let Some(block) = blocks.last_mut() {
                    let (taken, left) =
                        rest.split_at(rest.len().min(block.capacity() - block.len()));
                    block.extend_from_slice(taken);
                    rest = left;
                }
            }
        }
        Ok(blocks.concat().into())
    }

    fn too_large(self) -> Failure {
        Failure::too_large(format!("A body has at most {} bytes.", self.bytes))
    }
}

/// The answer to a request that the budget of all requests has no room for.
pub fn no_room() -> Failure {
    let detail = "The server is receiving too many requests at this moment. Try again soon.";
    Failure::unavailable(detail, NO_ROOM_RETRY_SECONDS)
}
