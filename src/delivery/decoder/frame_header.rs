//! The header of a client's frame: RFC 6455, section 5.2.

use super::{CloseCode, Violation};

/// The kind of a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Opcode(pub u8);

impl Opcode {
    /// A further fragment of a message.
    pub const CONTINUATION: Opcode = Opcode(0x0);
    /// A text message or its first fragment.
    pub const TEXT: Opcode = Opcode(0x1);
    /// A binary message or its first fragment.
    pub const BINARY: Opcode = Opcode(0x2);
    /// The last frame of a connection.
    pub const CLOSE: Opcode = Opcode(0x8);
    /// A request for a pong.
    pub const PING: Opcode = Opcode(0x9);
    /// The answer to a ping.
    pub const PONG: Opcode = Opcode(0xA);
}

/// The header of a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FrameHeader {
    /// Set if this frame is the last of its message.
    pub is_final: bool,
    /// The kind of the frame.
    pub opcode: Opcode,
    mask: [u8; 4],
    /// Declared length of the payload, in bytes.
    pub length: usize,
}

impl FrameHeader {
    /// Parses the header at the start of `bytes`. Returns it with its size, or `None` if it is
    /// incomplete.
    ///
    /// # Errors
    /// For a header that no client may send.
    pub fn parse(bytes: &[u8]) -> Result<Option<(FrameHeader, usize)>, Violation> {
        let violation = |reason| Err(Violation(CloseCode::PROTOCOL, reason));
        let &[first, second, ..] = bytes else {
            return Ok(None);
        };
        let (is_final, opcode) = (first & 0x80 != 0, Opcode(first & 0x0F));
        if first & 0x70 != 0 {
            return violation("no extension was agreed on");
        }
        if second & 0x80 == 0 {
            return violation("frames of a client are masked");
        }
        if !matches!(opcode.0, 0x0..=0x2 | 0x8..=0xA) {
            return violation("an unknown opcode");
        }
        let short = usize::from(second & 0x7F);
        if opcode >= Opcode::CLOSE && (!is_final || short > 125) {
            return violation("a control frame is whole and short");
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
        if wide == 8 && bytes[2] & 0x80 != 0 {
            return violation("a length has 63 bits");
        }
        let header = FrameHeader {
            is_final,
            opcode,
            mask: mask.try_into().expect("the slice has four bytes"),
            length,
        };
        Ok(Some((header, start)))
    }

    /// Returns true for a close, ping or pong frame.
    pub fn is_control(self) -> bool {
        self.opcode >= Opcode::CLOSE
    }

    /// Returns the opcode of the message that this frame belongs to, given that of the unfinished
    /// message.
    ///
    /// # Errors
    /// For a continuation without a message, or a message within a message.
    pub fn message_opcode(self, unfinished: Option<Opcode>) -> Result<Opcode, Violation> {
        match (unfinished, self.opcode) {
            (None, Opcode::CONTINUATION) => {
                Err(Violation(CloseCode::PROTOCOL, "a continuation of nothing"))
            }
            (Some(_), Opcode::TEXT | Opcode::BINARY) => {
                Err(Violation(CloseCode::PROTOCOL, "a message inside a message"))
            }
            (unfinished, opcode) => Ok(unfinished.unwrap_or(opcode)),
        }
    }

    /// Unmasks `bytes`, which start at `offset` of the payload, and appends them to `payload`.
    pub fn unmask(self, bytes: &[u8], offset: usize, payload: &mut Vec<u8>) {
        let bytes = bytes.iter().enumerate();
        payload.extend(bytes.map(|(index, byte)| byte ^ self.mask[(offset + index) % 4]));
    }
}
