//! Heartbeats, timeouts, and the maximum age of connections.

use std::collections::HashMap;
use std::ops::RangeInclusive;
use std::time::{Duration, Instant};

use bytes::Bytes;

use super::DeliveryLimits;
use super::heartbeat_range::whole_ms;
use super::stream_position::StreamPosition;
use super::viewer::{SendOutcome, Viewer};
use super::viewers::Viewers;
use crate::hub::Hub;
use crate::metrics::Metrics;
use crate::model::{ActivitiesVersion, Cursor, Rev, Timestamp};
use crate::wire::{Encoding, Message};

/// Some antivirus programs hold back each event until the next one arrives. So the last event to a
/// viewer is followed by a heartbeat if nothing else follows within this time.
const FOLLOW_UP: Duration = Duration::from_millis(200);

/// Least interval between two searches for viewers that need a follow-up. Together with `FOLLOW_UP`
/// below 250 ms.
const FOLLOW_UP_INTERVAL: Duration = Duration::from_millis(40);

/// Random factor of a connection's maximum age, so that viewers that connected simultaneously do
/// not reconnect simultaneously.
const RENEWAL_SPREAD: RangeInclusive<f64> = 0.8..=1.2;

/// Sweeps over all viewers per shortest heartbeat of any of them, and the bounds of their interval.
const SWEEPS_PER_HEARTBEAT: u32 = 8;
const SWEEP_INTERVAL: RangeInclusive<Duration> =
    Duration::from_millis(5)..=Duration::from_millis(500);

/// The timers of one worker.
pub struct Timers {
    limits: DeliveryLimits,
    sweep_interval: Duration,
    sweep_at: Instant,
    follow_up_at: Option<Instant>,
}

impl Timers {
    /// Starts the timers.
    pub fn new(limits: DeliveryLimits, now: Instant) -> Self {
        let sweep_interval = sweep_interval(limits.heartbeats.longest());
        Timers {
            limits,
            sweep_interval,
            sweep_at: now + sweep_interval,
            follow_up_at: None,
        }
    }

    /// Returns when the next timer expires.
    pub fn next(&self) -> Instant {
        self.follow_up_at
            .map_or(self.sweep_at, |at| at.min(self.sweep_at))
    }

    /// Returns when a viewer that connected at `now` is asked to reconnect.
    pub fn renew_at(&self, now: Instant) -> Instant {
        now + self
            .limits
            .max_connection_age
            .mul_f64(rand::random_range(RENEWAL_SPREAD))
    }

    /// Schedules a follow-up for events that were sent at `now`.
    pub fn schedule_follow_up(&mut self, now: Instant) {
        self.follow_up_at.get_or_insert(now + FOLLOW_UP);
    }

    /// Sends the follow-up heartbeats that are due.
    pub fn follow_up(&mut self, viewers: &mut Viewers, mut heartbeats: Heartbeats, now: Instant) {
        if self.follow_up_at.is_none_or(|at| at > now) {
            return;
        }
        let (mut broken, mut next) = (Vec::new(), None);
        for (row, viewer) in viewers.iter_mut() {
            if !viewer.needs_follow_up {
                continue;
            }
            let wait = FOLLOW_UP.saturating_sub(viewer.quiet_for(now));
            if !wait.is_zero() {
                next = Some(next.map_or(wait, |next: Duration| next.min(wait)));
                continue;
            }
            viewer.needs_follow_up = false;
            if heartbeats.send(viewer, now) == SendOutcome::Broken {
                broken.push(row);
            }
        }
        for row in broken {
            viewers.remove(row);
        }
        self.follow_up_at = next.map(|next| now + next.max(FOLLOW_UP_INTERVAL));
    }

    /// Sends heartbeats to idle viewers and drops viewers that timed out, if a sweep is due. Returns
    /// the rows of connections past their maximum age.
    pub fn sweep(
        &mut self,
        viewers: &mut Viewers,
        mut heartbeats: Heartbeats,
        metrics: &Metrics,
        now: Instant,
    ) -> Vec<usize> {
        let (mut broken, mut aged) = (Vec::new(), Vec::new());
        if now < self.sweep_at {
            return aged;
        }
        let margin = self.sweep_interval * 2;
        let mut shortest = self.limits.heartbeats.longest();
        for (row, viewer) in viewers.iter_mut() {
            if let Some(timeout) = viewer.timed_out(now, &self.limits) {
                if let Some(label) = timeout.label() {
                    metrics.dropped.with_label_values(&[label]).inc();
                }
                broken.push(row);
            } else if viewer.details.renew_at <= now {
                aged.push(row);
            } else {
                let heartbeat = viewer.heartbeat();
                shortest = shortest.min(heartbeat);
                let is_idle = viewer.quiet_for(now) + margin >= heartbeat;
                if is_idle && heartbeats.send(viewer, now) == SendOutcome::Broken {
                    broken.push(row);
                }
            }
        }
        // Frequent sweeps are only for viewers that asked for frequent heartbeats.
        self.sweep_interval = sweep_interval(shortest);
        self.sweep_at = now + self.sweep_interval;
        for row in broken {
            viewers.remove(row);
        }
        aged
    }
}

/// The heartbeat of one instant, or `stale` if the engine does not respond. Encoded once for all viewers
/// at the worker's position that were last sent the same frame.
pub struct Heartbeats {
    at: Cursor,
    stale_since: Option<Timestamp>,
    activities: Option<ActivitiesVersion>,
    /// The newest rev on this node. A viewer that comes from another node may be ahead of it.
    newest: Rev,
    encoded: HashMap<(Rev, Encoding), Bytes>,
}

impl Heartbeats {
    /// Prepares the heartbeat of a worker at `position`.
    pub fn new(position: &StreamPosition, hub: &Hub) -> Self {
        Heartbeats {
            at: position.at,
            stale_since: position.stale_since,
            activities: position.activities,
            newest: hub.newest().0,
            encoded: HashMap::new(),
        }
    }

    /// Sends the heartbeat, unless the viewer is stalled or being closed.
    pub fn send(&mut self, viewer: &mut Viewer, now: Instant) -> SendOutcome {
        if viewer.is_stalled() || viewer.is_closing() {
            return SendOutcome::Open;
        }
        let (last, encoding) = (viewer.chain.last(), viewer.encoding());
        let encode = || encoding.encode(&self.message_for(viewer));
        let bytes = if viewer.at <= self.at.rev {
            let shared = self.encoded.get(&(last, encoding)).cloned();
            let bytes = shared.unwrap_or_else(encode);
            self.encoded
                .entry((last, encoding))
                .or_insert(bytes)
                .clone()
        } else {
            encode()
        };
        viewer.send(bytes, now)
    }

    /// Sends the heartbeat as the answer to a request of this viewer.
    pub fn answer(
        &mut self,
        viewer: &mut Viewer,
        reference: Option<&str>,
        now: Instant,
    ) -> SendOutcome {
        let message = self.message_for(viewer);
        let answer = message.answering(whole_ms(viewer.heartbeat()), reference);
        viewer.send(viewer.encoding().encode(&answer), now)
    }

    fn message_for(&self, viewer: &Viewer) -> Message<'static> {
        let rev = self.at.rev.max(viewer.at);
        let cursor = Cursor { rev, ..self.at };
        let after = Cursor {
            rev: viewer.chain.last(),
            ..self.at
        };
        let behind = (self.newest < rev).then(Timestamp::now);
        keep_alive(cursor, after, self.stale_since.or(behind)).naming(self.activities)
    }
}

fn sweep_interval(heartbeat: Duration) -> Duration {
    let interval = heartbeat / SWEEPS_PER_HEARTBEAT;
    interval.clamp(*SWEEP_INTERVAL.start(), *SWEEP_INTERVAL.end())
}

/// Returns the message for a viewer that gets no other: `heartbeat`, or `stale` if the engine does
/// not respond.
pub fn keep_alive(
    cursor: Cursor,
    after: Cursor,
    stale_since: Option<Timestamp>,
) -> Message<'static> {
    match stale_since {
        Some(since) => Message::Stale {
            since,
            heartbeat_ms: None,
            reference: None,
        },
        None => Message::Heartbeat {
            cursor,
            server_time: Timestamp::now(),
            heartbeat_ms: None,
            reference: None,
            after,
            activities: None,
        },
    }
}
