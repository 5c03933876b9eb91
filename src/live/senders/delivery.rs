//! What a sender sends: passes over the table, and what a sleeper missed.

use std::time::Instant;

use tokio::sync::broadcast::error::TryRecvError;

use super::batch::{Batch, concatenated};
use super::farewell::Farewell;
use super::sender::Sender;
use super::viewer::Outcome;

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
        // Another history has begun: these may be of that, or of the one before. `heed_engine` is
        // rung for next, and everyone begins anew.
        if self.context.hub.epoch() != self.epoch {
            return;
        }
        // If these frames come after a gap, each viewer is resynced before it gets them.
        if self.context.hub.gaps() != self.gaps {
            return self.start_over();
        }
        if let Some(batch) = Batch::new(frames) {
            self.at = batch.reaches();
            if self.table.fan_out(batch, now) {
                self.follow_up_from(now);
            }
        }
    }

    /// Resyncs every viewer after the stream ran ahead of this sender, or the history got a gap: each
    /// gets the newest status of the pets that changed after its own rev, or a snapshot.
    pub(super) fn start_over(&mut self) {
        // Subscribed anew before the hub is asked: its answers are newer than all that was lost.
        self.stream = self.context.hub.subscribe();
        self.gaps = self.context.hub.gaps();
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
            let missed = self
                .context
                .hub
                .missed(viewer.filter(), viewer.form, viewer.at);
            if self.context.hub.epoch() != self.epoch {
                return self.say_bye(row, Farewell::Anew);
            }
            viewer.has_missed = !missed.is_whole;
            viewer.at = missed.reaches;
            let bytes = concatenated(&missed.frames, viewer.encoding());
            let outcome = viewer.send(bytes, now);
            self.settle(row, outcome);
        }
        self.listen_on(row);
    }
}
