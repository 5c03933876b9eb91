//! Answers polls: decides which are due, encodes, writes, and continues with the socket.

use std::net::Shutdown;
use std::time::{Duration, Instant};

use bytes::Bytes;
use mio::{Interest, Token};
use tokio::sync::broadcast::error::TryRecvError;

use super::row::{PollState, WaitingPoll};
use super::tail::AnswerTail;
use super::{FIRST_TOKEN, Polls};
use crate::model::Cursor;

/// The bounds of the time between two passes. Without the lower one, a single client on a busy board would
/// poll as often as its network lets it.
const MIN_INTERVAL: Duration = Duration::from_millis(10);
pub const MAX_INTERVAL: Duration = Duration::from_secs(1);

/// A pass that takes longer is followed by a pause, in which changes collect.
const LONG_PASS: Duration = Duration::from_millis(10);

/// Time between two passes per request that had to pass HTTP since the one before. A request takes less than half
/// of this time, so that polls on a busy board use half of a core at most.
const TIME_PER_HTTP_REQUEST: Duration = Duration::from_micros(100);

impl Polls {
    /// Answers the polls for which there are frames, if a pass may start, and those whose time is over. Returns
    /// true if there was a pass.
    pub fn run(&mut self, now: Instant) -> bool {
        self.receive();
        let starts = self.next_pass <= now && !self.due.is_empty();
        if starts {
            self.pass(now);
        }
        while let Some((deadline, row)) = self.deadlines.first().copied()
            && deadline <= now
        {
            self.expire(row, now);
        }
        starts
    }

    /// Takes the new frames of the stream, and marks the groups that subscribed to them.
    pub(super) fn receive(&mut self) {
        let before = self.position.at;
        loop {
            match self.stream.try_recv() {
                Ok(frame) => {
                    self.mark(before, self.groups.subscribers(frame.topic()));
                    self.position.at.rev = self.position.at.rev.max(frame.rev());
                }
                Err(TryRecvError::Lagged(_)) => self.mark(before, self.groups.ids()),
                Err(TryRecvError::Empty | TryRecvError::Closed) => return,
            }
        }
    }

    /// Marks groups as due. All frames up to `before` were received, and none was for them.
    fn mark(&mut self, before: Cursor, groups: Vec<u64>) {
        for id in groups {
            if self.due.insert(id)
                && let Some(group) = self.groups.get_mut(id)
                && group.at.epoch == before.epoch
            {
                group.at.rev = group.at.rev.max(before.rev);
            }
        }
    }

    /// Ends the state of a row whose time is over.
    fn expire(&mut self, row: usize, now: Instant) {
        match self.rows[row].state {
            PollState::Waiting(_) => self.answer_row(row, now),
            PollState::Idle => self.remove(row),
            PollState::Writing { .. } => {
                let dropped = &self.context.hub.metrics().dropped;
                dropped.with_label_values(&["write-timeout"]).inc();
                self.remove(row);
            }
        }
    }

    /// Answers the groups that are due, as far as there are frames for them.
    fn pass(&mut self, now: Instant) {
        let began = Instant::now();
        for id in std::mem::take(&mut self.due) {
            let Some(body) = self.encode_frames(id, now) else {
                continue;
            };
            let tail = AnswerTail::new(&body);
            let group = self.groups.take(id);
            for row in group.into_iter().flat_map(|group| group.rows) {
                self.answer(row, &tail, now);
            }
        }
        let http_requests = std::mem::take(&mut self.http_requests);
        self.next_pass = now + interval(began.elapsed(), http_requests);
    }

    /// Encodes the answer to a group with the frames since its cursor. Returns `None` if there are none.
    pub(super) fn encode_frames(&mut self, id: u64, now: Instant) -> Option<Bytes> {
        let group = self.groups.get_mut(id)?;
        let (hub, key) = (&self.context.hub, &group.key);
        let (frames, reaches) = hub.advance(&key.filter, key.form, group.at);
        group.at = reaches;
        if frames.is_empty() {
            return None;
        }
        let encode = || key.encode_frames(hub, &frames, reaches, hub.stale_since_for(reaches));
        let cache = &self.context.poll_cache;
        Some(cache.get_or_encode(key, reaches, now, encode))
    }

    /// Answers one poll now, without changes if there are none.
    pub(super) fn answer_row(&mut self, row: usize, now: Instant) {
        let PollState::Waiting(WaitingPoll { group: id, .. }) = self.rows[row].state else {
            return;
        };
        let at = self.groups.get_mut(id).map(|group| group.at);
        let body = self.encode_frames(id, now);
        let Some(group) = self.groups.get_mut(id) else {
            return;
        };
        let body = body.unwrap_or_else(|| {
            let hub = &self.context.hub;
            let stale_since = hub.stale_since_for(group.at);
            group.key.encode_keep_alive(hub, group.at, stale_since)
        });
        // For the others of its group, for which these frames are still to be sent.
        if let Some(at) = at {
            group.at = at;
        }
        self.groups.remove_row(id, row);
        self.answer(row, &AnswerTail::new(&body), now);
    }

    /// Writes the answer of a poll that was removed from its group.
    pub(super) fn answer(&mut self, row: usize, tail: &AnswerTail, now: Instant) {
        let poll = &mut self.rows[row];
        let PollState::Waiting(waiting) = std::mem::replace(&mut poll.state, PollState::Idle)
        else {
            return;
        };
        if let Some(timer) = &poll.timer {
            timer.observe();
        }
        drop(waiting.slot);
        match poll.write_answer(&tail.bytes) {
            Err(_) => self.remove(row),
            Ok(rest) if rest.is_empty() => self.finish(row, tail.is_last, now),
            Ok(rest) => self.keep(row, rest, now),
        }
    }

    /// Keeps the bytes that a socket did not take until it takes more.
    fn keep(&mut self, row: usize, rest: Bytes, now: Instant) {
        let poll = &mut self.rows[row];
        let token = Token(FIRST_TOKEN + row);
        let interest = Interest::READABLE | Interest::WRITABLE;
        let registered = self.registry.reregister(&mut poll.socket, token, interest);
        let Ok(rest) = self.context.limiter.reserve_response(poll.visitor, rest) else {
            let refused = &self.context.hub.metrics().refused;
            refused.with_label_values(&["buffers"]).inc();
            return self.remove(row);
        };
        if registered.is_err() {
            return self.remove(row);
        }
        poll.state = PollState::Writing { rest };
        self.set_deadline(row, now + self.context.limits.write_timeout);
    }

    /// Writes the rest of an answer, as far as the socket takes it.
    pub(super) fn write_rest(&mut self, row: usize) {
        let Some(poll) = self.rows.get_mut(row) else {
            return;
        };
        let PollState::Writing { rest } = &mut poll.state else {
            return;
        };
        let rest = std::mem::take(rest);
        let before = rest.len();
        let now = Instant::now();
        match poll.write_rest(rest) {
            Err(_) => self.remove(row),
            Ok(rest) if rest.is_empty() => self.finish(row, false, now),
            Ok(rest) => {
                let is_progress = rest.len() < before;
                self.rows[row].state = PollState::Writing { rest };
                if is_progress {
                    self.set_deadline(row, now + self.context.limits.write_timeout);
                }
            }
        }
    }

    /// Continues with a socket that took its whole answer.
    fn finish(&mut self, row: usize, is_last: bool, now: Instant) {
        let poll = &mut self.rows[row];
        poll.state = PollState::Idle;
        if is_last || poll.is_last() || self.is_stopping {
            // Fails if the client has disconnected already.
            let _ = poll.socket.shutdown(Shutdown::Write);
            self.remove(row);
        } else if poll.has_next_request() {
            self.resume(row);
        } else {
            self.set_deadline(row, now + self.context.limits.idle_timeout);
        }
    }

    /// Sends `bye` if the poll waits, and closes the connection.
    pub(super) fn close(&mut self, row: usize) {
        match &self.rows[row].state {
            PollState::Idle => self.remove(row),
            // Closed once the answer is written.
            PollState::Writing { .. } => {}
            PollState::Waiting(waiting) => {
                let id = waiting.group;
                let retry_ms = self.context.slots.retry_ms();
                let Some(group) = self.groups.get_mut(id) else {
                    return;
                };
                let body = group.key.encode_bye(&self.context.hub, retry_ms);
                let closes_anyway = self.rows[row].is_last();
                let tail = AnswerTail::new_last(&body, retry_ms, !closes_anyway);
                self.groups.remove_row(id, row);
                self.answer(row, &tail, Instant::now());
            }
        }
    }
}

/// Returns the time from the start of a pass, which took so long, to the next. After a quiet period a change does
/// not wait. The requests that follow the answers of a long pass take about as long as the pass, and as much time
/// remains for everything else.
pub fn interval(took: Duration, http_requests: u32) -> Duration {
    let after_pass = if took > LONG_PASS { took * 3 } else { took };
    let interval = after_pass.max(TIME_PER_HTTP_REQUEST * http_requests);
    interval.clamp(MIN_INTERVAL, MAX_INTERVAL)
}
