//! Clients on their worst behaviour: too slow, too many, too large, and against every rule. The
//! server answers each by name, stays as large as it was, and nobody who watches misses a change.
//!
//! `cargo test` runs a short form of each; `tests/faults/run-abuse` the long one, with 50 of each
//! kind, within 96 MiB, and with the Autobahn cases. Each test prints a table.

#![expect(clippy::print_stdout, reason = "the tables are for people")]

mod board;
mod crowd;
mod malformed;
mod memory;
mod requests;
mod server;
mod sign_ins;
mod slow;
mod watch;
mod websocket;

/// Whether this is the long form.
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
