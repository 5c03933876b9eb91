//! The operation that reads a pet's day.

use std::sync::Arc;

use poem_openapi::param::Path;
use poem_openapi::payload::Json;
use poem_openapi::{Object, OpenApi};

use super::super::pages::pets::day;
use super::request::WholeNumber;
use super::{Answer, Api, Section};
use crate::auth::Principal;
use crate::model::{DayRecord, LocalTime, Pet, PetId, Photo, StatusSpan, Timestamp};
use crate::web::Site;
use crate::wire::photo_path;

/// The operation on days. The doc comment of its handler is its description in the document.
pub struct DayApi(Api);

impl DayApi {
    /// Creates the operation.
    pub fn new(site: Arc<Site>) -> Self {
        DayApi(Api { site })
    }
}

#[OpenApi]
impl DayApi {
    /// A pet's day
    ///
    /// Parts of one calendar day in the time zone of the rescue, each with what the pet was doing, the
    /// seconds that each activity took, and the photos that were added. The day ends where the clocks
    /// say so: it can have 23 or 25 hours. Of today, the parts up to now; a day that has not begun is
    /// 404. Days before `known_since` have no parts: they are older than the history that is kept.
    #[oai(
        path = "/pets/:id/days/:date",
        method = "get",
        operation_id = "getDay",
        tag = "Section::Pets"
    )]
    async fn get_day(
        &self,
        caller: Principal,
        id: Path<WholeNumber>,
        date: Path<String>,
    ) -> Answer<DayObject> {
        let audience = caller.audience();
        let (pet, _) = self.0.pet(PetId::new(id.0.0), audience)?;
        let site = &self.0.site;
        let (local, now) = (site.app.rescue().local_time(), Timestamp::now());
        let day = day::find_day(&date, &local, now)?;
        let record = day::read_record(site, &pet, day, audience, now).await?;
        Ok(Json(DayObject::new(&pet, &record, &local)))
    }
}

/// Activities of a pet on one day.
#[derive(Object)]
#[oai(rename = "Day", skip_serializing_if_is_none)]
struct DayObject {
    /// The pet's id.
    #[oai(validator(minimum(value = "1")))]
    pet: u64,
    /// The day.
    date: String,
    /// IANA name of the time zone of the rescue. Absent for UTC, as long as it is not set.
    time_zone: Option<String>,
    /// First moment of the day.
    start: String,
    /// First moment of the day after it.
    end: String,
    /// When what is known of the pet begins.
    known_since: String,
    /// Parts of the day in their order, without overlap.
    parts: Vec<DayPartObject>,
    /// The activities of the day.
    totals: Vec<DayTotalObject>,
    /// The photos that were added on the day and that the pet still has, in the order in which they were added.
    photos: Vec<PhotoObject>,
}

/// A photo. The document has the schema of `schemas::photos::photo`.
#[derive(Object)]
#[oai(rename = "Photo", skip_serializing_if_is_none)]
struct PhotoObject {
    url: String,
    alt: String,
    width: u32,
    height: u32,
    widths: Vec<u32>,
    added: Option<String>,
}

/// A part of a day with one activity.
#[derive(Object)]
#[oai(rename = "DayPart", skip_serializing_if_is_none)]
struct DayPartObject {
    status: String,
    /// The exact activity, if it is none of the four words of `status`.
    activity: Option<String>,
    /// When it began, or the start of the day.
    from: String,
    /// When it ended, or the end of the day, or the time of the answer.
    until: String,
    /// The last note on it, if it had one.
    note: Option<String>,
}

/// How long one activity took.
#[derive(Object)]
#[oai(rename = "DayTotal", skip_serializing_if_is_none)]
struct DayTotalObject {
    status: String,
    /// The exact activity, if it is none of the four words of `status`.
    activity: Option<String>,
    /// Seconds of the day with this activity.
    seconds: u64,
}

impl DayObject {
    fn new(pet: &Pet, record: &DayRecord, local: &LocalTime) -> Self {
        let day = &record.day;
        let totals = record.statuses().into_iter().map(|status| DayTotalObject {
            status: status.known_word().to_owned(),
            activity: status.activity().map(|activity| activity.to_string()),
            seconds: record.total(status).as_secs(),
        });
        let totals = totals.filter(|total| total.seconds > 0);
        DayObject {
            pet: pet.id.get(),
            date: day.to_string(),
            time_zone: local.zone_name().map(str::to_owned),
            start: day.start.to_string(),
            end: day.end.to_string(),
            known_since: record.known_since.to_string(),
            parts: record.spans.iter().map(DayPartObject::new).collect(),
            totals: totals.collect(),
            photos: record
                .photos
                .iter()
                .map(|photo| PhotoObject::new(pet, photo))
                .collect(),
        }
    }
}

impl PhotoObject {
    fn new(pet: &Pet, photo: &Photo) -> Self {
        PhotoObject {
            url: photo_path(photo.hash, photo.width_px),
            alt: pet.photo_alt(photo).into_owned(),
            width: photo.width_px,
            height: photo.height_px,
            widths: photo.widths_px().collect(),
            added: photo.added.map(|added| added.to_string()),
        }
    }
}

impl DayPartObject {
    fn new(span: &StatusSpan) -> Self {
        DayPartObject {
            status: span.status.known_word().to_owned(),
            activity: span.status.activity().map(|activity| activity.to_string()),
            from: span.from.to_string(),
            until: span.until.to_string(),
            note: span.note.text().map(str::to_owned),
        }
    }
}
