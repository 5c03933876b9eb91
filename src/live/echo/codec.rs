//! Turns the frames of a client into those of its echo, without a socket.
//!
//! The part of a long message that has arrived is sent back as a fragment. So a frame may declare any
//! length and costs no memory.

use crate::delivery::{
    CloseCode, FrameHeader, Incoming, Opcode, Violation, close_frame, parse_control, pong_frame,
};
use crate::wire::websocket_header;

/// The longest message that is echoed, in bytes, over all its fragments.
const MESSAGE_LIMIT: usize = 16 * 1024 * 1024;

/// The bit of a frame's first byte that marks the last fragment of a message.
const FINAL: u8 = 0x80;

/// Bytes that cannot be answered yet: at most the header of a frame, the payload of a control frame,
/// and the beginning of a character.
#[derive(Default)]
pub struct EchoCodec {
    bytes: Vec<u8>,
    /// The frame whose payload is being read, and how much of it was.
    frame: Option<(FrameHeader, usize)>,
    control: Vec<u8>,
    /// The opcode of the unfinished message, and its length so far.
    message: Option<Opcode>,
    length: usize,
    /// Set if a fragment of that message was sent back.
    is_answered: bool,
    /// The beginning of a character at the end of the received text.
    character: Vec<u8>,
}

impl EchoCodec {
    /// Returns true if no message is unfinished.
    pub fn is_idle(&self) -> bool {
        self.bytes.is_empty() && self.frame.is_none() && self.message.is_none()
    }

    /// Takes in received bytes and appends the answer. Returns true if the answer ends with a close
    /// frame.
    pub fn push(&mut self, received: &[u8], answer: &mut Vec<u8>) -> bool {
        self.bytes.extend_from_slice(received);
        let bytes = std::mem::take(&mut self.bytes);
        let mut rest = &bytes[..];
        let is_closed = loop {
            match self.step(&mut rest, answer) {
                Ok(EchoStep::Continue) => {}
                Ok(EchoStep::NeedsBytes) => break false,
                Ok(EchoStep::Closed) => break true,
                Err(Violation(code, reason)) => {
                    answer.extend(close_frame(code, reason));
                    break true;
                }
            }
        };
        self.bytes = rest.to_vec();
        is_closed
    }

    /// Decodes a header or a payload at the front of `rest`.
    fn step(&mut self, rest: &mut &[u8], answer: &mut Vec<u8>) -> Result<EchoStep, Violation> {
        let Some((header, done)) = self.frame else {
            let Some((header, size)) = FrameHeader::parse(rest)? else {
                return Ok(EchoStep::NeedsBytes);
            };
            *rest = &rest[size..];
            self.begin_frame(header)?;
            return Ok(EchoStep::Continue);
        };
        let taken = rest.len().min(header.length - done);
        if taken == 0 && done < header.length {
            return Ok(EchoStep::NeedsBytes);
        }
        let (payload, left) = rest.split_at(taken);
        *rest = left;
        let is_whole = done + taken == header.length;
        self.frame = (!is_whole).then_some((header, done + taken));
        if header.is_control() {
            header.unmask(payload, done, &mut self.control);
            if is_whole {
                return self.answer_control(header, answer);
            }
        } else {
            let mut part = Vec::with_capacity(taken);
            header.unmask(payload, done, &mut part);
            self.send_back(&part, is_whole && header.is_final, answer)?;
        }
        Ok(EchoStep::Continue)
    }

    fn begin_frame(&mut self, header: FrameHeader) -> Result<(), Violation> {
        if !header.is_control() {
            self.message = Some(header.message_opcode(self.message)?);
            self.length = self.length.saturating_add(header.length);
            if self.length > MESSAGE_LIMIT {
                return Err(Violation(CloseCode::TOO_BIG, "at most 16 MiB a message"));
            }
        }
        self.frame = Some((header, 0));
        Ok(())
    }

    fn answer_control(
        &mut self,
        header: FrameHeader,
        answer: &mut Vec<u8>,
    ) -> Result<EchoStep, Violation> {
        let payload = std::mem::take(&mut self.control);
        match parse_control(header.opcode, payload)? {
            Incoming::Ping(payload) => answer.extend(pong_frame(&payload)),
            Incoming::Close(code) => {
                answer.extend(close_frame(code.unwrap_or(CloseCode::NORMAL), ""));
                return Ok(EchoStep::Closed);
            }
            Incoming::Pong | Incoming::Message(_) => {}
        }
        Ok(EchoStep::Continue)
    }

    /// Sends a part of the message back as a fragment.
    fn send_back(
        &mut self,
        part: &[u8],
        is_last: bool,
        answer: &mut Vec<u8>,
    ) -> Result<(), Violation> {
        let kind = self.message.unwrap_or(Opcode::BINARY);
        if kind == Opcode::TEXT {
            self.check_text(part, is_last)?;
        }
        if part.is_empty() && !is_last {
            return Ok(());
        }
        let opcode = if self.is_answered {
            Opcode::CONTINUATION
        } else {
            kind
        };
        let mut frame = websocket_header(opcode.0, part.len());
        if !is_last {
            frame[0] &= !FINAL;
        }
        answer.extend(frame);
        answer.extend_from_slice(part);
        self.is_answered = true;
        if is_last {
            (self.message, self.length, self.is_answered) = (None, 0, false);
        }
        Ok(())
    }

    /// Checks that the text is UTF-8. A character may be split anywhere before the end of the message.
    fn check_text(&mut self, part: &[u8], is_last: bool) -> Result<(), Violation> {
        self.character.extend_from_slice(part);
        let text = std::mem::take(&mut self.character);
        match std::str::from_utf8(&text) {
            Ok(_) => Ok(()),
            Err(error) if error.error_len().is_none() && !is_last => {
                self.character = text[error.valid_up_to()..].to_vec();
                Ok(())
            }
            Err(_) => Err(Violation(CloseCode::INVALID, "text must be UTF-8")),
        }
    }
}

/// Result of one step.
enum EchoStep {
    Continue,
    NeedsBytes,
    Closed,
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A client's frame, masked with zeros, of which `payload` has arrived.
    fn frame(first: u8, declared: usize, payload: &[u8]) -> Vec<u8> {
        let mut frame = websocket_header(0, declared);
        frame[0] = first;
        frame[1] |= 0x80;
        frame.extend_from_slice(&[0; 4]);
        frame.extend_from_slice(payload);
        frame
    }

    #[test]
    fn a_message_comes_back_however_its_bytes_are_split() {
        let mut received = frame(0x01, 8, "Grüße,".as_bytes());
        received.extend(frame(0x89, 2, b"hi"));
        received.extend(frame(0x80, 5, " Miso".as_bytes()));
        received.extend(frame(0x82, 0, b""));
        for size in [1, 3, received.len()] {
            let (mut echo, mut answer) = (EchoCodec::default(), Vec::new());
            for piece in received.chunks(size) {
                assert!(!echo.push(piece, &mut answer));
            }
            assert!(echo.is_idle());
            let (mut text, mut pongs, mut empty) = (Vec::new(), 0, 0);
            let mut rest = &answer[..];
            while let [first, length, left @ ..] = rest {
                let (payload, left) = left.split_at(usize::from(*length));
                match first & 0x0F {
                    0x0 | 0x1 => text.extend_from_slice(payload),
                    0xA => pongs += 1,
                    _ => empty += 1,
                }
                rest = left;
            }
            assert_eq!(text, "Grüße, Miso".as_bytes(), "in pieces of {size}");
            assert_eq!((pongs, empty), (1, 1));
        }
    }

    #[test]
    fn a_frame_may_declare_any_length_and_no_memory_is_held_for_it() {
        for (declared, is_closed) in [(MESSAGE_LIMIT, false), (MESSAGE_LIMIT + 1, true)] {
            let (mut echo, mut answer) = (EchoCodec::default(), Vec::new());
            let received = frame(0x82, declared, &[0; 1000]);
            assert_eq!(echo.push(&received, &mut answer), is_closed);
            assert!(echo.bytes.capacity() + echo.control.capacity() <= 1024);
            let code = u16::from_be_bytes([answer[2], answer[3]]);
            assert_eq!(is_closed, code == CloseCode::TOO_BIG);
        }
    }

    #[test]
    fn text_that_is_not_utf_8_is_closed_with_its_code() {
        for received in [
            frame(0x81, 1, &[0xFF]),
            frame(0x81, 1, &[0xC3]),
            [frame(0x01, 1, &[0xC3]), frame(0x80, 1, b"a")].concat(),
        ] {
            let (mut echo, mut answer) = (EchoCodec::default(), Vec::new());
            assert!(echo.push(&received, &mut answer));
            assert!(
                answer
                    .windows(2)
                    .any(|code| code == CloseCode::INVALID.to_be_bytes())
            );
        }
    }
}
