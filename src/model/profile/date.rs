//! Dates as people know them: a day, a month, a year, or about a year.

use std::ops::RangeInclusive;

use jiff::civil::Date;

/// The word in front of an estimated date.
pub(super) const ABOUT: &str = "about";

/// Years that a date can have. Tortoises are old.
const YEARS: RangeInclusive<i16> = 1800..=2199;

/// A date that is known as far as somebody wrote it down.
struct RoughDate {
    is_about: bool,
    date: Date,
    /// Years, months and days that are known: 1 to 3.
    parts: usize,
}

impl RoughDate {
    /// Parses `2024-05-03`, `2024-05` or `2024`, perhaps after "about".
    fn parse(text: &str) -> Option<Self> {
        let estimated = text
            .strip_prefix(ABOUT)
            .and_then(|rest| rest.strip_prefix(' '));
        let mut numbers = [1; 3];
        let mut parts = 0;
        for part in estimated.unwrap_or(text).split('-') {
            let digits = if parts == 0 { 4 } else { 2 };
            let is_number = part.len() == digits && part.bytes().all(|byte| byte.is_ascii_digit());
            *numbers.get_mut(parts).filter(|_| is_number)? = part.parse().ok()?;
            parts += 1;
        }
        let [year, month, day] = numbers;
        let (month, day) = (i8::try_from(month).ok()?, i8::try_from(day).ok()?);
        let date = Date::new(year, month, day).ok()?;
        YEARS.contains(&year).then_some(RoughDate {
            is_about: estimated.is_some(),
            date,
            parts,
        })
    }
}

/// Returns true for a date that may be estimated or incomplete.
pub fn is_rough_date(text: &str) -> bool {
    RoughDate::parse(text).is_some()
}

/// Returns true for a whole date.
pub fn is_date(text: &str) -> bool {
    RoughDate::parse(text).is_some_and(|date| date.parts == 3 && !date.is_about)
}

/// Returns a date as people read it: `3 May 2024`, `about May 2024`. Other texts stay as they are.
pub fn date_text(text: &str) -> String {
    let Some(RoughDate {
        is_about,
        date,
        parts,
    }) = RoughDate::parse(text)
    else {
        return text.to_owned();
    };
    let about = if is_about { "about " } else { "" };
    let format = ["%Y", "%B %Y", "%-d %B %Y"][parts - 1];
    format!("{about}{}", date.strftime(format))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_date_is_a_day_a_month_or_a_year_and_may_be_estimated() {
        for (text, shown) in [
            ("2024-05-03", "3 May 2024"),
            ("2024-02-29", "29 February 2024"),
            ("2024-12", "December 2024"),
            ("1999", "1999"),
            ("about 2024", "about 2024"),
            ("about 2024-05", "about May 2024"),
        ] {
            assert!(is_rough_date(text), "{text}");
            assert_eq!(date_text(text), shown);
            assert_eq!(is_date(text), text.len() == 10 && !text.starts_with('a'));
        }
        for text in [
            "",
            "about",
            "about ",
            "24",
            "2024-5",
            "2024-13",
            "2023-02-29",
            "2024-05-03-01",
            "2024-",
            "+024",
            "about  2024",
            "around 2024",
            "3 May 2024",
            "0999",
            "2024-05-03T00",
        ] {
            assert!(!is_rough_date(text), "{text}");
            assert_eq!(date_text(text), text);
        }
    }
}
