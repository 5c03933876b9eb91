//! A WebSocket that says back what it hears, without ever holding a message.
//!
//! Bytes go in as they arrive, frames come out: of a long message, what has come so far is sent
//! back as a fragment of its own. So a frame may declare what it likes and costs nothing more.

use crate::delivery::{
    CloseCode, FrameHeader, Incoming, Opcode, Violation, close_frame, parse_control, pong_frame,
};
use crate::wire::websocket_header;

/// The longest message that is echoed, in bytes, over all its fragments.
const MESSAGE_LIMIT: usize = 16 * 1024 * 1024;

/// The bit of a frame's first byte that says that it ends its message.
const FINAL: u8 = 0x80;

/// Whether the conversation goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    GoOn,
    Close,
}

/// What was heard so far and is not answered yet: at most the head of a frame, a control frame's
/// payload, and the beginning of a character.
#[derive(Default)]
pub struct Echo {
    bytes: Vec<u8>,
    /// The frame whose payload is being read, and how much of it was.
    frame: Option<(FrameHeader, usize)>,
    control: Vec<u8>,
    /// The kind of the message that is not at its end, and its length so far.
    message: Option<Opcode>,
    length: usize,
    /// Whether a part of that message was sent back.
    is_answered: bool,
    /// The beginning of a character, at the end of what was heard of a text.
    character: Vec<u8>,
}

impl Echo {
    /// Whether nothing was begun.
    pub fn is_idle(&self) -> bool {
        self.bytes.is_empty() && self.frame.is_none() && self.message.is_none()
    }

    /// Takes in `heard` and adds what is to be sent to `answer`, also when it is the last.
    pub fn hear(&mut self, heard: &[u8], answer: &mut Vec<u8>) -> Next {
        self.bytes.extend_from_slice(heard);
        let bytes = std::mem::take(&mut self.bytes);
        let mut rest = &bytes[..];
        let next = loop {
            match self.read(&mut rest, answer) {
                Ok(Some(Next::GoOn)) => {}
                Ok(Some(Next::Close)) => break Next::Close,
                Ok(None) => break Next::GoOn,
                Err(Violation(code, reason)) => {
                    answer.extend(close_frame(code, reason));
                    break Next::Close;
                }
            }
        };
        self.bytes = rest.to_vec();
        next
    }

    /// Takes one step, from the front of `rest`; `None` when that needs more bytes.
    fn read(&mut self, rest: &mut &[u8], answer: &mut Vec<u8>) -> Result<Option<Next>, Violation> {
        let Some((head, done)) = self.frame else {
            let Some((head, size)) = FrameHeader::parse(rest)? else {
                return Ok(None);
            };
            *rest = &rest[size..];
            self.begin(head)?;
            return Ok(Some(Next::GoOn));
        };
        let taken = rest.len().min(head.length - done);
        if taken == 0 && done < head.length {
            return Ok(None);
        }
        let (payload, left) = rest.split_at(taken);
        *rest = left;
        let is_whole = done + taken == head.length;
        self.frame = (!is_whole).then_some((head, done + taken));
        if head.is_control() {
            head.unmask(payload, done, &mut self.control);
            return match is_whole {
                true => self.answer_control(head, answer).map(Some),
                false => Ok(Some(Next::GoOn)),
            };
        }
        let mut part = Vec::with_capacity(taken);
        head.unmask(payload, done, &mut part);
        self.send_back(&part, is_whole && head.is_final, answer)?;
        Ok(Some(Next::GoOn))
    }

    fn begin(&mut self, head: FrameHeader) -> Result<(), Violation> {
        if !head.is_control() {
            self.message = Some(head.message_opcode(self.message)?);
            self.length = self.length.saturating_add(head.length);
            if self.length > MESSAGE_LIMIT {
                return Err(Violation(CloseCode::TOO_BIG, "at most 16 MiB a message"));
            }
        }
        self.frame = Some((head, 0));
        Ok(())
    }

    fn answer_control(
        &mut self,
        head: FrameHeader,
        answer: &mut Vec<u8>,
    ) -> Result<Next, Violation> {
        let payload = std::mem::take(&mut self.control);
        match parse_control(head.opcode, payload)? {
            Incoming::Ping(payload) => answer.extend(pong_frame(&payload)),
            Incoming::Close(code) => {
                answer.extend(close_frame(code.unwrap_or(CloseCode::NORMAL), ""));
                return Ok(Next::Close);
            }
            _ => {}
        }
        Ok(Next::GoOn)
    }

    /// Sends a part of the message back, as a fragment of its own.
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

    /// A character may be cut anywhere, and only at the end does it have to be whole.
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

#[cfg(test)]
mod tests {
    use super::*;

    /// A client's frame, masked with zeros, of which `payload` has come.
    fn frame(first: u8, declared: usize, payload: &[u8]) -> Vec<u8> {
        let mut frame = websocket_header(0, declared);
        frame[0] = first;
        frame[1] |= 0x80;
        frame.extend_from_slice(&[0; 4]);
        frame.extend_from_slice(payload);
        frame
    }

    #[test]
    fn a_message_comes_back_however_it_is_cut() {
        let mut said = frame(0x01, 8, "Grüße,".as_bytes());
        said.extend(frame(0x89, 2, b"hi"));
        said.extend(frame(0x80, 5, " Miso".as_bytes()));
        said.extend(frame(0x82, 0, b""));
        for size in [1, 3, said.len()] {
            let (mut echo, mut answer) = (Echo::default(), Vec::new());
            for piece in said.chunks(size) {
                assert_eq!(echo.hear(piece, &mut answer), Next::GoOn);
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
    fn a_frame_may_declare_what_it_likes_and_nothing_is_held_for_it() {
        for (declared, next) in [
            (MESSAGE_LIMIT, Next::GoOn),
            (MESSAGE_LIMIT + 1, Next::Close),
        ] {
            let (mut echo, mut answer) = (Echo::default(), Vec::new());
            assert_eq!(
                echo.hear(&frame(0x82, declared, &[0; 1000]), &mut answer),
                next
            );
            assert!(echo.bytes.capacity() + echo.control.capacity() <= 1024);
            let code = u16::from_be_bytes([answer[2], answer[3]]);
            assert_eq!(next == Next::Close, code == CloseCode::TOO_BIG);
        }
    }

    #[test]
    fn text_that_is_none_is_closed_with_its_code() {
        for said in [
            frame(0x81, 1, &[0xFF]),
            frame(0x81, 1, &[0xC3]),
            [frame(0x01, 1, &[0xC3]), frame(0x80, 1, b"a")].concat(),
        ] {
            let (mut echo, mut answer) = (Echo::default(), Vec::new());
            assert_eq!(echo.hear(&said, &mut answer), Next::Close);
            assert!(
                answer
                    .windows(2)
                    .any(|code| code == CloseCode::INVALID.to_be_bytes())
            );
        }
    }
}
