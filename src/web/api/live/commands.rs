//! Schemas of the commands from client to server, over WebSocket.

use serde_json::{Value, json};

use super::fields::{cursor, note, one_of, pet, text};
use super::{Definition, object};
use crate::live::REFERENCE_LIMIT;
use crate::model::StatusStart;
use crate::web::api::schemas::status as statuses;

/// Returns every command.
pub fn commands() -> Vec<Definition> {
    vec![set_status(), heartbeat(), ping()]
}

fn set_status() -> Definition {
    let status = json!({
        "type": "string",
        "pattern": statuses::exact_word(),
        "description": "`eating`, `bathing`, `sleeping`, `playing`, or the `word` of one of `GET /api/v1/activities`.",
    });
    let required = [
        ("do", one_of("The command.", &["set-status"])),
        ("pet", pet("The pet.")),
        ("status", status),
    ];
    let minutes_ago = json!({
        "type": "integer",
        "minimum": 0,
        "maximum": StatusStart::LIMIT_MINUTES,
        "description": "The same in minutes before now, in place of `began`.",
    });
    let began = json!({
        "type": "string",
        "format": "date-time",
        "description": "When the status began: within the last 24 hours, and not before the status that precedes it.",
    });
    let expected = cursor(
        "The change that set the present status. If another one has set the status since, the answer is `error` with 409.",
    );
    let token =
        text("An API token with the scope `set-status`, for this command and those that follow.");
    let optional = [
        ("began", began),
        ("minutes_ago", minutes_ago),
        ("note", note()),
        ("expected", expected),
        ("ref", reference()),
        ("token", token),
    ];
    let meaning = "Sets the status of a pet. Answered by `ack` once it is durable, or by `error`.";
    command(
        "SetStatusCommand",
        "set-status",
        meaning,
        required,
        optional,
    )
}

fn heartbeat() -> Definition {
    let interval = json!({
        "type": "number",
        "minimum": 0,
        "description": "Longest time between two messages that the client wishes for. The answer says what it is.",
    });
    command(
        "HeartbeatCommand",
        "ask-heartbeat",
        "Asks for a heartbeat, which tests the connection. Answered by `heartbeat` or `stale`; needs no token.",
        [("do", one_of("The command.", &["heartbeat"]))],
        [("heartbeat_ms", interval), ("ref", reference())],
    )
}

fn ping() -> Definition {
    let meaning = "Keeps the connection alive. Answered by `heartbeat` or `stale`. An empty text and the text `ping` do the same.";
    let kind = one_of("Type of the message.", &["ping"]);
    command("Ping", "ping", meaning, [("type", kind)], [])
}

/// Returns the field by which the client recognises the answer.
fn reference() -> Value {
    json!({
        "type": "string",
        "maxLength": REFERENCE_LIMIT,
        "description": "A text by which the client recognises the answer.",
    })
}

fn command<const N: usize>(
    name: &str,
    anchor: &'static str,
    meaning: &str,
    required: [(&'static str, Value); N],
    optional: impl IntoIterator<Item = (&'static str, Value)>,
) -> Definition {
    Definition {
        name: name.to_owned(),
        anchor,
        schema: object(meaning, required, optional),
    }
}
