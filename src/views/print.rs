//! The context of a pet on paper: a card for its kennel, and a poster.

use std::fmt::Write;

use qrcode::{Color, QrCode};
use serde::Serialize;

use super::pets::{DetailView, PetView};
use super::time_text::Now;
use crate::model::{Audience, Pet};

/// A thing to print, on its paper.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PrintSheet {
    /// A card for the kennel, half a page.
    CardA5,
    /// A card for the kennel, a quarter of a page.
    CardA6,
    /// A poster on A4.
    PosterA4,
    /// A poster on US Letter.
    PosterLetter,
}

/// A sheet about one pet.
#[derive(Serialize)]
pub struct PrintPage {
    pet: PetView,
    /// The public fields that have a value, without those beside the name.
    details: Vec<DetailView>,
    /// Name of the sheet in the style sheet.
    sheet: &'static str,
    /// The sheets to choose from.
    sheets: Vec<SheetView>,
    /// The page of the pet, if its public address is known.
    link: Option<LinkView>,
}

/// A sheet as a choice.
#[derive(Serialize)]
struct SheetView {
    query: &'static str,
    text: &'static str,
    is_current: bool,
}

/// The address of a page, for people and for cameras.
#[derive(Serialize)]
struct LinkView {
    /// The address without its scheme, as people type it.
    text: String,
    /// The QR code as the path of an SVG, one unit per module.
    qr_path: String,
    /// Modules from edge to edge.
    qr_size: usize,
}

impl PrintSheet {
    const ALL: [PrintSheet; 4] = [
        PrintSheet::CardA6,
        PrintSheet::CardA5,
        PrintSheet::PosterA4,
        PrintSheet::PosterLetter,
    ];

    /// Returns the sheet for the words of a query: `card` or `poster`, and the paper.
    pub fn parse(kind: &str, paper: &str) -> Self {
        match (kind, paper) {
            ("poster", "letter") => PrintSheet::PosterLetter,
            ("poster", _) => PrintSheet::PosterA4,
            (_, "a6") => PrintSheet::CardA6,
            _ => PrintSheet::CardA5,
        }
    }

    /// Returns the name, the query, and the text of the choice.
    const fn words(self) -> (&'static str, &'static str, &'static str) {
        match self {
            PrintSheet::CardA5 => ("card-a5", "as=card", "Kennel card, A5"),
            PrintSheet::CardA6 => ("card-a6", "as=card&paper=a6", "Kennel card, A6"),
            PrintSheet::PosterA4 => ("poster-a4", "as=poster", "Poster, A4"),
            PrintSheet::PosterLetter => {
                ("poster-letter", "as=poster&paper=letter", "Poster, Letter")
            }
        }
    }
}

impl PrintPage {
    /// The sheet about `pet`, whose page is at `address`.
    pub fn new(pet: &Pet, sheet: PrintSheet, address: Option<&str>, now: &Now) -> Self {
        // The template shows the first two beside the name.
        let details = DetailView::list(&pet.profile, Audience::Public).into_iter();
        let details = details.skip(2).filter(DetailView::is_known);
        let sheets = PrintSheet::ALL.map(|choice| {
            let (_, query, text) = choice.words();
            SheetView {
                query,
                text,
                is_current: choice == sheet,
            }
        });
        PrintPage {
            pet: PetView::new(pet, now),
            details: details.collect(),
            sheet: sheet.words().0,
            sheets: sheets.into(),
            link: address.and_then(LinkView::new),
        }
    }
}

impl LinkView {
    /// The link to `address`; `None` if the address is longer than a QR code.
    fn new(address: &str) -> Option<Self> {
        let code = QrCode::new(address).ok()?;
        let mut qr_path = String::new();
        let rows = code.to_colors();
        for (y, row) in rows.chunks(code.width()).enumerate() {
            for (x, module) in row.iter().enumerate() {
                if *module == Color::Dark {
                    let _ = write!(qr_path, "M{x} {y}h1v1h-1z");
                }
            }
        }
        let text = address.split_once("://").map_or(address, |(_, rest)| rest);
        Some(LinkView {
            text: text.to_owned(),
            qr_path,
            qr_size: code.width(),
        })
    }
}
