//! What time and the engine ask of a sender: heartbeats, renewals, an end to whose time is over,
//! and the word that the engine is out of reach.

use std::ops::RangeInclusive;
use std::time::{Duration, Instant};

use bytes::Bytes;

use super::farewell::Farewell;
use super::sender::Sender;
use super::viewer::{Outcome, Overdue, Times, Viewer};
use crate::live::sign_of_life;
use crate::model::{Cursor, Rev, Timestamp};
use crate::wire::Encoding;

/// Some antivirus programs hold back each event until the next one comes. So the last event of a
/// viewer is followed by a heartbeat when nothing else follows it for this long.
const FOLLOW_UP: Duration = Duration::from_millis(200);

/// How far the age at which a connection is renewed varies by chance, so that a crowd that came at
/// once does not come at once again.
const RENEWAL_SPREAD: RangeInclusive<f64> = 0.8..=1.2;

/// The least time between two looks for who is due that. With the above, under 250 ms.
const FOLLOW_UP_STEP: Duration = Duration::from_millis(40);

impl Sender {
    /// Follows the engine: tells everyone that it is out of reach or back, tells everyone to
    /// reconnect when it has another epoch, and resyncs everyone after a gap.
    pub(super) fn heed_engine(&mut self, now: Instant) {
        let hub = &self.context.hub;
        if hub.epoch() != self.epoch {
            // Subscribed anew before the rev is read, as at the start.
            self.stream = hub.subscribe();
            self.gaps = hub.gaps();
            let at = hub.cursor();
            (self.epoch, self.at) = (at.epoch, at.rev);
            for row in self.table.rows() {
                self.say_bye(row, Farewell::Anew);
            }
        } else if hub.gaps() != self.gaps {
            self.start_over();
        }
        let stale_since = self.context.hub.stale_since();
        if stale_since != self.stale_since {
            self.stale_since = stale_since;
            let mut signs = self.signs_of_life();
            let given = self
                .table
                .iter_mut()
                .map(|(row, viewer)| (row, signs.give(viewer, now)));
            let gone = given.filter(|(_, outcome)| *outcome == Outcome::Gone);
            for (row, _) in gone.collect::<Vec<_>>() {
                self.table.remove(row);
            }
        }
    }

    pub(super) fn signs_of_life(&self) -> SignsOfLife {
        SignsOfLife {
            at: Cursor {
                epoch: self.epoch,
                rev: self.at,
            },
            stale_since: self.stale_since,
            shown: self.context.hub.newest().0,
            encoded: [None, None, None],
        }
    }

    /// A sign of life to whom nothing was sent, a new connection to whose is old, and an end to whose
    /// time is over.
    pub(super) fn look_through(&mut self, now: Instant, look_every: Duration) {
        let due = self.context.heartbeat.saturating_sub(look_every * 2);
        let times = Times {
            write: self.context.write_timeout,
            message: self.context.message_time,
        };
        let mut signs = self.signs_of_life();
        let (mut gone, mut old) = (Vec::new(), Vec::new());
        for (row, viewer) in self.table.iter_mut() {
            if let Some(overdue) = viewer.is_overdue(now, times) {
                if let Some(reason) = overdue.reason() {
                    let dropped = &self.context.hub.metrics().dropped;
                    dropped.with_label_values(&[reason]).inc();
                }
                gone.push(row);
            } else if viewer.renew_at <= now {
                old.push(row);
            } else if now.duration_since(viewer.sent_at) >= due
                && signs.give(viewer, now) == Outcome::Gone
            {
                gone.push(row);
            }
        }
        for row in gone {
            self.table.remove(row);
        }
        for row in old {
            self.say_bye(row, Farewell::Renewal);
        }
    }

    /// When a connection that is new at `now` is to be renewed.
    pub(super) fn renew_at(&self, now: Instant) -> Instant {
        now + self
            .context
            .max_connection_age
            .mul_f64(rand::random_range(RENEWAL_SPREAD))
    }

    /// Has somebody who was sent something at `now` followed up.
    pub(super) fn follow_up_from(&mut self, now: Instant) {
        self.follow_up_at.get_or_insert(now + FOLLOW_UP);
    }

    /// A heartbeat to those whose last event is still waiting for the next.
    pub(super) fn follow_up(&mut self, now: Instant) {
        let mut signs = self.signs_of_life();
        let (mut gone, mut next) = (Vec::new(), None);
        for (row, viewer) in self.table.iter_mut() {
            if !viewer.is_followed_up {
                continue;
            }
            let due = viewer.sent_at + FOLLOW_UP;
            if due > now {
                next = Some(next.map_or(due, |next: Instant| next.min(due)));
                continue;
            }
            viewer.is_followed_up = false;
            if signs.give(viewer, now) == Outcome::Gone {
                gone.push(row);
            }
        }
        for row in gone {
            self.table.remove(row);
        }
        self.follow_up_at = next.map(|next| next.max(now + FOLLOW_UP_STEP));
    }
}

impl Overdue {
    /// What the metrics call it; a close that was not answered is none of theirs.
    const fn reason(self) -> Option<&'static str> {
        match self {
            Overdue::Write => Some("write-timeout"),
            Overdue::Word => Some("protocol"),
            Overdue::Close => None,
        }
    }
}

/// The heartbeats of one moment, or the word that the engine is out of reach; encoded once for all
/// who are where the sender is.
pub(super) struct SignsOfLife {
    at: Cursor,
    stale_since: Option<Timestamp>,
    /// The newest rev that this node has shown. A viewer that comes from another node may be ahead.
    shown: Rev,
    encoded: [Option<Bytes>; Encoding::ALL.len()],
}

impl SignsOfLife {
    /// Nothing to one whose socket is full, or who is being closed.
    pub(super) fn give(&mut self, viewer: &mut Viewer, now: Instant) -> Outcome {
        if viewer.is_stalled() || viewer.is_closing() {
            return Outcome::Alive;
        }
        let rev = self.at.rev.max(viewer.at);
        let encoding = viewer.encoding();
        let cursor = Cursor { rev, ..self.at };
        let behind = (self.shown < rev).then(Timestamp::now);
        let stale_since = self.stale_since.or(behind);
        let encode = || encoding.encode(&sign_of_life(cursor, stale_since));
        let bytes = match rev == self.at.rev {
            true => self.encoded[encoding.index()]
                .get_or_insert_with(encode)
                .clone(),
            false => encode(),
        };
        viewer.send(bytes, now)
    }
}
