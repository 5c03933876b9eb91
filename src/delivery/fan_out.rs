//! Sends new frames to the viewers that subscribed to them.

use std::time::Instant;

use tokio::sync::broadcast::error::TryRecvError;

use super::batch::{FrameBatch, concatenate};
use super::close_reason::CloseReason;
use super::viewer::{SendOutcome, Viewer, ViewerSocket};
use super::viewers::Viewers;
use super::worker::Worker;
use crate::model::Timestamp;
use crate::wire::Frame;

impl Worker {
    /// Sends all new frames of the hub's stream to the viewers.
    pub(super) fn pass(&mut self, now: Instant) {
        let mut frames = Vec::new();
        loop {
            match self.stream.try_recv() {
                Ok(frame) if frame.rev() > self.position.at.rev => frames.push(frame),
                Ok(_old) => {}
                Err(TryRecvError::Lagged(_)) => return self.resync_all(),
                Err(TryRecvError::Empty | TryRecvError::Closed) => break,
            }
        }
        // In a new epoch, the frames may be of either. The wake-up that follows makes
        // `on_engine_event` close every connection.
        if self.context.hub.epoch() != self.position.at.epoch {
            return;
        }
        // If these frames come after a gap, each viewer is resynced before it gets them.
        if self.context.hub.gaps() != self.position.gaps {
            return self.resync_all();
        }
        let Some(mut batch) = FrameBatch::new(frames) else {
            return;
        };
        self.position.at.rev = batch.last_rev();
        if self.viewers.is_empty() {
            return;
        }
        if fan_out(&mut self.viewers, &mut batch, now) {
            self.timers.schedule_follow_up(now);
        }
        self.observe_pass(&batch, now);
    }

    /// Observes the duration of a pass, and the age of its changes. Once per pass and change, however
    /// many viewers there are.
    fn observe_pass(&mut self, batch: &FrameBatch, start: Instant) {
        let metrics = self.context.hub.metrics();
        let duration = start.elapsed().as_secs_f64();
        metrics.fan_out_pass_duration.observe(duration);
        let written_at = Timestamp::now();
        for committed_at in batch.frames().iter().filter_map(Frame::committed_at) {
            let age = written_at.since(committed_at);
            self.change_age.observe(age.as_secs_f64());
        }
        self.change_age.flush();
    }

    /// Resyncs every viewer, after this worker lagged behind the stream or the history got a gap.
    pub(super) fn resync_all(&mut self) {
        // Subscribes before it asks the hub, whose answers are then newer than any lost frame.
        self.stream = self.context.hub.subscribe();
        self.position.gaps = self.context.hub.gaps();
        self.position.at.rev = self.context.hub.cursor().rev;
        for row in self.viewers.rows() {
            if let Some(viewer) = self.viewers.get_mut(row) {
                viewer.needs_resync = true;
                if !viewer.is_stalled() {
                    self.resume(row);
                }
            }
        }
    }

    /// Sends a new viewer the frames that the others received while it was on its way here.
    pub(super) fn catch_up(&mut self, row: usize) {
        let Some(viewer) = self.viewers.get_mut(row) else {
            return;
        };
        if viewer.is_stalled() {
            viewer.needs_resync = true;
            return;
        }
        if viewer.at >= self.position.at.rev {
            return self.inbound.resume(&mut self.viewers, row, &self.position);
        }
        let hub = &self.context.hub;
        let missing = hub
            .replay(viewer.filter(), viewer.at)
            .unwrap_or_else(|| hub.resync(viewer.filter(), viewer.details.form, viewer.at));
        if hub.epoch() != self.position.at.epoch {
            return self.close(row, CloseReason::NewEpoch);
        }
        viewer.at = missing.reaches;
        let encoding = viewer.encoding();
        let bytes = concatenate(&missing.frames, encoding, &mut viewer.chain);
        viewer.needs_resync = !missing.is_whole;
        let outcome = viewer.send(bytes, Instant::now());
        self.viewers.settle(row, outcome);
        self.resume(row);
    }

    /// Continues with a viewer whose socket takes bytes again. Sends the bytes that wait, and then
    /// the newest frame per topic, or a snapshot, if frames were skipped.
    pub(super) fn resume(&mut self, row: usize) {
        let now = Instant::now();
        while let Some(viewer) = self.viewers.get_mut(row) {
            let outcome = viewer.flush(now);
            if outcome == SendOutcome::Broken || viewer.is_stalled() || viewer.is_closing() {
                return self.viewers.settle(row, outcome);
            }
            if !viewer.needs_resync {
                break;
            }
            let hub = &self.context.hub;
            let newest = hub.resync(viewer.filter(), viewer.details.form, viewer.at);
            if hub.epoch() != self.position.at.epoch {
                return self.close(row, CloseReason::NewEpoch);
            }
            viewer.needs_resync = !newest.is_whole;
            viewer.at = newest.reaches;
            let encoding = viewer.encoding();
            let bytes = concatenate(&newest.frames, encoding, &mut viewer.chain);
            let outcome = viewer.send(bytes, now);
            self.viewers.settle(row, outcome);
        }
        self.inbound.resume(&mut self.viewers, row, &self.position);
    }
}

/// Sends each viewer the frames of `batch` that it subscribed to, and removes viewers whose connection
/// is broken. Returns true if a viewer needs a follow-up.
pub fn fan_out<S: ViewerSocket>(
    viewers: &mut Viewers<S>,
    batch: &mut FrameBatch,
    now: Instant,
) -> bool {
    let (mut broken, mut needs_follow_up) = (Vec::new(), false);
    viewers.for_each_unfiltered(|row, viewer| {
        if send_all(viewer, batch, now) == SendOutcome::Broken {
            broken.push(row);
        }
        needs_follow_up |= viewer.needs_follow_up;
    });
    let frames = batch.frames();
    for chunk in filtered(viewers, frames).chunk_by(|(row, _), (other, _)| row == other) {
        let row = chunk[0].0;
        let frames = chunk.iter().map(|(_, index)| &frames[*index]);
        let Some(viewer) = viewers.get_mut(row) else {
            continue;
        };
        if send_some(viewer, frames, now) == SendOutcome::Broken {
            broken.push(row);
        }
        needs_follow_up |= viewer.needs_follow_up;
    }
    for row in broken {
        viewers.remove(row);
    }
    needs_follow_up
}

/// Returns the rows with a filter, each with the index of a frame that it subscribed to, sorted.
fn filtered<S: ViewerSocket>(viewers: &Viewers<S>, frames: &[Frame]) -> Vec<(usize, usize)> {
    let mut filtered = Vec::new();
    for (index, frame) in frames.iter().enumerate() {
        let rows = frame.topic().map(|topic| viewers.subscribers(topic));
        filtered.extend(rows.into_iter().flatten().map(|row| (row, index)));
    }
    filtered.sort_unstable();
    filtered
}

/// Sends all frames of the batch after the viewer's position.
fn send_all<S: ViewerSocket>(
    viewer: &mut Viewer<S>,
    batch: &mut FrameBatch,
    now: Instant,
) -> SendOutcome {
    if is_skipped(viewer) {
        return SendOutcome::Open;
    }
    let frames = batch.frames_after(viewer.at);
    let Some(first) = frames.first() else {
        return SendOutcome::Open;
    };
    // Otherwise the shared bytes would name a change that the viewer was not sent.
    if !viewer.chain.is_followed_by(first) {
        return send_some(viewer, frames.iter(), now);
    }
    let bytes = batch.after(viewer.at, viewer.encoding());
    viewer.at = batch.last_rev();
    viewer.chain.skip_to(viewer.at);
    viewer.send_event(bytes, now)
}

/// Sends those of `frames` that come after the viewer's position.
fn send_some<'a, S: ViewerSocket>(
    viewer: &mut Viewer<S>,
    frames: impl Iterator<Item = &'a Frame> + Clone,
    now: Instant,
) -> SendOutcome {
    if is_skipped(viewer) {
        return SendOutcome::Open;
    }
    let at = viewer.at;
    let new = frames.clone().filter(|frame| frame.rev() > at);
    let bytes = concatenate(new, viewer.encoding(), &mut viewer.chain);
    viewer.at = frames.last().map_or(at, |last| at.max(last.rev()));
    viewer.send_event(bytes, now)
}

/// Returns true if the viewer gets no frames now. A stalled viewer is resynced later.
fn is_skipped<S: ViewerSocket>(viewer: &mut Viewer<S>) -> bool {
    viewer.needs_resync |= viewer.is_stalled();
    viewer.is_stalled() || viewer.is_closing()
}
