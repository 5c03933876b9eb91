//! Whether something is missing between two messages that were read one after the other.

use super::batch::PLACE;
use super::message::{Entry, LEADING};

/// Whether no change is missing before `entry`, when `next` would have been the sequence number to
/// follow. The stream keeps the last few messages of each subject; of ticks it forgets most, and
/// these do not count.
pub fn is_next(next: u64, entry: &Entry) -> bool {
    let header = |name: &str| entry.headers.get(name)?.as_str().parse::<u64>().ok();
    if entry.seq == next {
        return true;
    }
    let (Some(place), Some(leading)) = (header(PLACE), header(LEADING)) else {
        return false;
    };
    let start = (entry.seq + 1).saturating_sub(place);
    next >= start && entry.seq <= start + leading
}

#[cfg(test)]
mod tests {
    use async_nats::HeaderMap;

    use super::*;
    use crate::store::nats::subjects::PET;

    /// A pet's message with its place in a batch that begins with `leading` messages that are no
    /// changes.
    fn entry(seq: u64, place: u64, leading: u64) -> Entry {
        let mut headers = HeaderMap::new();
        headers.insert(PLACE, place.to_string());
        headers.insert(LEADING, leading.to_string());
        Entry {
            seq,
            subject: format!("{PET}1"),
            headers,
            payload: Vec::new(),
        }
    }

    /// The stream keeps 16 ticks, and far more changes.
    #[test]
    fn a_forgotten_tick_leaves_no_hole_and_a_forgotten_change_does() {
        assert!(is_next(7, &entry(7, 1, 0)));
        assert!(!is_next(6, &entry(7, 1, 0)), "the change 6 is gone");
        assert!(
            is_next(6, &entry(7, 2, 1)),
            "6 was the tick of the same batch"
        );
        assert!(
            is_next(5, &entry(7, 3, 2)),
            "5 and 6 were the next id and a tick"
        );
        assert!(!is_next(5, &entry(7, 2, 1)), "5 was before the batch");
        assert!(
            !is_next(6, &entry(8, 3, 1)),
            "7 was a change of the same batch"
        );
    }
}
