//! The real binary: how it starts, what it refuses, how it stops, and what a kill cannot take.

mod mistakes;
mod simulator;
mod start;
mod stop;

/// A demo on a free port in which nothing moves by itself.
const QUIET: [&str; 5] = ["demo", "--listen", "127.0.0.1:0", "--simulate", "off"];
