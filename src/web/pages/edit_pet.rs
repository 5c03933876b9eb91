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
use crate::model::{Draft, Pet, Profile, ProfileBase, ProfilePatch};
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
    let page = FormPage::edit(&pet, &as_entered(&pet), &[]);
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
    let draft = chosen(form);
    let patch = match draft.clone().into_patch() {
        Ok(patch) => patch,
        Err(invalid) => {
            let draft = over(&pet, &draft);
            let page = FormPage::edit(&pet, &draft, &invalid.0).carrying(hidden);
            return site.show_again(&caller, &page, StatusCode::UNPROCESSABLE_ENTITY);
        }
    };
    let patch = base.map_or(patch.clone(), |base| base.changed(patch));
    if base.is_some() && patch == ProfilePatch::default() {
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

/// The form after a conflict: made for the pet as it is now, with the author's own changes in it.
fn conflict(current: &Pet, base: &ProfileBase, patch: &ProfilePatch) -> FormPage {
    let conflicts = base.conflicts(patch, &current.profile);
    let theirs = Profile::FIELDS.into_iter().zip(current.profile.texts());
    let theirs = theirs.filter(|(field, _)| conflicts.contains(field));
    let mine = Pet {
        profile: patch.clone().apply(&current.profile),
        ..current.clone()
    };
    FormPage::edit(current, &as_entered(&mine), &[])
        .with_theirs(theirs)
        .carrying(hidden_fields(current))
}

/// The hidden fields of a form that is made for `pet`.
pub fn hidden_fields(pet: &Pet) -> Vec<(String, String)> {
    let base = ProfileBase::new(&pet.profile);
    vec![(BASE.to_owned(), base.to_string()), form::new_key()]
}

/// Returns the entered fields, without those for which the author chose somebody else's value.
fn chosen(form: Form) -> Draft {
    let is_theirs = |field: &str| form.get(&format!("keep-{field}")) == Some("theirs");
    let theirs = Profile::FIELDS.map(is_theirs);
    let mut draft = form.into_draft();
    let fields = [
        &mut draft.name,
        &mut draft.species,
        &mut draft.breed,
        &mut draft.sex,
        &mut draft.age,
        &mut draft.about,
    ];
    for (field, _) in fields.into_iter().zip(theirs).filter(|(_, theirs)| *theirs) {
        *field = None;
    }
    draft
}

/// Completes a draft with the present values of the fields that were not entered.
fn over(pet: &Pet, draft: &Draft) -> Draft {
    let current = as_entered(pet);
    let draft = draft.clone();
    Draft {
        name: draft.name.or(current.name),
        species: draft.species.or(current.species),
        breed: draft.breed.or(current.breed),
        sex: draft.sex.or(current.sex),
        age: draft.age.or(current.age),
        about: draft.about.or(current.about),
    }
}

/// A pet's fields as a form shows them.
pub fn as_entered(pet: &Pet) -> Draft {
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
