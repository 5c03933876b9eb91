//! Schemas of the messages from server to client.

use serde_json::{Value, json};

use super::fields::{
    activities, cursor, note, one_of, pet as pet_id, text, time, whole as whole_number,
};
use super::{Definition, object, reference};
use crate::delivery::Transport;
use crate::live::REFERENCE_LIMIT;
use crate::model::{AdoptionState, ChangeSource};
use crate::web::api::schemas::{shared_fields, status as statuses, values};

type Field = (&'static str, Value);

/// Returns the messages of a stream.
pub fn streamed() -> Vec<Definition> {
    vec![
        hello(),
        snapshot(),
        status(),
        pet(),
        gone(),
        heartbeat(),
        stale(),
        bye(),
    ]
}

/// Returns the messages that answer a command.
pub fn replies() -> Vec<Definition> {
    vec![ack(), error()]
}

/// Returns every message.
pub fn all() -> Vec<Definition> {
    let mut messages = streamed();
    messages.extend(replies());
    messages
}

/// Returns the schema of a pet in a snapshot.
pub fn snapshot_pet() -> Definition {
    let required = [
        ("id", pet_id("The pet's id.")),
        ("name", text("The pet's name.")),
        ("status", statuses::known_status()),
        ("since", time("Since when the pet has this status.")),
    ];
    let state = one_of(
        "State of adoption. Absent for a pet that is `available`.",
        &values(AdoptionState::CHOICES),
    );
    let optional = [
        ("activity", statuses::activity()),
        ("note", note()),
        ("state", state),
    ];
    Definition {
        name: "SnapshotPet".to_owned(),
        anchor: "snapshot-pet",
        schema: object("A pet in a `snapshot`.", required, optional),
    }
}

fn hello() -> Definition {
    let transport = one_of(
        "Transport of the connection.",
        &Transport::OF_MESSAGES.map(Transport::as_str),
    );
    let required = vec![
        (
            "cursor",
            cursor("Position from which the messages continue."),
        ),
        ("transport", transport),
        (
            "heartbeat_ms",
            whole_number(
                "Longest time between two messages. After twice this time without one, reconnect.",
                1,
            ),
        ),
        ("server_time", time("Clock of the server.")),
    ];
    let log = text(
        "Address at which to follow the log, because the server has no slot for this viewer. Only in the answer to a poll with `log=1`.",
    );
    let optional = [("activities", activities()), ("log", log)];
    message("hello", "Opens every connection.", required, optional)
}

fn snapshot() -> Definition {
    let pets = json!({
        "type": "array",
        "items": reference("SnapshotPet"),
        "description": "The pets.",
    });
    let required = vec![
        ("cursor", cursor("Position at which the statuses are true.")),
        ("pets", pets),
    ];
    let optional = [
        (
            "part",
            whole_number(
                "Number of this part, with `parts=1`. The cursor is reached with the last one.",
                1,
            ),
        ),
        ("parts", whole_number("Number of parts.", 1)),
    ];
    let meaning =
        "The status of every pet that the viewer asked for. Replaces everything before it.";
    message("snapshot", meaning, required, optional)
}

fn status() -> Definition {
    let sources = ChangeSource::ALL.map(ChangeSource::as_str);
    let required = vec![
        ("cursor", after_change()),
        ("pet", pet_id("Pet that changed.")),
        ("status", statuses::known_status()),
        ("since", time("Since when the pet has this status.")),
        ("by", one_of("Kind of author.", &sources)),
        ("after", before()),
    ];
    let at = time(
        "Time of the change, if it is not `since`: after an undo or a confirmation, or if the status began earlier.",
    );
    let optional = [
        ("activity", statuses::activity()),
        ("at", at),
        ("note", note()),
    ];
    message(
        "status",
        "A status was set or confirmed.",
        required,
        optional,
    )
}

fn pet() -> Definition {
    let ids = [
        ("cursor", after_change()),
        ("pet", pet_id("Pet that changed.")),
        ("after", before()),
    ];
    let ids = ids.map(|(name, schema)| (name.to_owned(), schema));
    let fields = ids.into_iter().chain(shared_fields());
    message(
        "pet",
        "A pet was added, edited or restored, or is public again. Has every public field.",
        fields,
        [("activity", statuses::activity())],
    )
}

fn gone() -> Definition {
    let required = vec![
        ("cursor", after_change()),
        ("pet", pet_id("Pet that was removed.")),
        ("after", before()),
    ];
    let meaning = "A pet was removed, or is private now. It can come back with a `pet` message.";
    message("gone", meaning, required, [])
}

fn heartbeat() -> Definition {
    let required = vec![
        ("cursor", cursor("Position of the viewer.")),
        ("server_time", time("Clock of the server.")),
        ("after", before()),
    ];
    let [interval, reference] = of_answer();
    let optional = [interval, reference, ("activities", activities())];
    let meaning = "Nothing else was sent for some time, or the viewer asked for a heartbeat.";
    message("heartbeat", meaning, required, optional)
}

fn stale() -> Definition {
    let required = vec![("since", time("Since when the cluster does not respond."))];
    let meaning =
        "The cluster does not respond, so the board may be old. Ends with the next message.";
    message("stale", meaning, required, of_answer())
}

fn bye() -> Definition {
    let required = vec![
        ("reason", text("Reason in a few words.")),
        (
            "retry_ms",
            whole_number("Time after which to reconnect.", 0),
        ),
    ];
    message(
        "bye",
        "The server closes this connection on purpose.",
        required,
        [],
    )
}

fn ack() -> Definition {
    let required = vec![("cursor", after_change())];
    message(
        "ack",
        "A command was committed.",
        required,
        [command_reference()],
    )
}

fn error() -> Definition {
    let status = json!({
        "type": "integer",
        "minimum": 400,
        "maximum": 599,
        "description": "Status of the same failure over HTTP.",
    });
    let required = vec![("status", status), ("title", text("Kind of failure."))];
    let detail = text("What happened, and what to do.");
    let optional = [command_reference(), ("detail", detail)];
    message(
        "error",
        "A command failed, or was not one.",
        required,
        optional,
    )
}

/// Returns the fields that a message has if it answers a request for a heartbeat.
fn of_answer() -> [Field; 2] {
    let interval = whole_number(
        "Longest time between two messages from now on. Only in the answer to a request.",
        1,
    );
    [("heartbeat_ms", interval), command_reference()]
}

/// Returns the field with which an answer names its command.
fn command_reference() -> Field {
    let mut schema = text("The `ref` of the command that this answers.");
    schema["maxLength"] = REFERENCE_LIMIT.into();
    ("ref", schema)
}

fn after_change() -> Value {
    cursor("Position after the change.")
}

fn before() -> Value {
    cursor(
        "The change before: the last one that the viewer was sent, or the position where it began. If it is beyond what the viewer has, a message is missing.",
    )
}

fn message(
    kind: &'static str,
    meaning: &str,
    required: impl IntoIterator<Item = (impl Into<String>, Value)>,
    optional: impl IntoIterator<Item = Field>,
) -> Definition {
    let required = required.into_iter();
    let required = required.map(|(name, schema)| (name.into(), schema));
    let kind_field = ("type".to_owned(), one_of("Type of the message.", &[kind]));
    let (initial, rest) = kind.split_at(1);
    Definition {
        name: format!("{}{rest}Message", initial.to_uppercase()),
        anchor: kind,
        schema: object(
            meaning,
            std::iter::once(kind_field).chain(required),
            optional,
        ),
    }
}
