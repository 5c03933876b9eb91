//! The board as staff use it.

mod bulk;
mod layout;
