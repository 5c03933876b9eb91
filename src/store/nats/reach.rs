//! Whether the engine answers, so that something may be sent to it.

use std::time::Duration;

use tokio::sync::{Notify, watch};
use tokio::time::Instant;

use super::layout;
use super::link::Link;
use crate::store::StoreError;

/// Silence after which nothing is sent any more.
const HEARD_WITHIN: Duration = Duration::from_secs(4);

/// Silence after which the metrics show the engine as not writable. Writes are not refused yet: a
/// server under load may be as slow.
const RESPONDS_WITHIN: Duration = Duration::from_millis(900);

/// What a node has heard of the servers behind `link`.
pub struct Reach {
    link: Link,
    state: watch::Sender<State>,
    /// Notified when the engine becomes suspect, so that it is asked immediately.
    pub suspected: Notify,
}

#[derive(Clone, Copy)]
struct State {
    /// When the last question was asked that the engine answered; `None` while it is suspect.
    heard: Option<Instant>,
    /// The last failure. An answer to an earlier question proves nothing.
    failed: Option<Instant>,
    /// When the write was sent that is not acknowledged yet.
    writing_since: Option<Instant>,
}

impl Reach {
    /// Of servers that have just answered.
    pub fn new(link: Link) -> Self {
        Reach {
            link,
            state: watch::Sender::new(State {
                heard: Some(Instant::now()),
                failed: None,
                writing_since: None,
            }),
            suspected: Notify::new(),
        }
    }

    /// Notes that the engine has answered the question that was sent at `asked`, and that this node
    /// has caught up with it.
    pub fn hear(&self, asked: Instant) {
        self.state.send_modify(|state| {
            if state.failed.is_none_or(|failed| failed < asked) {
                state.heard = state.heard.max(Some(asked));
            }
        });
    }

    /// Marks the engine as suspect after a failure, or an answer that contradicts what was shown:
    /// nothing is sent until it has answered a question that is asked from now on.
    pub fn mark_suspect(&self) {
        self.state.send_modify(|state| {
            state.heard = None;
            state.failed = Some(Instant::now());
        });
        self.suspected.notify_one();
    }

    /// Notes that a write was sent, or, with `None`, that its outcome is known.
    pub fn set_writing(&self, since: Option<Instant>) {
        self.state.send_modify(|state| state.writing_since = since);
    }

    /// Waits until the engine has answered something that was asked after `moment`.
    pub async fn until_heard_after(&self, moment: Instant) {
        let mut state = self.state.subscribe();
        // Fails when the node is gone, and whoever waits with it.
        let _ = state
            .wait_for(|state| state.heard.is_some_and(|heard| heard > moment))
            .await;
    }

    /// Returns true if the engine answers.
    pub fn is_within(&self) -> bool {
        self.has_heard_within(HEARD_WITHIN)
    }

    /// Returns true if the engine answers questions and writes without delay.
    pub fn is_responsive(&self) -> bool {
        let writing_since = self.state.borrow().writing_since;
        self.has_heard_within(RESPONDS_WITHIN)
            && writing_since.is_none_or(|since| since.elapsed() < RESPONDS_WITHIN)
    }

    fn has_heard_within(&self, limit: Duration) -> bool {
        let heard = self.state.borrow().heard;
        self.link.is_connected() && heard.is_some_and(|heard| heard.elapsed() < limit)
    }

    /// # Errors
    /// `Unavailable` when the engine does not answer, or is still caught up with.
    pub fn check(&self) -> Result<(), StoreError> {
        if self.is_within() {
            return Ok(());
        }
        Err(StoreError::Unavailable("it does not answer".to_owned()))
    }

    /// Whether something may be written: also not to servers that are no longer good enough.
    ///
    /// # Errors
    /// `Unavailable`; nothing was sent yet, so nothing was written.
    pub async fn check_to_write(&self) -> Result<(), StoreError> {
        self.check()?;
        let checked = layout::check_servers(&self.link).await;
        checked.map_err(|error| {
            // Otherwise the outage that begins now would seem to end immediately.
            self.mark_suspect();
            StoreError::Unavailable(error.to_string())
        })
    }
}
