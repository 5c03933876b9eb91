//! Those who wait for the next change of some pets: long polls.
//!
//! A waiter stands under each pet that it wants to hear of, and `publish` rings only for the pets
//! that changed. So a change costs a look at an empty map when nobody waits, and a waiter costs
//! nothing while other pets change. There is no task in between: it would have to be woken for
//! each change, whoever waits, and a ring takes a fifth of a microsecond.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard};

use tokio::sync::Notify;

use super::topic_filter::TopicFilter;
use crate::wire::Topic;

/// Whom to ring for which pet.
#[derive(Default)]
pub struct Waiters(Mutex<Registered>);

#[derive(Default)]
struct Registered {
    next: u64,
    bells: BTreeMap<Place, Arc<Notify>>,
}

/// A pet, or all of them, and the number of a waiter.
type Place = (Option<Topic>, u64);

/// One who waits; no longer when it is dropped.
pub struct Waiter {
    waiters: Arc<Waiters>,
    places: Vec<Place>,
    bell: Arc<Notify>,
}

impl Waiters {
    /// From here on, the waiter is woken by the first change that `filter` wants.
    pub fn register(self: &Arc<Self>, filter: &TopicFilter) -> Waiter {
        let bell = Arc::new(Notify::new());
        let mut registered = self.registered();
        let number = registered.next;
        registered.next += 1;
        let places: Vec<Place> = match filter {
            TopicFilter::All => vec![(None, number)],
            TopicFilter::Only(topics) => {
                topics.iter().map(|topic| (Some(*topic), number)).collect()
            }
        };
        let rung = places.iter().map(|place| (*place, Arc::clone(&bell)));
        registered.bells.extend(rung);
        drop(registered);
        Waiter {
            waiters: Arc::clone(self),
            places,
            bell,
        }
    }

    /// Wakes everyone who waits for one of `pets`.
    pub fn wake(&self, pets: impl Iterator<Item = Topic>) {
        for bell in self.bells_of(pets) {
            // Kept for one who does not wait yet.
            bell.notify_one();
        }
    }

    /// Wakes everyone.
    pub fn wake_all(&self) {
        for bell in self.registered().bells.values() {
            bell.notify_one();
        }
    }

    /// Taken out before they are rung, so that nobody who wakes up has to wait for this lock.
    fn bells_of(&self, pets: impl Iterator<Item = Topic>) -> Vec<Arc<Notify>> {
        let bells = &self.registered().bells;
        if bells.is_empty() {
            return Vec::new();
        }
        let watched = std::iter::once(None).chain(pets.map(Some));
        let rung = watched.flat_map(|watched| bells.range((watched, 0)..=(watched, u64::MAX)));
        rung.map(|(_, bell)| Arc::clone(bell)).collect()
    }

    fn registered(&self) -> MutexGuard<'_, Registered> {
        self.0.lock().expect("no holder of this lock panics")
    }
}

impl Waiter {
    /// Waits for the first wanted change since the waiter was registered. Cancel safe.
    pub async fn woken(&self) {
        self.bell.notified().await;
    }
}

impl Drop for Waiter {
    fn drop(&mut self) {
        let mut registered = self.waiters.registered();
        for place in &self.places {
            registered.bells.remove(place);
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
    fn only_those_who_want_a_pet_are_woken_and_also_before_they_wait() {
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
    fn one_who_left_is_forgotten_under_every_pet() {
        let waiters = Arc::new(Waiters::default());
        let stays = waiters.register(&TopicFilter::new(topics(&[1])).unwrap());
        drop(waiters.register(&TopicFilter::new(topics(&[1, 2])).unwrap()));
        drop(waiters.register(&TopicFilter::All));
        assert_eq!(waiters.registered().bells.len(), 1);
        drop(stays);
        assert!(waiters.registered().bells.is_empty());
    }
}
