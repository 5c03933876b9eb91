//! The two clocks of the machine, and the detection of clock jumps.
//!
//! The wall clock is set by people and by NTP, and reset by an empty battery. The running clock
//! (`CLOCK_BOOTTIME`) counts the time since the machine was started, including its sleep, and cannot be
//! set. If both measure different durations between two readings, the wall clock has jumped.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};

use crate::model::Timestamp;

/// Least difference between the two clocks that counts as a jump, in microseconds. NTP slews the wall
/// clock by half a millisecond per second, and a thread may be preempted between the two readings.
const JUMP_MICROS: i64 = 2_000_000;

/// The wall clock and the running clock. Cheap to clone.
#[derive(Clone)]
pub struct Clock {
    wall: Arc<dyn Fn() -> Timestamp + Send + Sync>,
    running: Arc<dyn Fn() -> Duration + Send + Sync>,
}

impl Clock {
    /// Returns the clocks of this machine.
    pub fn system() -> Self {
        Clock::new(Timestamp::now, since_boot)
    }

    /// Returns clocks that read `wall` and `running`, for tests.
    pub fn new(
        wall: impl Fn() -> Timestamp + Send + Sync + 'static,
        running: impl Fn() -> Duration + Send + Sync + 'static,
    ) -> Self {
        Clock {
            wall: Arc::new(wall),
            running: Arc::new(running),
        }
    }

    /// Returns this clock with its wall clock never later than `other`, the clock of another machine, so
    /// that a clock that is ahead makes nothing expire early. A clock that was never set is ignored.
    pub fn bounded_by(self, other: impl Fn() -> Option<Timestamp> + Send + Sync + 'static) -> Self {
        let own = self.wall;
        let wall = move || match (own(), other()) {
            (own, Some(other)) if own < Timestamp::EARLIEST => other,
            (own, Some(other)) if other >= Timestamp::EARLIEST => own.min(other),
            (own, _) => own,
        };
        Clock {
            wall: Arc::new(wall),
            running: self.running,
        }
    }

    /// Reads the wall clock.
    pub fn wall(&self) -> Timestamp {
        (self.wall)()
    }

    /// Reads the running clock: the time since a fixed moment before the program started.
    pub fn running(&self) -> Duration {
        (self.running)()
    }
}

impl fmt::Debug for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Clock").field("wall", &self.wall()).finish()
    }
}

fn since_boot() -> Duration {
    let time = clock_gettime(ClockId::Boottime);
    let seconds = u64::try_from(time.tv_sec).unwrap_or(0);
    let nanoseconds = u32::try_from(time.tv_nsec).unwrap_or(0);
    Duration::new(seconds, nanoseconds)
}

/// A point in time that advances with the running clock. Jumps of the wall clock do not move it.
#[derive(Clone, Copy, Debug)]
pub struct SteadyTime {
    start: Timestamp,
    running: Duration,
}

impl SteadyTime {
    /// Starts at `start`, whatever the wall clock shows.
    pub fn start(start: Timestamp, clock: &Clock) -> Self {
        SteadyTime {
            start,
            running: clock.running(),
        }
    }

    /// Returns the time that has passed since the start.
    pub fn elapsed(&self, clock: &Clock) -> Duration {
        clock.running().saturating_sub(self.running)
    }

    /// Returns the start and the time that has passed since.
    pub fn now(&self, clock: &Clock) -> Timestamp {
        let micros = i64::try_from(self.elapsed(clock).as_micros()).unwrap_or(i64::MAX);
        Timestamp::from_micros(self.start.micros().saturating_add(micros))
    }
}

/// Detects jumps of the wall clock between two calls of `check`.
#[derive(Debug)]
pub struct JumpDetector {
    clock: Clock,
    /// Wall clock minus running clock, in microseconds.
    offset: i64,
}

impl JumpDetector {
    /// Takes the first reading.
    pub fn new(clock: Clock) -> Self {
        let offset = offset(&clock);
        JumpDetector { clock, offset }
    }

    /// Returns the size of a jump since the last reading in seconds, negative if the clock went back;
    /// `None` if there was no jump.
    pub fn check(&mut self) -> Option<f64> {
        let offset = offset(&self.clock);
        let moved = offset - std::mem::replace(&mut self.offset, offset);
        #[expect(
            clippy::cast_precision_loss,
            reason = "microseconds do not matter for a metric and a log line"
        )]
        let seconds = moved as f64 / 1e6;
        (moved.abs() >= JUMP_MICROS).then_some(seconds)
    }
}

fn offset(clock: &Clock) -> i64 {
    let running = i64::try_from(clock.running().as_micros()).unwrap_or(i64::MAX);
    clock.wall().micros().saturating_sub(running)
}

#[cfg(test)]
pub mod example {
    //! Clocks for tests.

    use std::sync::atomic::{AtomicI64, Ordering};

    use super::{Arc, Clock, Duration, Timestamp};

    /// Clocks that stand still until a test moves them.
    #[derive(Clone, Default)]
    pub struct TestClock {
        running_seconds: Arc<AtomicI64>,
        offset_seconds: Arc<AtomicI64>,
    }

    impl TestClock {
        /// Creates clocks with this wall clock.
        pub fn at(wall: Timestamp) -> Self {
            let clock = TestClock::default();
            clock.set(wall);
            clock
        }

        /// Returns the clocks to pass to the tested code.
        pub fn clock(&self) -> Clock {
            let (wall, running) = (self.clone(), self.clone());
            Clock::new(move || wall.wall(), move || running.running())
        }

        /// Reads the wall clock.
        pub fn wall(&self) -> Timestamp {
            let running = self.running_seconds.load(Ordering::Relaxed);
            let seconds = running + self.offset_seconds.load(Ordering::Relaxed);
            Timestamp::from_micros(seconds * 1_000_000)
        }

        /// Lets time pass on both clocks.
        pub fn pass(&self, seconds: i64) {
            self.running_seconds.fetch_add(seconds, Ordering::Relaxed);
        }

        /// Sets the wall clock; no time passes.
        pub fn set(&self, wall: Timestamp) {
            let moved = (wall.micros() - self.wall().micros()) / 1_000_000;
            self.jump(moved);
        }

        /// Moves the wall clock; no time passes.
        pub fn jump(&self, seconds: i64) {
            self.offset_seconds.fetch_add(seconds, Ordering::Relaxed);
        }

        fn running(&self) -> Duration {
            let seconds = self.running_seconds.load(Ordering::Relaxed);
            Duration::from_secs(seconds.cast_unsigned())
        }
    }
}

/// Exponential back-off: returns the pause after `failures` failures in a row: `first` after the first one, then twice the
/// pause before, and at most `max`.
pub fn backoff(first: Duration, max: Duration, failures: u32) -> Duration {
    let doublings = failures.saturating_sub(1).min(16);
    first.saturating_mul(1 << doublings).min(max)
}

#[cfg(test)]
mod tests {
    use super::example::TestClock;
    use super::*;

    #[test]
    fn a_jump_is_detected_once_in_either_direction_and_passing_time_is_none() {
        let test_clock = TestClock::at(Timestamp::EARLIEST);
        let mut detector = JumpDetector::new(test_clock.clock());
        test_clock.pass(86_400);
        assert_eq!(detector.check(), None);
        test_clock.jump(-300);
        test_clock.pass(60);
        assert_eq!(detector.check(), Some(-300.0));
        assert_eq!(detector.check(), None);
        test_clock.jump(400 * 86_400);
        assert_eq!(detector.check(), Some(400.0 * 86_400.0));
        test_clock.jump(1);
        assert_eq!(detector.check(), None, "a second is below the limit");
    }

    #[test]
    fn the_clocks_of_the_machine_run() {
        let clock = Clock::system();
        let first = clock.running();
        assert!(first > Duration::ZERO && clock.running() >= first);
        assert_eq!(JumpDetector::new(clock).check(), None);
    }

    #[test]
    fn each_pause_is_twice_the_one_before_up_to_the_limit() {
        let (first, max) = (Duration::from_millis(250), Duration::from_secs(10));
        let pauses = [0, 1, 2, 3, 7, u32::MAX].map(|failures| backoff(first, max, failures));
        let expected = [250, 250, 500, 1000, 10_000, 10_000].map(Duration::from_millis);
        assert_eq!(pauses, expected);
    }
}
