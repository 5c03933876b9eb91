//! Contexts of the pages about the server itself: echo, no network, network doctor, errors, API reference.

use std::time::Duration;

use serde::Serialize;
use serde_json::Value;

use crate::model::Cursor;

/// The smallest live page.
#[derive(Serialize)]
pub struct HelloPage {}

/// The page for readers without a network.
#[derive(Serialize)]
pub struct OfflinePage {}

/// The network doctor.
#[derive(Serialize)]
pub struct DoctorPage {
    /// Cursor to watch from, so that the test receives only heartbeats.
    cursor: String,
    heartbeat_ms: u128,
    /// The heartbeat for people: "15 s".
    heartbeat: String,
}

/// A request that failed, or one that its author can send again.
#[derive(Default, Serialize)]
pub struct ErrorPage {
    /// `None` if nothing failed.
    pub status: Option<u16>,
    /// Heading.
    pub title: &'static str,
    /// Explanation of what happened and what to do.
    pub detail: String,
    /// The form to send again.
    pub retry: Option<RetryForm>,
    /// The pet that the request was about: its id and its name.
    pub pet: Option<(String, String)>,
    /// The page at the public URL, where the request would have worked.
    pub public_url: Option<String>,
}

/// A form that can be sent again.
#[derive(Serialize)]
pub struct RetryForm {
    /// Path that the form is sent to.
    pub action: String,
    /// Values that its author entered or chose, each with a label.
    pub entered: Vec<(&'static str, String)>,
    /// All its fields, hidden.
    pub fields: Vec<(String, String)>,
    /// Text of the button.
    pub button: String,
}

/// The API reference.
#[derive(Serialize)]
pub struct ApiDocsPage {
    /// The `OpenAPI` document.
    pub spec: Value,
}

impl DoctorPage {
    /// The page for a server that sends a heartbeat this often.
    pub fn new(cursor: Cursor, heartbeat: Duration) -> Self {
        DoctorPage {
            cursor: cursor.to_string(),
            heartbeat_ms: heartbeat.as_millis(),
            heartbeat: format!("{} s", heartbeat.as_secs_f64().ceil()),
        }
    }
}
