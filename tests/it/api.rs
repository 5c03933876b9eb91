//! The JSON API: what each operation answers, and what it refuses.

mod history;
mod operations;
mod refusals;
