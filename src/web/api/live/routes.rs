//! The live routes in the `OpenAPI` document.

use poem::http::StatusCode;
use serde_json::{Value, json};

use super::parameters::{self, Parameter};
use super::{answers, messages, reference};
use crate::web::api::document::failure;
use crate::web::api::schemas::{CURSOR, ENTITY_TAG};

/// Name of the group of operations.
const TAG: &str = "Live";

/// Adds the routes and their schemas. They are not below the address of the API, so each path has a server of its
/// own.
pub fn add_routes(spec: &mut Value, base_path: &str) {
    let server = if base_path.is_empty() { "/" } else { base_path };
    let kinds = messages::streamed();
    let mapping = kinds.iter().map(|kind| {
        let place = reference(&kind.name)["$ref"].take();
        (kind.anchor.to_owned(), place)
    });
    let any = json!({
        "description": "A message. Ignore those of a type that is not listed here.",
        "oneOf": kinds.iter().map(|kind| reference(&kind.name)).collect::<Value>(),
        "discriminator": { "propertyName": "type", "mapping": mapping.collect::<Value>() },
    });
    let schemas = &mut spec["components"]["schemas"];
    schemas["LiveMessage"] = any;
    let others = [messages::snapshot_pet()]
        .into_iter()
        .chain(answers::answers());
    for definition in kinds.into_iter().chain(others) {
        schemas[&definition.name] = definition.schema;
    }
    for (path, operation) in [
        ("/live/sse", stream()),
        ("/live/poll", poll()),
        ("/live/state", state()),
        ("/live/log", log()),
        ("/live/state/{cursor}", state_at()),
    ] {
        spec["paths"][path] = json!({ "servers": [{ "url": server }], "get": operation });
    }
    if let Some(tags) = spec["tags"].as_array_mut() {
        tags.push(json!({
            "name": TAG,
            "description": "Changes at the moment they are committed. The WebSocket at /live/ws has the same messages; /api/asyncapi.json describes it.",
        }));
    }
}

fn stream() -> Value {
    let last_event = header_parameter(
        "Last-Event-ID",
        "The id of the last event, which a browser sends when it reconnects. The later of this and `since` counts; what is no cursor is ignored.",
    );
    let parameters = in_query(parameters::of_streams()).chain([last_event]);
    let events = json!({
        "description": "A stream of events that never ends by itself: `data` is a message as in LiveMessage on one line, `event` its `type`, `id` its cursor where the client may continue from it.",
        "content": { "text/event-stream": {
            "schema": { "type": "string" },
            "example": "id: 9f2c41aa-1042\nevent: gone\ndata: {\"type\":\"gone\",\"cursor\":\"9f2c41aa-1042\",\"pet\":7,\"after\":\"9f2c41aa-1041\"}\n\n",
        } },
    });
    operation(
        "streamChanges",
        "Follow changes over Server-Sent Events",
        "`EventSource` in a browser, `curl -N` on the command line. `retry` says when to reconnect.",
        parameters.collect(),
        [("200", events)],
        true,
    )
}

fn poll() -> Value {
    let parameters = parameters::of_streams()
        .into_iter()
        .chain(parameters::of_polls());
    let parameters = parameters.chain([parameters::short_polling()]);
    operation(
        "pollChanges",
        "Follow changes by long polling",
        "Answers at the next change, at the latest after `wait`. Ask again with `since=` the cursor of the answer. \
            For a cache that ignores the query, `/live/poll/WORD` with a new word each time is the same.",
        in_query(parameters).collect(),
        [("200", json_answer("The messages.", "PollAnswer"))],
        true,
    )
}

fn state() -> Value {
    let since =
        "A position of the client: the answer is `heartbeat` or `stale` if this node is behind it.";
    let parameters = in_query([
        parameters::pets(),
        parameters::since(since),
        parameters::short_polling(),
    ]);
    operation(
        "readState",
        "What every pet is doing now",
        "With a cursor from which a live route continues.",
        parameters.chain([if_none_match()]).collect(),
        [
            (
                "200",
                tagged(
                    json_answer("A snapshot, with its cursor as entity tag.", "StateAnswer"),
                    false,
                ),
            ),
            ("304", tagged(not_modified(), true)),
        ],
        false,
    )
}

fn log() -> Value {
    let parameters = in_query(parameters::of_log()).chain([if_none_match()]);
    operation(
        "readLog",
        "Follow changes through a cache",
        "Everybody at one cursor asks for the same address, so a cache can answer all of them with one request. \
            Start without `since`, follow the redirect, then ask `next` of each answer exactly as it is. \
            The parameters are in this order, and `since`, `slice` and `wait` only together.",
        parameters.collect(),
        [
            (
                "200",
                tagged(
                    json_answer(
                        "The changes after the cursor, or none within `wait`.",
                        "LogAnswer",
                    ),
                    false,
                ),
            ),
            ("304", tagged(not_modified(), true)),
            ("307", redirect()),
        ],
        false,
    )
}

fn state_at() -> Value {
    let path = json!({
        "name": "cursor",
        "in": "path",
        "required": true,
        "description": "Position of the state.",
        "schema": { "type": "string", "pattern": CURSOR },
    });
    let mut parameters = vec![path];
    parameters.extend(in_query([parameters::ordered_pets()]));
    parameters.push(if_none_match());
    operation(
        "readStateAt",
        "The state at which the log begins",
        "A redirect from `/live/log` leads here. A cache may keep it.",
        parameters,
        [
            (
                "200",
                tagged(
                    json_answer(
                        "A snapshot, and the address that continues from it.",
                        "LogAnswer",
                    ),
                    true,
                ),
            ),
            ("304", tagged(not_modified(), true)),
            ("307", redirect()),
        ],
        false,
    )
}

fn operation<const N: usize>(
    id: &str,
    summary: &str,
    description: &str,
    parameters: Vec<Value>,
    answers: [(&str, Value); N],
    takes_slot: bool,
) -> Value {
    let mut responses = json!({});
    for (status, answer) in answers {
        responses[status] = answer;
    }
    let failures = [
        (
            true,
            StatusCode::BAD_REQUEST,
            "A parameter cannot be read; `detail` says what is allowed.",
        ),
        (
            true,
            StatusCode::INTERNAL_SERVER_ERROR,
            "Something went wrong on our side.",
        ),
        (
            takes_slot,
            StatusCode::SERVICE_UNAVAILABLE,
            "The server is full or stopping; Retry-After says when to ask again.",
        ),
    ];
    for (_, status, reason) in failures.into_iter().filter(|(applies, ..)| *applies) {
        responses[status.as_str()] = failure(status, reason);
    }
    json!({
        "tags": [TAG],
        "summary": summary,
        "description": description,
        "operationId": id,
        "parameters": parameters,
        "security": [],
        "responses": responses,
    })
}

fn in_query(parameters: impl IntoIterator<Item = Parameter>) -> impl Iterator<Item = Value> {
    parameters.into_iter().map(Parameter::into_openapi)
}

fn if_none_match() -> Value {
    header_parameter(
        "If-None-Match",
        "Entity tags that the client has: 304 if the answer's is one of them.",
    )
}

fn header_parameter(name: &str, meaning: &str) -> Value {
    json!({
        "name": name,
        "in": "header",
        "required": false,
        "description": meaning,
        "schema": { "type": "string" },
    })
}

fn json_answer(meaning: &str, schema: &str) -> Value {
    json!({
        "description": meaning,
        "content": { "application/json": { "schema": reference(schema) } },
    })
}

fn not_modified() -> Value {
    json!({ "description": "The client has it." })
}

fn tagged(mut answer: Value, is_required: bool) -> Value {
    answer["headers"] = json!({ "ETag": {
        "description": "The cursor that the answer reaches.",
        "required": is_required,
        "schema": { "type": "string", "pattern": ENTITY_TAG },
    } });
    answer
}

fn redirect() -> Value {
    json!({
        "description": "Leads to a state: the server cannot continue from the cursor, or there is none.",
        "headers": { "Location": {
            "description": "Address of a state, from which the log continues.",
            "required": true,
            "schema": { "type": "string", "pattern": "/live/state/[0-9a-f]{8}-" },
        } },
    })
}
