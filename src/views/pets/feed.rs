//! Contexts of the feeds.

use serde::Serialize;

use crate::model::{Change, Cursor, Pet, PetId, Timestamp};
use crate::views::sharing::{SharedPhoto, describe};

/// Path of the feed of all pets.
pub const PETS_FEED: &str = "/pets/feed.atom";

/// Returns the path of the feed of a pet.
pub fn pet_feed(pet: PetId) -> String {
    format!("/pets/{pet}/feed.atom")
}

/// A feed (RFC 4287, Atom).
#[derive(Serialize)]
pub struct FeedPage {
    title: String,
    /// The public address of the feed, which is its id too.
    address: String,
    /// The public address of the page that the feed is about.
    page: String,
    updated: String,
    entries: Vec<FeedEntry>,
}

/// One entry of a feed.
#[derive(Serialize)]
pub struct FeedEntry {
    id: String,
    title: String,
    /// The public address of the pet's page.
    address: String,
    updated: Timestamp,
    /// The note of the status; empty if it has none.
    note: String,
    /// A sentence or two about the pet; empty for a change of its status.
    about: String,
    photo: Option<SharedPhoto>,
}

impl FeedPage {
    /// The most entries of a feed.
    pub const ENTRIES: usize = 50;

    /// The newest of `entries`, as the feed at `address` about the page `page`. Without an entry it is as old as
    /// `started`.
    pub fn new(
        title: String,
        [address, page]: [String; 2],
        mut entries: Vec<FeedEntry>,
        started: Timestamp,
    ) -> Self {
        entries.sort_by_key(|entry| std::cmp::Reverse(entry.updated));
        entries.truncate(FeedPage::ENTRIES);
        let newest = entries.first().map_or(started, |entry| entry.updated);
        FeedPage {
            title,
            address,
            page,
            updated: newest.to_string(),
            entries,
        }
    }
}

impl FeedEntry {
    /// The pet at `address`, as it is since `updated`.
    pub fn pet(
        pet: &Pet,
        title: String,
        address: String,
        photo: Option<SharedPhoto>,
        updated: Timestamp,
    ) -> Self {
        FeedEntry {
            id: address.clone(),
            title,
            address,
            updated,
            note: pet.note.as_str().to_owned(),
            about: describe(&pet.profile),
            photo,
        }
    }

    /// A change of the pet at `address`. Its cursor distinguishes it from the others.
    pub fn change(change: &Change, title: String, address: &str, cursor: Cursor) -> Self {
        FeedEntry {
            id: format!("{address}#{cursor}"),
            title,
            address: address.to_owned(),
            updated: change.at,
            note: change
                .kind
                .note()
                .map_or_else(String::new, |note| note.as_str().to_owned()),
            about: String::new(),
            photo: None,
        }
    }
}
