//! Abusive clients: too slow, too many, too large, and malformed. The server answers each with its
//! error, does not grow, and viewers miss no change.
//!
//! `cargo test` runs a short form of some, and with the feature `slow-tests` of all.
//! `tests/faults/run-abuse` runs the long form of all, with 50 clients of each kind, within 96 MiB,
//! and the Autobahn cases. Each test prints a table.

#![expect(clippy::print_stdout, reason = "the tables are for people")]

#[cfg(feature = "slow-tests")]
mod board;
mod crowd;
mod malformed;
#[cfg(feature = "slow-tests")]
mod memory;
mod requests;
#[cfg_attr(
    not(feature = "slow-tests"),
    allow(dead_code, reason = "the slow tests use all of it")
)]
mod server;
#[cfg(feature = "slow-tests")]
mod sign_ins;
#[cfg(feature = "slow-tests")]
mod slow;
#[cfg_attr(
    not(feature = "slow-tests"),
    allow(dead_code, reason = "the slow tests use all of it")
)]
mod watch;
mod websocket;

/// Returns true in the long form.
fn is_long() -> bool {
    std::env::var("PET_STORE_FAULTS").as_deref() == Ok("long")
}

/// Prints rows under a heading.
fn print(heading: &str, rows: &[Vec<String>]) {
    println!("\n{heading}");
    for row in rows {
        println!("  {}", row.join(" | "));
    }
}
