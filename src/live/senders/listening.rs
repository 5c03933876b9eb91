//! What a sender reads: the words of its viewers, and that they left.

use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;

use super::Note;
use super::farewell::Farewell;
use super::sender::Sender;
use crate::live::conversation::{self, Reply};
use crate::live::reader::{TRY_AGAIN_LATER, close_frame};
use crate::wire::Encoding;

/// Reads of one viewer in a row, so that one that never stops speaking does not keep the others
/// waiting.
const READS: usize = 8;

/// Replies to one viewer in a row, for the same reason: a read may hold thousands of pings.
const REPLIES: usize = 32;

impl Sender {
    /// Reads what a viewer says, until there is nothing more or it has to wait.
    pub(super) fn listen(&mut self, row: usize) {
        for _ in 0..READS {
            let Some(viewer) = self.table.get_mut(row) else {
                return;
            };
            if !viewer.is_closing() && (viewer.is_stalled() || viewer.is_asking) {
                viewer.has_unread = true;
                return;
            }
            viewer.has_unread = false;
            match viewer.read(&mut self.buffer) {
                None => return,
                Some(0) => {
                    self.table.remove(row);
                    return;
                }
                Some(_) if viewer.is_closing() || viewer.encoding() != Encoding::WebSocket => {}
                Some(count) => {
                    let most = self.context.message_bytes;
                    viewer.hear(&self.buffer[..count], most, Instant::now());
                    self.converse(row);
                }
            }
        }
        self.come_back_to(row);
    }

    /// Goes on with this viewer after everyone else had a turn.
    fn come_back_to(&mut self, row: usize) {
        if let Some(viewer) = self.table.get_mut(row) {
            viewer.has_unread = true;
            self.unread.push(row);
        }
    }

    /// Goes on with those who had more to say than their turn.
    pub(super) fn read_on(&mut self) {
        for row in std::mem::take(&mut self.unread) {
            self.listen_on(row);
        }
    }

    /// Goes on with one who had to wait.
    pub(super) fn listen_on(&mut self, row: usize) {
        self.converse(row);
        if self
            .table
            .get_mut(row)
            .is_some_and(|viewer| viewer.has_unread)
        {
            self.listen(row);
        }
    }

    /// Answers what a viewer has said so far.
    pub(super) fn converse(&mut self, row: usize) {
        let now = Instant::now();
        for _ in 0..REPLIES {
            let Some(viewer) = self.table.get_mut(row) else {
                return;
            };
            let reply = conversation::next(viewer, self.context.messages, now);
            if let (Some(_), Some(reader)) = (&reply, &mut viewer.reader) {
                reader.restart(now);
            }
            match reply {
                None => return self.charge(row, now),
                Some(Reply::Frame(frame)) => {
                    let outcome = viewer.send(frame, now);
                    self.settle(row, outcome);
                }
                Some(Reply::Heartbeat) => {
                    let mut signs = self.signs_of_life();
                    if let Some(viewer) = self.table.get_mut(row) {
                        let outcome = signs.give(viewer, now);
                        self.settle(row, outcome);
                    }
                }
                Some(Reply::Last { frame, fault }) => {
                    if let Some(fault) = fault {
                        let dropped = &self.context.hub.metrics().dropped;
                        dropped.with_label_values(&[fault]).inc();
                    }
                    let outcome = viewer.close(frame, now);
                    self.settle(row, outcome);
                }
                Some(Reply::CarryOut(asked)) => {
                    let account = viewer.speaker.account(&self.context.authenticator);
                    let name = account.as_ref().map(|account| account.name.as_str());
                    if let Err(wait) = self.context.limiter.admit_write(name, viewer.visitor) {
                        let refused = &self.context.hub.metrics().refused;
                        refused.with_label_values(&["writes"]).inc();
                        let outcome = viewer.send(asked.put_off(wait), now);
                        self.settle(row, outcome);
                        continue;
                    }
                    viewer.is_asking = true;
                    let (number, speaker) = (viewer.number, viewer.speaker.clone());
                    let (writer, authenticator) = (
                        self.context.writer.clone(),
                        self.context.authenticator.clone(),
                    );
                    let inbox = Arc::clone(&self.inbox);
                    let answering = async move {
                        let frame = asked.answer(&writer, &authenticator, &speaker).await;
                        // Fails when the sender has ended, and the viewer with it.
                        let _ = inbox.send(Note::Answer { row, number, frame });
                    };
                    self.context
                        .tasks
                        .spawn_on(answering, &self.context.runtime);
                }
            }
        }
        self.charge(row, now);
        self.come_back_to(row);
    }

    /// Charges a viewer's unfinished message to the budget of all requests, and closes the viewer if
    /// the budget has no room for it.
    fn charge(&mut self, row: usize, now: Instant) {
        let Some(viewer) = self.table.get_mut(row) else {
            return;
        };
        let Some(reader) = &mut viewer.reader else {
            return;
        };
        let (limiter, visitor) = (&self.context.limiter, viewer.visitor);
        if reader.charge(|| limiter.open_reservation(visitor)).is_err() {
            let refused = &self.context.hub.metrics().refused;
            refused.with_label_values(&["buffers"]).inc();
            let frame = close_frame(TRY_AGAIN_LATER, "too many unfinished messages");
            let outcome = viewer.close(frame.into(), now);
            self.settle(row, outcome);
        }
    }

    pub(super) fn answer(&mut self, row: usize, number: u64, frame: Bytes) {
        let Some(viewer) = self.table.get_mut(row) else {
            return;
        };
        if viewer.number != number || viewer.is_closing() {
            return;
        }
        viewer.is_asking = false;
        let outcome = viewer.send(frame, Instant::now());
        self.settle(row, outcome);
        if self.is_saying_bye {
            self.say_bye(row, Farewell::Stop);
        }
        self.listen_on(row);
    }
}
