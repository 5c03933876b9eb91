//! Encodes the JSON of a message for a transport.

use bytes::Bytes;

use super::Message;
use crate::model::Cursor;

/// The shortest `retry` of an SSE stream. While no server answers, an `EventSource` reconnects with the
/// last `retry` that it received: with 0 in a tight loop, with 350 ms 14 times in 5 s. Firefox always
/// waits for at least 500 ms.
const RETRY_FLOOR_MS: u64 = 350;

/// The encoding of messages on a viewer's socket.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Encoding {
    /// An unmasked text frame. A server does not mask frames, so one encoding serves every viewer.
    WebSocket,
    /// An event as a chunk of an HTTP/1.1 body.
    SseChunked,
    /// An event alone, for HTTP/1.0, where the body ends with the connection.
    Sse,
}

impl Encoding {
    /// All encodings, in the order of `index`.
    pub const ALL: [Encoding; 3] = [Encoding::WebSocket, Encoding::SseChunked, Encoding::Sse];

    /// Returns the index of this encoding in `ALL`.
    pub const fn index(self) -> usize {
        self as usize
    }

    /// Returns true for both encodings of SSE.
    pub const fn is_sse(self) -> bool {
        !matches!(self, Encoding::WebSocket)
    }

    /// Encodes a message without a change. As an SSE event it has no id, so that a browser keeps the id
    /// of the last change that it received.
    pub fn encode(self, message: &Message<'_>) -> Bytes {
        let retry_ms = match message {
            Message::Bye { retry_ms, .. } => Some(*retry_ms),
            _ => None,
        };
        self.encode_retry(message, retry_ms)
    }

    /// Encodes the first message of a connection. In SSE it has a `retry` too: an `EventSource` waits
    /// this long after the connection ends, also without a `bye`.
    pub fn encode_first(self, message: &Message<'_>, retry_ms: u64) -> Bytes {
        self.encode_retry(message, Some(retry_ms))
    }

    fn encode_retry(self, message: &Message<'_>, retry_ms: Option<u64>) -> Bytes {
        let json = message.to_json();
        match self {
            Encoding::WebSocket => websocket_text(&json),
            Encoding::SseChunked => event_of(message, &json, retry_ms).0,
            Encoding::Sse => event_of(message, &json, retry_ms).1,
        }
    }
}

/// Encodes a whole text frame (RFC 6455, section 5.2).
pub fn websocket_text(text: &str) -> Bytes {
    let mut frame = websocket_header(0x1, text.len());
    frame.extend_from_slice(text.as_bytes());
    Bytes::from(frame)
}

/// Encodes the header of a final, unmasked frame with a payload of `length` bytes.
pub fn websocket_header(opcode: u8, length: usize) -> Vec<u8> {
    let mut header = Vec::with_capacity(10 + length);
    header.push(0x80 | opcode);
    match (u8::try_from(length), u16::try_from(length)) {
        (Ok(short @ 0..=125), _) => header.push(short),
        (_, Ok(medium)) => {
            header.push(126);
            header.extend_from_slice(&medium.to_be_bytes());
        }
        _ => {
            header.push(127);
            header.extend_from_slice(&(length as u64).to_be_bytes());
        }
    }
    header
}

/// Encodes an event (HTML standard, section 9.2.6). Returns it as a chunk, and the event alone, which
/// shares the chunk's bytes. `json` has no line break: JSON escapes every control character.
pub fn sse_chunk(id: Option<Cursor>, name: &str, json: &str) -> (Bytes, Bytes) {
    let id = id
        .map(|cursor| format!("id: {cursor}\n"))
        .unwrap_or_default();
    chunk(&format!("{id}event: {name}\ndata: {json}\n\n"))
}

/// Encodes a message without a change as an event.
fn event_of(message: &Message<'_>, json: &str, retry_ms: Option<u64>) -> (Bytes, Bytes) {
    let Some(retry_ms) = retry_ms else {
        return sse_chunk(None, message.name(), json);
    };
    let (retry_ms, name) = (retry_ms.max(RETRY_FLOOR_MS), message.name());
    chunk(&format!(
        "retry: {retry_ms}\nevent: {name}\ndata: {json}\n\n"
    ))
}

/// Encodes a chunk of an HTTP/1.1 body (RFC 9112, section 7.1). Returns it, and the content alone.
fn chunk(content: &str) -> (Bytes, Bytes) {
    let size = format!("{:x}\r\n", content.len());
    let chunk = Bytes::from(format!("{size}{content}\r\n"));
    let inner = chunk.slice(size.len()..size.len() + content.len());
    (chunk, inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_header_uses_the_shortest_length() {
        assert_eq!(websocket_header(1, 125), [0x81, 125]);
        assert_eq!(websocket_header(1, 126), [0x81, 126, 0, 126]);
        assert_eq!(websocket_header(1, 65_535), [0x81, 126, 0xff, 0xff]);
        assert_eq!(
            websocket_header(2, 65_536),
            [0x82, 127, 0, 0, 0, 0, 0, 1, 0, 0]
        );
    }

    #[test]
    fn a_message_without_a_change_has_no_id() {
        let bye = Message::Bye {
            reason: "stopping",
            retry_ms: 1200,
        };
        let event = Encoding::Sse.encode(&bye);
        assert_eq!(
            event,
            "retry: 1200\nevent: bye\ndata: {\"type\":\"bye\",\"reason\":\"stopping\",\"retry_ms\":1200}\n\n"
        );
    }

    #[test]
    fn the_retry_of_an_event_source_has_a_minimum_and_the_message_has_the_real_one() {
        let bye = Message::Bye {
            reason: "renewal",
            retry_ms: 0,
        };
        let event = Encoding::Sse.encode(&bye);
        assert_eq!(
            event,
            "retry: 350\nevent: bye\ndata: {\"type\":\"bye\",\"reason\":\"renewal\",\"retry_ms\":0}\n\n"
        );
    }
}
