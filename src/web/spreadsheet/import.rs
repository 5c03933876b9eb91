//! The page that imports pets: a form, a preview, and one button that adds all pets.
//!
//! Nothing is stored between the steps: the preview carries the text to the confirmation, which reads it
//! again.

use std::collections::HashSet;

use poem::http::StatusCode;
use poem::{FromRequest, Request, RequestBody, Response, handler};

use super::columns::DateOrder;
use super::encoding::decode;
use super::sheet::{MAX_BYTES, Sheet, TOO_LARGE};
use crate::auth::{MayWrite, Permit};
use crate::error::Failure;
use crate::hub::Board;
use crate::model::Profile;
use crate::views::{ImportPage, ImportPreview, ImportedPet};
use crate::web::pages::PageResponder;
use crate::web::pages::flash::Flash;
use crate::web::pages::form::{self, Form};
use crate::web::pages::multipart::{SentFile, UploadForm};
use crate::web::site::run_blocking;

/// Path of the page.
pub const PATH: &str = "/pets/import";

/// Message for a file that is not text.
const NOT_TEXT: &str = "This file is not text. In your spreadsheet program, save the sheet as CSV, and choose that file.";

/// Shows the form.
#[handler]
pub fn show_import(_permit: Permit<MayWrite>, pages: PageResponder) -> poem::Result<Response> {
    pages.show(&ImportPage::default())
}

/// The form of the page: a text, or a file with it.
pub struct ImportForm {
    fields: Form,
    file: Option<SentFile>,
}

impl<'a> FromRequest<'a> for ImportForm {
    /// # Errors
    /// As for `Form` and `UploadForm`.
    async fn from_request(request: &'a Request, body: &mut RequestBody) -> poem::Result<Self> {
        if UploadForm::is_announced(request.headers()) {
            let mut form = UploadForm::from_request(request, body).await?;
            Ok(ImportForm {
                file: form.files.pop(),
                fields: form.fields,
            })
        } else {
            let fields = Form::from_request(request, body).await?;
            Ok(ImportForm { fields, file: None })
        }
    }
}

/// The failure for a form that is larger than any spreadsheet.
pub fn too_large() -> Failure {
    Failure::too_large(TOO_LARGE.to_owned())
}

/// Shows the preview of a spreadsheet; adds its pets if the form confirms that.
#[handler]
pub async fn import_pets(
    permit: Permit<MayWrite>,
    pages: PageResponder,
    form: ImportForm,
) -> poem::Result<Response> {
    let ImportForm { fields, file } = form;
    let is_month_first = fields.get("dates") == Some("month-first");
    let dates = if is_month_first {
        DateOrder::MonthFirst
    } else {
        DateOrder::DayFirst
    };
    let entered = fields.text("text").to_owned();
    let (sheet, mut page) = run_blocking(move || Ok(read(file, entered, dates))).await?;
    match fields.one_time_key() {
        Some(key) if fields.is_confirmed() && sheet.problems.is_empty() => {
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
            page.is_month_first = is_month_first;
            page.preview = Some(preview);
            pages.show_with_status(&page, status)
        }
    }
}

/// Reads the file or, without one, the text that was entered, for a page without its preview.
fn read(file: Option<SentFile>, entered: String, dates: DateOrder) -> (Sheet, ImportPage) {
    let mut page = ImportPage {
        text: entered,
        ..ImportPage::default()
    };
    if let Some(SentFile { name, content }) = file {
        if content.len() > MAX_BYTES {
            return (Sheet::unreadable(TOO_LARGE), page);
        }
        let Ok((text, encoding)) = decode(&content) else {
            return (Sheet::unreadable(NOT_TEXT), page);
        };
        page.text = text;
        page.file = Some((name, encoding));
    }
    (Sheet::parse(&page.text, dates), page)
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
    let problems = sheet.problems.iter();
    let problems = problems.map(|problem| serde_json::json!(problem));
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
