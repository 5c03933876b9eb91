//! What the writer's thread does: carries out what waits, and looks after a disk that refuses.

use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::runtime::{Builder, Runtime};
use tokio::sync::mpsc;
use tokio::time::timeout_at;

use super::authorization::{Authorization, CommitGuard};
use super::command::WriteError;
use super::decision::{Decided, Decision};
use super::outage::{Outage, Outages};
use super::retention::Retention;
use super::{BATCH_LIMIT, Queued, Request};
use crate::clock::{Clock, JumpDetector};
use crate::hub::{Hub, REPLAY_LIMIT};
use crate::model::{ChangeSource, Cursor, Rev};
use crate::store::{Engine, StoreError};

/// How often the store is asked whether it is well while nobody writes: a read may have found out
/// that it is not.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// Times that a command is decided anew before its asker is told that others are faster.
const TRIES: usize = 10;

/// Changes shown at once that were found in the store after an outage.
const FOUND_AT_ONCE: usize = 256;

/// How often the log is looked at for what is too old, and how soon again while there is more of
/// it than fits one step.
const TRIM_EVERY: Duration = Duration::from_hours(1);
const TRIM_ON: Duration = Duration::from_millis(100);

/// Changes forgotten in one step: a short transaction, so that whoever writes hardly waits for it.
pub const TRIMMED_AT_ONCE: usize = 500;

/// The state of the writer's thread.
pub struct Run {
    engine: Arc<dyn Engine>,
    hub: Arc<Hub>,
    outages: Outages,
    outage: Option<Outage>,
    jumps: JumpDetector,
    /// How long changes are kept; none is forgotten without it.
    retention: Option<Retention>,
    next_trim: Instant,
    /// Only a clock: for waiting no longer than until the next look.
    clock: Runtime,
}

impl Run {
    pub fn new(
        engine: Arc<dyn Engine>,
        hub: Arc<Hub>,
        history: Option<Duration>,
        clock: Clock,
    ) -> io::Result<Self> {
        Ok(Run {
            engine,
            hub,
            outages: Outages::default(),
            outage: None,
            jumps: JumpDetector::new(clock.clone()),
            retention: history.map(|history| Retention::new(history, clock)),
            next_trim: Instant::now(),
            clock: Builder::new_current_thread().enable_time().build()?,
        })
    }

    /// Carries out what is queued until `Stop`, or until nobody can queue any more.
    pub fn carry_out(mut self, mut queue: mpsc::Receiver<Queued>) {
        let mut batch = Vec::with_capacity(BATCH_LIMIT);
        loop {
            let next = self.next_look();
            let taken = self.clock.block_on(async {
                let taking = queue.recv_many(&mut batch, BATCH_LIMIT);
                timeout_at(next.into(), taking).await
            });
            if taken == Ok(0) || self.take(batch.drain(..)) {
                self.close();
                return;
            }
            self.look(Instant::now());
            self.check_clock();
            self.trim(Instant::now());
        }
    }

    fn next_look(&self) -> Instant {
        let idle = Instant::now() + LOOK_EVERY;
        match &self.outage {
            Some(outage) => outage.next_try(),
            None if self.retention.is_some() => idle.min(self.next_trim),
            None => idle,
        }
    }

    /// Carries out a batch, and says whether it is the last.
    fn take(&mut self, batch: impl Iterator<Item = Queued>) -> bool {
        let mut is_stopping = false;
        let mut requests = Vec::new();
        for queued in batch {
            match queued {
                Queued::Stop => is_stopping = true,
                Queued::Request(request) => requests.push(*request),
            }
        }
        for request in self.try_together(requests) {
            self.try_alone(request);
        }
        is_stopping
    }

    /// Decides and settles `requests` as one transaction. Gives them back when another node was
    /// faster with one of them.
    fn try_together(&mut self, requests: Vec<Request>) -> Vec<Request> {
        let hub = Arc::clone(&self.hub);
        let refreshed = refresh(&requests);
        let mut decision = Decision::new(&hub);
        let mut decided = Vec::new();
        let mut guards = Vec::new();
        for request in requests {
            let taken = request.check(&refreshed).and_then(|guard| {
                guards.extend(guard);
                let signature = request.signer.signature.clone();
                decision.decide(&request.command, request.key.as_ref(), signature)
            });
            match taken {
                Ok(Decided::Done(committed)) => request.answer(Ok(committed)),
                Ok(Decided::Change(index)) => decided.push((request, index)),
                Err(error) => request.answer(Err(error)),
            }
        }
        let settled = self.settle(&decision);
        // Revocations that waited for this commit are answered now.
        drop(guards);
        match settled {
            Ok(revs) => {
                let epoch = hub.epoch();
                for (request, index) in decided {
                    let rev = revs[index];
                    request.answer(Ok(decision.committed(index, Cursor { epoch, rev })));
                }
                Vec::new()
            }
            Err(WriteError::Conflict) => decided.into_iter().map(|(request, _)| request).collect(),
            Err(error) => {
                for (request, _) in decided {
                    request.answer(Err(error.clone()));
                }
                Vec::new()
            }
        }
    }

    /// Decides and settles one request until nobody else is faster. A simulator that is not alone
    /// leaves it at that.
    fn try_alone(&mut self, request: Request) {
        let tries = if request.signer.signature.by == ChangeSource::Simulator {
            0
        } else {
            TRIES
        };
        let mut conflicting = vec![request];
        for _ in 0..tries {
            conflicting = self.try_together(conflicting);
        }
        for request in conflicting {
            request.answer(Err(WriteError::Conflict));
        }
    }

    /// Makes what was decided durable and shows it; during an outage refuses it at once.
    fn settle(&mut self, decision: &Decision<'_>) -> Result<Vec<Rev>, WriteError> {
        let count = decision.len();
        if count == 0 {
            return Ok(Vec::new());
        }
        if let Some(outage) = &mut self.outage {
            outage.refused += count as u64;
            return Err(outage.answer.clone());
        }
        decision
            .commit(&*self.engine)
            .map_err(|error| match &error {
                StoreError::Conflict => WriteError::Conflict,
                // The next change may be taken.
                StoreError::Rejected(_) => {
                    tracing::error!(%error, "a change cannot be written; nothing of it is shown");
                    WriteError::Rejected
                }
                _ => self.begin_outage(&error, count),
            })
    }

    fn begin_outage(&mut self, error: &StoreError, refused: usize) -> WriteError {
        self.hub.metrics().writable.set(0);
        let mut outage = self.outages.begin(error, Instant::now());
        outage.refused += refused as u64;
        self.outage = Some(outage);
        WriteError::of_store(error)
    }

    /// Looks whether the store is well, and tries to end an outage when it is time.
    fn look(&mut self, now: Instant) {
        if self.outage.is_none()
            && let Err(error) = self.engine.check_place()
        {
            self.begin_outage(&error, 0);
        }
        if self.outage.is_none() && !self.engine.is_healthy() {
            let error = match self.engine.is_shared() {
                true => StoreError::Unavailable("it does not answer".to_owned()),
                false => StoreError::Read("a read failed".to_owned()),
            };
            self.begin_outage(&error, 0);
        }
        let Some(outage) = &mut self.outage else {
            return;
        };
        if outage.next_try() > now {
            return;
        }
        match recover(&*self.engine, &self.hub) {
            Ok(()) => {
                outage.ended(Instant::now());
                self.outage = None;
                self.hub.metrics().writable.set(1);
            }
            Err(error) => outage.failed_again(&error, Instant::now()),
        }
    }
}

impl Run {
    /// Forgets a step of what is too old, when it is time.
    fn trim(&mut self, now: Instant) {
        let Some(retention) = &mut self.retention else {
            return;
        };
        if self.outage.is_some() || now < self.next_trim {
            return;
        }
        let trimmed = retention.trim(&*self.engine, REPLAY_LIMIT, TRIMMED_AT_ONCE);
        let pause = match trimmed {
            Ok(TRIMMED_AT_ONCE) => TRIM_ON,
            Ok(_) => TRIM_EVERY,
            Err(error) => {
                tracing::debug!(%error, "the log could not be trimmed");
                TRIM_EVERY
            }
        };
        self.next_trim = Instant::now() + pause;
    }

    /// Saves what the next start needs to count ages.
    fn close(&mut self) {
        let Some(retention) = &mut self.retention else {
            return;
        };
        if self.outage.is_none()
            && let Err(error) = retention.close(&*self.engine)
        {
            tracing::debug!(%error, "the present could not be saved; the next start counts ages from an earlier one");
        }
    }

    /// Logs and counts a jump of the wall clock, and tells the retention.
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
    }
}

/// Fetches the revocations of other nodes, if a request of the batch has a permission that could be
/// revoked there.
fn refresh(requests: &[Request]) -> Result<(), WriteError> {
    let mut authorizations = requests
        .iter()
        .filter_map(|request| request.signer.authorization());
    authorizations.next().map_or(Ok(()), Authorization::refresh)
}

impl Request {
    /// Checks the permission of the signer, where it has one that can be revoked.
    fn check(&self, refreshed: &Result<(), WriteError>) -> Result<Option<CommitGuard>, WriteError> {
        let Some(authorization) = self.signer.authorization() else {
            return Ok(None);
        };
        refreshed.clone()?;
        authorization.check().map(Some)
    }
}

/// Makes the store writable, and has the board agree with it again.
///
/// A commit that failed may be in the store all the same: then it is durable now, and is shown. An
/// engine that others write to shows by itself whatever is in it, and begins anew by itself.
fn recover(engine: &dyn Engine, hub: &Hub) -> Result<(), StoreError> {
    engine.recover()?;
    if engine.is_shared() {
        return Ok(());
    }
    let (kept, shown) = (engine.newest()?, hub.newest().0);
    if kept < shown {
        engine.end_history()?;
        let (kept, shown) = (kept.get(), shown.get());
        return Err(StoreError::Forgot { kept, shown });
    }
    while hub.newest().0 < kept {
        let found = engine.tail(hub.newest().0, FOUND_AT_ONCE)?;
        if found.is_empty() {
            return Err(StoreError::Record(format!("{kept:?} is not in the log")));
        }
        hub.publish(&found);
    }
    Ok(())
}
