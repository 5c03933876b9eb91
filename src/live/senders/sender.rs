//! The event loop of one sender.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::Ordering;
use std::sync::{Arc, mpsc};
use std::time::{Duration, Instant};

use mio::event::Event;
use mio::{Events, Interest, Poll, Token};
use tokio::sync::broadcast::Receiver;

use super::batch::concatenated;
use super::farewell::Farewell;
use super::pace::Pace;
use super::table::Table;
use super::viewer::{Outcome, Viewer};
use super::{Context, Inbox, Newcomer, Note};
use crate::model::{Cursor, Epoch, Rev, Timestamp};
use crate::wire::{Frame, Message};

/// The token of the inbox's waker; rows count from 0.
pub const WAKE: Token = Token(usize::MAX);

/// Events that are taken at once.
const EVENTS: usize = 1024;

/// Bytes that are read at once, from whoever speaks.
const READ_BYTES: usize = 16 * 1024;

/// The table is looked through so often in a heartbeat's time, for who is due one and whose time
/// is over.
const LOOKS_PER_HEARTBEAT: u32 = 16;
const LOOK_SHORTEST: Duration = Duration::from_millis(5);
const LOOK_LONGEST: Duration = Duration::from_millis(500);

/// One sender: a table of viewers and what is needed to serve them.
pub struct Sender {
    pub(super) context: Context,
    poll: Poll,
    notes: mpsc::Receiver<Note>,
    pub(super) inbox: Arc<Inbox>,
    pub(super) stream: Receiver<Frame>,
    pub(super) table: Table,
    /// Everything up to here was given to everyone who is not stalled.
    pub(super) at: Rev,
    /// Of `at`, and of everything that was given to anybody.
    pub(super) epoch: Epoch,
    /// The number of gaps in the history after which every viewer was resynced.
    pub(super) gaps: u64,
    /// What everyone was told about the engine.
    pub(super) stale_since: Option<Timestamp>,
    pub(super) pace: Pace,
    numbers: u64,
    pub(super) buffer: Box<[u8]>,
    /// Rows that have something left to read.
    pub(super) unread: Vec<usize>,
    /// When to look for who is to be followed up.
    pub(super) follow_up_at: Option<Instant>,
    pub(super) is_saying_bye: bool,
    ending_by: Option<Instant>,
}

impl Sender {
    pub fn new(
        poll: Poll,
        context: Context,
        notes: mpsc::Receiver<Note>,
        inbox: Arc<Inbox>,
    ) -> Self {
        // Subscribed before the rev is read: what comes in between is in the stream, and `at`
        // says that it is not new.
        let stream = context.hub.subscribe();
        let gaps = context.hub.gaps();
        let at = context.hub.cursor();
        Sender {
            gaps,
            at: at.rev,
            epoch: at.epoch,
            stale_since: None,
            stream,
            poll,
            notes,
            inbox,
            table: Table::default(),
            pace: Pace::new(Instant::now()),
            numbers: 0,
            buffer: vec![0; READ_BYTES].into(),
            unread: Vec::new(),
            follow_up_at: None,
            is_saying_bye: false,
            ending_by: None,
            context,
        }
    }

    /// Runs until it is told to end and its table is empty.
    ///
    /// A panic takes this sender's viewers with it and nothing else: their connections close, and
    /// they come back with their cursors. Pages, writes and the other senders go on; a whole
    /// process that ends would take those too.
    pub fn run(mut self) {
        // Nothing of what was left half done is used again.
        while catch_unwind(AssertUnwindSafe(|| self.serve())).is_err() {
            self.start_anew();
        }
    }

    /// Forgets everyone, and begins again where the hub is now. Those who wait to join are seated.
    pub(super) fn start_anew(&mut self) {
        let count = self.table.rows().len();
        tracing::error!(
            viewers = count,
            "a sender failed; its viewers have to come back"
        );
        let dropped = &self.context.hub.metrics().dropped;
        dropped.with_label_values(&["fault"]).inc_by(count as u64);
        self.table = Table::default();
        self.stream = self.context.hub.subscribe();
        self.gaps = self.context.hub.gaps();
        let at = self.context.hub.cursor();
        (self.epoch, self.at) = (at.epoch, at.rev);
        self.stale_since = self.context.hub.stale_since();
        self.pace = Pace::new(Instant::now());
        self.unread.clear();
        self.follow_up_at = None;
    }

    fn serve(&mut self) {
        let mut events = Events::with_capacity(EVENTS);
        let look_every =
            (self.context.heartbeat / LOOKS_PER_HEARTBEAT).clamp(LOOK_SHORTEST, LOOK_LONGEST);
        let mut look_at = Instant::now() + look_every;
        while !self.is_over() {
            let timeout = self.timeout(look_at);
            match self.poll.poll(&mut events, Some(timeout)) {
                Err(error) if error.kind() != std::io::ErrorKind::Interrupted => {
                    tracing::error!(%error, "a sender cannot wait for events and ends");
                    return;
                }
                _ => {}
            }
            // Lowered before anything is looked at: what comes later rings again.
            let was_rung = self.inbox.is_rung.swap(false, Ordering::AcqRel);
            // Before the notes: an event is about who had the row when it happened.
            for event in &events {
                self.attend(event);
            }
            self.read_notes();
            self.read_on();
            let now = Instant::now();
            if was_rung {
                self.heed_engine(now);
            }
            if !self.stream.is_empty() && self.pace.wait(now).is_zero() {
                self.pass(now);
                self.pace.passed(now, Instant::now());
            }
            if self.follow_up_at.is_some_and(|at| at <= now) {
                self.follow_up(now);
            }
            if now >= look_at {
                self.look_through(now, look_every);
                look_at = now + look_every;
            }
        }
    }

    fn is_over(&self) -> bool {
        let is_late = |deadline: Instant| deadline <= Instant::now();
        self.ending_by
            .is_some_and(|deadline| self.table.is_empty() || is_late(deadline))
    }

    fn timeout(&self, look_at: Instant) -> Duration {
        if !self.unread.is_empty() {
            return Duration::ZERO;
        }
        let now = Instant::now();
        let next = self.follow_up_at.map_or(look_at, |at| at.min(look_at));
        let until_next = next.saturating_duration_since(now);
        match self.stream.is_empty() {
            true => until_next,
            false => until_next.min(self.pace.wait(now)),
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
                        self.say_bye(row, Farewell::Stop);
                    }
                }
                Note::End { deadline } => self.ending_by = Some(deadline),
                #[cfg(test)]
                Note::Fail => panic!("a fault, on purpose"),
            }
        }
    }

    pub(super) fn seat(&mut self, mut newcomer: Newcomer) {
        self.numbers += 1;
        let row = self.table.vacant_row();
        let now = Instant::now();
        let (is_current, encoding) = (newcomer.at.epoch == self.epoch, newcomer.encoding);
        let said = std::mem::take(&mut newcomer.said);
        let mut viewer = Viewer::new(newcomer, self.numbers, now, self.renew_at(now));
        // Both directions, once, by edges: neither is asked for again while the viewer is here.
        let interest = Interest::READABLE | Interest::WRITABLE;
        let registry = self.poll.registry();
        if registry
            .register(viewer.socket(), Token(row), interest)
            .is_err()
        {
            return;
        }
        if !said.is_empty() {
            viewer.hear(&said, self.context.message_bytes, now);
        }
        if viewer.is_followed_up {
            self.follow_up_from(now);
        }
        self.table.insert(viewer);
        if !is_current {
            return self.say_bye(row, Farewell::Anew);
        }
        self.close_gap(row);
        if let Some(viewer) = self.table.get_mut(row)
            && let Some(since) = self.stale_since.or_else(|| {
                let (epoch, rev) = (self.epoch, viewer.at);
                let is_behind = self.context.hub.is_behind(Cursor { epoch, rev });
                is_behind.then(Timestamp::now)
            })
        {
            let outcome = viewer.send(encoding.encode(&Message::Stale { since }), now);
            self.settle(row, outcome);
        }
        if self.is_saying_bye {
            self.say_bye(row, Farewell::Stop);
        }
    }

    /// Gives a newcomer what was sent to everyone else between its opening and now.
    fn close_gap(&mut self, row: usize) {
        let Some(viewer) = self.table.get_mut(row) else {
            return;
        };
        if viewer.at >= self.at {
            return self.listen_on(row);
        }
        let hub = &self.context.hub;
        let gap = hub.replay(viewer.filter(), viewer.at);
        let gap = gap.unwrap_or_else(|| hub.missed(viewer.filter(), viewer.form, viewer.at));
        if hub.epoch() != self.epoch {
            return self.say_bye(row, Farewell::Anew);
        }
        viewer.at = gap.reaches;
        let bytes = concatenated(&gap.frames, viewer.encoding());
        viewer.has_missed = !gap.is_whole;
        let outcome = viewer.send(bytes, Instant::now());
        self.settle(row, outcome);
        self.resume(row);
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

    /// Also closes; one whose command is being carried out is told after its answer.
    pub(super) fn say_bye(&mut self, row: usize, why: Farewell) {
        let Some(viewer) = self.table.get_mut(row) else {
            return;
        };
        if viewer.is_closing() || viewer.is_asking {
            return;
        }
        let retry_ms = match why {
            Farewell::Stop => self.context.places.retry_ms(),
            Farewell::Renewal | Farewell::Anew => 0,
        };
        let last = why.last_words(viewer.encoding(), retry_ms);
        let outcome = viewer.close(last, Instant::now());
        self.settle(row, outcome);
    }

    pub(super) fn settle(&mut self, row: usize, outcome: Outcome) {
        if outcome == Outcome::Gone {
            self.table.remove(row);
        }
    }
}
