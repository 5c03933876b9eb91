//! Reads requests of the API: numbers in the path and the query, headers, and a JSON body.
//!
//! Stricter than poem-openapi, which accepts `+1` and `01` for 1 and the last of two fields of one
//! name, and whose errors name types of the program.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::fmt;

use poem::{FromRequest, Request, RequestBody};
use poem_openapi::error::{ParseParamError, ParsePathError};
use poem_openapi::payload::{Json, Payload};
use poem_openapi::registry::{MetaSchema, MetaSchemaRef};
use poem_openapi::types::{ParseError, ParseFromParameter, ParseResult, Type};
use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, Visitor};
use serde_json::Value;

use super::super::board_view::parse_view;
use super::super::pages::undo;
use crate::error::Failure;
use crate::model::{
    Cursor, FieldError, FieldKind, InvalidProfile, PetId, PetIdError, PetQuery, Profile,
    ProfileField, ProfileInput, Rescue, Status, StatusNote, StatusStart,
};
use crate::serve::conditional::EntityTags;
use crate::writer::{Expected, IdempotencyKey, MAX_BULK_PETS, StatusEdit};

/// A whole number in its one spelling: no sign, no leading zero.
#[derive(Clone, Copy, Debug)]
pub struct WholeNumber(pub u64);

impl Type for WholeNumber {
    const IS_REQUIRED: bool = true;
    type RawValueType = Self;
    type RawElementValueType = Self;

    fn name() -> Cow<'static, str> {
        "integer".into()
    }

    fn schema_ref() -> MetaSchemaRef {
        MetaSchemaRef::Inline(Box::new(MetaSchema::new("integer")))
    }

    fn as_raw_value(&self) -> Option<&Self> {
        Some(self)
    }

    fn raw_element_iter<'a>(&'a self) -> Box<dyn Iterator<Item = &'a Self> + 'a> {
        Box::new(self.as_raw_value().into_iter())
    }
}

impl ParseFromParameter for WholeNumber {
    fn parse_from_parameter(value: &str) -> ParseResult<Self> {
        let is_plain = value.bytes().all(|digit| digit.is_ascii_digit())
            && (value == "0" || !value.starts_with('0'));
        match value.parse() {
            Ok(number) if is_plain => Ok(WholeNumber(number)),
            _ => Err(ParseError::custom("not a whole number")),
        }
    }
}

/// Returns the failure for an error of poem-openapi, whose message names no type of the program; `None`
/// for other errors.
pub fn failure(error: &poem::Error) -> Option<Failure> {
    if error.is::<ParsePathError>() {
        return Some(PetIdError.into());
    }
    let parameter = error.downcast_ref::<ParseParamError>()?;
    Some(match parameter.name {
        "limit" => bad_limit(),
        name => Failure::bad_request(format!("{name} is a whole number, such as 120.")),
    })
}

/// Returns the failure for a limit out of range.
pub fn bad_limit() -> Failure {
    Failure::bad_request("limit is a whole number from 1 to 100.")
}

/// The preconditions of a request on a pet. A pet's entity tag is the cursor of its last change, so it
/// is the same on every node and after a restart, and differs after every change of the pet.
pub struct Preconditions {
    if_match: EntityTags,
    if_none_match: EntityTags,
}

impl<'a> FromRequest<'a> for Preconditions {
    async fn from_request(request: &'a Request, _: &mut RequestBody) -> poem::Result<Self> {
        Ok(Preconditions {
            if_match: EntityTags::if_match(request.headers()),
            if_none_match: EntityTags::if_none_match(request.headers()),
        })
    }
}

impl Preconditions {
    /// Returns the state in which the pet must be, by `If-Match`.
    pub fn expected(&self) -> Expected {
        match &self.if_match {
            EntityTags::Absent | EntityTags::Any => Expected::Anything,
            tags @ EntityTags::List(_) => Expected::LastChange(tags.strong().collect()),
        }
    }

    /// Returns true if the client has the pet as it is since `cursor`, by `If-None-Match`.
    pub fn is_not_modified(&self, cursor: Cursor) -> bool {
        self.if_none_match.contains(&cursor)
    }
}

/// The query of a request that may ask for a view of the board.
pub struct OptionalView(Option<String>);

impl<'a> FromRequest<'a> for OptionalView {
    async fn from_request(request: &'a Request, _: &mut RequestBody) -> poem::Result<Self> {
        Ok(OptionalView(request.uri().query().map(str::to_owned)))
    }
}

impl OptionalView {
    /// Returns the view; `None` if the query has none of its parameters, which is the whole board.
    ///
    /// # Errors
    /// 400 for a value that a parameter may not have.
    pub fn parse(&self, rescue: &Rescue) -> Result<Option<PetQuery>, Failure> {
        let query = self.0.as_deref();
        let (view, problems) = parse_view(query, &rescue.activities);
        if let Some(problem) = problems.first() {
            return Err(Failure::bad_request(problem.to_string()));
        }
        let names = query.into_iter().flat_map(|query| query.split('&'));
        let mut names = names.map(|pair| pair.split('=').next().unwrap_or_default());
        let is_view = names.any(|name| PetQuery::NAMES.contains(&name));
        Ok(is_view.then_some(view))
    }
}

/// Longest idempotency key, in bytes: a UUID has 36.
const KEY_LIMIT: usize = 255;

/// Pattern of `Idempotency-Key` in the document: the keys that the server accepts.
pub fn idempotency_key_pattern() -> String {
    let key = format!(r"[!#-\[\]-~]{{1,{KEY_LIMIT}}}");
    format!("^({key}|\"{key}\")$")
}

/// The key of a request, if it has one: a request that is repeated because its answer was lost is carried
/// out once (draft-ietf-httpapi-idempotency-key-header).
pub struct OptionalKey(pub Option<IdempotencyKey>);

impl<'a> FromRequest<'a> for OptionalKey {
    /// # Errors
    /// 400 for what is not one key of 1 to 255 visible ASCII characters.
    async fn from_request(request: &'a Request, _: &mut RequestBody) -> poem::Result<Self> {
        let mut values = request.headers().get_all("idempotency-key").iter();
        let Some(value) = values.next() else {
            return Ok(OptionalKey(None));
        };
        let key = value.to_str().ok().and_then(parse_key);
        match (key, values.next()) {
            (Some(key), None) => Ok(OptionalKey(Some(IdempotencyKey::from_header(key)))),
            _ => Err(Failure::bad_request(
                "Idempotency-Key is one key of 1 to 255 visible ASCII characters, such as \
                 \"8e03978e-40d5-43dd-bc93-6894a57f9324\".",
            )
            .into()),
        }
    }
}

/// Returns the key between quotation marks, as the draft writes it, or without them, as many clients do.
fn parse_key(field: &str) -> Option<&str> {
    let field = field.trim();
    let quoted = field.strip_prefix('"').map(|rest| rest.strip_suffix('"'));
    let key = quoted.unwrap_or(Some(field))?;
    let is_key = (1..=KEY_LIMIT).contains(&key.len())
        && key
            .bytes()
            .all(|byte| byte.is_ascii_graphic() && byte != b'"' && byte != b'\\');
    is_key.then_some(key)
}

/// The JSON object in the body of a request, with its fields in the order in which they came.
pub struct JsonObject(Vec<(String, Value)>);

impl<'a> FromRequest<'a> for JsonObject {
    /// # Errors
    /// 415 for another content type, 400 for what is not a JSON object.
    async fn from_request(request: &'a Request, body: &mut RequestBody) -> poem::Result<Self> {
        let is_json = request
            .content_type()
            .is_some_and(Json::<bool>::check_content_type);
        if !is_json {
            let detail = "Send JSON, with Content-Type: application/json.";
            return Err(Failure::unsupported_media_type(detail).into());
        }
        let bytes = Vec::<u8>::from_request(request, body).await?;
        let object = serde_json::from_slice(&bytes);
        Ok(object.map_err(|error| {
            // Complete JSON that is not an object fails at its start or at its end.
            let is_valid = error.is_data() && serde_json::from_slice::<IgnoredAny>(&bytes).is_ok();
            Failure::bad_request(if is_valid {
                "The body must be a JSON object."
            } else {
                "The body is not valid JSON."
            })
        })?)
    }
}

impl JsonObject {
    /// Reads the fields of a pet; `null` counts as left out.
    ///
    /// # Errors
    /// 400 for an unknown field or one that is there twice, 422 for values of another type.
    pub fn into_profile_input(self) -> Result<ProfileInput, Failure> {
        self.check_names(&Profile::FIELDS.each_ref().map(|field| field.name))?;
        let mut errors = Vec::new();
        let input = ProfileInput::collect(|field| {
            let value = self.value(field.name)?;
            let text = read_field(field, value);
            text.map_err(|message| {
                errors.push(FieldError::new(field.name, message));
            })
            .ok()
        });
        if errors.is_empty() {
            Ok(input)
        } else {
            Err(InvalidProfile(errors).into())
        }
    }

    /// Reads the fields of a status: the status with its start and its note, and the cursor of the change
    /// that it replaces, as the precondition. `present` is the status of the pet, which may be a hidden activity.
    ///
    /// # Errors
    /// 400 for an unknown field or one that is there twice, 422 for a value that is not what the field
    /// allows.
    pub fn into_status(
        self,
        rescue: &Rescue,
        present: Option<Status>,
    ) -> Result<StatusEdit, Failure> {
        let names = [
            "status",
            "since",
            "began",
            "minutes_ago",
            "note",
            "replaces",
        ];
        self.check_names(&names)?;
        let (since, expected) = undo::parse_fields(self.text("since"), self.text("replaces"))?;
        let edit = self.status_edit(rescue, present)?;
        let start = match (since, edit.start) {
            (None, start) => start,
            (Some(since), StatusStart::Now) => StatusStart::Restored(since),
            (Some(_), _) => {
                let message = "Use only one of since, began and minutes_ago.";
                return Err(FieldError::new("since", message).into());
            }
        };
        let edit = StatusEdit { start, ..edit };
        Ok(StatusEdit { expected, ..edit })
    }

    /// Reads a status, its start and its note, without a precondition.
    fn status_edit(&self, rescue: &Rescue, present: Option<Status>) -> Result<StatusEdit, Failure> {
        let minutes_ago = self.value("minutes_ago").map(Value::to_string);
        let note = self.value("note").map(|note| {
            let not_text = || FieldError::new("note", "Use text, in quotation marks.");
            let text = note.as_str().ok_or_else(not_text)?;
            Ok::<StatusNote, Failure>(text.parse()?)
        });
        let word = self.text("status").unwrap_or_default();
        let replaces = self.text("replaces");
        Ok(StatusEdit {
            status: undo::parse_status(&rescue.activities, present, word, replaces)?,
            start: StatusStart::parse(self.text("began"), minutes_ago.as_deref())?,
            note: note.transpose()?,
            expected: Expected::Anything,
        })
    }

    /// Returns the text of a field. A value of another type is refused like an empty text.
    fn text(&self, name: &str) -> Option<&str> {
        self.value(name)
            .map(|value| value.as_str().unwrap_or_default())
    }

    /// Reads the fields of a status of several pets.
    ///
    /// # Errors
    /// As for `into_status`.
    pub fn into_statuses(self, rescue: &Rescue) -> Result<(StatusEdit, BTreeSet<PetId>), Failure> {
        self.check_names(&["status", "began", "minutes_ago", "note", "pets"])?;
        let edit = self.status_edit(rescue, None)?;
        let listed = self.value("pets").and_then(Value::as_array);
        let ids = listed.into_iter().flatten().map(Value::as_u64);
        let pets: Option<BTreeSet<PetId>> = ids.map(|id| id.map(PetId::new)).collect();
        let count = listed.map_or(0, Vec::len);
        let pets = pets.filter(|pets| pets.len() == count && (1..=MAX_BULK_PETS).contains(&count));
        let message = || format!("Use a list of 1 to {MAX_BULK_PETS} ids of pets, each once.");
        let pets = pets.ok_or_else(|| FieldError::new("pets", message()))?;
        Ok((edit, pets))
    }

    /// Returns the value of a field; `None` if it is left out or null.
    pub(super) fn value(&self, name: &str) -> Option<&Value> {
        let mut fields = self.0.iter();
        let (_, value) = fields.find(|(field, _)| field == name)?;
        Some(value).filter(|value| !value.is_null())
    }

    pub(super) fn check_names(&self, names: &[&str]) -> Result<(), Failure> {
        for (place, (name, _)) in self.0.iter().enumerate() {
            if !names.contains(&name.as_str()) {
                let names = names.join("`, `");
                return Err(Failure::bad_request(format!(
                    "Unknown field `{name}`, expected one of `{names}`."
                )));
            }
            if self.0[..place].iter().any(|(before, _)| before == name) {
                return Err(Failure::bad_request(format!("Duplicate field `{name}`.")));
            }
        }
        Ok(())
    }
}

/// Reads the value of a field of a pet as text.
///
/// # Errors
/// A value of another type, for the person who sent it.
fn read_field(field: &ProfileField, value: &Value) -> Result<String, &'static str> {
    if !matches!(field.kind, FieldKind::Words(_)) {
        let text = value.as_str().map(str::to_owned);
        return text.ok_or("Use text, in quotation marks.");
    }
    let words = value.as_array().into_iter().flatten().map(Value::as_str);
    let words: Option<Vec<&str>> = words.collect();
    let words = words.filter(|_| value.is_array());
    Ok(words.ok_or("Use a list of words.")?.join(","))
}

impl<'de> Deserialize<'de> for JsonObject {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(ObjectVisitor)
    }
}

struct ObjectVisitor;

impl<'de> Visitor<'de> for ObjectVisitor {
    type Value = JsonObject;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a JSON object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<JsonObject, A::Error> {
        let mut fields = Vec::new();
        while let Some(field) = map.next_entry()? {
            fields.push(field);
        }
        Ok(JsonObject(fields))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_has_1_to_255_visible_characters_with_or_without_quotation_marks() {
        assert_eq!(parse_key("\"a-1\""), Some("a-1"));
        assert_eq!(parse_key(" a-1 "), Some("a-1"));
        let longest = "k".repeat(255);
        assert_eq!(parse_key(&longest), Some(longest.as_str()));
        for text in ["", "\"\"", "\"a", "a\"", "a b", "a\\b", &"k".repeat(256)] {
            assert_eq!(parse_key(text), None, "{text:?}");
        }
    }
}
