//! The pages for people. Every one of them works without JavaScript, except the one for the echo.
//!
//! `response` answers with a page, `form` reads what a browser sends, and `unsaved_form` returns
//! what was typed into a form that was refused. The other modules are the pages themselves.

pub mod account;
mod account_action;
pub mod audit;
pub mod bulk;
pub mod doctor;
pub mod edit_pet;
pub mod flash;
pub mod form;
pub mod hello;
pub mod invitation;
pub mod multipart;
pub mod pets;
pub mod photos;
mod response;
pub mod revocation;
pub mod settings;
pub mod sign_in;
pub mod staff;
pub mod undo;
pub mod unsaved_form;

pub use self::invitation::invitation_path;
pub use self::pets::pet_path;
pub use self::response::{PageResponder, make_cacheable, redirect};
