//! Faults of the disk, the power and the process. No acknowledged change is lost, no viewer saw a
//! change that is not in the store, no rev is used for two changes, and the server recovers by
//! itself.
//!
//! Each test prints a table. `cargo test` runs a short form of the tests of this process's own
//! store. With the feature `slow-tests` it also runs those of the real program, which kill it, fill
//! its disk and fail its system calls. `tests/faults/run` runs the long form of all.

mod disk;
mod disk_errors;
#[cfg(feature = "slow-tests")]
mod full_disk;
#[cfg(feature = "slow-tests")]
mod kill;
mod ledger;
mod lost_writes;
mod power_cuts;
mod rig;
mod sessions;
mod slow_disk;
#[cfg(feature = "slow-tests")]
mod soak;
#[cfg(feature = "slow-tests")]
mod system_calls;

/// Returns the number of rounds of the short form or of the long form.
fn rounds(short: usize, long: usize) -> usize {
    match std::env::var("PET_STORE_FAULTS").as_deref() {
        Ok("long") => long,
        _ => short,
    }
}

/// Prints a table to stderr, for the reader of the long form.
fn print_table(title: &str, headings: &[&str], rows: &[Vec<String>]) {
    let width = |column: usize| {
        let cells = rows.iter().map(|row| row[column].chars().count());
        let widest = cells.max().unwrap_or(0);
        widest.max(headings[column].chars().count())
    };
    let widths: Vec<usize> = (0..headings.len()).map(width).collect();
    let line = |cells: &[String]| {
        let cells = cells.iter().zip(&widths);
        let cells: Vec<String> = cells
            .map(|(cell, width)| format!("{cell:>width$}"))
            .collect();
        cells.join("  ")
    };
    let headings: Vec<String> = headings.iter().map(|&heading| heading.to_owned()).collect();
    eprintln!("\n{title}\n{}", line(&headings));
    for row in rows {
        eprintln!("{}", line(row));
    }
}
