//! Carries frames from the one stream to the mailboxes that want them.
//!
//! It knows who waits for which pet, so a viewer of one pet is not touched when another changes.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};

use tokio::sync::broadcast;
use tokio_stream::StreamExt;
use tokio_stream::wrappers::BroadcastStream;

use super::filter::Filter;
use super::mailbox::Mailbox;
use crate::model::{PetId, Rev};
use crate::wire::Frame;

/// The mailboxes, and who wants what.
pub struct Router {
    seats: Mutex<Seats>,
    routed: AtomicU64,
}

/// Who wants what.
#[derive(Default)]
struct Seats {
    next: u64,
    all: HashMap<u64, Arc<Mailbox>>,
    by_pet: HashMap<PetId, HashMap<u64, Arc<Mailbox>>>,
}

/// A mailbox's place at a router; leaves when it is dropped.
pub struct Seat {
    router: Arc<Router>,
    number: u64,
    filter: Filter,
    pub mailbox: Arc<Mailbox>,
}

impl Router {
    /// A router that carries what follows `rev`.
    pub fn new(rev: Rev) -> Self {
        Router {
            seats: Mutex::default(),
            routed: AtomicU64::new(rev.get()),
        }
    }

    /// The rev up to which every frame is in the mailboxes that want it.
    pub fn routed(&self) -> Rev {
        Rev::new(self.routed.load(Ordering::Acquire))
    }

    /// Gives a new mailbox a place. From here on it gets every frame that `filter` wants.
    pub fn seat(self: &Arc<Self>, filter: Filter) -> Seat {
        let mailbox = Arc::new(Mailbox::default());
        let mut seats = self.seats();
        let number = seats.next;
        seats.next += 1;
        match &filter {
            Filter::All => {
                seats.all.insert(number, Arc::clone(&mailbox));
            }
            Filter::Pets(pets) => {
                for pet in pets.iter() {
                    let watchers = seats.by_pet.entry(*pet).or_default();
                    watchers.insert(number, Arc::clone(&mailbox));
                }
            }
        }
        drop(seats);
        Seat {
            router: Arc::clone(self),
            number,
            filter,
            mailbox,
        }
    }

    /// Carries every frame that is sent from this call on, until the future is dropped.
    pub fn run(self: Arc<Self>, stream: broadcast::Sender<Frame>) -> impl Future<Output = ()> {
        // Subscribed here and not at the first poll, which comes whenever the task is run.
        let frames = BroadcastStream::new(stream.subscribe());
        self.carry(frames, stream)
    }

    async fn carry(
        self: Arc<Self>,
        mut frames: BroadcastStream<Frame>,
        stream: broadcast::Sender<Frame>,
    ) {
        while let Some(received) = frames.next().await {
            match received {
                Ok(frame) => self.route(&frame),
                Err(_lagged) => {
                    // The receiver would go on with the oldest frame it still has. Subscribed
                    // anew before anyone is told, so that the snapshots which the feeds take
                    // then are newer than everything that is lost.
                    frames = BroadcastStream::new(stream.subscribe());
                    self.lose_all();
                }
            }
        }
    }

    fn route(&self, frame: &Frame) {
        let seats = self.seats();
        for mailbox in seats.all.values() {
            mailbox.put(frame.clone());
        }
        let watchers = frame.pet().and_then(|pet| seats.by_pet.get(&pet));
        for mailbox in watchers.into_iter().flat_map(HashMap::values) {
            mailbox.put(frame.clone());
        }
        self.routed.store(frame.rev().get(), Ordering::Release);
    }

    fn lose_all(&self) {
        let seats = self.seats();
        let watchers = seats.by_pet.values().flat_map(HashMap::values);
        for mailbox in seats.all.values().chain(watchers) {
            mailbox.fall_behind();
        }
    }

    fn seats(&self) -> MutexGuard<'_, Seats> {
        self.seats.lock().expect("no holder of this lock panics")
    }
}

impl Seat {
    /// The rev up to which this mailbox has been given everything it wants, if it is empty.
    pub fn caught_up(&self) -> Option<Rev> {
        // Read before the mailbox is looked at: what is routed in between only makes it older.
        let routed = self.router.routed();
        self.mailbox.is_empty().then_some(routed)
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let mut seats = self.router.seats();
        match &self.filter {
            Filter::All => {
                seats.all.remove(&self.number);
            }
            Filter::Pets(pets) => {
                for pet in pets.iter() {
                    if let Some(watchers) = seats.by_pet.get_mut(pet) {
                        watchers.remove(&self.number);
                        if watchers.is_empty() {
                            seats.by_pet.remove(pet);
                        }
                    }
                }
            }
        }
    }
}
