//! Addresses of pages, as people type them.

/// Returns the address with its scheme: people leave `https://` out.
///
/// # Errors
/// A sentence for the person who entered the text.
pub fn parse_link(text: &str) -> Result<String, String> {
    let invalid =
        || "Enter the address of a page, for example https://happytails.example.".to_owned();
    let lower = text.to_ascii_lowercase();
    let is_web = lower.starts_with("https://") || lower.starts_with("http://");
    let link = if is_web {
        text.to_owned()
    } else {
        format!("https://{text}")
    };
    let (_, rest) = link.split_once("://").ok_or_else(invalid)?;
    let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let name = host.split(':').next().unwrap_or_default();
    let is_name = name.contains('.')
        && name.split('.').all(|label| !label.is_empty())
        && name
            .chars()
            .all(|letter| letter.is_alphanumeric() || matches!(letter, '.' | '-'));
    let is_port = |port: &str| port.parse::<u16>().is_ok();
    let has_port = host.split_once(':').is_none_or(|(_, port)| is_port(port));
    let is_plain = !link.contains(|letter: char| {
        letter.is_whitespace() || matches!(letter, '"' | '<' | '>' | '\\' | '`' | '{' | '}' | '|')
    });
    if is_name && has_port && is_plain {
        Ok(link)
    } else {
        Err(invalid())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_leads_to_a_page_and_nowhere_else() {
        for (text, link) in [
            ("happytails.example", "https://happytails.example"),
            (
                "http://happytails.example/a?b#c",
                "http://happytails.example/a?b#c",
            ),
            ("HTTPS://x.example:8443", "HTTPS://x.example:8443"),
            ("tierheim-köln.example", "https://tierheim-köln.example"),
        ] {
            assert_eq!(parse_link(text).as_deref(), Ok(link));
        }
        for text in [
            "happytails",
            "javascript:alert(1)",
            "javascript://x.example/%0aalert(1)",
            "data:text/html,x.example",
            "mailto:a@b.example",
            "https://",
            "https://.example",
            "https://a@evil.example",
            "https://x.example/a b",
            "https://x.example:99999",
            "ftp://x.example",
            "//x.example",
        ] {
            assert!(parse_link(text).is_err(), "{text}");
        }
    }
}
