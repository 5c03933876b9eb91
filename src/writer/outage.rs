//! A disk that refuses: what callers are told meanwhile, when to try it again, and what of it
//! belongs into the log.

use std::time::{Duration, Instant};

use super::command::WriteError;
use crate::store::StoreError;

/// Pause before the second try; the first is made at once. Doubles with every try.
const FIRST_PAUSE: Duration = Duration::from_millis(250);
/// The longest pause: after this, at most, writing works again where there is room again.
const LONGEST_PAUSE: Duration = Duration::from_secs(10);
/// The same for an engine that is out of reach: looking at its local state costs next to nothing.
const LONGEST_LOOK: Duration = Duration::from_millis(200);

/// An outage that begins so soon after the last one was logged is the same one to a reader of the
/// log: a disk on the edge of full must not fill up with that.
const SAME_FOR: Duration = Duration::from_secs(60);

/// An outage that lasts longer is logged all the same.
const SHORT: Duration = Duration::from_secs(1);

/// The time from a failure until writing works again.
#[derive(Debug)]
pub struct Outage {
    began: Instant,
    tries: u32,
    next_try: Instant,
    /// What every command is answered.
    pub answer: WriteError,
    /// Commands that were refused.
    pub refused: u64,
    is_logged: bool,
}

/// The outages of a run.
#[derive(Debug, Default)]
pub struct Outages {
    logged: Option<Instant>,
}

impl Outages {
    /// Begins one with `error`, and logs it unless one has just been logged.
    pub fn begin(&mut self, error: &StoreError, now: Instant) -> Outage {
        let is_known = |logged: Instant| now.duration_since(logged) < SAME_FOR;
        let is_logged = !self.logged.is_some_and(is_known);
        if is_logged {
            self.logged = Some(now);
            log_begin(error);
        }
        Outage {
            began: now,
            tries: 0,
            next_try: now,
            answer: WriteError::during(error),
            refused: 0,
            is_logged,
        }
    }
}

fn log_begin(error: &StoreError) {
    tracing::error!(%error, "changes cannot be written; none of them is shown; retrying");
}

impl Outage {
    /// When the disk is to be tried again.
    pub fn next_try(&self) -> Instant {
        self.next_try
    }

    /// Puts the next try off after one that failed with `error`.
    pub fn failed_again(&mut self, error: &StoreError, now: Instant) {
        tracing::debug!(%error, tries = self.tries, "the store still refuses");
        if let StoreError::Forgot { .. } = error
            && self.tries == 0
        {
            tracing::error!(%error, "the disk lost what it had confirmed");
        }
        if !self.is_logged && now.duration_since(self.began) >= SHORT {
            self.is_logged = true;
            log_begin(error);
        }
        let pause = FIRST_PAUSE * 2_u32.saturating_pow(self.tries.min(16));
        self.tries += 1;
        let longest = match error {
            StoreError::Unavailable(_) => LONGEST_LOOK,
            _ => LONGEST_PAUSE,
        };
        self.next_try = now + pause.min(longest);
        self.answer = WriteError::during(error);
    }

    /// The end of it.
    pub fn ended(&self, now: Instant) {
        let lasted = now.duration_since(self.began);
        let (seconds, refused) = (lasted.as_secs_f32(), self.refused);
        if self.is_logged {
            tracing::info!(seconds, refused, "changes can be written again");
        } else {
            tracing::debug!(seconds, refused, "changes can be written again");
        }
    }
}

impl WriteError {
    /// What the one who asked is told when the store failed with `error`.
    pub(super) fn of_store(error: &StoreError) -> Self {
        match error {
            StoreError::Full(_) => WriteError::Full,
            StoreError::Moved(_) => WriteError::Moved,
            StoreError::Conflict => WriteError::Conflict,
            StoreError::Unavailable(_) => WriteError::Unavailable,
            StoreError::Unknown(_) => WriteError::Unknown,
            StoreError::Rejected(_) => WriteError::Rejected,
            _ => WriteError::Store,
        }
    }

    /// What those are told who ask while the store fails with `error`: of theirs, nothing was
    /// written.
    fn during(error: &StoreError) -> Self {
        match WriteError::of_store(error) {
            WriteError::Unknown => WriteError::Unavailable,
            answer => answer,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_disk_is_tried_at_once_then_ever_more_rarely_and_at_least_every_ten_seconds() {
        let start = Instant::now();
        let error = StoreError::Full("no room".to_owned());
        let mut outage = Outages::default().begin(&error, start);
        assert_eq!(outage.next_try(), start);
        let mut pauses = Vec::new();
        for _ in 0..40 {
            let now = outage.next_try();
            outage.failed_again(&error, now);
            pauses.push(outage.next_try() - now);
        }
        assert_eq!(pauses[..3], [250, 500, 1000].map(Duration::from_millis));
        assert!(pauses.is_sorted());
        assert_eq!(pauses.last(), Some(&LONGEST_PAUSE));
    }

    #[test]
    fn a_full_disk_is_told_apart_from_a_broken_one() {
        let start = Instant::now();
        let full = StoreError::Full("no room".to_owned());
        let broken = StoreError::Write("I/O error".to_owned());
        let mut outage = Outages::default().begin(&broken, start);
        assert_eq!(outage.answer, WriteError::Store);
        outage.failed_again(&full, start);
        assert_eq!(outage.answer, WriteError::Full);
    }

    /// A disk on the edge of full, and a simulator that never stops, wrote a line per change.
    #[test]
    fn outages_that_follow_each_other_closely_are_logged_as_one() {
        let start = Instant::now();
        let error = StoreError::Full("no room".to_owned());
        let mut outages = Outages::default();
        let seconds = |seconds| start + Duration::from_secs(seconds);
        let logged =
            [0, 1, 30, 59, 61, 62, 200].map(|at| outages.begin(&error, seconds(at)).is_logged);
        assert_eq!(logged, [true, false, false, false, true, false, true]);
    }

    /// The second outage within a minute was not logged, however long it lasted.
    #[test]
    fn an_outage_that_lasts_is_logged_however_soon_it_follows_another() {
        let start = Instant::now();
        let error = StoreError::Unavailable("no leader".to_owned());
        let mut outages = Outages::default();
        outages.begin(&error, start);
        let began = start + Duration::from_secs(2);
        let mut outage = outages.begin(&error, began);
        outage.failed_again(&error, began + SHORT / 2);
        assert!(!outage.is_logged);
        outage.failed_again(&error, began + SHORT);
        assert!(outage.is_logged);
    }
}
