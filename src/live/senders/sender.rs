//! The event loop of one sender.

use std::sync::atomic::Ordering;
use std::sync::{Arc, mpsc};
use std::time::{Duration, Instant};

use bytes::Bytes;
use mio::event::Event;
use mio::{Events, Interest, Poll, Token};
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::TryRecvError;

use super::batch::{Batch, concatenated};
use super::pace::Pace;
use super::table::Table;
use super::viewer::{Outcome, Overdue, Viewer};
use super::{Context, Mailbox, Newcomer, Note};
use crate::live::conversation::{self, Reply};
use crate::live::reader::{RESTART, close_frame};
use crate::live::{bye, heartbeat};
use crate::model::{Cursor, PetId, Rev};
use crate::wire::{Encoding, Frame, chunk};

/// The token of the mailbox's waker; rows count from 0.
pub const WAKE: Token = Token(usize::MAX);

/// Events that are taken at once.
const EVENTS: usize = 1024;

/// Bytes that are read at once, from whoever speaks.
const READ_BYTES: usize = 16 * 1024;

/// Reads of one viewer in a row, so that one that never stops speaking does not keep the others
/// waiting.
const READS: usize = 8;

/// The table is looked through so often in a heartbeat's time, for who is due one and whose time
/// is over.
const LOOKS_PER_HEARTBEAT: u32 = 16;
const LOOK_SHORTEST: Duration = Duration::from_millis(5);
const LOOK_LONGEST: Duration = Duration::from_millis(500);

/// One sender: a table of viewers and what is needed to serve them.
pub struct Sender {
    context: Context,
    poll: Poll,
    notes: mpsc::Receiver<Note>,
    mailbox: Arc<Mailbox>,
    stream: Receiver<Frame>,
    table: Table,
    /// Everything up to here was given to everyone who is not stalled.
    at: Rev,
    /// The next frame, taken from the stream to see whether there is one.
    pace: Pace,
    numbers: u64,
    buffer: Box<[u8]>,
    /// Rows that have something left to read.
    unread: Vec<usize>,
    is_saying_bye: bool,
    is_ending: bool,
}

impl Sender {
    pub fn new(
        poll: Poll,
        context: Context,
        notes: mpsc::Receiver<Note>,
        mailbox: Arc<Mailbox>,
    ) -> Self {
        // Subscribed before the rev is read: what comes in between is in the stream, and `at`
        // says that it is not new.
        let stream = context.hub.subscribe();
        Sender {
            at: context.hub.newest().0,
            stream,
            poll,
            notes,
            mailbox,
            table: Table::default(),
            pace: Pace::new(Instant::now()),
            numbers: 0,
            buffer: vec![0; READ_BYTES].into(),
            unread: Vec::new(),
            is_saying_bye: false,
            is_ending: false,
            context,
        }
    }

    /// Runs until it is told to end and its table is empty.
    pub fn run(mut self) {
        let mut events = Events::with_capacity(EVENTS);
        let look_every = (self.context.heartbeat / LOOKS_PER_HEARTBEAT)
            .clamp(LOOK_SHORTEST, LOOK_LONGEST);
        let mut look_at = Instant::now() + look_every;
        while !(self.is_ending && self.table.is_empty()) {
            let timeout = self.timeout(look_at);
            match self.poll.poll(&mut events, Some(timeout)) {
                Err(error) if error.kind() != std::io::ErrorKind::Interrupted => {
                    tracing::error!(%error, "a sender cannot wait for events and ends");
                    return;
                }
                _ => {}
            }
            // Lowered before anything is looked at: what comes later rings again.
            self.mailbox.is_rung.store(false, Ordering::Release);
            self.read_notes();
            for event in &events {
                self.attend(event);
            }
            self.read_on();
            let now = Instant::now();
            if !self.stream.is_empty() && self.pace.wait(now).is_zero() {
                self.pass(now);
                self.pace.passed(now, Instant::now());
            }
            if now >= look_at {
                self.look_through(now, look_every);
                look_at = now + look_every;
            }
        }
    }

    fn timeout(&self, look_at: Instant) -> Duration {
        if !self.unread.is_empty() {
            return Duration::ZERO;
        }
        let now = Instant::now();
        let until_look = look_at.saturating_duration_since(now);
        match self.stream.is_empty() {
            true => until_look,
            false => until_look.min(self.pace.wait(now)),
        }
    }

    fn read_notes(&mut self) {
        while let Ok(note) = self.notes.try_recv() {
            match note {
                Note::Join(newcomer) => self.seat(*newcomer),
                Note::Answer { row, number, frame } => self.answer(row, number, frame),
                Note::SayBye => {
                    self.is_saying_bye = true;
                    for row in self.table.rows() {
                        self.say_bye(row);
                    }
                }
                Note::End => self.is_ending = true,
            }
        }
    }

    fn seat(&mut self, newcomer: Newcomer) {
        self.numbers += 1;
        let row = self.table.vacant_row();
        let mut viewer = Viewer::new(newcomer, self.numbers, Instant::now());
        // Both directions, once, by edges: neither is asked for again while the viewer is here.
        let interest = Interest::READABLE | Interest::WRITABLE;
        let registry = self.poll.registry();
        if registry.register(viewer.socket(), Token(row), interest).is_err() {
            return;
        }
        self.table.insert(viewer);
        self.close_gap(row);
        if self.is_saying_bye {
            self.say_bye(row);
        }
    }

    /// Gives a newcomer what was sent to everyone else between its opening and now.
    fn close_gap(&mut self, row: usize) {
        let Some(viewer) = self.table.get_mut(row) else {
            return;
        };
        if viewer.at >= self.at {
            return;
        }
        let hub = &self.context.hub;
        let gap = hub.replay(viewer.filter(), viewer.at);
        let gap = gap.unwrap_or_else(|| hub.missed(viewer.filter(), viewer.at));
        viewer.at = gap.reaches;
        let bytes = concatenated(&gap.frames, viewer.encoding());
        let outcome = viewer.send(bytes, Instant::now());
        self.settle(row, outcome);
    }

    fn attend(&mut self, event: &Event) {
        if event.token() == WAKE {
            return;
        }
        let row = event.token().0;
        if event.is_error() || (event.is_read_closed() && event.is_write_closed()) {
            self.table.remove(row);
            return;
        }
        if event.is_writable() {
            self.resume(row);
        }
        if event.is_readable() || event.is_read_closed() {
            self.listen(row);
        }
    }

    /// The socket takes bytes again: what waits, then the newest of what was missed.
    fn resume(&mut self, row: usize) {
        let now = Instant::now();
        while let Some(viewer) = self.table.get_mut(row) {
            let outcome = viewer.flush(now);
            if outcome == Outcome::Gone || viewer.is_stalled() || viewer.is_closing() {
                return self.settle(row, outcome);
            }
            if !viewer.has_missed {
                break;
            }
            viewer.has_missed = false;
            let missed = self.context.hub.missed(viewer.filter(), viewer.at);
            viewer.at = missed.reaches;
            let bytes = concatenated(&missed.frames, viewer.encoding());
            let outcome = viewer.send(bytes, now);
            self.settle(row, outcome);
        }
        self.listen_on(row);
    }

    /// Sends everything new to everyone it is for.
    fn pass(&mut self, now: Instant) {
        let mut frames = Vec::new();
        loop {
            match self.stream.try_recv() {
                Ok(frame) if frame.rev() > self.at => frames.push(frame),
                Ok(_old) => {}
                Err(TryRecvError::Lagged(_)) => return self.start_over(now),
                Err(TryRecvError::Empty | TryRecvError::Closed) => break,
            }
        }
        if let Some(batch) = Batch::new(frames) {
            self.at = batch.reaches();
            self.send_batch(batch, now);
        }
    }

    fn send_batch(&mut self, mut batch: Batch, now: Instant) {
        let mut gone = Vec::new();
        self.table.each_of_everyone(|row, viewer| {
            if give(viewer, &mut batch, now) == Outcome::Gone {
                gone.push(row);
            }
        });
        for (row, frames) in self.for_watchers(&batch) {
            let Some(viewer) = self.table.get_mut(row) else {
                continue;
            };
            if give_some(viewer, &frames, now) == Outcome::Gone {
                gone.push(row);
            }
        }
        for row in gone {
            self.table.remove(row);
        }
    }

    /// The frames for each of those who do not watch everything.
    fn for_watchers(&self, batch: &Batch) -> Vec<(usize, Vec<Frame>)> {
        let mut wanted: Vec<(usize, usize)> = Vec::new();
        for (index, frame) in batch.frames().iter().enumerate() {
            let pet = frame.pet().unwrap_or(PetId::new(0));
            wanted.extend(self.table.watchers(pet).iter().map(|row| (*row, index)));
        }
        wanted.sort_unstable();
        let per_row = wanted.chunk_by(|one, other| one.0 == other.0);
        per_row
            .map(|wanted| {
                let frames = wanted.iter().map(|(_, index)| batch.frames()[*index].clone());
                (wanted[0].0, frames.collect())
            })
            .collect()
    }

    /// The stream ran ahead of this sender: nobody knows any more who was given what, except that
    /// each was given everything up to its own rev.
    fn start_over(&mut self, now: Instant) {
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
        self.pace.passed(now, Instant::now());
    }

    /// Heartbeats to whom nothing was sent, and an end to whose time is over.
    fn look_through(&mut self, now: Instant, look_every: Duration) {
        let due = self.context.heartbeat.saturating_sub(look_every * 2);
        let write_timeout = self.context.write_timeout;
        let (epoch, at) = (self.context.hub.epoch(), self.at);
        let mut encoded: [Option<Bytes>; Encoding::ALL.len()] = [None, None, None];
        let mut gone = Vec::new();
        for (row, viewer) in self.table.iter_mut() {
            if let Some(overdue) = viewer.is_overdue(now, write_timeout) {
                if overdue == Overdue::Write {
                    let dropped = &self.context.hub.metrics().dropped;
                    dropped.with_label_values(&["write-timeout"]).inc();
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

    fn say_bye(&mut self, row: usize) {
        let Some(viewer) = self.table.get_mut(row) else {
            return;
        };
        if viewer.is_closing() {
            return;
        }
        let retry_ms = self.context.places.retry_ms();
        let last = last_words(viewer.encoding(), retry_ms);
        let outcome = viewer.close(last, Instant::now());
        self.settle(row, outcome);
    }

    /// Reads what a viewer says, until there is nothing more or it has to wait.
    fn listen(&mut self, row: usize) {
        for _ in 0..READS {
            let Some(viewer) = self.table.get_mut(row) else {
                return;
            };
            if viewer.is_stalled() && !viewer.is_closing() || viewer.is_asking {
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
                    let reader = viewer.reader.get_or_insert_default();
                    reader.push(&self.buffer[..count]);
                    self.converse(row);
                }
            }
        }
        self.unread.push(row);
    }

    /// Goes on with those who had more to say than their turn.
    fn read_on(&mut self) {
        for row in std::mem::take(&mut self.unread) {
            self.listen(row);
        }
    }

    /// Goes on with one who had to wait.
    fn listen_on(&mut self, row: usize) {
        self.converse(row);
        if self.table.get_mut(row).is_some_and(|viewer| viewer.has_unread) {
            self.listen(row);
        }
    }

    /// Answers what a viewer has said so far.
    fn converse(&mut self, row: usize) {
        let now = Instant::now();
        while let Some(viewer) = self.table.get_mut(row) {
            match conversation::next(viewer) {
                None => return,
                Some(Reply::Frame(frame)) => {
                    let outcome = viewer.send(frame, now);
                    self.settle(row, outcome);
                }
                Some(Reply::Last { frame, is_violation }) => {
                    if is_violation {
                        let dropped = &self.context.hub.metrics().dropped;
                        dropped.with_label_values(&["protocol"]).inc();
                    }
                    let outcome = viewer.close(frame, now);
                    self.settle(row, outcome);
                }
                Some(Reply::CarryOut(asked)) => {
                    viewer.is_asking = true;
                    let (number, permission) = (viewer.number, viewer.permission());
                    let writer = self.context.writer.clone();
                    let mailbox = Arc::clone(&self.mailbox);
                    let answering = async move {
                        let frame = asked.answer(&writer, permission).await;
                        mailbox.send(Note::Answer { row, number, frame });
                    };
                    self.context.tasks.spawn_on(answering, &self.context.runtime);
                }
            }
        }
    }

    fn answer(&mut self, row: usize, number: u64, frame: Bytes) {
        let Some(viewer) = self.table.get_mut(row) else {
            return;
        };
        if viewer.number != number || viewer.is_closing() {
            return;
        }
        viewer.is_asking = false;
        let outcome = viewer.send(frame, Instant::now());
        self.settle(row, outcome);
        self.listen_on(row);
    }

    fn settle(&mut self, row: usize, outcome: Outcome) {
        if outcome == Outcome::Gone {
            self.table.remove(row);
        }
    }
}

/// Gives a viewer of everything its part of the batch.
fn give(viewer: &mut Viewer, batch: &mut Batch, now: Instant) -> Outcome {
    if viewer.is_closing() {
        return Outcome::Alive;
    }
    if viewer.is_stalled() {
        viewer.has_missed = true;
        return Outcome::Alive;
    }
    let bytes = batch.after(viewer.at, viewer.encoding());
    if bytes.is_empty() {
        return Outcome::Alive;
    }
    viewer.at = batch.reaches();
    viewer.send(bytes, now)
}

/// Gives a viewer of some pets the frames of those.
fn give_some(viewer: &mut Viewer, frames: &[Frame], now: Instant) -> Outcome {
    if viewer.is_closing() {
        return Outcome::Alive;
    }
    if viewer.is_stalled() {
        viewer.has_missed = true;
        return Outcome::Alive;
    }
    let new = frames.iter().filter(|frame| frame.rev() > viewer.at);
    let bytes = concatenated(new, viewer.encoding());
    let Some(last) = frames.last() else {
        return Outcome::Alive;
    };
    viewer.at = viewer.at.max(last.rev());
    viewer.send(bytes, now)
}

/// `bye` and the end of the stream, in the words of each transport.
fn last_words(encoding: Encoding, retry_ms: u64) -> Bytes {
    let bye = encoding_of_bye(encoding, retry_ms);
    match encoding {
        Encoding::WebSocket => [&bye[..], &close_frame(RESTART, "stopping")].concat().into(),
        Encoding::SseChunked => [&bye[..], b"0\r\n\r\n"].concat().into(),
        Encoding::Sse => bye,
    }
}

/// An EventSource that nobody looks after waits for `retry` before it comes back.
fn encoding_of_bye(encoding: Encoding, retry_ms: u64) -> Bytes {
    let retry = format!("retry: {retry_ms}\n\n");
    let message = encoding.encode(&bye(retry_ms));
    match encoding {
        Encoding::WebSocket => message,
        Encoding::SseChunked => [&chunk(&retry).0[..], &message[..]].concat().into(),
        Encoding::Sse => [retry.as_bytes(), &message[..]].concat().into(),
    }
}
