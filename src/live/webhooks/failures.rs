//! Consecutive failures of the store or the program. A worker retries with back-off, and reports a lasting failure once.

use std::fmt::Display;
use std::time::Duration;

use crate::clock::backoff;
use crate::model::WebhookId;

/// The first pause, and the longest.
const FIRST_PAUSE: Duration = Duration::from_millis(500);
const LONGEST_PAUSE: Duration = Duration::from_mins(1);

/// Failures that count as lasting. The fifth comes after 7.5 s; most elections of a cluster are shorter.
const LASTING: u32 = 5;

/// Failures of one kind.
#[derive(Debug, Default)]
pub struct Failures {
    count: u32,
    /// Sentence for admins, once the failures last.
    notice: Option<String>,
}

impl Failures {
    /// Counts a failure of `action`, such as "read the store", and logs the one from which on they count as
    /// lasting. Returns the pause before the next attempt.
    pub fn add(&mut self, webhook: WebhookId, action: &str, error: &impl Display) -> Duration {
        self.count = self.count.saturating_add(1);
        if self.count == LASTING {
            tracing::warn!(%error, webhook.id = %webhook, "a webhook cannot {action}; it tries again with back-off");
            self.notice = Some(format!(
                "pet-store cannot {action}: {error}. It tries again at least once a minute."
            ));
        } else {
            tracing::debug!(%error, webhook.id = %webhook, "a webhook cannot {action}");
        }
        self.pause()
    }

    /// Counts a failure that the caller has logged. Returns the pause before the next attempt.
    pub fn add_logged(&mut self) -> Duration {
        self.count = self.count.saturating_add(1);
        self.pause()
    }

    /// Ends the failures of `action`, and logs that if they lasted.
    pub fn end(&mut self, webhook: WebhookId, action: &str) {
        if self.notice.is_some() {
            tracing::info!(webhook.id = %webhook, "a webhook can {action} again");
        }
        *self = Failures::default();
    }

    /// Returns the notice for admins, if the failures last.
    pub fn notice(&self) -> Option<&str> {
        self.notice.as_deref()
    }

    fn pause(&self) -> Duration {
        backoff(FIRST_PAUSE, LONGEST_PAUSE, self.count)
    }
}
