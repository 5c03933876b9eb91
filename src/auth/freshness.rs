//! Asking a store that other nodes edit too, before somebody is taken for a stranger: who signed in
//! at another node a moment ago may come here before the word of it does.

use std::collections::HashMap;
use std::time::Duration;

use tokio::sync::Mutex;
use tokio::time::{Instant, sleep_until};

use crate::model::Key;

/// The least time from one such question to the next. Strangers, who may be many, share one.
const SPACING: Duration = Duration::from_millis(20);

/// How long a stranger stays one unasked: by then the word has come, or the node has looked itself.
const STRANGE_FOR: Duration = Duration::from_secs(5);

/// Strangers that are remembered.
const STRANGERS: usize = 1000;

/// When it was last asked, and about whom.
#[derive(Default)]
pub struct Freshness(Mutex<State>);

#[derive(Default)]
struct State {
    asked: Option<Instant>,
    strangers: HashMap<Key, Instant>,
}

impl Freshness {
    /// Returns when `ask` was run by somebody since this call began, or for `key` not long ago.
    pub async fn renew(&self, key: Key, ask: impl AsyncFnOnce()) {
        let wanted = Instant::now();
        let mut state = self.0.lock().await;
        let is_known = |asked: &Instant| wanted.saturating_duration_since(*asked) < STRANGE_FOR;
        if state.strangers.get(&key).is_some_and(is_known) {
            return;
        }
        if state.asked.is_none_or(|asked| asked < wanted) {
            if let Some(asked) = state.asked {
                sleep_until(asked + SPACING).await;
            }
            state.asked = Some(Instant::now());
            ask().await;
        }
        if state.strangers.len() >= STRANGERS {
            state.strangers.clear();
        }
        state.strangers.insert(key, Instant::now());
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use futures_util::future::join_all;
    use tokio::time::{advance, sleep};

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn those_who_come_at_once_share_a_question_and_a_stranger_stays_one_for_a_while() {
        let (freshness, count) = (Freshness::default(), AtomicU32::new(0));
        let ask = async || {
            sleep(Duration::from_millis(5)).await;
            count.fetch_add(1, Ordering::Relaxed);
        };
        let key = |number: u8| Key::new([number; 32]);
        let asked = || count.load(Ordering::Relaxed);
        let come = async |number: u8| {
            sleep(Duration::from_millis(number.min(2).into())).await;
            freshness.renew(key(number), ask).await;
        };
        join_all((0..100).map(come)).await;
        assert_eq!(asked(), 2, "the first, and one for all who came meanwhile");
        freshness.renew(key(1), ask).await;
        assert_eq!(asked(), 2, "was asked about");
        let start = Instant::now();
        freshness.renew(key(200), ask).await;
        assert_eq!(asked(), 3);
        assert!(start.elapsed() >= SPACING - Duration::from_millis(6));
        advance(STRANGE_FOR).await;
        freshness.renew(key(1), ask).await;
        assert_eq!(asked(), 4);
    }
}
