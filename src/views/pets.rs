//! Contexts of the board and of the page of a pet.

mod feed;
mod layout;
mod status_form;
mod trash;

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::Serialize;

pub use self::feed::{FeedEntry, FeedPage, PETS_FEED, pet_feed};
pub use self::layout::BoardLayout;
pub use self::status_form::StatusForm;
pub use self::trash::TrashPage;
use super::ask::AskView;
use super::choice::Choice;
use super::day::DayStrip;
use super::find::FindView;
use super::photos::PhotoView;
use super::sharing::Sharing;
use super::staff::counted;
use super::time_text::{Now, ago};
use crate::hub::Board;
use crate::model::{
    AdoptionState, Audience, Cursor, Pet, PetId, Profile, Status, StatusNote, Timestamp,
};

/// The board, without its cards.
#[derive(Serialize)]
pub struct IndexPage {
    #[serde(flatten)]
    as_of: AsOf,
    has_pets: bool,
    find: FindView,
    layout: BoardLayout,
    other_layout: BoardLayout,
    /// An empty pet: the page copies its card for pets that are added later.
    blank: PetView,
    statuses: Vec<Choice>,
    /// Offer to undo the status of one pet.
    pub undo: Option<UndoView>,
    /// Offer to undo the statuses of several pets.
    pub bulk_undo: Option<BulkUndoView>,
    /// The ids of all pets on the page, to set their statuses together; `None` if there are none.
    all_pets: Option<String>,
    note_limit: usize,
    /// The idempotency key of the form.
    pub request: String,
    /// Id and name of the pet that the last form removed.
    pub removed: Option<(u64, String)>,
    /// Message of the last form.
    pub flash: Option<String>,
    /// The description of the page for search engines.
    pub sharing: Option<Sharing>,
}

/// Cards of some pets of the board.
#[derive(Serialize)]
pub struct CardsPage {
    pets: Vec<PetView>,
    layout: BoardLayout,
    statuses: Vec<Choice>,
}

/// One pet.
#[derive(Serialize)]
pub struct ShowPage {
    #[serde(flatten)]
    as_of: AsOf,
    pet: PetView,
    details: Vec<DetailView>,
    statuses: Vec<Choice>,
    /// The form with a note and an earlier start.
    pub status_form: StatusForm,
    undo: Option<UndoView>,
    /// The hours of today so far, if they could be read.
    pub today: Option<DayStrip>,
    /// The ways to ask the rescue about the pet.
    pub ask: Option<AskView>,
    /// The description of the page for search engines.
    pub sharing: Option<Sharing>,
}

/// Offer to undo a status that was just set.
#[derive(Serialize)]
pub struct UndoView {
    pet: u64,
    name: String,
    status_text: String,
    was: Status,
    /// When the earlier status began.
    since: String,
    /// The note on the earlier status.
    note: String,
    /// Cursor of the change that set the current status. Precondition of the undo.
    replaces: String,
}

/// Offer to undo the statuses of several pets that were just set.
#[derive(Serialize)]
pub struct BulkUndoView {
    text: String,
    /// The changes, for the form.
    offer: String,
}

/// A pet as text.
#[derive(Serialize)]
pub(super) struct PetView {
    id: u64,
    #[serde(flatten)]
    fields: PublicTexts,
    state_text: &'static str,
    /// True for a pet that only staff may know of. It is not live for anybody.
    is_private: bool,
    photos: Vec<PhotoView>,
    status: Status,
    status_text: String,
    note: String,
    /// As in messages: an undo sends it back.
    since: String,
    since_datetime: String,
    since_clock: String,
    since_ago: String,
    /// True if the status is too old to be believed.
    is_old: bool,
}

/// The public fields of a pet by name.
#[derive(Serialize)]
#[serde(transparent)]
struct PublicTexts(BTreeMap<&'static str, String>);

/// A field on the page of a pet.
#[derive(Serialize)]
pub(super) struct DetailView {
    name: &'static str,
    label: &'static str,
    kind: &'static str,
    /// As in messages. The field is hidden if empty.
    value: String,
    /// As people read it.
    text: String,
}

/// Time for which the server holds the first poll. On a busy board the answer then has a change, which the
/// script of the page draws immediately. Short, because a quiet board answers only after this time.
const FIRST_POLL_WAIT_S: f64 = 0.1;

/// Time and cursor at which a live page was rendered.
#[derive(Serialize)]
pub(super) struct AsOf {
    cursor: String,
    as_of: String,
    as_of_clock: String,
    /// Path of the first poll, which the page sends before its script is loaded. It contains a
    /// word that no other page has, since some caches ignore that the answer may not be stored.
    /// None for a page that is not live.
    first_poll: Option<String>,
}

impl IndexPage {
    /// Placeholder of the cards. Text of people is escaped, so it cannot contain this.
    pub const CARDS: &'static str = "<!--cards-->";

    /// The page of `board` with `pets`, which `find` describes, as of now.
    pub fn new(
        board: &Board,
        pets: &[Arc<Pet>],
        find: FindView,
        layout: BoardLayout,
        now: &Now,
    ) -> Self {
        IndexPage {
            as_of: AsOf::new(board.cursor, None, now),
            has_pets: !board.pets.is_empty(),
            find,
            layout,
            other_layout: layout.other(),
            blank: PetView::blank(now),
            statuses: Choice::statuses(&now.activities, ""),
            undo: None,
            bulk_undo: None,
            all_pets: all_pets(pets),
            note_limit: StatusNote::LIMIT,
            request: String::new(),
            removed: None,
            flash: None,
            sharing: None,
        }
    }
}

impl CardsPage {
    /// The cards or rows of `pets`, as of now.
    pub fn new(pets: &[Arc<Pet>], layout: BoardLayout, now: &Now) -> Self {
        CardsPage {
            pets: pets.iter().map(|pet| PetView::new(pet, now)).collect(),
            layout,
            statuses: Choice::statuses(&now.activities, ""),
        }
    }
}

impl ShowPage {
    /// The page of `pet` for `audience`, as of now.
    pub fn new(
        pet: &Pet,
        audience: Audience,
        cursor: Cursor,
        now: &Now,
        undo: Option<UndoView>,
    ) -> Self {
        let as_of = AsOf::new(cursor, Some(pet.id), now);
        ShowPage {
            as_of: AsOf {
                first_poll: as_of.first_poll.filter(|_| pet.is_public()),
                ..as_of
            },
            pet: PetView::new(pet, now),
            details: DetailView::list(&pet.profile, audience),
            statuses: Choice::statuses(&now.activities, ""),
            status_form: StatusForm::new(pet, now),
            undo,
            today: None,
            ask: None,
            sharing: None,
        }
    }
}

impl UndoView {
    /// Offers to restore `was`, which began at `since`, with its note, in place of the current status of `pet`.
    pub fn new(
        pet: &Pet,
        (was, since, note): (Status, Timestamp, &StatusNote),
        set_at: Cursor,
        now: &Now,
    ) -> Self {
        UndoView {
            pet: pet.id.get(),
            name: pet.profile.name.clone(),
            status_text: now.activities.text(pet.status),
            was,
            since: since.to_string(),
            note: note.as_str().to_owned(),
            replaces: set_at.to_string(),
        }
    }
}

impl BulkUndoView {
    /// Offers to undo the changes that `offer` names, by which `count` pets got the status with the text `status`.
    pub fn new(count: u64, status: &str, offer: String) -> Self {
        let pets = usize::try_from(count).unwrap_or(usize::MAX);
        let pets = counted(pets, "pet is", "pets are");
        BulkUndoView {
            text: format!("{pets} now {}", status.to_lowercase()),
            offer,
        }
    }
}

/// Returns the ids of the pets of a page. Empty text would be no id.
fn all_pets(pets: &[Arc<Pet>]) -> Option<String> {
    let ids: Vec<String> = pets.iter().map(|pet| pet.id.to_string()).collect();
    (!ids.is_empty()).then(|| ids.join(","))
}

impl PetView {
    /// The texts of `pet`, as of now.
    pub(super) fn new(pet: &Pet, now: &Now) -> Self {
        PetView {
            id: pet.id.get(),
            fields: PublicTexts::new(&pet.profile),
            state_text: pet.profile.state.text(),
            is_private: !pet.is_public(),
            photos: PhotoView::list(pet),
            status: pet.status,
            status_text: now.activities.text(pet.status),
            note: pet.note.as_str().to_owned(),
            since: pet.since.to_string(),
            since_datetime: pet.since.datetime(),
            since_clock: now.text(pet.since),
            since_ago: ago(now.at.since(pet.since)),
            is_old: now.is_old(pet.since),
        }
    }

    /// The texts of a pet that does not exist yet.
    pub(super) fn blank(now: &Now) -> Self {
        let pet = Pet {
            id: PetId::new(0),
            profile: Profile::default(),
            photos: Vec::new(),
            status: Status::NotSetYet,
            since: now.at,
            removed: None,
            note: StatusNote::default(),
        };
        PetView {
            since_clock: String::new(),
            since_ago: String::new(),
            ..PetView::new(&pet, now)
        }
    }
}

impl PublicTexts {
    fn new(profile: &Profile) -> Self {
        let fields = Profile::fields_for(Audience::Public);
        let texts = fields.map(|field| (field.name, field.text(profile).to_owned()));
        PublicTexts(texts.collect())
    }
}

impl DetailView {
    /// Returns true if the field says something: an adoption that is open, or a size that nobody knows, does not.
    pub(super) fn is_known(&self) -> bool {
        !["", "unknown", AdoptionState::default().as_str()].contains(&&*self.value)
    }

    /// Returns every field that `audience` may read, without the name, which is the heading.
    pub(super) fn list(profile: &Profile, audience: Audience) -> Vec<Self> {
        let fields = Profile::fields_for(audience).skip(1);
        let details = fields.map(|field| {
            let value = field.text(profile);
            DetailView {
                name: field.name,
                label: field.label,
                kind: field.kind.as_str(),
                value: value.to_owned(),
                text: field.shown(value).into_owned(),
            }
        });
        details.collect()
    }
}

impl AsOf {
    /// The position of a page in a frame, which sends no poll before its script is loaded.
    pub(super) fn of_frame(cursor: Cursor, now: &Now) -> Self {
        AsOf {
            first_poll: None,
            cursor: cursor.to_string(),
            as_of: now.at.to_string(),
            as_of_clock: now.clock(),
        }
    }

    /// The position of a page about `pet`, or about all pets.
    pub(super) fn new(cursor: Cursor, pet: Option<PetId>, now: &Now) -> Self {
        let nonce: u64 = rand::random();
        let pet = pet.map(|pet| format!("&pet={pet}"));
        let pet = pet.unwrap_or_default();
        AsOf {
            first_poll: Some(format!(
                "/live/poll/{nonce:016x}?wait={FIRST_POLL_WAIT_S}&log=1&since={cursor}{pet}"
            )),
            ..AsOf::of_frame(cursor, now)
        }
    }
}
