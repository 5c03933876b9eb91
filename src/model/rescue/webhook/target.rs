//! The address of a webhook, and the machines that it may lead to.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use hyper::Uri;

/// The parts of an address that a request needs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WebhookTarget {
    /// True for https.
    pub is_secure: bool,
    /// Name or number of the machine, a number of IPv6 without brackets.
    pub host: String,
    /// Port.
    pub port: u16,
    /// Host and port as the header `Host` has them.
    pub authority: String,
    /// Path and query.
    pub path: String,
}

impl WebhookTarget {
    /// Parses an address that begins with `https://` or `http://`.
    ///
    /// # Errors
    /// A sentence for the person who entered the text.
    pub fn parse(text: &str) -> Result<Self, String> {
        let invalid =
            || "Enter the complete address, for example https://example.org/hook.".to_owned();
        let uri: Uri = text.parse().map_err(|_| invalid())?;
        let is_secure = match uri.scheme_str() {
            Some("https") => true,
            Some("http") => false,
            _ => return Err(invalid()),
        };
        let authority = uri.authority().ok_or_else(invalid)?;
        if authority.as_str().contains('@') {
            return Err("Leave name and password out of the address.".to_owned());
        }
        let default = if is_secure { 443 } else { 80 };
        let port = match authority.as_str().strip_prefix(authority.host()) {
            Some("") => default,
            // `port_u16` also is `None` for a number that is too large.
            Some(_) => authority.port_u16().ok_or_else(invalid)?,
            None => return Err(invalid()),
        };
        let host = authority.host().trim_matches(['[', ']']).to_owned();
        if host.is_empty() || port == 0 {
            return Err(invalid());
        }
        let path = uri.path_and_query().map_or("/", |path| path.as_str());
        Ok(WebhookTarget {
            is_secure,
            host,
            port,
            authority: authority.as_str().to_owned(),
            path: path.to_owned(),
        })
    }
}

/// Returns true for an address of the public internet. Others could lead to the machine itself, to its
/// neighbours, or to the metadata service of a cloud (IANA, special-purpose address registries).
pub fn is_public_address(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(address) => is_public_v6(address),
    }
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    let is_private = matches!(
        address.octets(),
        // This network, private, loopback, link-local, multicast, reserved, broadcast.
        [0 | 10 | 127 | 224..=255, ..]
            | [169, 254, ..]
            | [192, 168, ..]
            | [172, 16..=31, ..]
            // Carrier-grade NAT.
            | [100, 64..=127, ..]
            // Protocol assignments, documentation, the former relay of 6to4, benchmarks.
            | [192, 0, 0 | 2, _]
            | [192, 88, 99, _]
            | [198, 18 | 19, ..]
            | [198, 51, 100, _]
            | [203, 0, 113, _]
    );
    !is_private
}

fn is_public_v6(address: Ipv6Addr) -> bool {
    let parts = address.segments();
    let embedded = |high: u16, low: u16| {
        let ([a, b], [c, d]) = (high.to_be_bytes(), low.to_be_bytes());
        is_public_v4(Ipv4Addr::new(a, b, c, d))
    };
    match parts {
        // An address of IPv4 in that of IPv6: NAT64, 6to4 and mapped addresses.
        [0x64, 0xff9b, 0, 0, 0, 0, high, low]
        | [0x2002, high, low, ..]
        | [0, 0, 0, 0, 0, 0xffff, high, low] => embedded(high, low),
        // Protocol assignments with Teredo, and documentation.
        [0x2001, 0..=0x1ff | 0xdb8, ..] | [0x3fff, 0..=0xfff, ..] => false,
        // Global unicast is 2000::/3. Beside it are loopback, unique-local, link-local, multicast.
        [first, ..] => first & 0xe000 == 0x2000,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_addresses_of_the_public_internet_are_public() {
        for address in [
            "0.0.0.0",
            "10.0.0.1",
            "100.64.0.1",
            "100.127.255.255",
            "127.0.0.1",
            "127.9.9.9",
            "169.254.169.254",
            "172.16.0.1",
            "172.31.255.255",
            "192.0.0.1",
            "192.0.2.1",
            "192.168.1.1",
            "198.18.0.1",
            "198.19.255.255",
            "198.51.100.7",
            "203.0.113.7",
            "224.0.0.1",
            "239.1.2.3",
            "240.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "::127.0.0.1",
            "::ffff:127.0.0.1",
            "::ffff:10.0.0.1",
            "64:ff9b::7f00:1",
            "64:ff9b:1::1",
            "100::1",
            "2001::1",
            "2001:db8::1",
            "2002:7f00:1::1",
            "2002:a00:1::1",
            "3fff::1",
            "fc00::1",
            "fd12:3456::1",
            "fe80::1",
            "fec0::1",
            "ff02::1",
        ] {
            assert!(!is_public_address(address.parse().unwrap()), "{address}");
        }
        for address in [
            "1.1.1.1",
            "8.8.8.8",
            "100.63.255.255",
            "100.128.0.1",
            "172.15.0.1",
            "172.32.0.1",
            "192.0.1.1",
            "198.17.0.1",
            "223.255.255.254",
            "::ffff:8.8.8.8",
            "64:ff9b::808:808",
            "2002:808:808::1",
            "2606:4700::1111",
            "2a00:1450::1",
        ] {
            assert!(is_public_address(address.parse().unwrap()), "{address}");
        }
    }

    #[test]
    fn an_address_has_a_scheme_a_host_and_no_password() {
        let target = WebhookTarget::parse("https://hooks.example:8443/a/b?c=d").unwrap();
        assert_eq!((target.host.as_str(), target.port), ("hooks.example", 8443));
        assert_eq!(target.path, "/a/b?c=d");
        assert!(target.is_secure);
        let target = WebhookTarget::parse("http://[::1]").unwrap();
        let parts = (target.host.as_str(), target.port, target.path.as_str());
        assert_eq!(parts, ("::1", 80, "/"));
        for text in [
            "",
            "hooks.example/a",
            "ftp://hooks.example/",
            "file:///etc/passwd",
            "https://",
            "https://:443/",
            "https://anna:secret@hooks.example/",
            "https://hooks.example:0/",
            "https://hooks.example:99999/",
            "https://hooks.example/a b",
            "http://a.example/\r\nX: y",
        ] {
            assert!(WebhookTarget::parse(text).is_err(), "{text:?}");
        }
    }
}
