//! The log, on stderr.
//!
//! One sentence per event that reads alone, identifiers as fields too; never tokens, bodies or
//! visitors' addresses. A viewer that leaves is `debug`.

use std::io::IsTerminal;

use tracing_subscriber::EnvFilter;

use crate::config::LogFormat;

/// The client of the NATS cluster tells of each connection; the program says itself what matters.
const DEFAULT: &str = "info,async_nats=warn";

/// Starts the log. The level comes from `RUST_LOG`, and is `info` without it.
pub fn start(format: LogFormat) {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(DEFAULT));
    let log = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal())
        // It would tell stderr that stderr cannot be written to, and panic.
        .log_internal_errors(false);
    // Fails when a test has started one already; that one serves as well.
    let _ = match format {
        LogFormat::Text => log.try_init(),
        LogFormat::Json => log.json().flatten_event(true).try_init(),
    };
}
