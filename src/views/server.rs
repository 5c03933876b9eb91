//! The context of the pages about the server itself: its live connection, its failures, its API.

use std::time::Duration;

use serde::Serialize;
use serde_json::Value;

use crate::model::Cursor;

#[derive(Serialize)]
pub struct HelloPage {}

#[derive(Serialize)]
pub struct DoctorPage {
    /// Where to watch from, so that nothing but heartbeats is heard.
    cursor: String,
    heartbeat_ms: u128,
    /// The same in words: "15 s".
    heartbeat: String,
}

#[derive(Default, Serialize)]
pub struct ErrorPage {
    /// None where nothing failed.
    pub status: Option<u16>,
    pub title: &'static str,
    pub detail: String,
    pub retry: Option<RetryForm>,
    /// The pet that the request was about: its id and its name.
    pub pet: Option<(String, String)>,
    /// A page at the public address, where the request would have worked.
    pub right_address: Option<String>,
}

/// A form that can be sent again.
#[derive(Serialize)]
pub struct RetryForm {
    pub action: String,
    /// What its author typed or chose, with a label each.
    pub typed: Vec<(&'static str, String)>,
    /// All its fields, hidden.
    pub fields: Vec<(String, String)>,
    pub button: String,
}

#[derive(Serialize)]
pub struct ApiDocsPage {
    /// The OpenAPI document.
    pub spec: Value,
}

impl DoctorPage {
    pub fn new(cursor: Cursor, heartbeat: Duration) -> Self {
        DoctorPage {
            cursor: cursor.to_string(),
            heartbeat_ms: heartbeat.as_millis(),
            heartbeat: format!("{} s", heartbeat.as_secs_f64().ceil()),
        }
    }
}
