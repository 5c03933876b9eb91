//! Reasons to end a viewer's connection, and the closing frame of each.

use bytes::Bytes;

use super::decoder::{CloseCode, close_frame};
use crate::wire::{Encoding, Message};

/// Reason to end a connection that still works.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CloseReason {
    /// The server stops.
    Stopping,
    /// The connection has reached its maximum age. It is renewed while the server runs, so that a
    /// network that refuses new connections is noticed before a restart makes everyone reconnect.
    Renewal,
    /// The store has another epoch. A viewer that reconnects gets a snapshot of it.
    NewEpoch,
}

impl CloseReason {
    /// Encodes `bye` and the end of the stream.
    pub fn encode(self, encoding: Encoding, retry_ms: u64) -> Bytes {
        let reason = match self {
            CloseReason::Stopping => "stopping",
            CloseReason::Renewal => "renewal",
            CloseReason::NewEpoch => "another history",
        };
        let bye = encoding.encode(&bye(reason, retry_ms));
        match encoding {
            Encoding::WebSocket => {
                let close = close_frame(CloseCode::RESTART, reason);
                [&bye[..], &close].concat().into()
            }
            Encoding::SseChunked => [&bye[..], b"0\r\n\r\n"].concat().into(),
            Encoding::Sse => bye,
        }
    }
}

/// Returns the last message of a connection that the server ends on purpose.
pub fn bye(reason: &str, retry_ms: u64) -> Message<'_> {
    Message::Bye { reason, retry_ms }
}
