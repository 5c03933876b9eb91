//! The program. Everything is in the library; see `lib.rs` for the map.

use std::process::ExitCode;

use tikv_jemallocator::Jemalloc;

/// Gives memory back to the system within seconds of its release. What it is told at the build is in
/// `.cargo/config.toml`.
#[global_allocator]
static ALLOCATOR: Jemalloc = Jemalloc;

fn main() -> ExitCode {
    pet_store::cli::run()
}
