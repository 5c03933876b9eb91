//! Contexts of the screen in the lobby.

use std::sync::Arc;

use serde::Serialize;

use super::choice::Choice;
use super::pets::{AsOf, PetView};
use super::time_text::Now;
use crate::hub::Board;
use crate::model::{Pet, Status};

/// The screen in the lobby, without its cards.
#[derive(Serialize)]
pub struct LobbyPage {
    #[serde(flatten)]
    as_of: AsOf,
    /// An empty pet: the page copies its card for pets that are added later.
    blank: PetView,
    /// How many pets have each status, and true for an activity of the rescue's own, which is hidden while there
    /// are none.
    counts: Vec<(Choice, usize, bool)>,
    pet_count: usize,
    /// Cards that fill the screen together, if the page has no more than these.
    places: Option<usize>,
    /// The slide that follows without JavaScript.
    next_slide: usize,
    seconds: usize,
}

/// Cards of some pets on that screen.
#[derive(Serialize)]
pub struct LobbyCardsPage {
    pets: Vec<PetView>,
}

impl LobbyPage {
    /// Placeholder of the cards. Text of people is escaped, so it cannot contain this.
    pub const CARDS: &'static str = "<!--cards-->";

    /// The most pets that are readable from five metres at the same time. As in `slides.js`.
    pub const PETS_PER_SLIDE: usize = 6;

    /// Time after which the page loads the next slide, without JavaScript.
    const SLIDE_SECONDS: usize = 20;

    /// The page with `shown` cards of `board`; `slide` counts from 0.
    pub fn new(board: &Board, shown: &[Arc<Pet>], slide: usize, now: &Now) -> Self {
        let with = |status| board.pets.iter().filter(move |pet| pet.status == status);
        let statuses = now.activities.choices().into_iter();
        let choice =
            |status: Status| Choice::new(status.as_str(), &now.activities.text(status), false);
        let pet_count = board.pets.len();
        LobbyPage {
            as_of: AsOf::new(board.cursor, None, now),
            blank: PetView::blank(now),
            counts: statuses
                .map(|status| {
                    let is_own = status.activity().is_some();
                    (choice(status), with(status).count(), is_own)
                })
                .collect(),
            pet_count,
            places: Some(shown.len()).filter(|places| *places <= LobbyPage::PETS_PER_SLIDE),
            next_slide: (slide + 1) % LobbyPage::slides(pet_count) + 1,
            seconds: LobbyPage::SLIDE_SECONDS,
        }
    }

    /// Returns the number of slides with all of `pets`.
    pub fn slides(pets: usize) -> usize {
        pets.div_ceil(LobbyPage::PETS_PER_SLIDE).max(1)
    }
}

impl LobbyCardsPage {
    /// The cards of `pets`, as of now.
    pub fn new(pets: &[Arc<Pet>], now: &Now) -> Self {
        LobbyCardsPage {
            pets: pets.iter().map(|pet| PetView::new(pet, now)).collect(),
        }
    }
}
