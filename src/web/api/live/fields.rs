//! Schemas of the fields that several messages have.

use serde_json::{Value, json};

use crate::model::StatusNote;
use crate::web::api::schemas::{CURSOR, pattern};

/// Returns the schema of a cursor.
pub fn cursor(meaning: &str) -> Value {
    json!({ "type": "string", "pattern": CURSOR, "description": meaning })
}

/// Returns the schema of a time.
pub fn time(meaning: &str) -> Value {
    json!({ "type": "string", "format": "date-time", "pattern": "Z$", "description": meaning })
}

/// Returns the schema of a text.
pub fn text(meaning: &str) -> Value {
    json!({ "type": "string", "description": meaning })
}

/// Returns the schema of one of these words.
pub fn one_of(meaning: &str, words: &[&str]) -> Value {
    json!({ "type": "string", "enum": words, "description": meaning })
}

/// Returns the schema of a pet's id.
pub fn pet(meaning: &str) -> Value {
    json!({ "type": "integer", "format": "int64", "minimum": 1, "description": meaning })
}

/// Returns the schema of a whole number that is at least `least`.
pub fn whole(meaning: &str, least: u64) -> Value {
    json!({ "type": "integer", "minimum": least, "description": meaning })
}

/// Returns the schema of the version of the rescue's own activities.
pub fn activities() -> Value {
    json!({
        "type": "string",
        "pattern": "^[0-9a-f]{8}$",
        "description": "Version of the rescue's own activities, if it has some. If it is another one, read \
            `GET /api/v1/activities` again.",
    })
}

/// Returns the schema of a note on a status.
pub fn note() -> Value {
    json!({
        "type": "string",
        "pattern": pattern::one_line(StatusNote::LIMIT),
        "description": "Note on the status.",
    })
}
