//! The program. Everything is in the library; see `lib.rs` for the map.

use std::process::ExitCode;

/// Returns freed memory to the system within seconds. Its build settings are in `.cargo/config.toml`.
#[cfg(feature = "jemalloc")]
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

fn main() -> ExitCode {
    pet_store::cli::run()
}
