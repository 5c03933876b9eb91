//! Parses the bytes of a connection into messages: the head of the response, then WebSocket frames,
//! chunks or a whole body. Uses the parsers of the load bench, without a JSON parser.

#[path = "../../../../benches/load/client/http.rs"]
mod http;
#[expect(dead_code, reason = "the load bench reads more of a message")]
#[path = "../../../../benches/load/client/message.rs"]
pub mod message;
#[path = "../../../../benches/load/client/poll.rs"]
mod poll;
#[path = "../../../../benches/load/client/sse.rs"]
mod sse;
#[expect(dead_code, reason = "the load bench answers pings")]
#[path = "../../../../benches/load/client/ws.rs"]
mod ws;

use self::http::Body;

/// The kind of the next bytes.
#[derive(Clone, Copy)]
enum Phase {
    Head,
    Frames,
    Chunks,
    /// A body of this length.
    Body(usize),
}

/// The parser of one connection.
pub struct MessageParser {
    phase: Phase,
    bytes: Vec<u8>,
    /// The part of an event that arrived in an earlier chunk.
    event: Vec<u8>,
}

/// Returns the request that opens a connection, or polls again.
pub fn request(transport: &str, path: &str) -> Vec<u8> {
    match transport {
        "ws" => ws::request(path, "cluster"),
        "sse" => http::get(path, "cluster", "text/event-stream"),
        _ => http::get(path, "cluster", "application/json"),
    }
}

impl MessageParser {
    pub fn new() -> Self {
        MessageParser {
            phase: Phase::Head,
            bytes: Vec::new(),
            event: Vec::new(),
        }
    }

    /// Returns the buffer for the next bytes.
    pub fn buffer(&mut self) -> &mut Vec<u8> {
        &mut self.bytes
    }

    /// Passes each complete message to `take`. Returns true if a response has ended, so that the next
    /// request may be sent.
    ///
    /// # Errors
    /// The end of the connection, or a response other than expected.
    pub fn parse(&mut self, transport: &str, mut take: impl FnMut(&[u8])) -> Result<bool, String> {
        let bytes = std::mem::take(&mut self.bytes);
        let (mut used, mut has_ended) = (0, false);
        loop {
            let rest = &bytes[used..];
            let length = match self.phase {
                _ if rest.is_empty() => 0,
                Phase::Head => self.parse_head(transport, rest)?,
                Phase::Frames => match ws::packet(rest)? {
                    Some(packet) if packet.opcode == ws::TEXT => {
                        take(packet.payload);
                        packet.length
                    }
                    Some(packet) => return Err(format!("opcode {}", packet.opcode)),
                    None => 0,
                },
                Phase::Chunks => match http::chunk(rest)? {
                    Some(([], _)) => return Err("the end of the stream".to_owned()),
                    Some((text, length)) => {
                        sse::events(&mut self.event, text, &mut take);
                        length
                    }
                    None => 0,
                },
                Phase::Body(size) => match rest.get(..size) {
                    Some(body) => {
                        poll::messages(body, &mut take);
                        (self.phase, has_ended) = (Phase::Head, true);
                        size
                    }
                    None => 0,
                },
            };
            if length == 0 {
                self.bytes.extend_from_slice(&bytes[used..]);
                return Ok(has_ended);
            }
            used += length;
        }
    }

    fn parse_head(&mut self, transport: &str, bytes: &[u8]) -> Result<usize, String> {
        let Some(head) = http::head(bytes)? else {
            return Ok(0);
        };
        self.phase = match (transport, head.status, head.body) {
            ("ws", 101, _) => Phase::Frames,
            ("sse", 200, Body::Chunked) => Phase::Chunks,
            ("poll", 200, Body::Length(size)) => Phase::Body(size),
            (_, status, body) => return Err(format!("response {status}, {body:?}")),
        };
        Ok(head.length)
    }
}
