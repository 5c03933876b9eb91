//! The retention of changes, measured from a present time that a wrong clock cannot move.
//!
//! A wall clock that is ahead would make the whole log old. So the present time starts at the newest
//! change in the log, advances with the running clock, and is never later than the wall clock. A jump
//! ahead, also one before the start, therefore only keeps changes for longer: until the program is
//! restarted, or has run for the whole retention period.

use std::time::Duration;

use crate::clock::{Clock, SteadyTime};
use crate::model::{Rev, Timestamp};
use crate::store::{Engine, StoreError};

/// Trims the log, and keeps the present time for that.
pub struct Retention {
    history: Duration,
    clock: Clock,
    /// The present time; `None` until it is first needed.
    present: Option<SteadyTime>,
}

impl Retention {
    /// Keeps changes for `history`.
    pub fn new(history: Duration, clock: Clock) -> Self {
        Retention {
            history,
            clock,
            present: None,
        }
    }

    /// Removes up to `limit` changes that are too old, and returns their number.
    ///
    /// # Errors
    /// As for `Engine::trim`.
    pub fn trim(
        &mut self,
        engine: &dyn Engine,
        kept: u64,
        limit: usize,
    ) -> Result<usize, StoreError> {
        let present = self.present(engine)?;
        let trimmed = engine.trim(present, self.history, kept, limit)?;
        if trimmed < limit {
            engine.save_present(present)?;
        }
        Ok(trimmed)
    }

    /// Saves the present time before the program ends.
    ///
    /// # Errors
    /// As for `Engine::save_present`.
    pub fn close(&mut self, engine: &dyn Engine) -> Result<(), StoreError> {
        let present = self.present(engine)?;
        engine.save_present(present)
    }

    /// Starts the retention period over after a jump of the wall clock: changes from before the jump
    /// are at least as old as the time that the program has run since.
    pub fn on_jump(&mut self) {
        if let Some(present) = &mut self.present {
            let now = present.now(&self.clock).min(self.clock.wall());
            *present = SteadyTime::start(now, &self.clock);
        }
    }

    /// Returns the present time.
    ///
    /// # Errors
    /// As `Engine::saved_present`.
    pub fn present(&mut self, engine: &dyn Engine) -> Result<Timestamp, StoreError> {
        let wall = self.clock.wall();
        let start = match self.present {
            Some(present) if present.elapsed(&self.clock) <= self.history => {
                return Ok(present.now(&self.clock).min(wall));
            }
            // Every change from before the last jump is older than the period by the running clock.
            Some(_) => wall,
            None => {
                let saved = engine.saved_present()?;
                let known = saved.map_or_else(|| newest_at(engine), |saved| Ok(Some(saved)))?;
                known.map_or(wall, |known| known.min(wall))
            }
        };
        self.present = Some(SteadyTime::start(start, &self.clock));
        Ok(start)
    }
}

/// Returns the timestamp of the newest change.
fn newest_at(engine: &dyn Engine) -> Result<Option<Timestamp>, StoreError> {
    let newest = engine.newest()?;
    let before = Rev::new(newest.get().saturating_sub(1));
    let changes = engine.changes_between(before, newest.next())?;
    Ok(changes.last().map(|change| change.at))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::example::TestClock;
    use crate::model::example::change;
    use crate::model::{Change, ChangeKind, Epoch, Status};
    use crate::store::MemoryEngine;

    const DAY: i64 = 86_400;

    fn day(number: i64) -> Timestamp {
        Timestamp::from_micros(Timestamp::EARLIEST.micros() + number * DAY * 1_000_000)
    }

    /// Retention of 90 days over a log whose newest change has the timestamp `newest`.
    fn rig(wall: Timestamp, newest: Timestamp) -> (TestClock, MemoryEngine, Retention) {
        let engine = MemoryEngine::new(Epoch::new(1));
        let change = change(1, 1, ChangeKind::Status(Status::Eating));
        let change = Change {
            at: newest,
            ..change
        };
        engine.append(&[change]).unwrap();
        let clock = TestClock::at(wall);
        let retention = Retention::new(Duration::from_hours(90 * 24), clock.clock());
        (clock, engine, retention)
    }

    #[test]
    fn the_present_advances_with_the_running_clock_and_not_with_a_jump_ahead() {
        let (clock, engine, mut retention) = rig(day(100), day(100));
        assert_eq!(retention.present(&engine).unwrap(), day(100));
        clock.pass(5 * DAY);
        assert_eq!(retention.present(&engine).unwrap(), day(105));
        clock.jump(400 * DAY);
        retention.on_jump();
        clock.pass(DAY);
        assert_eq!(retention.present(&engine).unwrap(), day(106));
        clock.jump(-400 * DAY);
        retention.on_jump();
        assert_eq!(retention.present(&engine).unwrap(), day(106));
        clock.jump(-3 * DAY);
        retention.on_jump();
        assert_eq!(
            retention.present(&engine).unwrap(),
            day(103),
            "the later time is not proved"
        );
    }

    #[test]
    fn a_clock_that_is_ahead_at_the_start_makes_nothing_old() {
        let (_, engine, mut retention) = rig(day(500), day(100));
        assert_eq!(retention.present(&engine).unwrap(), day(100));
        let (_, engine, mut retention) = rig(day(100), day(500));
        assert_eq!(retention.present(&engine).unwrap(), day(100));
    }

    /// One change while the clock was 400 days ahead, and another start with that clock: the newest
    /// change then proved the wrong present, and the log was trimmed to its newest 10,000 changes.
    #[test]
    fn a_change_stamped_by_a_clock_that_is_ahead_proves_no_present_at_the_next_start() {
        let (clock, engine, mut retention) = rig(day(100), day(100));
        retention.present(&engine).unwrap();
        clock.pass(DAY);
        retention.close(&engine).unwrap();
        let change = change(2, 1, ChangeKind::Status(Status::Eating));
        let ahead = Change {
            at: day(501),
            ..change
        };
        engine.append(&[ahead]).unwrap();
        let period = Duration::from_hours(90 * 24);
        let clock = TestClock::at(day(501));
        let mut retention = Retention::new(period, clock.clock());
        assert_eq!(retention.present(&engine).unwrap(), day(101));
        clock.pass(DAY);
        retention.trim(&engine, 0, 1).unwrap();
        let mut retention = Retention::new(period, TestClock::at(day(502)).clock());
        assert_eq!(retention.present(&engine).unwrap(), day(102));
    }

    #[test]
    fn a_jump_is_accepted_once_everything_before_it_is_old_anyway() {
        let (clock, engine, mut retention) = rig(day(1), day(1));
        retention.present(&engine).unwrap();
        clock.jump(400 * DAY);
        retention.on_jump();
        clock.pass(90 * DAY);
        assert_eq!(retention.present(&engine).unwrap(), day(91));
        clock.pass(1);
        let accepted = retention.present(&engine).unwrap();
        assert!(accepted > day(491), "the log is not kept for ever");
    }
}
