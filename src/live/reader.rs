//! What viewers say over WebSocket: frames of RFC 6455, read without a socket.
//!
//! Bytes go in as they arrive, messages come out. Between messages a reader holds nothing and can
//! be dropped, so a viewer that is silent costs no buffer.

use std::time::Instant;

use super::commands::COMMAND_LIMIT;
use crate::wire::websocket_header;

/// The longest message that is read to its end, in bytes, over all its fragments. Above the limit
/// of a command, so that one that is too long gets an answer and not only an end.
const MESSAGE_LIMIT: usize = 1024 * 1024;

/// Bytes of a message that are kept. Of a longer one only the length is told: nobody can make a
/// thousand sockets hold a thousand long messages.
const KEPT_BYTES: usize = COMMAND_LIMIT;

/// Close codes, RFC 6455, section 7.4.1.
pub const NORMAL: u16 = 1000;
pub const PROTOCOL: u16 = 1002;
pub const INVALID: u16 = 1007;
pub const POLICY: u16 = 1008;
pub const TOO_BIG: u16 = 1009;
pub const RESTART: u16 = 1012;

const CONTINUATION: u8 = 0x0;
const TEXT: u8 = 0x1;
const BINARY: u8 = 0x2;
const CLOSE: u8 = 0x8;
const PING: u8 = 0x9;
const PONG: u8 = 0xA;

/// What a viewer said.
#[derive(Debug, PartialEq, Eq)]
pub enum Said {
    Text(String),
    /// A text or binary message of so many bytes, more than any command has.
    TooLong(usize),
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
    bytes: Vec<u8>,
    /// Bytes of `bytes` that were dealt with.
    done: usize,
    /// The frame whose payload is being read.
    frame: Option<Frame>,
    /// The kind of the message whose fragments are being gathered.
    opcode: Option<u8>,
    message: Vec<u8>,
    message_length: usize,
}

/// A client's frame, of which some payload is still to come.
struct Frame {
    is_final: bool,
    opcode: u8,
    mask: [u8; 4],
    length: usize,
    /// Bytes of the payload that were dealt with.
    done: usize,
    /// Of a control frame; that of a message goes to the message.
    control: Vec<u8>,
}

impl Reader {
    pub fn new(since: Instant) -> Self {
        Reader {
            since,
            bytes: Vec::new(),
            done: 0,
            frame: None,
            opcode: None,
            message: Vec::new(),
            message_length: 0,
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

    /// Whether nothing is held.
    pub fn is_empty(&self) -> bool {
        self.done == self.bytes.len() && self.frame.is_none() && self.opcode.is_none()
    }

    /// The next thing said, if it is complete.
    ///
    /// # Errors
    /// What the viewer must be closed with; the reader is of no use then.
    pub fn next(&mut self) -> Result<Option<Said>, Violation> {
        loop {
            if self.frame.is_none() {
                let Some((frame, size)) = Frame::read(&self.bytes[self.done..])? else {
                    return Ok(None);
                };
                self.done += size;
                self.begin(frame)?;
            }
            let Some(frame) = self.read_payload() else {
                return Ok(None);
            };
            if frame.opcode >= CLOSE {
                return control(frame.opcode, frame.control).map(Some);
            }
            if frame.is_final {
                return self.finish().map(Some);
            }
        }
    }

    /// Checks that the frame may come here, and goes on with its payload.
    fn begin(&mut self, frame: Frame) -> Result<(), Violation> {
        if frame.opcode < CLOSE {
            match (self.opcode, frame.opcode) {
                (None, CONTINUATION) => {
                    return Err(Violation(PROTOCOL, "a continuation of nothing"));
                }
                (Some(_), TEXT | BINARY) => {
                    return Err(Violation(PROTOCOL, "a message inside a message"));
                }
                (None, opcode) => self.opcode = Some(opcode),
                (Some(_), _) => {}
            }
            self.message_length = self.message_length.saturating_add(frame.length);
            if self.message_length > MESSAGE_LIMIT {
                return Err(Violation(TOO_BIG, "at most 1 MiB a message"));
            }
        }
        self.frame = Some(frame);
        Ok(())
    }

    /// Takes what there is of the frame's payload; the frame, when that was its end.
    fn read_payload(&mut self) -> Option<Frame> {
        let frame = self.frame.as_mut()?;
        let waiting = &self.bytes[self.done..];
        let taken = waiting.len().min(frame.length - frame.done);
        let into = match frame.opcode >= CLOSE {
            true => &mut frame.control,
            false => &mut self.message,
        };
        let room = KEPT_BYTES.saturating_sub(into.len()).min(taken);
        let kept = waiting[..room].iter().enumerate();
        into.extend(kept.map(|(index, byte)| byte ^ frame.mask[(frame.done + index) % 4]));
        frame.done += taken;
        self.done += taken;
        if frame.done < frame.length {
            return None;
        }
        self.frame.take()
    }

    /// The message whose last fragment was read.
    fn finish(&mut self) -> Result<Said, Violation> {
        let message = std::mem::take(&mut self.message);
        let length = std::mem::take(&mut self.message_length);
        let opcode = self.opcode.take();
        if length > KEPT_BYTES {
            return Ok(Said::TooLong(length));
        }
        if opcode == Some(BINARY) {
            return Ok(Said::Binary);
        }
        let text = String::from_utf8(message);
        let text = text.map_err(|_| Violation(INVALID, "text must be UTF-8"))?;
        Ok(Said::Text(text))
    }
}

impl Frame {
    /// The header at the start of `bytes`, if it is whole, and its size.
    fn read(bytes: &[u8]) -> Result<Option<(Frame, usize)>, Violation> {
        let &[first, second, ..] = bytes else {
            return Ok(None);
        };
        let (is_final, opcode) = (first & 0x80 != 0, first & 0x0F);
        if first & 0x70 != 0 {
            return Err(Violation(PROTOCOL, "no extension was agreed on"));
        }
        if second & 0x80 == 0 {
            return Err(Violation(PROTOCOL, "frames of a client are masked"));
        }
        if !matches!(opcode, CONTINUATION | TEXT | BINARY | CLOSE | PING | PONG) {
            return Err(Violation(PROTOCOL, "an unknown opcode"));
        }
        let short = usize::from(second & 0x7F);
        if opcode >= CLOSE && (!is_final || short > 125) {
            return Err(Violation(PROTOCOL, "a control frame is whole and short"));
        }
        let wide = match short {
            126 => 2,
            127 => 8,
            _ => 0,
        };
        let start = 2 + wide + 4;
        let (Some(length), Some(mask)) = (bytes.get(2..2 + wide), bytes.get(2 + wide..start))
        else {
            return Ok(None);
        };
        let length = match wide {
            0 => short,
            _ => length.iter().fold(0_usize, |length, byte| {
                length
                    .saturating_mul(256)
                    .saturating_add(usize::from(*byte))
            }),
        };
        let frame = Frame {
            is_final,
            opcode,
            mask: mask.try_into().expect("four bytes were taken"),
            length,
            done: 0,
            control: Vec::new(),
        };
        Ok(Some((frame, start)))
    }
}

fn control(opcode: u8, payload: Vec<u8>) -> Result<Said, Violation> {
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

#[cfg(test)]
mod tests {
    use super::*;

    /// A client's frame, masked.
    fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
        let mut frame = websocket_header(0, payload.len());
        frame[0] = first;
        frame[1] |= 0x80;
        let mask = [1, 2, 3, 4];
        frame.extend_from_slice(&mask);
        frame.extend(
            payload
                .iter()
                .zip(mask.iter().cycle())
                .map(|(byte, mask)| byte ^ mask),
        );
        frame
    }

    fn read(bytes: &[u8]) -> Result<Option<Said>, Violation> {
        let mut reader = Reader::new(Instant::now());
        reader.push(bytes);
        reader.next()
    }

    #[test]
    fn messages_arrive_whole_however_they_are_cut() {
        let mut bytes = frame(0x01, "Grüße, ".as_bytes());
        bytes.extend(frame(0x89, b"still there?"));
        bytes.extend(frame(0x80, "Miso".as_bytes()));
        bytes.extend(frame(0x82, &[0; 70]));
        bytes.extend(frame(0x88, &[0x03, 0xE8]));
        for size in [1, 2, 3, 7, bytes.len()] {
            let mut reader = Reader::new(Instant::now());
            let mut said = Vec::new();
            for piece in bytes.chunks(size) {
                reader.push(piece);
                while let Some(next) = reader.next().unwrap() {
                    said.push(next);
                }
            }
            let expected = [
                Said::Ping(b"still there?".to_vec()),
                Said::Text("Grüße, Miso".to_owned()),
                Said::Binary,
                Said::Close(Some(1000)),
            ];
            assert_eq!(said, expected, "in pieces of {size}");
            assert!(reader.is_empty());
        }
    }

    #[test]
    fn what_the_protocol_forbids_is_named_with_its_code() {
        let mut unmasked = frame(0x81, b"");
        unmasked[1] &= 0x7F;
        let huge = [
            0x82, 0xFF, 0x7F, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 1, 2, 3, 4,
        ];
        for (bytes, code) in [
            (unmasked, PROTOCOL),
            (frame(0xC1, b""), PROTOCOL),
            (frame(0x83, b""), PROTOCOL),
            (frame(0x80, b"continued"), PROTOCOL),
            (frame(0x09, b"half a ping"), PROTOCOL),
            (frame(0x89, &[0; 126]), PROTOCOL),
            (frame(0x88, &[3]), PROTOCOL),
            (frame(0x88, &[0x03, 0xED]), PROTOCOL),
            (frame(0x81, &[0xFF]), INVALID),
            (huge.to_vec(), TOO_BIG),
        ] {
            assert_eq!(read(&bytes).unwrap_err().0, code, "{bytes:?}");
        }
    }

    #[test]
    fn of_a_message_that_is_too_long_only_the_length_is_kept() {
        let mut reader = Reader::new(Instant::now());
        reader.push(&frame(0x01, &[b'a'; 40_000]));
        assert_eq!(reader.next(), Ok(None));
        assert_eq!(reader.message.len(), KEPT_BYTES);
        reader.push(&frame(0x80, &[b'a'; 40_000]));
        assert_eq!(reader.next(), Ok(Some(Said::TooLong(80_000))));
        reader.push(&frame(0x81, b"short again"));
        assert_eq!(
            reader.next(),
            Ok(Some(Said::Text("short again".to_owned())))
        );
        assert!(reader.is_empty());
        reader.push(&frame(0x02, &[0; MESSAGE_LIMIT]));
        assert_eq!(reader.next(), Ok(None));
        reader.push(&frame(0x80, &[0]));
        assert_eq!(reader.next().unwrap_err().0, TOO_BIG);
    }
}
