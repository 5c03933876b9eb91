//! The sites that may show pets in a frame, as an admin types them.

use super::link::parse_link;

/// Closes the frames for every site.
const NONE: &str = "none";

/// The longest list.
pub const SITES_LIMIT: usize = 1000;

/// Sites that may frame the pages below `/embed`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EmbedSites<'a> {
    /// Every site.
    All,
    /// No site.
    None,
    /// These origins, with blanks between them.
    Only(&'a str),
}

impl<'a> EmbedSites<'a> {
    /// Reads the setting as `parse_sites` returns it.
    pub(super) fn new(text: &'a str) -> Self {
        match text {
            "" => EmbedSites::All,
            NONE => EmbedSites::None,
            origins => EmbedSites::Only(origins),
        }
    }
}

/// Returns the origins of the sites, written as browsers write them (RFC 6454), with blanks between them.
///
/// # Errors
/// A sentence for the person who entered the text.
pub fn parse_sites(text: &str) -> Result<String, String> {
    if text.eq_ignore_ascii_case(NONE) {
        return Ok(NONE.to_owned());
    }
    let sites = text.split(|letter: char| letter.is_whitespace() || letter == ',');
    let origins = sites.filter(|site| !site.is_empty()).map(parse_site);
    let origins: Vec<String> = origins.collect::<Result<_, _>>()?;
    Ok(origins.join(" "))
}

fn parse_site(site: &str) -> Result<String, String> {
    let invalid = || {
        format!(
            "\u{201c}{site}\u{201d} is not the address of a site. Write it like https://www.happytails.example."
        )
    };
    // A browser compares names as they are on the wire: ASCII in lower case.
    let link = parse_link(site)
        .map_err(|_| invalid())?
        .to_ascii_lowercase();
    let (scheme, rest) = link.split_once("://").ok_or_else(invalid)?;
    let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
    if !host.is_ascii() {
        return Err(format!(
            "Write \u{201c}{host}\u{201d} as it is on the wire, in letters from a to z: it begins with xn--."
        ));
    }
    let default = if scheme == "https" { ":443" } else { ":80" };
    let host = host.strip_suffix(default).unwrap_or(host);
    Ok(format!("{scheme}://{host}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sites_are_stored_as_origins_that_cannot_add_to_a_policy() {
        for (text, origins) in [
            ("none", "none"),
            ("happytails.example", "https://happytails.example"),
            (
                "HTTPS://WWW.happytails.example:443/pets?a#b, http://b.example:8080",
                "https://www.happytails.example http://b.example:8080",
            ),
            ("xn--kln-sna.example", "https://xn--kln-sna.example"),
        ] {
            assert_eq!(parse_sites(text).as_deref(), Ok(origins), "{text}");
        }
        for text in [
            "*",
            "'self'",
            "https://*.example",
            "happytails",
            "a.example;script-src",
            "köln.example",
            "a.example none",
            "data:text/html",
        ] {
            assert!(parse_sites(text).is_err(), "{text}");
        }
    }
}
