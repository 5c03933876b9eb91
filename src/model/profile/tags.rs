//! Tags: what adopters ask about a pet first.

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Tags of a pet, in the order of `Tags::CHOICES`, each at most once.
///
/// Kept as one text with commas, since most pets have few; in JSON it is a list of words. Words that
/// only a later version knows are dropped when a record is read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tags(String);

impl Tags {
    /// Each word used in messages, forms and the store, with the text shown to people.
    pub const CHOICES: &'static [(&'static str, &'static str)] = &[
        ("good-with-children", "Good with children"),
        ("good-with-dogs", "Good with dogs"),
        ("good-with-cats", "Good with cats"),
        ("house-trained", "House trained"),
        ("special-needs", "Special needs"),
    ];

    /// Collects the known words of `text`, which are separated by commas.
    pub(super) fn parse(text: &str) -> Self {
        Tags::collect(Tags::words(text))
    }

    /// Returns the words, with commas between them.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns true if `word` is one of the tags.
    pub fn has(&self, word: &str) -> bool {
        self.0.split(',').any(|own| own == word)
    }

    /// Returns true if there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Splits a text as somebody entered it.
    pub(super) fn words(text: &str) -> impl Iterator<Item = &str> + Clone {
        let words = text.split(',').map(str::trim);
        words.filter(|word| !word.is_empty())
    }

    fn collect<'a>(words: impl Iterator<Item = &'a str> + Clone) -> Self {
        let known = Tags::CHOICES.iter().map(|(tag, _)| *tag);
        let tags: Vec<&str> = known
            .filter(|tag| words.clone().any(|word| word == *tag))
            .collect();
        Tags(tags.join(","))
    }
}

impl Serialize for Tags {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(Tags::words(&self.0))
    }
}

impl<'de> Deserialize<'de> for Tags {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let words = Vec::<String>::deserialize(deserializer)?;
        Ok(Tags::collect(words.iter().map(String::as_str)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_are_a_list_in_json_and_unknown_words_are_dropped() {
        let json = r#"["special-needs","flies","good-with-dogs","special-needs"]"#;
        let tags: Tags = serde_json::from_str(json).unwrap();
        assert_eq!(tags.as_str(), "good-with-dogs,special-needs");
        let json = serde_json::to_string(&tags).unwrap();
        assert_eq!(json, r#"["good-with-dogs","special-needs"]"#);
        assert_eq!(serde_json::to_string(&Tags::default()).unwrap(), "[]");
    }
}
