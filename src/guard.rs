//! How much one visitor may take: connections, writes, bytes and time.
//!
//! A visitor is an address, and for IPv6 a whole /64, because whoever has one address there has all
//! of them. What a proxy says about the address behind it is believed only when the proxy is named
//! at the start (`forwarded`). Connections are counted (`crowd`), writes and messages are metered
//! (`rate`), and both in memory of a fixed size, however many visitors there are. Who they are is
//! the business of `auth`; nothing here is ever written to the log.

mod crowd;
mod forwarded;
mod network;
mod rate;

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::{Duration, Instant};

use poem::Request;
use poem::http::HeaderMap;

use self::crowd::Crowd;
pub use self::crowd::Seat;
pub use self::network::{Network, NotANetwork};
use self::rate::Meter;
pub use self::rate::Rate;

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
            head_bytes: 64 * 1024,
            head_fields: 100,
            head_time: Duration::from_secs(10),
            body_time: Duration::from_secs(30),
            idle_time: Duration::from_secs(75),
            trusted_proxies: Vec::new(),
        }
    }
}

/// What counts as one visitor: an IPv4 address, or a /64 of IPv6.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Source(u64);

impl Source {
    pub fn of(address: IpAddr) -> Self {
        /// What `::ffff:0:0/96`, the IPv4 addresses within IPv6, would have as its upper half if
        /// it were a /64; no such network is ever routed.
        const MAPPED: u64 = 0x0000_FFFF_0000_0000;
        let address = address.to_canonical();
        Source(match address {
            IpAddr::V6(address) if !address.is_loopback() => {
                let [a, b, c, d, e, f, g, h, ..] = address.octets();
                u64::from_be_bytes([a, b, c, d, e, f, g, h])
            }
            IpAddr::V6(_) => MAPPED | u64::from(Ipv4Addr::LOCALHOST.to_bits()),
            IpAddr::V4(address) => MAPPED | u64::from(address.to_bits()),
        })
    }

    fn is_this_machine(self) -> bool {
        const LOOPBACK: u64 = 0x0000_FFFF_7F00_0000;
        self.0 >> 24 == LOOPBACK >> 24
    }
}

/// Whose writes are counted together.
#[derive(Clone, Copy, Debug, Hash)]
pub enum Identity<'a> {
    /// Everyone who is signed in to an account, and its tokens, wherever they are.
    Account(&'a str),
    /// Everybody else at an address.
    Stranger { source: Source, is_forwarded: bool },
}

impl<'a> Identity<'a> {
    /// That of a visitor who has shown that `account` is theirs, if any.
    pub fn of(account: Option<&'a str>, visitor: Visitor) -> Self {
        match account {
            Some(name) => Identity::Account(name),
            None => Identity::Stranger {
                source: visitor.source(),
                is_forwarded: visitor.is_forwarded,
            },
        }
    }
}

/// Who sent a request, as far as it is believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Visitor {
    pub address: IpAddr,
    /// Whether it came through a trusted proxy that says of whom, so that its connection says
    /// nothing about the visitor. Whose word cannot be believed has the proxy's own address, and
    /// one share with all others like that: nobody gets out of a limit by a header.
    pub is_forwarded: bool,
}

impl Visitor {
    /// The visitor that the accept loop put down with a request.
    pub fn of(request: &Request) -> Self {
        let noted = request.extensions().get::<Visitor>().copied();
        let remote = request.remote_addr().as_socket_addr();
        noted.unwrap_or(Visitor {
            address: remote.map_or(IpAddr::V4(Ipv4Addr::LOCALHOST), SocketAddr::ip),
            is_forwarded: false,
        })
    }

    pub fn source(self) -> Source {
        Source::of(self.address)
    }
}

/// Its share is used up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Full {
    /// What everyone may have.
    pub limit: u32,
}

/// Counts what visitors take. One for the whole program, shared.
pub struct Guard {
    connections: Share,
    crowd: Crowd,
    writing: Share,
    writes: Meter,
    trusted: Vec<Network>,
}

impl Guard {
    pub fn new(limits: &Limits) -> Self {
        Guard {
            connections: limits.connections_per_address,
            crowd: Crowd::new(limits.connections_per_address.limit),
            writing: limits.writes_per_second,
            writes: Meter::new(Rate::per_second(limits.writes_per_second.limit)),
            trusted: limits.trusted_proxies.clone(),
        }
    }

    /// A seat for a connection of `peer`; none is needed for a trusted proxy, which brings many.
    ///
    /// # Errors
    /// When the address has as many as it may.
    pub fn admit_connection(&self, peer: IpAddr) -> Result<Option<Seat>, Full> {
        match self.is_trusted(peer) {
            true => Ok(None),
            false => self.admit(Source::of(peer)),
        }
    }

    /// A seat for a viewer who came through a trusted proxy; everyone else has one already.
    ///
    /// # Errors
    /// When the address has as many as it may.
    pub fn admit_viewer(&self, visitor: Visitor) -> Result<Option<Seat>, Full> {
        match visitor.is_forwarded {
            true => self.seat(visitor.source()),
            false => Ok(None),
        }
    }

    fn admit(&self, source: Source) -> Result<Option<Seat>, Full> {
        if source.is_this_machine() && !self.connections.counts_this_machine {
            return Ok(None);
        }
        self.seat(source)
    }

    fn seat(&self, source: Source) -> Result<Option<Seat>, Full> {
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
            false => None,
        };
        Visitor {
            address: told.flatten().unwrap_or(peer),
            is_forwarded: told.is_some(),
        }
    }

    fn is_trusted(&self, address: IpAddr) -> bool {
        self.trusted.iter().any(|network| network.contains(address))
    }
}

#[cfg(test)]
mod tests;
