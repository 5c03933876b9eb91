//! The activities that a rescue adds to the four statuses.
//!
//! Records and messages have the word of an activity, so the word never changes. Pages look up the name, the icon
//! and the colour. An activity is never removed, only hidden: the history of pets names it.

mod icon;
mod input;
mod sheet;
mod version;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

pub use self::icon::ActivityIcon;
pub use self::input::ActivityInput;
pub use self::sheet::ActivitySheet;
pub use self::version::ActivitiesVersion;
use super::super::{OwnActivity, Status, UnknownStatus};

/// An activity that the rescue added, as records have it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Activity {
    /// Word in messages, requests and records.
    pub word: String,
    /// Name that people read.
    pub name: String,
    /// Word of the icon.
    pub icon: String,
    /// Colour, by the rules of the accent colour.
    pub colour: String,
    /// The one of the four words for clients that know no others.
    #[serde(rename = "status")]
    pub stand_in: String,
    /// True if the activity cannot be set any more.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub hidden: bool,
}

/// The rescue's own activities, in the order in which they were added.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Activities(Vec<Activity>);

impl Activity {
    /// Returns the status of pets with this activity.
    pub fn status(&self) -> Option<Status> {
        OwnActivity::new(&self.word, &self.stand_in).map(Status::Own)
    }
}

impl Activities {
    /// The most activities that can be set, as many as fit on the cards of staff.
    pub const LIMIT: usize = 12;

    /// The most activities with those that are hidden. Bounds the record and the style sheet.
    pub const LIMIT_WITH_HIDDEN: usize = 48;

    /// Returns true without activities.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Returns every activity, hidden ones too.
    pub fn all(&self) -> &[Activity] {
        &self.0
    }

    /// Returns the activity with this word.
    pub fn find(&self, word: &str) -> Option<&Activity> {
        self.0.iter().find(|activity| activity.word == word)
    }

    /// Returns every status that people choose from: the four, and the activities that are not hidden.
    pub fn choices(&self) -> Vec<Status> {
        let own = self.0.iter().filter(|activity| !activity.hidden);
        let own = own.filter_map(Activity::status);
        Status::FOUR.into_iter().chain(own).collect()
    }

    /// Returns every status that pets can have.
    pub fn statuses(&self) -> Vec<Status> {
        let own = self.0.iter().filter_map(Activity::status);
        Status::BUILT_IN.into_iter().chain(own).collect()
    }

    /// Returns every status that people choose from for a pet with the status `present`, which may be hidden.
    pub fn choices_beside(&self, present: Status) -> Vec<Status> {
        let mut choices = self.choices();
        if matches!(present, Status::Own(_)) && !choices.contains(&present) {
            choices.push(present);
        }
        choices
    }

    /// Parses the exact word of a status that can be set, or of any status of every rescue.
    ///
    /// # Errors
    /// `UnknownStatus`, also for a hidden activity.
    pub fn parse(&self, word: &str) -> Result<Status, UnknownStatus> {
        let status = self.parse_earlier(word)?;
        let is_hidden = matches!(status, Status::Own(_)) && !self.choices().contains(&status);
        if is_hidden {
            Err(self.unknown())
        } else {
            Ok(status)
        }
    }

    /// Parses as `parse` does, for a pet with the status `present`, which may be hidden: it can get a note.
    ///
    /// # Errors
    /// `UnknownStatus`, also for another hidden activity.
    pub fn parse_beside(
        &self,
        present: Option<Status>,
        word: &str,
    ) -> Result<Status, UnknownStatus> {
        match present.filter(|status| status.as_str() == word) {
            Some(status) => Ok(status),
            None => self.parse(word),
        }
    }

    /// Parses the exact word of a status that pets have, or had before: searches and an undo accept hidden
    /// activities too.
    ///
    /// # Errors
    /// `UnknownStatus`
    pub fn parse_earlier(&self, word: &str) -> Result<Status, UnknownStatus> {
        let statuses = self.statuses().into_iter();
        let mut found = statuses.filter(|status| status.as_str() == word);
        found.next().ok_or_else(|| self.unknown())
    }

    /// Returns the text of a status for people.
    pub fn text(&self, status: Status) -> String {
        if let Some(text) = status.built_in_text() {
            return text.to_owned();
        }
        match self.find(status.as_str()) {
            Some(activity) => activity.name.clone(),
            None => words_of(status.as_str()),
        }
    }

    /// Returns the names that do not follow from their words, as JSON; `None` if there are none.
    pub fn names_json(&self) -> Option<String> {
        let own = self.0.iter();
        let other = own.filter(|activity| activity.name != words_of(&activity.word));
        let names: BTreeMap<&str, &str> = other
            .map(|activity| (&*activity.word, &*activity.name))
            .collect();
        let json = serde_json::to_string(&names).expect("names are text");
        (!names.is_empty()).then_some(json)
    }

    fn unknown(&self) -> UnknownStatus {
        let own = self.choices().into_iter().skip(Status::FOUR.len());
        UnknownStatus {
            own: own.map(|status| status.to_string()).collect(),
        }
    }
}

/// Returns the text of an activity without settings, as an import can bring it: "At the vet". As in `pet.js`.
fn words_of(word: &str) -> String {
    let mut letters = word.chars();
    let first = letters.next().map(|first| first.to_ascii_uppercase());
    let text: String = first.into_iter().chain(letters).collect();
    text.replace('-', " ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn activities() -> Activities {
        let activity = |word: &str, hidden| Activity {
            word: word.to_owned(),
            name: format!("The {word}"),
            stand_in: "playing".to_owned(),
            hidden,
            ..Activity::default()
        };
        Activities(vec![activity("walk", false), activity("vet", true)])
    }

    #[test]
    fn a_hidden_activity_cannot_be_set_and_keeps_its_name() {
        let own = activities();
        assert_eq!(own.parse("walk"), own.parse_earlier("walk"));
        assert_eq!(own.parse("not-set-yet"), Ok(Status::NotSetYet));
        let vet = own.parse_earlier("vet").unwrap();
        assert_eq!((vet.known_word(), &*own.text(vet)), ("playing", "The vet"));
        for word in ["vet", "napping", ""] {
            assert_eq!(
                own.parse(word).unwrap_err().to_string(),
                "status must be one of eating, bathing, sleeping, playing, walk"
            );
        }
    }

    #[test]
    fn an_activity_without_settings_is_shown_by_its_word() {
        let imported = Status::from_fields("playing", Some("at-the-vet")).unwrap();
        assert_eq!(activities().text(imported), "At the vet");
    }
}
