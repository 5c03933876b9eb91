//! Reads requests of the API: numbers in the path and the query, and a JSON body.
//!
//! Stricter than poem-openapi, which takes `+1` and `01` for 1 and the last of two fields of one
//! name, and whose errors name types of the program.

use std::borrow::Cow;

use poem::http::StatusCode;
use poem::{FromRequest, Request, RequestBody};
use poem_openapi::error::{ParseParamError, ParsePathError};
use poem_openapi::payload::{Json, Payload};
use poem_openapi::registry::{MetaSchema, MetaSchemaRef};
use poem_openapi::types::{ParseError, ParseFromParameter, ParseResult, Type};
use serde::de::{DeserializeOwned, IgnoredAny};
use serde_json::error::Category;

use crate::error::Failure;
use crate::model::PetIdError;

/// A whole number in its one spelling: no sign, no leading zero.
#[derive(Clone, Copy, Debug)]
pub struct Whole(pub u64);

impl Type for Whole {
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

impl ParseFromParameter for Whole {
    fn parse_from_parameter(value: &str) -> ParseResult<Self> {
        let is_plain = value.bytes().all(|digit| digit.is_ascii_digit())
            && (value == "0" || !value.starts_with('0'));
        match value.parse() {
            Ok(number) if is_plain => Ok(Whole(number)),
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

/// The failure for a limit out of range.
pub fn bad_limit() -> Failure {
    Failure::bad_request("limit is a whole number from 1 to 100.")
}

/// A JSON object as the body of a request.
pub struct Body<T>(pub T);

impl<'a, T: DeserializeOwned> FromRequest<'a> for Body<T> {
    async fn from_request(request: &'a Request, body: &mut RequestBody) -> poem::Result<Self> {
        let is_json = request
            .content_type()
            .is_some_and(Json::<bool>::check_content_type);
        if !is_json {
            let detail = "Send JSON, with Content-Type: application/json.";
            let title = "Unsupported media type";
            return Err(Failure::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, title, detail).into());
        }
        let bytes = Vec::<u8>::from_request(request, body).await?;
        Ok(Body(read(&bytes)?))
    }
}

/// Reads one JSON object, in which every field is known and there once.
///
/// # Errors
/// 400, with a message for the sender.
fn read<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Failure> {
    let invalid = || Failure::bad_request("The body is not valid JSON.");
    // serde would read an array as the fields in their order.
    if !bytes.trim_ascii_start().starts_with(b"{") {
        serde_json::from_slice::<IgnoredAny>(bytes).map_err(|_| invalid())?;
        return Err(Failure::bad_request("The body must be a JSON object."));
    }
    serde_json::from_slice(bytes).map_err(|error| match error.classify() {
        Category::Data => Failure::bad_request(words(&error.to_string())),
        _ => invalid(),
    })
}

/// Turns serde's error about a field (unknown, or there twice) into a sentence, without the line and
/// column.
fn words(error: &str) -> String {
    let said = error.split(" at line ").next().unwrap_or_default();
    let (first, rest) = said.split_at_checked(1).unwrap_or_default();
    format!("{}{rest}.", first.to_uppercase())
}
