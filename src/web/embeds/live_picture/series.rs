//! One client that is sent a series of pictures (`multipart/x-mixed-replace`).
//!
//! As for the streams of `live`, the socket leaves HTTP when the head of the answer is sent. A task writes the newest picture,
//! and waits for the next one, or for the client to disconnect. While a picture is being written, newer ones replace each
//! other.

use std::future::pending;
use std::io::{self, ErrorKind};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::stream;
use poem::http::{Version, header};
use poem::{Body, Response};
use socket2::SockRef;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;

use super::publisher::{NewestPart, Publishers};
use crate::delivery::ViewerSlot;
use crate::model::PetId;
use crate::serve::{Connection, Handoff};
use crate::web::Site;

const CONTENT_TYPE: &str = "multipart/x-mixed-replace; boundary=petstore-picture";

/// The boundary and the head of a part, and the end of the last part.
const NEXT: &str = "--petstore-picture\r\nContent-Type: image/png\r\n\r\n";
const END: &str = "--petstore-picture--\r\n";

/// How long a stop waits for a client that does not read.
const LAST_PICTURE_TIMEOUT: Duration = Duration::from_secs(1);

/// The end of a chunked body.
const LAST_CHUNK: &[u8] = b"0\r\n\r\n";

/// One picture, and the head of the next one: Chromium shows a picture when it has read that. Encoded once for all who are
/// sent it.
#[derive(Clone, PartialEq, Eq)]
pub struct PicturePart {
    /// The part as a chunk.
    chunk: Bytes,
    is_last: bool,
}

impl PicturePart {
    /// A picture that others follow.
    pub fn next(picture: &[u8]) -> Self {
        PicturePart {
            chunk: chunk_of(&[picture, b"\r\n", NEXT.as_bytes()]),
            is_last: false,
        }
    }

    /// The picture at the end of a series.
    pub fn last(picture: &[u8]) -> Self {
        PicturePart {
            chunk: chunk_of(&[picture, b"\r\n", END.as_bytes()]),
            is_last: true,
        }
    }

    /// Returns true if no picture follows.
    pub fn is_last(&self) -> bool {
        self.is_last
    }
}

/// Encodes a chunk (RFC 9112, section 7.1).
fn chunk_of(content: &[&[u8]]) -> Bytes {
    let content = content.concat();
    let size = format!("{:x}\r\n", content.len());
    [size.as_bytes(), &content, b"\r\n"].concat().into()
}

/// Returns the content of a chunk.
fn content(chunk: &[u8]) -> &[u8] {
    let size = chunk.windows(2).position(|pair| pair == b"\r\n");
    &chunk[size.map_or(0, |size| size + 2)..chunk.len() - 2]
}

/// A client before its socket has left HTTP.
pub struct Series {
    site: Arc<Site>,
    pictures: NewestPart,
    /// False for HTTP/1.0, where the series ends with the connection.
    is_chunked: bool,
    /// Held for as long as the client is connected.
    slot: ViewerSlot,
}

impl Series {
    /// Begins to follow a pet.
    pub fn new(site: &Arc<Site>, pet: PetId, version: Version, slot: ViewerSlot) -> Self {
        Series {
            pictures: Publishers::subscribe(site, pet),
            site: Arc::clone(site),
            is_chunked: version != Version::HTTP_10,
            slot,
        }
    }

    /// Returns the answer, whose body is written when `handoff` has released the socket.
    pub fn into_response(self, handoff: Handoff) -> Response {
        // Arms the handoff when hyper is about to send the head.
        let body = Body::from_bytes_stream(stream::once(async move {
            self.arm(&handoff);
            pending::<io::Result<Bytes>>().await
        }));
        Response::builder()
            .content_type(CONTENT_TYPE)
            .header(header::CACHE_CONTROL, "no-store, no-transform")
            // nginx delays pictures until its buffer is full otherwise.
            .header("x-accel-buffering", "no")
            .body(body)
    }

    fn arm(self, handoff: &Handoff) {
        handoff.arm(move |connection| {
            let app = Arc::clone(&self.site.app);
            app.spawn(async move {
                if let Err(error) = self.send(connection).await {
                    tracing::debug!(%error, "a viewer of pictures left");
                }
            });
        });
    }

    /// Sends pictures until the last one, or until the client disconnects.
    async fn send(mut self, connection: Connection) -> io::Result<()> {
        let _held = (self.slot, connection.permit);
        // The kernel takes the next picture when the last one is on its way: none waits in its buffer and becomes old.
        SockRef::from(&connection.stream).set_tcp_notsent_lowat(1)?;
        let mut stream = TcpStream::from_std(connection.stream.into())?;
        let write = async |stream: &mut TcpStream, chunk: &[u8]| {
            let bytes = if self.is_chunked {
                chunk
            } else {
                content(chunk)
            };
            let app = &self.site.app;
            let writing = timeout(app.timeouts().write, stream.write_all(bytes));
            let written = tokio::select! {
                written = writing => written,
                () = until_stop_timeout(app.stop_token()) => return Err(ErrorKind::TimedOut.into()),
            };
            written.unwrap_or_else(|_elapsed| {
                let dropped = &app.metrics().dropped;
                dropped.with_label_values(&["write-timeout"]).inc();
                Err(ErrorKind::TimedOut.into())
            })
        };
        write(&mut stream, &chunk_of(&[NEXT.as_bytes()])).await?;
        loop {
            let part = self.pictures.borrow_and_update().clone();
            if let Some(part) = part {
                write(&mut stream, &part.chunk).await?;
                if part.is_last {
                    break;
                }
            }
            tokio::select! {
                changed = self.pictures.changed() => if changed.is_err() {
                    break;
                },
                left = until_disconnected(&stream) => return left,
            }
        }
        if self.is_chunked {
            write(&mut stream, LAST_CHUNK).await?;
        }
        stream.shutdown().await
    }
}

/// Waits until a stop has lasted `LAST_PICTURE_TIMEOUT`.
async fn until_stop_timeout(stop: &CancellationToken) {
    stop.cancelled().await;
    sleep(LAST_PICTURE_TIMEOUT).await;
}

/// Waits until the client disconnects. Drops what it sends. Cancel safe.
async fn until_disconnected(stream: &TcpStream) -> io::Result<()> {
    let mut dropped = [0; 256];
    loop {
        stream.readable().await?;
        match stream.try_read(&mut dropped) {
            Ok(0) => return Ok(()),
            // A client that sends without a pause does not occupy the thread.
            Ok(_) => tokio::task::yield_now().await,
            Err(error) if error.kind() == ErrorKind::WouldBlock => {}
            Err(error) => return Err(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_is_a_chunk_that_ends_with_the_head_of_the_next_one() {
        let part = PicturePart::next(b"PNG");
        let text = "PNG\r\n--petstore-picture\r\nContent-Type: image/png\r\n\r\n";
        assert_eq!(content(&part.chunk), text.as_bytes());
        assert_eq!(part.chunk, format!("{:x}\r\n{text}\r\n", text.len()));
        let last = PicturePart::last(b"PNG");
        assert_eq!(content(&last.chunk), b"PNG\r\n--petstore-picture--\r\n");
    }
}
