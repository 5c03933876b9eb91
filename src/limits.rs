//! Limits of requests and clients: size, time, connections, writes, memory.
//!
//! The limits of a single request (`SizeLimits`, `Timeouts`) are enforced by whoever reads it. This
//! module enforces the limits per client.
//!
//! A client is an address; for IPv6 a whole /64, because whoever has one address there has all of
//! them (`AddressKey`). Connections are counted (`address_limiter`), writes are limited by token
//! buckets (`rate`), and one memory budget covers all unfinished requests (`request_memory`). All of
//! these need bounded memory, however many clients there are. A forwarding header is used only if it
//! comes from a proxy that `--trusted-proxy` names (`forwarded`). Users and permissions are the
//! business of `auth`. No address is ever logged.

mod address_limiter;
mod client;
mod config;
mod forwarded;
mod proxy_detector;
mod rate;
mod request_memory;
mod retry;
mod shortage;
#[cfg(test)]
mod tests;

use std::net::IpAddr;
use std::time::{Duration, Instant};

use bytes::Bytes;
use ipnet::IpNet;
use poem::http::HeaderMap;
use prometheus::IntGauge;

use self::address_limiter::AddressLimiter;
pub use self::address_limiter::AddressPermit;
pub use self::client::{AddressKey, ClientAddress, PeerAddress, has_forwarding_header};
pub use self::config::{ClientLimits, InvalidNetwork, Quota, SizeLimits, Timeouts, parse_network};
use self::proxy_detector::ProxyDetector;
pub use self::rate::{RateLimit, RateLimiter, TokenBucket};
pub use self::request_memory::{
    CONNECTION_BYTES, MemoryExhausted, MemoryReservation, REQUEST_BYTES, RequestMemory,
    ResponseRefused,
};
pub use self::retry::{full_retry_seconds, restart_retry_ms, whole_seconds};
use self::shortage::ConnectionShortage;

/// Token buckets for writes: 64 KiB.
const WRITE_BUCKETS: usize = 4096;

/// The client uses as much as its quota allows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct QuotaExceeded {
    /// The limit of the quota.
    pub limit: u32,
}

/// Enforces the limits per client. There is one for the whole program.
pub struct ClientLimiter {
    connection_quota: Quota,
    connections: AddressLimiter,
    write_quota: Quota,
    writes: RateLimiter,
    memory: RequestMemory,
    shortage: ConnectionShortage,
    trusted_proxies: Vec<IpNet>,
    proxy_detector: ProxyDetector,
}

/// Owner of a token bucket of writes.
#[derive(Hash)]
enum WriteKey<'a> {
    /// A signed-in account with its API tokens, from any address.
    Account(&'a str),
    /// All clients without an account at one address.
    Address(AddressKey, bool),
}

impl ClientLimiter {
    /// Creates a limiter with all quotas unused.
    pub fn new(limits: &ClientLimits) -> Self {
        ClientLimiter {
            connection_quota: limits.connections_per_address,
            connections: AddressLimiter::new(limits.connections_per_address.limit),
            write_quota: limits.writes_per_second,
            writes: RateLimiter::new(
                RateLimit::per_second(limits.writes_per_second.limit),
                WRITE_BUCKETS,
            ),
            memory: RequestMemory::new(limits.request_memory_bytes),
            shortage: ConnectionShortage::default(),
            trusted_proxies: limits.trusted_proxies.clone(),
            proxy_detector: ProxyDetector::default(),
        }
    }

    /// Counts a connection from `peer` until the permit is dropped. Connections of a trusted proxy,
    /// and of this machine unless its quota says otherwise, are not counted and get no permit.
    ///
    /// # Errors
    /// `QuotaExceeded` if the address has as many connections as it may.
    pub fn admit_connection(&self, peer: IpAddr) -> Result<Option<AddressPermit>, QuotaExceeded> {
        let key = AddressKey::from(peer);
        if self.is_trusted_proxy(peer)
            || key.is_loopback() && !self.connection_quota.includes_loopback
        {
            return Ok(None);
        }
        self.count_connection(key)
    }

    /// Counts a viewer who came through a trusted proxy as a connection of its own address, until the
    /// permit is dropped. The connection of any other viewer is counted already.
    ///
    /// # Errors
    /// `QuotaExceeded` if the address has as many connections as it may.
    pub fn admit_viewer(
        &self,
        client: ClientAddress,
    ) -> Result<Option<AddressPermit>, QuotaExceeded> {
        if client.is_forwarded {
            self.count_connection(client.key())
        } else {
            Ok(None)
        }
    }

    fn count_connection(&self, key: AddressKey) -> Result<Option<AddressPermit>, QuotaExceeded> {
        let limit = self.connection_quota.limit;
        let permit = self.connections.try_acquire(key);
        permit.map(Some).ok_or(QuotaExceeded { limit })
    }

    /// Counts a write of `account`, or of `client` if there is no account.
    ///
    /// # Errors
    /// The time until the next write is allowed.
    pub fn admit_write(
        &self,
        account: Option<&str>,
        client: ClientAddress,
    ) -> Result<(), Duration> {
        let key = client.key();
        let is_loopback = key.is_loopback() && !client.is_forwarded;
        if account.is_none() && is_loopback && !self.write_quota.includes_loopback {
            return Ok(());
        }
        let key = match account {
            Some(name) => WriteKey::Account(name),
            None => WriteKey::Address(key, client.is_forwarded),
        };
        self.writes.try_take(&key, Instant::now())
    }

    /// Reserves the memory of an idle HTTP connection from `peer`.
    ///
    /// # Errors
    /// `MemoryExhausted` if the budget of all requests, or the share of `peer`, is used up.
    pub fn reserve_connection(&self, peer: IpAddr) -> Result<MemoryReservation, MemoryExhausted> {
        let key = (!self.is_trusted_proxy(peer)).then(|| AddressKey::from(peer));
        let mut reservation = self.memory.reserve_none(self.counted(key));
        reservation.resize(CONNECTION_BYTES)?;
        Ok(reservation)
    }

    /// Opens a memory reservation of 0 bytes for a request of `client`.
    pub fn open_reservation(&self, client: ClientAddress) -> MemoryReservation {
        self.memory.reserve_none(self.counted(Some(client.key())))
    }

    /// Reserves the memory of a response to `client`, until the returned bytes are dropped.
    ///
    /// # Errors
    /// `ResponseRefused` if the budget of all requests, or the share of `client`, is used up.
    pub fn reserve_response(
        &self,
        client: ClientAddress,
        bytes: Bytes,
    ) -> Result<Bytes, ResponseRefused> {
        let key = self.counted(Some(client.key()));
        self.memory.reserve_response(key, bytes)
    }

    /// Returns the metric of the memory that requests and responses use.
    pub fn memory_gauge(&self) -> IntGauge {
        self.memory.gauge()
    }

    /// Returns true if so much request memory is used that idle connections should be closed.
    pub fn is_memory_low(&self) -> bool {
        self.memory.is_low()
    }

    /// Records that connections, or the file descriptors for them, run short.
    pub fn report_shortage(&self) {
        self.shortage.report(Instant::now());
    }

    /// Returns true for a moment after connections ran short: viewers are refused then, and other connections
    /// are closed after each response.
    pub fn is_short_of_connections(&self) -> bool {
        self.shortage.is_short(Instant::now())
    }

    /// Returns `key` if its address has a quota.
    fn counted(&self, key: Option<AddressKey>) -> Option<AddressKey> {
        key.filter(|key| self.connection_quota.includes_loopback || !key.is_loopback())
    }

    /// Returns the address of the client that sent a request with these headers over a connection
    /// from `peer`.
    pub fn client_address(&self, peer: IpAddr, headers: &HeaderMap) -> ClientAddress {
        let peer = peer.to_canonical();
        let forwarded = if self.is_trusted_proxy(peer) {
            forwarded::client(headers, &|address| self.is_trusted_proxy(address))
        } else {
            self.proxy_detector.check(headers, Instant::now());
            None
        };
        ClientAddress {
            ip: forwarded.flatten().unwrap_or(peer),
            is_forwarded: forwarded.is_some(),
        }
    }

    /// Returns true if a proxy seems to be in front that `--trusted-proxy` does not name.
    pub fn suspects_unnamed_proxy(&self) -> bool {
        self.proxy_detector.is_suspected(Instant::now())
    }

    fn is_trusted_proxy(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        let mut networks = self.trusted_proxies.iter();
        networks.any(|network| network.contains(&address))
    }
}
