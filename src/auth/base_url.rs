//! The public address of the server, which browsers send as the origin of its pages.

use poem::http::uri::{Scheme, Uri};

/// The address that visitors type, written as browsers write an origin (RFC 6454):
/// `https://pets.example`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BaseUrl {
    origin: String,
    is_secure: bool,
    port: u16,
}

impl BaseUrl {
    /// Parses a scheme, a host and an optional port.
    ///
    /// # Errors
    /// A sentence about what is allowed, if a part is missing or there is more, such as a path.
    pub fn parse(text: &str) -> Result<Self, String> {
        let allowed = || {
            "use the address that visitors type, without a path, such as https://pets.example"
                .to_owned()
        };
        let url: Uri = text.parse().map_err(|_| allowed())?;
        let is_secure = url.scheme() == Some(&Scheme::HTTPS);
        let is_plain = url.scheme() == Some(&Scheme::HTTP);
        let authority = url.authority().ok_or_else(allowed)?;
        let is_bare = url.path() == "/" && url.query().is_none() && !text.contains(['#', '@']);
        if !(is_secure || is_plain) || !is_bare || authority.host().is_empty() {
            return Err(allowed());
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
            is_secure,
            port: given.unwrap_or(default),
        })
    }

    /// Returns the origin.
    pub fn origin(&self) -> &str {
        &self.origin
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
            assert_eq!(base.origin(), origin, "{text}");
            assert_eq!(base.is_secure(), origin.starts_with("https"), "{text}");
        }
        for text in [
            "",
            "pets.example",
            "ftp://pets.example",
            "https://",
            "https://pets.example/board",
            "https://pets.example?x=y",
            "https://pets.example#x",
            "https://user@pets.example",
        ] {
            assert!(
                BaseUrl::parse(text).unwrap_err().contains("such as"),
                "{text}"
            );
        }
    }
}
