//! `Idempotency-Key` (draft-ietf-httpapi-idempotency-key-header): a request that is repeated because
//! its answer was lost is carried out once.

use poem::{FromRequest, Request, RequestBody};
use serde_json::{Value, json};

use crate::error::Failure;
use crate::writer::IdempotencyKey;

const HEADER: &str = "idempotency-key";

/// The longest key, in bytes: a UUID has 36.
const LIMIT: usize = 255;

/// The key of a request, if it has one.
pub struct RequestOnce(pub Option<IdempotencyKey>);

impl<'a> FromRequest<'a> for RequestOnce {
    /// # Errors
    /// 400 for what is not one key of 1 to 255 visible ASCII characters.
    async fn from_request(request: &'a Request, _: &mut RequestBody) -> poem::Result<Self> {
        let mut fields = request.headers().get_all(HEADER).iter();
        let Some(field) = fields.next() else {
            return Ok(RequestOnce(None));
        };
        let key = field.to_str().ok().and_then(parse);
        match (key, fields.next()) {
            (Some(key), None) => Ok(RequestOnce(Some(IdempotencyKey::of_header(key)))),
            _ => Err(Failure::bad_request(
                "Idempotency-Key is one key of 1 to 255 visible ASCII characters, such as \"8e03978e-40d5-43dd-bc93-6894a57f9324\".",
            )
            .into()),
        }
    }
}

/// The key between quotation marks, as the draft writes it, or without them, as many clients do.
fn parse(field: &str) -> Option<&str> {
    let field = field.trim();
    let quoted = field.strip_prefix('"').map(|rest| rest.strip_suffix('"'));
    let key = quoted.unwrap_or(Some(field))?;
    let is_key = (1..=LIMIT).contains(&key.len())
        && key
            .bytes()
            .all(|byte| byte.is_ascii_graphic() && byte != b'"' && byte != b'\\');
    is_key.then_some(key)
}

/// What `parse` accepts, as a regular expression.
fn pattern() -> String {
    let key = format!(r"[!#-\[\]-~]{{1,{LIMIT}}}");
    format!("^({key}|\"{key}\")$")
}

/// Adds the header to the description of an operation that changes something.
pub fn describe(operation: &mut Value) {
    let parameter = json!({
        "name": "Idempotency-Key",
        "in": "header",
        "required": false,
        "schema": { "type": "string", "pattern": pattern() },
        "description": "Makes a retry safe: within 24 hours the same request with the same key is \
            carried out once, on whichever node, and gets the same answer; another request with \
            this key is 422. Each account has keys of its own; its newest 10,000 are kept.",
    });
    match operation["parameters"].as_array_mut() {
        Some(parameters) => parameters.push(parameter),
        None => operation["parameters"] = json!([parameter]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_has_1_to_255_visible_characters_with_or_without_quotation_marks() {
        assert_eq!(parse("\"a-1\""), Some("a-1"));
        assert_eq!(parse(" a-1 "), Some("a-1"));
        let longest = "k".repeat(255);
        assert_eq!(parse(&longest), Some(longest.as_str()));
        for text in ["", "\"\"", "\"a", "a\"", "a b", "a\\b", &"k".repeat(256)] {
            assert_eq!(parse(text), None, "{text:?}");
        }
    }
}
