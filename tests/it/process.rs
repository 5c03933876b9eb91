//! The real binary: start, invalid options, shutdown, and kill.

mod doctor;
mod options;
mod service_manager;
mod simulator;
mod start;
mod stop;

/// A demo on a free port without simulator.
pub const QUIET: [&str; 5] = ["demo", "--listen", "127.0.0.1:0", "--simulate", "off"];
