//! Time as sessions know it: it only moves on.
//!
//! Wall clocks are set, forward and back, by people, by the network and by an empty battery. A
//! session must neither be given years by that nor be taken away. So age is counted in `Tick`s:
//! while the program runs, by a clock that nobody sets; over a restart, by how far the wall clock
//! has come meanwhile, and not at all when it has gone back.

use std::sync::Arc;
use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};

use crate::model::{Moment, Tick};
use crate::store::ClockReading;

/// How long something has been running; only differences count.
pub type Source = Arc<dyn Fn() -> Duration + Send + Sync>;

/// The store's own clock.
pub struct Clock {
    base: Tick,
    started: Duration,
    source: Source,
}

impl Clock {
    /// Goes on from where the store says it was.
    pub fn resume(saved: Option<ClockReading>) -> Self {
        Clock::resume_by(Arc::new(since_boot), saved, Moment::now())
    }

    /// The same by another source, at a wall clock of `wall`.
    pub fn resume_by(source: Source, saved: Option<ClockReading>, wall: Moment) -> Self {
        let base = saved.map_or(Tick::default(), |saved| {
            Tick(saved.tick.0 + wall.since(saved.wall).as_secs())
        });
        Clock {
            base,
            started: source(),
            source,
        }
    }

    pub fn now(&self) -> Tick {
        let running = (self.source)().saturating_sub(self.started);
        Tick(self.base.0 + running.as_secs())
    }

    /// What to save, so that a restart goes on from here.
    pub fn reading(&self) -> ClockReading {
        ClockReading {
            tick: self.now(),
            wall: Moment::now(),
        }
    }
}

/// Since the machine was started, the time it slept included. Nobody can set it.
fn since_boot() -> Duration {
    let time = clock_gettime(ClockId::Boottime);
    let seconds = u64::try_from(time.tv_sec).unwrap_or(0);
    let nanoseconds = u32::try_from(time.tv_nsec).unwrap_or(0);
    Duration::new(seconds, nanoseconds)
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU64, Ordering};

    use super::*;

    const DAY: u64 = 86_400;

    fn wall(seconds: u64) -> Moment {
        Moment::from_micros(seconds.cast_signed() * 1_000_000)
    }

    fn resumed(saved: (u64, u64), wall_now: u64) -> u64 {
        let (tick, then) = (Tick(saved.0), wall(saved.1));
        let saved = ClockReading { tick, wall: then };
        let clock = Clock::resume_by(Arc::new(|| Duration::ZERO), Some(saved), wall(wall_now));
        clock.now().0
    }

    #[test]
    fn it_counts_what_passed_while_running_whatever_the_wall_clock_says() {
        let seconds = Arc::new(AtomicU64::new(500));
        let counted = Arc::clone(&seconds);
        let source = Arc::new(move || Duration::from_secs(counted.load(Ordering::Relaxed)));
        let clock = Clock::resume_by(source, None, wall(0));
        assert_eq!(clock.now(), Tick(0));
        seconds.fetch_add(DAY, Ordering::Relaxed);
        assert_eq!(clock.now(), Tick(DAY));
    }

    #[test]
    fn over_a_restart_it_moves_as_far_as_the_wall_clock_and_never_back() {
        assert_eq!(resumed((100, 10 * DAY), 12 * DAY), 100 + 2 * DAY);
        assert_eq!(resumed((100, 10 * DAY), 10 * DAY), 100);
        assert_eq!(resumed((100, 10 * DAY), 3 * DAY), 100);
    }

    #[test]
    fn the_machines_own_clock_runs() {
        let first = since_boot();
        assert!(first > Duration::ZERO && since_boot() >= first);
    }
}
