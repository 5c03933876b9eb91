//! Schemas of pets in answers and messages.

use serde_json::{Map, Value, json};

use super::{CURSOR, alternatives, photos, status, values};
use crate::model::{Audience, FieldKind, Profile, ProfileField};

/// Returns the schema of a pet in an answer.
pub fn pet() -> Value {
    let mut properties = json!({ "id": { "type": "integer", "format": "int64", "minimum": 1 } });
    for (name, schema) in shared_fields() {
        properties[name] = schema;
    }
    let fields = properties.as_object().into_iter().flatten();
    let required: Vec<&String> = fields.map(|(name, _)| name).collect();
    let required = json!(required);
    properties["activity"] = status::activity();
    let all = Profile::fields_for(Audience::Staff);
    for field in all.filter(|field| field.audience != Audience::Public) {
        properties[field.name] = answered_field(field);
    }
    properties["cursor"] = json!({
        "type": "string",
        "description": "The pet's last change: all of this is true from there on. Absent in a list, \
            which has one\ncursor for all of it.",
        "pattern": CURSOR,
    });
    json!({
        "type": "object",
        "title": "Pet",
        "description": "A pet.",
        "required": required,
        "properties": properties,
    })
}

/// Returns the fields of a pet that every answer about it and every `pet` message has.
pub fn shared_fields() -> Map<String, Value> {
    let fields = Profile::fields_for(Audience::Public);
    let mut properties: Map<String, Value> = fields
        .map(|field| (field.name.to_owned(), answered_field(field)))
        .collect();
    let rest = [
        ("photos", photos::photos_of_a_pet()),
        ("status", status::known_status()),
        (
            "since",
            json!({
                "type": "string",
                "description": "Since when the pet has this status: RFC 3339, UTC, microseconds.",
                "format": "date-time",
            }),
        ),
        (
            "note",
            json!({
                "type": "string",
                "description": "The note on this status; empty for none.",
            }),
        ),
    ];
    properties.extend(rest.map(|(name, schema)| (name.to_owned(), schema)));
    properties
}

/// Returns the schema of a field of a pet in an answer.
fn answered_field(field: &ProfileField) -> Value {
    let values = values(field.kind.choices());
    let mut schema = match field.kind {
        FieldKind::Choice(_) => json!({
            "type": "string",
            "description": alternatives(&values),
            "enum": values,
        }),
        FieldKind::Words(_) => json!({
            "type": "array",
            "description": field.meaning,
            "uniqueItems": true,
            "items": { "type": "string", "enum": values },
        }),
        _ => json!({ "type": "string" }),
    };
    if field.audience == Audience::Staff {
        schema["description"] = format!("{} For staff.", field.meaning).into();
    }
    schema
}

/// Returns the schema of a list of pets in an answer.
pub fn pet_list() -> Value {
    json!({
        "type": "object",
        "title": "PetList",
        "description": "Pets: every one in the order of their ids, or a page of a view.",
        "required": ["cursor", "pets"],
        "properties": {
            "cursor": {
                "type": "string",
                "description": "Where all of this is true.",
                "pattern": CURSOR,
            },
            "total": {
                "type": "integer",
                "minimum": 0,
                "description": "Pets on all pages of the view. Absent without one.",
            },
            "statuses": {
                "type": "object",
                "additionalProperties": { "type": "integer", "minimum": 0 },
                "description": "Pets of the view by status, whatever its `doing`. Absent without a view.",
            },
            "pets": { "type": "array", "items": { "$ref": "#/components/schemas/Pet" } },
        },
    })
}
