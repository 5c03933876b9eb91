//! What a viewer is given before a sender takes over: hello, and what it missed.

use std::collections::VecDeque;

use bytes::{Bytes, BytesMut};

use super::{Live, Transport};
use crate::hub::{CatchUp, Chunk, Filter};
use crate::model::Cursor;
use crate::wire::{Encoding, SnapshotForm};

/// Bytes that are given at once; a long replay comes in pieces that the viewer takes one by one.
const PIECE_BYTES: usize = 64 * 1024;

/// Messages up to this size are gathered; a larger one, such as the snapshot of a full board, is
/// given by itself, as the bytes that everyone shares.
const COPIED_BYTES: usize = 8 * 1024;

/// Hello and the catch-up of one viewer, encoded for it.
pub struct Opening {
    catch_up: CatchUp,
    encoding: Encoding,
    /// Of the current chunk, what is not given yet.
    waiting: VecDeque<Bytes>,
    is_whole: bool,
}

impl Opening {
    pub fn new(
        live: &Live,
        transport: Transport,
        encoding: Encoding,
        filter: Filter,
        form: SnapshotForm,
        since: Option<Cursor>,
    ) -> Self {
        let catch_up = live.hub.catch_up(filter, since).in_form(form);
        let hello = live.hello(transport, catch_up.start());
        let hello = encoding.encode_first(&hello, live.places.retry_ms());
        let mut opening = Opening {
            catch_up,
            encoding,
            waiting: VecDeque::from([hello]),
            is_whole: false,
        };
        // Hello goes together with what is in memory, and does not wait for what is not.
        if let Some(chunk) = opening.catch_up.next_now() {
            opening.take(chunk);
        }
        opening
    }

    /// The next piece; `None` when the viewer has everything up to `reaches`. Waits only for the
    /// store's log, when the viewer was away for long. Cancel safe.
    pub async fn next(&mut self) -> Option<Bytes> {
        while self.waiting.is_empty() && !self.is_whole {
            let chunk = self.catch_up.next().await;
            self.take(chunk);
        }
        let first = self.waiting.pop_front()?;
        if first.len() > COPIED_BYTES {
            return Some(first);
        }
        let mut piece = BytesMut::from(first);
        while piece.len() < PIECE_BYTES
            && let Some(bytes) = self.waiting.pop_front_if(|next| next.len() <= COPIED_BYTES)
        {
            piece.extend_from_slice(&bytes);
        }
        Some(piece.freeze())
    }

    /// Where the viewer is, after the last piece.
    pub fn reaches(&self) -> Cursor {
        self.catch_up.reaches()
    }

    fn take(&mut self, chunk: Chunk) {
        let bytes = chunk.frames.iter().map(|frame| frame.bytes(self.encoding));
        self.waiting.extend(bytes.cloned());
        self.is_whole = chunk.is_whole;
    }
}
