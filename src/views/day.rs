//! Contexts of a pet's day: the strip of its hours with how long each status took, which the page of the pet has
//! too, the photos that were added, and the table of its parts.

use std::time::Duration;

use serde::Serialize;

use super::photos::PhotoView;
use super::time_text::Now;
use crate::model::{
    Day, DayRecord, LocalTime, Pet, Photo, Status, StatusNote, StatusSpan, Timestamp,
};

/// Shortest time that the strip draws, about a pixel on a phone. A day then has at most 375 bars, however often
/// the status changed.
const SLOT: Duration = Duration::from_mins(4);

/// Distance of the places at which an hour of the clock may begin: zones differ by quarters of an hour.
const TICK_SEARCH: Duration = Duration::from_mins(15);

/// The most rows of the table.
const MAX_ROWS: usize = 200;

/// The hours of one day of a pet.
#[derive(Serialize)]
pub struct DayStrip {
    /// Address of the page of the day.
    path: String,
    /// Hour and minute up to which the strip is known, if the day has not ended.
    as_of: Option<String>,
    is_utc: bool,
    bars: Vec<BarView>,
    /// Places of the full hours, in per cent.
    ticks: Vec<String>,
    labels: Vec<LabelView>,
    totals: Vec<TotalView>,
}

/// A part of the strip with one status. Places are in per cent of the width.
#[derive(Serialize)]
struct BarView {
    status: Status,
    x: String,
    width: String,
    /// Row of the mark in the colour of the status.
    row: usize,
}

/// An hour that is named below the strip.
#[derive(Serialize)]
struct LabelView {
    x: String,
    anchor: &'static str,
    text: String,
}

/// How long one status took.
#[derive(Serialize)]
struct TotalView {
    status: Status,
    text: String,
    length: String,
}

/// The page of one day of a pet.
#[derive(Serialize)]
pub struct DayPage {
    pet: u64,
    pet_name: String,
    is_private: bool,
    title: String,
    strip: DayStrip,
    photos: Vec<DayPhotoView>,
    /// The parts of the day, of which those after the first ones may be left out.
    rows: Vec<RowView>,
    left_out: usize,
    /// Length of a day on which the clocks change.
    unusual_length: Option<String>,
    /// Time at which what is known of the pet begins, if that is after the start of the day.
    begins: Option<BeginView>,
    previous: Option<String>,
    next: Option<String>,
}

/// A photo that was added on the day.
#[derive(Serialize)]
struct DayPhotoView {
    photo: PhotoView,
    /// Hour and minute at which it was added.
    clock: String,
}

/// When what is known of a pet begins.
#[derive(Serialize)]
struct BeginView {
    /// True if the day ended before.
    is_later_day: bool,
    clock: String,
    title: String,
    path: String,
    /// Days of history that there are.
    days: u64,
}

/// A row of the table.
#[derive(Serialize)]
struct RowView {
    from: String,
    until: String,
    status: Status,
    text: String,
    note: String,
    length: String,
}

impl DayStrip {
    /// The strip of what `pet` did.
    pub fn new(pet: &Pet, record: &DayRecord, now: &Now) -> Self {
        let day = &record.day;
        let statuses = record.statuses();
        let mut hours = hours(day, &now.local);
        hours.retain(|at| *at > day.start);
        DayStrip {
            path: day_path(pet, day),
            as_of: (now.at < day.end).then(|| now.clock()),
            is_utc: now.local.zone_name().is_none(),
            bars: bars(record, &statuses),
            ticks: hours.iter().map(|at| place(day, *at)).collect(),
            labels: labels(day, &hours, &now.local),
            totals: statuses
                .into_iter()
                .map(|status| TotalView {
                    status,
                    text: now.activities.text(status),
                    length: length(record.total(status)),
                })
                .collect(),
        }
    }
}

impl DayPage {
    /// The page of what `pet` did.
    pub fn new(pet: &Pet, record: &DayRecord, now: &Now) -> Self {
        let day = &record.day;
        let local = &now.local;
        let has_begun = |day: &Day| day.start <= now.at;
        let is_known = |day: &Day| record.known_since < day.end;
        let spans = record.spans.iter();
        DayPage {
            pet: pet.id.get(),
            pet_name: pet.profile.name.clone(),
            is_private: !pet.is_public(),
            title: day.title(),
            strip: DayStrip::new(pet, record, now),
            photos: record
                .photos
                .iter()
                .filter_map(|photo| DayPhotoView::new(pet, photo, local))
                .collect(),
            rows: spans
                .take(MAX_ROWS)
                .map(|span| RowView::new(span, day, now))
                .collect(),
            left_out: record.spans.len().saturating_sub(MAX_ROWS),
            unusual_length: (day.length() != Duration::from_hours(24))
                .then(|| length(day.length())),
            begins: BeginView::new(pet, record, now),
            previous: day
                .previous(local)
                .filter(is_known)
                .map(|day| day_path(pet, &day)),
            next: day
                .next(local)
                .filter(has_begun)
                .map(|day| day_path(pet, &day)),
        }
    }
}

impl DayPhotoView {
    fn new(pet: &Pet, photo: &Photo, local: &LocalTime) -> Option<Self> {
        Some(DayPhotoView {
            photo: PhotoView::new(pet, photo),
            clock: local.clock(photo.added?),
        })
    }
}

impl BeginView {
    fn new(pet: &Pet, record: &DayRecord, now: &Now) -> Option<Self> {
        let since = record.known_since;
        let first = Day::containing(since, &now.local)?;
        (since > record.day.start).then(|| BeginView {
            is_later_day: since >= record.day.end,
            clock: now.local.clock(since),
            title: first.title(),
            path: day_path(pet, &first),
            days: now.at.since(since).as_secs().div_ceil(24 * 60 * 60),
        })
    }
}

impl RowView {
    fn new(span: &StatusSpan, day: &Day, now: &Now) -> Self {
        let clock = |at: Timestamp| match at {
            at if at == day.end => "midnight".to_owned(),
            at if at == now.at => "now".to_owned(),
            at => now.local.hour_and_minute(at),
        };
        RowView {
            from: clock(span.from),
            until: clock(span.until),
            status: span.status,
            text: now.activities.text(span.status),
            note: span.note.as_str().to_owned(),
            length: length(span.length()),
        }
    }
}

fn day_path(pet: &Pet, day: &Day) -> String {
    format!("/pets/{}/days/{day}", pet.id)
}

/// Returns the place of `at` on the strip of `day`, in per cent.
fn place(day: &Day, at: Timestamp) -> String {
    share(at.since(day.start), day)
}

/// Returns the share of `part` of the day in per cent, with two digits.
fn share(part: Duration, day: &Day) -> String {
    let share = part.as_secs_f64() / day.length().as_secs_f64();
    format!("{:.2}", share * 100.0)
}

/// Returns a bar for each run of slots in whose middle the pet had the same status.
fn bars(record: &DayRecord, statuses: &[Status]) -> Vec<BarView> {
    let day = &record.day;
    let mut runs: Vec<StatusSpan> = Vec::new();
    let mut spans = record.spans.iter().peekable();
    let mut start = day.start;
    while start < day.end {
        let (middle, end) = (start.plus(SLOT / 2), start.plus(SLOT).min(day.end));
        while spans.next_if(|span| span.until <= middle).is_some() {}
        if let Some(span) = spans.peek().filter(|span| span.from <= middle) {
            let status = span.status;
            match runs.last_mut() {
                Some(last) if last.status == status && last.until == start => last.until = end,
                _ => runs.push(StatusSpan {
                    status,
                    from: start,
                    until: end,
                    note: StatusNote::default(),
                }),
            }
        }
        start = end;
    }
    let view = |run: &StatusSpan| BarView {
        status: run.status,
        x: place(day, run.from),
        width: share(run.length(), day),
        row: statuses
            .iter()
            .position(|status| *status == run.status)
            .unwrap_or(0),
    };
    runs.iter().map(view).collect()
}

/// Returns the moments of the day at which the clock shows a full hour.
fn hours(day: &Day, local: &LocalTime) -> Vec<Timestamp> {
    let mut at = day.start;
    let mut hours = Vec::new();
    while at < day.end {
        if local.is_full_hour(at) {
            hours.push(at);
        }
        at = at.plus(TICK_SEARCH);
    }
    hours
}

fn labels(day: &Day, hours: &[Timestamp], local: &LocalTime) -> Vec<LabelView> {
    let quarter = |at: Timestamp| local.quarter(at);
    let label = |at: Timestamp, anchor| {
        Some(LabelView {
            x: place(day, at),
            anchor,
            text: quarter(at)?,
        })
    };
    let start = label(day.start, "start");
    let end = label(day.end, "end").map(|end| LabelView {
        text: end.text.replace("00:00", "24:00"),
        ..end
    });
    let middle = hours.iter().filter_map(|at| label(*at, "middle"));
    start.into_iter().chain(middle).chain(end).collect()
}

/// Formats how long something took: `3 h 20 min`.
fn length(duration: Duration) -> String {
    let minutes = (duration.as_secs() + 30) / 60;
    match (minutes / 60, minutes % 60) {
        (0, 0) => "under 1 min".to_owned(),
        (0, minutes) => format!("{minutes} min"),
        (hours, 0) => format!("{hours} h"),
        (hours, minutes) => format!("{hours} h {minutes} min"),
    }
}
