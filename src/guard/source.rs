//! Where a visitor comes from, as far as it is told apart.

use std::net::{IpAddr, Ipv4Addr};

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

    pub(super) fn is_this_machine(self) -> bool {
        const LOOPBACK: u64 = 0x0000_FFFF_7F00_0000;
        self.0 >> 24 == LOOPBACK >> 24
    }
}
