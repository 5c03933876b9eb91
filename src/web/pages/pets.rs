//! The board, the page of a pet, and the forms that add a pet and remove a pet. Those that set a status are in `status`.

pub mod day;
mod layout;
pub mod status;
pub mod trash;

use std::sync::Arc;

use poem::http::{HeaderMap, StatusCode, Uri};
use poem::web::Path;
use poem::{Response, handler};

use super::bulk;
use super::flash::Flash;
use super::form::{self, Form};
use super::response::{PageResponder, redirect};
use super::sign_in::referring_page;
use super::undo;
use crate::auth::{MayWrite, Permit, Rights};
use crate::error::Failure;
use crate::model::{Activities, Pet, PetId, ProfileInput};
use crate::views::{
    AskView, BoardLayout, CardsPage, FindView, FormPage, IndexPage, Now, SharedPhoto, Sharing,
    ShowPage, view_address,
};
use crate::web::Site;
use crate::web::board_view::{find_pets, parse_view};
use crate::web::pet_blocks::{BlockKind, Rendering, variant_of};
use crate::writer::{Command, WriteError};

/// Redirects from `/` to the board.
#[handler]
pub fn to_index() -> Response {
    redirect("/pets")
}

/// Shows a view of the board.
#[handler]
pub async fn index(pages: PageResponder, headers: &HeaderMap, uri: &Uri) -> poem::Result<Response> {
    let audience = pages.principal.audience();
    let board = pages.site.app.hub().board(audience);
    let rescue = pages.site.app.rescue();
    let now = Now::new(&rescue);
    let (query, problems) = parse_view(uri.query(), &rescue.activities);
    let found = find_pets(&query, &board.pets, audience).await?;
    let find = FindView::new(&query, &problems, &board.pets, &found, &rescue.activities);
    let layout = layout::choose(&pages, headers, uri);
    let mut page = IndexPage::new(&board, &found.pets, find, layout, &now);
    page.undo = undo::offer_for(&pages, headers, &now, None);
    page.removed = pages.removed_pet();
    page.flash = pages.flash().filter(|_| page.removed.is_none());
    page.bulk_undo = bulk::offer_for(&pages, headers);
    page.request = form::new_key().1;
    if query.is_plain() && query.pages_before < found.pages {
        let address = pages.public_address(&view_address(&query));
        let photo = SharedPhoto::choose(&board.pets);
        let photo = photo.and_then(|pet| pages.shared_photo(pet));
        let oembed = pages.oembed_address(address.as_deref());
        page.sharing = Some(Sharing::board(&rescue, address, photo).with_oembed(oembed));
    }
    let mut response = pages.show_with_flash(&page)?;
    layout::remember(layout, uri, &pages, &mut response);
    // The cards are rendered as a block, between the two halves of the page.
    let html = response.take_body().into_string().await;
    let html = html.map_err(|_| Failure::internal())?;
    let halves = html.split_once(IndexPage::CARDS);
    let halves = halves.ok_or_else(Failure::internal)?;
    let cards = cards(&pages.site, Rights::new(&pages.principal), layout);
    let body = pages.site.blocks.page(cards, &found.pets, halves).await;
    response.set_body(body.map_err(|_| Failure::internal())?);
    Ok(response)
}

/// Returns how the cards or rows of the board are rendered for a reader with `rights`.
pub fn cards(
    site: &Arc<Site>,
    rights: Rights,
    layout: BoardLayout,
) -> Rendering<impl Fn(&[Arc<Pet>]) -> Option<String> + Send + Sync + 'static> {
    let kind = match layout {
        BoardLayout::Rows => BlockKind::RowsWithButtons,
        BoardLayout::Cards if rights.is_staff => BlockKind::CardsWithButtons,
        BoardLayout::Cards => BlockKind::Cards,
    };
    let rights = Rights::shared(rights.auth, rights.is_staff);
    let site = Arc::clone(site);
    Rendering {
        kind,
        variant: variant_of(&site.app.rescue()),
        separator: "",
        render: move |pets: &[Arc<Pet>]| {
            let rescue = site.app.rescue();
            let page = CardsPage::new(pets, layout, &Now::new(&rescue));
            site.views.render(&rescue, &rights, &page)
        },
    }
}

/// Shows a pet.
#[handler]
pub async fn show_pet(
    pages: PageResponder,
    Path(id): Path<String>,
    headers: &HeaderMap,
) -> poem::Result<Response> {
    let now = Now::new(&pages.site.app.rescue());
    pages.show(&pet_page(&pages, &id, headers, &now).await?)
}

/// Returns the page of a pet.
async fn pet_page(
    pages: &PageResponder,
    id: &str,
    headers: &HeaderMap,
    now: &Now,
) -> Result<ShowPage, Failure> {
    let audience = pages.principal.audience();
    let (pet, cursor) = pages.site.pet(id, audience)?;
    let rescue = pages.site.app.rescue();
    let undo = undo::offer_for(pages, headers, now, Some(pet.id));
    let mut page = ShowPage::new(&pet, audience, cursor, now, undo);
    page.today = day::today(&pages.site, &pet, audience, now).await;
    let address = pages.public_address(&pet_path(pet.id));
    page.ask = AskView::new(&rescue, &pet, address.as_deref());
    let oembed = pages.oembed_address(address.as_deref());
    let sharing = Sharing::pet(&rescue, &pet, address, pages.shared_photo(&pet));
    page.sharing = sharing.map(|sharing| sharing.with_oembed(oembed));
    Ok(page)
}

/// Shows the form to add a pet.
#[handler]
pub fn new_pet(_permit: Permit<MayWrite>, pages: PageResponder) -> poem::Result<Response> {
    let mut page = FormPage::create(&ProfileInput::default(), &[]);
    page.hidden = vec![form::new_key()];
    pages.show(&page)
}

/// Adds a pet.
#[handler]
pub async fn create_pet(
    permit: Permit<MayWrite>,
    pages: PageResponder,
    form: Form,
) -> poem::Result<Response> {
    let (key, hidden) = (form.key(), form.hidden(|name| name == form::KEY));
    let namesakes = form.namesakes();
    let input = form.into_profile_input();
    let profile = match input.clone().into_profile() {
        Ok(profile) => profile,
        Err(invalid) => {
            let mut page = FormPage::create(&input, &invalid.0);
            page.hidden = hidden;
            return pages.show_with_status(&page, StatusCode::UNPROCESSABLE_ENTITY);
        }
    };
    let writer = pages.site.app.writer();
    let create = Command::create_among(namesakes, profile);
    match writer.commit_once(create, key, permit.signer()).await {
        Ok(created) => Ok(redirect(&pet_path(created.pet))),
        Err(WriteError::Namesake(other)) => {
            let mut page = FormPage::create(&input, &[]);
            page.hidden = hidden;
            form::warn_of_namesake(&pages, page, other)
        }
        Err(error) => Err(Failure::from(error).into()),
    }
}

/// Returns the address of the view of the board that a form was sent from, and of no other page, whatever
/// the browser says.
pub fn referring_view(
    headers: &HeaderMap,
    base_path: &str,
    activities: &Activities,
) -> Option<String> {
    let page: Uri = referring_page(headers, base_path)?.parse().ok()?;
    let is_board = page.path() == "/pets";
    is_board.then(|| view_address(&parse_view(page.query(), activities).0))
}

/// Removes a pet. A form that is sent twice succeeds twice.
#[handler]
pub async fn remove_pet(
    permit: Permit<MayWrite>,
    pages: PageResponder,
    Path(id): Path<String>,
    _form: Form,
) -> poem::Result<Response> {
    let app = &pages.site.app;
    let pet = id.parse().ok();
    let pet = pet.filter(|pet: &PetId| *pet < app.hub().newest().1);
    let pet = pet.ok_or_else(Site::no_such_pet)?;
    match app
        .writer()
        .commit(Command::remove(pet), permit.signer())
        .await
    {
        Ok(_) | Err(WriteError::UnknownPet(_)) => {}
        Err(error) => return Err(Failure::from(error).into()),
    }
    Ok(pages.redirect_with_flash("/pets", &Flash::PetRemoved(pet)))
}

/// Returns the path of a pet's page.
pub fn pet_path(pet: PetId) -> String {
    format!("/pets/{pet}")
}
