//! The link with which the first admin is made: printed at the start of a server that knows nobody,
//! good for one use and a day, and never the same again.

use std::time::Duration;

use tokio::time::Instant;

use super::secret::Secret;
use crate::model::Key;

/// A link that was forgotten in a log does not stay a key to the house.
const VALID_FOR: Duration = Duration::from_hours(24);

/// The link of this start.
pub struct Founding {
    key: Key,
    until: Instant,
}

impl Founding {
    /// A new link, and its secret.
    pub fn begin() -> (Self, Secret) {
        let secret = Secret::random();
        let (key, until) = (secret.key(), Instant::now() + VALID_FOR);
        (Founding { key, until }, secret)
    }

    /// Whether this is the secret of the link, and still in time.
    pub fn is_opened_by(&self, secret: &Secret) -> bool {
        self.key == secret.key() && Instant::now() < self.until
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn only_its_own_secret_opens_it_and_only_for_a_day() {
        let (founding, secret) = Founding::begin();
        assert!(founding.is_opened_by(&secret));
        assert!(!founding.is_opened_by(&Secret::random()));
        tokio::time::advance(VALID_FOR).await;
        assert!(!founding.is_opened_by(&secret));
    }
}
