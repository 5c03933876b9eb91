//! What one visitor may take, and how much of it unless something else was asked for.

use std::time::Duration;

use super::Network;

/// What one visitor may take.
#[derive(Clone, Debug)]
pub struct Limits {
    /// Connections of one address at once.
    pub connections_per_address: Share,
    /// Writes of one identity in a second, on average.
    pub writes_per_second: Share,
    /// Frames of one WebSocket viewer in a second, on average: messages, fragments, pings, pongs.
    pub messages_per_second: u32,
    /// A message of a WebSocket viewer.
    pub message_bytes: usize,
    /// A request's body.
    pub body_bytes: usize,
    /// Memory of all unfinished requests together.
    pub request_buffers: usize,
    /// A request's head.
    pub head_bytes: usize,
    /// Fields of a request's head.
    pub head_fields: usize,
    /// From the first byte of a head, or the start of a connection, to the head's end.
    pub head_time: Duration,
    /// From the end of a head to the end of its body.
    pub body_time: Duration,
    /// Between two requests of a connection.
    pub idle_time: Duration,
    /// Whose word about the address behind them is believed.
    pub trusted_proxies: Vec<Network>,
}

/// How much of something everyone may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Share {
    pub limit: u32,
    /// Whether the machine itself has a share too. Not unless it was asked for: behind a proxy on
    /// the same machine that nobody named, everyone would have one share together.
    pub counts_this_machine: bool,
}

impl Default for Limits {
    fn default() -> Self {
        let share = |limit| Share {
            limit,
            counts_this_machine: false,
        };
        Limits {
            connections_per_address: share(1000),
            writes_per_second: share(50),
            messages_per_second: 50,
            message_bytes: 4 * 1024,
            body_bytes: 64 * 1024,
            request_buffers: 256 * 1024 * 1024,
            head_bytes: 64 * 1024,
            head_fields: 100,
            head_time: Duration::from_secs(10),
            body_time: Duration::from_secs(30),
            idle_time: Duration::from_secs(75),
            trusted_proxies: Vec::new(),
        }
    }
}
