//! Wakes long polls when a topic of theirs changes.
//!
//! A waiter is registered under each of its topics, and `publish` wakes only the waiters of the topics
//! that changed. So a change costs one look at an empty map if nobody waits, and a waiter costs nothing
//! while other topics change.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard};

use tokio::sync::Notify;

use super::topic_filter::TopicFilter;
use crate::wire::Topic;

/// The waiters by topic.
#[derive(Default)]
pub struct Waiters(Mutex<WaiterTable>);

#[derive(Default)]
struct WaiterTable {
    next_id: u64,
    by_topic: BTreeMap<WaiterKey, Arc<Notify>>,
}

/// A topic, or `None` for all of them, and the id of a waiter.
type WaiterKey = (Option<Topic>, u64);

/// A registered waiter. Unregistered when dropped.
pub struct Waiter {
    waiters: Arc<Waiters>,
    keys: Vec<WaiterKey>,
    notify: Arc<Notify>,
}

impl Waiters {
    /// Registers a waiter, which is woken by the first change from now on that `filter` contains.
    pub fn register(self: &Arc<Self>, filter: &TopicFilter) -> Waiter {
        let notify = Arc::new(Notify::new());
        let mut table = self.table();
        let id = table.next_id;
        table.next_id += 1;
        let keys: Vec<WaiterKey> = match filter {
            TopicFilter::All => vec![(None, id)],
            TopicFilter::Only(topics) => topics.iter().map(|topic| (Some(*topic), id)).collect(),
        };
        let entries = keys.iter().map(|key| (*key, Arc::clone(&notify)));
        table.by_topic.extend(entries);
        drop(table);
        Waiter {
            waiters: Arc::clone(self),
            keys,
            notify,
        }
    }

    /// Wakes all waiters of `topics`.
    pub fn wake(&self, topics: impl Iterator<Item = Topic>) {
        for notify in self.waiting_for(topics) {
            // Stored if the waiter does not wait yet.
            notify.notify_one();
        }
    }

    /// Wakes all waiters.
    pub fn wake_all(&self) {
        for notify in self.table().by_topic.values() {
            notify.notify_one();
        }
    }

    /// Returns whom to notify after the lock is released, because a woken waiter takes the same lock.
    fn waiting_for(&self, topics: impl Iterator<Item = Topic>) -> Vec<Arc<Notify>> {
        let by_topic = &self.table().by_topic;
        if by_topic.is_empty() {
            return Vec::new();
        }
        let topics = std::iter::once(None).chain(topics.map(Some));
        let found = topics.flat_map(|topic| by_topic.range((topic, 0)..=(topic, u64::MAX)));
        found.map(|(_, notify)| Arc::clone(notify)).collect()
    }

    fn table(&self) -> MutexGuard<'_, WaiterTable> {
        self.0.lock().expect("no holder of this lock panics")
    }
}

impl Waiter {
    /// Waits for the first change since the waiter was registered. Cancel safe.
    pub async fn woken(&self) {
        self.notify.notified().await;
    }
}

impl Drop for Waiter {
    fn drop(&mut self) {
        let mut table = self.waiters.table();
        for key in &self.keys {
            table.by_topic.remove(key);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::pin::pin;
    use std::task::{Context, Poll, Waker};

    use super::*;
    use crate::model::PetId;

    fn topics(ids: &[u64]) -> Vec<Topic> {
        ids.iter().map(|id| PetId::new(*id).into()).collect()
    }

    fn is_woken(waiter: &Waiter) -> bool {
        let mut context = Context::from_waker(Waker::noop());
        pin!(waiter.woken()).poll(&mut context) == Poll::Ready(())
    }

    #[test]
    fn only_waiters_of_a_topic_are_woken_and_a_wake_up_is_stored() {
        let waiters = Arc::new(Waiters::default());
        let [everything, some, other] = [&[][..], &[1, 3], &[2]]
            .map(|ids| waiters.register(&TopicFilter::new(topics(ids)).unwrap()));
        waiters.wake(topics(&[3, 4]).into_iter());
        assert!(is_woken(&everything) && is_woken(&some));
        assert!(!is_woken(&other));
        waiters.wake(topics(&[2]).into_iter());
        assert!(is_woken(&everything) && is_woken(&other));
        assert!(!is_woken(&some));
    }

    #[test]
    fn a_dropped_waiter_is_unregistered_from_every_topic() {
        let waiters = Arc::new(Waiters::default());
        let stays = waiters.register(&TopicFilter::new(topics(&[1])).unwrap());
        drop(waiters.register(&TopicFilter::new(topics(&[1, 2])).unwrap()));
        drop(waiters.register(&TopicFilter::All));
        assert_eq!(waiters.table().by_topic.len(), 1);
        drop(stays);
        assert!(waiters.table().by_topic.is_empty());
    }
}
