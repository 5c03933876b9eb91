//! Parameters of the live routes.

use serde_json::{Value, json};

use super::fields::{cursor, text};
use crate::hub::FILTER_LIMIT;
use crate::live::WAIT_MAX;

/// A parameter in the query of a route.
pub struct Parameter {
    /// Name of the parameter.
    pub name: &'static str,
    /// Schema, with its description.
    pub schema: Value,
}

impl Parameter {
    fn new(name: &'static str, schema: Value) -> Self {
        Parameter { name, schema }
    }

    /// Returns the parameter as the `OpenAPI` document has it.
    pub fn into_openapi(mut self) -> Value {
        let meaning = self.schema["description"].take();
        if let Some(keywords) = self.schema.as_object_mut() {
            keywords.remove("description");
        }
        json!({
            "name": self.name,
            "in": "query",
            "required": false,
            "description": meaning,
            "schema": self.schema,
        })
    }
}

/// Returns the parameters of a stream, and of a poll.
pub fn of_streams() -> Vec<Parameter> {
    let heartbeat = json!({
        "type": "number",
        "minimum": 0,
        "description": "Send something at least this often, in seconds, within the bounds of the server; `hello` says the result.",
    });
    let parts = text("`1`: send a snapshot in messages of at most 16 KiB.");
    let nonce = text("Ignored. A new word each time keeps a cache from repeating a response.");
    vec![
        pets(),
        since(
            "Start behind this cursor. Without it the first message after `hello` is a `snapshot`.",
        ),
        Parameter::new("heartbeat", heartbeat),
        Parameter::new("parts", parts),
        Parameter::new("nonce", nonce),
    ]
}

/// Returns the parameters that only a poll has.
pub fn of_polls() -> Vec<Parameter> {
    let wait = json!({
        "type": "number",
        "minimum": 0,
        "default": WAIT_MAX.as_secs(),
        "description": "Seconds to wait for the first message; a longer wait than the default counts as the default. 0 answers immediately and takes no viewer's slot.",
    });
    let log = text(
        "`1`: instead of 503, answer immediately: `log` in `hello` then has the address at which to follow the log.",
    );
    vec![Parameter::new("wait", wait), Parameter::new("log", log)]
}

/// Returns the parameters of the log, in the order of its addresses.
pub fn of_log() -> Vec<Parameter> {
    let slice = json!({
        "type": "integer",
        "minimum": 0,
        "maximum": u64::MAX,
        "description": "0 to start, then that of `next`. Together with `since` and `wait` only.",
    });
    let wait = json!({
        "type": "integer",
        "minimum": 0,
        "maximum": WAIT_MAX.as_secs(),
        "description": "Seconds to wait for a change. Together with `since` and `slice` only.",
    });
    vec![
        ordered_pets(),
        since("Continue behind this cursor. Together with `slice` and `wait` only."),
        Parameter::new("slice", slice),
        Parameter::new("wait", wait),
    ]
}

/// Returns the pets that the client watches.
pub fn pets() -> Parameter {
    let schema = json!({
        "type": "array",
        "maxItems": FILTER_LIMIT,
        "items": { "type": "integer", "format": "int64", "minimum": 1, "maximum": u64::MAX },
        "description": "Only messages about these pets: `pet=2&pet=7`.",
    });
    Parameter::new("pet", schema)
}

/// Returns the same for addresses with one spelling.
pub fn ordered_pets() -> Parameter {
    let mut pets = pets();
    pets.schema["uniqueItems"] = true.into();
    pets.schema["description"] =
        "Only messages about these pets, in ascending order: `pet=2&pet=7`.".into();
    pets
}

/// Returns the cursor of the client.
pub fn since(meaning: &str) -> Parameter {
    Parameter::new("since", cursor(meaning))
}

/// Returns the sign of a client that polls every few seconds.
pub fn short_polling() -> Parameter {
    let meaning = "`short`: say that you poll every few seconds, for the metrics of the operator.";
    Parameter::new("transport", text(meaning))
}
