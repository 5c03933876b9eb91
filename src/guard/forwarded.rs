//! The address behind a trusted proxy, out of `X-Forwarded-For` or `Forwarded` (RFC 7239).
//!
//! Each proxy adds the address that it was called from at the end, so the list is read from there:
//! an entry is believed when everything behind it was written by a trusted proxy. What a visitor
//! wrote into the header stands in front of that, and is never reached.

use std::net::{IpAddr, SocketAddr};

use poem::http::HeaderMap;

/// The first address from the end that is not a trusted proxy's.
///
/// `None` when nothing is told. `Some(None)` when an entry cannot be read, and when the two headers
/// disagree: a proxy passes on unread what it does not write itself, so one of them is the
/// visitor's.
pub fn client(headers: &HeaderMap, is_trusted: &dyn Fn(IpAddr) -> bool) -> Option<Option<IpAddr>> {
    let listed = last_untrusted(entries(headers, "x-forwarded-for"), is_trusted);
    let described = last_untrusted(entries(headers, "forwarded").map(node), is_trusted);
    match (listed, described) {
        (Some(listed), Some(described)) => {
            Some(listed.filter(|address| Some(*address) == described))
        }
        (told, None) | (None, told) => told,
    }
}

/// The entries of a header, all its lines taken together, from the last to the first.
fn entries<'a>(headers: &'a HeaderMap, name: &str) -> impl Iterator<Item = &'a str> {
    let mut lines: Vec<_> = headers.get_all(name).iter().collect();
    lines.reverse();
    let lines = lines.into_iter();
    let lines = lines.map(|line| line.to_str().unwrap_or_default());
    lines.flat_map(|line| line.rsplit(',').map(str::trim))
}

/// `Some(None)` for a header that is there and does not say it.
fn last_untrusted<'a>(
    entries: impl Iterator<Item = &'a str>,
    is_trusted: &dyn Fn(IpAddr) -> bool,
) -> Option<Option<IpAddr>> {
    let mut last = None;
    for entry in entries {
        last = Some(address(entry));
        match last {
            Some(Some(address)) if is_trusted(address) => {}
            _ => break,
        }
    }
    last
}

/// The `for` of an element of `Forwarded`, without its quotes.
fn node(element: &str) -> &str {
    let pairs = element.split(';').filter_map(|pair| pair.split_once('='));
    let mut nodes = pairs.filter(|(name, _)| name.trim().eq_ignore_ascii_case("for"));
    nodes
        .next()
        .map_or("", |(_, node)| node.trim().trim_matches('"'))
}

/// An address, with or without a port: `192.0.2.7`, `192.0.2.7:80`, `2001:db8::7`,
/// `[2001:db8::7]`, `[2001:db8::7]:80`.
fn address(text: &str) -> Option<IpAddr> {
    let bare = text
        .strip_prefix('[')
        .and_then(|text| text.strip_suffix(']'));
    let address = bare.unwrap_or(text).parse().ok();
    let address = address.or_else(|| text.parse().ok().map(|socket: SocketAddr| socket.ip()));
    address.map(|address: IpAddr| address.to_canonical())
}
