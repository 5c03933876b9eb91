//! The name of an account.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use unicode_normalization::UnicodeNormalization;

/// The name a person signs in with, which is also what the account is known by.
///
/// 2 to 40 of a to z, 0 to 9, dot, dash and underscore, with a letter first. No two names look
/// alike, and none means anything in an address or in markup.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AccountName(Arc<str>);

/// The text is no name for an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("use 2–40 lowercase letters, digits, dots, dashes or underscores, starting with a letter")]
pub struct AccountNameError;

impl AccountName {
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for AccountName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// In any case, with spaces around it and in wide letters, as keyboards put them: NFKC.
impl FromStr for AccountName {
    type Err = AccountNameError;

    fn from_str(text: &str) -> Result<Self, AccountNameError> {
        let name: String = text.trim().nfkc().collect();
        let name = name.to_ascii_lowercase();
        let is_allowed = |letter: u8| letter.is_ascii_alphanumeric() || b".-_".contains(&letter);
        let is_name = (2..=40).contains(&name.len())
            && name.starts_with(|first: char| first.is_ascii_lowercase())
            && name.bytes().all(is_allowed);
        match is_name {
            true => Ok(AccountName(name.into())),
            false => Err(AccountNameError),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_read_as_a_phone_writes_it_and_holds_nothing_that_means_something_elsewhere() {
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
