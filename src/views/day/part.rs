//! Parts of a day as a person reads them: many short changes in a row are one part.

use std::ops::Range;
use std::time::Duration;

use crate::model::{DayRecord, Status, StatusSpan, Timestamp};

/// Length below which a status is short: about a pixel of the strip on a phone.
const SHORT: Duration = Duration::from_mins(4);

/// The fewest short statuses in a row that are one part. Fewer are corrections, or a pet that was busy for a moment.
const MIN_BUSY: usize = 6;

/// A part of a day.
#[derive(Debug, PartialEq)]
pub(super) enum DayPart<'a> {
    /// One status.
    Status(&'a StatusSpan),
    /// Many short statuses, as in the demo, where the status changes every 10 seconds.
    Busy(&'a [StatusSpan]),
    /// The pet was not on the board.
    Absent(&'a Range<Timestamp>),
}

impl<'a> DayPart<'a> {
    /// Returns the parts of the day in their order.
    pub fn list(record: &'a DayRecord) -> Vec<Self> {
        let runs = record
            .spans
            .chunk_by(|one, next| is_short(one) && is_short(next) && one.until == next.from);
        let statuses = runs.flat_map(|run| match run.len() {
            MIN_BUSY.. => vec![DayPart::Busy(run)],
            _ => run.iter().map(DayPart::Status).collect(),
        });
        let absences = record.absences.iter().map(DayPart::Absent);
        let mut parts: Vec<Self> = statuses.chain(absences).collect();
        parts.sort_by_key(DayPart::from);
        parts
    }

    /// Returns when the part began.
    pub fn from(&self) -> Timestamp {
        match self {
            DayPart::Status(span) => span.from,
            DayPart::Busy(spans) => spans[0].from,
            DayPart::Absent(gap) => gap.start,
        }
    }

    /// Returns when the part ended.
    pub fn until(&self) -> Timestamp {
        match self {
            DayPart::Status(span) => span.until,
            DayPart::Busy(spans) => spans[spans.len() - 1].until,
            DayPart::Absent(gap) => gap.end,
        }
    }

    /// Returns how long the pet had `status`.
    pub fn total(&self, status: Status) -> Duration {
        let spans: &[StatusSpan] = match self {
            DayPart::Status(span) => std::slice::from_ref(*span),
            DayPart::Busy(spans) => spans,
            DayPart::Absent(_) => &[],
        };
        let spans = spans.iter().filter(|span| span.status == status);
        spans.map(StatusSpan::length).sum()
    }

    /// Returns the share of `status` in the part, from 0 to 1.
    pub fn share_of(&self, status: Status) -> f64 {
        let length = self.until().since(self.from());
        self.total(status).as_secs_f64() / length.as_secs_f64()
    }

    /// Returns true if the strip draws both in the same way.
    pub fn looks_like(&self, other: &Self) -> bool {
        match (self, other) {
            (DayPart::Status(one), DayPart::Status(other)) => one.status == other.status,
            (one, other) => one == other,
        }
    }
}

/// Returns true for a status that needs no place of its own. One with a note is read for the note.
fn is_short(span: &StatusSpan) -> bool {
    span.length() < SHORT && span.note.is_empty()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Day, LocalTime, StatusNote};

    /// A day with statuses of these lengths in minutes, in turn; a negative one is an absence.
    fn record(minutes: &[i32]) -> DayRecord {
        let day = Day::parse("2026-11-27", &LocalTime::new("", false)).unwrap();
        let mut at = day.start;
        let (mut spans, mut absences) = (Vec::new(), Vec::new());
        for (index, minutes) in minutes.iter().enumerate() {
            let until = at.plus(Duration::from_mins(minutes.unsigned_abs().into()));
            if *minutes < 0 {
                absences.push(at..until);
            } else {
                spans.push(StatusSpan {
                    status: Status::FOUR[index % 4],
                    from: at,
                    until,
                    note: StatusNote::default(),
                });
            }
            at = until;
        }
        DayRecord {
            known_since: day.start,
            photos: Vec::new(),
            day,
            spans,
            absences,
        }
    }

    /// Returns the number of statuses of each part; 0 for an absence.
    fn counts(record: &DayRecord) -> Vec<usize> {
        let parts = DayPart::list(record);
        let parts = parts.iter().map(|part| match part {
            DayPart::Status(_) => 1,
            DayPart::Busy(spans) => spans.len(),
            DayPart::Absent(_) => 0,
        });
        parts.collect()
    }

    #[test]
    fn many_short_statuses_in_a_row_are_one_part() {
        assert_eq!(counts(&record(&[60, 1, 1, 1, 1, 1, 60])), [1; 7]);
        assert_eq!(counts(&record(&[60, 1, 1, 1, 1, 1, 1, 60])), [1, 6, 1]);
        assert_eq!(counts(&record(&[3; 300])), [300]);
        assert_eq!(counts(&record(&[4; 300])), [1; 300]);
        let with_absence = record(&[3, 3, 3, -3, 3, 3, 3]);
        assert_eq!(counts(&with_absence), [1, 1, 1, 0, 1, 1, 1]);
        let mut noted = record(&[1; 12]);
        noted.spans[5].note = "at the vet".parse().unwrap();
        assert_eq!(counts(&noted), [1, 1, 1, 1, 1, 1, 6]);
    }

    #[test]
    fn the_parts_of_a_day_add_up() {
        let record = record(&[60, 1, 2, 3, 1, 2, 3, 1, -9, 5]);
        let parts = DayPart::list(&record);
        assert!(
            parts
                .windows(2)
                .all(|pair| pair[0].until() == pair[1].from())
        );
        for status in Status::FOUR {
            let total: Duration = parts.iter().map(|part| part.total(status)).sum();
            assert_eq!(total, record.total(status), "{status}");
        }
        let shares = Status::FOUR.map(|status| parts[1].share_of(status));
        assert!(
            (shares.iter().sum::<f64>() - 1.0).abs() < 1e-9,
            "{shares:?}"
        );
    }
}
