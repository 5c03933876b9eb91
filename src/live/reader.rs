//! What viewers say over WebSocket: frames of RFC 6455, read without a socket.
//!
//! Bytes go in as they arrive, messages come out. Between messages a reader holds nothing and can
//! be dropped, so a viewer that is silent costs no buffer.

mod head;
#[cfg(test)]
mod tests;

use std::time::Instant;

pub use self::head::Head;
use crate::limits::{MemoryExhausted, MemoryReservation};
use crate::wire::websocket_header;

/// The longest message that is read to its end, in bytes, over all its fragments. Above the limit
/// of a command, so that one that is too long gets an answer and not only an end.
const MESSAGE_LIMIT: usize = 1024 * 1024;

/// Close codes, RFC 6455, section 7.4.1.
pub const NORMAL: u16 = 1000;
pub const PROTOCOL: u16 = 1002;
pub const INVALID: u16 = 1007;
pub const POLICY: u16 = 1008;
pub const TOO_BIG: u16 = 1009;
pub const RESTART: u16 = 1012;
/// Registered with IANA (RFC 6455, section 11.7).
pub const TRY_AGAIN_LATER: u16 = 1013;

pub const CONTINUATION: u8 = 0x0;
pub const TEXT: u8 = 0x1;
pub const BINARY: u8 = 0x2;
pub const CLOSE: u8 = 0x8;
pub const PING: u8 = 0x9;
pub const PONG: u8 = 0xA;

/// What a viewer said.
#[derive(Debug, PartialEq, Eq)]
pub enum Said {
    Text(String),
    /// A text or binary message of so many bytes, more than are kept.
    TooLong {
        bytes: usize,
        most: usize,
    },
    Binary,
    Ping(Vec<u8>),
    Pong,
    /// With the code that it gave.
    Close(Option<u16>),
}

/// What a viewer must not do: the code and words to close with.
#[derive(Debug, PartialEq, Eq)]
pub struct Violation(pub u16, pub &'static str);

/// What was said so far and is not a whole message yet.
pub struct Reader {
    since: Instant,
    /// Bytes of a message that are kept. Of a longer one only the length is told: nobody can make
    /// a thousand sockets hold a thousand long messages.
    kept_bytes: usize,
    /// Frames that were begun and not yet told.
    frames: u32,
    bytes: Vec<u8>,
    /// Bytes of `bytes` that were dealt with.
    done: usize,
    /// The frame whose payload is being read.
    frame: Option<Frame>,
    /// The kind of the message whose fragments are being gathered.
    opcode: Option<u8>,
    message: Vec<u8>,
    message_length: usize,
    /// The memory of these buffers, once a message was left unfinished.
    buffered: Option<MemoryReservation>,
}

/// A client's frame, of which some payload is still to come.
struct Frame {
    head: Head,
    /// Bytes of the payload that were dealt with.
    done: usize,
    /// Of a control frame; that of a message goes to the message.
    control: Vec<u8>,
}

impl Reader {
    /// Keeps messages of up to `kept_bytes`.
    pub fn new(since: Instant, kept_bytes: usize) -> Self {
        Reader {
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

    /// When the first byte of what is held was said.
    pub fn since(&self) -> Instant {
        self.since
    }

    /// Something was said to its end: what is held now began at `now` at the earliest.
    pub fn restart(&mut self, now: Instant) {
        self.since = now;
    }

    pub fn push(&mut self, bytes: &[u8]) {
        self.bytes.drain(..self.done);
        self.done = 0;
        self.bytes.extend_from_slice(bytes);
    }

    /// Frees the bytes of finished messages, and charges the memory of the rest to the budget that
    /// `open` opens.
    ///
    /// # Errors
    /// When the budget has no room for it.
    pub fn charge(
        &mut self,
        open: impl FnOnce() -> MemoryReservation,
    ) -> Result<(), MemoryExhausted> {
        self.bytes.drain(..self.done);
        self.done = 0;
        self.bytes.shrink_to_fit();
        let held = size_of::<Reader>() + self.bytes.capacity() + self.message.capacity();
        self.buffered.get_or_insert_with(open).resize(held)
    }

    /// Whether nothing is held.
    pub fn is_empty(&self) -> bool {
        self.done == self.bytes.len() && self.frame.is_none() && self.opcode.is_none()
    }

    /// How many frames were begun since this was asked last.
    pub fn take_frames(&mut self) -> u32 {
        std::mem::take(&mut self.frames)
    }

    /// The next thing said, if it is complete.
    ///
    /// # Errors
    /// What the viewer must be closed with; the reader is of no use then.
    pub fn next_said(&mut self) -> Result<Option<Said>, Violation> {
        loop {
            if self.frame.is_none() {
                let Some((head, size)) = Head::read(&self.bytes[self.done..])? else {
                    return Ok(None);
                };
                self.done += size;
                self.frames += 1;
                self.begin(head)?;
            }
            let Some(frame) = self.read_payload() else {
                return Ok(None);
            };
            if frame.head.is_control() {
                return control(frame.head.opcode, frame.control).map(Some);
            }
            if frame.head.is_final {
                return self.finish().map(Some);
            }
        }
    }

    /// Checks that the frame may come here, and goes on with its payload.
    fn begin(&mut self, head: Head) -> Result<(), Violation> {
        if !head.is_control() {
            self.opcode = Some(head.message(self.opcode)?);
            self.message_length = self.message_length.saturating_add(head.length);
            if self.message_length > MESSAGE_LIMIT {
                return Err(Violation(TOO_BIG, "at most 1 MiB a message"));
            }
        }
        self.frame = Some(Frame {
            head,
            done: 0,
            control: Vec::new(),
        });
        Ok(())
    }

    /// Takes what there is of the frame's payload; the frame, when that was its end.
    fn read_payload(&mut self) -> Option<Frame> {
        let frame = self.frame.as_mut()?;
        let (head, waiting) = (frame.head, &self.bytes[self.done..]);
        let taken = waiting.len().min(head.length - frame.done);
        let into = match head.is_control() {
            true => &mut frame.control,
            false => &mut self.message,
        };
        let room = self.kept_bytes.saturating_sub(into.len()).min(taken);
        head.unmask(&waiting[..room], frame.done, into);
        frame.done += taken;
        self.done += taken;
        if frame.done < head.length {
            return None;
        }
        self.frame.take()
    }

    /// The message whose last fragment was read.
    fn finish(&mut self) -> Result<Said, Violation> {
        let message = std::mem::take(&mut self.message);
        let length = std::mem::take(&mut self.message_length);
        let opcode = self.opcode.take();
        if length > self.kept_bytes {
            return Ok(Said::TooLong {
                bytes: length,
                most: self.kept_bytes,
            });
        }
        if opcode == Some(BINARY) {
            return Ok(Said::Binary);
        }
        let text = String::from_utf8(message);
        let text = text.map_err(|_| Violation(INVALID, "text must be UTF-8"))?;
        Ok(Said::Text(text))
    }
}

/// What a control frame says.
///
/// # Errors
/// A close that the protocol does not know.
pub fn control(opcode: u8, payload: Vec<u8>) -> Result<Said, Violation> {
    match (opcode, payload.as_slice()) {
        (PING, _) => Ok(Said::Ping(payload)),
        (PONG, _) => Ok(Said::Pong),
        (_, []) => Ok(Said::Close(None)),
        (_, [high, low, reason @ ..]) => {
            let code = u16::from_be_bytes([*high, *low]);
            let is_allowed = matches!(code, 1000..=1003 | 1007..=1014 | 3000..=4999);
            if !is_allowed {
                return Err(Violation(PROTOCOL, "not a close code"));
            }
            if std::str::from_utf8(reason).is_err() {
                return Err(Violation(INVALID, "a reason must be UTF-8"));
            }
            Ok(Said::Close(Some(code)))
        }
        (_, [_]) => Err(Violation(PROTOCOL, "half a close code")),
    }
}

/// The frame that ends a connection.
pub fn close_frame(code: u16, reason: &str) -> Vec<u8> {
    let mut frame = websocket_header(CLOSE, 2 + reason.len());
    frame.extend_from_slice(&code.to_be_bytes());
    frame.extend_from_slice(reason.as_bytes());
    frame
}

/// The answer to a ping.
pub fn pong_frame(payload: &[u8]) -> Vec<u8> {
    let mut frame = websocket_header(PONG, payload.len());
    frame.extend_from_slice(payload);
    frame
}
