//! The page that imports pets: a form, a preview, and one button that adds all pets.
//!
//! Nothing is stored between the steps: the preview carries the text to the confirmation, which reads it
//! again.

use std::collections::HashSet;

use poem::http::StatusCode;
use poem::{Response, handler};

use super::columns::DateOrder;
use super::sheet::Sheet;
use crate::auth::{MayWrite, Permit};
use crate::error::Failure;
use crate::hub::Board;
use crate::model::Profile;
use crate::views::{ImportPage, ImportPreview, ImportedPet};
use crate::web::pages::PageResponder;
use crate::web::pages::flash::Flash;
use crate::web::pages::form::{self, Form};
use crate::web::site::run_blocking;

/// Path of the page.
pub const PATH: &str = "/pets/import";

/// Shows the form.
#[handler]
pub fn show_import(_permit: Permit<MayWrite>, pages: PageResponder) -> poem::Result<Response> {
    pages.show(&ImportPage::default())
}

/// Shows the preview of a spreadsheet; adds its pets if the form confirms that.
#[handler]
pub async fn import_pets(
    permit: Permit<MayWrite>,
    pages: PageResponder,
    form: Form,
) -> poem::Result<Response> {
    let text = form.text("text").to_owned();
    let is_month_first = form.get("dates") == Some("month-first");
    let dates = if is_month_first {
        DateOrder::MonthFirst
    } else {
        DateOrder::DayFirst
    };
    let (sheet, text) = run_blocking(move || Ok((Sheet::parse(&text, dates), text))).await?;
    match form.one_time_key() {
        Some(key) if form.is_confirmed() && sheet.problems.is_empty() => {
            let pets: Vec<Profile> = sheet.pets.into_iter().map(|(_, pet)| pet).collect();
            let count = pets.len();
            let imported = pages.site.app.writer().import(pets, key, permit.signer());
            imported.await.map_err(Failure::from)?;
            Ok(pages.redirect_with_flash("/pets", &Flash::PetsImported(count)))
        }
        _ => {
            let status = if sheet.problems.is_empty() {
                StatusCode::OK
            } else {
                StatusCode::UNPROCESSABLE_ENTITY
            };
            let board = pages.site.app.hub().board(pages.principal.audience());
            let preview = run_blocking(move || Ok(preview(sheet, &board))).await?;
            let page = ImportPage {
                text,
                is_month_first,
                preview: Some(preview),
            };
            pages.show_with_status(&page, status)
        }
    }
}

/// Returns the preview of a sheet whose pets are added to those of `board`.
fn preview(sheet: Sheet, board: &Board) -> ImportPreview {
    let present = board.pets.iter();
    let mut identities: HashSet<String> =
        present.map(|pet| pet.profile.folded_identity()).collect();
    let pets = sheet.pets.iter().map(|(row, pet)| ImportedPet {
        row: *row,
        is_namesake: !identities.insert(pet.folded_identity()),
        texts: texts(pet),
    });
    let problems = sheet.problems.iter().map(|problem| {
        serde_json::json!({
            "row": problem.row, "column": problem.column, "message": problem.message,
        })
    });
    let (_, request_key) = form::new_key();
    ImportPreview {
        pets: pets.collect(),
        problems: problems.collect(),
        ignored: sheet.ignored.join(", "),
        request_key,
    }
}

/// Returns the fields of a pet that are not empty, as people read them.
fn texts(pet: &Profile) -> Vec<(&'static str, String)> {
    let fields = Profile::FIELDS.iter();
    let texts = fields.map(|field| (field.label, field.shown(field.text(pet)).into_owned()));
    texts
        .filter(|(_, text)| !text.is_empty() && text != "Unknown")
        .collect()
}
