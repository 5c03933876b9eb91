//! All viewers of one run, on one thread and one epoll: opened, read, put to sleep, and gone.

use std::collections::VecDeque;
use std::net::Ipv4Addr;
use std::os::fd::OwnedFd;
use std::time::{Duration, Instant};

use rustix::buffer::spare_capacity;
use rustix::event::Timespec;
use rustix::event::epoll::{self, CreateFlags, Event, EventData, EventFlags};

use crate::book::Book;
use crate::client::{READ_BYTES, Stage, Target, Transport, Viewer};
use crate::interrupt;
use crate::progress::Progress;
use crate::seat::AddressPermit;

/// Connections that wait for their answer at once. More would measure the listen queue; fewer
/// would leave the server idle.
const OPENING_LIMIT: usize = 256;

/// Connections from one source address. It has 28,232 ports for them by default, and from half
/// of that on the kernel searches long for a free one: 19,000 from one address took 20 s.
const PER_SOURCE: usize = 10_000;

/// Events taken from the kernel at once.
const EVENTS_LIMIT: usize = 1024;

/// Who is to be opened.
#[derive(Clone, Copy)]
pub struct Guest {
    pub transport: Transport,
    pub pet: Option<u64>,
    pub is_counted: bool,
}

pub struct Fleet {
    /// Nodes of one history; viewers go to them in turn.
    pub targets: Vec<Target>,
    pub viewers: Vec<Viewer>,
    pub book: Book,
    pub live: usize,
    pub lost: usize,
    pub progress: Progress,
    /// Connections that may wait for their answer at once.
    pub opening_limit: usize,
    opening: usize,
    guests: VecDeque<Guest>,
    epoll: OwnedFd,
    events: Vec<Event>,
    buffer: Vec<u8>,
}

impl Fleet {
    /// A fleet without viewers; `floor` is the newest rev at the target.
    pub fn new(target: Target, floor: u64, progress: Progress) -> std::io::Result<Self> {
        Ok(Fleet {
            targets: vec![target],
            viewers: Vec::new(),
            book: Book::after(floor),
            live: 0,
            lost: 0,
            progress,
            opening_limit: OPENING_LIMIT,
            opening: 0,
            guests: VecDeque::new(),
            epoll: epoll::create(CreateFlags::CLOEXEC)?,
            events: Vec::with_capacity(EVENTS_LIMIT),
            buffer: vec![0; READ_BYTES],
        })
    }

    pub fn enlist(&mut self, guest: Guest) {
        self.guests.push_back(guest);
    }

    /// Viewers that are neither live nor given up.
    pub fn underway(&self) -> usize {
        self.guests.len() + self.opening
    }

    /// Does what there is to do, for `time`.
    pub fn run_for(&mut self, time: Duration) -> anyhow::Result<()> {
        self.run_while(time, |_| true).map(drop)
    }

    /// Does what there is to do while `goes_on`, for `limit` at most; whether it ended by itself.
    pub fn run_while(
        &mut self,
        limit: Duration,
        mut goes_on: impl FnMut(&mut Fleet) -> bool,
    ) -> anyhow::Result<bool> {
        let end = Instant::now() + limit;
        while goes_on(self) {
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Ok(false);
            }
            self.turn(left.min(Duration::from_millis(50)))?;
        }
        Ok(true)
    }

    /// One round: opens who waits, and reads from everyone who has something.
    pub fn turn(&mut self, wait: Duration) -> anyhow::Result<()> {
        interrupt::check()?;
        while self.opening < self.opening_limit
            && let Some(guest) = self.guests.pop_front()
        {
            self.open(guest)?;
        }
        self.events.clear();
        let timeout = Timespec {
            tv_sec: 0,
            tv_nsec: i64::from(wait.subsec_nanos()),
        };
        match epoll::wait(
            &self.epoll,
            spare_capacity(&mut self.events),
            Some(&timeout),
        ) {
            Ok(_) | Err(rustix::io::Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
        for at in 0..self.events.len() {
            let index = self.events[at].data.u64();
            self.serve(usize::try_from(index)?)?;
        }
        self.progress
            .tick(self.live, self.viewers.len(), self.book.total);
        Ok(())
    }

    fn open(&mut self, guest: Guest) -> anyhow::Result<()> {
        let index = self.viewers.len();
        let source = Ipv4Addr::new(127, 0, 0, 1 + u8::try_from(index / PER_SOURCE)?);
        let seat = AddressPermit::of(guest.pet);
        let target = &self.targets[index % self.targets.len()];
        let mut viewer = Viewer::open(target, guest.transport, seat, source)?;
        viewer.is_counted = guest.is_counted;
        if let Some(socket) = &viewer.socket {
            let data = EventData::new_u64(index as u64);
            epoll::add(&self.epoll, socket, data, EventFlags::OUT)?;
        }
        self.opening += 1;
        self.viewers.push(viewer);
        Ok(())
    }

    /// Lets one viewer do its next step, and keeps count of those who are live.
    fn serve(&mut self, index: usize) -> anyhow::Result<()> {
        let target = &self.targets[index % self.targets.len()];
        let viewer = &mut self.viewers[index];
        let before = viewer.stage;
        let done = if viewer.is_asked {
            viewer.read(&mut self.buffer, target, &mut self.book)
        } else {
            let newest = self.book.ledger.newest();
            let asked = viewer.ask(target, newest);
            self.listen(index, EventFlags::IN)?;
            asked
        };
        let viewer = &mut self.viewers[index];
        if let Err(reason) = done {
            viewer.socket = None;
            viewer.stage = Stage::Lost;
            self.lost += 1;
            self.live -= usize::from(before == Stage::Live);
            self.opening -= usize::from(before == Stage::Opening);
            self.book.fault(format!("a viewer was lost: {reason}"));
        } else if before == Stage::Opening && viewer.stage == Stage::Live {
            self.opening -= 1;
            self.live += 1;
        }
        Ok(())
    }

    /// Says what a viewer is to be woken by; nothing, for one that does not read.
    pub fn listen(&self, index: usize, flags: EventFlags) -> anyhow::Result<()> {
        if let Some(socket) = &self.viewers[index].socket {
            let data = EventData::new_u64(index as u64);
            epoll::modify(&self.epoll, socket, data, flags)?;
        }
        Ok(())
    }

    /// Closes a viewer's connection from this side.
    pub fn leave(&mut self, index: usize) {
        let viewer = &mut self.viewers[index];
        match viewer.stage {
            Stage::Live => self.live -= 1,
            Stage::Opening => self.opening -= 1,
            Stage::Left | Stage::Lost => return,
        }
        viewer.stage = Stage::Left;
        viewer.socket = None;
    }
}

impl Drop for Fleet {
    /// Ends all connections at once: closed in order, each would keep its port for a minute, and
    /// the next run would be short of them.
    fn drop(&mut self) {
        for socket in self
            .viewers
            .iter()
            .filter_map(|viewer| viewer.socket.as_ref())
        {
            // At worst the port is kept.
            let _ = socket.set_linger(Some(Duration::ZERO));
        }
    }
}
