//! Whether the engine answers, so that something may be sent to it.

use std::sync::{Mutex, MutexGuard};
use std::time::Duration;

use tokio::time::Instant;

use super::layout;
use super::link::Link;
use crate::store::StoreError;

/// Silence after which nothing is sent any more.
const HEARD_WITHIN: Duration = Duration::from_secs(4);

/// What a node has heard of the servers behind `link`.
pub struct Reach {
    link: Link,
    /// When the engine last answered; `None` once it has left a write without an answer.
    heard: Mutex<Option<Instant>>,
}

impl Reach {
    /// Of servers that have just answered.
    pub fn new(link: Link) -> Self {
        Reach {
            link,
            heard: Mutex::new(Some(Instant::now())),
        }
    }

    fn heard(&self) -> MutexGuard<'_, Option<Instant>> {
        self.heard.lock().expect("no holder of this lock panics")
    }

    /// Notes that the engine has answered, and that everything it holds was passed.
    pub fn hear(&self) {
        *self.heard() = Some(Instant::now());
    }

    /// Notes that the engine did not answer: until it does, nothing is sent.
    pub fn miss(&self) {
        *self.heard() = None;
    }

    /// Notes that the engine answers with something else than was expected: nothing is sent until
    /// that is cleared up.
    pub fn doubt(&self) {
        let mut heard = self.heard();
        *heard = heard.and_then(|heard| heard.checked_sub(HEARD_WITHIN));
    }

    /// Whether the engine answers.
    pub fn is_within(&self) -> bool {
        let heard = *self.heard();
        self.link.is_connected() && heard.is_some_and(|heard| heard.elapsed() < HEARD_WITHIN)
    }

    /// # Errors
    /// `Unavailable` when the engine does not answer, or is still caught up with.
    pub fn check(&self) -> Result<(), StoreError> {
        match self.is_within() {
            true => Ok(()),
            false => Err(StoreError::Unavailable("it does not answer".to_owned())),
        }
    }

    /// Whether something may be written: also not to servers that are no longer good enough.
    ///
    /// # Errors
    /// `Unavailable`; nothing was sent yet, so nothing was written.
    pub async fn check_to_write(&self) -> Result<(), StoreError> {
        self.check()?;
        let checked = layout::check_servers(&self.link).await;
        checked.map_err(|error| StoreError::Unavailable(error.to_string()))
    }
}
