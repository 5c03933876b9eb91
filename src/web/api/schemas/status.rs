//! Schemas of statuses: their words, and the requests that set them.

use serde_json::{Value, json};

use super::{CURSOR, alternatives, pattern, rules};
use crate::model::{OwnActivity, Status, StatusNote, StatusStart};
use crate::writer::MAX_BULK_PETS;

/// Returns the words of `status` in answers.
pub fn known_words() -> Value {
    Status::FOUR.map(Status::known_word).into_iter().collect()
}

/// Returns the schema of a status in one of four words.
pub fn known_status() -> Value {
    json!({
        "type": "string",
        "description": format!(
            "{} If `activity` is there, it is the exact status, and this is a word in its place.",
            alternatives(&Status::FOUR.map(Status::known_word)),
        ),
        "enum": known_words(),
    })
}

/// Returns the schema of the exact word of a status.
pub fn activity() -> Value {
    json!({
        "type": "string",
        "description": "The exact status, if it is none of the four: `not-set-yet`, when nobody has set one, or the \
            `word` of one of `GET /activities`.",
        "pattern": exact_word(),
    })
}

/// Pattern of an exact word, as requests and the field `activity` have it: that of one of the four, `not-set-yet`,
/// or an activity of the rescue's own.
pub fn exact_word() -> String {
    format!("^{}$", word())
}

/// As `exact_word`, or empty, which counts as left out in addresses.
pub fn exact_word_or_empty() -> String {
    format!("^({})?$", word())
}

fn word() -> String {
    let inner = OwnActivity::WORD_LIMIT - 2;
    format!("[a-z0-9]([a-z0-9-]{{0,{inner}}}[a-z0-9])?")
}

/// Returns the schema of a request for a status.
pub fn status_fields() -> Value {
    json!({
        "type": "object",
        "description": "What a pet is doing, from now on unless `since` says otherwise.",
        "additionalProperties": false,
        "required": ["status"],
        "properties": {
            "status": {
                "type": "string",
                "pattern": exact_word(),
                "description": "What the pet is doing: `eating`, `bathing`, `sleeping`, `playing`, or the `word` of one of `GET /activities`. \
                    Sending the present status confirms it, and its `since` stays unless it is old. \
                    `not-set-yet` takes back a first status.",
            },
            "since": {
                "type": "string",
                "nullable": true,
                "format": "date-time",
                "description": "Since when, not in the future: restores a status with its time.",
            },
            "began": began(),
            "minutes_ago": minutes_ago(),
            "note": note(),
            "replaces": {
                "type": "string",
                "nullable": true,
                "pattern": CURSOR,
                "description": "The cursor of the change whose status this one replaces. If \
                    another change has set the status since, the answer is 409, so that an undo \
                    does not overwrite it.",
            },
        },
    })
}

/// Returns the schema of an earlier start of a status, as a time.
fn began() -> Value {
    json!({
        "type": "string",
        "nullable": true,
        "format": "date-time",
        "description": "When the status began: within the last 24 hours, and not before the status that \
            precedes it began.",
    })
}

/// Returns the schema of an earlier start of a status, in minutes.
fn minutes_ago() -> Value {
    json!({
        "type": "integer",
        "nullable": true,
        "minimum": 0,
        "maximum": StatusStart::LIMIT_MINUTES,
        "description": "The same in minutes before now, in place of `began`.",
    })
}

/// Returns the schema of a note on a status in a request.
fn note() -> Value {
    json!({
        "type": "string",
        "nullable": true,
        "pattern": pattern::one_line(StatusNote::LIMIT),
        "description": format!(
            "A note that everybody reads beside the status, such as \"at the vet until 3\". {} If it is left \
             out, a status that is confirmed keeps its note, and another one has none.",
            rules("One line", StatusNote::LIMIT)
        ),
    })
}

/// Returns the schema of a request for the statuses of several pets.
pub fn statuses_fields() -> Value {
    json!({
        "type": "object",
        "description": "What several pets are doing from now on.",
        "additionalProperties": false,
        "required": ["status", "pets"],
        "properties": {
            "status": {
                "type": "string",
                "pattern": exact_word(),
                "description": "What the pets are doing, as for one pet. It confirms the status of those that have it, and their `since` stays unless it is old.",
            },
            "began": began(),
            "minutes_ago": minutes_ago(),
            "note": note(),
            "pets": {
                "type": "array",
                "description": "The ids of the pets.",
                "minItems": 1,
                "maxItems": MAX_BULK_PETS,
                "uniqueItems": true,
                "items": { "type": "integer", "format": "int64", "minimum": 1 },
            },
        },
    })
}
