//! The flags for how much one visitor may take.

use std::time::Duration;

use clap::Args;

use super::memory;
use super::parse::{buffers, bytes, connections, count, duration, fields, head, network};
use crate::guard::{Limits, Network, Share};

/// Of all connections, one address may have this part, as long as no flag says otherwise.
const PART_OF_AN_ADDRESS: usize = 4;

/// The most that one address may have as long as no flag says otherwise: a school behind one
/// address is below it.
const MOST_OF_AN_ADDRESS: usize = 1000;
const LEAST_OF_AN_ADDRESS: usize = 8;

/// The part of all memory that unfinished requests may take by default. `MOST_BUFFERS`, on a large
/// machine, is enough for 40,000 connections.
const PART_OF_MEMORY: u64 = 6;
const LEAST_BUFFERS: usize = 4 * 1024 * 1024;
const MOST_BUFFERS: usize = 1024 * 1024 * 1024;

/// Limits for everyone, and for each visitor: an address, or a /64 of IPv6.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Limits")]
pub struct LimitOptions {
    /// Connections accepted at once; one more gets 503 [default: from the open-file limit]
    #[arg(long, value_name = "N", env = "PET_STORE_MAX_CONNECTIONS", allow_hyphen_values = true, value_parser = connections)]
    pub max_connections: Option<u32>,

    /// Connections of one address at once (IPv6: of a /64); one more gets 503 [default: a quarter
    /// of all, 1000 at most, and no limit on this machine]
    #[arg(long, value_name = "N", env = "PET_STORE_MAX_CONNECTIONS_PER_ADDRESS", allow_hyphen_values = true, value_parser = connections)]
    max_connections_per_address: Option<u32>,

    /// Changes that an account with its tokens, or an address without, may make in a second, and
    /// twice as many at once; one more gets 429 [default: 50, and for who has no account no limit
    /// on this machine]
    #[arg(long, value_name = "N", env = "PET_STORE_MAX_WRITES_PER_SECOND", allow_hyphen_values = true, value_parser = count)]
    max_writes_per_second: Option<u32>,

    /// Messages, pings and fragments that a WebSocket viewer may send in a second, and twice as
    /// many at once; one more closes it with 1008
    #[arg(long, value_name = "N", env = "PET_STORE_MAX_MESSAGES_PER_SECOND", default_value = "50", allow_hyphen_values = true, value_parser = count)]
    max_messages_per_second: u32,

    /// Bytes of a WebSocket viewer's message; a longer one gets an error
    #[arg(long, value_name = "BYTES", env = "PET_STORE_MAX_MESSAGE", default_value = "4KiB", allow_hyphen_values = true, value_parser = bytes)]
    max_message: u32,

    /// Bytes of a request's body; a longer one gets 413
    #[arg(long, value_name = "BYTES", env = "PET_STORE_MAX_BODY", default_value = "64KiB", allow_hyphen_values = true, value_parser = bytes)]
    max_body: u32,

    /// Bytes of memory that all unfinished requests may take together: their connections, heads,
    /// bodies, WebSocket messages and unread answers; a quarter of it for one address. More gets 503
    /// [default: a sixth of the memory that this process may use, and no share for this machine]
    #[arg(long, value_name = "BYTES", env = "PET_STORE_MAX_REQUEST_BUFFERS", allow_hyphen_values = true, value_parser = buffers)]
    max_request_buffers: Option<usize>,

    /// Bytes of a request's head; a longer one gets 431
    #[arg(long, value_name = "BYTES", env = "PET_STORE_MAX_HEAD", default_value = "64KiB", allow_hyphen_values = true, value_parser = head)]
    max_head: u32,

    /// Fields of a request's head; one more gets 431
    #[arg(long, value_name = "N", env = "PET_STORE_MAX_HEAD_FIELDS", default_value = "100", allow_hyphen_values = true, value_parser = fields)]
    max_head_fields: u32,

    /// How long a request's head may take to arrive; then 408. Also for a WebSocket viewer's message
    #[arg(long, value_name = "DURATION", env = "PET_STORE_HEAD_TIMEOUT", default_value = "10s", value_parser = duration)]
    head_timeout: Duration,

    /// How long a request's body may take to arrive; then 408
    #[arg(long, value_name = "DURATION", env = "PET_STORE_BODY_TIMEOUT", default_value = "30s", value_parser = duration)]
    body_timeout: Duration,

    /// How long a connection may wait for its next request; then it is closed
    #[arg(long, value_name = "DURATION", env = "PET_STORE_IDLE_TIMEOUT", default_value = "75s", value_parser = duration)]
    idle_timeout: Duration,

    /// A proxy in front, or its network, such as 10.0.0.0/8: what it says about the address behind
    /// it (X-Forwarded-For, Forwarded) is believed; nobody else is. May be given more than once
    #[arg(long, value_name = "CIDR", env = "PET_STORE_TRUSTED_PROXY", value_delimiter = ',', value_parser = network)]
    trusted_proxy: Vec<Network>,
}

impl LimitOptions {
    /// What they mean for a server with room for so many connections.
    pub fn limits(&self, connections: usize) -> Limits {
        let part = connections / PART_OF_AN_ADDRESS;
        let part = part.clamp(LEAST_OF_AN_ADDRESS, MOST_OF_AN_ADDRESS);
        let part = u32::try_from(part).unwrap_or(u32::MAX);
        Limits {
            connections_per_address: share(self.max_connections_per_address, part),
            writes_per_second: share(
                self.max_writes_per_second,
                Limits::default().writes_per_second.limit,
            ),
            messages_per_second: self.max_messages_per_second,
            message_bytes: self.max_message as usize,
            body_bytes: self.max_body as usize,
            request_buffers: self.max_request_buffers.unwrap_or_else(part_of_memory),
            head_bytes: self.max_head as usize,
            head_fields: self.max_head_fields as usize,
            head_time: self.head_timeout,
            body_time: self.body_timeout,
            idle_time: self.idle_timeout,
            trusted_proxies: self.trusted_proxy.clone(),
        }
    }
}

fn part_of_memory() -> usize {
    let part = memory::limit_bytes() / PART_OF_MEMORY;
    let part = usize::try_from(part).unwrap_or(usize::MAX);
    part.clamp(LEAST_BUFFERS, MOST_BUFFERS)
}

/// Who asked for a limit means everyone, this machine too.
fn share(asked: Option<u32>, otherwise: u32) -> Share {
    Share {
        limit: asked.unwrap_or(otherwise),
        counts_this_machine: asked.is_some(),
    }
}
