//! The responses that several pollers share.

use std::collections::HashMap;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use bytes::Bytes;

use super::answer::PollKey;
use crate::model::Cursor;

/// How long a response is shared: its hello contains the server's time.
const SHARED_FOR: Duration = Duration::from_secs(1);

/// Responses kept for one cursor. Further ones are encoded per viewer, which is only slower: otherwise a
/// client could fill the memory by asking from many cursors for many combinations of pets.
const MAX_RESPONSES: usize = 256;

/// The latest responses to pollers.
#[derive(Default)]
pub struct PollCache(Mutex<Option<CachedResponses>>);

/// Responses that bring their pollers to the same cursor.
struct CachedResponses {
    reaches: Cursor,
    since: Instant,
    by_key: HashMap<PollKey, Bytes>,
}

impl PollCache {
    /// Returns the response for `key` that brings a poller to `reaches`. Calls `encode` if there is none
    /// that was encoded shortly before `now`.
    pub fn get_or_encode(
        &self,
        key: &PollKey,
        reaches: Cursor,
        now: Instant,
        encode: impl FnOnce() -> Bytes,
    ) -> Bytes {
        let mut cached = self.0.lock().expect("no holder of this lock panics");
        let cached = match &mut *cached {
            Some(cached)
                if now < cached.since + SHARED_FOR
                    && reaches.epoch == cached.reaches.epoch
                    && reaches.rev <= cached.reaches.rev =>
            {
                cached
            }
            outdated => outdated.insert(CachedResponses {
                reaches,
                since: now,
                by_key: HashMap::new(),
            }),
        };
        if reaches.rev < cached.reaches.rev {
            return encode();
        }
        if let Some(response) = cached.by_key.get(key) {
            return response.clone();
        }
        // Encodes while it holds the lock, so that others with the same key wait for this response.
        let response = encode();
        if cached.by_key.len() < MAX_RESPONSES {
            cached.by_key.insert(key.clone(), response.clone());
        }
        response
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hub::TopicFilter;
    use crate::model::{Epoch, PetId, Rev};
    use crate::wire::SnapshotForm;

    /// Returns the response at `now` to a poller of `pet` at rev 1 that is brought to `reaches`. It is
    /// encoded as `text` if it is not cached.
    fn respond(
        cache: &PollCache,
        pet: u64,
        reaches: u64,
        now: Instant,
        text: &'static str,
    ) -> Bytes {
        let cursor = |rev| Cursor {
            epoch: Epoch::new(1),
            rev: Rev::new(rev),
        };
        let key = PollKey {
            start: cursor(1),
            filter: TopicFilter::new([PetId::new(pet).into()]).unwrap(),
            form: SnapshotForm::Whole,
            heartbeat: Duration::ZERO,
            log: None,
        };
        let encode = || Bytes::from_static(text.as_bytes());
        cache.get_or_encode(&key, cursor(reaches), now, encode)
    }

    #[test]
    fn a_response_is_shared_by_pollers_with_the_same_key_and_rev() {
        let (cache, now) = (PollCache::default(), Instant::now());
        assert_eq!(respond(&cache, 7, 5, now, "first"), "first");
        assert_eq!(respond(&cache, 7, 5, now, "second"), "first");
        assert_eq!(
            respond(&cache, 8, 5, now, "of another pet"),
            "of another pet"
        );
        assert_eq!(respond(&cache, 7, 4, now, "older"), "older");
        assert_eq!(respond(&cache, 7, 5, now, "second"), "first");
        assert_eq!(respond(&cache, 7, 6, now, "newer"), "newer");
        assert_eq!(respond(&cache, 7, 6, now, "second"), "newer");
    }

    /// A response was once kept until the next change, and a page that polled an hour later took the
    /// time in its hello for the present.
    #[test]
    fn a_response_is_not_shared_when_the_time_in_it_is_old() {
        let (cache, now) = (PollCache::default(), Instant::now());
        assert_eq!(respond(&cache, 7, 5, now, "first"), "first");
        let later = now + SHARED_FOR;
        assert_eq!(respond(&cache, 7, 5, later, "second"), "second");
    }
}
