//! What a viewer's bytes are: the head of an answer, then packets, chunks or a whole answer, and
//! messages in them. Taken apart as the load bench does it, without a JSON parser.

#[path = "../../../benches/load/client/http.rs"]
mod http;
#[expect(dead_code, reason = "the load bench reads more of a message")]
#[path = "../../../benches/load/client/message.rs"]
pub mod message;
#[path = "../../../benches/load/client/poll.rs"]
mod poll;
#[path = "../../../benches/load/client/sse.rs"]
mod sse;
#[expect(dead_code, reason = "the load bench answers pings")]
#[path = "../../../benches/load/client/ws.rs"]
mod ws;

use self::http::Body;

/// What the next bytes are.
#[derive(Clone, Copy)]
enum Phase {
    Head,
    Packets,
    Chunks,
    Answer(usize),
}

/// The bytes of one connection.
pub struct Parts {
    phase: Phase,
    bytes: Vec<u8>,
    /// The part of an event that came in an earlier chunk.
    event: Vec<u8>,
}

/// The request that opens a connection, or asks for the next answer.
pub fn request(transport: &str, path: &str) -> Vec<u8> {
    match transport {
        "ws" => ws::request(path, "cluster"),
        "sse" => http::get(path, "cluster", "text/event-stream"),
        _ => http::get(path, "cluster", "application/json"),
    }
}

impl Parts {
    pub fn new() -> Self {
        Parts {
            phase: Phase::Head,
            bytes: Vec::new(),
            event: Vec::new(),
        }
    }

    /// Where the next bytes go.
    pub fn buffer(&mut self) -> &mut Vec<u8> {
        &mut self.bytes
    }

    /// Gives each whole message that has come to `take`; whether an answer has ended, after which
    /// the next may be asked for.
    ///
    /// # Errors
    /// The end of the connection, or a refusal.
    pub fn split(&mut self, transport: &str, mut take: impl FnMut(&[u8])) -> Result<bool, String> {
        let bytes = std::mem::take(&mut self.bytes);
        let (mut used, mut has_ended) = (0, false);
        loop {
            let rest = &bytes[used..];
            let length = match self.phase {
                _ if rest.is_empty() => 0,
                Phase::Head => self.take_head(transport, rest)?,
                Phase::Packets => match ws::packet(rest)? {
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
                Phase::Answer(size) => match rest.get(..size) {
                    Some(answer) => {
                        poll::messages(answer, &mut take);
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

    fn take_head(&mut self, transport: &str, bytes: &[u8]) -> Result<usize, String> {
        let Some(head) = http::head(bytes)? else {
            return Ok(0);
        };
        self.phase = match (transport, head.status, head.body) {
            ("ws", 101, _) => Phase::Packets,
            ("sse", 200, Body::Chunked) => Phase::Chunks,
            ("poll", 200, Body::Length(size)) => Phase::Answer(size),
            (_, status, body) => return Err(format!("answered {status}, {body:?}")),
        };
        Ok(head.length)
    }
}
