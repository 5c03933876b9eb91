//! Views of the board: which pets, in which order, and which page of them.
//!
//! A view is part of an address, `/pets?q=&species=&doing=&state=&tag=&sort=&page=`. `parse` reads one, and
//! `pairs` writes it in its one spelling. `select` finds the pets of a view.

mod select;

use std::fmt;

pub use self::select::PetPage;
use super::{Activities, AdoptionState, Status, Tags};

/// A view of the board. The default is the first page of all pets.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PetQuery {
    /// Words that all have to be in the names or the details of a pet.
    pub text: String,
    /// Species, as somebody wrote it.
    pub species: String,
    /// Status of the pets.
    pub doing: Option<Status>,
    /// Progress of the adoption.
    pub state: Option<AdoptionState>,
    /// Tags that the pets have, all of them.
    pub tags: Vec<&'static str>,
    /// Order of the pets.
    pub sort: PetSort,
    /// Number of the page before this one: 0 for the first page.
    pub pages_before: usize,
}

/// Order of pets. Pets that are equal in it are in the order of their ids.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum PetSort {
    /// The pet that was added first comes first.
    #[default]
    Oldest,
    /// The pet that was added last comes first.
    Newest,
    /// By name, without regard to case and accents.
    Name,
    /// The pet whose status changed last comes first.
    Changed,
}

/// A parameter of an address that is not used, since its value is not one of those that it may have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QueryProblem {
    /// Name of the parameter.
    pub name: &'static str,
    /// The allowed values, after "must be".
    pub allowed: String,
}

impl fmt::Display for QueryProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} must be {}.", self.name, self.allowed)
    }
}

impl PetSort {
    /// Each word used in addresses, with the text shown to people.
    pub const CHOICES: &'static [(&'static str, &'static str)] = &[
        ("oldest", "Longest here first"),
        ("newest", "Newest first"),
        ("name", "By name"),
        ("changed", "Latest change first"),
    ];

    const ALL: [PetSort; 4] = [
        PetSort::Oldest,
        PetSort::Newest,
        PetSort::Name,
        PetSort::Changed,
    ];

    /// Returns the word used in addresses.
    pub const fn as_str(self) -> &'static str {
        PetSort::CHOICES[self as usize].0
    }
}

impl PetQuery {
    /// Parameters of a view. Others belong to somebody else, and are ignored.
    pub const NAMES: [&'static str; 7] = ["q", "species", "doing", "state", "tag", "sort", "page"];

    /// The most characters of a search, and of a species.
    pub const TEXT_LIMIT: usize = 80;

    /// The highest number of a page.
    pub const PAGE_LIMIT: usize = 1_000_000;

    /// Parses the parameters of an address. An empty value counts as left out, as forms send it; of two
    /// values, the last one counts, except for tags. A value that is not allowed is left out, with a
    /// problem.
    ///
    /// `activities` are those of the rescue.
    pub fn parse<'a>(
        pairs: impl IntoIterator<Item = (&'a str, &'a str)>,
        activities: &Activities,
    ) -> (Self, Vec<QueryProblem>) {
        let mut query = PetQuery::default();
        let mut problems = Vec::new();
        for (name, value) in pairs {
            let Some(name) = PetQuery::NAMES.into_iter().find(|known| *known == name) else {
                continue;
            };
            let is_text = matches!(name, "q" | "species");
            let value = if is_text { value.trim() } else { value };
            if value.is_empty() {
                continue;
            }
            if let Err(allowed) = query.set(name, value, activities) {
                problems.push(QueryProblem { name, allowed });
            }
        }
        (query, problems)
    }

    /// Sets a parameter.
    ///
    /// # Errors
    /// Names the allowed values.
    fn set(&mut self, name: &str, value: &str, activities: &Activities) -> Result<(), String> {
        match name {
            "q" => self.text = short(value)?,
            "species" => self.species = short(value)?,
            "doing" => {
                let statuses = activities.statuses();
                let statuses = statuses.iter().map(|status| (status.as_str(), *status));
                self.doing = Some(choose(value, statuses)?);
            }
            "state" => {
                let words = AdoptionState::CHOICES.iter().map(|(word, _)| *word);
                let states = words.map(|word| (word, AdoptionState::parse_or_default(word)));
                self.state = Some(choose(value, states)?);
            }
            "tag" => {
                let tags = Tags::CHOICES.iter().map(|(tag, _)| (*tag, *tag));
                let tag = choose(value, tags)?;
                if !self.tags.contains(&tag) {
                    self.tags.push(tag);
                }
            }
            "sort" => self.sort = choose(value, PetSort::ALL.map(|sort| (sort.as_str(), sort)))?,
            _ => {
                let number = value.parse::<usize>().ok();
                let number = number.filter(|number| (1..=PetQuery::PAGE_LIMIT).contains(number));
                let limit = PetQuery::PAGE_LIMIT;
                let number = number.ok_or(format!("a whole number from 1 to {limit}"))?;
                self.pages_before = number - 1;
            }
        }
        Ok(())
    }

    /// Returns the parameters of the view, without those that have their default.
    pub fn pairs(&self) -> Vec<(&'static str, String)> {
        let mut pairs = Vec::new();
        let mut put = |name, value: &str| {
            if !value.is_empty() {
                pairs.push((name, value.to_owned()));
            }
        };
        put("q", &self.text);
        put("species", &self.species);
        put("doing", self.doing.as_ref().map_or("", Status::as_str));
        put("state", self.state.map_or("", AdoptionState::as_str));
        for tag in &self.tags {
            put("tag", tag);
        }
        if self.sort != PetSort::default() {
            put("sort", self.sort.as_str());
        }
        if self.pages_before > 0 {
            put("page", &(self.pages_before + 1).to_string());
        }
        pairs
    }

    /// Returns true if the view is a page of all pets.
    pub fn has_all_pets(&self) -> bool {
        let all = PetQuery {
            sort: self.sort,
            pages_before: self.pages_before,
            ..PetQuery::default()
        };
        *self == all
    }

    /// Returns true if the view is a page of all pets in the order of their ids.
    pub fn is_plain(&self) -> bool {
        self.has_all_pets() && self.sort == PetSort::default()
    }

    /// Returns another page of the same pets.
    pub fn at_page(&self, pages_before: usize) -> Self {
        PetQuery {
            pages_before,
            ..self.clone()
        }
    }

    /// Returns the first page of the pets of this view that are doing something else, or anything.
    pub fn with_doing(&self, doing: Option<Status>) -> Self {
        PetQuery {
            doing,
            ..self.at_page(0)
        }
    }
}

/// Checks the length of a text.
fn short(value: &str) -> Result<String, String> {
    if value.chars().count() <= PetQuery::TEXT_LIMIT {
        return Ok(value.to_owned());
    }
    let limit = PetQuery::TEXT_LIMIT;
    Err(format!("at most {limit} characters long"))
}

/// Returns the value with the word `word`.
fn choose<'a, T>(
    word: &str,
    choices: impl IntoIterator<Item = (&'a str, T), IntoIter: Clone>,
) -> Result<T, String> {
    let choices = choices.into_iter();
    let chosen = choices.clone().find(|(known, _)| *known == word);
    chosen.map(|(_, value)| value).ok_or_else(|| {
        let words: Vec<&str> = choices.map(|(known, _)| known).collect();
        format!("one of {}", words.join(", "))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_view_has_one_spelling_and_is_read_back() {
        let pairs = [
            ("page", "3"),
            ("sort", "name"),
            ("tag", "special-needs"),
            ("tag", "good-with-cats"),
            ("tag", "special-needs"),
            ("doing", "eating"),
            ("doing", "playing"),
            ("state", "on-hold"),
            ("species", " Dog "),
            ("q", "b\u{fc}x & x"),
            ("utm_source", "x"),
        ];
        let (query, problems) = PetQuery::parse(pairs, &Activities::default());
        assert_eq!(problems, []);
        let written = query.pairs();
        let expected = [
            ("q", "b\u{fc}x & x"),
            ("species", "Dog"),
            ("doing", "playing"),
            ("state", "on-hold"),
            ("tag", "special-needs"),
            ("tag", "good-with-cats"),
            ("sort", "name"),
            ("page", "3"),
        ];
        assert_eq!(
            written,
            expected.map(|(name, value)| (name, value.to_owned()))
        );
        let again = written.iter().map(|(name, value)| (*name, value.as_str()));
        assert_eq!(
            PetQuery::parse(again, &Activities::default()),
            (query, Vec::new())
        );
    }

    #[test]
    fn a_form_that_was_left_empty_is_the_whole_board() {
        let (query, problems) = PetQuery::parse(
            PetQuery::NAMES.map(|name| (name, "")),
            &Activities::default(),
        );
        assert_eq!((query, problems), (PetQuery::default(), Vec::new()));
        let (query, _) =
            PetQuery::parse([("sort", "oldest"), ("page", "1")], &Activities::default());
        assert!(query.pairs().is_empty() && query.is_plain());
    }

    #[test]
    fn a_value_that_is_not_allowed_is_left_out_with_a_reason() {
        let long = "x".repeat(PetQuery::TEXT_LIMIT + 1);
        for (name, value, reason) in [
            (
                "doing",
                "flying",
                "doing must be one of eating, bathing, sleeping, playing, not-set-yet.",
            ),
            (
                "state",
                "lost",
                "state must be one of available, on-hold, adopted, not-for-adoption, private.",
            ),
            (
                "sort",
                "colour",
                "sort must be one of oldest, newest, name, changed.",
            ),
            (
                "page",
                "0",
                "page must be a whole number from 1 to 1000000.",
            ),
            (
                "page",
                "-1",
                "page must be a whole number from 1 to 1000000.",
            ),
            (
                "page",
                "9999999999999999999999",
                "page must be a whole number from 1 to 1000000.",
            ),
            ("q", &long, "q must be at most 80 characters long."),
        ] {
            let (query, problems) =
                PetQuery::parse([(name, value), ("species", "cat")], &Activities::default());
            assert_eq!(problems.len(), 1, "{name}={value}");
            assert_eq!(problems[0].to_string(), reason);
            assert_eq!(query.pairs(), [("species", "cat".to_owned())]);
        }
        assert_eq!(
            PetQuery::parse([("tag", "flies")], &Activities::default()).1[0].name,
            "tag"
        );
    }
}
