//! Conditional requests (RFC 9110, section 13): entity tags, `If-Match` and `If-None-Match`.
//!
//! Files, the API and the live state all compare entity tags here. Values that are not entity tags
//! match nothing.

use std::fmt::Display;
use std::str::FromStr;

use poem::http::{HeaderMap, HeaderName, header};

/// Entity tags that a request names in one of its headers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EntityTags {
    /// The request does not have the header.
    Absent,
    /// `*`, which any current representation matches.
    Any,
    /// A list of tags, which may be empty.
    List(Vec<EntityTag>),
}

/// An entity tag: an opaque text that is the same as long as a representation is the same.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EntityTag {
    is_weak: bool,
    opaque: String,
}

/// Returns the value of `ETag` for a strong entity tag. `opaque` is visible ASCII without quotation marks
/// and commas, such as a cursor or hex digits.
pub fn entity_tag(opaque: &impl Display) -> String {
    format!("\"{opaque}\"")
}

impl EntityTags {
    /// Reads `If-Match`.
    pub fn if_match(headers: &HeaderMap) -> Self {
        EntityTags::read(headers, &header::IF_MATCH)
    }

    /// Reads `If-None-Match`.
    pub fn if_none_match(headers: &HeaderMap) -> Self {
        EntityTags::read(headers, &header::IF_NONE_MATCH)
    }

    /// Reads all headers of this name as one list.
    fn read(headers: &HeaderMap, name: &HeaderName) -> Self {
        if !headers.contains_key(name) {
            return EntityTags::Absent;
        }
        let values = headers.get_all(name).iter();
        let values: Vec<&str> = values.filter_map(|value| value.to_str().ok()).collect();
        if values.iter().any(|value| value.trim() == "*") {
            return EntityTags::Any;
        }
        let tags = values.iter().flat_map(|value| value.split(','));
        EntityTags::List(
            tags.filter_map(|tag| EntityTag::parse(tag.trim()))
                .collect(),
        )
    }

    /// Returns true if the tags match the representation whose tag is `opaque`: compares weakly, as
    /// `If-None-Match` requires (section 13.1.2).
    pub fn contains(&self, opaque: &impl Display) -> bool {
        let opaque = opaque.to_string();
        match self {
            EntityTags::Absent => false,
            EntityTags::Any => true,
            EntityTags::List(tags) => tags.iter().any(|tag| tag.opaque == opaque),
        }
    }

    /// Returns the tags of the list that are a `T`, weak ones too.
    pub fn all<T: FromStr>(&self) -> impl Iterator<Item = T> {
        let parsed = self.list().iter();
        parsed.filter_map(|tag| tag.opaque.parse().ok())
    }

    /// Returns the strong tags of the list that are a `T`: a weak tag never matches in `If-Match`
    /// (section 13.1.1).
    pub fn strong<T: FromStr>(&self) -> impl Iterator<Item = T> {
        let strong = self.list().iter().filter(|tag| !tag.is_weak);
        strong.filter_map(|tag| tag.opaque.parse().ok())
    }

    fn list(&self) -> &[EntityTag] {
        match self {
            EntityTags::List(tags) => tags,
            EntityTags::Absent | EntityTags::Any => &[],
        }
    }
}

impl EntityTag {
    fn parse(text: &str) -> Option<Self> {
        let weak = text.strip_prefix("W/");
        let opaque = weak.unwrap_or(text).strip_prefix('"')?.strip_suffix('"')?;
        Some(EntityTag {
            is_weak: weak.is_some(),
            opaque: opaque.to_owned(),
        })
    }
}

#[cfg(test)]
mod tests {
    use poem::http::HeaderValue;

    use super::*;

    fn tags(values: &[&'static str]) -> EntityTags {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(header::IF_MATCH, HeaderValue::from_static(value));
        }
        EntityTags::if_match(&headers)
    }

    #[test]
    fn headers_of_one_name_are_one_list_and_anything_else_is_no_tag() {
        assert_eq!(tags(&[]), EntityTags::Absent);
        assert_eq!(tags(&["*"]), EntityTags::Any);
        let list = tags(&["\"x\", \"7\" ,, W/\"8\"", "\"9\""]);
        assert_eq!(list.all::<u64>().collect::<Vec<_>>(), [7, 8, 9]);
        assert_eq!(list.strong::<u64>().collect::<Vec<_>>(), [7, 9]);
        for other in ["7", "", "\"", "\"7", "W/7", "w/\"7\""] {
            assert_eq!(tags(&[other]), EntityTags::List(Vec::new()), "{other}");
        }
        assert_eq!(tags(&["\"*\""]).strong::<u64>().count(), 0);
    }

    #[test]
    fn a_representation_is_compared_weakly() {
        let has = |values| tags(values).contains(&7);
        assert!(has(&["W/\"7\""]) && has(&["\"x\", \"7\""]) && has(&["*"]));
        assert!(!has(&["\"8\""]) && !has(&["7"]) && !has(&[]));
        assert_eq!(entity_tag(&7), "\"7\"");
    }
}
