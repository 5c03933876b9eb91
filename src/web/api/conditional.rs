//! Conditional requests, RFC 9110, section 13: entity tags of pets, `If-Match` and `If-None-Match`.
//!
//! A pet's entity tag is the cursor of its last change, so it is the same on every node and after a
//! restart, and differs after every change of the pet.

use poem::http::{HeaderMap, HeaderName, header};
use poem::{FromRequest, Request, RequestBody};
use serde_json::{Value, json};

use crate::model::Cursor;
use crate::writer::Expected;

/// The precondition in `If-Match` on the pet that is to be changed.
pub struct IfMatch(pub Expected);

/// The entity tags in `If-None-Match`, which the client has of the pet that is read.
pub struct IfNoneMatch(Tags);

/// The value of either header.
#[derive(Debug, PartialEq, Eq)]
enum Tags {
    Absent,
    /// `*`
    Any,
    List(Vec<Tag>),
}

/// An entity tag that could be one of ours.
#[derive(Debug, PartialEq, Eq)]
struct Tag {
    is_weak: bool,
    cursor: Cursor,
}

/// The entity tag of a pet that changed last at `cursor`.
pub fn entity_tag(cursor: Cursor) -> String {
    format!("\"{cursor}\"")
}

impl IfNoneMatch {
    /// Returns true if the client has the representation with this entity tag. Compares weakly.
    pub fn has(&self, cursor: Cursor) -> bool {
        match &self.0 {
            Tags::Absent => false,
            Tags::Any => true,
            Tags::List(tags) => tags.iter().any(|tag| tag.cursor == cursor),
        }
    }
}

impl Tags {
    /// Reads all fields of this name as one list. Ignores values that cannot be an entity tag of ours,
    /// because these match nothing.
    fn read(headers: &HeaderMap, name: &HeaderName) -> Self {
        if !headers.contains_key(name) {
            return Tags::Absent;
        }
        let fields = headers.get_all(name).iter();
        let fields: Vec<&str> = fields.filter_map(|field| field.to_str().ok()).collect();
        if fields.iter().any(|field| field.trim() == "*") {
            return Tags::Any;
        }
        let tags = fields.iter().flat_map(|field| field.split(','));
        Tags::List(tags.filter_map(|tag| Tag::parse(tag.trim())).collect())
    }
}

impl Tag {
    fn parse(text: &str) -> Option<Self> {
        let strong = text.strip_prefix("W/");
        let opaque = strong
            .unwrap_or(text)
            .strip_prefix('"')?
            .strip_suffix('"')?;
        Some(Tag {
            is_weak: strong.is_some(),
            cursor: opaque.parse().ok()?,
        })
    }
}

impl From<Tags> for Expected {
    /// Compares strongly: a weak tag never matches (RFC 9110, section 13.1.1).
    fn from(tags: Tags) -> Self {
        match tags {
            Tags::Absent | Tags::Any => Expected::Anything,
            Tags::List(tags) => {
                let strong = tags.into_iter().filter(|tag| !tag.is_weak);
                Expected::LastChange(strong.map(|tag| tag.cursor).collect())
            }
        }
    }
}

impl<'a> FromRequest<'a> for IfMatch {
    async fn from_request(request: &'a Request, _: &mut RequestBody) -> poem::Result<Self> {
        Ok(IfMatch(
            Tags::read(request.headers(), &header::IF_MATCH).into(),
        ))
    }
}

impl<'a> FromRequest<'a> for IfNoneMatch {
    async fn from_request(request: &'a Request, _: &mut RequestBody) -> poem::Result<Self> {
        Ok(IfNoneMatch(Tags::read(
            request.headers(),
            &header::IF_NONE_MATCH,
        )))
    }
}

/// Adds the headers to the description of an operation on a pet.
pub fn describe(path: &str, method: &str, operation: &mut Value) {
    let (name, meaning) = match (path, method) {
        ("/pets/{id}", "get") => (
            "If-None-Match",
            "Entity tags that the client has, or `*`: 304 if the pet's is one of them. What is no \
             entity tag of a pet is none of them.",
        ),
        ("/pets/{id}", "patch" | "delete") | ("/pets/{id}/status", "put") => (
            "If-Match",
            "Entity tags of the pet, or `*`: 412 if its present one is none of them. What is no \
             entity tag of a pet, or a weak one, is none of them.",
        ),
        _ => return,
    };
    let parameter = json!({
        "name": name,
        "in": "header",
        "required": false,
        "schema": { "type": "string" },
        "description": meaning,
    });
    if let Some(parameters) = operation["parameters"].as_array_mut() {
        parameters.push(parameter);
    }
}

#[cfg(test)]
mod tests {
    use poem::http::HeaderValue;

    use super::*;
    use crate::model::{Epoch, Rev};

    fn tags(fields: &[&'static str]) -> Tags {
        let mut headers = HeaderMap::new();
        for field in fields {
            headers.append(header::IF_MATCH, HeaderValue::from_static(field));
        }
        Tags::read(&headers, &header::IF_MATCH)
    }

    fn at(rev: u64) -> Cursor {
        let (epoch, rev) = (Epoch::new(1), Rev::new(rev));
        Cursor { epoch, rev }
    }

    #[test]
    fn if_match_expects_the_strong_tags_of_its_list_and_of_nothing_else() {
        let table: [(&[&'static str], Expected); 9] = [
            (&[], Expected::Anything),
            (&["*"], Expected::Anything),
            (&["\"00000001-7\""], Expected::LastChange(vec![at(7)])),
            (
                &["\"x\", \"00000001-7\" ,, \"00000001-8\"", "\"00000001-9\""],
                Expected::LastChange(vec![at(7), at(8), at(9)]),
            ),
            (&["W/\"00000001-7\""], Expected::LastChange(vec![])),
            (&["00000001-7"], Expected::LastChange(vec![])),
            (&["\"made-up\""], Expected::LastChange(vec![])),
            (&[""], Expected::LastChange(vec![])),
            (&["\"*\""], Expected::LastChange(vec![])),
        ];
        for (fields, expected) in table {
            assert_eq!(Expected::from(tags(fields)), expected, "{fields:?}");
        }
    }

    #[test]
    fn if_none_match_compares_weakly() {
        let has = |fields| IfNoneMatch(tags(fields)).has(at(7));
        assert!(has(&["W/\"00000001-7\""]) && has(&["\"x\", \"00000001-7\""]) && has(&["*"]));
        assert!(!has(&["\"00000001-8\""]) && !has(&["00000001-7"]) && !has(&[]));
        assert_eq!(entity_tag(at(7)), "\"00000001-7\"");
    }
}
