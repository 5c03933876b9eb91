//! All viewers of one run, on one thread and one epoll.

use std::collections::VecDeque;
use std::net::Ipv4Addr;
use std::os::fd::OwnedFd;
use std::time::{Duration, Instant};

use rustix::buffer::spare_capacity;
use rustix::event::Timespec;
use rustix::event::epoll::{self, CreateFlags, Event, EventData, EventFlags};

use super::{READ_BYTES, Stage, Target, Transport, Viewer};
use crate::check::viewer_record::ViewerRecord;
use crate::client::progress::Progress;
use crate::measurements::Measurements;
use crate::system;

/// Simultaneous connection attempts. More would measure the listen queue; fewer would leave the server
/// idle.
const MAX_CONNECTING: usize = 256;

/// Connections from one source address. It has 28,232 ports by default, and when half of them are used
/// the kernel needs long to find a free one: 19,000 connections from one address took 20 s.
const PER_SOURCE: usize = 10_000;

/// Events per call of epoll.
const MAX_EVENTS: usize = 1024;

/// A viewer that is to be opened.
#[derive(Clone, Copy)]
pub struct NewViewer {
    pub transport: Transport,
    pub pet: Option<u64>,
    pub is_counted: bool,
}

pub struct ViewerPool {
    /// Nodes with one history; viewers connect to them in turn.
    pub targets: Vec<Target>,
    pub viewers: Vec<Viewer>,
    pub measurements: Measurements,
    pub live: usize,
    pub lost: usize,
    pub progress: Progress,
    /// Simultaneous connection attempts.
    pub max_connecting: usize,
    connecting: usize,
    queue: VecDeque<NewViewer>,
    epoll: OwnedFd,
    events: Vec<Event>,
    buffer: Vec<u8>,
}

impl ViewerPool {
    /// Creates a pool without viewers; `floor` is the newest rev of the target.
    pub fn new(target: Target, floor: u64, progress: Progress) -> std::io::Result<Self> {
        Ok(ViewerPool {
            targets: vec![target],
            viewers: Vec::new(),
            measurements: Measurements::new(floor),
            live: 0,
            lost: 0,
            progress,
            max_connecting: MAX_CONNECTING,
            connecting: 0,
            queue: VecDeque::new(),
            epoll: epoll::create(CreateFlags::CLOEXEC)?,
            events: Vec::with_capacity(MAX_EVENTS),
            buffer: vec![0; READ_BYTES],
        })
    }

    /// Queues a viewer to be opened.
    pub fn add(&mut self, new_viewer: NewViewer) {
        self.queue.push_back(new_viewer);
    }

    /// Returns the number of viewers that are not connected yet.
    pub fn pending_count(&self) -> usize {
        self.queue.len() + self.connecting
    }

    /// Runs for `time`.
    pub fn run_for(&mut self, time: Duration) -> anyhow::Result<()> {
        self.run_while(time, |_| true).map(drop)
    }

    /// Runs while `condition` is true, at most for `limit`. Returns true if the condition ended it.
    pub fn run_while(
        &mut self,
        limit: Duration,
        mut condition: impl FnMut(&mut ViewerPool) -> bool,
    ) -> anyhow::Result<bool> {
        let end = Instant::now() + limit;
        while condition(self) {
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Ok(false);
            }
            self.poll(left.min(Duration::from_millis(50)))?;
        }
        Ok(true)
    }

    /// Opens queued viewers, and reads from those that have received something.
    pub fn poll(&mut self, wait: Duration) -> anyhow::Result<()> {
        system::check_signals()?;
        while self.connecting < self.max_connecting
            && let Some(new_viewer) = self.queue.pop_front()
        {
            self.open(new_viewer)?;
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
            .tick(self.live, self.viewers.len(), self.measurements.total);
        Ok(())
    }

    fn open(&mut self, new_viewer: NewViewer) -> anyhow::Result<()> {
        let index = self.viewers.len();
        let source = source_of(index)?;
        let record = ViewerRecord::new(new_viewer.pet);
        let target = &self.targets[index % self.targets.len()];
        let mut viewer = Viewer::open(target, new_viewer.transport, record, source)?;
        viewer.is_counted = new_viewer.is_counted;
        self.viewers.push(viewer);
        self.await_connection(index)
    }

    /// Closes a viewer's connection, and connects it over `transport`, where it continues.
    pub fn reopen(&mut self, index: usize, transport: Transport) -> anyhow::Result<()> {
        let target = &self.targets[index % self.targets.len()];
        let viewer = &mut self.viewers[index];
        self.live -= usize::from(viewer.stage == Stage::Live);
        viewer.reopen(target, transport, source_of(index)?)?;
        self.await_connection(index)
    }

    fn await_connection(&mut self, index: usize) -> anyhow::Result<()> {
        if let Some(socket) = &self.viewers[index].socket {
            let data = EventData::new_u64(index as u64);
            epoll::add(&self.epoll, socket, data, EventFlags::OUT)?;
        }
        self.connecting += 1;
        Ok(())
    }

    /// Does the next step of one viewer, and counts those that are live.
    fn serve(&mut self, index: usize) -> anyhow::Result<()> {
        let target = &self.targets[index % self.targets.len()];
        let viewer = &mut self.viewers[index];
        let before = viewer.stage;
        let result = if viewer.has_requested {
            viewer.read(&mut self.buffer, target, &mut self.measurements)
        } else {
            let newest = self.measurements.change_log.newest();
            let requested = viewer.send_request(target, newest);
            self.set_events(index, EventFlags::IN)?;
            requested
        };
        let viewer = &mut self.viewers[index];
        if let Err(reason) = result {
            viewer.socket = None;
            self.live -= usize::from(before == Stage::Live);
            self.connecting -= usize::from(before == Stage::Connecting);
            if viewer.stage == Stage::Refused {
                return Ok(());
            }
            viewer.stage = Stage::Lost;
            self.lost += 1;
            self.measurements
                .add_fault(format!("a viewer was lost: {reason}"));
        } else if before == Stage::Connecting && viewer.stage == Stage::Live {
            self.connecting -= 1;
            self.live += 1;
        }
        Ok(())
    }

    /// Sets the events that a viewer is polled for; none for a viewer that does not read.
    pub fn set_events(&self, index: usize, flags: EventFlags) -> anyhow::Result<()> {
        if let Some(socket) = &self.viewers[index].socket {
            let data = EventData::new_u64(index as u64);
            epoll::modify(&self.epoll, socket, data, flags)?;
        }
        Ok(())
    }

    /// Closes a viewer's connection.
    pub fn close(&mut self, index: usize) {
        let viewer = &mut self.viewers[index];
        match viewer.stage {
            Stage::Live => self.live -= 1,
            Stage::Connecting => self.connecting -= 1,
            Stage::Refused | Stage::Closed | Stage::Lost => return,
        }
        viewer.stage = Stage::Closed;
        viewer.socket = None;
    }
}

/// Returns the address from which a viewer connects.
fn source_of(index: usize) -> anyhow::Result<Ipv4Addr> {
    let last = 1 + u8::try_from(index / PER_SOURCE)?;
    Ok(Ipv4Addr::new(127, 0, 0, last))
}

impl Drop for ViewerPool {
    /// Resets all connections: after an orderly close, each would keep its port for a minute, and the
    /// next run would run out of ports.
    fn drop(&mut self) {
        for socket in self
            .viewers
            .iter()
            .filter_map(|viewer| viewer.socket.as_ref())
        {
            // If that fails, the port is kept.
            let _ = socket.set_linger(Some(Duration::ZERO));
        }
    }
}
