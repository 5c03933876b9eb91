//! The public address of the server, which browsers send as the origin of its pages.

use poem::http::uri::{Scheme, Uri};

/// The address that visitors type: an origin as browsers write it (RFC 6454), and a path if the server shares the
/// origin with other programs, as in `https://shelter.example/pets`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BaseUrl {
    origin: String,
    /// Empty, or a slash and segments without a slash at the end.
    path: String,
    is_secure: bool,
    port: u16,
}

impl BaseUrl {
    /// Parses a scheme, a host, an optional port and an optional path.
    ///
    /// # Errors
    /// A sentence about what is allowed, if a part is missing or is not of that form.
    pub fn parse(text: &str) -> Result<Self, String> {
        let allowed = || {
            "use the address that visitors type, such as https://pets.example or https://shelter.example/pets, \
             with a path of letters, digits, and . _ ~ -"
                .to_owned()
        };
        let url: Uri = text.parse().map_err(|_| allowed())?;
        let is_secure = url.scheme() == Some(&Scheme::HTTPS);
        let is_plain = url.scheme() == Some(&Scheme::HTTP);
        let authority = url.authority().ok_or_else(allowed)?;
        let path = url.path().trim_end_matches('/');
        let has_more = url.query().is_some() || text.contains(['#', '@']) || !is_base_path(path);
        if !(is_secure || is_plain) || has_more || !is_host(authority.host()) {
            return Err(allowed());
        }
        // `port_u16` is `None` also for a number that is no port.
        let port_part = authority.as_str().strip_prefix(authority.host());
        let is_port = match port_part.and_then(|part| part.strip_prefix(':')) {
            Some(port) => port.parse().is_ok_and(|port: u16| port > 0),
            None => true,
        };
        if !is_port {
            return Err(
                "the port is a number from 1 to 65535, such as https://pets.example:8443"
                    .to_owned(),
            );
        }
        let (scheme, default) = if is_secure {
            ("https", 443)
        } else {
            ("http", 80)
        };
        let host = authority.host().to_ascii_lowercase();
        let given = authority.port_u16();
        let port = given.filter(|port| *port != default);
        let port = port.map(|port| format!(":{port}")).unwrap_or_default();
        Ok(BaseUrl {
            origin: format!("{scheme}://{host}{port}"),
            path: path.to_owned(),
            is_secure,
            port: given.unwrap_or(default),
        })
    }

    /// Returns the origin.
    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// Returns the base path, which every address of the site starts with: empty, or `/pets` for
    /// `https://shelter.example/pets`.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// Returns the address of the site, without a slash at its end.
    pub fn site(&self) -> String {
        format!("{}{}", self.origin, self.path)
    }

    /// Returns the public address of `path`, a path of the URL table.
    pub fn address(&self, path: &str) -> String {
        format!("{}{}{path}", self.origin, self.path)
    }

    /// Returns the port, also if it is the scheme's default.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Returns true if browsers use https.
    pub fn is_secure(&self) -> bool {
        self.is_secure
    }
}

/// Returns true for a name or an IPv4 address, and for an IPv6 address in brackets.
fn is_host(host: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b".-_".contains(&byte);
    !host.is_empty() && (host.starts_with('[') || host.bytes().all(is_plain))
}

/// Returns true for a path of segments that browsers, proxies and cookies write without escapes. A segment of dots alone
/// would be resolved.
fn is_base_path(path: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"._~-".contains(&byte);
    let is_segment =
        |segment: &str| segment.bytes().all(is_plain) && segment.bytes().any(|byte| byte != b'.');
    path.is_empty() || path[1..].split('/').all(is_segment)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_base_url_is_written_as_browsers_write_an_origin() {
        for (text, origin) in [
            ("https://pets.example", "https://pets.example"),
            ("HTTPS://Pets.Example:443/", "https://pets.example"),
            ("http://10.0.0.5:3000", "http://10.0.0.5:3000"),
            ("http://[::1]:80", "http://[::1]"),
        ] {
            let base = BaseUrl::parse(text).unwrap();
            assert_eq!((base.origin(), base.path()), (origin, ""), "{text}");
            assert_eq!(base.is_secure(), origin.starts_with("https"), "{text}");
        }
        for text in [
            "",
            "pets.example",
            "ftp://pets.example",
            "https://",
            "https://pets.example/our pets",
            "https://pets.example/a//b",
            "https://pets.example/../b",
            "https://pets.example/a%2fb",
            "https://pets.example/a;b",
            "https://pets.example?x=y",
            "https://pets.example#x",
            "https://user@pets.example",
            "https://a,b",
            "https://*",
            "https://pets.example:0",
            "https://pets.example:99999/a",
        ] {
            assert!(
                BaseUrl::parse(text).unwrap_err().contains("such as"),
                "{text}"
            );
        }
    }
    #[test]
    fn a_base_url_may_have_a_path() {
        for text in [
            "https://Shelter.example/our/Pets-live",
            "https://shelter.example/our/Pets-live/",
        ] {
            let base = BaseUrl::parse(text).unwrap();
            assert_eq!(base.origin(), "https://shelter.example");
            assert_eq!(base.path(), "/our/Pets-live");
            assert_eq!(
                base.address("/pets/7"),
                "https://shelter.example/our/Pets-live/pets/7"
            );
        }
    }
}
