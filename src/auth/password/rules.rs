//! Which passwords are accepted.

use super::hash::normalize;
use crate::model::AccountName;

/// Characters of a password. Long enough that the limit of attempts makes guessing hopeless; an
/// upper end, so that nobody sends us a book to hash.
const SHORTEST: usize = 12;
const LONGEST: usize = 200;

/// The password is not accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WeakPassword {
    #[error("use at least {SHORTEST} characters: three or four words are easy to remember")]
    Short,
    #[error("use at most {LONGEST} characters")]
    Long,
    #[error("use something that cannot be guessed from the name")]
    Guessable,
}

/// Checks a password that somebody wants to have.
///
/// # Errors
/// What is wrong with it.
pub fn check_password_rules(password: &str, name: &AccountName) -> Result<(), WeakPassword> {
    let password = normalize(password);
    let length = password.chars().count();
    let rest = password.to_lowercase().replace(name.as_str(), "");
    let first = rest.chars().next();
    let is_one_letter = rest.chars().all(|letter| Some(letter) == first);
    match length {
        ..SHORTEST => Err(WeakPassword::Short),
        _ if length > LONGEST => Err(WeakPassword::Long),
        _ if rest.chars().count() < SHORTEST / 2 || is_one_letter => Err(WeakPassword::Guessable),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn anna() -> AccountName {
        "anna".parse().unwrap()
    }

    #[test]
    fn a_password_is_long_and_not_made_of_the_name() {
        let rules = |password: &str| check_password_rules(password, &anna());
        assert_eq!(rules("correct horse"), Ok(()));
        assert_eq!(rules("сыр и вино 7"), Ok(()));
        assert_eq!(rules("short words"), Err(WeakPassword::Short));
        assert_eq!(rules(&"x y".repeat(67)), Err(WeakPassword::Long));
        assert_eq!(rules("annaAnnaanna1"), Err(WeakPassword::Guessable));
        assert_eq!(rules("            "), Err(WeakPassword::Guessable));
    }
}
