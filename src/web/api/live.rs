//! The contract of the live routes, for programs: schemas of their messages, commands and answers.
//!
//! The schemas are written once and are in three documents: JSON Schema at `/api/live.schema.json`, `AsyncAPI` for
//! the WebSocket at `/api/asyncapi.json`, and the `OpenAPI` document, which has the routes over HTTP. They use only
//! keywords that mean the same in all three. References point into `components`, where two of the documents have
//! their schemas.

mod answers;
mod asyncapi;
mod commands;
mod fields;
mod json_schema;
mod messages;
mod parameters;
mod routes;

use poem::http::header;
use poem::{Endpoint, Response};
use serde_json::{Map, Value, json};

pub use self::json_schema::live_schema;
pub use self::routes::add_routes;

/// Path of the JSON Schema.
pub const SCHEMA_PATH: &str = "/api/live.schema.json";

/// Path of the `AsyncAPI` document.
pub const ASYNCAPI_PATH: &str = "/api/asyncapi.json";

/// A schema with the names that refer to it.
struct Definition {
    /// Name among the schemas, such as `StatusMessage`.
    name: String,
    /// Name in an address: `/api/live.schema.json#status`.
    anchor: &'static str,
    schema: Value,
}

/// Returns the endpoint that answers with the JSON Schema.
pub fn show_schema() -> impl Endpoint {
    answer_with(&live_schema(), "application/schema+json")
}

/// Returns the endpoint that answers with the `AsyncAPI` document of a server below `base_path`.
pub fn show_asyncapi(base_path: &str) -> impl Endpoint + use<> {
    answer_with(&asyncapi::document(base_path), "application/json")
}

fn answer_with(document: &Value, content_type: &'static str) -> impl Endpoint + use<> {
    let json = document.to_string();
    poem::endpoint::make_sync(move |_| {
        Response::builder()
            .content_type(content_type)
            .header(header::CACHE_CONTROL, "no-cache")
            .body(json.clone())
    })
}

/// Returns the schema of an object. Fields beside these are allowed: readers ignore what they do not know.
fn object(
    meaning: &str,
    required: impl IntoIterator<Item = (impl Into<String>, Value)>,
    optional: impl IntoIterator<Item = (&'static str, Value)>,
) -> Value {
    let required = required.into_iter();
    let mut properties: Map<String, Value> = required
        .map(|(name, schema)| (name.into(), schema))
        .collect();
    let names: Vec<String> = properties.keys().cloned().collect();
    let optional = optional.into_iter();
    properties.extend(optional.map(|(name, schema)| (name.to_owned(), schema)));
    json!({
        "type": "object",
        "description": meaning,
        "required": names,
        "properties": properties,
    })
}

/// Returns a reference to a schema.
fn reference(name: &str) -> Value {
    json!({ "$ref": format!("#/components/schemas/{name}") })
}
