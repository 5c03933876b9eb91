//! The page with what a pet did on one day, and the strip of today on the page of the pet.

use std::sync::Arc;
use std::time::Duration;

use poem::http::{HeaderMap, HeaderValue, header};
use poem::web::Path;
use poem::{Response, handler};
use tokio::time::timeout;

use super::super::response::{PageResponder, make_cacheable};
use crate::error::Failure;
use crate::model::{Audience, Day, DayRecord, LocalTime, Pet, Timestamp};
use crate::store::read_day;
use crate::views::{DayPage, DayStrip, Now, Sharing, day_path};
use crate::web::Site;
use crate::web::site::run_blocking;

/// Caching of a past day that everyone may read. Short: a pet can become private, and an undo, a setting of the
/// rescue or an update of the program changes the page.
const PAST_DAY_CACHING: &str = "public, max-age=300";

/// Longest wait of the page of a pet for its day, until a cluster that hangs is known to be unresponsive.
const STRIP_TIMEOUT: Duration = Duration::from_secs(2);

/// Shows what a pet did on a day. Caches may store a past day for visitors.
#[handler]
pub async fn show_day(
    pages: PageResponder,
    Path((id, date)): Path<(String, String)>,
    headers: &HeaderMap,
) -> poem::Result<Response> {
    let audience = pages.principal.audience();
    let (pet, _) = pages.site.pet(&id, audience)?;
    let now = Now::new(&pages.site.app.rescue());
    let day = find_day(&date, &now.local, now.at)?;
    let is_past = day.end <= now.at;
    let record = read_record(&pages.site, &pet, day, audience, now.at).await?;
    let mut page = DayPage::new(&pet, &record, &now);
    if !record.spans.is_empty() {
        let rescue = pages.site.app.rescue();
        let address = pages.public_address(&day_path(&pet, &record.day));
        let photo = pages.shared_photo(&pet);
        page.sharing = Sharing::day(&rescue, &pet, &record.day.title(), address, photo);
    }
    let mut response = pages.show(&page)?;
    if !pet.is_public() {
        let no_store = HeaderValue::from_static("no-store");
        response
            .headers_mut()
            .insert(header::CACHE_CONTROL, no_store);
        return Ok(response);
    }
    let is_for_everyone = response.headers()[header::CACHE_CONTROL] == "no-cache";
    if is_past && is_for_everyone && audience == Audience::Public {
        response = make_cacheable(response, headers, PAST_DAY_CACHING).await?;
        // The same address is another page for staff.
        let credentials = HeaderValue::from_static("authorization, cookie");
        response.headers_mut().append(header::VARY, credentials);
    }
    Ok(response)
}

/// Returns the day that an address names.
///
/// # Errors
/// 400 for what is not a date, 404 for a day that has not begun.
pub fn find_day(date: &str, local: &LocalTime, now: Timestamp) -> Result<Day, Failure> {
    let day = Day::parse(date, local);
    let day = day.ok_or_else(|| {
        Failure::bad_request("A day is a date with year, month and day, such as 2026-11-27.")
    })?;
    if day.start > now {
        let detail = format!("{} has not begun yet.", day.title());
        return Err(Failure::not_found(detail));
    }
    Ok(day)
}

/// Reads what `audience` may know of `pet` on `day`.
///
/// # Errors
/// The engine cannot be read.
pub async fn read_record(
    site: &Arc<Site>,
    pet: &Arc<Pet>,
    day: Day,
    audience: Audience,
    now: Timestamp,
) -> Result<DayRecord, Failure> {
    let (site, pet) = (Arc::clone(site), Arc::clone(pet));
    let newest = site.app.hub().newest().0;
    run_blocking(move || Ok(read_day(&*site.engine, newest, &pet, day, audience, now)?)).await
}

/// Returns the strip of today; `None` if there is nothing to draw, or if the engine does not answer soon. The rest
/// of the page is in memory.
pub async fn today(
    site: &Arc<Site>,
    pet: &Arc<Pet>,
    audience: Audience,
    now: &Now,
) -> Option<DayStrip> {
    if site.app.hub().is_engine_unresponsive() {
        return None;
    }
    let day = Day::containing(now.at, &now.local)?;
    let reading = read_record(site, pet, day, audience, now.at);
    let record = timeout(STRIP_TIMEOUT, reading).await.ok()?.ok()?;
    (!record.spans.is_empty()).then(|| DayStrip::new(pet, &record, now))
}
