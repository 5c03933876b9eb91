//! Decodes the WebSocket frames of a viewer (RFC 6455) incrementally, without a socket.
//!
//! Bytes go in as they arrive, messages come out. Between two messages a decoder holds nothing and
//! can be dropped, so a silent viewer costs no buffer. Ours, because tungstenite allocates its read
//! buffer per connection and for as long as the connection is open.

mod frame_header;
#[cfg(test)]
mod tests;

use std::time::Instant;

pub use self::frame_header::{FrameHeader, Opcode};
use crate::limits::{MemoryExhausted, MemoryReservation};
use crate::wire::websocket_header;

/// The longest message that is read to its end, in bytes, over all its fragments. Above the limit
/// of a command, so that a viewer that sends a longer command gets an error and stays connected.
const MESSAGE_LIMIT: usize = 1024 * 1024;

/// Close codes: RFC 6455, section 7.4.1.
pub struct CloseCode;

impl CloseCode {
    /// The connection has served its purpose.
    pub const NORMAL: u16 = 1000;
    /// A frame that the protocol does not allow.
    pub const PROTOCOL: u16 = 1002;
    /// Text that is not UTF-8.
    pub const INVALID: u16 = 1007;
    /// Too many messages, or messages that mean nothing.
    pub const POLICY: u16 = 1008;
    /// A message over the limit.
    pub const TOO_BIG: u16 = 1009;
    /// The server restarts.
    pub const RESTART: u16 = 1012;
    /// The server has no memory for the message. Registered with IANA (RFC 6455, section 11.7).
    pub const TRY_AGAIN_LATER: u16 = 1013;
}

/// A message or control frame of a viewer.
#[derive(Debug, PartialEq, Eq)]
pub enum Incoming {
    /// A complete message.
    Message(IncomingMessage),
    /// A ping with its payload.
    Ping(Vec<u8>),
    /// A pong, whatever its payload.
    Pong,
    /// A close frame with its code, if it has one.
    Close(Option<u16>),
}

/// A complete message of a viewer.
#[derive(Debug, PartialEq, Eq)]
pub enum IncomingMessage {
    /// A text message.
    Text(String),
    /// A binary message. Its payload is dropped.
    Binary,
    /// A message over the limit. Its payload is dropped.
    TooLong {
        /// Length of the message.
        bytes: usize,
        /// The limit.
        limit: usize,
    },
}

/// A violation of the protocol: the code and the reason to close the connection with.
#[derive(Debug, PartialEq, Eq)]
pub struct Violation(pub u16, pub &'static str);

/// The unfinished message of one viewer.
pub struct FrameDecoder {
    since: Instant,
    /// Bytes of a message that are kept. Of a longer message only the length is counted, so that a
    /// thousand viewers cannot make the server hold a thousand long messages.
    kept_bytes: usize,
    /// Frames that were begun and not yet counted by the rate limit.
    frames: u32,
    bytes: Vec<u8>,
    /// Bytes of `bytes` that were decoded.
    done: usize,
    /// The frame whose payload is being read.
    frame: Option<PartialFrame>,
    /// The opcode of the message whose fragments are being collected.
    opcode: Option<Opcode>,
    message: Vec<u8>,
    message_length: usize,
    /// Accounts for the memory of these buffers, once a message was left unfinished.
    buffered: Option<MemoryReservation>,
}

/// A frame of which some payload has not arrived yet.
struct PartialFrame {
    header: FrameHeader,
    /// Bytes of the payload that were decoded.
    done: usize,
    /// Payload of a control frame. That of a data frame is added to the message.
    control: Vec<u8>,
}

impl FrameDecoder {
    /// Creates a decoder that keeps messages of up to `kept_bytes`.
    pub fn new(since: Instant, kept_bytes: usize) -> Self {
        FrameDecoder {
            since,
            kept_bytes,
            frames: 0,
            bytes: Vec::new(),
            done: 0,
            frame: None,
            opcode: None,
            message: Vec::new(),
            message_length: 0,
            buffered: None,
        }
    }

    /// Returns when the first byte of the unfinished message arrived.
    pub fn since(&self) -> Instant {
        self.since
    }

    /// Restarts the read timeout: a message was completed, and the next one began at `now` at the
    /// earliest.
    pub fn restart(&mut self, now: Instant) {
        self.since = now;
    }

    /// Appends received bytes.
    pub fn push(&mut self, bytes: &[u8]) {
        self.bytes.drain(..self.done);
        self.done = 0;
        self.bytes.extend_from_slice(bytes);
    }

    /// Frees the bytes of completed messages, and charges the memory of the rest to the budget that
    /// `open` returns.
    ///
    /// # Errors
    /// When the budget is used up.
    pub fn charge(
        &mut self,
        open: impl FnOnce() -> MemoryReservation,
    ) -> Result<(), MemoryExhausted> {
        self.bytes.drain(..self.done);
        self.done = 0;
        self.bytes.shrink_to_fit();
        let held = size_of::<FrameDecoder>() + self.bytes.capacity() + self.message.capacity();
        self.buffered.get_or_insert_with(open).resize(held)
    }

    /// Returns true if no message is unfinished.
    pub fn is_empty(&self) -> bool {
        self.done == self.bytes.len() && self.frame.is_none() && self.opcode.is_none()
    }

    /// Returns the number of frames that were begun since the last call.
    pub fn take_frames(&mut self) -> u32 {
        std::mem::take(&mut self.frames)
    }

    /// Decodes the next message or control frame, if it is complete.
    ///
    /// # Errors
    /// The violation to close the connection with. The decoder cannot be used after it.
    pub fn decode(&mut self) -> Result<Option<Incoming>, Violation> {
        loop {
            if self.frame.is_none() {
                let Some((header, size)) = FrameHeader::parse(&self.bytes[self.done..])? else {
                    return Ok(None);
                };
                self.done += size;
                self.frames += 1;
                self.begin_frame(header)?;
            }
            let Some(frame) = self.read_payload() else {
                return Ok(None);
            };
            if frame.header.is_control() {
                return parse_control(frame.header.opcode, frame.control).map(Some);
            }
            if frame.header.is_final {
                return self.finish_message().map(Incoming::Message).map(Some);
            }
        }
    }

    /// Checks that the frame is allowed at this point.
    fn begin_frame(&mut self, header: FrameHeader) -> Result<(), Violation> {
        if !header.is_control() {
            self.opcode = Some(header.message_opcode(self.opcode)?);
            self.message_length = self.message_length.saturating_add(header.length);
            if self.message_length > MESSAGE_LIMIT {
                return Err(Violation(CloseCode::TOO_BIG, "at most 1 MiB a message"));
            }
        }
        self.frame = Some(PartialFrame {
            header,
            done: 0,
            control: Vec::new(),
        });
        Ok(())
    }

    /// Reads the payload that has arrived. Returns the frame if that was its end.
    fn read_payload(&mut self) -> Option<PartialFrame> {
        let frame = self.frame.as_mut()?;
        let (header, waiting) = (frame.header, &self.bytes[self.done..]);
        let taken = waiting.len().min(header.length - frame.done);
        let payload = if header.is_control() {
            &mut frame.control
        } else {
            &mut self.message
        };
        let kept = self.kept_bytes.saturating_sub(payload.len()).min(taken);
        header.unmask(&waiting[..kept], frame.done, payload);
        frame.done += taken;
        self.done += taken;
        if frame.done < header.length {
            return None;
        }
        self.frame.take()
    }

    /// Returns the message whose last fragment was read.
    fn finish_message(&mut self) -> Result<IncomingMessage, Violation> {
        let message = std::mem::take(&mut self.message);
        let length = std::mem::take(&mut self.message_length);
        let opcode = self.opcode.take();
        if length > self.kept_bytes {
            return Ok(IncomingMessage::TooLong {
                bytes: length,
                limit: self.kept_bytes,
            });
        }
        if opcode == Some(Opcode::BINARY) {
            return Ok(IncomingMessage::Binary);
        }
        let text = String::from_utf8(message);
        let text = text.map_err(|_| Violation(CloseCode::INVALID, "text must be UTF-8"))?;
        Ok(IncomingMessage::Text(text))
    }
}

/// Parses the payload of a control frame.
///
/// # Errors
/// For a close frame that the protocol does not allow.
pub fn parse_control(opcode: Opcode, payload: Vec<u8>) -> Result<Incoming, Violation> {
    match (opcode, payload.as_slice()) {
        (Opcode::PING, _) => Ok(Incoming::Ping(payload)),
        (Opcode::PONG, _) => Ok(Incoming::Pong),
        (_, []) => Ok(Incoming::Close(None)),
        (_, [high, low, reason @ ..]) => {
            let code = u16::from_be_bytes([*high, *low]);
            let is_allowed = matches!(code, 1000..=1003 | 1007..=1014 | 3000..=4999);
            if !is_allowed {
                return Err(Violation(CloseCode::PROTOCOL, "not a close code"));
            }
            if std::str::from_utf8(reason).is_err() {
                return Err(Violation(CloseCode::INVALID, "a reason must be UTF-8"));
            }
            Ok(Incoming::Close(Some(code)))
        }
        (_, [_]) => Err(Violation(CloseCode::PROTOCOL, "half a close code")),
    }
}

/// Encodes a close frame.
pub fn close_frame(code: u16, reason: &str) -> Vec<u8> {
    let mut frame = websocket_header(Opcode::CLOSE.0, 2 + reason.len());
    frame.extend_from_slice(&code.to_be_bytes());
    frame.extend_from_slice(reason.as_bytes());
    frame
}

/// Encodes the answer to a ping.
pub fn pong_frame(payload: &[u8]) -> Vec<u8> {
    let mut frame = websocket_header(Opcode::PONG.0, payload.len());
    frame.extend_from_slice(payload);
    frame
}
