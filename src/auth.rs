//! Who asks, and may they.
//!
//! In demo mode everyone on this machine is staff; in serve mode nobody is yet. Either way a page
//! of another site must not be able to write through a visitor's browser: browsers say where a
//! request comes from, and what comes from elsewhere may watch and never command.

use std::net::IpAddr;

use poem::http::HeaderMap;
use poem::http::header::{HOST, ORIGIN};
use poem::http::uri::Authority;

use crate::error::Failure;

/// Who may write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Auth {
    /// Everyone who can reach the server, which listens on loopback only.
    Demo,
    /// Staff, of whom there are none yet.
    Serve,
}

impl Auth {
    /// Whether there is anyone who may write: what decides if a page offers it.
    pub fn can_write(self) -> bool {
        self == Auth::Demo
    }

    /// Lets staff pass.
    ///
    /// # Errors
    /// 403, saying which of the rules was broken.
    pub fn check_staff(self, headers: &HeaderMap) -> Result<(), Failure> {
        self.refusal(headers)
            .map_or(Ok(()), |refusal| Err(refusal.into()))
    }

    /// Why the sender of this request may not write, if so.
    pub fn refusal(self, headers: &HeaderMap) -> Option<Refusal> {
        match self {
            Auth::Serve => Some(Refusal::NotStaff),
            Auth::Demo if !names_this_machine(headers) => Some(Refusal::OtherHost),
            Auth::Demo => is_from_elsewhere(headers).then_some(Refusal::FromElsewhere),
        }
    }
}

/// Why somebody may not write. Kept with every socket, so it is one byte.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    NotStaff,
    FromElsewhere,
    OtherHost,
}

impl From<Refusal> for Failure {
    fn from(refusal: Refusal) -> Self {
        Failure::forbidden(match refusal {
            Refusal::NotStaff => {
                "Only staff may change something, and this server has no staff accounts yet."
            }
            Refusal::FromElsewhere => {
                "This request comes from a page of another site. Change pets on this site."
            }
            Refusal::OtherHost => {
                "In the demo, pets are changed at 127.0.0.1, [::1] or localhost only."
            }
        })
    }
}

/// Whether the request was sent to a name of loopback. Another site's name can be made to lead
/// here (DNS rebinding), and a page of that site would then count as one of ours.
fn names_this_machine(headers: &HeaderMap) -> bool {
    let host = headers.get(HOST).and_then(|host| host.to_str().ok());
    let Some(host) = host.and_then(|host| host.parse::<Authority>().ok()) else {
        return false;
    };
    let name = host.host().trim_matches(['[', ']']);
    let is_loopback = |address: IpAddr| address.is_loopback();
    name.eq_ignore_ascii_case("localhost") || name.parse().is_ok_and(is_loopback)
}

/// Whether a browser sent this on behalf of another site's page. `Sec-Fetch-Site` (W3C Fetch
/// Metadata) says so directly; an older browser sends `Origin`, which must name this host. A
/// program that is no browser sends neither.
fn is_from_elsewhere(headers: &HeaderMap) -> bool {
    if let Some(site) = headers.get("sec-fetch-site") {
        return site != "same-origin" && site != "none";
    }
    let Some(origin) = headers.get(ORIGIN) else {
        return false;
    };
    let origin = origin.to_str().unwrap_or_default();
    let origin_host = origin.split_once("://").map(|(_, host)| host);
    let host = headers.get(HOST).and_then(|host| host.to_str().ok());
    origin_host.is_none() || origin_host != host
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        let pairs = pairs.iter().map(|(name, value)| {
            let name = poem::http::HeaderName::from_static(name);
            (name, poem::http::HeaderValue::from_static(value))
        });
        pairs.collect()
    }

    #[test]
    fn a_page_of_another_site_may_not_write_and_a_program_may() {
        let host = ("host", "127.0.0.1:3000");
        for (allowed, pairs) in [
            (true, vec![host]),
            (true, vec![("host", "localhost")]),
            (true, vec![("host", "[::1]:3000")]),
            (
                false,
                vec![
                    ("host", "evil.example:3000"),
                    ("origin", "http://evil.example:3000"),
                ],
            ),
            (false, vec![]),
            (true, vec![host, ("origin", "http://127.0.0.1:3000")]),
            (true, vec![host, ("sec-fetch-site", "same-origin")]),
            (true, vec![host, ("sec-fetch-site", "none")]),
            (false, vec![host, ("origin", "http://127.0.0.1:3001")]),
            (false, vec![host, ("origin", "null")]),
            (false, vec![host, ("sec-fetch-site", "cross-site")]),
            (false, vec![host, ("sec-fetch-site", "same-site")]),
        ] {
            let checked = Auth::Demo.check_staff(&headers(&pairs));
            assert_eq!(checked.is_ok(), allowed, "{pairs:?}");
        }
    }

    #[test]
    fn nobody_writes_in_serve_mode() {
        assert!(Auth::Serve.check_staff(&headers(&[])).is_err());
    }
}
