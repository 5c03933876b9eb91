//! Email addresses and phone numbers, as people type them.

/// Checks an email address. It has no character with a meaning in a `mailto:` link.
///
/// # Errors
/// A sentence for the person who entered the text.
pub fn parse_mail(text: &str) -> Result<String, String> {
    let is_local = |local: &str| {
        !local.is_empty()
            && local.chars().all(|letter| {
                letter.is_ascii_alphanumeric() || matches!(letter, '.' | '_' | '+' | '-' | '\'')
            })
    };
    let is_host = |host: &str| {
        let is_label = |label: &str| {
            !label.is_empty()
                && label
                    .chars()
                    .all(|letter| letter.is_alphanumeric() || letter == '-')
        };
        host.contains('.') && host.split('.').all(is_label)
    };
    match text.split_once('@') {
        Some((local, host)) if is_local(local) && is_host(host) => Ok(text.to_owned()),
        _ => Err("Enter an email address, for example hello@happytails.example.".to_owned()),
    }
}

/// Checks a phone number.
///
/// # Errors
/// A sentence for the person who entered the text.
pub fn parse_phone(text: &str) -> Result<String, String> {
    let is_part = |letter: char| {
        letter.is_ascii_digit() || matches!(letter, '+' | '-' | '(' | ')' | '/' | '.' | ' ')
    };
    let digits = text.chars().filter(char::is_ascii_digit).count();
    let has_plus_inside = text.chars().skip(1).any(|letter| letter == '+');
    if text.chars().all(is_part) && digits >= 3 && !has_plus_inside {
        return Ok(text.to_owned());
    }
    Err("Enter a phone number, for example +44 20 7946 0000.".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mail_address_cannot_add_anything_to_a_link() {
        for text in ["a@b.example", "o'neil+dogs@tierheim-köln.example"] {
            assert_eq!(parse_mail(text).as_deref(), Ok(text));
        }
        for text in [
            "a",
            "a@",
            "@b.example",
            "a@b",
            "a@b..example",
            "a@b@c.example",
            "a@b.example?cc=x",
            "a?subject=x@b.example",
            "a&b@c.example",
            "a%40x@b.example",
            "a b@c.example",
            "<a@b.example>",
        ] {
            assert!(parse_mail(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_phone_number_has_digits_and_what_people_write_between_them() {
        for text in ["112", "+44 (20) 7946-0000", "0221/123.45"] {
            assert_eq!(parse_phone(text).as_deref(), Ok(text));
        }
        for text in ["12", "call us", "+44+20", "123;ext=4", "123,,4"] {
            assert!(parse_phone(text).is_err(), "{text}");
        }
    }
}
