//! What does a pass over 10,000 viewers cost, without the operating system's part?
//!
//! The sockets of these viewers take every byte and drop it. One status goes to
//! all viewers of all pets; ten changes go in one pass; and one status goes to the ten of 10,000
//! viewers that watch that pet. The baseline writes the same bytes to the same number of sinks in a
//! plain loop. Each bench asserts that every viewer got every byte. Run with
//! `cargo bench --bench delivery`.

use std::cell::Cell;
use std::collections::HashMap;
use std::hint::black_box;
use std::io::{self, Read, Write};
use std::net::{IpAddr, Ipv4Addr};
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant};

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use pet_store::delivery::{
    FrameBatch, PendingViewer, Transport, Viewer, ViewerSlots, ViewerSocket, Viewers, fan_out,
};
use pet_store::hub::{Chain, TopicFilter};
use pet_store::limits::{ClientAddress, ClientLimiter, ClientLimits};
use pet_store::metrics::Metrics;
use pet_store::model::{
    Change, ChangeKind, ChangeSource, Cursor, Epoch, PetId, Rev, Status, Timestamp,
};
use pet_store::serve::{Connection, ConnectionPermit};
use pet_store::wire::{Encoding, Frame, Predecessors, SnapshotForm};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

const VIEWERS: u64 = 10_000;
const HOUR: Duration = Duration::from_hours(1);
const PETS: u64 = 1_000;

/// Counts the bytes that it takes.
struct Sink {
    number: u64,
    taken: Rc<Cell<u64>>,
}

impl Read for Sink {
    fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
        Err(io::ErrorKind::WouldBlock.into())
    }
}

impl Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.taken
            .set(self.taken.get() + black_box(bytes).len() as u64);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl ViewerSocket for Sink {
    fn number(&self) -> usize {
        self.number as usize
    }

    fn shutdown_write(&self) -> io::Result<()> {
        Ok(())
    }
}

const VISITOR: ClientAddress = ClientAddress {
    ip: IpAddr::V4(Ipv4Addr::LOCALHOST),
    is_forwarded: false,
};

/// A table of viewers, and the number of bytes written to them.
struct Rig {
    viewers: Viewers<Sink>,
    taken: Rc<Cell<u64>>,
    rev: Rev,
    last_of: HashMap<u64, Rev>,
}

impl Rig {
    /// With `VIEWERS` viewers, each with the filter of its turn.
    fn start(filter: impl Fn(u64) -> TopicFilter) -> Self {
        let taken = Rc::new(Cell::new(0));
        let limiter = Arc::new(ClientLimiter::new(&ClientLimits::default()));
        let stop = CancellationToken::new();
        let slots = ViewerSlots::new(VIEWERS as usize, limiter, Metrics::new(), stop);
        let permits = Arc::new(Semaphore::new(VIEWERS as usize));
        let mut viewers = Viewers::default();
        for turn in 0..VIEWERS {
            let permit = Arc::clone(&permits).try_acquire_owned();
            let pending = PendingViewer {
                connection: Connection {
                    stream: Sink {
                        number: turn,
                        taken: Rc::clone(&taken),
                    },
                    permit: ConnectionPermit::new(permit.expect("there is one for each"), None),
                    read_ahead: Vec::new(),
                    last_head: Vec::new(),
                },
                encoding: Encoding::WebSocket,
                chain: Chain::new(filter(turn), Rev::ZERO),
                form: SnapshotForm::Whole,
                at: Cursor {
                    epoch: Epoch::new(0x9f2c_41aa),
                    rev: Rev::ZERO,
                },
                heartbeat: HOUR,
                received: Vec::new(),
                handler: None,
                visitor: VISITOR,
                slot: slots
                    .admit(Transport::WebSocket, VISITOR)
                    .expect("there is one for each"),
            };
            let now = Instant::now();
            viewers.insert(Viewer::new(pending, turn, now, now + HOUR));
        }
        Rig {
            viewers,
            taken,
            rev: Rev::ZERO,
            last_of: HashMap::new(),
        }
    }

    /// Skips a rev, as if a pet had changed that nobody watches.
    fn skip_rev(&mut self) {
        self.rev = self.rev.next();
    }

    /// Sends `count` statuses of different pets in one pass, which `watchers` viewers want.
    fn pass(&mut self, count: u64, watchers: u64) {
        let frames: Vec<Frame> = (1..=count).map(|pet| self.frame(pet)).collect();
        let bytes: usize = frames
            .iter()
            .map(|frame| {
                if watchers == VIEWERS {
                    frame.bytes(Encoding::WebSocket).len()
                } else {
                    frame.topic_bytes(Encoding::WebSocket).len()
                }
            })
            .sum();
        let mut batch = FrameBatch::new(frames).expect("there are frames");
        self.taken.set(0);
        fan_out(&mut self.viewers, &mut batch, Instant::now());
        assert_eq!(self.taken.get(), bytes as u64 * watchers);
    }

    fn frame(&mut self, pet: u64) -> Frame {
        let in_topic = self.last_of.insert(pet, self.rev.next());
        let before = Predecessors {
            in_store: self.rev,
            in_topic: in_topic.unwrap_or(Rev::ZERO),
        };
        self.rev = self.rev.next();
        let change = Change {
            rev: self.rev,
            at: Timestamp::from_micros(1_700_000_000_000_000),
            by: ChangeSource::Simulator,
            author: None,
            request: None,
            visibility: pet_store::model::Visibility::Public,
            pet: PetId::new(pet),
            kind: ChangeKind::Status(Status::Eating),
        };
        Frame::from_change(Epoch::new(0x9f2c_41aa), &change, before)
    }
}

fn pass(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("a pass over 10,000 viewers");
    group.throughput(Throughput::Elements(VIEWERS));
    let mut unfiltered = Rig::start(|_| TopicFilter::All);
    group.bench_function("one status for everyone", |bencher| {
        bencher.iter(|| unfiltered.pass(1, VIEWERS));
    });
    group.bench_function("ten statuses for everyone", |bencher| {
        bencher.iter(|| unfiltered.pass(10, VIEWERS));
    });
    let taken = Rc::new(Cell::new(0));
    let mut sinks: Vec<Sink> = (0..VIEWERS)
        .map(|number| Sink {
            number,
            taken: Rc::clone(&taken),
        })
        .collect();
    let bytes = unfiltered.frame(1).bytes(Encoding::WebSocket).clone();
    group.bench_function("the same bytes in a plain loop (the baseline)", |bencher| {
        bencher.iter(|| {
            taken.set(0);
            for sink in &mut sinks {
                sink.write_all(&bytes).expect("a sink takes everything");
            }
            assert_eq!(taken.get(), bytes.len() as u64 * VIEWERS);
        });
    });
    let mut one_each = Rig::start(|turn| {
        TopicFilter::new([PetId::new(turn % PETS + 1).into()]).expect("one pet is not too many")
    });
    group.throughput(Throughput::Elements(VIEWERS / PETS));
    group.bench_function("one status for the ten who watch that pet", |bencher| {
        bencher.iter(|| {
            one_each.skip_rev();
            one_each.pass(1, VIEWERS / PETS);
        });
    });
    group.finish();
}

criterion_group!(benches, pass);
criterion_main!(benches);
