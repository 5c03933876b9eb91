//! Checks what a request is for: the `Host` header, and the base path.

use std::net::Ipv6Addr;
use std::sync::Arc;

use poem::http::{HeaderValue, Version, header};
use poem::{Endpoint, Request};

use super::base_path;
use crate::error::Failure;

/// Refuses a request without exactly one valid `Host`. With two hosts, or one that parsers read
/// differently, a proxy could route by another host than this server.
///
/// # Errors
/// 400: RFC 9112, section 3.2. 404 for a path outside of the base path.
pub async fn check<E: Endpoint>(next: Arc<E>, request: Request) -> poem::Result<E::Output> {
    let mut hosts = request.headers().get_all(header::HOST).iter();
    let detail = match (hosts.next(), hosts.next()) {
        (Some(host), None) if is_valid_host(host) => None,
        (None, _) if request.version() != Version::HTTP_11 => None,
        (Some(_), None) => Some("The Host header is not a host name or an address."),
        _ => Some("A request needs exactly one Host header."),
    };
    if let Some(detail) = detail {
        return Err(Failure::bad_request(detail).into());
    }
    base_path::check(&request)?;
    next.call(request).await
}

/// Returns true for `uri-host [ ":" port ]` (RFC 9110, section 7.2) that is not empty: an http
/// address has a host (RFC 9110, section 4.2.1).
fn is_valid_host(value: &HeaderValue) -> bool {
    let Ok(text) = value.to_str() else {
        return false;
    };
    let (host, port) = match text.strip_prefix('[') {
        Some(rest) => match rest.split_once(']') {
            Some((literal, "")) => return is_ip_literal(literal),
            Some((literal, port)) => match port.strip_prefix(':') {
                Some(port) => return is_ip_literal(literal) && is_port(port),
                None => return false,
            },
            None => return false,
        },
        None => text.split_once(':').unwrap_or((text, "")),
    };
    is_registered_name(host) && is_port(port)
}

/// Returns true for what may stand between brackets (RFC 3986, section 3.2.2).
fn is_ip_literal(text: &str) -> bool {
    let is_future = |rest: &str| {
        rest.split_once('.').is_some_and(|(version, address)| {
            !version.is_empty()
                && version.bytes().all(|byte| byte.is_ascii_hexdigit())
                && !address.is_empty()
                && address
                    .bytes()
                    .all(|byte| byte == b':' || is_name_byte(byte))
        })
    };
    text.parse::<Ipv6Addr>().is_ok() || text.strip_prefix(['v', 'V']).is_some_and(is_future)
}

/// Returns true for a `reg-name` or an IPv4 address (RFC 3986, section 3.2.2).
fn is_registered_name(text: &str) -> bool {
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        let is_hex = |byte: Option<u8>| byte.is_some_and(|byte| byte.is_ascii_hexdigit());
        let is_allowed = match byte {
            b'%' => is_hex(bytes.next()) && is_hex(bytes.next()),
            byte => is_name_byte(byte),
        };
        if !is_allowed {
            return false;
        }
    }
    !text.is_empty()
}

/// Returns true for `unreserved` and `sub-delims` without the comma, which the grammar allows and
/// which joins the values of two Host headers.
fn is_name_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-._~!$&'()*+;=".contains(&byte)
}

/// Returns true for digits of a port, which may be none.
fn is_port(text: &str) -> bool {
    text.is_empty()
        || (text.bytes().all(|byte| byte.is_ascii_digit()) && text.parse::<u16>().is_ok())
}
