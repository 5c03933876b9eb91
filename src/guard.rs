//! How much one visitor may take: connections, writes, bytes and time.
//!
//! A visitor is an address, and for IPv6 a whole /64, because whoever has one address there has all
//! of them. What a proxy says about the address behind it is believed only when the proxy is named
//! at the start (`forwarded`). Connections are counted (`crowd`), writes and messages are metered
//! (`rate`), and both in memory of a fixed size, however many visitors there are. Who they are is
//! the business of `auth`; no address is ever written to the log.

mod buffers;
mod crowd;
mod forwarded;
mod limits;
mod network;
mod peer;
mod rate;
mod source;
#[cfg(test)]
mod tests;
mod unnamed_proxy;
mod visitor;

use std::net::IpAddr;
use std::time::{Duration, Instant};

use bytes::Bytes;
use poem::http::HeaderMap;
use prometheus::IntGauge;

pub use self::buffers::{
    AnswerRefused, Buffered, Buffers, BuffersFull, CONNECTION_BYTES, REQUEST_BYTES,
};
use self::crowd::AddressLimiter;
pub use self::crowd::AddressPermit;
pub use self::limits::{Limits, Share};
pub use self::network::{Network, NotANetwork};
pub use self::peer::Peer;
use self::rate::Meter;
pub use self::rate::Rate;
pub use self::source::Source;
use self::unnamed_proxy::UnnamedProxy;
pub use self::visitor::{Identity, Visitor};

/// Its share is used up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Full {
    /// What everyone may have.
    pub limit: u32,
}

/// Counts what visitors take. One for the whole program, shared.
pub struct Guard {
    connections: Share,
    crowd: AddressLimiter,
    writing: Share,
    writes: Meter,
    buffers: Buffers,
    trusted: Vec<Network>,
    unnamed_proxy: UnnamedProxy,
}

impl Guard {
    pub fn new(limits: &Limits) -> Self {
        Guard {
            connections: limits.connections_per_address,
            crowd: AddressLimiter::new(limits.connections_per_address.limit),
            writing: limits.writes_per_second,
            writes: Meter::new(Rate::per_second(limits.writes_per_second.limit)),
            buffers: Buffers::new(limits.request_buffers),
            trusted: limits.trusted_proxies.clone(),
            unnamed_proxy: UnnamedProxy::default(),
        }
    }

    /// A seat for a connection of `peer`; none is needed for a trusted proxy, which brings many.
    ///
    /// # Errors
    /// When the address has as many as it may.
    pub fn admit_connection(&self, peer: IpAddr) -> Result<Option<AddressPermit>, Full> {
        match self.is_trusted(peer) {
            true => Ok(None),
            false => self.admit(Source::of(peer)),
        }
    }

    /// A seat for a viewer who came through a trusted proxy; everyone else has one already.
    ///
    /// # Errors
    /// When the address has as many as it may.
    pub fn admit_viewer(&self, visitor: Visitor) -> Result<Option<AddressPermit>, Full> {
        match visitor.is_forwarded {
            true => self.seat(visitor.source()),
            false => Ok(None),
        }
    }

    /// Takes the memory of an idle HTTP connection of `peer`.
    ///
    /// # Errors
    /// When the budget of all requests is used up, or the share of `peer`.
    pub fn buffer_connection(&self, peer: IpAddr) -> Result<Buffered, BuffersFull> {
        let source = (!self.is_trusted(peer)).then(|| Source::of(peer));
        let mut buffered = self.buffers.empty(self.counted(source));
        buffered.resize(CONNECTION_BYTES)?;
        Ok(buffered)
    }

    /// Opens an account for the memory of a request of `visitor`, with 0 bytes taken.
    pub fn buffer(&self, visitor: Visitor) -> Buffered {
        self.buffers.empty(self.counted(Some(visitor.source())))
    }

    /// Charges the bytes of an answer for `visitor` until they are dropped.
    ///
    /// # Errors
    /// When the budget of all requests is used up, or the share of `visitor`.
    pub fn charge_answer(&self, visitor: Visitor, bytes: Bytes) -> Result<Bytes, AnswerRefused> {
        let source = self.counted(Some(visitor.source()));
        self.buffers.charge(source, bytes)
    }

    /// The memory that requests and answers hold, as a metric.
    pub fn buffer_gauge(&self) -> IntGauge {
        self.buffers.gauge()
    }

    /// Returns true if connections should not stay open without a request.
    pub fn is_short_of_buffers(&self) -> bool {
        self.buffers.is_scarce()
    }

    /// Returns `source` if limits per source apply to it.
    fn counted(&self, source: Option<Source>) -> Option<Source> {
        source.filter(|source| self.connections.counts_this_machine || !source.is_this_machine())
    }

    fn admit(&self, source: Source) -> Result<Option<AddressPermit>, Full> {
        if source.is_this_machine() && !self.connections.counts_this_machine {
            return Ok(None);
        }
        self.seat(source)
    }

    fn seat(&self, source: Source) -> Result<Option<AddressPermit>, Full> {
        let seat = self.crowd.enter(source);
        let limit = self.connections.limit;
        seat.map(Some).ok_or(Full { limit })
    }

    /// Counts a write.
    ///
    /// # Errors
    /// How long `who` has to wait until the next one.
    pub fn admit_write(&self, who: Identity<'_>) -> Result<(), Duration> {
        match who {
            Identity::Stranger {
                source,
                is_forwarded: false,
            } if source.is_this_machine() && !self.writing.counts_this_machine => Ok(()),
            _ => self.writes.take(&who, Instant::now()),
        }
    }

    /// Who sent a request over a connection of `peer`.
    pub fn identify(&self, peer: IpAddr, headers: &HeaderMap) -> Visitor {
        let peer = peer.to_canonical();
        let told = match self.is_trusted(peer) {
            true => forwarded::client(headers, &|address| self.is_trusted(address)),
            false => {
                self.unnamed_proxy.check(headers, Instant::now());
                None
            }
        };
        Visitor {
            address: told.flatten().unwrap_or(peer),
            is_forwarded: told.is_some(),
        }
    }

    /// Returns true if a proxy seems to be in front that `--trusted-proxy` does not name.
    pub fn suspects_unnamed_proxy(&self) -> bool {
        self.unnamed_proxy.is_suspected(Instant::now())
    }

    fn is_trusted(&self, address: IpAddr) -> bool {
        self.trusted.iter().any(|network| network.contains(address))
    }
}
