//! An index of the changes that were made by requests with a key, to recognise a retry.
//!
//! Every node builds this index from the log and from the changes it is shown, so all nodes know the
//! same requests, also after a restart. It is bounded per principal, so that one principal cannot push
//! out the keys of others, and in total.

use std::collections::{HashMap, VecDeque};
use std::time::Duration;

use crate::model::{Change, PetId, RequestId, Rev, Timestamp};

/// How long a key is kept.
pub const KEPT_FOR: Duration = Duration::from_hours(24);

/// Keys of one principal, about 100 bytes each. The oldest is dropped first.
const PER_PRINCIPAL: usize = 10_000;
/// Keys of all principals. The oldest key of the principal with the most keys is dropped first.
const LIMIT: usize = 100_000;

/// A request that was carried out.
#[derive(Clone, Copy, Debug)]
pub struct DoneRequest {
    /// Hash of the request's content.
    pub fingerprint: [u8; 8],
    /// The pet that it changed last.
    pub pet: PetId,
    /// The first change that it made.
    pub first: Rev,
    /// The last change that it made; the first one, unless it changed several pets.
    pub rev: Rev,
    at: Timestamp,
}

/// The requests by key.
#[derive(Default)]
pub struct RequestIndex {
    done: HashMap<RequestId, DoneRequest>,
    /// The keys of each principal by name, oldest first.
    keys: HashMap<String, VecDeque<(RequestId, Rev)>>,
    count: usize,
}

impl RequestIndex {
    /// Adds `change` if its request had a key.
    pub fn push(&mut self, change: &Change) {
        let Some(request) = change.request else {
            return;
        };
        // The changes of one request have one time.
        if let Some(done) = self.done.get_mut(&request.id)
            && done.at == change.at
        {
            (done.pet, done.rev) = (change.pet, change.rev);
            return;
        }
        let done = DoneRequest {
            fingerprint: request.fingerprint,
            pet: change.pet,
            first: change.rev,
            rev: change.rev,
            at: change.at,
        };
        self.done.insert(request.id, done);
        let author = change.author.as_deref();
        let principal = author.map(|author| author.name.clone()).unwrap_or_default();
        let keys = self.keys.entry(principal).or_default();
        keys.push_back((request.id, change.rev));
        self.count += 1;
        if keys.len() > PER_PRINCIPAL {
            let oldest = keys.pop_front();
            self.remove(oldest);
        } else if self.count > LIMIT {
            let most = self.keys.values_mut().max_by_key(|keys| keys.len());
            let oldest = most.and_then(VecDeque::pop_front);
            self.remove(oldest);
        }
    }

    /// Returns the request with this key, if it was carried out less than a day ago.
    pub fn get(&self, id: &RequestId, now: Timestamp) -> Option<DoneRequest> {
        let done = self.done.get(id).copied()?;
        (now.since(done.at) < KEPT_FOR).then_some(done)
    }

    fn remove(&mut self, oldest: Option<(RequestId, Rev)>) {
        let Some((id, rev)) = oldest else { return };
        self.count -= 1;
        // A key that was used again after a day belongs to a newer change.
        if self.done.get(&id).is_some_and(|done| done.first == rev) {
            self.done.remove(&id);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::model::example::change;
    use crate::model::{Author, ChangeKind, RequestKey};

    fn id(principal: u8, number: u64) -> RequestId {
        let mut id = [principal; 16];
        id[..8].copy_from_slice(&number.to_be_bytes());
        id
    }

    fn push(requests: &mut RequestIndex, principal: u8, number: u64) {
        let author = Author {
            name: principal.to_string(),
            client: String::new(),
        };
        requests.push(&Change {
            author: Some(Arc::new(author)),
            request: Some(RequestKey {
                id: id(principal, number),
                fingerprint: [0; 8],
            }),
            ..change(number, 1, ChangeKind::Gone(None))
        });
    }

    #[test]
    fn a_key_is_kept_for_a_day() {
        let mut requests = RequestIndex::default();
        push(&mut requests, 1, 7);
        let day = 86_400_000_000;
        let known = |micros| requests.get(&id(1, 7), Timestamp::from_micros(micros));
        assert_eq!(known(day - 1).map(|done| done.rev), Some(Rev::new(7)));
        assert!(known(day).is_none());
        assert!(requests.get(&id(1, 8), Timestamp::from_micros(0)).is_none());
    }

    #[test]
    fn a_principal_evicts_only_its_own_keys_and_there_is_a_total_limit() {
        let mut requests = RequestIndex::default();
        push(&mut requests, 1, 1);
        for number in 2..=PER_PRINCIPAL as u64 + 2 {
            push(&mut requests, 2, number);
        }
        let known = |requests: &RequestIndex, principal, number| {
            requests
                .get(&id(principal, number), Timestamp::from_micros(0))
                .is_some()
        };
        assert!(known(&requests, 1, 1) && known(&requests, 2, 3) && !known(&requests, 2, 2));
        for principal in 3..=14 {
            for number in 1..PER_PRINCIPAL as u64 {
                push(&mut requests, principal, number);
            }
        }
        assert_eq!((requests.count, requests.done.len()), (LIMIT, LIMIT));
        assert!(known(&requests, 1, 1));
    }
}
