//! Finds the changes of the log that are old enough to be removed.
//!
//! Timestamps come from clocks that may have been wrong. A change with an impossible time, later than
//! the present or from a clock that was never set, counts as old as the next change with a possible
//! time.

use std::time::Duration;

use redb::ReadTransaction;

use super::tables::changes;
use crate::model::{Change, Timestamp};
use crate::store::StoreError;

/// Returns up to `limit` of the oldest changes that are more than `history` older than both the newest
/// change and `present`, without the newest `kept`.
pub fn find_old(
    reading: &ReadTransaction,
    present: Timestamp,
    history: Duration,
    kept: u64,
    limit: usize,
) -> Result<Vec<Change>, StoreError> {
    let Some(newest) = changes(reading, ..)?.next_back().transpose()? else {
        return Ok(Vec::new());
    };
    let latest = present.min(newest.at);
    let is_possible = |at: Timestamp| (Timestamp::EARLIEST..=latest).contains(&at);
    let end = newest.rev.next().get().saturating_sub(kept);
    let (mut old, mut undated) = (Vec::new(), Vec::new());
    for change in changes(reading, ..end)? {
        let change = change?;
        if !is_possible(change.at) {
            if old.len() + undated.len() < limit {
                undated.push(change);
            }
            continue;
        }
        if latest.since(change.at) <= history {
            break;
        }
        old.append(&mut undated);
        old.push(change);
        if old.len() >= limit {
            old.truncate(limit);
            break;
        }
    }
    Ok(old)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{PetId, Rev};
    use crate::store::redb::tests::change;
    use crate::store::{Engine, LogPart, RedbEngine, check};

    const DAY_MICROS: i64 = 86_400_000_000;

    fn day(day: i64) -> Timestamp {
        Timestamp::from_micros(Timestamp::EARLIEST.micros() + day * DAY_MICROS)
    }

    /// A store with one change per timestamp.
    fn store(stamps: impl IntoIterator<Item = Timestamp>) -> (tempfile::TempDir, RedbEngine) {
        let folder = tempfile::tempdir().unwrap();
        let engine = RedbEngine::open(folder.path()).unwrap();
        let changes: Vec<Change> = (1..)
            .zip(stamps)
            .map(|(rev, at)| Change { at, ..change(rev) })
            .collect();
        engine.append(&changes).unwrap();
        (folder, engine)
    }

    #[test]
    fn trimming_removes_the_oldest_changes_and_nothing_else() {
        let (folder, engine) = store((1..=50).map(day));
        let (log, snapshot) = (
            engine.tail(Rev::ZERO, 100).unwrap(),
            engine.snapshot().unwrap(),
        );
        // A change a day: 39 of them are more than 10 days older than the newest.
        let history = Duration::from_hours(10 * 24);
        let trim = |kept, limit| engine.trim(Timestamp::now(), history, kept, limit).unwrap();
        assert_eq!(trim(45, 100), 5, "the newest 45 stay");
        assert_eq!(trim(0, 7), 7);
        let recent = engine.recent(Rev::new(15), 10).unwrap();
        assert_eq!((recent.after, recent.changes.len()), (Rev::new(12), 3));
        let left = LogPart {
            changes: log[12..15].to_vec(),
            reaches: Rev::new(15),
            lost: Some((Rev::new(1), Rev::new(12))),
        };
        assert_eq!(engine.remaining_after(Rev::ZERO, Rev::new(50), 5), Ok(left));
        assert_eq!(engine.tail(Rev::ZERO, 100), Err(StoreError::Trimmed));
        assert_eq!(engine.tail(Rev::new(12), 100).unwrap(), log[12..]);
        assert_eq!(trim(0, 100), 27);
        assert_eq!(trim(0, 100), 0);
        assert_eq!(engine.tail(Rev::new(38), 100), Err(StoreError::Trimmed));
        assert_eq!(engine.tail(Rev::new(39), 100).unwrap(), log[39..]);
        assert_eq!(engine.history(PetId::FIRST, None, 100).unwrap().len(), 11);
        assert_eq!(engine.snapshot().unwrap(), snapshot);
        drop(engine);
        assert_eq!(check(folder.path()).unwrap().0.changes, 11);
    }

    #[test]
    fn the_saved_present_survives_a_restart() {
        let (folder, engine) = store([day(1)]);
        assert_eq!(engine.saved_present(), Ok(None));
        engine.save_present(day(2)).unwrap();
        drop(engine);
        let engine = RedbEngine::open(folder.path()).unwrap();
        assert_eq!(engine.saved_present(), Ok(Some(day(2))));
    }

    /// One change while the clock was 400 days ahead made the whole log old when it was right
    /// again; and a machine without a clock stamps 1970 until it has a network.
    #[test]
    fn a_change_with_a_wrong_time_makes_no_other_old_and_is_as_old_as_the_next() {
        let unset = Timestamp::from_micros(60_000_000);
        let stamps = [100, 110, 700, 120].map(day).into_iter();
        let stamps = stamps.chain([unset, unset]);
        let (_folder, engine) = store(stamps.chain([250, 299, 700].map(day)));
        let history = Duration::from_hours(90 * 24);
        let trim = |present, limit| engine.trim(present, history, 0, limit).unwrap();
        assert_eq!(trim(day(300), 2), 2);
        assert_eq!(trim(day(300), 100), 2);
        assert_eq!(trim(day(300), 100), 0);
        let kept = engine.changes_between(Rev::ZERO, Rev::new(100)).unwrap();
        let kept: Vec<u64> = kept.iter().map(|change| change.rev.get()).collect();
        assert_eq!(kept, [5, 6, 7, 8, 9], "those of 1970 came after day 120");
        assert_eq!(trim(day(800), 100), 4, "the newest stays");
    }
}
