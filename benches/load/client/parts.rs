//! What a viewer's bytes are: the head of an answer, then packets, chunks or whole answers, and
//! messages in them.

use super::http::{self, Body};
use super::message::Kind;
use super::{Stage, Target, Transport, Viewer, poll, sse, ws};
use crate::book::{Book, now_micros};

/// What the next bytes are.
#[derive(Clone, Copy)]
pub enum Phase {
    Head,
    Packets,
    Chunks,
    Stream,
    Answer(usize),
}

impl Viewer {
    /// Takes whole parts off the front of `bytes`; gives how many bytes they were.
    pub(super) fn take(
        &mut self,
        bytes: &[u8],
        target: &Target,
        book: &mut Book,
    ) -> Result<usize, String> {
        let now = now_micros();
        let mut used = 0;
        loop {
            let rest = &bytes[used..];
            let length = match self.phase {
                _ if rest.is_empty() => 0,
                Phase::Head => self.take_head(rest, target)?,
                Phase::Packets => self.take_packet(rest, now, target, book)?,
                Phase::Chunks => match http::chunk(rest)? {
                    Some(([], _)) => return Err("the server ended the stream".to_owned()),
                    Some((text, length)) => {
                        self.take_events(text, now, book);
                        length
                    }
                    None => 0,
                },
                Phase::Stream => {
                    self.take_events(rest, now, book);
                    rest.len()
                }
                Phase::Answer(size) => self.take_answer(rest, size, now, target, book)?,
            };
            if length == 0 {
                return Ok(used);
            }
            used += length;
        }
    }

    fn take_head(&mut self, bytes: &[u8], target: &Target) -> Result<usize, String> {
        let Some(head) = http::head(bytes)? else {
            return Ok(0);
        };
        self.phase = match (self.transport, head.status, head.body) {
            (Transport::Ws | Transport::SocketIo, 101, _) => Phase::Packets,
            (Transport::Sse, 200, Body::Chunked) => Phase::Chunks,
            (Transport::Sse, 200, Body::Open) => Phase::Stream,
            (Transport::Poll, 200, Body::Length(size)) => Phase::Answer(size),
            (_, status, _) => return Err(format!("answered {status}")),
        };
        // Our own server says hello, and only then a viewer is live.
        if !target.says_hello && self.transport != Transport::SocketIo {
            self.stage = Stage::Live;
        }
        Ok(head.length)
    }

    fn take_packet(
        &mut self,
        bytes: &[u8],
        now: i64,
        target: &Target,
        book: &mut Book,
    ) -> Result<usize, String> {
        let Some(packet) = ws::packet(bytes)? else {
            return Ok(0);
        };
        match packet.opcode {
            ws::TEXT if self.transport == Transport::SocketIo => {
                self.take_socket_io(packet.payload, now, book)?;
            }
            ws::TEXT => self.take_message(packet.payload, now, book),
            ws::PING => self.write(&ws::pong(packet.payload))?,
            ws::CLOSE => return Err("the server closed the WebSocket".to_owned()),
            _ if target.says_hello => return Err(format!("opcode {}", packet.opcode)),
            _ => {}
        }
        Ok(packet.length)
    }

    /// Engine.IO and Socket.IO in short: `0` is open, `40` asks to connect and answers that, `2` is
    /// a ping, `42[name,data]` an event. What is sent before `0` came may be lost there.
    fn take_socket_io(&mut self, text: &[u8], now: i64, book: &mut Book) -> Result<(), String> {
        if text == b"2" {
            return self.write(&ws::masked(ws::TEXT, b"3"));
        }
        if text.starts_with(b"0") {
            return self.write(&ws::masked(ws::TEXT, b"40"));
        }
        if text.starts_with(b"40") {
            self.stage = Stage::Live;
        } else if let Some(data) = text.strip_prefix(b"42[\"m\",") {
            self.take_message(&data[..data.len() - 1], now, book);
        }
        Ok(())
    }

    fn take_events(&mut self, text: &[u8], now: i64, book: &mut Book) {
        let mut event = std::mem::take(&mut self.event);
        sse::events(&mut event, text, |data| self.take_message(data, now, book));
        self.event = event;
    }

    fn take_answer(
        &mut self,
        bytes: &[u8],
        size: usize,
        now: i64,
        target: &Target,
        book: &mut Book,
    ) -> Result<usize, String> {
        let Some(answer) = bytes.get(..size) else {
            return Ok(0);
        };
        poll::messages(answer, |json| self.take_message(json, now, book));
        self.phase = Phase::Head;
        let path = target.path(self.transport, self.seat.pet, self.seat.last);
        self.write(&target.request(self.transport, &path))?;
        Ok(size)
    }

    fn take_message(&mut self, json: &[u8], now: i64, book: &mut Book) {
        let kind = book.take(&mut self.seat, json, now, self.is_counted);
        if kind == Kind::Hello {
            self.stage = Stage::Live;
        }
    }
}
