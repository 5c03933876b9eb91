//! Sheets about a pet for staff to print, with a QR code that leads to its live page.

use poem::web::{Path, Query};
use poem::{Response, handler};
use serde::Deserialize;

use super::pages::PageResponder;
use crate::auth::{MayRead, Permit};
use crate::model::Audience;
use crate::views::{Now, PrintPage, PrintSheet};

/// Query of the page: the sheet.
#[derive(Deserialize)]
struct SheetQuery {
    /// `card` or `poster`.
    #[serde(default, rename = "as")]
    kind: String,
    /// `a6` for a card, `letter` for a poster.
    #[serde(default)]
    paper: String,
}

/// Shows a sheet as it will be printed.
#[handler]
pub fn show_sheet(
    _permit: Permit<MayRead>,
    pages: PageResponder,
    Path(id): Path<String>,
    Query(query): Query<SheetQuery>,
) -> poem::Result<Response> {
    let (pet, _) = pages.site.pet(&id, Audience::Staff)?;
    let now = Now::new(&pages.site.app.rescue());
    let address = pages.public_address(&format!("/pets/{}", pet.id));
    let sheet = PrintSheet::parse(&query.kind, &query.paper);
    pages.show(&PrintPage::new(&pet, sheet, address.as_deref(), &now))
}
