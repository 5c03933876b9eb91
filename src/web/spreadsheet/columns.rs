//! The columns of a spreadsheet, and the words of their cells.
//!
//! Reads the headers of this program's own file, of ASM3 (`AnimalName`, `ANIMALDOB`) and of Shelterluv
//! (`Date Of Birth`, `Primary Breed`).

use jiff::civil::Date;

use crate::model::{FieldKind, Profile, ProfileField};

/// Headers of each field beside its name and its label, in the order of `Profile::FIELDS`: without case,
/// spaces, "animal" in front and "name" at the end. Earlier ones win: a file with both `state` and `status`
/// has the state in the former.
const OTHER_HEADERS: [&[&str]; Profile::FIELDS.len()] = [
    &[],
    &["type"],
    &["breed1", "primarybreed"],
    &["gender"],
    &["dateofbirth", "dob", "birthdate", "birthday"],
    &[],
    &[],
    &[
        "color",
        "basecolour",
        "basecolor",
        "primarycolour",
        "primarycolor",
    ],
    &[
        "adoptionstatus",
        "status",
        "adoptable",
        "notforadoption",
        "isnotavailableforadoption",
    ],
    &[],
    &[],
    &["description", "bio", "comments"],
    &[
        "intakedate",
        "datebroughtin",
        "entrydate",
        "mostrecententrydate",
    ],
    &["currentlocation", "shelterlocation", "displaylocation"],
];

/// Order of the numbers in dates such as 03/05/2024.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DateOrder {
    /// 31/12/2024.
    DayFirst,
    /// 12/31/2024.
    MonthFirst,
}

/// Returns the column of each field in a file with these headers, in the order of `Profile::FIELDS`.
pub fn find_columns(headers: &[String]) -> [Option<usize>; Profile::FIELDS.len()] {
    let keys: Vec<String> = headers.iter().map(|header| key(header)).collect();
    let mut others = OTHER_HEADERS.iter();
    Profile::FIELDS.each_ref().map(|field| {
        let others = others.next().copied().unwrap_or_default();
        let own = [key(field.name), key(field.label)];
        let mut known = own.iter().map(String::as_str).chain(others.iter().copied());
        known.find_map(|known| keys.iter().position(|key| key == known))
    })
}

/// Returns a cell in the words of `field`; a text that is not understood stays as it is.
pub fn translate(field: &ProfileField, header: &str, cell: &str, dates: DateOrder) -> String {
    let text = cell.trim();
    let (lower, empty) = (text.to_lowercase(), Profile::default());
    let word = match (field.name, field.kind) {
        (_, FieldKind::Choice(_)) if text.is_empty() => Some(field.text(&empty)),
        ("sex", _) => sex(&lower),
        ("size", _) => ["small", "medium", "large"]
            .into_iter()
            .find(|size| lower.contains(size)),
        ("state", _) => state(&key(header), &lower),
        _ => None,
    };
    match (word, field.kind) {
        (Some(word), _) => word.to_owned(),
        (_, FieldKind::Words(_)) => lower.replace(' ', "-").replace(",-", ","),
        (_, FieldKind::Choice(_)) => lower,
        (_, FieldKind::Date | FieldKind::RoughDate) => date(text, dates),
        _ => cell.to_owned(),
    }
}

/// Returns a header without what differs between programs.
fn key(header: &str) -> String {
    let letters = header.chars().filter(|letter| letter.is_alphanumeric());
    let key: String = letters.flat_map(char::to_lowercase).collect();
    let key = key.strip_prefix("animal").unwrap_or(&key);
    let short = key.strip_suffix("name").filter(|short| !short.is_empty());
    short.unwrap_or(key).to_owned()
}

/// Returns the sex; ASM3 writes numbers.
fn sex(text: &str) -> Option<&'static str> {
    let mut words = text.split(|letter: char| !letter.is_alphanumeric());
    words.find_map(|word| match word {
        "female" | "f" | "0" => Some("female"),
        "male" | "m" | "1" => Some("male"),
        "unknown" | "u" | "2" => Some("unknown"),
        _ => None,
    })
}

/// Returns the state. An unknown text has none, so that no pet becomes available by mistake.
fn state(header: &str, text: &str) -> Option<&'static str> {
    let is_inverted = header.contains("not");
    Some(match text {
        "1" | "yes" | "y" | "true" if is_inverted => "not-for-adoption",
        "0" | "no" | "n" | "false" if is_inverted => "available",
        "1" | "yes" | "y" | "true" | "adoptable" => "available",
        "0" | "no" | "n" | "false" => "not-for-adoption",
        "private" => "private",
        _ if [
            "not for adoption",
            "not-for-adoption",
            "not available",
            "unavailable",
            "not adoptable",
        ]
        .iter()
        .any(|not| text.contains(not)) =>
        {
            "not-for-adoption"
        }
        _ if ["hold", "reserve", "pending"]
            .iter()
            .any(|hold| text.contains(hold)) =>
        {
            "on-hold"
        }
        _ if text.starts_with("available") => "available",
        "adopted" | "healthy in home" => "adopted",
        _ => return None,
    })
}

/// Returns a date in the form of the board: from 2024-05-03 00:00:00, 3.5.2024, or 03/05/2024.
fn date(text: &str, order: DateOrder) -> String {
    let day = text.split([' ', 'T']).next().unwrap_or_default();
    let iso = |date: Date| date.to_string();
    if let Ok(date) = day.parse::<Date>()
        && day.len() == 10
    {
        return iso(date);
    }
    let parts: Vec<&str> = day.split(['/', '.']).collect();
    let [first, second, year] = parts[..] else {
        return text.to_owned();
    };
    let is_day_first = day.contains('.') || order == DateOrder::DayFirst;
    let (day, month) = if is_day_first {
        (first, second)
    } else {
        (second, first)
    };
    let date = || {
        let year = year.parse().ok().filter(|_| year.len() == 4)?;
        Date::new(year, month.parse().ok()?, day.parse().ok()?).ok()
    };
    date().map_or_else(|| text.to_owned(), iso)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_field_has_headers_and_its_own_name_and_label_are_among_them() {
        for field in Profile::FIELDS {
            for header in [field.name, field.label] {
                let columns = find_columns(&[header.to_owned()]);
                assert_eq!(columns.iter().flatten().count(), 1, "{header}");
            }
        }
    }

    #[test]
    fn words_of_other_programs_are_translated_and_unknown_ones_stay() {
        for (name, header, cell, expected) in [
            ("sex", "Sex", "Female (Spayed)", "female"),
            ("sex", "ANIMALSEX", "1", "male"),
            ("size", "Size", "Medium (25-59)", "medium"),
            ("size", "SizeName", "Very Large", "large"),
            ("size", "Size", "", "unknown"),
            ("state", "Status", "Available For Adoption", "available"),
            ("state", "Status", "Healthy In Home", "adopted"),
            ("state", "Status", "Adoption Pending", "on-hold"),
            ("state", "Status", "Deceased", "deceased"),
            ("state", "Status", "Unavailable", "not-for-adoption"),
            ("state", "ANIMALNOTFORADOPTION", "1", "not-for-adoption"),
            ("state", "Adoptable", "No", "not-for-adoption"),
            ("state", "state", "on-hold", "on-hold"),
            ("state", "Adoption", "Private", "private"),
            (
                "tags",
                "Good to know",
                "House trained, Good with cats",
                "house-trained,good-with-cats",
            ),
            ("born", "DOB", "03/05/2024", "2024-05-03"),
            ("born", "DOB", "about 2024", "about 2024"),
            ("intake", "Intake", "3.5.2024", "2024-05-03"),
            ("intake", "Intake", "2024-05-03 00:00:00", "2024-05-03"),
            ("intake", "Intake", "05/31/2024", "05/31/2024"),
        ] {
            let field = Profile::FIELDS
                .iter()
                .find(|field| field.name == name)
                .unwrap();
            assert_eq!(
                translate(field, header, cell, DateOrder::DayFirst),
                expected,
                "{cell}"
            );
        }
        let born = &Profile::FIELDS[4];
        assert_eq!(
            translate(born, "DOB", "05/31/2024", DateOrder::MonthFirst),
            "2024-05-31"
        );
    }
}
