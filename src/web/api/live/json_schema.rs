//! The JSON Schema of everything that the live routes send and receive.

use serde_json::{Map, Value, json};

use super::{Definition, answers, commands, messages, reference};
use crate::web::api::schemas::photo;

/// Returns the schema (draft 2020-12). The document itself describes a message from server to client; the
/// others have names in `$defs` and an anchor each.
pub fn live_schema() -> Value {
    let messages = messages::all();
    let commands = commands::commands();
    let unions = [
        Definition {
            name: "LiveMessage".to_owned(),
            anchor: "message",
            schema: any_message(&messages),
        },
        Definition {
            name: "Command".to_owned(),
            anchor: "command",
            schema: json!({
                "description": "A message from client to server, over WebSocket.",
                "anyOf": commands.iter().map(|command| reference(&command.name)).collect::<Value>(),
            }),
        },
        Definition {
            name: "Photo".to_owned(),
            anchor: "photo",
            schema: photo(),
        },
    ];
    let definitions = unions.into_iter().chain(messages).chain(commands);
    let definitions = definitions
        .chain([messages::snapshot_pet()])
        .chain(answers::answers());
    let mut schema = json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": "live.schema.json",
        "title": "Live messages of pet-store",
        "description": "A message from server to client: a WebSocket text message, the data of an SSE event, or one \
            of the messages of a poll. Readers ignore types and fields that they do not know.",
        "$ref": "#/components/schemas/LiveMessage",
        "$defs": definitions.map(anchored).collect::<Map<_, _>>(),
    });
    relocate(&mut schema);
    schema
}

/// Returns the schema of a message of any type. One of an unknown type is valid.
fn any_message(messages: &[Definition]) -> Value {
    let rules = messages.iter().map(|message| {
        json!({
            "if": { "required": ["type"], "properties": { "type": { "const": message.anchor } } },
            "then": reference(&message.name),
        })
    });
    json!({
        "type": "object",
        "description": "A message from server to client. Its type is known if one of the rules has it.",
        "required": ["type"],
        "properties": { "type": { "type": "string" } },
        "allOf": rules.collect::<Value>(),
    })
}

fn anchored(definition: Definition) -> (String, Value) {
    let mut schema = json!({ "$anchor": definition.anchor });
    let keywords = definition.schema.as_object().into_iter().flatten();
    for (keyword, value) in keywords {
        schema[keyword] = value.clone();
    }
    (definition.name, schema)
}

/// Turns references into `components` into those of this document.
fn relocate(schema: &mut Value) {
    match schema {
        Value::Object(keywords) => {
            for (keyword, value) in keywords {
                match value.as_str() {
                    Some(target) if keyword == "$ref" => {
                        *value = target.replace("#/components/schemas/", "#/$defs/").into();
                    }
                    _ => relocate(value),
                }
            }
        }
        Value::Array(schemas) => schemas.iter_mut().for_each(relocate),
        _ => {}
    }
}
