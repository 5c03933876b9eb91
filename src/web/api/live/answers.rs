//! Schemas of what the live routes answer over HTTP.

use serde_json::{Value, json};

use super::fields::{activities, cursor, text, whole};
use super::{Definition, object, reference};

/// Returns the answers of the routes that are no streams.
pub fn answers() -> [Definition; 3] {
    [poll(), log(), state()]
}

fn poll() -> Definition {
    let required = [
        ("cursor", cursor("Where the next poll continues.")),
        ("messages", messages("The messages, `hello` first.")),
    ];
    Definition {
        name: "PollAnswer".to_owned(),
        anchor: "poll-answer",
        schema: object("Answer of `/live/poll`.", required, []),
    }
}

fn log() -> Definition {
    let next = text("Address to ask next, exactly as it is.");
    let required = [
        ("cursor", cursor("What the reader has reached.")),
        (
            "messages",
            messages("The messages: changes, a `snapshot`, or `stale`."),
        ),
        ("next", next),
    ];
    let room = json!({
        "type": "boolean",
        "description": "True if the server has a slot for a viewer.",
    });
    let optional = [
        ("activities", activities()),
        ("room", room),
        (
            "retry_ms",
            whole("Time after which to ask `next`. Absent: immediately.", 0),
        ),
    ];
    Definition {
        name: "LogAnswer".to_owned(),
        anchor: "log-answer",
        schema: object(
            "Answer of `/live/log` and `/live/state/CURSOR`.",
            required,
            optional,
        ),
    }
}

fn state() -> Definition {
    let kinds = ["SnapshotMessage", "HeartbeatMessage", "StaleMessage"];
    let schema = json!({
        "description": "Answer of `/live/state`: a snapshot. A client that is ahead of this node gets `heartbeat` or `stale`.",
        "oneOf": kinds.map(reference),
    });
    Definition {
        name: "StateAnswer".to_owned(),
        anchor: "state-answer",
        schema,
    }
}

fn messages(meaning: &str) -> Value {
    json!({ "type": "array", "items": reference("LiveMessage"), "description": meaning })
}
