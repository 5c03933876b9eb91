//! The pages for people: the board, a pet, and the forms. All of them work without JavaScript.

mod form;

use std::sync::Arc;

use poem::http::{HeaderMap, StatusCode, header};
use poem::web::{Data, Path};
use poem::{Request, Response, handler};

use self::form::Form;
use super::Site;
use crate::error::Failure;
use crate::model::{By, Cursor, Draft, Moment, Pet, PetId, Status};
use crate::views::{FormPage, IndexPage, ShowPage};
use crate::writer::{Command, Committed};

#[handler]
pub fn to_index() -> Response {
    see_other("/pets")
}

#[handler]
pub fn index(Data(site): Data<&Arc<Site>>) -> poem::Result<Response> {
    site.show(&IndexPage::new(&site.live.hub.board(), Moment::now()))
}

#[handler]
pub fn show_pet(Data(site): Data<&Arc<Site>>, Path(id): Path<String>) -> poem::Result<Response> {
    let (pet, cursor) = site.pet(&id)?;
    site.show(&ShowPage::new(&pet, cursor, Moment::now()))
}

#[handler]
pub fn new_pet(Data(site): Data<&Arc<Site>>, headers: &HeaderMap) -> poem::Result<Response> {
    site.live.auth.check_staff(headers)?;
    site.show(&FormPage::create(&Draft::default(), &[]))
}

#[handler]
pub async fn create_pet(
    Data(site): Data<&Arc<Site>>,
    request: &Request,
    body: Vec<u8>,
) -> poem::Result<Response> {
    site.live.auth.check_staff(request.headers())?;
    let draft = Form::read(request.headers(), &body)?.into_draft();
    let profile = match draft.clone().into_profile() {
        Ok(profile) => profile,
        Err(invalid) => return site.show_form_again(&FormPage::create(&draft, &invalid.0)),
    };
    let created = site.carry_out(Command::create(profile)).await?;
    Ok(see_other(&address(created.pet)))
}

#[handler]
pub fn edit_form(
    Data(site): Data<&Arc<Site>>,
    Path(id): Path<String>,
    headers: &HeaderMap,
) -> poem::Result<Response> {
    site.live.auth.check_staff(headers)?;
    let (pet, _) = site.pet(&id)?;
    site.show(&FormPage::edit(&pet, &as_entered(&pet), &[]))
}

#[handler]
pub async fn edit_pet(
    Data(site): Data<&Arc<Site>>,
    Path(id): Path<String>,
    request: &Request,
    body: Vec<u8>,
) -> poem::Result<Response> {
    site.live.auth.check_staff(request.headers())?;
    let (pet, _) = site.pet(&id)?;
    let draft = Form::read(request.headers(), &body)?.into_draft();
    let patch = match draft.clone().into_patch() {
        Ok(patch) => patch,
        Err(invalid) => return site.show_form_again(&FormPage::edit(&pet, &draft, &invalid.0)),
    };
    site.carry_out(Command::Edit { pet: pet.id, patch }).await?;
    Ok(see_other(&address(pet.id)))
}

#[handler]
pub async fn set_status(
    Data(site): Data<&Arc<Site>>,
    Path(id): Path<String>,
    request: &Request,
    body: Vec<u8>,
) -> poem::Result<Response> {
    site.live.auth.check_staff(request.headers())?;
    let (pet, _) = site.pet(&id)?;
    let form = Form::read(request.headers(), &body)?;
    let status = form.get("status").unwrap_or_default();
    let status: Status = status.parse().map_err(Failure::from)?;
    let pet = pet.id;
    site.carry_out(Command::SetStatus { pet, status }).await?;
    Ok(see_other(back(request.headers(), pet).as_str()))
}

#[handler]
pub async fn remove_pet(
    Data(site): Data<&Arc<Site>>,
    Path(id): Path<String>,
    headers: &HeaderMap,
) -> poem::Result<Response> {
    site.live.auth.check_staff(headers)?;
    let (pet, _) = site.pet(&id)?;
    site.carry_out(Command::Remove { pet: pet.id }).await?;
    Ok(see_other("/pets"))
}

impl Site {
    /// The pet in an address. What is no id is as unknown as an id that nobody has.
    fn pet(&self, id: &str) -> Result<(Arc<Pet>, Cursor), Failure> {
        let found = id
            .parse::<PetId>()
            .ok()
            .and_then(|id| self.live.hub.pet(id));
        found.ok_or_else(|| {
            Failure::not_found("There is no such pet. It may have been adopted and removed.")
        })
    }

    async fn carry_out(&self, command: Command) -> Result<Committed, Failure> {
        Ok(self.live.writer.commit(command, By::Staff).await?)
    }

    fn show_form_again(&self, page: &FormPage) -> poem::Result<Response> {
        let mut response = self.show(page)?;
        response.set_status(StatusCode::UNPROCESSABLE_ENTITY);
        Ok(response)
    }
}

fn address(pet: PetId) -> String {
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

/// A pet's fields as a form shows them.
fn as_entered(pet: &Pet) -> Draft {
    let profile = pet.profile.clone();
    Draft {
        name: Some(profile.name),
        species: Some(profile.species),
        breed: Some(profile.breed),
        sex: Some(profile.sex.as_str().to_owned()),
        age: Some(profile.age),
        about: Some(profile.about),
    }
}

fn see_other(address: &str) -> Response {
    Response::builder()
        .status(StatusCode::SEE_OTHER)
        .header(header::LOCATION, address)
        .header(header::CACHE_CONTROL, "no-store")
        .finish()
}
