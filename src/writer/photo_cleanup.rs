//! Removes photos that no pet has: of uploads whose change was never committed, and of photos and pets
//! that were removed.

use std::time::{Duration, Instant};

use crate::hub::Hub;
use crate::model::Timestamp;
use crate::store::{Engine, StoreError};

/// How often unused photos are removed. The first time is a minute after the start.
const CLEANUP_EVERY: Duration = Duration::from_hours(1);
const FIRST_CLEANUP: Duration = Duration::from_mins(1);

/// An unused photo younger than this stays: it may belong to a change that is not committed yet, on this
/// node or another one.
const MIN_AGE: Duration = Duration::from_hours(1);

/// The next cleanup.
pub struct PhotoCleanup {
    next: Instant,
}

impl PhotoCleanup {
    /// Schedules the first cleanup.
    pub fn new() -> Self {
        PhotoCleanup {
            next: Instant::now() + FIRST_CLEANUP,
        }
    }

    /// Removes unused photos if that is due.
    pub fn run(&mut self, engine: &dyn Engine, hub: &Hub, now: Instant) {
        if now < self.next {
            return;
        }
        self.next = now + CLEANUP_EVERY;
        match remove_unused(engine, hub, Timestamp::now()) {
            Ok(0) => {}
            Ok(count) => tracing::info!(photos.count = count, "removed photos that no pet has"),
            Err(error) => tracing::debug!(%error, "cannot remove photos that no pet has"),
        }
    }
}

/// Removes the photos that no pet of `hub` has and that are old enough at `now`.
fn remove_unused(engine: &dyn Engine, hub: &Hub, now: Timestamp) -> Result<usize, StoreError> {
    let min_age = i64::try_from(MIN_AGE.as_micros()).unwrap_or(i64::MAX);
    let before = Timestamp::from_micros(now.micros().saturating_sub(min_age));
    engine.remove_unused_photos(&hub.used_photos(), before)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use bytes::Bytes;

    use super::*;
    use crate::metrics::Metrics;
    use crate::model::{ChangeSource, Epoch, PetId, Photo, PhotoFile, PhotoHash, Profile};
    use crate::store::{MemoryEngine, PhotoStore};
    use crate::writer::{Command, commit_all};

    #[test]
    fn photos_that_no_pet_has_are_removed_after_an_hour() {
        let engine = Arc::new(MemoryEngine::new(Epoch::new(7)));
        let hub = Hub::open(engine.clone(), Metrics::new()).unwrap();
        let stored_at = Timestamp::from_micros(1_000_000_000_000_000);
        let hour = 3_600_000_000;
        let put = |content: &'static [u8]| {
            let jpeg = Bytes::from_static(content);
            let files = [PhotoFile {
                width_px: 400,
                jpeg,
            }];
            let hash = PhotoHash::new(&files);
            engine.put_photo(hash, &files, stored_at).unwrap();
            hash
        };
        let (used, unused) = (put(b"used"), put(b"unused"));
        let photo = Photo {
            hash: used,
            alt: String::new(),
            width_px: 400,
            height_px: 300,
            added: None,
        };
        let pet = PetId::FIRST;
        let commands = [
            Command::create(Profile::default()),
            Command::AddPhoto { pet, photo },
        ];
        commit_all(&*engine, &hub, &commands, ChangeSource::Api).unwrap();
        let removed = |micros| {
            let now = Timestamp::from_micros(stored_at.micros() + micros);
            remove_unused(&*engine, &hub, now).unwrap()
        };
        assert_eq!(removed(hour), 0, "its change may still be committed");
        assert_eq!(removed(hour + 1), 1);
        assert_eq!(engine.photo(unused, 400).unwrap(), None);
        assert!(engine.photo(used, 400).unwrap().is_some());
        let commit = |command| commit_all(&*engine, &hub, &[command], ChangeSource::Api).unwrap();
        commit(Command::remove(pet));
        assert_eq!(removed(hour + 1), 0, "the pet in the trash has it");
        commit(Command::Restore(pet));
        assert!(engine.photo(used, 400).unwrap().is_some());
        commit(Command::remove(pet));
        commit(Command::Delete(pet));
        assert_eq!(removed(hour + 1), 1);
    }
}
