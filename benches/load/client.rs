//! One viewer: a non-blocking socket, the request it was opened with, and what it reads.
//!
//! Bytes are read into a buffer that the whole fleet shares; a viewer keeps only the piece of a
//! message whose rest has not come yet.

pub mod http;
pub mod message;
pub mod poll;
pub mod sse;
pub mod target;
pub mod ws;

use std::io::{ErrorKind, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4};

use socket2::{Domain, Protocol, Socket, Type};

use self::http::Body;
use self::message::Kind;
pub use self::target::{Target, Transport};
use crate::book::{Book, now_micros};
use crate::seat::Seat;

/// Bytes read at once.
pub const READ_BYTES: usize = 256 * 1024;

/// Bytes that a viewer's piece may keep allocated when it is empty.
const CARRY_KEPT: usize = 4096;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// The connection, or the answer to its request, has not come.
    Opening,
    Live,
    /// Left by us.
    Left,
    /// Ended by the server, or by an error.
    Lost,
}

pub struct Viewer {
    pub socket: Option<Socket>,
    pub transport: Transport,
    pub seat: Seat,
    pub stage: Stage,
    /// Whether its deliveries are counted; a witness only sees what there is to see.
    pub is_counted: bool,
    pub is_asked: bool,
    phase: Phase,
    carry: Vec<u8>,
    /// The part of an event that came in an earlier chunk.
    event: Vec<u8>,
}

/// What the next bytes are.
#[derive(Clone, Copy)]
enum Phase {
    Head,
    Packets,
    Chunks,
    Stream,
    Answer(usize),
}

impl Viewer {
    /// Opens a connection from `source` without waiting for it.
    pub fn open(
        target: &Target,
        transport: Transport,
        seat: Seat,
        source: Ipv4Addr,
    ) -> std::io::Result<Self> {
        let socket = Socket::new(Domain::IPV4, Type::STREAM, Some(Protocol::TCP))?;
        socket.set_nonblocking(true)?;
        socket.set_tcp_nodelay(true)?;
        if let Some(bytes) = target.receive_buffer {
            socket.set_recv_buffer_size(bytes)?;
        }
        if source != Ipv4Addr::LOCALHOST {
            socket.bind(&SocketAddr::V4(SocketAddrV4::new(source, 0)).into())?;
        }
        match socket.connect(&target.address.into()) {
            Ok(()) => {}
            // 115 is EINPROGRESS, which has no kind of its own.
            Err(error) if error.raw_os_error() == Some(115) => {}
            Err(error) => return Err(error),
        }
        Ok(Viewer {
            socket: Some(socket),
            transport,
            seat,
            stage: Stage::Opening,
            is_counted: true,
            is_asked: false,
            phase: Phase::Head,
            carry: Vec::new(),
            event: Vec::new(),
        })
    }

    /// Sends the request, once the connection stands.
    pub fn ask(&mut self, target: &Target, newest: u64) -> Result<(), String> {
        self.is_asked = true;
        let mut path = target.path(self.transport, self.seat.pet, newest);
        if self.transport == Transport::Poll {
            // The first answer comes at once: it says that the poller is there.
            path.push_str("&wait=0");
        }
        self.write(&target.request(self.transport, &path))
    }

    /// Reads once what has come, and takes it apart.
    pub fn read(
        &mut self,
        buffer: &mut Vec<u8>,
        target: &Target,
        book: &mut Book,
    ) -> Result<(), String> {
        let held = self.carry.len();
        if buffer.len() < held + READ_BYTES {
            buffer.resize(held + READ_BYTES, 0);
        }
        buffer[..held].copy_from_slice(&self.carry);
        let Some(socket) = self.socket.as_mut() else {
            return Ok(());
        };
        let count = match socket.read(&mut buffer[held..]) {
            Ok(0) => return Err("the server closed the connection".to_owned()),
            Ok(count) => count,
            Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
            Err(error) => return Err(error.to_string()),
        };
        let bytes = &buffer[..held + count];
        let used = self.take(bytes, target, book)?;
        self.carry.clear();
        if used == bytes.len() {
            self.carry.shrink_to(CARRY_KEPT);
        }
        self.carry.extend_from_slice(&bytes[used..]);
        Ok(())
    }

    /// Takes whole parts off the front of `bytes`; gives how many bytes they were.
    fn take(&mut self, bytes: &[u8], target: &Target, book: &mut Book) -> Result<usize, String> {
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
        if !target.says_hello {
            match self.transport {
                Transport::SocketIo => self.write(&ws::masked(ws::TEXT, b"40"))?,
                _ => self.stage = Stage::Live,
            }
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

    /// Engine.IO and Socket.IO in short: `40` is connected, `2` a ping, `42[name,data]` an event.
    fn take_socket_io(&mut self, text: &[u8], now: i64, book: &mut Book) -> Result<(), String> {
        if text == b"2" {
            return self.write(&ws::masked(ws::TEXT, b"3"));
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

    /// What a viewer sends is short and fits any socket's buffer.
    fn write(&mut self, bytes: &[u8]) -> Result<(), String> {
        let Some(socket) = self.socket.as_mut() else {
            return Ok(());
        };
        match socket.write(bytes) {
            Ok(count) if count == bytes.len() => Ok(()),
            Ok(count) => Err(format!("only {count} bytes could be sent")),
            Err(error) => Err(error.to_string()),
        }
    }
}
