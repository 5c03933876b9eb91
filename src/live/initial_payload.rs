//! Messages to a viewer before a delivery worker takes over: hello, and the changes since its cursor.

use std::collections::VecDeque;

use bytes::{Bytes, BytesMut};

use crate::hub::{CatchUp, Chain, Chunk};
use crate::model::Cursor;
use crate::wire::Encoding;

/// Size of one part. A long replay is sent in parts, as fast as the viewer takes them.
const PART_BYTES: usize = 64 * 1024;

/// Messages up to this size are copied into a part. A larger message, such as the snapshot of a full
/// board, is a part of its own that all viewers share.
const COPIED_BYTES: usize = 8 * 1024;

/// Hello and the catch-up of one viewer, encoded for it.
pub struct InitialPayload {
    catch_up: CatchUp,
    chain: Chain,
    encoding: Encoding,
    /// Encoded messages that were not sent yet.
    waiting: VecDeque<Bytes>,
    is_whole: bool,
}

impl InitialPayload {
    /// Starts with `hello`, and with the part of the catch-up that is in memory.
    pub fn new(hello: Bytes, encoding: Encoding, catch_up: CatchUp) -> Self {
        let mut payload = InitialPayload {
            chain: catch_up.chain(),
            catch_up,
            encoding,
            waiting: VecDeque::from([hello]),
            is_whole: false,
        };
        // Hello does not wait for what is not in memory.
        if let Some(chunk) = payload.catch_up.next_now() {
            payload.push(chunk);
        }
        payload
    }

    /// Returns the next part, or `None` after the last. Waits only for the store's log, if the viewer
    /// was away for long. Cancel safe.
    pub async fn next(&mut self) -> Option<Bytes> {
        while self.waiting.is_empty() && !self.is_whole {
            let chunk = self.catch_up.next().await;
            self.push(chunk);
        }
        let first = self.waiting.pop_front()?;
        if first.len() > COPIED_BYTES {
            return Some(first);
        }
        let mut part = BytesMut::from(first);
        while part.len() < PART_BYTES
            && let Some(bytes) = self.waiting.pop_front_if(|next| next.len() <= COPIED_BYTES)
        {
            part.extend_from_slice(&bytes);
        }
        Some(part.freeze())
    }

    /// Returns the viewer's chain after the last part.
    pub fn chain(&self) -> &Chain {
        &self.chain
    }

    /// Returns the viewer's cursor after the last part.
    pub fn reaches(&self) -> Cursor {
        self.catch_up.reaches()
    }

    fn push(&mut self, chunk: Chunk) {
        for frame in &chunk.frames {
            let bytes = self.chain.link(frame, self.encoding);
            self.waiting.push_back(bytes);
        }
        self.is_whole = chunk.is_whole;
    }
}
