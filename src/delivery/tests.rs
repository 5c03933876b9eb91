//! A worker without its thread: its viewers, its passes, and real sockets on loopback.

mod team;

use std::io::Read;
use std::net::{TcpListener, TcpStream};
use std::time::Duration;

use tokio::runtime::Runtime;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

use super::*;
use crate::hub::TopicFilter;
use crate::limits::ClientLimits;
use crate::metrics::Metrics;
use crate::model::example::{change, pet};
use crate::model::{Audience, ChangeKind, Epoch, PetId, Rev, Status};
use crate::serve::ConnectionPermit;
use crate::store::{Follower, MemoryEngine, Snapshot};

const VISITOR: ClientAddress = ClientAddress {
    ip: std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST),
    is_forwarded: false,
};

/// A hub with pets 1 and 2 (at rev 2), and two workers that are driven by the test.
struct Rig {
    worker: Worker,
    /// Serves nobody at first.
    second: Worker,
    team: Arc<Team>,
    hub: Arc<Hub>,
    slots: ViewerSlots,
    listener: TcpListener,
    _runtime: Runtime,
}

impl Rig {
    fn start() -> Self {
        let engine = Arc::new(MemoryEngine::new(Epoch::new(0xabc)));
        let pets = [1, 2].map(|id| change(id, id, ChangeKind::Pet(Arc::new(pet(id)))));
        engine.append(&pets).unwrap();
        let hub = Hub::open(engine.clone(), Metrics::new()).unwrap();
        let runtime = Runtime::new().unwrap();
        let limiter = Arc::new(ClientLimiter::new(&ClientLimits::default()));
        let stop = CancellationToken::new();
        let slots = ViewerSlots::new(1000, Arc::clone(&limiter), Metrics::new(), stop);
        let context = WorkerContext {
            hub: Arc::clone(&hub),
            limiter,
            slots: slots.clone(),
            tasks: TaskTracker::new(),
            runtime: runtime.handle().clone(),
            limits: DeliveryLimits {
                heartbeats: HeartbeatRange::new(Duration::from_secs(2), Duration::from_secs(15)),
                pace: Duration::from_millis(10),
                write_timeout: Duration::from_secs(30),
                idle_timeout: Duration::from_secs(75),
                max_connection_age: Duration::from_mins(10),
                message_bytes: 4096,
                message_timeout: Duration::from_secs(10),
                message_rate: RateLimit::per_second(50),
            },
            poll_cache: Arc::default(),
        };
        let (mailboxes, inboxes): (Vec<_>, Vec<_>) = [(); 2]
            .map(|()| Mailbox::new().unwrap())
            .into_iter()
            .unzip();
        let team = Arc::new(Team::new(mailboxes));
        let workers = inboxes.into_iter().enumerate();
        let mut workers = workers.map(|(index, inbox)| {
            Worker::new(index, inbox, context.clone(), Arc::clone(&team)).unwrap()
        });
        Rig {
            worker: workers.next().unwrap(),
            second: workers.next().unwrap(),
            team,
            hub,
            slots,
            listener: TcpListener::bind("127.0.0.1:0").unwrap(),
            _runtime: runtime,
        }
    }

    /// Publishes `count` statuses of `pet`.
    fn publish(&self, pet: u64, count: usize) {
        for turn in 0..count {
            let rev = self.hub.newest().0.next().get();
            let kind = ChangeKind::Status(Status::FOUR[turn % 4]);
            self.hub.publish(&[change(rev, pet, kind)]);
        }
    }

    /// Registers a viewer that has received everything up to `at`.
    fn register(&mut self, filter: TopicFilter, at: u64) -> ViewerEnd {
        let at = Cursor {
            epoch: self.hub.epoch(),
            rev: Rev::new(at),
        };
        let (stream, pending) = pending_viewer(&self.listener, &self.slots, filter, at);
        self.worker.register(pending);
        ViewerEnd(stream)
    }

    fn pass(&mut self) {
        self.worker.pass(Instant::now());
    }
}

/// Returns a viewer that has received everything up to `at`, and the other end of its socket.
fn pending_viewer(
    listener: &TcpListener,
    slots: &ViewerSlots,
    filter: TopicFilter,
    at: Cursor,
) -> (TcpStream, PendingViewer) {
    let stream = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    let (served, _) = listener.accept().unwrap();
    served.set_nonblocking(true).unwrap();
    stream.set_nonblocking(true).unwrap();
    let permit = Arc::new(Semaphore::new(1)).try_acquire_owned().unwrap();
    let pending = PendingViewer {
        connection: Connection {
            stream: mio::net::TcpStream::from_std(served),
            permit: ConnectionPermit::new(permit, None),
            read_ahead: Vec::new(),
            last_head: Vec::new(),
        },
        encoding: Encoding::Sse,
        chain: Chain::new(filter, at.rev),
        form: SnapshotForm::Whole,
        at,
        heartbeat: Duration::from_secs(15),
        received: Vec::new(),
        handler: None,
        visitor: VISITOR,
        slot: slots.admit(Transport::Sse, VISITOR).unwrap(),
    };
    (stream, pending)
}

/// The other end of a viewer's socket. Loopback delivers before `write` returns.
struct ViewerEnd(TcpStream);

impl ViewerEnd {
    /// Returns what has arrived.
    fn text(&mut self) -> String {
        let mut bytes = Vec::new();
        let _would_block = self.0.read_to_end(&mut bytes);
        String::from_utf8(bytes).unwrap()
    }

    /// Returns the revs of the events that have arrived.
    fn revs(&mut self) -> Vec<u64> {
        let text = self.text();
        let ids = text
            .lines()
            .filter_map(|line| line.strip_prefix("id: 00000abc-"));
        ids.map(|rev| rev.parse().unwrap()).collect()
    }
}

fn only(pet: u64) -> TopicFilter {
    TopicFilter::new([PetId::new(pet).into()]).unwrap()
}

/// Rule 3 for sockets: frames published before the initial payload, before the registration, before the
/// pass, and after it.
#[test]
fn a_new_viewer_gets_the_frames_since_its_cursor_once_and_in_order() {
    let mut rig = Rig::start();
    rig.publish(1, 3);
    let mut early = rig.register(TopicFilter::All, 3);
    rig.pass();
    rig.publish(2, 2);
    let mut late = rig.register(TopicFilter::All, 4);
    let mut ahead = rig.register(TopicFilter::All, 7);
    rig.pass();
    rig.publish(1, 1);
    rig.pass();
    assert_eq!(early.revs(), [4, 5, 6, 7, 8]);
    assert_eq!(late.revs(), [5, 6, 7, 8]);
    assert_eq!(ahead.revs(), [8]);
}

/// Otherwise a client finds a gap where there is none.
#[test]
fn the_first_frame_of_a_viewer_names_no_change_that_it_was_not_sent() {
    let mut rig = Rig::start();
    rig.publish(1, 3);
    for filter in [TopicFilter::All, only(1)] {
        let at = rig.hub.cursor();
        let (stream, mut pending) = pending_viewer(&rig.listener, &rig.slots, filter.clone(), at);
        pending.chain = Chain::new(filter, Rev::new(3));
        rig.worker.register(pending);
        rig.publish(1, 2);
        rig.pass();
        let text = ViewerEnd(stream).text();
        let afters = text.split("\"after\":\"00000abc-").skip(1);
        let afters: Vec<u64> = afters
            .map(|rest| rest.split('"').next().unwrap().parse().unwrap())
            .collect();
        assert_eq!(afters, [3, at.rev.get() + 1], "{text}");
    }
}

/// Rule 7 for sockets.
#[test]
fn a_viewer_of_one_topic_gets_its_frames_and_no_bytes_for_others() {
    let mut rig = Rig::start();
    let mut of_one = rig.register(only(1), 2);
    let mut of_two = rig.register(only(2), 2);
    rig.publish(1, 2);
    rig.publish(2, 1);
    rig.publish(1, 1);
    rig.pass();
    assert_eq!(of_one.revs(), [3, 4, 6]);
    assert_eq!(of_two.revs(), [5]);
}

/// Rule 6 for a worker that lags: its receiver would continue with frames that are older than what a
/// resync sends.
#[test]
fn a_worker_that_lags_sends_the_newest_frame_per_topic_and_nothing_older_after_it() {
    let mut rig = Rig::start();
    let mut everything = rig.register(TopicFilter::All, 2);
    let mut of_two = rig.register(only(2), 2);
    rig.publish(2, 1);
    rig.publish(1, 5000);
    rig.pass();
    assert_eq!(everything.revs(), [3, 5003]);
    assert_eq!(of_two.revs(), [3]);
    rig.pass();
    rig.publish(2, 2);
    rig.pass();
    assert_eq!(everything.revs(), [5004, 5005]);
    assert_eq!(of_two.revs(), [5004, 5005]);
}

/// Rule 3 on a node whose engine dropped changes before the node could read them. Viewers once got the
/// later changes without a snapshot.
#[test]
fn after_a_gap_every_viewer_gets_a_snapshot_before_later_changes() {
    let mut rig = Rig::start();
    let mut everything = rig.register(TopicFilter::All, 2);
    let mut of_two = rig.register(only(2), 2);
    rig.publish(1, 1);
    rig.pass();
    let board = rig.hub.board(Audience::Public);
    let snapshot = Snapshot {
        rev: Rev::new(90),
        next_pet: PetId::new(3),
        revs: vec![Rev::new(90); board.pets.len()],
        pets: board.pets.iter().map(|pet| (**pet).clone()).collect(),
    };
    rig.hub.restart_from(rig.hub.epoch(), snapshot);
    let mut late = rig.register(TopicFilter::All, 3);
    rig.publish(2, 1);
    // Once before the wake-up, which another thread may delay.
    rig.pass();
    rig.worker.on_engine_event(Instant::now());
    rig.publish(1, 1);
    rig.pass();
    assert_eq!(everything.revs(), [3, 91, 92]);
    assert_eq!(of_two.revs(), [91]);
    assert_eq!(late.revs(), [91, 92]);
    assert_eq!(rig.hub.metrics().resyncs.get(), 3);
}

#[test]
fn a_removed_viewer_is_unsubscribed_from_every_topic() {
    let mut rig = Rig::start();
    let stays = rig.register(only(1), 2);
    let first = rig.worker.viewers.rows()[0];
    drop(rig.register(only(1), 2));
    drop(rig.register(TopicFilter::All, 2));
    for row in rig.worker.viewers.rows() {
        if row != first {
            rig.worker.viewers.remove(row);
        }
    }
    assert_eq!(
        rig.worker
            .viewers
            .subscribers(PetId::new(1).into())
            .collect::<Vec<_>>(),
        [first]
    );
    rig.worker.viewers.remove(first);
    assert!(rig.worker.viewers.is_empty());
    assert_eq!(
        rig.worker.viewers.subscribers(PetId::new(1).into()).count(),
        0
    );
    drop(stays);
    let mut reuses = rig.register(only(2), 2);
    rig.publish(1, 1);
    rig.publish(2, 1);
    rig.pass();
    assert_eq!(reuses.revs(), [4]);
}

/// The viewers of a worker that panicked must not stay connected without a worker.
#[test]
fn a_worker_that_panics_disconnects_its_viewers_and_serves_the_next() {
    let mut rig = Rig::start();
    let mut lost = rig.register(TopicFilter::All, 2);
    let (hub, slots, mailbox) = (
        Arc::clone(&rig.hub),
        rig.slots.clone(),
        Arc::clone(&rig.team.mailboxes()[0]),
    );
    let (worker, listener, runtime) = (rig.worker, rig.listener, rig._runtime);
    let thread = thread::spawn(move || worker.run());
    assert!(mailbox.send(WorkerMessage::Panic).is_ok());
    lost.0.set_nonblocking(false).unwrap();
    assert_eq!(lost.0.read_to_end(&mut Vec::new()).unwrap(), 0, "closed");
    let (stream, pending) = pending_viewer(&listener, &slots, TopicFilter::All, hub.cursor());
    assert!(
        mailbox
            .send(WorkerMessage::Register(Box::new(pending)))
            .is_ok()
    );
    hub.publish(&[change(3, 1, ChangeKind::Status(Status::Eating))]);
    mailbox.wake();
    stream.set_nonblocking(false).unwrap();
    let mut event = [0; 10];
    (&stream).read_exact(&mut event).unwrap();
    let deadline = Instant::now();
    assert!(mailbox.send(WorkerMessage::End { deadline }).is_ok());
    thread.join().unwrap();
    let dropped = &hub.metrics().dropped;
    assert_eq!(dropped.with_label_values(&["fault"]).get(), 1);
    drop(runtime);
}
