//! The `AsyncAPI` document (3.0) of the WebSocket.

use serde_json::{Map, Value, json};

use super::commands::commands;
use super::messages::{replies, snapshot_pet, streamed};
use super::{Definition, parameters, reference};
use crate::web::api::schemas::photo;

/// Name of the security scheme.
const SCHEME: &str = "token";

/// Returns the document. It describes the server: what it sends, and what it receives.
pub fn document(base_path: &str) -> Value {
    let sent = streamed();
    let (replies, commands) = (replies(), commands());
    let all = || sent.iter().chain(&replies).chain(&commands);
    let messages: Map<String, Value> = all().map(message).collect();
    let in_channel: Map<String, Value> = all()
        .map(|message| {
            let place = format!("#/components/messages/{}", message.anchor);
            (message.anchor.to_owned(), json!({ "$ref": place }))
        })
        .collect();
    let pet = snapshot_pet();
    let schemas = all().map(|message| (message.name.clone(), message.schema.clone()));
    let schemas = schemas.chain([(pet.name, pet.schema), ("Photo".to_owned(), photo())]);
    json!({
        "asyncapi": "3.0.0",
        "info": info(),
        "defaultContentType": "application/json",
        "servers": { "rescue": server(base_path) },
        "channels": { "live": {
            "address": "/live/ws",
            "title": "Live messages",
            "description": "One JSON object per text message. Reconnect with `since=` the last cursor to miss nothing and see nothing twice.",
            "messages": in_channel,
            "bindings": { "ws": binding() },
        } },
        "operations": operations(&sent),
        "components": {
            "securitySchemes": { SCHEME: {
                "type": "http",
                "scheme": "bearer",
                "description": "An API token with the scope `set-status`: in the field `token` of a command, which holds for those that follow, or \
                    in the header `Authorization` of the handshake.",
            } },
            "messages": messages,
            "schemas": schemas.collect::<Map<_, _>>(),
        },
    })
}

fn info() -> Value {
    json!({
        "title": "pet-store, live",
        "version": env!("CARGO_PKG_VERSION"),
        "description": "What each pet of the rescue is doing, at the moment it changes. Anyone may watch, from any origin; setting a status \
            needs staff. Readers ignore types and fields that they do not know.",
        "contact": { "name": "The people who run this rescue" },
        "license": { "name": "MIT", "url": "https://opensource.org/license/mit" },
        "tags": [{ "name": "live", "description": "Messages that arrive as changes happen." }],
    })
}

fn server(base_path: &str) -> Value {
    json!({
        "host": "{host}",
        "pathname": base_path,
        "protocol": "wss",
        "description": "This server. Without TLS, for example on your own machine, the protocol is ws.",
        "variables": { "host": {
            "default": "pets.example",
            "description": "Name of the server, with its port if that is not the usual one.",
        } },
        "tags": [{ "name": "live" }],
    })
}

fn binding() -> Value {
    let parameters = parameters::of_streams().into_iter();
    let properties: Map<String, Value> = parameters
        .map(|parameter| (parameter.name.to_owned(), parameter.schema))
        .collect();
    json!({
        "method": "GET",
        "query": { "type": "object", "properties": properties },
        "bindingVersion": "0.1.0",
    })
}

fn operations(sent: &[Definition]) -> Value {
    let channel = || json!({ "$ref": "#/channels/live" });
    let listed = |names: &[&str]| -> Value {
        let places = names
            .iter()
            .map(|name| json!({ "$ref": format!("#/channels/live/messages/{name}") }));
        places.collect()
    };
    let sent: Vec<&str> = sent.iter().map(|message| message.anchor).collect();
    let tags = json!([{ "name": "live" }]);
    json!({
        "watch": {
            "action": "send",
            "channel": channel(),
            "title": "Watch",
            "summary": "Sends what is true, then every change.",
            "description": "First `hello`, then a `snapshot` or the changes since the cursor, then each change when it is committed.",
            "messages": listed(&sent),
            "tags": tags,
        },
        "setStatus": {
            "action": "receive",
            "channel": channel(),
            "title": "Set a status",
            "summary": "Sets the status of a pet.",
            "description": "Needs staff: a page of this site commands as the person who is signed in, a program sends a token.",
            "security": [{ "$ref": format!("#/components/securitySchemes/{SCHEME}") }],
            "messages": listed(&["set-status"]),
            "reply": { "channel": channel(), "messages": listed(&["ack", "error"]) },
            "tags": tags,
        },
        "askHeartbeat": {
            "action": "receive",
            "channel": channel(),
            "title": "Ask for a heartbeat",
            "summary": "Tests the connection.",
            "description": "Needs no token.",
            "messages": listed(&["ask-heartbeat", "ping"]),
            "reply": { "channel": channel(), "messages": listed(&["heartbeat", "stale"]) },
            "tags": tags,
        },
    })
}

fn message(definition: &Definition) -> (String, Value) {
    let mut message = json!({
        "name": definition.anchor,
        "title": definition.name,
        "summary": definition.schema["description"],
        "payload": reference(&definition.name),
        "tags": [{ "name": "live" }],
    });
    if definition.schema["properties"].get("ref").is_some() {
        message["correlationId"] = json!({
            "location": "$message.payload#/ref",
            "description": "The client chooses it, and the answer has the same.",
        });
    }
    (definition.anchor.to_owned(), message)
}
