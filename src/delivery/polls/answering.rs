//! Answers polls: encodes, writes, and continues with the socket.

use std::net::Shutdown;
use std::time::{Duration, Instant};

use bytes::Bytes;
use mio::{Interest, Token};

use super::row::{PollState, WaitingPoll};
use super::tail::AnswerTail;
use super::{FIRST_TOKEN, Polls};
use crate::limits::ClientAddress;

/// The bounds of the time between two passes. Without the lower one, a single client on a busy board would
/// poll as often as its network lets it.
const MIN_INTERVAL: Duration = Duration::from_millis(10);
pub const MAX_INTERVAL: Duration = Duration::from_secs(1);

/// Time between two passes per answer of the first. An answer and the request that follows it take less than
/// half of this time, so that polls on a busy board use half of a core at most.
const TIME_PER_ANSWER: Duration = Duration::from_micros(100);

impl Polls {
    /// Answers the groups that are due, as far as there are frames for them.
    pub(super) fn pass(&mut self, now: Instant) {
        let mut answers = 0;
        for id in std::mem::take(&mut self.due) {
            let Some(body) = self.encode_frames(id, now) else {
                continue;
            };
            let tail = AnswerTail::new(&body);
            let group = self.groups.take(id);
            for row in group.into_iter().flat_map(|group| group.rows) {
                answers += 1;
                self.answer(row, &tail, now);
            }
        }
        self.next_pass = now + interval(answers, now.elapsed());
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
        if let Some(timer) = waiting.timer {
            timer.observe();
        }
        drop(waiting.slot);
        match poll.write_answer(&tail.bytes) {
            Err(_) => self.remove(row),
            Ok(rest) if rest.is_empty() => self.finish(row, tail.is_last, now),
            Ok(rest) => self.keep(row, rest, waiting.visitor, now),
        }
    }

    /// Keeps the bytes that a socket did not take until it takes more.
    fn keep(&mut self, row: usize, rest: Bytes, visitor: ClientAddress, now: Instant) {
        let poll = &mut self.rows[row];
        let token = Token(FIRST_TOKEN + row);
        let interest = Interest::READABLE | Interest::WRITABLE;
        let registered = self.registry.reregister(&mut poll.socket, token, interest);
        let Ok(rest) = self.context.limiter.reserve_response(visitor, rest) else {
            let refused = &self.context.hub.metrics().refused;
            refused.with_label_values(&["buffers"]).inc();
            return self.remove(row);
        };
        if registered.is_err() {
            return self.remove(row);
        }
        poll.state = PollState::Writing { rest, visitor };
        self.set_deadline(row, now + self.context.limits.write_timeout);
    }

    /// Writes the rest of an answer, as far as the socket takes it.
    pub(super) fn write_rest(&mut self, row: usize) {
        let Some(poll) = self.rows.get_mut(row) else {
            return;
        };
        let PollState::Writing { rest, visitor } = &mut poll.state else {
            return;
        };
        let (rest, visitor) = (std::mem::take(rest), *visitor);
        let before = rest.len();
        let now = Instant::now();
        match poll.write_rest(rest) {
            Err(_) => self.remove(row),
            Ok(rest) if rest.is_empty() => self.finish(row, false, now),
            Ok(rest) => {
                let is_progress = rest.len() < before;
                self.rows[row].state = PollState::Writing { rest, visitor };
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

/// Returns the time from the start of a pass, which gave so many answers in this time, to the next. After a
/// quiet period a change does not wait, and few polls never wait for long.
pub fn interval(answers: u32, took: Duration) -> Duration {
    let interval = (TIME_PER_ANSWER * answers).max(took * 2);
    interval.clamp(MIN_INTERVAL, MAX_INTERVAL)
}
