//! The strip of the hours of a day, with how long each status took.

use std::time::Duration;

use serde::Serialize;

use super::super::time_text::Now;
use super::part::DayPart;
use super::{day_path, length};
use crate::model::{Day, DayRecord, LocalTime, Pet, Status, Timestamp};

/// Shortest time that the strip draws, about a pixel on a phone. A day then has at most 375 bars, however often
/// the status changed.
const SLOT: Duration = Duration::from_mins(4);

/// Distance of the places at which an hour of the clock may begin: zones differ by quarters of an hour.
const TICK_SEARCH: Duration = Duration::from_mins(15);

/// Height of the bars.
const HEIGHT: f64 = 64.0;

/// The hours of one day of a pet.
#[derive(Serialize)]
pub struct DayStrip {
    /// Address of the page of the day.
    path: String,
    /// Hour and minute up to which the strip is known, if the day has not ended, and its place.
    as_of: Option<(String, String)>,
    is_utc: bool,
    bars: Vec<BarView>,
    /// Places of the full hours, in per cent.
    ticks: Vec<String>,
    labels: Vec<LabelView>,
    totals: Vec<TotalView>,
    /// How long the pet was not on the board.
    absent: Option<String>,
    /// True if there are times that are drawn together.
    is_busy: bool,
}

/// A part of the strip. Places are in per cent of the width.
#[derive(Serialize)]
struct BarView {
    x: String,
    width: String,
    marks: Vec<MarkView>,
}

/// A status on a part of the strip: ground in its colour, and a mark in its strong colour.
#[derive(Serialize)]
struct MarkView {
    status: Status,
    ground_y: String,
    ground_height: String,
    y: String,
    height: String,
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

impl DayStrip {
    /// The strip of what `pet` did.
    pub fn new(pet: &Pet, record: &DayRecord, now: &Now) -> Self {
        let day = &record.day;
        let statuses = record.statuses();
        let parts = DayPart::list(record);
        let mut hours = hours(day, &now.local);
        hours.retain(|at| *at > day.start);
        let absences = record.absences.iter();
        let absent: Duration = absences.map(|gap| gap.end.since(gap.start)).sum();
        DayStrip {
            path: day_path(pet, day),
            as_of: (now.at < day.end).then(|| (now.clock(), place(day, now.at))),
            is_utc: now.local.zone_name().is_none(),
            bars: bars(day, &parts, &statuses),
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
            absent: (!absent.is_zero()).then(|| length(absent)),
            is_busy: parts.iter().any(|part| matches!(part, DayPart::Busy(_))),
        }
    }
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

/// Returns a bar for each run of slots in whose middle the pet had the same status, or changed too often to draw it.
fn bars(day: &Day, parts: &[DayPart], statuses: &[Status]) -> Vec<BarView> {
    let mut runs: Vec<(&DayPart, Timestamp, Timestamp)> = Vec::new();
    let mut left = parts.iter().peekable();
    let end = parts.last().map_or(day.start, DayPart::until);
    let mut start = day.start;
    while start < end {
        let slot_end = start.plus(SLOT).min(day.end);
        let middle = start.plus(slot_end.min(end).since(start) / 2);
        while left.next_if(|part| part.until() <= middle).is_some() {}
        if let Some(part) = left.peek().filter(|part| part.from() <= middle) {
            match runs.last_mut() {
                Some((last, _, until)) if *until == start && last.looks_like(part) => {
                    *until = slot_end;
                }
                _ => runs.push((*part, start, slot_end)),
            }
        }
        start = slot_end;
    }
    let view = |(part, from, until): (&DayPart, Timestamp, Timestamp)| BarView {
        x: place(day, from),
        width: share(until.since(from), day),
        marks: marks(part, statuses),
    };
    runs.into_iter().map(view).collect()
}

/// Returns the marks of a part: one of full height, or in the row of each status one as high as its share.
fn marks(part: &DayPart, statuses: &[Status]) -> Vec<MarkView> {
    let row_height = HEIGHT / f64::from(u32::try_from(statuses.len().max(1)).unwrap_or(1));
    let rows = (0u32..).zip(statuses);
    let row = |(row, status): (u32, &Status)| {
        let y = f64::from(row) * row_height;
        let share = part.share_of(*status);
        let (ground_y, ground_height) = match part {
            DayPart::Busy(_) => (y, row_height),
            _ => (0.0, HEIGHT),
        };
        let height = row_height * share;
        let digits = |length: f64| format!("{length:.2}");
        (share > 0.0).then(|| MarkView {
            status: *status,
            ground_y: digits(ground_y),
            ground_height: digits(ground_height),
            y: digits(y + row_height - height),
            height: digits(height),
        })
    };
    rows.filter_map(row).collect()
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
