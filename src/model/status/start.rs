//! The time when a status begins.

use std::time::Duration;

use crate::model::{FieldError, Timestamp};

/// The time when a status begins that is set now.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum StatusStart {
    /// With the change; if the change confirms the status, when the status began.
    #[default]
    Now,
    /// At a time before: an undo restores the status with its time.
    Restored(Timestamp),
    /// At a time before, but not before the status that precedes it began.
    At(Timestamp),
    /// This many minutes before the change, but not before the status that precedes it began.
    MinutesAgo(u16),
}

impl StatusStart {
    /// The earliest start, in minutes before the change.
    pub const LIMIT_MINUTES: u16 = 24 * 60;

    /// Parses the fields `began` and `minutes_ago`, of which one may be entered.
    ///
    /// # Errors
    /// Both are entered, a time is not RFC 3339, or the start is not within the last 24 hours.
    pub fn parse(began: Option<&str>, minutes_ago: Option<&str>) -> Result<Self, FieldError> {
        let invalid = |field, message: &str| Err(FieldError::new(field, message));
        match (began, minutes_ago) {
            (None, None) => Ok(StatusStart::Now),
            (Some(_), Some(_)) => invalid("began", "Use either began or minutes_ago."),
            (None, Some(minutes)) => match minutes.parse() {
                Ok(minutes) if minutes <= StatusStart::LIMIT_MINUTES => {
                    Ok(StatusStart::MinutesAgo(minutes))
                }
                _ => invalid(
                    "minutes_ago",
                    &format!(
                        "Use a whole number of minutes from 0 to {}.",
                        StatusStart::LIMIT_MINUTES
                    ),
                ),
            },
            (Some(text), None) => {
                let Some(began) = Timestamp::from_rfc_3339(text) else {
                    return invalid("began", Timestamp::RFC_3339_MESSAGE);
                };
                let (now, limit) = (Timestamp::now(), StatusStart::LIMIT_MINUTES);
                if began > now {
                    return invalid("began", "Use a time that is not in the future.");
                }
                if now.since(began) > Duration::from_mins(limit.into()) {
                    return invalid("began", "Use a time within the last 24 hours.");
                }
                Ok(StatusStart::At(began))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_start_is_a_time_or_minutes_of_the_last_24_hours() {
        let parse = StatusStart::parse;
        assert_eq!(parse(None, None), Ok(StatusStart::Now));
        assert_eq!(parse(None, Some("0")), Ok(StatusStart::MinutesAgo(0)));
        assert_eq!(parse(None, Some("1440")), Ok(StatusStart::MinutesAgo(1440)));
        for minutes in ["", "1441", "-1", "1.5", "+", "65536", "20 "] {
            assert_eq!(parse(None, Some(minutes)).unwrap_err().field, "minutes_ago");
        }
        let now = Timestamp::now();
        let began = now.minutes_before(1439);
        assert_eq!(
            parse(Some(&began.to_string()), None),
            Ok(StatusStart::At(began))
        );
        let (early, late) = (now.minutes_before(1441), "9999-01-01T00:00:00Z");
        for began in ["", "14:05", "20 minutes ago", late, &early.to_string()] {
            assert_eq!(
                parse(Some(began), None).unwrap_err().field,
                "began",
                "{began}"
            );
        }
        assert!(parse(Some(&began.to_string()), Some("20")).is_err());
    }
}
