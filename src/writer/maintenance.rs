//! The work of the writer's thread between batches: retries a store that failed, trims the log,
//! removes unused photos, empties the trash, and detects jumps of the wall clock.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::command::WriteError;
use super::outage::{Outage, OutageLog};
use super::photo_cleanup::PhotoCleanup;
use super::retention::Retention;
use super::trash::{DELETE_STEP, Trash};
use crate::clock::{Clock, JumpDetector};
use crate::hub::{Hub, REPLAY_LIMIT};
use crate::store::{Engine, StoreError};

/// How often the store's health is checked while no commands arrive: a failed read can have made it
/// unhealthy.
const CHECK_EVERY: Duration = Duration::from_secs(1);

/// Changes that were found in the store after an outage and are published together.
const PUBLISHED_TOGETHER: usize = 256;

/// How often the log is checked for changes to trim.
const TRIM_EVERY: Duration = Duration::from_hours(1);

/// The pause between two trim steps while there is more to trim.
const TRIM_STEP_PAUSE: Duration = Duration::from_millis(100);

/// How often the trash is checked for pets whose time is over.
const DELETE_EVERY: Duration = Duration::from_hours(1);

/// The pause between two steps while there are more pets to delete.
const DELETE_STEP_PAUSE: Duration = Duration::from_secs(1);

/// Changes trimmed in one step: a short transaction, so that commands hardly wait for it.
pub const TRIM_STEP: usize = 500;

/// The state of everything that is due between batches.
pub struct Maintenance {
    engine: Arc<dyn Engine>,
    hub: Arc<Hub>,
    outage_log: OutageLog,
    outage: Option<Outage>,
    jumps: JumpDetector,
    /// Retention of changes; `None` keeps them forever.
    retention: Option<Retention>,
    next_trim: Instant,
    photo_cleanup: PhotoCleanup,
    trash: Trash,
    next_deletion: Instant,
}

impl Maintenance {
    /// Starts with a store that works.
    pub fn new(
        engine: Arc<dyn Engine>,
        hub: Arc<Hub>,
        history: Option<Duration>,
        clock: Clock,
    ) -> Self {
        Maintenance {
            engine,
            hub,
            outage_log: OutageLog::default(),
            outage: None,
            jumps: JumpDetector::new(clock.clone()),
            retention: history.map(|history| Retention::new(history, clock.clone())),
            next_trim: Instant::now(),
            photo_cleanup: PhotoCleanup::new(),
            trash: Trash::new(clock),
            next_deletion: Instant::now(),
        }
    }

    /// Returns when `run` must be called again at the latest.
    pub fn next_due(&self) -> Instant {
        let next_check = Instant::now() + CHECK_EVERY;
        match &self.outage {
            Some(outage) => outage.next_attempt(),
            None if self.retention.is_some() => next_check.min(self.next_trim),
            None => next_check,
        }
    }

    /// Does everything that is due.
    pub fn run(&mut self) {
        self.check_store(Instant::now());
        self.check_clock();
        self.trim(Instant::now());
        if self.outage.is_none() {
            let now = Instant::now();
            self.photo_cleanup.run(&*self.engine, &self.hub, now);
        }
        self.empty_trash(Instant::now());
    }

    /// Refuses `count` changes during an outage.
    ///
    /// # Errors
    /// The error with which every command is answered until the store works again.
    pub fn check_writable(&mut self, count: usize) -> Result<(), WriteError> {
        self.outage
            .as_mut()
            .map_or(Ok(()), |outage| Err(outage.refuse(count)))
    }

    /// Begins an outage after `error`, which `refused` changes met. Returns the answer to their
    /// commands.
    pub fn begin_outage(&mut self, error: &StoreError, refused: usize) -> WriteError {
        self.hub.set_store_accepts_writes(false);
        let mut outage = self.outage_log.begin(error, Instant::now());
        outage.refuse(refused);
        self.outage = Some(outage);
        WriteError::from_store(error)
    }

    /// Begins an outage if the store is unhealthy, and tries to end one when a retry is due.
    fn check_store(&mut self, now: Instant) {
        if self.outage.is_none()
            && let Err(error) = self.check_health()
        {
            self.begin_outage(&error, 0);
        }
        let Some(outage) = &mut self.outage else {
            return;
        };
        if outage.next_attempt() > now {
            return;
        }
        match recover(&*self.engine, &self.hub) {
            Ok(()) => {
                outage.end(Instant::now());
                self.outage = None;
                self.hub.set_store_accepts_writes(true);
            }
            Err(error) => outage.failed_again(&error, Instant::now()),
        }
    }

    fn check_health(&self) -> Result<(), StoreError> {
        self.engine.check_location()?;
        if self.engine.is_healthy() {
            Ok(())
        } else if self.engine.is_shared() {
            Err(StoreError::Unavailable("it does not respond".to_owned()))
        } else {
            Err(StoreError::Read("a read failed".to_owned()))
        }
    }

    /// Trims one step of old changes when the next step is due.
    fn trim(&mut self, now: Instant) {
        let Some(retention) = &mut self.retention else {
            return;
        };
        if self.outage.is_some() || now < self.next_trim {
            return;
        }
        let pause = match retention.trim(&*self.engine, REPLAY_LIMIT, TRIM_STEP) {
            Ok(TRIM_STEP) => TRIM_STEP_PAUSE,
            Ok(_) => TRIM_EVERY,
            Err(error) => {
                tracing::debug!(%error, "cannot trim the log");
                TRIM_EVERY
            }
        };
        self.next_trim = Instant::now() + pause;
    }

    /// Deletes one step of the pets whose time in the trash is over, when the next step is due.
    fn empty_trash(&mut self, now: Instant) {
        let is_unwritable = self.outage.is_some() || self.hub.is_engine_unresponsive();
        if is_unwritable || now < self.next_deletion {
            return;
        }
        let pause = match self.trash.delete_expired(&*self.engine, &self.hub) {
            Ok(DELETE_STEP) => DELETE_STEP_PAUSE,
            Ok(_) => DELETE_EVERY,
            Err(error @ (StoreError::Conflict | StoreError::Rejected(_))) => {
                tracing::debug!(%error, "cannot delete pets whose time in the trash is over");
                DELETE_EVERY
            }
            Err(error) => {
                self.begin_outage(&error, 0);
                DELETE_STEP_PAUSE
            }
        };
        self.next_deletion = Instant::now() + pause;
    }

    /// Logs and counts a jump of the wall clock, and notifies the retention.
    fn check_clock(&mut self) {
        let Some(seconds) = self.jumps.check() else {
            return;
        };
        tracing::warn!(
            clock.jump_seconds = seconds,
            "the system clock jumped; ages of sessions and changes do not follow it"
        );
        self.hub.metrics().count_clock_jump(seconds);
        if let Some(retention) = &mut self.retention {
            retention.on_jump();
        }
        self.trash.on_jump();
    }

    /// Saves the time from which the next start counts ages.
    pub fn close(&mut self) {
        if self.outage.is_some() {
            return;
        }
        let saved = match &mut self.retention {
            Some(retention) => retention.close(&*self.engine),
            None => self.trash.close(&*self.engine, &self.hub),
        };
        if let Err(error) = saved {
            tracing::debug!(%error, "cannot save the present time; the next start counts ages from an earlier one");
        }
    }
}

/// Makes the store writable, and brings the board up to date with the store.
///
/// A commit that failed can be in the store anyway: then it is durable now, and is published. A
/// shared engine publishes its changes itself.
fn recover(engine: &dyn Engine, hub: &Hub) -> Result<(), StoreError> {
    engine.recover()?;
    if engine.is_shared() {
        return Ok(());
    }
    let (stored, published) = (engine.newest()?, hub.newest().0);
    if stored < published {
        engine.end_history()?;
        return Err(StoreError::LostChanges {
            kept: stored.get(),
            shown: published.get(),
        });
    }
    while hub.newest().0 < stored {
        let changes = engine.tail(hub.newest().0, PUBLISHED_TOGETHER)?;
        if changes.is_empty() {
            let rev = stored.get();
            return Err(StoreError::Record(format!(
                "change {rev} is not in the log"
            )));
        }
        hub.publish(&changes);
    }
    Ok(())
}
