//! How many viewers ask again and again, told from how often anybody asks.
//!
//! They leave nothing behind between two questions, and nobody is told apart by address: a whole
//! clinic may come from one. What is left is the rate, over a window of fixed size.

use std::sync::{Arc, Mutex};
use std::time::Instant;

/// How often such a viewer asks, in seconds.
const ASKS_EVERY: u64 = 3;

/// The seconds that are looked back on: a few questions of each, so that one that comes early or
/// late changes little.
pub const WINDOW_SECONDS: usize = 12;

/// Questions per second, for the seconds of the window. Cheap to clone; clones share the numbers.
#[derive(Clone)]
pub struct Asking {
    began: Instant,
    seconds: Arc<Mutex<[Second; WINDOW_SECONDS]>>,
}

#[derive(Clone, Copy, Default)]
struct Second {
    number: u64,
    questions: u64,
}

impl Asking {
    pub fn new() -> Self {
        Asking {
            began: Instant::now(),
            seconds: Arc::default(),
        }
    }

    /// Somebody asks now.
    pub fn count(&self) {
        self.count_at(self.now());
    }

    /// Those who ask, as far as their questions tell; anyone at all counts as one.
    pub fn viewers(&self) -> u64 {
        self.viewers_at(self.now())
    }

    fn now(&self) -> u64 {
        self.began.elapsed().as_secs()
    }

    fn count_at(&self, now: u64) {
        let mut seconds = self.seconds.lock().expect("no holder of this lock panics");
        let second = &mut seconds[usize::try_from(now).unwrap_or(0) % WINDOW_SECONDS];
        if second.number != now {
            *second = Second {
                number: now,
                questions: 0,
            };
        }
        second.questions += 1;
    }

    fn viewers_at(&self, now: u64) -> u64 {
        let window = WINDOW_SECONDS as u64;
        let seconds = self.seconds.lock().expect("no holder of this lock panics");
        let recent = seconds.iter().filter(|second| second.number + window > now);
        let questions: u64 = recent.map(|second| second.questions).sum();
        questions.div_ceil(window / ASKS_EVERY)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn viewers_who_ask_every_three_seconds_are_counted_as_they_are() {
        let asking = Asking::new();
        for now in 0..60 {
            // Five in step, and two by themselves.
            let asked = match now % ASKS_EVERY {
                0 => 5,
                _ => 1,
            };
            (0..asked).for_each(|_| asking.count_at(now));
            if now >= WINDOW_SECONDS as u64 {
                assert_eq!(asking.viewers_at(now), 7, "at {now} s");
            }
        }
    }

    #[test]
    fn one_who_came_is_counted_at_once_and_is_forgotten_after_the_window() {
        let asking = Asking::new();
        assert_eq!(asking.viewers_at(0), 0);
        asking.count_at(100);
        assert_eq!(asking.viewers_at(100), 1);
        assert_eq!(asking.viewers_at(111), 1);
        assert_eq!(asking.viewers_at(112), 0);
    }
}
