//! The JSON API: what each operation answers, and what it refuses.

mod conditional;
mod contract;
mod document;
mod guide;
mod history;
mod idempotency;
mod notes;
mod operations;
mod refusals;
mod statuses;
mod views;
