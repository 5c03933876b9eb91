//! Reads the address of a client behind a trusted proxy from `X-Forwarded-For` or `Forwarded`
//! (RFC 7239).
//!
//! Each proxy appends the address that it got the request from. The list is therefore read from the
//! right: an entry is trusted if all entries to its right are trusted proxies. Whatever the client
//! itself wrote into the header stands to the left and is never reached.

use std::net::{IpAddr, SocketAddr};

use poem::http::HeaderMap;

/// Returns the rightmost address that is not a trusted proxy's.
///
/// `None` if there is no such header. `Some(None)` if an entry cannot be read, or if the two headers
/// disagree: a proxy passes on the header that it does not write itself, so one of them is the
/// client's.
pub fn client(headers: &HeaderMap, is_trusted: &dyn Fn(IpAddr) -> bool) -> Option<Option<IpAddr>> {
    let listed = last_untrusted(entries(headers, "x-forwarded-for"), is_trusted);
    let described = last_untrusted(entries(headers, "forwarded").map(for_node), is_trusted);
    match (listed, described) {
        (Some(listed), Some(described)) => {
            Some(listed.filter(|address| Some(*address) == described))
        }
        (found, None) | (None, found) => found,
    }
}

/// Returns the entries of all header lines with this name, from right to left.
fn entries<'a>(headers: &'a HeaderMap, name: &str) -> impl Iterator<Item = &'a str> {
    let mut lines: Vec<_> = headers.get_all(name).iter().collect();
    lines.reverse();
    let lines = lines.into_iter();
    let lines = lines.map(|line| line.to_str().unwrap_or_default());
    lines.flat_map(|line| line.rsplit(',').map(str::trim))
}

fn last_untrusted<'a>(
    entries: impl Iterator<Item = &'a str>,
    is_trusted: &dyn Fn(IpAddr) -> bool,
) -> Option<Option<IpAddr>> {
    let mut last = None;
    for entry in entries {
        last = Some(parse_address(entry));
        match last {
            Some(Some(address)) if is_trusted(address) => {}
            _ => break,
        }
    }
    last
}

/// Returns the `for` parameter of a `Forwarded` element, without its quotes.
fn for_node(element: &str) -> &str {
    let pairs = element.split(';').filter_map(|pair| pair.split_once('='));
    let mut nodes = pairs.filter(|(name, _)| name.trim().eq_ignore_ascii_case("for"));
    nodes
        .next()
        .map_or("", |(_, node)| node.trim().trim_matches('"'))
}

/// Parses an address with or without a port: `192.0.2.7`, `192.0.2.7:80`, `2001:db8::7`,
/// `[2001:db8::7]`, `[2001:db8::7]:80`.
fn parse_address(text: &str) -> Option<IpAddr> {
    let bare = text
        .strip_prefix('[')
        .and_then(|text| text.strip_suffix(']'));
    let address = bare.unwrap_or(text).parse().ok();
    let address = address.or_else(|| text.parse().ok().map(|socket: SocketAddr| socket.ip()));
    address.map(|address: IpAddr| address.to_canonical())
}
