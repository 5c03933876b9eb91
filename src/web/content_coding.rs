//! Content codings of responses (RFC 9110, section 8.4): the choice among those that a client accepts.

use poem::http::{HeaderMap, header};

/// A compression that a response can have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ContentCoding {
    /// Brotli (RFC 7932).
    Brotli,
    /// gzip (RFC 1952).
    Gzip,
}

impl ContentCoding {
    /// Every coding, the preferred one first.
    pub const ALL: [Self; 2] = [ContentCoding::Brotli, ContentCoding::Gzip];

    /// Returns the name in `Content-Encoding`.
    pub fn name(self) -> &'static str {
        match self {
            ContentCoding::Brotli => "br",
            ContentCoding::Gzip => "gzip",
        }
    }

    /// Returns the end of the entity tags of responses in this coding: representations that differ in
    /// their bytes have different strong tags (RFC 9110, section 8.8.3.3).
    pub fn tag_suffix(self) -> &'static str {
        match self {
            ContentCoding::Brotli => "-br",
            ContentCoding::Gzip => "-gzip",
        }
    }

    /// Chooses the coding with the highest weight in `Accept-Encoding`. Returns `None` if the client
    /// accepts none, or prefers responses without one.
    pub fn negotiate(headers: &HeaderMap) -> Option<Self> {
        let values = headers.get_all(header::ACCEPT_ENCODING).iter();
        let values: Vec<&str> = values.filter_map(|value| value.to_str().ok()).collect();
        let weights: Vec<(&str, u16)> = values
            .iter()
            .flat_map(|value| value.split(','))
            .filter_map(parse_weight)
            .collect();
        let find = |names: &[&str]| {
            let is_named = |name: &str| names.iter().any(|known| known.eq_ignore_ascii_case(name));
            let found = weights.iter().find(|(name, _)| is_named(name));
            found.map(|(_, weight)| *weight)
        };
        let any = find(&["*"]);
        let weight = |coding: Self| {
            let names: &[&str] = match coding {
                ContentCoding::Brotli => &["br"],
                ContentCoding::Gzip => &["gzip", "x-gzip"],
            };
            find(names).or(any).unwrap_or(0)
        };
        // Without a weight of its own, a response without coding is acceptable, but not preferred.
        let identity = find(&["identity"]).unwrap_or(0);
        let acceptable = ContentCoding::ALL
            .into_iter()
            .filter(|coding| weight(*coding) > 0 && weight(*coding) >= identity);
        // Of equal weights `max_by_key` takes the last one.
        acceptable.rev().max_by_key(|coding| weight(*coding))
    }
}

/// Parses `gzip;q=0.5` as a name and thousandths. A weight that is not valid counts as 0, so that
/// nothing is sent that a client may not read.
fn parse_weight(item: &str) -> Option<(&str, u16)> {
    let mut parts = item.split(';').map(str::trim);
    let name = parts.next().filter(|name| !name.is_empty())?;
    let weight = parts.find_map(|part| {
        let (key, value) = part.split_once('=')?;
        key.trim()
            .eq_ignore_ascii_case("q")
            .then(|| value.trim().parse::<f32>())
    });
    let weight = weight.map_or(1.0, |weight| weight.unwrap_or(0.0));
    let is_valid = (0.0..=1.0).contains(&weight);
    Some((
        name,
        if is_valid {
            (weight * 1000.0).round() as u16
        } else {
            0
        },
    ))
}

#[cfg(test)]
mod tests {
    use poem::http::HeaderValue;

    use super::*;

    #[test]
    fn the_coding_with_the_highest_weight_is_chosen() {
        use ContentCoding::{Brotli, Gzip};
        for (accepted, expected) in [
            ("", None),
            ("gzip, deflate, br, zstd", Some(Brotli)),
            ("gzip, deflate", Some(Gzip)),
            ("x-gzip", Some(Gzip)),
            ("GZIP", Some(Gzip)),
            ("br;q=0.5, gzip;q=0.8", Some(Gzip)),
            ("br ; q=0.8 ,gzip;Q=0.8", Some(Brotli)),
            ("br;q=0, gzip;q=0", None),
            ("br;q=0, *", Some(Gzip)),
            ("*", Some(Brotli)),
            ("*;q=0", None),
            ("identity", None),
            ("identity;q=0, gzip;q=0.1", Some(Gzip)),
            ("identity;q=1, gzip;q=0.5", None),
            ("identity;q=0", None),
            ("br;q=1.5, gzip;q=x", None),
            ("br;q=nan", None),
            ("zstd, deflate", None),
            ("brotli, ,;q=1", None),
        ] {
            let mut headers = HeaderMap::new();
            let value = HeaderValue::from_static(accepted);
            headers.insert(header::ACCEPT_ENCODING, value);
            assert_eq!(ContentCoding::negotiate(&headers), expected, "{accepted}");
        }
        assert_eq!(ContentCoding::negotiate(&HeaderMap::new()), None);
    }

    #[test]
    fn headers_of_one_name_are_one_list() {
        let mut headers = HeaderMap::new();
        for value in ["deflate", "gzip"] {
            headers.append(header::ACCEPT_ENCODING, HeaderValue::from_static(value));
        }
        assert_eq!(
            ContentCoding::negotiate(&headers),
            Some(ContentCoding::Gzip)
        );
    }
}
