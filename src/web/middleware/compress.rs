//! Compresses answers when they are sent.
//!
//! Answers to GET and HEAD are compressed if they are text of some length. Live streams are never
//! compressed, because every message has to leave immediately. Neither are answers to forms, and pages that
//! contain a secret: an attacker who can add text to a page and see the length of the answer could otherwise
//! guess the secret character by character (BREACH). The form token is on many pages and masked in each
//! answer, see `auth::csrf`.
//!
//! A compressed answer has an entity tag of its own. Handlers do not see it: it is removed from
//! `If-None-Match` and `If-Match`.

use std::io;
use std::sync::Arc;

use bytes::Bytes;
use futures_util::{StreamExt, TryStreamExt, stream};
use http_body_util::combinators::BoxBody;
use hyper::body::Body as _;
use poem::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use poem::{Body, Endpoint, IntoResponse, Request, Response};
use tokio::sync::Semaphore;
use tokio::task::spawn_blocking;
use tokio_stream::Stream;

use super::request_memory::sized_body;
use crate::app_state::AppState;
use crate::error::Failure;
use crate::limits::{ClientAddress, MemoryReservation};
use crate::live::ForSharedCaches;
use crate::web::compressor::{Compressor, compress_whole};
use crate::web::content_coding::ContentCoding;

/// Shorter answers are not compressed: they fit into one packet with their head.
const MIN_BYTES: u64 = 1024;

/// Longer answers are compressed outside of the async workers.
const MAX_INLINE_BYTES: u64 = 16 * 1024;

/// Pieces of a streamed answer from this size on are sent immediately, so that the browser can show
/// them.
const FLUSHED_BYTES: usize = 4096;

/// Marks an answer that contains a secret.
#[derive(Clone, Copy)]
pub struct ContainsSecret;

/// The compressed forms of a body, if they exist already. A handler attaches them to its answer.
#[derive(Clone)]
pub struct Precompressed {
    /// In Brotli.
    pub brotli: Bytes,
    /// In gzip.
    pub gzip: Bytes,
}

/// Compresses the answer if the client accepts that. `slots` limits how many long answers are
/// compressed concurrently.
pub async fn compress<E: Endpoint>(
    next: Arc<E>,
    mut request: Request,
    slots: Arc<Semaphore>,
) -> poem::Result<Response> {
    let accepted = ContentCoding::negotiate(request.headers());
    let is_read = request.method().is_safe();
    let is_live = request.uri().path().starts_with("/live/");
    let client = ClientAddress::from_request(&request);
    let app = request.data::<Arc<AppState>>().cloned();
    let app = app.ok_or_else(Failure::internal)?;
    let known_tags = take_suffixes(request.headers_mut());
    let mut response = next.call(request).await?.into_response();
    // A coding that the client chose would split the entries of a cache.
    if response.data::<ForSharedCaches>().is_some() {
        return Ok(response);
    }
    if response.status() == StatusCode::NOT_MODIFIED {
        restore_suffix(response.headers_mut(), &known_tags);
        response.headers_mut().append(header::VARY, ACCEPT_ENCODING);
        return Ok(response);
    }
    if !is_read || !is_compressible(&response) {
        return Ok(response);
    }
    let body: BoxBody<Bytes, io::Error> = response.take_body().into();
    let length = body.size_hint().exact();
    let body = Body::from(body);
    let is_worthwhile = length.map_or(!is_live, |length| length >= MIN_BYTES);
    if !is_worthwhile {
        response.set_body(body);
        return Ok(response);
    }
    response.headers_mut().append(header::VARY, ACCEPT_ENCODING);
    let Some(coding) = accepted else {
        response.set_body(body);
        return Ok(response);
    };
    let prepared = response.extensions_mut().remove::<Precompressed>();
    let body = match (prepared, length) {
        (Some(Precompressed { brotli, gzip }), _) => Body::from(match coding {
            ContentCoding::Brotli => brotli,
            ContentCoding::Gzip => gzip,
        }),
        (None, Some(length)) => {
            let pieces: Result<Vec<Bytes>, _> = body.into_bytes_stream().try_collect().await;
            let pieces = pieces.map_err(|_| Failure::internal())?;
            let whole = compress_sized(coding, pieces, length, &slots).await;
            sized_body(vec![whole.map_err(|_| Failure::internal())?])
        }
        (None, None) => {
            let mut memory = app.limiter().open_reservation(client);
            if memory.resize(Compressor::memory_bytes(coding)).is_err() {
                // The plain answer needs less memory on this side.
                response.set_body(body);
                return Ok(response);
            }
            Body::from_bytes_stream(compress_stream(coding, body, memory))
        }
    };
    response.set_body(body);
    let headers = response.headers_mut();
    headers.remove(header::CONTENT_LENGTH);
    headers.insert(
        header::CONTENT_ENCODING,
        HeaderValue::from_static(coding.name()),
    );
    add_suffix(headers, coding);
    Ok(response)
}

const ACCEPT_ENCODING: HeaderValue = HeaderValue::from_static("accept-encoding");

/// Returns true for text without a secret that is not compressed yet. A stream of events is no text: it
/// has no end.
fn is_compressible(response: &Response) -> bool {
    let headers = response.headers();
    let kind = headers.get(header::CONTENT_TYPE);
    let kind = kind.and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    let kind = kind.split(';').next().unwrap_or_default();
    let is_text = kind.starts_with("text/") || kind.ends_with("json") || kind == "image/svg+xml";
    response.status() == StatusCode::OK
        && is_text
        && kind != "text/event-stream"
        && !headers.contains_key(header::CONTENT_ENCODING)
        && response.data::<ContainsSecret>().is_none()
}

async fn compress_sized(
    coding: ContentCoding,
    pieces: Vec<Bytes>,
    length: u64,
    slots: &Arc<Semaphore>,
) -> io::Result<Bytes> {
    if length <= MAX_INLINE_BYTES {
        return compress_whole(coding, &pieces);
    }
    let slot = Arc::clone(slots).acquire_owned().await;
    let slot = slot.map_err(io::Error::other)?;
    let running = spawn_blocking(move || {
        let _slot = slot;
        compress_whole(coding, &pieces)
    });
    running.await.map_err(io::Error::other)?
}

/// Compresses the pieces of `body` one by one. `memory` is the reservation for the compressor.
fn compress_stream(
    coding: ContentCoding,
    body: Body,
    memory: MemoryReservation,
) -> impl Stream<Item = io::Result<Bytes>> + Send {
    let pieces = body.into_bytes_stream();
    let state = Some((Compressor::new(coding), pieces, memory));
    let compressed = stream::unfold(state, async |state| {
        let (mut compressor, mut pieces, memory) = state?;
        Some(match pieces.next().await {
            None => (compressor.finish(), None),
            Some(Err(error)) => (Err(error), None),
            Some(Ok(piece)) => {
                let mut output = compressor.push(&piece);
                if piece.len() >= FLUSHED_BYTES
                    && let Ok(pushed) = &output
                {
                    let flushed = compressor.flush();
                    output = flushed.map(|flushed| [&pushed[..], &flushed[..]].concat().into());
                }
                (output, Some((compressor, pieces, memory)))
            }
        })
    });
    // An empty piece would end a chunked body.
    compressed.filter(|piece| std::future::ready(!piece.as_ref().is_ok_and(Bytes::is_empty)))
}

/// Headers with entity tags that a client got from this server.
const CONDITIONS: [HeaderName; 2] = [header::IF_NONE_MATCH, header::IF_MATCH];

/// Removes the suffixes of codings from the entity tags of the request. Returns its original
/// `If-None-Match`.
fn take_suffixes(headers: &mut HeaderMap) -> String {
    let known = headers.get(header::IF_NONE_MATCH);
    let known = known.and_then(|known| known.to_str().ok());
    let known = known.unwrap_or_default().to_owned();
    for name in CONDITIONS {
        let values = headers.get_all(&name).iter();
        let plain: Vec<HeaderValue> = values.map(without_suffixes).collect();
        headers.remove(&name);
        for value in plain {
            headers.append(&name, value);
        }
    }
    known
}

fn without_suffixes(value: &HeaderValue) -> HeaderValue {
    let Ok(text) = value.to_str() else {
        return value.clone();
    };
    let plain = ContentCoding::ALL
        .into_iter()
        .fold(text.to_owned(), |text, coding| {
            text.replace(&format!("{}\"", coding.tag_suffix()), "\"")
        });
    HeaderValue::from_str(&plain).unwrap_or_else(|_| value.clone())
}

/// Adds the suffix of the coding to the entity tag of the answer.
fn add_suffix(headers: &mut HeaderMap, coding: ContentCoding) {
    let tag = headers.get(header::ETAG).and_then(|tag| tag.to_str().ok());
    let tag = tag.and_then(|tag| tag.strip_suffix('"'));
    let tag = tag.map(|tag| HeaderValue::try_from(format!("{tag}{}\"", coding.tag_suffix())));
    if let Some(Ok(tag)) = tag {
        headers.insert(header::ETAG, tag);
    }
}

/// Gives a 304 answer the entity tag of the representation that the client has.
fn restore_suffix(headers: &mut HeaderMap, known_tags: &str) {
    let tag = headers.get(header::ETAG).and_then(|tag| tag.to_str().ok());
    let Some(tag) = tag.and_then(|tag| tag.strip_suffix('"')) else {
        return;
    };
    let has =
        |coding: &ContentCoding| known_tags.contains(&format!("{tag}{}\"", coding.tag_suffix()));
    if let Some(coding) = ContentCoding::ALL.into_iter().find(has) {
        add_suffix(headers, coding);
    }
}
