//! Pets as a spreadsheet: CSV (RFC 4180), in the form in which Excel and LibreOffice read it.
//!
//! `formula` keeps programs from running what somebody typed, `export` writes all pets.

mod export;
mod formula;

pub use self::export::export_pets;
