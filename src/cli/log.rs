//! The log, on stderr.
//!
//! Each event is one line whose sentence reads alone; identifiers are fields too. Tokens, request bodies
//! and addresses of visitors are never logged. A viewer that disconnects is `debug`.

mod line;

use std::panic::PanicHookInfo;

use tracing_subscriber::EnvFilter;

use self::line::OneLine;
use crate::config::LogFormat;

/// The filter without `RUST_LOG`. `async_nats` is off because it logs every connection; the engine logs
/// what matters.
const DEFAULT_FILTER: &str = "info,async_nats=off";

/// Starts the log with the filter of `RUST_LOG`. Panics are logged too, wherever they are caught.
pub fn start(format: LogFormat) {
    let filter = EnvFilter::try_from_default_env();
    let log = tracing_subscriber::fmt()
        .with_env_filter(filter.unwrap_or_else(|_| EnvFilter::new(DEFAULT_FILTER)))
        .with_writer(|| OneLine::new(std::io::stderr()))
        // Without colours, every escape character in an event comes from a client.
        .with_ansi(false)
        // An error of writing to stderr would be written to stderr, and panic.
        .log_internal_errors(false);
    // Fails if a test has started a log already, which then stays.
    let _ = match format {
        LogFormat::Text => log.try_init(),
        LogFormat::Json => log.json().flatten_event(true).try_init(),
    };
    std::panic::set_hook(Box::new(log_panic));
}

/// Logs the location and the message of a panic. The messages of our panics contain no text of a
/// client.
fn log_panic(info: &PanicHookInfo<'_>) {
    let location = info.location().map(ToString::to_string).unwrap_or_default();
    let message = info.payload_as_str().unwrap_or("none");
    tracing::error!(
        panic.location = location,
        panic.message = message,
        "panic; the operation was aborted"
    );
}
