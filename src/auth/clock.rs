//! The clock for ages of sessions and invitations, which survives a wrong wall clock.
//!
//! Ages are counted in `MonotonicSeconds`. While the program runs, the monotonic clock counts, which
//! cannot be set. The time between two runs is estimated from the wall clock, which may be wrong at
//! the start and be set a minute later; the estimate is then corrected:
//!
//! - A clock that is behind the last reading, as on a machine that starts in 1970, gives no estimate.
//!   Until the clock is set, sessions and invitations from before the start count as expired, but
//!   stay in the store; once it is set, those that are young enough are valid again.
//! - A clock that is far ahead makes everything expire. If the clock is set back, the estimate shrinks,
//!   and what has not expired is valid again. So nothing is removed for its age, and no reading is
//!   saved, until the program has run for a day with such a clock.
//! - A jump ahead while the program runs does not count as time that passed.
//! - On a cluster the earlier of this machine's clock and the engine's clock is used, so that a node
//!   whose clock is ahead ends no session.

use std::sync::Mutex;
use std::time::Duration;

use crate::clock::{Clock, SteadyTime};
use crate::model::{MonotonicSeconds, Timestamp};
use crate::store::ClockReading;

/// A wall clock up to this far behind the last reading means that no time passed: NTP and people
/// correct a clock by minutes, and a change of the time zone by hours.
const TOLERANCE: Duration = Duration::from_hours(24);

/// A pause longer than `TOLERANCE` is confirmed after the program has run for this long.
const CONFIRMED_AFTER: Duration = Duration::from_hours(24);

/// A smaller difference does not correct the estimate: the two clocks are read one after the other.
const NOISE: Duration = Duration::from_secs(2);

/// Assumed if the length of the pause is unknown: longer than any session lasts.
const UNKNOWN: Duration = Duration::from_hours(31 * 24);

/// Counts seconds from the last reading in the store.
pub struct StoreClock {
    clock: Clock,
    saved: ClockReading,
    /// The wall clock of `saved`, advanced by the time that the program runs.
    running: SteadyTime,
    /// The time between the last reading and this start; `None` if the wall clock gives no estimate.
    pause: Mutex<Option<Duration>>,
}

impl StoreClock {
    /// Resumes from the reading in the store; a new store begins at zero.
    pub fn resume(saved: Option<ClockReading>, clock: Clock) -> Self {
        let new = ClockReading {
            tick: MonotonicSeconds::default(),
            wall: clock.wall(),
        };
        let pause = saved.is_none().then_some(Duration::ZERO);
        let saved = saved.unwrap_or(new);
        let resumed = StoreClock {
            saved,
            running: SteadyTime::start(saved.wall, &clock),
            clock,
            pause: Mutex::new(pause),
        };
        // Estimated now, before the clock can jump.
        resumed.pause();
        resumed
    }

    /// Returns the present time.
    pub fn now(&self) -> MonotonicSeconds {
        let pause = self.pause().unwrap_or(UNKNOWN);
        MonotonicSeconds(self.saved.tick.0 + (pause + self.uptime()).as_secs())
    }

    /// Returns true if `now` is certain enough to remove what has expired by it.
    pub fn is_confirmed(&self) -> bool {
        let is_confirmed = |pause| pause <= TOLERANCE || self.uptime() >= CONFIRMED_AFTER;
        self.pause().is_some_and(is_confirmed)
    }

    /// Returns the reading to save, from which the next start resumes. `None` while it may be wrong: the
    /// saved reading is then better.
    pub fn reading(&self) -> Option<ClockReading> {
        let pause = i64::try_from(self.pause()?.as_micros()).unwrap_or(i64::MAX);
        // Jumps since the start do not count, unless the clock was set for the first time.
        let running = self.running.now(&self.clock).micros();
        let steady = Timestamp::from_micros(running.saturating_add(pause));
        let wall = if steady < Timestamp::EARLIEST {
            self.clock.wall()
        } else {
            steady
        };
        self.is_confirmed().then(|| ClockReading {
            tick: self.now(),
            wall,
        })
    }

    fn uptime(&self) -> Duration {
        self.running.elapsed(&self.clock)
    }

    /// Estimates the time between the last reading and this start, from the wall clock.
    fn pause(&self) -> Option<Duration> {
        let uptime = i64::try_from(self.uptime().as_micros()).unwrap_or(i64::MAX);
        let started_at = self.clock.wall().micros().saturating_sub(uptime);
        let behind = started_at.saturating_sub(self.saved.wall.micros());
        let estimate = match u64::try_from(behind) {
            Ok(micros) => Some(Duration::from_micros(micros)),
            Err(_) if Duration::from_micros(behind.unsigned_abs()) <= TOLERANCE => {
                Some(Duration::ZERO)
            }
            Err(_) => None,
        };
        let mut pause = self.pause.lock().expect("no holder of this lock panics");
        *pause = match (*pause, estimate) {
            (None, estimate) => estimate,
            // The clock was set back: less time had passed than it showed at first.
            (Some(known), Some(estimate)) if estimate + NOISE < known => Some(estimate),
            (known, _) => known,
        };
        *pause
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

    /// Resumes at `wall` from a reading of 100 s on day 10.
    fn resumed(wall: Timestamp) -> (TestClock, StoreClock) {
        let test_clock = TestClock::at(wall);
        let saved = ClockReading {
            tick: MonotonicSeconds(100),
            wall: day(10),
        };
        let clock = StoreClock::resume(Some(saved), test_clock.clock());
        (test_clock, clock)
    }

    fn age(clock: &StoreClock) -> i64 {
        clock.now().0.cast_signed() - 100
    }

    /// A node whose clock was 8 days ahead joined a cluster, and ended every older session.
    #[test]
    fn a_clock_that_is_ahead_of_the_engine_ages_nothing() {
        let saved = ClockReading {
            tick: MonotonicSeconds(100),
            wall: day(10),
        };
        for (own, engine) in [(18, Some(10)), (10, Some(18)), (10, Some(10)), (10, None)] {
            let test_clock = TestClock::at(day(own));
            let clock = test_clock.clock().bounded_by(move || engine.map(day));
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
    fn while_it_runs_jumps_of_the_wall_clock_do_not_count() {
        let test_clock = TestClock::at(day(0));
        let clock = StoreClock::resume(None, test_clock.clock());
        assert_eq!(clock.now(), MonotonicSeconds(0));
        test_clock.pass(DAY);
        test_clock.jump(400 * DAY);
        assert_eq!(clock.now().0.cast_signed(), DAY);
        test_clock.jump(-900 * DAY);
        assert_eq!(clock.now().0.cast_signed(), DAY);
        let reading = clock.reading().unwrap();
        assert_eq!((reading.tick.0.cast_signed(), reading.wall), (DAY, day(1)));
    }

    #[test]
    fn a_restart_adds_what_the_wall_clock_moved_and_never_subtracts() {
        assert_eq!(age(&resumed(day(12)).1), 2 * DAY);
        assert_eq!(age(&resumed(day(10)).1), 0);
        assert_eq!(age(&resumed(day(9)).1), 0, "the clock was corrected");
    }

    /// A machine without a clock starts in 1970, and is set when it has found a network.
    #[test]
    fn a_clock_in_1970_gives_no_estimate_until_it_is_set() {
        let (test_clock, clock) = resumed(Timestamp::from_micros(5_000_000));
        assert!(age(&clock) > 30 * DAY && !clock.is_confirmed());
        assert_eq!(clock.reading(), None);
        test_clock.pass(60);
        test_clock.set(day(10 + 5));
        assert_eq!(age(&clock), 5 * DAY);
        test_clock.pass(DAY);
        assert_eq!(age(&clock), 6 * DAY);
        let reading = clock.reading().unwrap();
        assert_eq!(reading.wall, test_clock.wall());
    }

    #[test]
    fn a_clock_that_was_ahead_at_the_start_can_be_set_back() {
        let (test_clock, clock) = resumed(day(410));
        assert_eq!(age(&clock), 400 * DAY);
        assert_eq!(clock.reading(), None, "the next start may know better");
        test_clock.pass(60);
        test_clock.set(day(11));
        assert!((age(&clock) - DAY).abs() <= 60);
        assert!(clock.is_confirmed() && clock.reading().is_some());
        let (test_clock, clock) = resumed(day(410));
        test_clock.pass(DAY);
        assert!(clock.is_confirmed(), "the pause was real");
    }

    #[test]
    fn a_store_created_before_the_clock_was_set_resumes_after_it_was_set() {
        let test_clock = TestClock::at(Timestamp::from_micros(0));
        let clock = StoreClock::resume(None, test_clock.clock());
        test_clock.set(day(10));
        let again = StoreClock::resume(clock.reading(), test_clock.clock());
        assert_eq!(again.now(), clock.now());
    }
}
