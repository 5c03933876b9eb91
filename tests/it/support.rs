//! Helpers of tests: an app on a free port with its own store, a viewer per transport, the real binary,
//! and raw connections for requests that no library sends.

mod app;
mod chain;
mod contract;
mod metrics;
mod poll;
mod process;
mod raw;
mod rescue;
mod sse;
mod store;
mod tls;
mod viewer;
mod wait;
mod ws;

pub use self::app::{TestApp, spawn_app, spawn_app_in, spawn_app_with};
pub use self::chain::{Chain, without_after};
pub use self::contract::CONTRACT;
pub use self::metrics::{metric, metric_in};
pub use self::poll::Poll;
pub use self::process::{
    Process, interrupted, printed, printed_with, ran, ran_as_nobody, refused, refused_on,
};
pub use self::raw::{Raw, ask, ask_until};
pub use self::rescue::{Browser, PASSWORD, Rescue, add_people, add_person};
pub use self::sse::Sse;
pub use self::store::{fill, log_of, open};
pub use self::tls::TestAuthority;
pub use self::viewer::{TRANSPORTS, Viewer};
pub use self::wait::{until, within};
pub use self::ws::Ws;

use serde_json::Value;

/// Returns the rev of a cursor.
pub fn rev_of(cursor: &str) -> u64 {
    let (_, rev) = cursor.split_once('-').unwrap();
    rev.parse().unwrap()
}

/// Returns the rev of a message.
pub fn rev(message: &Value) -> u64 {
    rev_of(message["cursor"].as_str().unwrap())
}

/// Unescapes HTML as minijinja escapes it.
pub fn unescape(text: &str) -> String {
    let text = text.replace("&lt;", "<").replace("&gt;", ">");
    let text = text.replace("&quot;", "\"").replace("&#x27;", "'");
    text.replace("&#x2f;", "/").replace("&amp;", "&")
}
