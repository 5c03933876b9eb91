//! Validates and applies what an admin enters for an activity.

use super::super::super::{FieldError, OwnActivity, Status, check_line, fold, is_invisible};
use super::super::Accent;
use super::{Activities, Activity, ActivityIcon};

/// An activity as an admin entered it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ActivityInput {
    /// Name that people read.
    pub name: String,
    /// Word of the icon.
    pub icon: String,
    /// Colour, as six hex digits after a `#`.
    pub colour: String,
    /// The one of the four words for clients that know no others.
    pub stand_in: String,
    /// True if the activity cannot be set any more.
    pub hidden: bool,
}

impl ActivityInput {
    /// The most characters of a name, which fits on a button.
    pub const NAME_LIMIT: usize = 20;

    /// Returns the values of an empty form, with a colour that none of the four statuses has.
    pub fn blank() -> Self {
        ActivityInput {
            icon: ActivityIcon::ALL[0].word.to_owned(),
            colour: "#8f2f5f".to_owned(),
            stand_in: Status::Playing.known_word().to_owned(),
            ..ActivityInput::default()
        }
    }

    /// Returns the values of the form for `activity`.
    pub fn from_activity(activity: &Activity) -> Self {
        ActivityInput {
            name: activity.name.clone(),
            icon: activity.icon.clone(),
            colour: activity.colour.clone(),
            stand_in: activity.stand_in.clone(),
            hidden: activity.hidden,
        }
    }
}

impl Activities {
    /// Returns the activities with a new one. Its word is made of its name, and never changes.
    ///
    /// # Errors
    /// Names every field that breaks its rule.
    pub fn with_new(&self, input: &ActivityInput) -> Result<Self, Vec<FieldError>> {
        let mut changed = self.clone();
        // The same form, sent twice.
        if self
            .0
            .iter()
            .any(|activity| ActivityInput::from_activity(activity) == *input)
        {
            return Ok(changed);
        }
        changed.0.push(Activity {
            word: self.new_word(&input.name),
            ..Activity::default()
        });
        changed.set_last(input)
    }

    /// Returns the activities with an edit of the one with the word `word`; `None` if there is none.
    ///
    /// # Errors
    /// Names every field that breaks its rule.
    pub fn with_edit(
        &self,
        word: &str,
        input: &ActivityInput,
    ) -> Option<Result<Self, Vec<FieldError>>> {
        let place = self.0.iter().position(|activity| activity.word == word)?;
        let mut others = self.clone();
        let edited = others.0.remove(place);
        others.0.push(edited);
        Some(others.set_last(input).map(|mut changed| {
            changed.0[place..].rotate_right(1);
            changed
        }))
    }

    /// Describes the activity that differs from those of `before`, for the activity log; `None` if none does.
    pub fn describe_edit(&self, before: &Activities) -> Option<String> {
        let changed = self
            .0
            .iter()
            .find(|activity| !before.0.contains(activity))?;
        let name = &changed.name;
        let Some(was) = before.find(&changed.word) else {
            return Some(format!("added the activity {name}"));
        };
        let fields = [
            ("name", &was.name, name),
            ("icon", &was.icon, &changed.icon),
            ("colour", &was.colour, &changed.colour),
            ("stand-in", &was.stand_in, &changed.stand_in),
        ];
        let fields = fields.into_iter().filter(|(_, was, now)| was != now);
        let mut edits: Vec<String> = fields
            .map(|(field, was, now)| format!("{field} from {was} to {now}"))
            .collect();
        if was.hidden != changed.hidden {
            edits.push(
                if changed.hidden {
                    "hidden"
                } else {
                    "shown again"
                }
                .to_owned(),
            );
        }
        let edits = edits.join(", ");
        Some(format!("changed the activity {}: {edits}", was.name))
    }

    /// Validates the activities of a record by the rules of their form.
    ///
    /// # Errors
    /// Names a field that breaks its rule.
    pub fn validated(&self) -> Result<Self, Vec<FieldError>> {
        let mut validated = Activities::default();
        for activity in &self.0 {
            let is_word = OwnActivity::new(&activity.word, Status::Playing.known_word()).is_some();
            if !is_word || validated.find(&activity.word).is_some() {
                return Err(vec![FieldError::new(
                    "word",
                    "Use 1 to 24 lower-case letters, digits and dashes, and a word that no other status has.",
                )]);
            }
            validated.0.push(activity.clone());
            validated = validated.set_last(&ActivityInput::from_activity(activity))?;
        }
        Ok(validated)
    }

    /// Sets the fields of the last activity.
    fn set_last(mut self, input: &ActivityInput) -> Result<Self, Vec<FieldError>> {
        let last = self.0.pop().unwrap_or_default();
        let (name, mut errors) = (input.name.trim(), Vec::new());
        if let Err(message) = self.check_name(name) {
            errors.push(FieldError::new("name", message));
        }
        if ActivityIcon::find(&input.icon).is_none() {
            errors.push(FieldError::new("icon", "Choose one of the options."));
        }
        let colour = match input.colour.trim().parse::<Accent>() {
            Ok(colour) => colour.to_string(),
            Err(message) => {
                errors.push(FieldError::new("colour", message));
                String::new()
            }
        };
        let is_known = |status: Status| status.known_word() == input.stand_in;
        if !Status::FOUR.into_iter().any(is_known) {
            errors.push(FieldError::new("stand-in", "Choose one of the options."));
        }
        if let Err((field, message)) = self.check_room(input.hidden, last.name.is_empty()) {
            errors.push(FieldError::new(field, message));
        }
        self.0.push(Activity {
            word: last.word,
            name: name.to_owned(),
            icon: input.icon.clone(),
            colour,
            stand_in: input.stand_in.clone(),
            hidden: input.hidden,
        });
        if errors.is_empty() {
            Ok(self)
        } else {
            Err(errors)
        }
    }

    fn check_name(&self, name: &str) -> Result<(), String> {
        if name.chars().all(is_invisible) {
            return Err("Enter a name, for example \u{201c}At the vet\u{201d}.".to_owned());
        }
        check_line(name, ActivityInput::NAME_LIMIT)?;
        let own = self.0.iter().map(|activity| fold(&activity.name));
        let built_in = Status::BUILT_IN
            .iter()
            .filter_map(|status| status.built_in_text());
        if own
            .chain(built_in.map(fold))
            .any(|other| other == fold(name))
        {
            return Err("There is already an activity with this name.".to_owned());
        }
        Ok(())
    }

    /// Checks that there is room for one more.
    fn check_room(&self, is_hidden: bool, is_new: bool) -> Result<(), (&'static str, String)> {
        let shown = self.0.iter().filter(|activity| !activity.hidden).count();
        let field = if is_new { "name" } else { "hidden" };
        if self.0.len() >= Activities::LIMIT_WITH_HIDDEN {
            let limit = Activities::LIMIT_WITH_HIDDEN;
            let message = format!(
                "There are already {limit} activities, counting hidden ones. Rename a hidden one instead."
            );
            return Err((field, message));
        }
        if !is_hidden && shown >= Activities::LIMIT {
            let limit = Activities::LIMIT;
            return Err((
                field,
                format!("There are already {limit} activities. Hide one first."),
            ));
        }
        Ok(())
    }

    /// Makes a word of a name: `At the vet` is `at-the-vet`. A number tells it from others.
    fn new_word(&self, name: &str) -> String {
        let folded = fold(name);
        let parts = folded.split(|letter: char| !letter.is_ascii_alphanumeric());
        let parts: Vec<&str> = parts.filter(|part| !part.is_empty()).collect();
        let name = if parts.is_empty() {
            "activity".to_owned()
        } else {
            parts.join("-")
        };
        let numbers = (2..).map(|number| format!("-{number}"));
        let mut words = [String::new()].into_iter().chain(numbers).map(|end| {
            let length = name.len().min(OwnActivity::WORD_LIMIT - end.len());
            format!("{}{end}", name[..length].trim_end_matches('-'))
        });
        let is_free = |word: &String| {
            OwnActivity::new(word, Status::Playing.known_word()).is_some()
                && self.find(word).is_none()
        };
        words.find(is_free).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(name: &str) -> ActivityInput {
        ActivityInput {
            name: name.to_owned(),
            ..ActivityInput::blank()
        }
    }

    fn with(names: &[&str]) -> Activities {
        let add = |own: Activities, name: &&str| own.with_new(&named(name)).unwrap();
        names.iter().fold(Activities::default(), add)
    }

    fn fields(result: Result<Activities, Vec<FieldError>>) -> Vec<&'static str> {
        result
            .unwrap_err()
            .iter()
            .map(|error| error.field)
            .collect()
    }

    #[test]
    fn a_word_is_made_of_the_name_and_survives_a_new_name() {
        let long = "\u{df}".repeat(20);
        let own = with(&[
            "At the vet",
            "\u{c0} la v\u{e9}to!",
            "\u{6563}\u{6b69}",
            "\u{6563}",
            "Gone",
            &long,
        ]);
        let words: Vec<&str> = own.all().iter().map(|activity| &*activity.word).collect();
        let expected = [
            "at-the-vet",
            "a-la-veto",
            "activity",
            "activity-2",
            "gone-2",
            "ssssssssssssssssssssssss",
        ];
        assert_eq!(words, expected);
        let renamed = own
            .with_edit("at-the-vet", &named("Clinic"))
            .unwrap()
            .unwrap();
        assert_eq!(
            (&*renamed.all()[0].word, &*renamed.all()[0].name),
            ("at-the-vet", "Clinic")
        );
        assert_eq!(renamed.all()[1..], own.all()[1..]);
        assert_eq!(own.with_edit("gone", &named("x")), None);
        assert_eq!(renamed.validated(), Ok(renamed.clone()));
    }

    #[test]
    fn a_wrong_field_of_a_record_is_named() {
        for (field, value) in [
            ("word", "gone"),
            ("word", "a b"),
            ("stand-in", "not-set-yet"),
        ] {
            let mut own = with(&["At the vet"]);
            let activity = &mut own.0[0];
            match field {
                "word" => activity.word = value.to_owned(),
                _ => activity.stand_in = value.to_owned(),
            }
            assert_eq!(fields(own.validated()), [field], "{value}");
        }
        let mut own = with(&["At the vet", "Walk"]);
        own.0[1].word = "at-the-vet".to_owned();
        assert_eq!(fields(own.validated()), ["word"]);
    }

    #[test]
    fn every_wrong_field_is_named() {
        let own = with(&["Walk"]);
        let wrong = ActivityInput {
            name: " ".to_owned(),
            icon: "horse".to_owned(),
            colour: "#ffff00".to_owned(),
            stand_in: "not-set-yet".to_owned(),
            hidden: false,
        };
        assert_eq!(
            fields(own.with_new(&wrong)),
            ["name", "icon", "colour", "stand-in"]
        );
        for name in [
            "WALK",
            "Eating",
            "not set yet",
            "a\u{202e}b",
            &"x".repeat(21),
        ] {
            assert_eq!(fields(own.with_new(&named(name))), ["name"], "{name}");
        }
        let same = own.with_edit("walk", &named("walk"));
        assert!(same.unwrap().is_ok());
    }

    #[test]
    fn a_thirteenth_activity_needs_one_that_is_hidden() {
        let names: Vec<String> = (1..=12).map(|number| format!("Walk {number}")).collect();
        let own = with(&names.iter().map(String::as_str).collect::<Vec<_>>());
        assert_eq!(fields(own.with_new(&named("Walk 13"))), ["name"]);
        let hide = ActivityInput {
            hidden: true,
            ..named("Walk 1")
        };
        let own = own.with_edit("walk-1", &hide).unwrap().unwrap();
        let own = own.with_new(&named("Walk 13")).unwrap();
        assert_eq!(
            fields(own.with_edit("walk-1", &named("Walk 1")).unwrap()),
            ["hidden"]
        );
        assert_eq!(own.validated(), Ok(own.clone()));
    }
}
