//! The flags for limits of requests and clients.

use std::time::Duration;

use clap::Args;
use ipnet::IpNet;

use super::parse;
use super::resources::memory_limit_bytes;
use crate::limits::{ClientLimits, Quota};

/// By default one address may have all connections divided by this, within the bounds below. A school
/// behind one address stays below `MAX_ADDRESS_CONNECTIONS`.
const ADDRESS_SHARES: usize = 4;
const MIN_ADDRESS_CONNECTIONS: usize = 8;
const MAX_ADDRESS_CONNECTIONS: usize = 1000;

/// By default unfinished requests may use the memory of this process divided by this, within the
/// bounds below. `MAX_REQUEST_MEMORY` is enough for 40,000 connections.
const REQUEST_MEMORY_SHARES: u64 = 6;
const MIN_REQUEST_MEMORY: usize = 4 * 1024 * 1024;
const MAX_REQUEST_MEMORY: usize = 1024 * 1024 * 1024;

/// Limits for all clients together, and for each client: an address, or a /64 of IPv6.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Limits")]
pub struct LimitOptions {
    /// Maximum number of connections; beyond it the answer is 503 [default: from the open-file limit]
    #[arg(long, value_name = "N", env = "PET_STORE_MAX_CONNECTIONS", allow_hyphen_values = true, value_parser = parse::connections)]
    pub max_connections: Option<u32>,

    /// Maximum number of connections per address (IPv6: per /64); beyond it the answer is 503
    /// [default: a quarter of --max-connections, at most 1000, unlimited for this machine]
    #[arg(long, value_name = "N", env = "PET_STORE_MAX_CONNECTIONS_PER_ADDRESS", allow_hyphen_values = true, value_parser = parse::connections)]
    max_connections_per_address: Option<u32>,

    /// Changes per second of one account (with its tokens), or of one address without account, with
    /// bursts of twice as many; beyond it the answer is 429 [default: 50, unlimited for this machine
    /// without account]
    #[arg(long, value_name = "N", env = "PET_STORE_MAX_WRITES_PER_SECOND", allow_hyphen_values = true, value_parser = parse::rate)]
    max_writes_per_second: Option<u32>,

    /// Messages, pings and fragments per second of one WebSocket viewer, with bursts of twice as
    /// many; beyond it the viewer is closed with 1008
    #[arg(long, value_name = "N", env = "PET_STORE_MAX_MESSAGES_PER_SECOND", default_value = "50", allow_hyphen_values = true, value_parser = parse::rate)]
    pub max_messages_per_second: u32,

    /// Maximum size of a WebSocket message; a longer one is answered with an error
    #[arg(long, value_name = "BYTES", env = "PET_STORE_MAX_MESSAGE", default_value = "4KiB", allow_hyphen_values = true, value_parser = parse::bytes)]
    pub max_message: u32,

    /// Maximum size of a request body; for a longer one the answer is 413
    #[arg(long, value_name = "BYTES", env = "PET_STORE_MAX_BODY", default_value = "64KiB", allow_hyphen_values = true, value_parser = parse::bytes)]
    pub max_body: u32,

    /// Maximum memory of all unfinished requests together: connections, heads, bodies, WebSocket
    /// messages and unread responses, of which one address may use a quarter; beyond it the answer is
    /// 503 [default: a sixth of the memory that this process may use; no quarter for this machine]
    #[arg(long, value_name = "BYTES", env = "PET_STORE_MAX_REQUEST_BUFFERS", allow_hyphen_values = true, value_parser = parse::request_memory)]
    max_request_buffers: Option<usize>,

    /// Maximum size of a request head; for a longer one the answer is 431
    #[arg(long, value_name = "BYTES", env = "PET_STORE_MAX_HEAD", default_value = "64KiB", allow_hyphen_values = true, value_parser = parse::head_bytes)]
    pub max_head: u32,

    /// Maximum number of header fields of a request; beyond it the answer is 431
    #[arg(long, value_name = "N", env = "PET_STORE_MAX_HEAD_FIELDS", default_value = "100", allow_hyphen_values = true, value_parser = parse::head_fields)]
    pub max_head_fields: u32,

    /// Time limit for receiving a request head; after it the answer is 408. Also for receiving a
    /// WebSocket message
    #[arg(long, value_name = "DURATION", env = "PET_STORE_HEAD_TIMEOUT", default_value = "10s", value_parser = parse::duration)]
    pub head_timeout: Duration,

    /// Time limit for receiving a request body; after it the answer is 408
    #[arg(long, value_name = "DURATION", env = "PET_STORE_BODY_TIMEOUT", default_value = "30s", value_parser = parse::duration)]
    pub body_timeout: Duration,

    /// Close a connection that sends no further request for this long
    #[arg(long, value_name = "DURATION", env = "PET_STORE_IDLE_TIMEOUT", default_value = "75s", value_parser = parse::duration)]
    pub idle_timeout: Duration,

    /// Address or network of a reverse proxy, such as 10.0.0.0/8, whose X-Forwarded-For or Forwarded
    /// header names the client; from any other peer these headers are ignored. Can be repeated
    #[arg(long, value_name = "CIDR", env = "PET_STORE_TRUSTED_PROXY", value_delimiter = ',', value_parser = parse::network)]
    trusted_proxy: Vec<IpNet>,
}

impl LimitOptions {
    /// Returns the limits per client for a server with `connections` connections.
    pub fn client_limits(&self, connections: usize) -> ClientLimits {
        let share = connections / ADDRESS_SHARES;
        let share = share.clamp(MIN_ADDRESS_CONNECTIONS, MAX_ADDRESS_CONNECTIONS);
        let share = u32::try_from(share).unwrap_or(u32::MAX);
        let default_writes = ClientLimits::default().writes_per_second.limit;
        ClientLimits {
            connections_per_address: quota(self.max_connections_per_address, share),
            writes_per_second: quota(self.max_writes_per_second, default_writes),
            request_memory_bytes: self
                .max_request_buffers
                .unwrap_or_else(default_request_memory),
            trusted_proxies: self.trusted_proxy.clone(),
        }
    }
}

fn default_request_memory() -> usize {
    let share = memory_limit_bytes() / REQUEST_MEMORY_SHARES;
    let share = usize::try_from(share).unwrap_or(usize::MAX);
    share.clamp(MIN_REQUEST_MEMORY, MAX_REQUEST_MEMORY)
}

/// Returns the quota of a flag. A value that is set applies to clients on this machine too.
fn quota(value: Option<u32>, default: u32) -> Quota {
    Quota {
        limit: value.unwrap_or(default),
        includes_loopback: value.is_some(),
    }
}
