//! Calendar days in the time zone of the rescue, and what a pet did during one.

use std::fmt;
use std::ops::Range;
use std::time::Duration;

use jiff::civil::Date;

use super::{Audience, Change, ChangeKind, LocalTime, Pet, Photo, Status, StatusNote, Timestamp};

/// A calendar day, which has 23 or 25 hours when the clocks change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Day {
    date: Date,
    /// First moment of the day.
    pub start: Timestamp,
    /// First moment of the day after it.
    pub end: Timestamp,
}

/// A time during which a pet had one status with one note.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StatusSpan {
    /// The status.
    pub status: Status,
    /// When it began.
    pub from: Timestamp,
    /// When it ended.
    pub until: Timestamp,
    /// The last note on it.
    pub note: StatusNote,
}

/// Statuses of a pet on one day, as far as they are known, and the photos that were added.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DayRecord {
    /// The day.
    pub day: Day,
    /// Parts of the day in their order, without overlap. There are gaps where nothing is known, until somebody sets
    /// the first status, and where the pet was not on the board.
    pub spans: Vec<StatusSpan>,
    /// Parts of the day in which the pet was not on the board, after it had been there: it was in the trash, or for
    /// visitors, private.
    pub absences: Vec<Range<Timestamp>>,
    /// Photos that were added on the day and that the pet still has, in the order in which they were added.
    pub photos: Vec<Photo>,
    /// Time at which what is known of the pet begins.
    pub known_since: Timestamp,
}

impl Day {
    /// Parses a date such as `2026-11-27`; `None` for other text and beyond the calendar.
    pub fn parse(text: &str, local: &LocalTime) -> Option<Self> {
        let date: Date = text.parse().ok()?;
        Day::new(date, local).filter(|day| day.to_string() == text)
    }

    /// Returns the day of `at`; `None` at the end of the calendar.
    pub fn containing(at: Timestamp, local: &LocalTime) -> Option<Self> {
        Day::new(at.timestamp().to_zoned(local.time_zone()).date(), local)
    }

    /// Returns the day before this one.
    pub fn previous(&self, local: &LocalTime) -> Option<Self> {
        Day::new(self.date.yesterday().ok()?, local)
    }

    /// Returns the day after this one.
    pub fn next(&self, local: &LocalTime) -> Option<Self> {
        Day::new(self.date.tomorrow().ok()?, local)
    }

    /// Returns the date in words: `Friday, 27 November 2026`.
    pub fn title(&self) -> String {
        self.date.strftime("%A, %-d %B %Y").to_string()
    }

    /// Returns the length of the day.
    pub fn length(&self) -> Duration {
        self.end.since(self.start)
    }

    fn new(date: Date, local: &LocalTime) -> Option<Self> {
        let midnight = |date: Date| {
            let zoned = date.to_zoned(local.time_zone()).ok()?;
            Some(Timestamp::from_micros(zoned.timestamp().as_microsecond()))
        };
        Some(Day {
            date,
            start: midnight(date)?,
            end: midnight(date.tomorrow().ok()?)?,
        })
    }
}

/// Shows the date as addresses write it.
impl fmt::Display for Day {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.date.fmt(f)
    }
}

impl DayRecord {
    /// Returns what `audience` may know of `day` from `changes` of `pet`, oldest first, at the time `now`.
    pub fn new<'a>(
        day: Day,
        pet: &Pet,
        changes: impl Iterator<Item = &'a Change> + Clone,
        audience: Audience,
        now: Timestamp,
    ) -> Self {
        let photos = photos(&day, pet, changes.clone(), audience);
        let spans = StatusSpan::list(changes, audience, pet, now);
        let known_since = spans.first().map_or(now, |first| first.from);
        let gaps = spans.windows(2).map(|pair| pair[0].until..pair[1].from);
        let gaps = gaps.map(|gap| gap.start.max(day.start)..gap.end.min(day.end));
        let absences = gaps.filter(|gap| gap.start < gap.end).collect();
        let set = spans
            .into_iter()
            .filter(|span| span.status != Status::NotSetYet);
        DayRecord {
            spans: set
                .filter_map(|span| span.within(day.start, day.end))
                .collect(),
            absences,
            photos,
            known_since,
            day,
        }
    }

    /// Returns the statuses that the pet had: the four in their order, then others in the order of the day.
    pub fn statuses(&self) -> Vec<Status> {
        let mut statuses = Status::FOUR.to_vec();
        for span in &self.spans {
            if !statuses.contains(&span.status) {
                statuses.push(span.status);
            }
        }
        statuses.retain(|status| !self.total(*status).is_zero());
        statuses
    }

    /// Returns how long the pet had `status`.
    pub fn total(&self, status: Status) -> Duration {
        let spans = self.spans.iter().filter(|span| span.status == status);
        spans.map(StatusSpan::length).sum()
    }
}

impl StatusSpan {
    /// Returns how long the status lasted.
    pub fn length(&self) -> Duration {
        self.until.since(self.from)
    }

    /// Returns what `audience` may know from `changes` of `pet`, up to `now`.
    ///
    /// A status that began before it was set, as after an undo, replaces what was set in between. If the present
    /// status began later than was entered first, the one before it lasted longer. A pet that was not on the board
    /// comes back with the status that it had, which then begins again.
    fn list<'a>(
        changes: impl IntoIterator<Item = &'a Change>,
        audience: Audience,
        pet: &Pet,
        now: Timestamp,
    ) -> Vec<Self> {
        let mut spans: Vec<StatusSpan> = Vec::new();
        let (mut since, mut is_absent, mut back) = (None, false, None);
        for change in changes {
            if audience == Audience::Public && !change.visibility.is_announced() {
                is_absent = true;
                continue;
            }
            let is_withdrawn = audience == Audience::Public && change.visibility.is_withdrawn();
            let begun = StatusSpan::begun_by(change, now).filter(|_| !is_withdrawn);
            let Some(begun) = begun else {
                is_absent = true;
                cut(&mut spans, change.at);
                continue;
            };
            back = if is_absent { Some(change.at) } else { back };
            is_absent = false;
            let begun = begun.not_before(back);
            let from = begun.from;
            let was_later = since.is_some_and(|since| since < from && from < change.at);
            let is_present =
                |last: &mut StatusSpan| last.status == begun.status && Some(last.from) == since;
            if was_later && let Some(present) = spans.pop_if(is_present) {
                extend(&mut spans, present.from, from);
            }
            begin(&mut spans, begun);
            since = Some(from);
        }
        begin(&mut spans, StatusSpan::current(pet, now).not_before(back));
        spans.retain(|span| span.from < span.until);
        spans
    }

    /// Returns the status of the pet after `change`, as one that lasts until `now`; `None` if the pet is not on the
    /// board then.
    fn begun_by(change: &Change, now: Timestamp) -> Option<Self> {
        let (status, from) = match &change.kind {
            ChangeKind::Pet(pet) if pet.is_in_trash() => return None,
            ChangeKind::Pet(pet) => return Some(StatusSpan::current(pet, now)),
            _ => change.status()?,
        };
        Some(StatusSpan {
            status,
            from,
            until: now,
            note: change.kind.note().cloned().unwrap_or_default(),
        })
    }

    /// Returns the status of `pet`, as one that lasts until `now`.
    fn current(pet: &Pet, now: Timestamp) -> Self {
        StatusSpan {
            status: pet.status,
            from: pet.since,
            until: now,
            note: pet.note.clone(),
        }
    }

    /// Returns the span without the time before `back`, when the pet came back to the board.
    fn not_before(self, back: Option<Timestamp>) -> Self {
        let from = back.map_or(self.from, |back| back.max(self.from));
        StatusSpan { from, ..self }
    }

    /// Returns the part of the span between `from` and `until`; `None` if there is none.
    fn within(self, from: Timestamp, until: Timestamp) -> Option<Self> {
        let (from, until) = (self.from.max(from), self.until.min(until));
        (from < until).then_some(StatusSpan {
            from,
            until,
            ..self
        })
    }
}

/// Returns the photos of `pet` that were added on `day` by one of `changes` that `audience` may know.
fn photos<'a>(
    day: &Day,
    pet: &Pet,
    changes: impl Iterator<Item = &'a Change>,
    audience: Audience,
) -> Vec<Photo> {
    let is_known = |change: &&Change| audience == Audience::Staff || change.visibility.is_public();
    let is_of_day = |change: &&Change| day.start <= change.at && change.at < day.end;
    let mut times: Vec<Timestamp> = changes
        .filter(|change| is_of_day(change) && is_known(change))
        .filter(|change| matches!(change.kind, ChangeKind::Pet(_)))
        .map(|change| change.at)
        .collect();
    times.dedup();
    let added = |at: Timestamp| {
        pet.photos
            .iter()
            .filter(move |photo| photo.added == Some(at))
    };
    times.into_iter().flat_map(added).cloned().collect()
}

/// Removes what lies at and after `at`.
fn cut(spans: &mut Vec<StatusSpan>, at: Timestamp) {
    while spans.pop_if(|last| last.from >= at).is_some() {}
    if let Some(last) = spans.last_mut() {
        last.until = last.until.min(at);
    }
}

/// Lets the last status end at `until`, if it ended at `end`.
fn extend(spans: &mut [StatusSpan], end: Timestamp, until: Timestamp) {
    if let Some(last) = spans.last_mut().filter(|last| last.until == end) {
        last.until = until;
    }
}

/// Begins a status. The same one again with the same note continues the last span.
fn begin(spans: &mut Vec<StatusSpan>, begun: StatusSpan) {
    cut(spans, begun.from);
    let is_same = |last: &&mut StatusSpan| {
        last.status == begun.status && last.note == begun.note && last.until >= begun.from
    };
    match spans.last_mut().filter(is_same) {
        Some(last) => last.until = begun.until,
        None => spans.push(begun),
    }
}

#[cfg(test)]
mod tests;
