//! What a viewer is given before a sender takes over: hello, and what it missed.

use bytes::{Bytes, BytesMut};

use super::{Live, Transport};
use crate::hub::{Feed, Filter};
use crate::model::{Cursor, Rev};
use crate::wire::Encoding;

/// Bytes that are given at once; a long replay comes in pieces that the viewer takes one by one.
const PIECE_BYTES: usize = 64 * 1024;

/// Frames up to this size are gathered; a larger one, such as the snapshot of a full board, is
/// given as the bytes that everyone shares.
const COPIED_BYTES: usize = 8 * 1024;

/// Hello and the catch-up of one viewer, encoded for it.
pub struct Opening {
    feed: Feed,
    encoding: Encoding,
    hello: Option<Bytes>,
    /// A frame that is given by itself, because it is too large to be copied.
    large: Option<Bytes>,
}

impl Opening {
    pub fn new(
        live: &Live,
        transport: Transport,
        encoding: Encoding,
        filter: Filter,
        since: Option<Cursor>,
    ) -> Self {
        let feed = live.hub.join(filter, since);
        let hello = live.hello(transport, feed.start());
        let hello = encoding.encode_first(&hello, live.places.retry_ms());
        Opening {
            feed,
            encoding,
            hello: Some(hello),
            large: None,
        }
    }

    /// The next piece; `None` when the viewer has everything up to `reaches`. Waits only for the
    /// store's log, when the viewer was away for long. Cancel safe.
    pub async fn next(&mut self) -> Option<Bytes> {
        if let Some(large) = self.large.take() {
            return Some(large);
        }
        let mut piece = match self.hello.take() {
            Some(hello) => BytesMut::from(hello),
            None if self.feed.is_replaying() => {
                let frame = self.feed.next().await;
                let bytes = frame.bytes(self.encoding);
                if bytes.len() > COPIED_BYTES {
                    return Some(bytes.clone());
                }
                BytesMut::from(&bytes[..])
            }
            None => BytesMut::new(),
        };
        while piece.len() < PIECE_BYTES
            && let Some(frame) = self.feed.next_now()
        {
            let bytes = frame.bytes(self.encoding);
            if bytes.len() > COPIED_BYTES {
                self.large = Some(bytes.clone());
                break;
            }
            piece.extend_from_slice(bytes);
        }
        match piece.is_empty() {
            true => self.large.take(),
            false => Some(piece.freeze()),
        }
    }

    /// Where the viewer is, after the last piece.
    pub fn reaches(&mut self) -> Rev {
        self.feed.cursor().rev
    }
}
