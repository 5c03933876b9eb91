//! Parses what a viewer receives: the head of a response, then WebSocket frames, chunks or poll
//! responses, and the messages in them.

use super::http::{self, Body};
use super::message::{self, Kind};
use super::{Stage, Target, Transport, Viewer, log, poll, sse, ws};
use crate::measurements::{Measurements, now_micros};

/// What the next bytes are part of.
#[derive(Clone, Copy)]
pub enum Phase {
    Head,
    Packets,
    Chunks,
    Stream,
    Answer(usize),
}

impl Viewer {
    /// Parses the complete parts at the front of `bytes`. Returns their length.
    pub(super) fn parse(
        &mut self,
        bytes: &[u8],
        target: &Target,
        measurements: &mut Measurements,
    ) -> Result<usize, String> {
        let now = now_micros();
        let mut used = 0;
        loop {
            let rest = &bytes[used..];
            let length = match self.phase {
                _ if rest.is_empty() => 0,
                Phase::Head => self.take_head(rest, target)?,
                Phase::Packets => self.take_packet(rest, now, target, measurements)?,
                Phase::Chunks => match http::chunk(rest)? {
                    Some(([], _)) => return Err("the server ended the stream".to_owned()),
                    Some((text, length)) => {
                        self.take_events(text, now, measurements);
                        length
                    }
                    None => 0,
                },
                Phase::Stream => {
                    self.take_events(rest, now, measurements);
                    rest.len()
                }
                Phase::Answer(size) => self.take_answer(rest, size, now, target, measurements)?,
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
            (Transport::Poll | Transport::Log, 200, Body::Length(size)) => Phase::Answer(size),
            (Transport::Ws, 503, _) if self.record.start.is_some() => {
                self.stage = Stage::Refused;
                return Err("answered 503".to_owned());
            }
            (_, status, _) => return Err(format!("answered {status}")),
        };
        // A viewer of our own server is live after its hello.
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
        measurements: &mut Measurements,
    ) -> Result<usize, String> {
        let Some(packet) = ws::packet(bytes)? else {
            return Ok(0);
        };
        match packet.opcode {
            ws::TEXT if self.transport == Transport::SocketIo => {
                self.take_socket_io(packet.payload, now, measurements)?;
            }
            ws::TEXT => self.take_message(packet.payload, now, measurements),
            ws::PING => self.write(&ws::pong(packet.payload))?,
            ws::CLOSE => return Err("the server closed the WebSocket".to_owned()),
            _ if target.says_hello => return Err(format!("opcode {}", packet.opcode)),
            _ => {}
        }
        Ok(packet.length)
    }

    /// Handles a packet of Engine.IO and Socket.IO: `0` is open, `40` connects and confirms that, `2` is a
    /// ping, `42[name,data]` an event. What is sent before `0` may be lost.
    fn take_socket_io(
        &mut self,
        text: &[u8],
        now: i64,
        measurements: &mut Measurements,
    ) -> Result<(), String> {
        if text == b"2" {
            return self.write(&ws::masked(ws::TEXT, b"3"));
        }
        if text.starts_with(b"0") {
            return self.write(&ws::masked(ws::TEXT, b"40"));
        }
        if text.starts_with(b"40") {
            self.stage = Stage::Live;
        } else if let Some(data) = text.strip_prefix(b"42[\"m\",") {
            self.take_message(&data[..data.len() - 1], now, measurements);
        }
        Ok(())
    }

    fn take_events(&mut self, text: &[u8], now: i64, measurements: &mut Measurements) {
        let mut event = std::mem::take(&mut self.event);
        sse::events(&mut event, text, |data| {
            self.take_message(data, now, measurements);
        });
        self.event = event;
    }

    fn take_answer(
        &mut self,
        bytes: &[u8],
        size: usize,
        now: i64,
        target: &Target,
        measurements: &mut Measurements,
    ) -> Result<usize, String> {
        let Some(answer) = bytes.get(..size) else {
            return Ok(0);
        };
        poll::messages(answer, |json| self.take_message(json, now, measurements));
        self.phase = Phase::Head;
        let path = if let Some(address) = log::follow_address(answer) {
            self.transport = Transport::Log;
            address.to_owned()
        } else if self.transport == Transport::Log {
            self.stage = Stage::Live;
            self.has_room = log::has_room(answer);
            // The answer brings the reader further than its last message, if changes are missing.
            let reached = log::cursor(answer).and_then(message::rev_of_cursor);
            self.record.heartbeat(reached.ok_or("no cursor")?, now)?;
            log::next(answer).ok_or("no next address")?.to_owned()
        } else {
            target.path(self.transport, self.record.pet, self.record.last)
        };
        self.requests += 1;
        self.write(&target.request(self.transport, &path))?;
        Ok(size)
    }

    fn take_message(&mut self, json: &[u8], now: i64, measurements: &mut Measurements) {
        let kind = measurements.record_message(&mut self.record, json, now, self.is_counted);
        if kind == Kind::Hello {
            self.stage = Stage::Live;
        }
    }
}
