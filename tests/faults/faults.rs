//! The disk, the power and the process on their worst day: nothing acknowledged is lost, nothing
//! shown was never true, no rev means two things, and all of it comes back by itself.
//!
//! Each test prints a table. `cargo test` runs a short form of each; `tests/faults/run` the long
//! one, with as many rounds as it takes to be sure.

mod disk;
mod errors;
mod full;
mod images;
mod kill;
mod ledger;
mod limits;
mod lost;
mod rig;
mod roster;
mod slow;
mod soak;
mod strace;
mod syncs;
mod table;
mod unsynced;
mod writing;

/// How many rounds: few in every test run, many in the long form.
fn rounds(short: usize, long: usize) -> usize {
    match std::env::var("PET_STORE_FAULTS").as_deref() {
        Ok("long") => long,
        _ => short,
    }
}
