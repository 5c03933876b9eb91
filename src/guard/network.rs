//! A range of addresses, as CIDR writes it: `10.0.0.0/8`, `2001:db8::/32`, or one address.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

/// Length of `::ffff:0:0/96`, the IPv4 addresses within IPv6 (RFC 4291, section 2.5.5.2).
const MAPPED_BITS: u8 = 96;

/// All addresses that begin with the same bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Network {
    first: IpAddr,
    bits: u8,
}

/// The text is no network.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("an address or a network is allowed, such as 10.0.0.7, 10.0.0.0/8 or 2001:db8::/32")]
pub struct NotANetwork;

impl Network {
    pub fn contains(&self, address: IpAddr) -> bool {
        match (self.first, address.to_canonical()) {
            (IpAddr::V4(first), IpAddr::V4(address)) => {
                let differing = first.to_bits() ^ address.to_bits();
                differing.leading_zeros() >= u32::from(self.bits)
            }
            (IpAddr::V6(first), IpAddr::V6(address)) => {
                let differing = first.to_bits() ^ address.to_bits();
                differing.leading_zeros() >= u32::from(self.bits)
            }
            _ => false,
        }
    }
}

impl FromStr for Network {
    type Err = NotANetwork;

    fn from_str(text: &str) -> Result<Self, NotANetwork> {
        let (first, bits) = match text.split_once('/') {
            Some((first, bits)) => (first, Some(bits)),
            None => (text, None),
        };
        let first: IpAddr = first.parse().map_err(|_| NotANetwork)?;
        let all = if first.is_ipv4() { 32 } else { 128 };
        let bits: u8 = bits.map_or(Ok(all), str::parse).map_err(|_| NotANetwork)?;
        // IPv4 within IPv6 (`::ffff:10.0.0.0/104`) is the IPv4 network, as `contains` reads
        // addresses. A shorter prefix than /96 has bits behind it, and is refused below.
        let (first, bits) = match first.to_canonical() {
            IpAddr::V4(mapped) if first.is_ipv6() && bits >= MAPPED_BITS => {
                (IpAddr::V4(mapped), bits - MAPPED_BITS)
            }
            _ => (first, bits),
        };
        let network = Network { first, bits };
        // Bits behind the network's are a mistake: 10.0.0.7/8 may mean one address or many.
        let is_whole = match first {
            IpAddr::V4(first) => {
                bits <= 32 && first.to_bits().trailing_zeros() + u32::from(bits) >= 32
            }
            IpAddr::V6(first) => {
                bits <= 128 && first.to_bits().trailing_zeros() + u32::from(bits) >= 128
            }
        };
        is_whole.then_some(network).ok_or(NotANetwork)
    }
}

impl fmt::Display for Network {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}/{}", self.first, self.bits)
    }
}
