//! Feeds (RFC 4287, Atom) of what visitors see, for feed readers, mail services and other programs that ask now and
//! then.

use std::sync::Arc;

use poem::http::{HeaderMap, HeaderValue, header};
use poem::web::Path;
use poem::{Response, handler};

use super::pages::{PageResponder, make_cacheable, pet_path};
use super::site::run_blocking;
use crate::error::Failure;
use crate::model::{AdoptionState, Audience, Change, ChangeKind, Cursor, Pet, Timestamp};
use crate::views::{FeedEntry, FeedPage, Now, PETS_FEED, SharedPhoto, pet_feed};
use crate::web::Site;

/// Changes of a pet that are read to find when it was adopted.
const CHANGES_READ_FOR_ADOPTION: usize = 200;

/// Caching of a feed. Readers ask every few minutes at most.
const CACHING: &str = "public, max-age=60";

/// The feed of adopted pets.
pub const ADOPTED_PATH: &str = "/pets/adopted.atom";

/// Returns true for the path of a feed.
pub fn is_feed(path: &str) -> bool {
    path.strip_suffix(".atom").is_some()
}

/// Lists the pets that changed last, each once, with what it is doing.
///
/// # Errors
/// 404 without a public URL: a feed has complete addresses.
#[handler]
pub async fn show_pets(pages: PageResponder, headers: &HeaderMap) -> poem::Result<Response> {
    let pets = newest_pets(&pages.site, |_| true);
    let addresses = Addresses::new(&pages)?;
    let title = format!("The pets of {}", pages.site.app.rescue().shown_name());
    let now = Now::new(&pages.site.app.rescue());
    let site = Arc::clone(&pages.site);
    let read = run_blocking(move || {
        let entry = |pet: &Arc<Pet>| {
            let last = site.public_history(pet.id, None, 1)?;
            // An imported pet has no change before its first.
            let updated = last.first().map_or(pet.since, |change| change.at);
            let doing = now.activities.text(pet.status);
            let title = format!("{}: {doing}", pet.profile.name);
            Ok(addresses.entry(pet, title, updated))
        };
        let entries: Result<Vec<FeedEntry>, Failure> = pets.iter().map(entry).collect();
        Ok(FeedPage::new(
            title,
            addresses.of(PETS_FEED, "/pets"),
            entries?,
            now.at,
        ))
    });
    show(&pages, &read.await?, headers).await
}

/// Lists the adopted pets that changed last, with the time of their adoption.
///
/// # Errors
/// As for `show_pets`.
#[handler]
pub async fn show_adopted(pages: PageResponder, headers: &HeaderMap) -> poem::Result<Response> {
    let pets = newest_pets(&pages.site, |pet| {
        pet.profile.state == AdoptionState::Adopted
    });
    let addresses = Addresses::new(&pages)?;
    let rescue = pages.site.app.rescue();
    let title = format!("Adopted from {}", rescue.shown_name());
    let site = Arc::clone(&pages.site);
    let read = run_blocking(move || {
        let mut entries = Vec::new();
        for pet in &pets {
            let changes = site.public_history(pet.id, None, CHANGES_READ_FOR_ADOPTION)?;
            let title = format!("{} was adopted", pet.profile.name);
            entries.push(addresses.entry(pet, title, adopted_at(pet, &changes)));
        }
        let page = addresses.of(ADOPTED_PATH, "/pets?state=adopted");
        Ok(FeedPage::new(
            title,
            page,
            entries,
            Timestamp::from_micros(0),
        ))
    });
    show(&pages, &read.await?, headers).await
}

/// Lists the last changes of one pet.
///
/// # Errors
/// 404 for a pet that visitors do not see, and as for `show_pets`.
#[handler]
pub async fn show_pet(
    pages: PageResponder,
    Path(id): Path<String>,
    headers: &HeaderMap,
) -> poem::Result<Response> {
    let (pet, cursor) = pages.site.pet(&id, Audience::Public)?;
    let addresses = Addresses::new(&pages)?;
    let now = Now::new(&pages.site.app.rescue());
    let site = Arc::clone(&pages.site);
    let read = run_blocking(move || {
        // One more than are listed, to know whether the oldest of those is the pet's first.
        let changes = site.public_history(pet.id, None, FeedPage::ENTRIES + 1)?;
        let page = pet_path(pet.id);
        let [feed, page] = addresses.of(&pet_feed(pet.id), &page);
        let name = &pet.profile.name;
        let entries = (0..changes.len()).filter_map(|index| {
            let (change, older) = (&changes[index], &changes[index + 1..]);
            let title = title(change, older, name, &now)?;
            let cursor = Cursor {
                rev: change.rev,
                ..cursor
            };
            Some(FeedEntry::change(change, title, &page, cursor))
        });
        let entries = entries.collect();
        Ok(FeedPage::new(
            name.clone(),
            [feed, page],
            entries,
            pet.since,
        ))
    });
    show(&pages, &read.await?, headers).await
}

/// Completes addresses with the public URL.
struct Addresses {
    base: String,
}

impl Addresses {
    fn new(pages: &PageResponder) -> Result<Self, Failure> {
        let base = pages.public_address("").ok_or_else(|| {
            Failure::not_found("There are feeds only with --base-url, the public address.")
        })?;
        Ok(Addresses { base })
    }

    fn of(&self, feed: &str, page: &str) -> [String; 2] {
        [feed, page].map(|path| format!("{}{path}", self.base))
    }

    fn entry(&self, pet: &Pet, title: String, updated: Timestamp) -> FeedEntry {
        let address = format!("{}{}", self.base, pet_path(pet.id));
        let photo = SharedPhoto::cover(pet, |path| Some(format!("{}{path}", self.base)));
        FeedEntry::pet(pet, title, address, photo, updated)
    }
}

/// Returns the pets that visitors see and that changed last: each is read from the disk.
fn newest_pets(site: &Site, is_wanted: impl Fn(&Pet) -> bool) -> Vec<Arc<Pet>> {
    let hub = site.app.hub();
    let pets = hub.board(Audience::Public).pets;
    let entries = pets
        .iter()
        .filter_map(|pet| hub.entry(pet.id, Audience::Public));
    let entries = entries.map(|(entry, _)| entry);
    let mut entries: Vec<_> = entries.filter(|entry| is_wanted(&entry.pet)).collect();
    entries.sort_by_key(|entry| std::cmp::Reverse(entry.changed));
    entries.truncate(FeedPage::ENTRIES);
    entries.into_iter().map(|entry| entry.pet).collect()
}

/// Returns when `pet` became adopted, from its newest changes; the oldest of them, if it was adopted before.
fn adopted_at(pet: &Pet, changes: &[Change]) -> Timestamp {
    let is_adopted = |change: &&Change| match &change.kind {
        ChangeKind::Pet(pet) => pet.profile.state == AdoptionState::Adopted,
        _ => true,
    };
    let since = changes.iter().take_while(is_adopted);
    let edits = since.filter(|change| matches!(change.kind, ChangeKind::Pet(_)));
    edits
        .last()
        .or(changes.last())
        .map_or(pet.since, |change| change.at)
}

/// Describes a change of the pet of this name; `None` if the pet went from the board. `older` are the changes before.
fn title(change: &Change, older: &[Change], name: &str, now: &Now) -> Option<String> {
    let pet = match &change.kind {
        ChangeKind::Status(status) | ChangeKind::StatusSince(status, ..) => {
            return Some(format!("{name}: {}", now.activities.text(*status)));
        }
        ChangeKind::Pet(pet) if change.visibility.is_public() && pet.is_public() => pet,
        ChangeKind::Pet(_) | ChangeKind::Gone(_) => return None,
    };
    let before = older.iter().find_map(|change| match &change.kind {
        ChangeKind::Pet(pet) => Some(pet),
        _ => None,
    });
    let (name, state) = (&pet.profile.name, pet.profile.state);
    Some(match before {
        None if older.is_empty() => format!("{name} is on the board"),
        Some(before) if before.profile.state != state => format!("{name}: {}", state.text()),
        Some(before) if before.photos.len() < pet.photos.len() => format!("{name}: new photo"),
        _ => format!("{name}: new details"),
    })
}

/// Answers with a feed, which is the same for everybody.
async fn show(
    pages: &PageResponder,
    feed: &FeedPage,
    request: &HeaderMap,
) -> poem::Result<Response> {
    let mut response = pages.show(feed)?;
    let headers = response.headers_mut();
    let media_type = HeaderValue::from_static("application/atom+xml; charset=utf-8");
    headers.insert(header::CONTENT_TYPE, media_type);
    make_cacheable(response, request, CACHING).await
}
