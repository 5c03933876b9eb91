//! Reads what a pet did on one day from the history that an engine keeps.

use std::time::Duration;

use super::{Engine, StoreError};
use crate::model::{Audience, Change, Day, DayRecord, Pet, PetId, Rev, Timestamp};

/// Time after the end of a day in which a status of that day may still be corrected: by an undo, or by a
/// status that began earlier than it was set. Later corrections change the pet, and no day before.
const CORRECTED_FOR: Duration = Duration::from_hours(24);

/// Changes that are read in one call.
const CHUNK: usize = 512;

/// The most changes that are read for a day: a pet that changes every 10 s, as in the demo, has as many in two
/// days. A record of more changes begins later than its day.
const MAX_CHANGES_READ: usize = 18_000;

/// Reads what `audience` may know of the statuses and photos of `pet`, as it is now, on `day`. `newest` is the rev of the
/// last change of any pet. Blocks on the disk or the network.
///
/// # Errors
/// As for `Engine::history`.
pub fn read_day(
    engine: &dyn Engine,
    newest: Rev,
    pet: &Pet,
    day: Day,
    audience: Audience,
    now: Timestamp,
) -> Result<DayRecord, StoreError> {
    let end = day.end.plus(CORRECTED_FOR);
    let mut before = None;
    if end < now {
        before = Some(find_end(engine, pet.id, newest, end)?);
    }
    let is_known =
        |change: &Change| audience == Audience::Staff || change.visibility.is_announced();
    let mut changes = Vec::new();
    loop {
        let read = engine.history(pet.id, before, CHUNK)?;
        let is_end = read.len() < CHUNK;
        let is_start = |change: &Change| change.at <= day.start && is_known(change);
        let has_start = read.iter().any(is_start);
        before = read.last().map(|oldest| oldest.rev);
        changes.extend(read);
        if is_end || has_start || changes.len() >= MAX_CHANGES_READ {
            break;
        }
    }
    let oldest_first = changes.iter().rev();
    Ok(DayRecord::new(day, pet, oldest_first, audience, now))
}

/// Finds a rev before which all changes of the pet are earlier than `at`, in few reads however long the history
/// is.
fn find_end(
    engine: &dyn Engine,
    pet: PetId,
    newest: Rev,
    at: Timestamp,
) -> Result<Rev, StoreError> {
    let (mut low, mut high) = (1, newest.next().get());
    while low < high {
        let middle = low + (high - low).div_ceil(2);
        let last = engine.history(pet, Some(Rev::new(middle)), 1)?;
        match last.first().filter(|change| change.at >= at) {
            Some(later) => high = later.rev.get(),
            None => low = middle,
        }
    }
    Ok(Rev::new(low))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::example::{change, pet};
    use crate::model::{ChangeKind, Epoch, LocalTime, Status};
    use crate::store::MemoryEngine;

    /// Changes of each of two pets, one every 20 minutes for 60 days, in turn.
    const CHANGES: u64 = 60 * 144;

    fn minutes(minutes: u64) -> Timestamp {
        Timestamp::EARLIEST.plus(Duration::from_mins(minutes))
    }

    fn engine() -> MemoryEngine {
        let engine = MemoryEngine::new(Epoch::new(7));
        let changes = (0..CHANGES).map(|number| {
            let status = Status::FOUR[usize::try_from(number / 2 % 4).unwrap()];
            Change {
                at: minutes(number * 10),
                ..change(number + 1, number % 2 + 1, ChangeKind::Status(status))
            }
        });
        engine.append(&changes.collect::<Vec<_>>()).unwrap();
        engine
    }

    fn read(engine: &MemoryEngine, date: &str) -> DayRecord {
        let day = Day::parse(date, &LocalTime::new("", false)).unwrap();
        let pet = Pet {
            status: Status::Playing,
            since: minutes((CHANGES - 2) * 10),
            ..pet(1)
        };
        let (newest, now) = (Rev::new(CHANGES), minutes(CHANGES * 10));
        read_day(engine, newest, &pet, day, Audience::Public, now).unwrap()
    }

    #[test]
    fn a_day_is_found_in_a_long_history_and_complete() {
        let engine = engine();
        for (date, day) in [("2020-01-01", 0), ("2020-01-31", 30), ("2020-02-29", 59)] {
            let record = read(&engine, date);
            assert_eq!(record.spans.len(), 72, "{date}");
            assert_eq!(record.spans[0].from, minutes(day * 1440));
            assert_eq!(record.spans[71].until, record.day.end);
            assert!(record.known_since <= record.day.start);
        }
    }

    #[test]
    fn a_day_before_the_history_has_no_parts_and_says_when_the_history_begins() {
        let record = read(&engine(), "2019-12-31");
        assert!(record.spans.is_empty());
        assert_eq!(record.known_since, minutes(0));
    }
}
