//! The log, on stderr.
//!
//! One sentence per event that reads alone, identifiers as fields too; never tokens, bodies or
//! visitors' addresses. A viewer that leaves is `debug`.

mod line;

use std::panic::PanicHookInfo;

use tracing_subscriber::EnvFilter;

use self::line::OneLine;
use crate::config::LogFormat;

/// The client of the NATS cluster tells of each connection; the program says itself what matters.
const DEFAULT: &str = "info,async_nats=off";

/// Starts the log. The level comes from `RUST_LOG`, and is `info` without it. A panic, wherever it
/// is caught, is written down too.
pub fn start(format: LogFormat) {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(DEFAULT));
    let log = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(|| OneLine::new(std::io::stderr()))
        // Without colours, every escape character comes from somebody else.
        .with_ansi(false)
        // It would tell stderr that stderr cannot be written to, and panic.
        .log_internal_errors(false);
    // Fails when a test has started one already; that one serves as well.
    let _ = match format {
        LogFormat::Text => log.try_init(),
        LogFormat::Json => log.json().flatten_event(true).try_init(),
    };
    std::panic::set_hook(Box::new(note_panic));
}

/// Where it was and why: our own words, and no text of a visitor.
fn note_panic(info: &PanicHookInfo<'_>) {
    let place = info.location().map(ToString::to_string).unwrap_or_default();
    let why = info.payload_as_str().unwrap_or("no reason was given");
    tracing::error!(
        place,
        why,
        "a mistake in the program; what was being done is given up"
    );
}
