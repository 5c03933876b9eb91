//! The JSON of one message in every encoding.

use bytes::Bytes;

use super::encoding::{Encoding, sse_chunk, websocket_text};
use crate::model::Cursor;

/// A message, encoded for every transport. Cloning the bytes shares them.
#[derive(Debug)]
pub struct EncodedJson {
    websocket: Bytes,
    sse_chunk: Bytes,
    /// The event inside `sse_chunk`. Shares its bytes.
    sse: Bytes,
}

impl EncodedJson {
    /// Encodes `json`. As an SSE event it has the given id and name.
    pub fn new(id: Option<Cursor>, name: &str, json: &str) -> Self {
        let (sse_chunk, sse) = sse_chunk(id, name, json);
        EncodedJson {
            websocket: websocket_text(json),
            sse_chunk,
            sse,
        }
    }

    /// Returns the bytes for a socket.
    pub fn bytes(&self, encoding: Encoding) -> &Bytes {
        match encoding {
            Encoding::WebSocket => &self.websocket,
            Encoding::SseChunked => &self.sse_chunk,
            Encoding::Sse => &self.sse,
        }
    }
}

/// Encodes `json` for one socket.
pub fn encode_json(encoding: Encoding, id: Option<Cursor>, name: &str, json: &str) -> Bytes {
    match encoding {
        Encoding::WebSocket => websocket_text(json),
        Encoding::SseChunked => sse_chunk(id, name, json).0,
        Encoding::Sse => sse_chunk(id, name, json).1,
    }
}
