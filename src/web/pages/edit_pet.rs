//! The form that edits a pet.
//!
//! A form carries the profile that it was rendered with. Saving sends the fields that its author
//! changed since; the writer merges them with the changes of others. A field that both changed is
//! shown with both values, and the author of the form chooses.

use poem::http::StatusCode;
use poem::web::Path;
use poem::{Response, handler};

use super::form::{self, Form};
use super::pets::pet_path;
use super::response::{PageResponder, redirect};
use crate::auth::{MayWrite, Permit};
use crate::error::Failure;
use crate::model::{Audience, Pet, Profile, ProfileBase, ProfileInput, ProfilePatch};
use crate::views::FormPage;
use crate::writer::{Command, Expected, WriteError};

/// Hidden field with the profile that the form was rendered with.
const BASE: &str = "base";

/// Shows the form.
#[handler]
pub fn edit_form(
    _permit: Permit<MayWrite>,
    pages: PageResponder,
    Path(id): Path<String>,
) -> poem::Result<Response> {
    let (pet, _) = pages.site.pet(&id, Audience::Staff)?;
    let mut page = FormPage::edit(&pet, &ProfileInput::from_profile(&pet.profile), &[]);
    page.hidden = hidden_fields(&pet);
    pages.show(&page)
}

/// Saves the fields that the author changed.
#[handler]
pub async fn edit_pet(
    permit: Permit<MayWrite>,
    pages: PageResponder,
    Path(id): Path<String>,
    form: Form,
) -> poem::Result<Response> {
    let (pet, _) = pages.site.pet(&id, Audience::Staff)?;
    // A base that this version cannot read comes from a form of another version.
    let base: Option<ProfileBase> = form.get(BASE).map(|base| base.parse().unwrap_or_default());
    let hidden = form.hidden(|name| [BASE, form::KEY].contains(&name));
    let key = form.key();
    let input = own_input(&form);
    let patch = match input.clone().into_patch() {
        Ok(patch) => patch,
        Err(invalid) => {
            let input = input.or(&pet.profile);
            let mut page = FormPage::edit(&pet, &input, &invalid.0);
            page.hidden = hidden;
            return pages.show_with_status(&page, StatusCode::UNPROCESSABLE_ENTITY);
        }
    };
    let patch = base.map_or(patch.clone(), |base| base.changed(patch));
    if base.is_some() && patch.is_empty() {
        return Ok(redirect(&pet_path(pet.id)));
    }
    let edit = Command::Edit {
        pet: pet.id,
        patch: patch.clone(),
        base: base.map(Box::new),
        expected: Expected::Anything,
        namesakes: form.namesakes(),
    };
    let writer = pages.site.app.writer();
    match (writer.commit_once(edit, key, permit.signer()).await, base) {
        (Ok(_), _) => Ok(redirect(&pet_path(pet.id))),
        (Err(WriteError::EditConflict), Some(base)) => {
            let (current, _) = pages.site.pet(&id, Audience::Staff)?;
            let page = conflict_page(&current, &base, &patch);
            pages.show_with_status(&page, StatusCode::CONFLICT)
        }
        (Err(WriteError::Namesake(other)), _) => {
            let mut page = FormPage::edit(&pet, &input.or(&pet.profile), &[]);
            page.hidden = hidden;
            form::warn_of_namesake(&pages, page, other)
        }
        (Err(error), _) => Err(Failure::from(error).into()),
    }
}

/// Returns the form after a conflict: for the pet as it is now, with the author's own changes.
fn conflict_page(current: &Pet, base: &ProfileBase, patch: &ProfilePatch) -> FormPage {
    let conflicts = base.conflicts(patch, &current.profile);
    let fields = Profile::FIELDS.iter();
    let theirs = fields.filter(|field| conflicts.contains(&field.name));
    let theirs = theirs.map(|field| (field.name, field.shown(field.text(&current.profile))));
    let mine = ProfileInput::from_profile(&patch.apply(&current.profile));
    let mut page = FormPage::edit(current, &mine, &[]).with_theirs(
        "Someone else saved changes to this pet while you were editing.",
        theirs,
    );
    page.hidden = hidden_fields(current);
    page
}

/// Returns the hidden fields of a form for `pet`.
fn hidden_fields(pet: &Pet) -> Vec<(String, String)> {
    let base = ProfileBase::new(&pet.profile);
    vec![(BASE.to_owned(), base.to_string()), form::new_key()]
}

/// Returns the entered fields, without those for which the author chose the value of somebody else.
fn own_input(form: &Form) -> ProfileInput {
    ProfileInput::collect(|field| {
        let is_theirs = form.get(&format!("keep-{}", field.name)) == Some("theirs");
        form.entered(field).filter(|_| !is_theirs)
    })
}
