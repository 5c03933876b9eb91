//! The screen in the lobby: the pets that visitors may see, large, on a page that needs no controls.
//!
//! The page has all pets, and its script shows a few at a time. Without JavaScript it loads itself again,
//! one slide after the other.

use std::sync::Arc;

use poem::web::Query;
use poem::{Response, handler};
use serde::Deserialize;

use super::Site;
use super::pages::PageResponder;
use super::pet_blocks::{BlockKind, Rendering, variant_of};
use crate::auth::Rights;
use crate::error::Failure;
use crate::model::{Audience, Pet};
use crate::views::{LobbyCardsPage, LobbyPage, Now};

/// The part of the page that a browser without JavaScript shows.
#[derive(Deserialize)]
struct LobbyQuery {
    /// Number of the slide, from 1. Without it, all pets are shown.
    slide: Option<String>,
}

/// Shows the screen.
#[handler]
pub async fn show_lobby(
    pages: PageResponder,
    Query(query): Query<LobbyQuery>,
) -> poem::Result<Response> {
    // Also for staff: everybody in the room sees the screen.
    let board = pages.site.app.hub().board(Audience::Public);
    let slide = query.slide.map(|number| {
        let number: usize = number.parse().unwrap_or(1);
        number.saturating_sub(1) % LobbyPage::slides(board.pets.len())
    });
    let shown: Arc<[Arc<Pet>]> = match slide {
        None => Arc::clone(&board.pets),
        Some(slide) => {
            let pets = board.pets.chunks(LobbyPage::PETS_PER_SLIDE).nth(slide);
            pets.unwrap_or_default().into()
        }
    };
    let now = Now::new(&pages.site.app.rescue());
    let page = LobbyPage::new(&board, &shown, slide.unwrap_or(0), &now);
    let mut response = pages.show(&page)?;
    let html = response.take_body().into_string().await;
    let html = html.map_err(|_| Failure::internal())?;
    let halves = html.split_once(LobbyPage::CARDS);
    let halves = halves.ok_or_else(Failure::internal)?;
    let body = pages.site.blocks.body(cards(&pages.site), shown, halves);
    response.set_body(body.await.map_err(|_| Failure::internal())?);
    Ok(response)
}

/// Returns how the cards are rendered: without anything about their reader.
fn cards(
    site: &Arc<Site>,
) -> Rendering<impl Fn(&[Arc<Pet>]) -> Option<String> + Send + Sync + 'static> {
    let rights = Rights::shared(site.app.auth(), false);
    let site = Arc::clone(site);
    Rendering {
        kind: BlockKind::LobbyCards,
        variant: variant_of(&site.app.rescue()),
        separator: "",
        render: move |pets: &[Arc<Pet>]| {
            let rescue = site.app.rescue();
            let page = LobbyCardsPage::new(pets, &Now::new(&rescue));
            site.views.render(&rescue, &rights, &page)
        },
    }
}
