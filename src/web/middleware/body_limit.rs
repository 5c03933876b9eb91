//! Reads request bodies, up to a size and within a time. Handlers get complete, small bodies.

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::StreamExt;
use poem::http::{Method, StatusCode, header};
use poem::{Body, Endpoint, Request};
use tokio::time::timeout;

use super::request_memory::memory_exhausted;
use crate::app_state::AppState;
use crate::auth::{MayWrite, Permit, Principal};
use crate::error::Failure;
use crate::limits::{ClientAddress, MemoryExhausted, MemoryReservation};
use crate::model::picture::PhotoError;
use crate::web::Site;
use crate::web::pages::unsaved_form::SentForm;
use crate::web::photos;
use crate::web::spreadsheet;

/// A body is read into blocks of this size. One growing buffer would take twice its bytes, and
/// fragment the heap.
const BLOCK_BYTES: usize = 4 * 1024;

/// Limits of a request that sends a photo: 20 MB over a slow line.
const UPLOAD_LIMITS: BodyLimits = BodyLimits {
    bytes: photos::UPLOAD_BYTES,
    time: Duration::from_mins(5),
};

/// Limits of a request body.
#[derive(Clone, Copy, Debug)]
pub struct BodyLimits {
    /// The largest body. The longest form that is accepted has 2,240 characters, which are less than
    /// 30 KiB percent-encoded.
    pub bytes: usize,
    /// The longest time for a body to arrive. A client that sends slowly (slow loris) would occupy its
    /// connection forever.
    pub time: Duration,
}

/// Reads the body of a request that may have one.
///
/// # Errors
/// 413 as soon as the body exceeds the limit, 408 after the time, 503 without memory.
pub async fn limit<E: Endpoint>(
    next: Arc<E>,
    mut request: Request,
    mut limits: BodyLimits,
) -> poem::Result<E::Output> {
    if photos::is_upload(&request) {
        read_upload(&mut request).await?;
        return next.call(request).await;
    }
    if [Method::GET, Method::HEAD, Method::OPTIONS].contains(request.method()) {
        return next.call(request).await;
    }
    let is_import = request.uri().path() == spreadsheet::IMPORT_PATH;
    if is_import {
        Permit::<MayWrite>::new(Principal::get(&request)?)?;
        // Percent-encoding takes three bytes for one.
        limits.bytes = limits.bytes.max(3 * spreadsheet::MAX_BYTES);
    }
    let read = if announced_length(&request).is_some_and(|length| length > limits.bytes as u64) {
        Err(limits.too_large())
    } else {
        read_body(&mut request, limits).await
    };
    match read {
        Ok(()) => next.call(request).await,
        Err(failure) if is_import && failure.status == StatusCode::PAYLOAD_TOO_LARGE => {
            Err(spreadsheet::too_large().into())
        }
        Err(failure) => Err(failure.into()),
    }
}

/// Reads the body of a request that sends a photo: from those who may send one, while there is memory.
///
/// # Errors
/// As for `limit`, and the refusal of everyone else.
async fn read_upload(request: &mut Request) -> Result<(), Failure> {
    Permit::<MayWrite>::new(Principal::get(request)?)?;
    let site = request.data::<Arc<Site>>().cloned();
    let site = site.ok_or_else(Failure::internal)?;
    let length = announced_length(request);
    if length.is_some_and(|length| length > UPLOAD_LIMITS.bytes as u64) {
        return Err(PhotoError::FileTooLarge.into());
    }
    let bytes = length.map_or(UPLOAD_LIMITS.bytes, |length| length as usize);
    let bytes = bytes.max(BLOCK_BYTES);
    let memory = site.uploads.memory(bytes).await?;
    // Given back when the request is dropped.
    request.set_data(Arc::new(memory));
    // Into one block: joining blocks would take the bytes twice.
    read_body_from(request, UPLOAD_LIMITS, bytes).await
}

/// Returns the length of the body as its head announces it.
fn announced_length(request: &Request) -> Option<u64> {
    let length = request.headers().get(header::CONTENT_LENGTH);
    length.and_then(|length| length.to_str().ok()?.parse().ok())
}

/// Replaces the body by the bytes read from it. The body of a form is also kept for the answer.
///
/// # Errors
/// As for `limit`.
pub async fn read_body(request: &mut Request, limits: BodyLimits) -> Result<(), Failure> {
    read_body_from(request, limits, BLOCK_BYTES).await
}

/// Like `read_body`, with a first block of `block_bytes`.
async fn read_body_from(
    request: &mut Request,
    limits: BodyLimits,
    block_bytes: usize,
) -> Result<(), Failure> {
    let app = request.data::<Arc<AppState>>().cloned();
    let app = app.ok_or_else(Failure::internal)?;
    let client = ClientAddress::from_request(request);
    let mut reservation = app.limiter().open_reservation(client);
    let reading = limits.read(request.take_body(), block_bytes, &mut reservation);
    let body = timeout(limits.time, reading).await.unwrap_or_else(|_| {
        let time = humantime::format_duration(limits.time);
        Err(Failure::new(
            StatusCode::REQUEST_TIMEOUT,
            "Too slow",
            format!("The body did not arrive within {time}."),
        ))
    });
    let body = body.inspect_err(|failure| {
        if failure.status == StatusCode::SERVICE_UNAVAILABLE {
            app.count_refused_memory();
        }
    })?;
    // Released when the request is dropped.
    request.set_data(Arc::new(reservation));
    SentForm::keep(request, &body);
    request.set_body(body);
    Ok(())
}

impl BodyLimits {
    /// Copies the body out of hyper's buffers: a small slice of a buffer keeps all of it.
    async fn read(
        self,
        body: Body,
        mut block_bytes: usize,
        reservation: &mut MemoryReservation,
    ) -> Result<Bytes, Failure> {
        let mut pieces = pin!(body.into_bytes_stream());
        let mut blocks = Vec::<Vec<u8>>::new();
        let (mut length, mut reserved) = (0, 0);
        while let Some(piece) = pieces.next().await {
            let piece = piece.map_err(|_| Failure::bad_request("The body is incomplete."))?;
            length += piece.len();
            if length > self.bytes {
                return Err(self.too_large());
            }
            let mut rest = &piece[..];
            while !rest.is_empty() {
                let block = match blocks.last_mut() {
                    Some(block) if block.len() < block.capacity() => block,
                    _ => {
                        reserved += block_bytes;
                        let granted = reservation.resize(reserved);
                        granted.map_err(|MemoryExhausted| memory_exhausted())?;
                        let block = Vec::with_capacity(block_bytes);
                        block_bytes = BLOCK_BYTES;
                        blocks.push_mut(block)
                    }
                };
                let room = block.capacity() - block.len();
                let (now, later) = rest.split_at(rest.len().min(room));
                block.extend_from_slice(now);
                rest = later;
            }
        }
        Ok(match <[Vec<u8>; 1]>::try_from(blocks) {
            Ok([block]) => block.into(),
            Err(blocks) => blocks.concat().into(),
        })
    }

    fn too_large(self) -> Failure {
        Failure::too_large(format!("The body is larger than {} bytes.", self.bytes))
    }
}
