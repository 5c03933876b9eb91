//! The last words to a viewer whose connection the server ends on purpose.

use bytes::Bytes;

use crate::live::bye;
use crate::live::reader::{RESTART, close_frame};
use crate::wire::Encoding;

/// Why a connection is ended that could go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Farewell {
    /// The server stops.
    Stop,
    /// The connection is old. It is made anew while all is well, so that what a network does to a
    /// new connection is known before a stop makes everyone open one.
    Renewal,
}

impl Farewell {
    /// `bye` and the end of the stream, in the words of each transport.
    pub fn last_words(self, encoding: Encoding, retry_ms: u64) -> Bytes {
        let reason = match self {
            Farewell::Stop => "stopping",
            Farewell::Renewal => "renewal",
        };
        let bye = encoding.encode(&bye(reason, retry_ms));
        match encoding {
            Encoding::WebSocket => [&bye[..], &close_frame(RESTART, reason)].concat().into(),
            Encoding::SseChunked => [&bye[..], b"0\r\n\r\n"].concat().into(),
            Encoding::Sse => bye,
        }
    }
}
