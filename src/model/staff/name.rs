//! Names of accounts.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use unicode_normalization::UnicodeNormalization;

/// The name of an account, with which its owner signs in.
///
/// 2 to 40 lowercase letters (a to z), digits, dots, dashes or underscores, starting with a letter. No
/// two names look alike, and none has a meaning in a URL or in markup.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AccountName(Arc<str>);

/// The text is not a valid name of an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("use 2–40 lowercase letters, digits, dots, dashes or underscores, starting with a letter")]
pub struct AccountNameError;

impl AccountName {
    /// Returns the name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for AccountName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Parses a name as keyboards write it: in any case, with spaces around it, in wide letters (NFKC).
impl FromStr for AccountName {
    type Err = AccountNameError;

    fn from_str(text: &str) -> Result<Self, AccountNameError> {
        let name: String = text.trim().nfkc().collect();
        let name = name.to_ascii_lowercase();
        let is_allowed = |letter: u8| letter.is_ascii_alphanumeric() || b".-_".contains(&letter);
        let is_name = (2..=40).contains(&name.len())
            && name.starts_with(|first: char| first.is_ascii_lowercase())
            && name.bytes().all(is_allowed);
        if !is_name {
            return Err(AccountNameError);
        }
        Ok(AccountName(name.into()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_normalised_and_contains_nothing_with_a_meaning_in_urls_or_markup() {
        let name = |text: &str| text.parse::<AccountName>();
        assert_eq!(name(" Anna ").unwrap().as_str(), "anna");
        assert_eq!(name("ａｎｎａ").unwrap().as_str(), "anna");
        assert!(name("anna.b-2_c").is_ok() && name(&"a".repeat(40)).is_ok());
        let long = "a".repeat(41);
        for text in [
            "",
            "a",
            "1anna",
            "-anna",
            "an na",
            "an/na",
            "ann\u{430}",
            "<b>",
            &long,
        ] {
            assert_eq!(name(text), Err(AccountNameError), "{text:?}");
        }
    }
}
