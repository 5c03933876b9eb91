//! What viewers say over WebSocket: frames of RFC 6455, read without a socket.
//!
//! Bytes go in as they arrive, messages come out. Between messages a reader holds nothing and can
//! be dropped, so a viewer that is silent costs no buffer.

use crate::wire::websocket_header;

/// The longest message that is read at all, in bytes, over all its fragments. Above the limit of a
/// command, so that one that is somewhat too long gets an answer and not only an end.
const MESSAGE_LIMIT: usize = 64 * 1024;

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
    Binary,
    Ping(Vec<u8>),
    Pong,
    /// With the code that it gave.
    Close(Option<u16>),
}

/// What a viewer must not do: the code and words to close with.
#[derive(Debug, PartialEq, Eq)]
pub struct Violation(pub u16, pub &'static str);

/// Bytes that are not a whole message yet.
#[derive(Default)]
pub struct Reader {
    bytes: Vec<u8>,
    /// The kind of the message whose fragments are being gathered.
    opcode: Option<u8>,
    message: Vec<u8>,
}

/// The header of a client's frame.
struct Header {
    is_final: bool,
    opcode: u8,
    mask: [u8; 4],
    /// Where the payload is in the bytes.
    payload: std::ops::Range<usize>,
}

impl Reader {
    pub fn push(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
    }

    /// Whether nothing is held.
    pub fn is_empty(&self) -> bool {
        self.bytes.is_empty() && self.opcode.is_none()
    }

    /// The next thing said, if it is complete.
    ///
    /// # Errors
    /// What the viewer must be closed with; the reader is of no use then.
    pub fn next(&mut self) -> Result<Option<Said>, Violation> {
        loop {
            let Some(header) = Header::read(&self.bytes)? else {
                return Ok(None);
            };
            let is_data = header.opcode < CLOSE;
            if is_data && self.message.len() + header.payload.len() > MESSAGE_LIMIT {
                return Err(Violation(TOO_BIG, "at most 64 KiB a message"));
            }
            if self.bytes.len() < header.payload.end {
                return Ok(None);
            }
            let mut payload = self.bytes[header.payload.clone()].to_vec();
            self.bytes.drain(..header.payload.end);
            for (index, byte) in payload.iter_mut().enumerate() {
                *byte ^= header.mask[index % 4];
            }
            let said = if is_data {
                self.gather(&header, payload)?
            } else {
                Some(control(header.opcode, payload)?)
            };
            if said.is_some() {
                return Ok(said);
            }
        }
    }

    /// Adds a fragment; the message, if this was its last.
    fn gather(&mut self, header: &Header, payload: Vec<u8>) -> Result<Option<Said>, Violation> {
        let opcode = match (self.opcode, header.opcode) {
            (Some(opcode), CONTINUATION) => opcode,
            (None, CONTINUATION) => {
                return Err(Violation(PROTOCOL, "a continuation of nothing"));
            }
            (Some(_), _) => return Err(Violation(PROTOCOL, "a message inside a message")),
            (None, opcode) => opcode,
        };
        self.message.extend_from_slice(&payload);
        if !header.is_final {
            self.opcode = Some(opcode);
            return Ok(None);
        }
        self.opcode = None;
        let message = std::mem::take(&mut self.message);
        if opcode == BINARY {
            return Ok(Some(Said::Binary));
        }
        let text = String::from_utf8(message);
        let text = text.map_err(|_| Violation(INVALID, "text must be UTF-8"))?;
        Ok(Some(Said::Text(text)))
    }
}

impl Header {
    /// The header at the start of `bytes`, if it is whole.
    fn read(bytes: &[u8]) -> Result<Option<Header>, Violation> {
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
        Ok(Some(Header {
            is_final,
            opcode,
            mask: mask.try_into().expect("four bytes were taken"),
            payload: start..start.saturating_add(length),
        }))
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
        let mut reader = Reader::default();
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
            let mut reader = Reader::default();
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
    fn fragments_count_together() {
        let mut reader = Reader::default();
        reader.push(&frame(0x01, &[b'a'; 40_000]));
        assert_eq!(reader.next(), Ok(None));
        reader.push(&frame(0x80, &[b'a'; 40_000]));
        assert_eq!(reader.next().unwrap_err().0, TOO_BIG);
    }
}
