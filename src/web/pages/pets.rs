//! The pages for people: the board, a pet, and the forms. All of them work without JavaScript.

use std::sync::Arc;

use poem::http::{HeaderMap, StatusCode, header};
use poem::web::{Data, Path};
use poem::{Response, handler};

use super::flash::Done;
use super::form::{self, Form};
use super::response::see_done;
use super::response::see_other;
use super::undo::{self, Offer};
use crate::auth::{MaySetStatus, MayWrite, Permit, Principal, Rights};
use crate::error::Failure;
use crate::model::{Cursor, Pet, PetId, ProfileInput, Status, Timestamp};
use crate::views::{CardsPage, FormPage, IndexPage, ShowPage};
use crate::web::Site;
use crate::web::pet_blocks::{Kind, Rendering};
use crate::writer::{Command, WriteError};

#[handler]
pub fn to_index() -> Response {
    see_other("/pets")
}

#[handler]
pub async fn index(
    Data(site): Data<&Arc<Site>>,
    caller: Principal,
    headers: &HeaderMap,
) -> poem::Result<Response> {
    let (board, now) = (site.app.hub().board(), Timestamp::now());
    let undo = undo::offered(caller.authenticator(), headers, now, site.app.hub(), |_| {
        true
    });
    let mut response = site.show_after(&caller, headers, |done| {
        Ok(IndexPage::new(&board, now, undo).with_done(done))
    })?;
    let page = response.take_body().into_string().await;
    let page = page.map_err(|_| Failure::internal())?;
    let around = page.split_once(IndexPage::CARDS);
    let around = around.ok_or_else(Failure::internal)?;
    let cards = cards(site, Rights::new(&caller));
    let body = site.blocks.body(cards, board.pets, around).await;
    response.set_body(body.map_err(|_| Failure::internal())?);
    Ok(response)
}

/// How the cards of the index are rendered for whoever has `rights`.
fn cards(
    site: &Arc<Site>,
    rights: Rights,
) -> Rendering<impl Fn(&[Arc<Pet>]) -> Option<String> + Send + Sync + 'static> {
    let kind = match (rights.is_staff, &rights.form_token) {
        (false, _) => Some(Kind::Cards),
        (true, None) => Some(Kind::CardsWithForms),
        (true, Some(_)) => None,
    };
    let rights = match kind {
        // Nothing of the reader is in what others are sent.
        Some(_) => Rights {
            name: None,
            is_admin: false,
            account_cookie: None,
            form_token: None,
            ..rights
        },
        None => rights,
    };
    let site = Arc::clone(site);
    Rendering {
        kind,
        separator: "",
        render: move |pets: &[Arc<Pet>]| {
            let page = CardsPage::new(pets, Timestamp::now());
            site.views.render(&rights, &page)
        },
    }
}

#[handler]
pub fn show_pet(
    Data(site): Data<&Arc<Site>>,
    Path(id): Path<String>,
    caller: Principal,
    headers: &HeaderMap,
) -> poem::Result<Response> {
    let (pet, cursor) = site.pet(&id)?;
    let now = Timestamp::now();
    let undo = undo::offered(caller.authenticator(), headers, now, site.app.hub(), |id| {
        id == pet.id
    });
    site.show(&caller, &ShowPage::new(&pet, cursor, now, undo))
}

#[handler]
pub fn new_pet(
    _permit: Permit<MayWrite>,
    Data(site): Data<&Arc<Site>>,
    caller: Principal,
) -> poem::Result<Response> {
    let page = FormPage::create(&ProfileInput::default(), &[]);
    site.show(&caller, &page.carrying(vec![form::new_key()]))
}

#[handler]
pub async fn create_pet(
    permit: Permit<MayWrite>,
    Data(site): Data<&Arc<Site>>,
    caller: Principal,
    form: Form,
) -> poem::Result<Response> {
    let (key, hidden) = (form.key(), form.hidden(&[form::KEY]));
    let input = form.into_profile_input();
    let profile = match input.clone().into_profile() {
        Ok(profile) => profile,
        Err(invalid) => {
            let page = FormPage::create(&input, &invalid.0).carrying(hidden);
            return site.show_again(&caller, &page, StatusCode::UNPROCESSABLE_ENTITY);
        }
    };
    let create = Command::create(profile);
    let created = site.app.writer().commit_once(create, key, permit.signer());
    let created = created.await.map_err(Failure::from)?;
    Ok(see_other(&address(created.pet)))
}

/// Sets a status, or restores one with its time: with `replaces`, only if the status was last set
/// by the change at that cursor.
#[handler]
pub async fn set_status(
    permit: Permit<MaySetStatus>,
    Data(site): Data<&Arc<Site>>,
    Path(id): Path<String>,
    caller: Principal,
    headers: &HeaderMap,
    form: Form,
) -> poem::Result<Response> {
    let (pet, _) = site.pet(&id)?;
    let status: Status = form.text("status").parse().map_err(Failure::from)?;
    let replaces = form.get("replaces");
    let (since, expected) = undo::asked(form.get("since"), replaces)?;
    let unknown = || Failure::from(WriteError::UnknownPet(pet.id));
    let (before, epoch) = site.app.hub().entry(pet.id).ok_or_else(unknown)?;
    let set = Command::SetStatus {
        pet: pet.id,
        status,
        since,
        expected,
    };
    let committed = site.app.writer().commit(set, permit.signer()).await;
    let committed = committed.map_err(Failure::from)?;
    let mut response = see_other(back(headers, pet.id).as_str());
    if replaces.is_none() {
        let rev = before.status_set;
        let offer = Offer::new(
            caller.authenticator(),
            headers,
            &before.pet,
            Cursor { epoch, rev },
            &committed,
        );
        let cookie = offer.cookie(caller.authenticator());
        response.headers_mut().insert(header::SET_COOKIE, cookie);
    }
    Ok(response)
}

#[handler]
pub async fn remove_pet(
    permit: Permit<MayWrite>,
    Data(site): Data<&Arc<Site>>,
    Path(id): Path<String>,
    caller: Principal,
    _form: Form,
) -> poem::Result<Response> {
    // A form that is sent twice finds the pet removed the second time: that is a success too.
    let pet: Option<PetId> = id.parse().ok();
    let pet = pet.filter(|pet| *pet < site.app.hub().newest().1);
    let Some(pet) = pet else {
        return Err(Site::no_such_pet().into());
    };
    let removed = site
        .app
        .writer()
        .commit(Command::remove(pet), permit.signer());
    match removed.await.map_err(Failure::from) {
        Err(failure) if failure.status != StatusCode::NOT_FOUND => return Err(failure.into()),
        _ => {}
    }
    Ok(see_done("/pets", &Done::PetRemoved, &caller))
}

pub fn address(pet: PetId) -> String {
    format!("/pets/{pet}")
}

/// Where a status was set from: the board or the pet's own page. Never anywhere else, whatever
/// the browser says.
fn back(headers: &HeaderMap, pet: PetId) -> String {
    let referer = headers
        .get(header::REFERER)
        .and_then(|url| url.to_str().ok());
    match referer.and_then(|url| url.parse::<poem::http::Uri>().ok()) {
        Some(url) if url.path() == "/pets" => "/pets".to_owned(),
        _ => address(pet),
    }
}
