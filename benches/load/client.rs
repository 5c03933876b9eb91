//! A viewer: a non-blocking socket and the parser of what it receives.
//!
//! Bytes are read into a buffer that all viewers share; a viewer keeps only an incomplete message.

pub mod http;
mod log;
pub mod message;
mod parser;
pub mod poll;
pub mod pool;
pub mod progress;
pub mod sse;
pub mod target;
pub mod ws;

use std::io::{ErrorKind, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4};

use socket2::{Domain, Protocol, Socket, Type};

use self::parser::Phase;
pub use self::target::{Target, Transport};
use crate::check::viewer_record::ViewerRecord;
use crate::measurements::Measurements;

/// Bytes of one read.
pub const READ_BYTES: usize = 256 * 1024;

/// Capacity that the buffer of an incomplete message keeps while it is empty.
const CARRY_CAPACITY: usize = 4096;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// Waits for the connection, or for the response.
    Connecting,
    Live,
    /// Was connected before, and found the server full when it tried another transport.
    Refused,
    /// Closed by this bench.
    Closed,
    /// Closed by the server, or by an error.
    Lost,
}

pub struct Viewer {
    pub socket: Option<Socket>,
    pub transport: Transport,
    pub record: ViewerRecord,
    pub stage: Stage,
    /// True if its deliveries are counted. Others only fill the change log.
    pub is_counted: bool,
    pub has_requested: bool,
    /// True if the last answer of the log said that the server has room for a stream.
    pub has_room: bool,
    /// Requests that it sent.
    pub requests: usize,
    phase: Phase,
    carry: Vec<u8>,
    /// The part of an SSE event that came in an earlier chunk.
    event: Vec<u8>,
}

impl Viewer {
    /// Starts to connect from `source`.
    pub fn open(
        target: &Target,
        transport: Transport,
        record: ViewerRecord,
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
            // 115 is EINPROGRESS, which has no `ErrorKind`.
            Err(error) if error.raw_os_error() == Some(115) => {}
            Err(error) => return Err(error),
        }
        Ok(Viewer {
            socket: Some(socket),
            transport,
            record,
            stage: Stage::Connecting,
            is_counted: true,
            has_requested: false,
            has_room: false,
            requests: 0,
            phase: Phase::Head,
            carry: Vec::new(),
            event: Vec::new(),
        })
    }

    /// Starts to connect over another transport, and continues where the viewer was.
    pub fn reopen(
        &mut self,
        target: &Target,
        transport: Transport,
        source: Ipv4Addr,
    ) -> std::io::Result<()> {
        let record = std::mem::take(&mut self.record);
        *self = Viewer {
            is_counted: self.is_counted,
            requests: self.requests,
            ..Viewer::open(target, transport, record, source)?
        };
        Ok(())
    }

    /// Sends the request. Called once the socket is connected.
    pub fn send_request(&mut self, target: &Target, newest: u64) -> Result<(), String> {
        self.has_requested = true;
        self.requests += 1;
        // A viewer that was connected before continues where it was.
        let since = self.record.start.map_or(newest, |_| self.record.last);
        let mut path = target.path(self.transport, self.record.pet, since);
        if self.transport == Transport::Log {
            self.record.hello(since)?;
        }
        if self.transport == Transport::Poll {
            // The first response comes immediately and shows that the poller is connected.
            path.push_str("&wait=0");
        }
        self.write(&target.request(self.transport, &path))
    }

    /// Reads once, and parses the bytes.
    pub fn read(
        &mut self,
        buffer: &mut Vec<u8>,
        target: &Target,
        measurements: &mut Measurements,
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
        let used = self.parse(bytes, target, measurements)?;
        self.carry.clear();
        if used == bytes.len() {
            self.carry.shrink_to(CARRY_CAPACITY);
        }
        self.carry.extend_from_slice(&bytes[used..]);
        Ok(())
    }

    /// Sends a short message, which fits the buffer of any socket.
    fn write(&mut self, bytes: &[u8]) -> Result<(), String> {
        let Some(socket) = self.socket.as_mut() else {
            return Ok(());
        };
        match socket.write(bytes) {
            Ok(count) if count == bytes.len() => Ok(()),
            Ok(count) => Err(format!("only {count} bytes were sent")),
            Err(error) => Err(error.to_string()),
        }
    }
}
