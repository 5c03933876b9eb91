//! One viewer: a non-blocking socket, the request it was opened with, and what it reads.
//!
//! Bytes are read into a buffer that the whole fleet shares; a viewer keeps only the piece of a
//! message whose rest has not come yet.

pub mod http;
pub mod message;
mod parts;
pub mod poll;
pub mod sse;
pub mod target;
pub mod ws;

use std::io::{ErrorKind, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4};

use socket2::{Domain, Protocol, Socket, Type};

use self::parts::Phase;
pub use self::target::{Target, Transport};
use crate::book::Book;
use crate::seat::AddressPermit;

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
    pub seat: AddressPermit,
    pub stage: Stage,
    /// Whether its deliveries are counted; a witness only sees what there is to see.
    pub is_counted: bool,
    pub is_asked: bool,
    phase: Phase,
    carry: Vec<u8>,
    /// The part of an event that came in an earlier chunk.
    event: Vec<u8>,
}

impl Viewer {
    /// Opens a connection from `source` without waiting for it.
    pub fn open(
        target: &Target,
        transport: Transport,
        seat: AddressPermit,
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
