//! What a sender sends and when: passes, what a sleeper missed, and heartbeats.

use std::time::{Duration, Instant};

use bytes::Bytes;
use tokio::sync::broadcast::error::TryRecvError;

use super::batch::{Batch, concatenated};
use super::sender::Sender;
use super::viewer::{Outcome, Overdue};
use crate::live::heartbeat;
use crate::model::Cursor;
use crate::wire::Encoding;

impl Sender {
    /// Sends everything new to everyone it is for.
    pub(super) fn pass(&mut self, now: Instant) {
        let mut frames = Vec::new();
        loop {
            match self.stream.try_recv() {
                Ok(frame) if frame.rev() > self.at => frames.push(frame),
                Ok(_old) => {}
                Err(TryRecvError::Lagged(_)) => return self.start_over(),
                Err(TryRecvError::Empty | TryRecvError::Closed) => break,
            }
        }
        if let Some(batch) = Batch::new(frames) {
            self.at = batch.reaches();
            self.table.fan_out(batch, now);
        }
    }

    /// The stream ran ahead of this sender: nobody knows any more who was given what, except that
    /// each was given everything up to its own rev.
    fn start_over(&mut self) {
        // Subscribed anew before the hub is asked: its answers are newer than all that was lost.
        self.stream = self.context.hub.subscribe();
        self.at = self.context.hub.newest().0;
        for row in self.table.rows() {
            if let Some(viewer) = self.table.get_mut(row) {
                viewer.has_missed = true;
                if !viewer.is_stalled() {
                    self.resume(row);
                }
            }
        }
    }

    /// The socket takes bytes again: what waits, then the newest of what was missed.
    pub(super) fn resume(&mut self, row: usize) {
        let now = Instant::now();
        while let Some(viewer) = self.table.get_mut(row) {
            let outcome = viewer.flush(now);
            if outcome == Outcome::Gone || viewer.is_stalled() || viewer.is_closing() {
                return self.settle(row, outcome);
            }
            if !viewer.has_missed {
                break;
            }
            let missed = self.context.hub.missed(viewer.filter(), viewer.at);
            viewer.has_missed = !missed.is_whole;
            viewer.at = missed.reaches;
            let bytes = concatenated(&missed.frames, viewer.encoding());
            let outcome = viewer.send(bytes, now);
            self.settle(row, outcome);
        }
        self.listen_on(row);
    }

    /// Heartbeats to whom nothing was sent, and an end to whose time is over.
    pub(super) fn look_through(&mut self, now: Instant, look_every: Duration) {
        let due = self.context.heartbeat.saturating_sub(look_every * 2);
        let write_timeout = self.context.write_timeout;
        let (epoch, at) = (self.context.hub.epoch(), self.at);
        let mut encoded: [Option<Bytes>; Encoding::ALL.len()] = [None, None, None];
        let mut gone = Vec::new();
        for (row, viewer) in self.table.iter_mut() {
            if let Some(overdue) = viewer.is_overdue(now, write_timeout) {
                let reason = match overdue {
                    Overdue::Write => Some("write-timeout"),
                    Overdue::Word => Some("protocol"),
                    Overdue::Close => None,
                };
                if let Some(reason) = reason {
                    let dropped = &self.context.hub.metrics().dropped;
                    dropped.with_label_values(&[reason]).inc();
                }
                gone.push(row);
            } else if now.duration_since(viewer.sent_at) >= due
                && !viewer.is_stalled()
                && !viewer.is_closing()
            {
                let rev = at.max(viewer.at);
                let encode = || {
                    let cursor = Cursor { epoch, rev };
                    viewer.encoding().encode(&heartbeat(cursor))
                };
                let bytes = match rev == at {
                    true => encoded[viewer.encoding().index()]
                        .get_or_insert_with(encode)
                        .clone(),
                    false => encode(),
                };
                if viewer.send(bytes, now) == Outcome::Gone {
                    gone.push(row);
                }
            }
        }
        for row in gone {
            self.table.remove(row);
        }
    }
}
