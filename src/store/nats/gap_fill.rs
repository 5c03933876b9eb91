//! Fills gaps: reads the messages that a node missed, or has everyone continue from a snapshot where
//! the stream no longer has them.

use async_nats::header::NATS_BATCH_SEQUENCE;

use super::applier::Applier;
use super::client::unavailable;
use super::read;
use super::record::{LEADING, StoredMessage};
use super::subjects::PETS;
use crate::store::StoreError;

/// Messages per read.
const MESSAGES_PER_READ: usize = 256;

/// Returns true if there is no gap before `message`, given that the sequence number `next` was
/// expected.
///
/// The stream keeps 10,000 messages of each subject, so it drops ticks long before changes. Dropped
/// messages that lead a batch and are not changes make no gap.
pub fn follows_without_gap(next: u64, message: &StoredMessage) -> bool {
    if message.seq == next {
        return true;
    }
    let place = message.headers.get(NATS_BATCH_SEQUENCE);
    let place = place.and_then(|place| place.as_str().parse::<u64>().ok());
    let leading = message
        .header(LEADING)
        .and_then(|leading| leading.parse::<u64>().ok());
    let (Some(place), Some(leading)) = (place, leading) else {
        return false;
    };
    let start = (message.seq + 1).saturating_sub(place);
    next >= start && message.seq <= start + leading
}

impl Applier {
    /// Applies the missing messages up to the sequence number `upto`, as far as the replica that
    /// answers has them. If the stream has dropped a change among them, every viewer gets a snapshot.
    pub(super) async fn fill_gap(&mut self, upto: u64) -> Result<(), StoreError> {
        loop {
            let mut next = self.replica.state().seq + 1;
            if next > upto {
                return Ok(());
            }
            let client = &self.replica.client;
            let read = read::messages_from(client, &PETS, PETS.subjects, next, MESSAGES_PER_READ);
            let messages = read.await?;
            if messages.is_empty() {
                return Ok(());
            }
            let mut changes = Vec::new();
            let mut has_gap = false;
            for message in messages {
                has_gap = !follows_without_gap(next, &message);
                if has_gap {
                    break;
                }
                next = message.seq + 1;
                changes.extend(self.apply(&message));
            }
            self.show(&changes).await?;
            if has_gap {
                self.resync_over_gap().await?;
            }
        }
    }

    /// Continues after a gap that cannot be filled, from the current state of the stream.
    ///
    /// # Errors
    /// `Unavailable` if the replica that answers is not ahead of this node; the next poll then finds
    /// the gap again.
    async fn resync_over_gap(&mut self) -> Result<(), StoreError> {
        let after = self.replica.state().seq;
        tracing::warn!(
            stream.sequence = after,
            "the engine dropped changes before this node could read them; every viewer gets a snapshot"
        );
        let (state, snapshot) = self.replica.read_snapshot().await?;
        if state.seq <= after {
            return Err(unavailable("its replica lags"));
        }
        // The messages of a commit in progress may be in the gap, so its outcome stays unknown.
        self.epoch = state.epoch;
        *self.replica.state() = state;
        self.replica.resync(snapshot);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use async_nats::HeaderMap;
    use bytes::Bytes;

    use super::*;
    use crate::store::nats::subjects::PET;

    /// Returns a pet's message at `place` of a batch that begins with `leading` other messages.
    fn message(seq: u64, place: u64, leading: u64) -> StoredMessage {
        let mut headers = HeaderMap::new();
        headers.insert(NATS_BATCH_SEQUENCE, place.to_string());
        headers.insert(LEADING, leading.to_string());
        StoredMessage {
            seq,
            subject: format!("{PET}1"),
            headers,
            payload: Bytes::new(),
        }
    }

    #[test]
    fn a_dropped_tick_makes_no_gap_and_a_dropped_change_does() {
        let follows =
            |next, (seq, place, leading)| follows_without_gap(next, &message(seq, place, leading));
        assert!(follows(7, (7, 1, 0)));
        assert!(!follows(6, (7, 1, 0)), "the change 6 is gone");
        assert!(follows(6, (7, 2, 1)), "6 was the tick of the same batch");
        assert!(follows(5, (7, 3, 2)), "5 and 6 were the next id and a tick");
        assert!(!follows(5, (7, 2, 1)), "5 was before the batch");
        assert!(!follows(6, (8, 3, 1)), "7 was a change of the same batch");
    }
}
