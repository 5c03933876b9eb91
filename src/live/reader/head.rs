//! The head of a client's frame: RFC 6455, section 5.2.

use super::{BINARY, CLOSE, CONTINUATION, PING, PONG, PROTOCOL, TEXT, Violation};

/// What stands before a frame's payload.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Head {
    pub is_final: bool,
    pub opcode: u8,
    mask: [u8; 4],
    /// Bytes of the payload, as it declares them.
    pub length: usize,
}

impl Head {
    /// The head at the start of `bytes`, if it is whole, and its size.
    ///
    /// # Errors
    /// What no client may send.
    pub fn read(bytes: &[u8]) -> Result<Option<(Head, usize)>, Violation> {
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
        if wide == 8 && bytes[2] & 0x80 != 0 {
            return Err(Violation(PROTOCOL, "a length has 63 bits"));
        }
        let head = Head {
            is_final,
            opcode,
            mask: mask.try_into().expect("four bytes were taken"),
            length,
        };
        Ok(Some((head, start)))
    }

    /// Whether it is no part of a message.
    pub const fn is_control(self) -> bool {
        self.opcode >= CLOSE
    }

    /// The kind of the message that this frame is a part of, when `begun` is the kind of the one
    /// that is not at its end.
    ///
    /// # Errors
    /// When it cannot come here.
    pub fn message(self, begun: Option<u8>) -> Result<u8, Violation> {
        match (begun, self.opcode) {
            (None, CONTINUATION) => Err(Violation(PROTOCOL, "a continuation of nothing")),
            (Some(_), TEXT | BINARY) => Err(Violation(PROTOCOL, "a message inside a message")),
            (begun, opcode) => Ok(begun.unwrap_or(opcode)),
        }
    }

    /// Adds to `into` what `bytes` mean, of which the first is byte `offset` of the payload.
    pub fn unmask(self, bytes: &[u8], offset: usize, into: &mut Vec<u8>) {
        let bytes = bytes.iter().enumerate();
        into.extend(bytes.map(|(index, byte)| byte ^ self.mask[(offset + index) % 4]));
    }
}
