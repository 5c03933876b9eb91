//! Contexts of a pet's day: the strip of its hours with how long each status took, which the page of the pet has
//! too, the photos that were added, and the table of its parts.

mod part;
mod strip;

use std::time::Duration;

use serde::Serialize;

use self::part::DayPart;
pub use self::strip::DayStrip;
use super::photos::PhotoView;
use super::sharing::Sharing;
use super::time_text::Now;
use crate::model::{Activities, Day, DayRecord, LocalTime, Pet, Photo, Status, Timestamp};

/// The most rows of the table.
const MAX_ROWS: usize = 200;

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
    /// `None` for a day of which nothing is known, and for a private pet.
    pub sharing: Option<Sharing>,
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
    /// The status; `None` for a part with many.
    status: Option<Status>,
    text: String,
    /// The note on the status, or how long the pet had each of many.
    remark: String,
    length: String,
}

impl DayPage {
    /// The page of what `pet` did.
    pub fn new(pet: &Pet, record: &DayRecord, now: &Now) -> Self {
        let day = &record.day;
        let local = &now.local;
        let has_begun = |day: &Day| day.start <= now.at;
        let is_known = |day: &Day| record.known_since < day.end;
        let parts = DayPart::list(record);
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
            rows: parts
                .iter()
                .take(MAX_ROWS)
                .map(|part| RowView::new(part, record, now))
                .collect(),
            left_out: parts.len().saturating_sub(MAX_ROWS),
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
            sharing: None,
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
    fn new(part: &DayPart, record: &DayRecord, now: &Now) -> Self {
        let clock = |at: Timestamp| match at {
            at if at == record.day.end => "midnight".to_owned(),
            at if at == now.at => "now".to_owned(),
            at => now.local.hour_and_minute(at),
        };
        let (status, text, remark) = match part {
            DayPart::Status(span) => {
                let text = now.activities.text(span.status);
                (Some(span.status), text, span.note.as_str().to_owned())
            }
            DayPart::Busy(spans) => {
                let lengths = lengths(part, &record.statuses(), &now.activities);
                (None, format!("{} short activities", spans.len()), lengths)
            }
            DayPart::Absent(_) => (None, "Not on the board".to_owned(), String::new()),
        };
        RowView {
            from: clock(part.from()),
            until: clock(part.until()),
            status,
            text,
            remark,
            length: length(part.until().since(part.from())),
        }
    }
}

/// Returns how long each of `statuses` took in a part: `Eating 12 min, Playing 9 min`.
fn lengths(part: &DayPart, statuses: &[Status], activities: &Activities) -> String {
    let totals = statuses.iter().map(|status| (*status, part.total(*status)));
    let totals = totals.filter(|(_, total)| !total.is_zero());
    let texts =
        totals.map(|(status, total)| format!("{} {}", activities.text(status), length(total)));
    texts.collect::<Vec<_>>().join(", ")
}

/// Returns the path of the page of a pet's day.
pub fn day_path(pet: &Pet, day: &Day) -> String {
    format!("/pets/{}/days/{day}", pet.id)
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
