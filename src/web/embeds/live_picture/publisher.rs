//! The newest picture of a pet, for all who watch it.
//!
//! A publisher is the task of one pet. It is woken by the changes of that pet, draws the picture, and publishes it in a
//! `watch` channel: a reader that is slow misses pictures, and never the newest one. The publisher ends when no client
//! watches the pet any more.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::{Instant, sleep, sleep_until};

use super::drawing::draw;
use super::series::PicturePart;
use crate::error::Failure;
use crate::model::{Audience, PetId, Timestamp};
use crate::views::{BadgePage, Now};
use crate::web::Site;

/// The shortest time between two pictures. On a busy board a picture is drawn ten times per second at most.
const MIN_INTERVAL: Duration = Duration::from_millis(100);

/// The publishers of all pets that are watched.
#[derive(Default)]
pub struct Publishers(Mutex<HashMap<PetId, PartSender>>);

type PartSender = watch::Sender<Option<PicturePart>>;

/// The parts of a series, the newest one. `None` until the first one is drawn. Ends after the last part.
pub type NewestPart = watch::Receiver<Option<PicturePart>>;

/// Draws and publishes the pictures of one pet.
struct Publisher {
    site: Arc<Site>,
    pet: PetId,
    sender: PartSender,
}

impl Publishers {
    /// Returns the pictures of a pet from now on. Starts their publisher if no client watches it.
    pub fn subscribe(site: &Arc<Site>, pet: PetId) -> NewestPart {
        let mut publishers = site.publishers.lock();
        if let Some(sender) = publishers.get(&pet) {
            return sender.subscribe();
        }
        let (sender, receiver) = watch::channel(None);
        publishers.insert(pet, sender.clone());
        let publisher = Publisher {
            site: Arc::clone(site),
            pet,
            sender,
        };
        site.app.spawn(publisher.run());
        receiver
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<PetId, PartSender>> {
        self.0.lock().expect("no holder of this lock panics")
    }
}

impl Publisher {
    async fn run(self) {
        let app = Arc::clone(&self.site.app);
        let (hub, stop) = (app.hub(), app.stop_token());
        let heartbeat = app.heartbeats().longest();
        // Registered before the pet is read: a change in between wakes it again.
        let waiter = hub.wait_for(self.pet);
        let mut due_at = Instant::now();
        loop {
            let stale_since = hub.stale_since();
            let Ok(part) = self.draw(stale_since).await else {
                tracing::error!(pet.id = self.pet.get(), "cannot draw the picture of a pet");
                return;
            };
            if part.is_last() {
                self.unregister();
                self.sender.send_replace(Some(part));
                return;
            }
            let is_sent = self.sender.send_if_modified(|last| {
                let is_sent = Instant::now() >= due_at || last.as_ref() != Some(&part);
                *last = Some(part);
                is_sent
            });
            if is_sent {
                due_at = Instant::now() + heartbeat;
            }
            stop.run_until_cancelled(sleep(MIN_INTERVAL)).await;
            tokio::select! {
                () = waiter.woken() => {}
                () = hub.stale_since_changed(stale_since) => {}
                () = stop.cancelled() => {}
                // Keeps proxies from closing a connection on which nothing happens, shows that a status became old, and
                // what was changed in the settings.
                () = sleep_until(due_at) => {}
                () = self.sender.closed() => if self.unregister_if_unwatched() {
                    return;
                }
            }
        }
    }

    /// Draws the present. The last picture stays on the page, so it does not claim to be the present.
    async fn draw(&self, stale_since: Option<Timestamp>) -> Result<PicturePart, Failure> {
        let site = &self.site;
        let Some((pet, _)) = site.app.hub().pet(self.pet, Audience::Public) else {
            let picture = draw(site, BadgePage::no_pet(), None).await?;
            return Ok(PicturePart::last(&picture));
        };
        let now = Now::new(&site.app.rescue());
        let is_stopping = site.app.is_stopping();
        let badge = if is_stopping || stale_since.is_some() {
            BadgePage::last_seen(&pet, &now)
        } else {
            BadgePage::new(&pet, &now)
        };
        let picture = draw(site, badge, Some(&pet)).await?;
        Ok(if is_stopping {
            PicturePart::last(&picture)
        } else {
            PicturePart::next(&picture)
        })
    }

    /// Lets the next reader start another publisher.
    fn unregister(&self) {
        self.remove_from(&mut self.site.publishers.lock());
    }

    /// As `unregister`, unless a client has subscribed.
    fn unregister_if_unwatched(&self) -> bool {
        let mut publishers = self.site.publishers.lock();
        let is_unwatched = self.sender.receiver_count() == 0;
        if is_unwatched {
            self.remove_from(&mut publishers);
        }
        is_unwatched
    }

    fn remove_from(&self, publishers: &mut HashMap<PetId, PartSender>) {
        let own = publishers.get(&self.pet);
        if own.is_some_and(|sender| sender.same_channel(&self.sender)) {
            publishers.remove(&self.pet);
        }
    }
}

impl Drop for Publisher {
    fn drop(&mut self) {
        // After a failure too: the series of its readers end when the last sender is dropped.
        self.unregister();
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::timeout;

    use super::*;
    use crate::app_state::{AppState, LiveConfig};
    use crate::auth::{AuthMode, Authenticator};
    use crate::hub::Hub;
    use crate::limits::{ClientLimiter, ClientLimits, SizeLimits, Timeouts};
    use crate::metrics::Metrics;
    use crate::model::example::{change, pet};
    use crate::model::{ChangeKind, Epoch, Pet};
    use crate::store::{Follower, MemoryAccountStore, MemoryEngine};
    use crate::web::ServiceWorker;
    use crate::writer::Writer;

    /// Returns a site with one pet, over a store in memory.
    fn open_site() -> Arc<Site> {
        let engine = Arc::new(MemoryEngine::new(Epoch::new(7)));
        let asleep = Pet {
            since: Timestamp::now(),
            ..pet(1)
        };
        let created = change(1, 1, ChangeKind::Pet(Arc::new(asleep)));
        engine.append(&[created]).unwrap();
        let hub = Hub::open(Arc::clone(&engine) as _, Metrics::new()).unwrap();
        let (writer, _) = Writer::start(Arc::clone(&engine) as _, Arc::clone(&hub)).unwrap();
        let accounts = Arc::new(MemoryAccountStore::default());
        let authenticator =
            Authenticator::open(AuthMode::Demo, accounts, None, None, Duration::ZERO);
        let live = LiveConfig {
            heartbeat: Duration::from_secs(15),
            min_heartbeat: Duration::from_secs(2),
            pace: Duration::from_millis(10),
            max_viewers: 10,
            max_connection_age: Duration::from_mins(10),
            messages_per_second: 50,
        };
        let app = AppState::start(
            hub,
            writer,
            authenticator.unwrap(),
            Arc::new(ClientLimiter::new(&ClientLimits::default())),
            live,
            SizeLimits::default(),
            Timeouts::default(),
        );
        let app = Arc::new(app.unwrap());
        Arc::new(Site::new(app, engine, ServiceWorker::Off))
    }

    async fn next(parts: &mut NewestPart) -> PicturePart {
        let changed = timeout(Duration::from_secs(10), parts.changed()).await;
        changed.expect("a picture in time").unwrap();
        parts.borrow_and_update().clone().unwrap()
    }

    #[tokio::test]
    async fn a_picture_does_not_claim_to_be_the_present_while_the_engine_is_unreachable() {
        let site = open_site();
        let hub = Arc::clone(site.app.hub());
        let (pet, _) = hub.pet(PetId::new(1), Audience::Public).unwrap();
        let now = Now::new(&site.app.rescue());
        let badges = [BadgePage::new(&pet, &now), BadgePage::last_seen(&pet, &now)];
        let [present, last_seen] = badges.map(|badge| draw(&site, badge, Some(&pet)));
        let present = PicturePart::next(&present.await.unwrap());
        let last_seen = PicturePart::next(&last_seen.await.unwrap());
        assert!(present != last_seen);

        let mut parts = Publishers::subscribe(&site, pet.id);
        assert!(next(&mut parts).await == present);
        hub.set_unreachable_since(Some(Timestamp::now()));
        assert!(next(&mut parts).await == last_seen);
        hub.set_unreachable_since(None);
        assert!(next(&mut parts).await == present);
        site.app.abort_token().cancel();
    }

    #[tokio::test]
    async fn all_who_watch_a_pet_share_one_publisher_that_ends_with_the_last_of_them() {
        let site = open_site();
        let mut first = Publishers::subscribe(&site, PetId::new(1));
        let second = Publishers::subscribe(&site, PetId::new(1));
        assert!(first.same_channel(&second));
        next(&mut first).await;
        drop((first, second));
        let ended = async {
            while !site.publishers.lock().is_empty() {
                sleep(Duration::from_millis(10)).await;
            }
        };
        let ended = timeout(Duration::from_secs(10), ended).await;
        ended.expect("no publisher without a reader");
        site.app.abort_token().cancel();
    }
}
