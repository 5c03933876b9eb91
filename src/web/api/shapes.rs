//! Completes the JSON objects of the OpenAPI document that poem-openapi derives: the required fields of
//! requests, and the allowed values of texts.

use serde_json::{Map, Value, json};

use crate::model::{ChangeSource, LIMITS, Sex, Status};

/// Describes every text of one line.
const ONE_LINE: &str = "One line, without hidden characters.";

/// A cursor. A rev of 20 digits would be too large for some.
const CURSOR: &str = "^[0-9a-f]{8}-(0|[1-9][0-9]{0,18})$";

/// An entity tag: a cursor between quotation marks.
const ENTITY_TAG: &str = "^\"[0-9a-f]{8}-(0|[1-9][0-9]{0,18})\"$";

/// The address of a pet.
const PET_ADDRESS: &str = "^/api/v1/pets/[1-9][0-9]{0,19}$";

/// Ranges of characters below U+10000: programs that read a pattern as UTF-16 misread the others.
type Ranges = &'static [(u16, u16)];

/// Characters that a text of one line may not contain: control characters, line separators, and format
/// characters that hide or reorder text.
const HIDDEN: Ranges = &[
    (0x0, 0x1f),
    (0x7f, 0x9f),
    (0xad, 0xad),
    (0x34f, 0x34f),
    (0x115f, 0x1160),
    (0x17b4, 0x17b5),
    (0x180e, 0x180e),
    (0x200b, 0x200b),
    (0x2028, 0x202e),
    (0x2060, 0x206f),
    (0x3164, 0x3164),
    (0xfeff, 0xfeff),
    (0xffa0, 0xffa0),
    (0xfff0, 0xfffb),
];

/// The same for a text of several lines.
const HIDDEN_IN_LINES: Ranges = &[
    (0x0, 0x8),
    (0xb, 0xc),
    (0xe, 0x1f),
    (0x7f, 0x9f),
    (0xad, 0xad),
    (0x34f, 0x34f),
    (0x115f, 0x1160),
    (0x17b4, 0x17b5),
    (0x180e, 0x180e),
    (0x200b, 0x200b),
    (0x2028, 0x202e),
    (0x2060, 0x206f),
    (0x3164, 0x3164),
    (0xfeff, 0xfeff),
    (0xffa0, 0xffa0),
    (0xfff0, 0xfffb),
];

/// Characters that are trimmed at either end of a text of one line.
const BLANKS: Ranges = &[
    (0x9, 0xd),
    (0x20, 0x20),
    (0x85, 0x85),
    (0xa0, 0xa0),
    (0x1680, 0x1680),
    (0x2000, 0x200a),
    (0x2028, 0x2029),
    (0x202f, 0x202f),
    (0x205f, 0x205f),
    (0x3000, 0x3000),
];

/// Characters that, like those of `HIDDEN`, leave a text blank.
const UNSEEN: Ranges = &[
    (0x20, 0x20),
    (0xa0, 0xa0),
    (0x61c, 0x61c),
    (0x1680, 0x1680),
    (0x180b, 0x180f),
    (0x2000, 0x200f),
    (0x202f, 0x202f),
    (0x205f, 0x205f),
    (0x2800, 0x2800),
    (0x3000, 0x3000),
    (0xfe00, 0xfe0f),
];

/// The characters in `ranges`, as a class of a regular expression.
fn class_of(ranges: Ranges) -> String {
    format!("[{}]", ranges_text(ranges))
}

/// All characters but those in `excluded`.
fn class(excluded: &[Ranges]) -> String {
    let excluded: String = excluded.iter().map(|ranges| ranges_text(ranges)).collect();
    format!("[^{excluded}]")
}

fn ranges_text(ranges: Ranges) -> String {
    let ranges = ranges.iter();
    let texts = ranges.map(|(first, last)| format!("\\u{first:04x}-\\u{last:04x}"));
    texts.collect()
}

/// Adds the objects of requests, and the allowed values in answers.
pub fn describe(spec: &mut Value) {
    let schemas = &mut spec["components"]["schemas"];
    for (name, schema) in [
        ("NewPet", new_pet()),
        ("PetFields", pet_fields()),
        ("StatusFields", status_fields()),
    ] {
        schemas[name] = schema;
    }
    for name in ["Pet", "PetList", "Committed", "Change", "ChangeList"] {
        let fields = schemas[name]["properties"].as_object_mut();
        for (field, schema) in fields.into_iter().flatten() {
            narrow(name, field, schema);
        }
    }
}

/// Returns the schema of an operation's body.
pub fn body_of(path: &str, method: &str) -> Option<Value> {
    let name = match (method, path) {
        ("post", "/pets") => "NewPet",
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

/// Adds the meaning and the range of a number in the path or the query.
pub fn describe_parameter(parameter: &mut Value) {
    let (meaning, least, most) = match parameter["name"].as_str() {
        Some("id") => ("The pet's id.", 1, u64::MAX),
        Some("before") => ("Only changes with a smaller rev.", 0, u64::MAX),
        Some("limit") => ("At most this many changes.", 1, 100),
        _ => return,
    };
    parameter["description"] = meaning.into();
    parameter["schema"]["minimum"] = least.into();
    parameter["schema"]["maximum"] = most.into();
}

/// Says what the headers of an answer may be, which are always there. poem-openapi writes their
/// names in capitals.
pub fn describe_headers(headers: &mut Map<String, Value>) {
    for (name, pattern, meaning) in [
        ("ETag", ENTITY_TAG, "The entity tag of the pet."),
        ("Location", PET_ADDRESS, "The address of the new pet."),
    ] {
        if headers.remove(&name.to_uppercase()).is_some() {
            let header = json!({
                "description": meaning,
                "required": true,
                "schema": { "type": "string", "pattern": pattern },
            });
            headers.insert(name.to_owned(), header);
        }
    }
}

/// Adds the allowed values of a field of an answer.
fn narrow(object: &str, field: &str, schema: &mut Value) {
    match (object, field) {
        (_, "id") => {
            schema["format"] = "int64".into();
            schema["minimum"] = 1.into();
        }
        (_, "status") => schema["enum"] = statuses(),
        (_, "sex") => schema["enum"] = Sex::ALL.map(Sex::as_str).into_iter().collect(),
        ("Change", "type") => schema["enum"] = json!(["status", "pet", "gone"]),
        (_, "by") => {
            schema["enum"] = [
                ChangeSource::Simulator,
                ChangeSource::Staff,
                ChangeSource::Api,
            ]
            .map(ChangeSource::as_str)
            .into_iter()
            .collect()
        }
        (_, "since") => schema["format"] = "date-time".into(),
        (_, "cursor") => schema["pattern"] = CURSOR.into(),
        _ => {}
    }
}

fn statuses() -> Value {
    Status::ALL.map(Status::as_str).into_iter().collect()
}

fn new_pet() -> Value {
    let mut schema = pet_fields();
    schema["description"] = "A new pet. Fields that are left out or null are empty.".into();
    schema["required"] = json!(["name", "species"]);
    for name in ["name", "species"] {
        if let Some(field) = schema["properties"][name].as_object_mut() {
            field.remove("nullable");
        }
    }
    schema
}

fn pet_fields() -> Value {
    let (line, lines) = (class(&[HIDDEN]), class(&[HIDDEN_IN_LINES]));
    let (seen, blanks) = (class(&[HIDDEN, UNSEEN]), class_of(BLANKS));
    // Blanks at either end are left out and do not count, so the pattern has the limit.
    let line_of = |description: &str, most: usize| {
        let description = format!("{description} {ONE_LINE} At most {most} characters.");
        json!({
            "type": "string",
            "nullable": true,
            "pattern": format!("^{blanks}*{line}{{0,{most}}}{blanks}*$"),
            "description": description.trim(),
        })
    };
    let required = |most| {
        let mut schema = line_of("Not blank.", most);
        schema["allOf"] = json!([{ "pattern": seen }]);
        schema
    };
    let most = LIMITS.about;
    let about =
        format!("Any number of lines, without hidden characters. At most {most} characters.");
    let mut sexes: Vec<Value> = Sex::ALL.map(|sex| sex.as_str().into()).into();
    sexes.push(Value::Null);
    json!({
        "type": "object",
        "description": "A pet's fields. Those that are left out or null stay as they are.",
        "additionalProperties": false,
        "properties": {
            "name": required(LIMITS.name),
            "species": required(LIMITS.species),
            "breed": line_of("", LIMITS.breed),
            "sex": { "type": "string", "nullable": true, "enum": sexes },
            "age": line_of("As people say it: \"about 3 years\".", LIMITS.age),
            "about": {
                "type": "string",
                "nullable": true,
                "pattern": format!("^ *{lines}{{0,{most}}} *$"),
                "description": about,
            },
        },
    })
}

fn status_fields() -> Value {
    json!({
        "type": "object",
        "description": "What a pet is doing, from now on unless `since` says otherwise.",
        "additionalProperties": false,
        "required": ["status"],
        "properties": {
            "status": {
                "type": "string",
                "enum": statuses(),
                "description": "The pet's present status is confirmed, and its `since` stays.",
            },
            "since": {
                "type": "string",
                "nullable": true,
                "format": "date-time",
                "description": "Since when, not in the future: restores a status with its time.",
            },
            "replaces": {
                "type": "string",
                "nullable": true,
                "pattern": CURSOR,
                "description": "The cursor of the change that set the status last. If another change \
                    has set it since, this one is refused with 409, so that an undo does not \
                    overwrite what somebody else has set.",
            },
        },
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Draft;

    fn has(ranges: Ranges, letter: u16) -> bool {
        let mut ranges = ranges.iter();
        ranges.any(|(first, last)| (*first..=*last).contains(&letter))
    }

    fn is_name(name: String) -> bool {
        let draft = Draft {
            name: Some(name),
            ..Draft::default()
        };
        draft.into_patch().is_ok()
    }

    /// The document promises what the model accepts, letter by letter.
    #[test]
    fn the_patterns_are_the_rules_of_the_model() {
        for code in 0..=u16::MAX {
            let Some(letter) = char::from_u32(u32::from(code)) else {
                continue;
            };
            let about = Draft {
                about: Some(format!("a{letter}a")),
                ..Draft::default()
            };
            let told = [
                is_name(format!("a{letter}a")),
                is_name(letter.to_string()),
                about.into_patch().is_ok(),
                letter.is_whitespace(),
            ];
            let described = [
                !has(HIDDEN, code),
                !has(HIDDEN, code) && !has(UNSEEN, code),
                !has(HIDDEN_IN_LINES, code),
                has(BLANKS, code),
            ];
            assert_eq!(told, described, "U+{code:04X}");
        }
    }
}
