//! A hub and the polls of a worker that is driven by the test, with real sockets on loopback.

use std::io::Read;
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use mio::{Events, Poll};
use poem::Response;
use socket2::SockRef;
use tokio::runtime::Runtime;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::super::super::{DeliveryLimits, HeartbeatRange, Inbox, Mailbox, Transport, ViewerSlots};
use super::super::*;
use crate::hub::{Hub, TopicFilter};
use crate::limits::{ClientLimiter, ClientLimits, RateLimit};
use crate::metrics::Metrics;
use crate::model::example::{change, pet};
use crate::model::{ChangeKind, Epoch, Pet, PetId, Rev, Status};
use crate::serve::{Connection, ConnectionPermit, ResponseHead, ResumeHttp, SharedLines};
use crate::store::{Follower, MemoryEngine, Snapshot};
use crate::wire::SnapshotForm;

const VISITOR: ClientAddress = ClientAddress {
    ip: std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST),
    is_forwarded: false,
};

/// Keeps the connections that return to HTTP.
#[derive(Default)]
struct Returned(Mutex<Vec<Connection>>);

impl ResumeHttp for Returned {
    fn resume(self: Arc<Self>, connection: Connection) {
        self.0.lock().unwrap().push(connection);
    }
}

/// A hub with pets 1 and 2 (at rev 2), and the polls of a worker that is driven by the test.
pub struct Rig {
    pub polls: Polls,
    poll: Poll,
    pub hub: Arc<Hub>,
    slots: ViewerSlots,
    metrics: Metrics,
    returned: Arc<Returned>,
    listener: TcpListener,
    _runtime: Runtime,
}

impl Rig {
    pub fn start() -> Self {
        let engine = Arc::new(MemoryEngine::new(Epoch::new(0xabc)));
        let pets = [1, 2].map(|id| change(id, id, ChangeKind::Pet(Arc::new(pet(id)))));
        engine.append(&pets).unwrap();
        let hub = Hub::open(engine, Metrics::new()).unwrap();
        let runtime = Runtime::new().unwrap();
        let limiter = Arc::new(ClientLimiter::new(&ClientLimits::default()));
        let stop = CancellationToken::new();
        let metrics = Metrics::new();
        let slots = ViewerSlots::new(100, Arc::clone(&limiter), metrics.clone(), stop);
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
        let (mailbox, Inbox { poll, .. }) = Mailbox::new().unwrap();
        let (other, _) = Mailbox::new().unwrap();
        let team = Arc::new(Team::new(vec![mailbox, other]));
        let registry = poll.registry().try_clone().unwrap();
        Rig {
            polls: Polls::new(context, registry, team, 0),
            poll,
            hub,
            slots,
            metrics,
            returned: Arc::default(),
            listener: TcpListener::bind("127.0.0.1:0").unwrap(),
            _runtime: runtime,
        }
    }

    pub fn publish(&self, pet: u64) {
        let rev = self.hub.newest().0.next().get();
        let kind = ChangeKind::Status(Status::FOUR[rev as usize % 4]);
        self.hub.publish(&[change(rev, pet, kind)]);
    }

    /// Replaces the board by `pets` at rev 90.
    pub fn restart_from(&self, epoch: u32, pets: impl IntoIterator<Item = Pet>) {
        let pets: Vec<Pet> = pets.into_iter().collect();
        let snapshot = Snapshot {
            rev: Rev::new(90),
            next_pet: PetId::new(90_000),
            revs: vec![Rev::new(90); pets.len()],
            pets,
        };
        self.hub.restart_from(Epoch::new(epoch), snapshot);
    }

    /// Registers a poll from `start` that waits for a minute.
    pub fn register(&mut self, filter: TopicFilter, start: u64) -> ClientEnd {
        self.register_with(filter, start, |_| {})
    }

    pub fn register_with(
        &mut self,
        filter: TopicFilter,
        start: u64,
        change: impl FnOnce(&mut PendingPoll),
    ) -> ClientEnd {
        let returned = Arc::clone(&self.returned);
        let (mut pending, end) =
            pending_poll(&self.hub, &self.slots, &self.listener, filter, start);
        pending.deferred.http = returned;
        change(&mut pending);
        self.polls.register(pending);
        end
    }

    /// Runs as a worker does, with the time `later`.
    pub fn run_at(&mut self, later: Duration) {
        let mut events = Events::with_capacity(64);
        let wait = Some(Duration::from_millis(20));
        self.poll.poll(&mut events, wait).unwrap();
        for event in &events {
            self.polls.on_event(event);
        }
        let now = Instant::now() + later;
        self.polls.on_engine_event(now);
        self.polls.run(now);
    }

    pub fn run(&mut self) {
        self.run_at(Duration::ZERO);
    }

    /// Returns the number of polls that hold a slot.
    pub fn waiting(&self) -> i64 {
        let viewers = &self.metrics.viewers;
        viewers.with_label_values(&[Transport::Poll.as_str()]).get()
    }

    /// Lets another worker serve each socket, by giving these polls another place in the team.
    pub fn serve_elsewhere(&mut self) {
        self.polls.index = 1;
    }

    pub fn take_all_slots(&self) -> Vec<ViewerSlot> {
        let slots = std::iter::from_fn(|| self.slots.try_admit(Transport::Sse, VISITOR));
        slots.collect()
    }

    /// Returns the bytes that the last socket brought back to HTTP.
    pub fn returned_bytes(&self) -> Vec<u8> {
        let returned = self.returned.0.lock().unwrap();
        returned.last().unwrap().read_ahead.clone()
    }

    pub fn returned(&self) -> usize {
        self.returned.0.lock().unwrap().len()
    }
}

/// Connects a client, whose poll from `start` waits for a minute.
pub fn pending_poll(
    hub: &Hub,
    slots: &ViewerSlots,
    listener: &TcpListener,
    filter: TopicFilter,
    start: u64,
) -> (PendingPoll, ClientEnd) {
    let stream = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    let (served, _) = listener.accept().unwrap();
    served.set_nonblocking(true).unwrap();
    stream.set_nonblocking(true).unwrap();
    // The kernel would take megabytes by itself.
    let (near, far) = (SockRef::from(&served), SockRef::from(&stream));
    near.set_send_buffer_size(64 * 1024).unwrap();
    far.set_recv_buffer_size(64 * 1024).unwrap();
    let permit = Arc::new(Semaphore::new(1)).try_acquire_owned().unwrap();
    let start = Cursor {
        epoch: hub.epoch(),
        rev: Rev::new(start),
    };
    let pending = PendingPoll {
        deferred: DeferredConnection {
            connection: Connection {
                stream: mio::net::TcpStream::from_std(served),
                permit: ConnectionPermit::new(permit, None),
                read_ahead: Vec::new(),
                last_head: Vec::new(),
            },
            head: ResponseHead::new(&Response::default(), false, &SharedLines::default()),
            timer: None,
            http: Arc::<Returned>::default(),
        },
        key: PollKey {
            start,
            filter,
            form: SnapshotForm::Whole,
            heartbeat: Duration::from_secs(15),
            log: None,
        },
        request: None,
        at: start,
        deadline: Instant::now() + Duration::from_mins(1),
        stale_since: hub.stale_since(),
        visitor: VISITOR,
        slot: slots.admit(Transport::Poll, VISITOR).unwrap(),
    };
    (pending, ClientEnd(stream))
}

/// The client's end of a poll's socket. Loopback delivers before `write` returns.
pub struct ClientEnd(pub TcpStream);

impl ClientEnd {
    /// Returns what has arrived.
    pub fn text(&mut self) -> String {
        let mut bytes = Vec::new();
        let _would_block = self.0.read_to_end(&mut bytes);
        String::from_utf8(bytes).unwrap()
    }

    /// Returns the cursors of the messages with changes that have arrived.
    pub fn revs(&mut self) -> Vec<u64> {
        let text = self.text();
        let messages = text.split("{\"type\":\"").skip(2);
        let cursors = messages.filter_map(|message| message.split("\"cursor\":\"00000abc-").nth(1));
        let revs = cursors.map(|rest| rest.split('"').next().unwrap());
        revs.map(|rev| rev.parse().unwrap()).collect()
    }
}

pub fn only(pet: u64) -> TopicFilter {
    TopicFilter::new([PetId::new(pet).into()]).unwrap()
}
