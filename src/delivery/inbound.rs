//! Reads what viewers send, and answers it.
//!
//! Pings, close frames and limits are handled here. Complete messages go to the viewer's
//! `MessageHandler`.

use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use futures_util::future::BoxFuture;

use super::decoder::{CloseCode, Incoming, IncomingMessage, Violation, close_frame, pong_frame};
use super::stream_position::StreamPosition;
use super::timers::Heartbeats;
use super::viewer::Viewer;
use super::viewers::Viewers;
use super::{Mailbox, WorkerContext, WorkerMessage};
use crate::limits::{ClientAddress, RateLimit};

/// Size of the read buffer shared by all viewers of a worker.
const READ_BYTES: usize = 16 * 1024;

/// Reads of one viewer in a row. A viewer that never stops sending would otherwise starve the others.
const READS_PER_TURN: usize = 8;

/// Replies to one viewer in a row, for the same reason: one read may contain thousands of pings.
const REPLIES_PER_TURN: usize = 32;

/// Handles the messages of one WebSocket viewer.
pub trait MessageHandler: Send {
    /// Handles one message. Must not block: the worker's other viewers wait meanwhile.
    fn handle(&mut self, message: IncomingMessage, visitor: ClientAddress) -> Reply;
}

/// The reaction to a message.
pub enum Reply {
    /// Nothing.
    Ignore,
    /// Send a heartbeat.
    Heartbeat,
    /// Change the viewer's heartbeat if it has a wish, and send one that says the result.
    AnswerHeartbeat {
        /// The interval that the viewer asked for.
        wish: Option<Duration>,
        /// Text by which the client recognises the answer.
        reference: Option<String>,
    },
    /// Send this frame.
    Frame(Bytes),
    /// Run this future on the async runtime, and send the frame that it returns. No other message of
    /// this viewer is handled before that.
    Later(BoxFuture<'static, Bytes>),
    /// Send this frame, and close the connection.
    Close {
        /// The last frame.
        frame: Bytes,
        /// The label in the metrics, if the viewer is at fault.
        fault: Option<&'static str>,
    },
}

/// Reads from the viewers of one worker.
pub struct Inbound {
    context: WorkerContext,
    mailbox: Arc<Mailbox>,
    buffer: Box<[u8]>,
    /// Rows whose turn ended before everything was read.
    unread: Vec<usize>,
}

impl Inbound {
    /// Creates the read buffer.
    pub fn new(context: WorkerContext, mailbox: Arc<Mailbox>) -> Self {
        Inbound {
            context,
            mailbox,
            buffer: vec![0; READ_BYTES].into(),
            unread: Vec::new(),
        }
    }

    /// Forgets which rows have something to read.
    pub fn clear(&mut self) {
        self.unread.clear();
    }

    /// Returns true if a viewer waits for its next turn.
    pub fn has_unread(&self) -> bool {
        !self.unread.is_empty()
    }

    /// Gives each viewer that waits its next turn.
    pub fn resume_unread(&mut self, viewers: &mut Viewers, position: &StreamPosition) {
        for row in std::mem::take(&mut self.unread) {
            self.resume(viewers, row, position);
        }
    }

    /// Reads from a viewer until there is nothing to read, the viewer has to wait, or its turn ends.
    pub fn read(&mut self, viewers: &mut Viewers, row: usize, position: &StreamPosition) {
        for _ in 0..READS_PER_TURN {
            let Some(viewer) = viewers.get_mut(row) else {
                return;
            };
            if !viewer.is_closing() && (viewer.is_stalled() || viewer.details.awaits_reply) {
                viewer.details.has_unread = true;
                return;
            }
            viewer.details.has_unread = false;
            match viewer.read(&mut self.buffer) {
                None => return,
                Some(0) => return viewers.remove(row),
                Some(_) if viewer.is_closing() || viewer.details.handler.is_none() => {}
                Some(count) => {
                    let limit = self.context.limits.message_bytes;
                    viewer.feed(&self.buffer[..count], limit, Instant::now());
                    self.handle_messages(viewers, row, position);
                }
            }
        }
        self.end_turn(viewers, row);
    }

    /// Continues with a viewer that had to wait.
    pub fn resume(&mut self, viewers: &mut Viewers, row: usize, position: &StreamPosition) {
        self.handle_messages(viewers, row, position);
        if viewers
            .get_mut(row)
            .is_some_and(|viewer| viewer.details.has_unread)
        {
            self.read(viewers, row, position);
        }
    }

    /// Continues with this viewer after all others had a turn.
    fn end_turn(&mut self, viewers: &mut Viewers, row: usize) {
        if let Some(viewer) = viewers.get_mut(row) {
            viewer.details.has_unread = true;
            self.unread.push(row);
        }
    }

    /// Handles the messages that were received so far.
    fn handle_messages(&mut self, viewers: &mut Viewers, row: usize, position: &StreamPosition) {
        let now = Instant::now();
        for _ in 0..REPLIES_PER_TURN {
            let Some(viewer) = viewers.get_mut(row) else {
                return;
            };
            let Some(reply) = next_reply(viewer, self.context.limits.message_rate, now) else {
                return self.charge(viewers, row, now);
            };
            if let Some(decoder) = &mut viewer.details.decoder {
                decoder.restart(now);
            }
            let outcome = match reply {
                Reply::Ignore => continue,
                Reply::Frame(frame) => viewer.send(frame, now),
                Reply::Heartbeat => Heartbeats::new(position, &self.context.hub).send(viewer, now),
                Reply::AnswerHeartbeat { wish, reference } => {
                    if wish.is_some() {
                        viewer.set_heartbeat(self.context.limits.heartbeats.choose(wish));
                    }
                    let mut heartbeats = Heartbeats::new(position, &self.context.hub);
                    heartbeats.answer(viewer, reference.as_deref(), now)
                }
                Reply::Close { frame, fault } => {
                    if let Some(fault) = fault {
                        let dropped = &self.context.hub.metrics().dropped;
                        dropped.with_label_values(&[fault]).inc();
                    }
                    viewer.close(frame, now)
                }
                Reply::Later(reply) => {
                    viewer.details.awaits_reply = true;
                    self.spawn(reply, row, viewer.details.id);
                    continue;
                }
            };
            viewers.settle(row, outcome);
        }
        self.charge(viewers, row, now);
        self.end_turn(viewers, row);
    }

    /// Runs `reply` on the async runtime, and mails its frame back to the worker.
    fn spawn(&self, reply: BoxFuture<'static, Bytes>, row: usize, viewer_id: u64) {
        let mailbox = Arc::clone(&self.mailbox);
        let replying = async move {
            let frame = reply.await;
            // Fails if the worker has ended, and the viewer with it.
            let _ = mailbox.send(WorkerMessage::Reply {
                row,
                viewer_id,
                frame,
            });
        };
        self.context.tasks.spawn_on(replying, &self.context.runtime);
    }

    /// Charges a viewer's unfinished message to the budget of all requests, and closes the
    /// connection if the budget is used up.
    fn charge(&mut self, viewers: &mut Viewers, row: usize, now: Instant) {
        let Some(viewer) = viewers.get_mut(row) else {
            return;
        };
        let Some(decoder) = &mut viewer.details.decoder else {
            return;
        };
        let (limiter, visitor) = (&self.context.limiter, viewer.details.visitor);
        if decoder
            .charge(|| limiter.open_reservation(visitor))
            .is_err()
        {
            let refused = &self.context.hub.metrics().refused;
            refused.with_label_values(&["buffers"]).inc();
            let reason = "too many unfinished messages";
            let frame = close_frame(CloseCode::TRY_AGAIN_LATER, reason);
            let outcome = viewer.close(frame.into(), now);
            viewers.settle(row, outcome);
        }
    }
}

/// Returns the reply to the next message, or `None` if there is none or the viewer has to wait: for
/// its socket, or for the reply to an earlier message.
///
/// A viewer that sends more frames than `rate` allows is closed, whatever the frames are: pings and
/// empty fragments cost as much as messages.
fn next_reply(viewer: &mut Viewer, rate: RateLimit, now: Instant) -> Option<Reply> {
    loop {
        if viewer.is_stalled() || viewer.details.awaits_reply || viewer.is_closing() {
            return None;
        }
        let decoder = viewer.details.decoder.as_mut()?;
        let incoming = decoder.decode();
        let frames = decoder.take_frames();
        if decoder.is_empty() {
            viewer.details.decoder = None;
        }
        if (0..frames).any(|_| viewer.details.message_bucket.try_take(rate, now).is_err()) {
            let reason = "too many messages a second";
            return Some(close(CloseCode::POLICY, reason, Some("flood")));
        }
        let reply = match incoming {
            Ok(None) => return None,
            Ok(Some(Incoming::Pong)) => continue,
            Ok(Some(Incoming::Ping(payload))) => Reply::Frame(pong_frame(&payload).into()),
            Ok(Some(Incoming::Close(code))) => close(code.unwrap_or(CloseCode::NORMAL), "", None),
            Ok(Some(Incoming::Message(message))) => viewer
                .details
                .handler
                .as_mut()?
                .handle(message, viewer.details.visitor),
            Err(Violation(code, reason)) => close(code, reason, Some("protocol")),
        };
        if !matches!(reply, Reply::Ignore) {
            return Some(reply);
        }
    }
}

fn close(code: u16, reason: &str, fault: Option<&'static str>) -> Reply {
    Reply::Close {
        frame: close_frame(code, reason).into(),
        fault,
    }
}
