//! The origin of a request: a page of this server, a page of another site, or a program.

use std::net::IpAddr;

use poem::http::header::{HOST, ORIGIN};
use poem::http::uri::Authority;
use poem::http::{HeaderMap, HeaderValue};

use super::base_url::BaseUrl;

/// Returns true if a browser sent the request for a page of another origin. `Sec-Fetch-Site` (W3C
/// Fetch Metadata) says so directly; `Origin` must be the public address, or if none is configured,
/// the host in the request. A program that is no browser sends neither.
pub fn is_cross_origin(headers: &HeaderMap, base: Option<&BaseUrl>) -> bool {
    let site = headers.get("sec-fetch-site");
    if site.is_some_and(|site| site != "same-origin" && site != "none") {
        return true;
    }
    let Some(origin) = headers.get(ORIGIN) else {
        return false;
    };
    match base {
        Some(base) => origin != base.origin(),
        None => site.is_none() && !names_host(origin, headers.get(HOST)),
    }
}

fn names_host(origin: &HeaderValue, host: Option<&HeaderValue>) -> bool {
    let origin = origin.to_str().unwrap_or_default();
    let named = origin.split_once("://").map(|(_, host)| host);
    named.is_some() && named == host.and_then(|host| host.to_str().ok())
}

/// Returns true if the request was sent to a name of loopback. The name of another site can resolve to
/// this machine (DNS rebinding), and a page of that site would then count as a page of this server.
pub fn is_local_host(headers: &HeaderMap) -> bool {
    let host = headers.get(HOST).and_then(|host| host.to_str().ok());
    let Some(host) = host.and_then(|host| host.parse::<Authority>().ok()) else {
        return false;
    };
    let name = host.host().trim_matches(['[', ']']);
    let is_loopback = |address: IpAddr| address.to_canonical().is_loopback();
    let name = name.strip_suffix('.').unwrap_or(name).to_ascii_lowercase();
    // Names below localhost always resolve to loopback: RFC 6761, section 6.3.
    let is_localhost = name == "localhost" || name.ends_with(".localhost");
    is_localhost || name.parse().is_ok_and(is_loopback)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        let pairs = pairs.iter().map(|(name, value)| {
            let name = poem::http::HeaderName::from_static(name);
            (name, HeaderValue::from_static(value))
        });
        pairs.collect()
    }

    #[test]
    fn a_page_of_another_site_is_cross_origin_and_a_program_is_not() {
        let host = ("host", "127.0.0.1:3000");
        for (expected, pairs) in [
            (false, vec![host]),
            (false, vec![host, ("origin", "http://127.0.0.1:3000")]),
            (false, vec![host, ("sec-fetch-site", "same-origin")]),
            (false, vec![host, ("sec-fetch-site", "none")]),
            (true, vec![host, ("origin", "http://127.0.0.1:3001")]),
            (true, vec![host, ("origin", "null")]),
            (true, vec![host, ("origin", "127.0.0.1:3000")]),
            (true, vec![("origin", "null")]),
            (true, vec![host, ("sec-fetch-site", "cross-site")]),
            (true, vec![host, ("sec-fetch-site", "same-site")]),
            (
                true,
                vec![
                    host,
                    ("origin", "http://127.0.0.1:3000"),
                    ("sec-fetch-site", "cross-site"),
                ],
            ),
        ] {
            assert_eq!(
                is_cross_origin(&headers(&pairs), None),
                expected,
                "{pairs:?}"
            );
        }
    }

    #[test]
    fn with_a_public_address_every_other_origin_is_cross_origin() {
        let base = BaseUrl::parse("https://pets.example").unwrap();
        for (expected, pairs) in [
            (false, vec![]),
            (false, vec![("origin", "https://pets.example")]),
            (true, vec![("origin", "http://pets.example")]),
            (true, vec![("origin", "https://pets.example.evil.example")]),
            (
                true,
                vec![("host", "evil.example"), ("origin", "https://evil.example")],
            ),
            (
                true,
                vec![
                    ("sec-fetch-site", "same-origin"),
                    ("origin", "http://10.0.0.5:3000"),
                ],
            ),
        ] {
            assert_eq!(
                is_cross_origin(&headers(&pairs), Some(&base)),
                expected,
                "{pairs:?}"
            );
        }
    }

    #[test]
    fn only_names_of_loopback_are_local() {
        for (expected, host) in [
            (true, "127.0.0.1:3000"),
            (true, "localhost"),
            (true, "x.localhost:3000"),
            (true, "LocalHost."),
            (false, "xlocalhost"),
            (false, "localhost.evil.example"),
            (true, "[::1]:3000"),
            (true, "[::ffff:127.0.0.1]:3000"),
            (false, "[::ffff:10.0.0.1]:3000"),
            (false, "evil.example:3000"),
            (false, "127.0.0.1.evil.example"),
            (false, ""),
        ] {
            assert_eq!(
                is_local_host(&headers(&[("host", host)])),
                expected,
                "{host}"
            );
        }
        assert!(!is_local_host(&headers(&[])));
    }
}
