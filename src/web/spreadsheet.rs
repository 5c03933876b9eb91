//! Pets as a spreadsheet: CSV (RFC 4180), in the form that spreadsheet programs read.
//!
//! `formula` keeps programs from running what somebody typed, `export` writes all pets. `encoding` reads
//! the text of a file, `sheet` its pets, with the `columns` of other programs, and `import` has the pages.

mod columns;
mod encoding;
mod export;
mod formula;
mod import;
mod sheet;

pub use self::export::export_pets;
pub use self::import::{PATH as IMPORT_PATH, import_pets, show_import, too_large};
pub use self::sheet::MAX_BYTES;
