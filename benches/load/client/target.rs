//! What is connected to: an address, and how each transport is asked for there.

use std::net::SocketAddr;

use super::{http, ws};

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Transport {
    Ws,
    Sse,
    Poll,
    /// The log, behind a cache; only its scenario uses it.
    #[value(skip)]
    Log,
    /// Socket.IO over WebSocket; only a peer speaks it.
    #[value(skip)]
    SocketIo,
}

impl Transport {
    pub fn name(self) -> &'static str {
        match self {
            Transport::Ws => "ws",
            Transport::Sse => "sse",
            Transport::Poll => "poll",
            Transport::Log => "log",
            Transport::SocketIo => "socket.io",
        }
    }
}

#[derive(Clone)]
pub struct Target {
    pub address: SocketAddr,
    /// The epoch of our server's cursors.
    pub epoch: String,
    /// Whether this is our server: every connection starts with a hello, and takes a cursor.
    pub says_hello: bool,
    /// Whether pollers follow the log if the server is full.
    pub follows_log: bool,
    /// Where a peer serves events.
    pub sse_path: &'static str,
    /// Receive buffer of each socket, where the kernel is not to choose.
    pub receive_buffer: Option<usize>,
}

impl Target {
    /// Where a viewer of `pet`, or of all, joins after `since`.
    pub fn path(&self, transport: Transport, pet: Option<u64>, since: u64) -> String {
        if !self.says_hello {
            return match transport {
                Transport::SocketIo => "/socket.io/?EIO=4&transport=websocket".to_owned(),
                Transport::Sse => self.sse_path.to_owned(),
                Transport::Ws | Transport::Poll | Transport::Log => "/ws".to_owned(),
            };
        }
        if transport == Transport::Log {
            let pet = pet.map(|pet| format!("pet={pet}&")).unwrap_or_default();
            return format!(
                "/live/log?{pet}since={}-{since}&slice=0&wait=20",
                self.epoch
            );
        }
        let name = transport.name();
        let pet = pet.map(|pet| format!("&pet={pet}")).unwrap_or_default();
        let is_poll_with_log = transport == Transport::Poll && self.follows_log;
        let log = if is_poll_with_log { "&log=1" } else { "" };
        format!("/live/{name}?since={}-{since}{pet}{log}", self.epoch)
    }

    pub fn request(&self, transport: Transport, path: &str) -> Vec<u8> {
        let host = self.address.to_string();
        match transport {
            Transport::Ws | Transport::SocketIo => ws::request(path, &host),
            Transport::Sse => http::get(path, &host, "text/event-stream"),
            Transport::Poll | Transport::Log => http::get(path, &host, "application/json"),
        }
    }
}
