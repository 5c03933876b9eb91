//! Saving an edit of a pet.
//!
//! A form carries the profile it was rendered with. Saving sends the fields that its author changed
//! since; the writer merges them with the changes of others. A field that both changed comes back with
//! both values, and the author of the form chooses.

use std::sync::Arc;

use poem::http::StatusCode;
use poem::web::{Data, Path};
use poem::{Response, handler};

use super::form::{self, Form};
use super::pets::address;
use super::response::see_other;
use crate::auth::{MayWrite, Permit, Principal};
use crate::error::Failure;
use crate::model::{Pet, Profile, ProfileBase, ProfileInput, ProfilePatch};
use crate::views::FormPage;
use crate::web::Site;
use crate::writer::{Command, Expected, WriteError};

/// The hidden field with the profile that a form was rendered with.
const BASE: &str = "base";

#[handler]
pub fn edit_form(
    _permit: Permit<MayWrite>,
    Data(site): Data<&Arc<Site>>,
    Path(id): Path<String>,
    caller: Principal,
) -> poem::Result<Response> {
    let (pet, _) = site.pet(&id)?;
    let page = FormPage::edit(&pet, &ProfileInput::from_profile(&pet.profile), &[]);
    site.show(&caller, &page.carrying(hidden_fields(&pet)))
}

#[handler]
pub async fn edit_pet(
    permit: Permit<MayWrite>,
    Data(site): Data<&Arc<Site>>,
    Path(id): Path<String>,
    caller: Principal,
    form: Form,
) -> poem::Result<Response> {
    let (pet, _) = site.pet(&id)?;
    let base: Option<ProfileBase> = form.get(BASE).and_then(|base| base.parse().ok());
    let hidden = form.hidden(&[BASE, form::KEY]);
    let key = form.key();
    let input = chosen(&form);
    let patch = match input.clone().into_patch() {
        Ok(patch) => patch,
        Err(invalid) => {
            let input = input.or(&pet.profile);
            let page = FormPage::edit(&pet, &input, &invalid.0).carrying(hidden);
            return site.show_again(&caller, &page, StatusCode::UNPROCESSABLE_ENTITY);
        }
    };
    let patch = base.map_or(patch.clone(), |base| base.changed(patch));
    if base.is_some() && patch.is_empty() {
        return Ok(see_other(&address(pet.id)));
    }
    let edit = Command::Edit {
        pet: pet.id,
        patch: patch.clone(),
        base: base.map(Box::new),
        expected: Expected::Anything,
    };
    let saved = site
        .app
        .writer()
        .commit_once(edit, key, permit.signer())
        .await;
    match (saved, base) {
        (Err(WriteError::EditConflict), Some(base)) => {
            let (current, _) = site.pet(&id)?;
            let page = conflict(&current, &base, &patch);
            site.show_again(&caller, &page, StatusCode::CONFLICT)
        }
        (saved, _) => {
            saved.map_err(Failure::from)?;
            Ok(see_other(&address(pet.id)))
        }
    }
}

/// Returns the form after a conflict: made for the pet as it is now, with the author's own changes in it.
fn conflict(current: &Pet, base: &ProfileBase, patch: &ProfilePatch) -> FormPage {
    let conflicts = base.conflicts(patch, &current.profile);
    let fields = Profile::FIELDS.iter();
    let theirs = fields.filter(|field| conflicts.contains(&field.name));
    let theirs = theirs.map(|field| (field.name, field.text(&current.profile)));
    let mine = ProfileInput::from_profile(&patch.apply(&current.profile));
    FormPage::edit(current, &mine, &[])
        .with_theirs(theirs)
        .carrying(hidden_fields(current))
}

/// Returns the hidden fields of a form that is made for `pet`.
pub fn hidden_fields(pet: &Pet) -> Vec<(String, String)> {
    let base = ProfileBase::new(&pet.profile);
    vec![(BASE.to_owned(), base.to_string()), form::new_key()]
}

/// Returns the entered fields, without those for which the author chose somebody else's value.
fn chosen(form: &Form) -> ProfileInput {
    ProfileInput::collect(|field| {
        let is_theirs = form.get(&format!("keep-{}", field.name)) == Some("theirs");
        let text = form.get(field.name).filter(|_| !is_theirs);
        text.map(str::to_owned)
    })
}
