//! Text in a request's JSON.

use std::borrow::Cow;

use poem_openapi::registry::{MetaSchema, MetaSchemaRef};
use poem_openapi::types::{ParseFromJSON, ParseResult, ToJSON, Type};
use serde_json::Value;

use crate::model::FieldError;

/// A string, or something else in its place. poem-openapi would take a number for its digits; we
/// say at which field it stands.
pub struct Text(Option<String>);

impl Text {
    /// The text of a field, which may be left out; adds to `errors` when it is none.
    pub fn take(
        text: Option<Self>,
        field: &'static str,
        errors: &mut Vec<FieldError>,
    ) -> Option<String> {
        let Text(text) = text?;
        if text.is_none() {
            errors.push(FieldError {
                field,
                message: "Use text, in quotation marks.".to_owned(),
            });
        }
        text
    }

    /// What is no text counts as empty.
    pub fn or_empty(text: Option<Self>) -> String {
        text.and_then(|text| text.0).unwrap_or_default()
    }
}

impl Type for Text {
    const IS_REQUIRED: bool = true;
    type RawValueType = Self;
    type RawElementValueType = Self;

    fn name() -> Cow<'static, str> {
        "string".into()
    }

    fn schema_ref() -> MetaSchemaRef {
        MetaSchemaRef::Inline(Box::new(MetaSchema::new("string")))
    }

    fn as_raw_value(&self) -> Option<&Self> {
        Some(self)
    }

    fn raw_element_iter<'a>(&'a self) -> Box<dyn Iterator<Item = &'a Self> + 'a> {
        Box::new(self.as_raw_value().into_iter())
    }
}

impl ParseFromJSON for Text {
    fn parse_from_json(value: Option<Value>) -> ParseResult<Self> {
        Ok(Text(match value {
            Some(Value::String(text)) => Some(text),
            _ => None,
        }))
    }
}

impl ToJSON for Text {
    fn to_json(&self) -> Option<Value> {
        self.0.clone().map(Value::String)
    }
}
