//! Schemas of the `OpenAPI` document that poem-openapi does not derive, and the allowed values of texts in
//! those that it does.

pub mod pattern;
mod pet;
mod photos;
pub mod status;

pub use self::pet::shared_fields;
pub use self::photos::photo;

use serde_json::{Map, Value, json};

use super::trash;
use crate::model::{
    AdoptionState, ChangeSource, FieldKind, PetQuery, PetSort, Photo, Profile, ProfileField, Tags,
};

/// Pattern of a cursor. A rev of 20 digits would be too large for some.
pub const CURSOR: &str = "^[0-9a-f]{8}-(0|[1-9][0-9]{0,18})$";

/// Pattern of an entity tag: a cursor between quotation marks.
pub const ENTITY_TAG: &str = "^\"[0-9a-f]{8}-(0|[1-9][0-9]{0,18})\"$";

/// Pattern of the address of a pet or of a file of a photo.
pub const ADDRESS: &str = "^(/[A-Za-z0-9._~-]+)*(/api/v1/pets/[1-9][0-9]{0,19}|/photos/[0-9a-f]{32}-[1-9][0-9]{0,3}\\.jpg)$";

/// Adds the schemas that poem-openapi does not derive, and the allowed values of the others.
pub fn complete(spec: &mut Value) {
    let schemas = &mut spec["components"]["schemas"];
    for (name, schema) in schemas.as_object_mut().into_iter().flatten() {
        let fields = schema["properties"].as_object_mut();
        for (field, schema) in fields.into_iter().flatten() {
            narrow(name, field, schema);
        }
    }
    for (name, schema) in [
        ("Pet", pet::pet()),
        ("PetList", pet::pet_list()),
        ("Trash", trash::schema(pet::pet())),
        ("Problem", problem()),
        ("NewPet", new_pet()),
        ("PetFields", pet_fields()),
        ("StatusFields", status::status_fields()),
        ("StatusesFields", status::statuses_fields()),
        ("Photo", photo()),
        ("PhotoList", photos::photo_list()),
    ] {
        schemas[name] = schema;
    }
}

/// Returns the schema of an operation's body.
pub fn body_of(path: &str, method: &str) -> Option<Value> {
    let name = match (method, path) {
        ("post", "/pets/{id}/photos") => return Some(photos::photo_file()),
        ("put", "/pets/{id}/photos") => "PhotoList",
        ("post", "/pets") => "NewPet",
        ("post", "/statuses") => "StatusesFields",
        ("patch", _) => "PetFields",
        ("put", _) => "StatusFields",
        _ => return None,
    };
    let schema = json!({ "$ref": format!("#/components/schemas/{name}") });
    Some(json!({
        "required": true,
        "content": { "application/json": { "schema": schema } },
    }))
}

/// Adds the meaning and the range of a parameter in the path or the query.
pub fn complete_parameter(parameter: &mut Value) {
    if parameter["name"] == "date" {
        parameter["description"] = "The day, in the time zone of the rescue.".into();
        parameter["schema"]["format"] = "date".into();
        return;
    }
    if parameter["name"] == "alt" {
        parameter["schema"]["pattern"] = pattern::one_line(Photo::ALT_LIMIT).into();
        return;
    }
    let (meaning, least, most) = match parameter["name"].as_str() {
        Some("id") => ("The pet's id.", 1, u64::MAX),
        Some("before") => ("Only changes before this number.", 0, u64::MAX),
        Some("limit") => ("At most this many changes.", 1, 100),
        _ => return,
    };
    parameter["description"] = meaning.into();
    parameter["schema"]["minimum"] = least.into();
    parameter["schema"]["maximum"] = most.into();
}

/// Returns the parameters of a view of the board.
pub fn view_parameters() -> impl Iterator<Item = Value> {
    let text = || json!({ "type": "string", "maxLength": PetQuery::TEXT_LIMIT });
    // An empty value counts as left out.
    let words = |mut words: Vec<&'static str>| {
        words.push("");
        json!({ "type": "string", "enum": words })
    };
    let parameters = [
        (
            "q",
            "Words that must all occur in the name, species, breed, age, colour or \"bonded with\", whatever their case and accents; for staff also in the location.",
            text(),
        ),
        (
            "species",
            "Only this species, whatever its case and accents.",
            text(),
        ),
        (
            "doing",
            "Only pets with this status: one of the four, `not-set-yet`, or the `word` of one of `GET /activities`.",
            json!({ "type": "string", "pattern": status::exact_word_or_empty() }),
        ),
        (
            "state",
            "Only pets in this state of adoption.",
            words(values(AdoptionState::CHOICES)),
        ),
        (
            "tag",
            "Only pets with each of these tags.",
            json!({ "type": "array", "items": { "type": "string", "enum": values(Tags::CHOICES) } }),
        ),
        (
            "sort",
            "Order of the pets: as they were added, the last one first, by name, or by the time of their status.",
            words(values(PetSort::CHOICES)),
        ),
        (
            "page",
            "Number of the page of 48 pets, from 1.",
            json!({ "type": "integer", "minimum": 1, "maximum": PetQuery::PAGE_LIMIT }),
        ),
    ];
    parameters.into_iter().map(|(name, meaning, schema)| {
        json!({
            "name": name,
            "in": "query",
            "required": false,
            "schema": schema,
            "description": meaning,
        })
    })
}

/// Adds the allowed values of a field of an answer.
fn narrow(object: &str, field: &str, schema: &mut Value) {
    match (object, field) {
        (_, "status") => schema["enum"] = status::known_words(),
        (_, "activity") | ("Activity", "word") => schema["pattern"] = status::exact_word().into(),
        ("Change", "type") => schema["enum"] = json!(["status", "pet", "gone"]),
        (_, "by") => {
            schema["enum"] = ChangeSource::ALL
                .map(ChangeSource::as_str)
                .into_iter()
                .collect();
        }
        (_, "since" | "began" | "start" | "end" | "known_since" | "from" | "until") => {
            schema["format"] = "date-time".into();
        }
        ("Day", "date") => schema["format"] = "date".into(),
        (_, "cursor" | "first") => schema["pattern"] = CURSOR.into(),
        _ => {}
    }
}

/// Returns the words of a choice.
pub fn values(choices: &'static [(&str, &str)]) -> Vec<&'static str> {
    choices.iter().map(|(value, _)| *value).collect()
}

/// Lists words as a sentence: "`female`, `male` or `unknown`."
fn alternatives(words: &[&str]) -> String {
    let words: Vec<String> = words.iter().map(|word| format!("`{word}`")).collect();
    let (last, others) = words.split_last().expect("a choice has values");
    format!("{} or {last}.", others.join(", "))
}

fn new_pet() -> Value {
    let mut schema = pet_fields();
    schema["description"] = "A new pet. Fields that are left out or null are empty.".into();
    let required = Profile::FIELDS.iter().filter(|field| field.is_required);
    schema["required"] = required.clone().map(|field| field.name).collect();
    for field in required {
        if let Some(field) = schema["properties"][field.name].as_object_mut() {
            field.remove("nullable");
        }
    }
    schema
}

fn pet_fields() -> Value {
    let fields = Profile::FIELDS.iter();
    let properties: Map<String, Value> = fields
        .map(|field| (field.name.to_owned(), entered_field(field)))
        .collect();
    json!({
        "type": "object",
        "description": "A pet's fields. Those that are left out or null stay as they are.",
        "additionalProperties": false,
        "properties": properties,
    })
}

/// Returns the schema of a field of a pet in a request.
fn entered_field(field: &ProfileField) -> Value {
    let (pattern, rules) = match field.kind {
        FieldKind::Choice(choices) => {
            let values = values(choices).into_iter().map(Value::from);
            let values: Vec<Value> = values.chain([Value::Null]).collect();
            return json!({ "type": "string", "nullable": true, "enum": values });
        }
        FieldKind::Words(choices) => {
            return json!({
                "type": "array",
                "nullable": true,
                "description": field.meaning,
                "items": { "type": "string", "enum": values(choices) },
            });
        }
        FieldKind::Date => (pattern::date(), "A date, or empty.".to_owned()),
        FieldKind::RoughDate => (pattern::rough_date(), "May be empty.".to_owned()),
        FieldKind::Line(limit) => (pattern::one_line(limit), rules("One line", limit)),
        FieldKind::Lines(limit) => (
            pattern::several_lines(limit),
            rules("Any number of lines", limit),
        ),
    };
    let not_blank = if field.is_required { "Not blank." } else { "" };
    let sentences = [not_blank, field.meaning, &rules];
    let sentences: Vec<&str> = sentences
        .into_iter()
        .filter(|said| !said.is_empty())
        .collect();
    let mut schema = json!({
        "type": "string",
        "nullable": true,
        "pattern": pattern,
        "description": sentences.join(" "),
    });
    if field.is_required {
        schema["allOf"] = json!([{ "pattern": pattern::not_blank() }]);
    }
    schema
}

fn rules(lines: &str, limit: usize) -> String {
    format!("{lines}, without hidden characters. At most {limit} characters.")
}

/// Returns the schema of a problem document, RFC 9457.
fn problem() -> Value {
    let text = |meaning: &str| json!({ "type": "string", "description": meaning });
    json!({
        "type": "object",
        "description": "A problem document (RFC 9457).",
        "required": ["type", "title", "status", "detail"],
        "properties": {
            "type": text("`about:blank`: the status says it all."),
            "title": text("The same for every problem of a kind."),
            "status": { "type": "integer", "minimum": 400, "maximum": 599 },
            "detail": text("What was wrong this time, and what is allowed."),
            "errors": {
                "type": "array",
                "description": "What is wrong at which field.",
                "items": {
                    "type": "object",
                    "required": ["field", "message"],
                    "properties": { "field": text("Its name."), "message": text("What is allowed.") },
                },
            },
        },
    })
}
