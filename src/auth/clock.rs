//! The age of sessions and invitations, whatever the wall clock shows.
//!
//! Ages are counted in `MonotonicSeconds`s: while the program runs by the running clock, which nobody can set,
//! and over the time it was stopped by the wall clock, which may be wrong at the start and right
//! a minute later. So the time it was stopped is an estimate that a later jump can correct:
//!
//! - A clock that is behind the last reading, as on a machine that starts in 1970, gives no estimate.
//!   Until the clock is set, sessions and invitations from before the start count as expired, but
//!   stay in the store; once it is set, those that are young enough are valid again.
//! - A clock that is far ahead makes everything old. If the clock is set back, less time has passed,
//!   and what has not really expired is valid again. So nothing is removed for its age, and no
//!   reading is saved, before a day of running has confirmed such a clock.
//! - A jump ahead while the program runs does not count as time that passed.
//! - On a cluster the earlier counts of this machine's clock and the engine's, so that a node whose
//!   clock is ahead ends nothing.

use std::sync::Mutex;
use std::time::Duration;

use crate::clock::Clock;
use crate::model::{MonotonicSeconds, Timestamp};
use crate::store::ClockReading;

/// The wall clock may be this far behind the last reading and still mean that no time passed: NTP and
/// people correct it by minutes, and a change of the time zone by hours.
const TOLERANCE: Duration = Duration::from_hours(24);

/// A stop that is longer than `TOLERANCE` is confirmed after the program has run for this long.
const CONFIRMED_AFTER: Duration = Duration::from_hours(24);

/// A smaller difference does not correct the estimate: the two clocks are read one after the other.
const NOISE: Duration = Duration::from_secs(2);

/// Assumed while it is not known how long the program was stopped: longer than any session lasts.
const UNKNOWN: Duration = Duration::from_hours(31 * 24);

/// Counts ticks from where the store was left.
pub struct StoreClock {
    clock: Clock,
    saved: ClockReading,
    started: Duration,
    /// How long the program was stopped; `None` while the wall clock does not tell.
    stopped: Mutex<Option<Duration>>,
}

impl StoreClock {
    /// Resumes from the reading that the store has; a new store begins at zero.
    pub fn resume(saved: Option<ClockReading>, clock: Clock) -> Self {
        let new = ClockReading {
            tick: MonotonicSeconds::default(),
            wall: clock.wall(),
        };
        let stopped = saved.is_none().then_some(Duration::ZERO);
        let resumed = StoreClock {
            saved: saved.unwrap_or(new),
            started: clock.running(),
            clock,
            stopped: Mutex::new(stopped),
        };
        // Before the clock can jump.
        resumed.stopped();
        resumed
    }

    pub fn now(&self) -> MonotonicSeconds {
        let stopped = self.stopped().unwrap_or(UNKNOWN);
        MonotonicSeconds(self.saved.tick.0 + (stopped + self.uptime()).as_secs())
    }

    /// Returns true if `now` is certain enough to remove what has expired by it.
    pub fn is_confirmed(&self) -> bool {
        let is_short = |stopped| stopped <= TOLERANCE || self.uptime() >= CONFIRMED_AFTER;
        self.stopped().is_some_and(is_short)
    }

    /// Returns the reading to save, from which the next start resumes. None while it may be wrong:
    /// the saved reading is then the better one.
    pub fn reading(&self) -> Option<ClockReading> {
        let elapsed = self.stopped()? + self.uptime();
        let micros = i64::try_from(elapsed.as_micros()).unwrap_or(i64::MAX);
        // Jumps since the start do not count, unless the clock was set for the first time.
        let steady = Timestamp::from_micros(self.saved.wall.micros().saturating_add(micros));
        let wall = match steady < Timestamp::EARLIEST {
            true => self.clock.wall(),
            false => steady,
        };
        self.is_confirmed().then(|| ClockReading {
            tick: self.now(),
            wall,
        })
    }

    fn uptime(&self) -> Duration {
        self.clock.running().saturating_sub(self.started)
    }

    /// How long the program was stopped, by what the wall clock shows now.
    fn stopped(&self) -> Option<Duration> {
        let uptime = i64::try_from(self.uptime().as_micros()).unwrap_or(i64::MAX);
        let started_at = self.clock.wall().micros().saturating_sub(uptime);
        let behind = started_at.saturating_sub(self.saved.wall.micros());
        let seen = match u64::try_from(behind) {
            Ok(micros) => Some(Duration::from_micros(micros)),
            Err(_) if Duration::from_micros(behind.unsigned_abs()) <= TOLERANCE => {
                Some(Duration::ZERO)
            }
            Err(_) => None,
        };
        let mut stopped = self.stopped.lock().expect("no holder of this lock panics");
        *stopped = match (*stopped, seen) {
            (None, seen) => seen,
            // Set back: less time had passed than it showed at first.
            (Some(known), Some(seen)) if seen + NOISE < known => Some(seen),
            (known, _) => known,
        };
        *stopped
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::example::TestClock;

    const DAY: i64 = 86_400;

    fn day(number: i64) -> Timestamp {
        Timestamp::from_micros(Timestamp::EARLIEST.micros() + number * DAY * 1_000_000)
    }

    /// Resumes at a wall clock of `wall` from the reading that tick 100 was on day 10.
    fn resumed(wall: Timestamp) -> (TestClock, StoreClock) {
        let turned = TestClock::at(wall);
        let saved = ClockReading {
            tick: MonotonicSeconds(100),
            wall: day(10),
        };
        let clock = StoreClock::resume(Some(saved), turned.clock());
        (turned, clock)
    }

    fn age(clock: &StoreClock) -> i64 {
        clock.now().0.cast_signed() - 100
    }

    /// A node whose clock was 8 days ahead joined a cluster, and ended every older session.
    #[test]
    fn a_clock_that_is_ahead_of_the_engines_makes_nothing_old() {
        let saved = ClockReading {
            tick: MonotonicSeconds(100),
            wall: day(10),
        };
        for (own, engine) in [(18, Some(10)), (10, Some(18)), (10, Some(10)), (10, None)] {
            let turned = TestClock::at(day(own));
            let clock = turned.clock().bounded_by(move || engine.map(day));
            let clock = StoreClock::resume(Some(saved), clock);
            assert_eq!(age(&clock), 0, "{own} and {engine:?}");
            assert!(
                clock
                    .reading()
                    .is_some_and(|reading| reading.wall <= day(10))
            );
        }
    }

    #[test]
    fn it_counts_what_passed_while_running_whatever_the_wall_clock_says() {
        let turned = TestClock::at(day(0));
        let clock = StoreClock::resume(None, turned.clock());
        assert_eq!(clock.now(), MonotonicSeconds(0));
        turned.pass(DAY);
        turned.jump(400 * DAY);
        assert_eq!(clock.now().0.cast_signed(), DAY);
        turned.jump(-900 * DAY);
        assert_eq!(clock.now().0.cast_signed(), DAY);
        let reading = clock.reading().unwrap();
        assert_eq!((reading.tick.0.cast_signed(), reading.wall), (DAY, day(1)));
    }

    #[test]
    fn over_a_restart_it_moves_as_far_as_the_wall_clock_and_never_back() {
        assert_eq!(age(&resumed(day(12)).1), 2 * DAY);
        assert_eq!(age(&resumed(day(10)).1), 0);
        assert_eq!(age(&resumed(day(9)).1), 0, "somebody corrected it");
    }

    /// A machine without a clock starts in 1970, and is set when it has found a network.
    #[test]
    fn a_clock_that_was_never_set_tells_nothing_until_it_is_set() {
        let (turned, clock) = resumed(Timestamp::from_micros(5_000_000));
        assert!(age(&clock) > 30 * DAY && !clock.is_confirmed());
        assert_eq!(clock.reading(), None);
        turned.pass(60);
        turned.set(day(10 + 5));
        assert_eq!(age(&clock), 5 * DAY);
        turned.pass(DAY);
        assert_eq!(age(&clock), 6 * DAY);
        let reading = clock.reading().unwrap();
        assert_eq!(reading.wall, turned.wall());
    }

    #[test]
    fn a_clock_that_was_ahead_at_the_start_can_be_set_back() {
        let (turned, clock) = resumed(day(410));
        assert_eq!(age(&clock), 400 * DAY);
        assert_eq!(clock.reading(), None, "the next start may know better");
        turned.pass(60);
        turned.set(day(11));
        assert!((age(&clock) - DAY).abs() <= 60);
        assert!(clock.is_confirmed() && clock.reading().is_some());
        let (turned, clock) = resumed(day(410));
        turned.pass(DAY);
        assert!(clock.is_confirmed(), "it was off for so long");
    }

    #[test]
    fn a_store_that_was_made_before_the_clock_was_set_is_resumed_from_when_it_was() {
        let turned = TestClock::at(Timestamp::from_micros(0));
        let clock = StoreClock::resume(None, turned.clock());
        turned.set(day(10));
        let again = StoreClock::resume(clock.reading(), turned.clock());
        assert_eq!(again.now(), clock.now());
    }
}
