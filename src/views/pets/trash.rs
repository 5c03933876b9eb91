//! Context of the page of the trash.

use serde::Serialize;

use crate::model::{Pet, Removal, Timestamp};
use crate::views::staff::counted;
use crate::views::time_text::{Now, TimeView};

/// The pets that were removed in the last 30 days.
#[derive(Serialize)]
pub struct TrashPage {
    pets: Vec<TrashRow>,
    /// Message of the last form.
    pub flash: Option<String>,
}

#[derive(Serialize)]
struct TrashRow {
    id: u64,
    name: String,
    time: TimeView,
    /// Empty if it is not known.
    by: String,
    left: String,
}

impl TrashPage {
    /// Lists pets in the order given.
    pub fn new<'a>(pets: impl Iterator<Item = &'a Pet>, now: &Now) -> Self {
        let removed = pets.filter_map(|pet| Some((pet, pet.removed.as_ref()?)));
        let pets = removed.map(|(pet, removal)| TrashRow {
            id: pet.id.get(),
            name: pet.profile.identity(),
            time: TimeView::new(removal.at, now),
            by: removal.by.clone().unwrap_or_default(),
            left: left(removal, now.at),
        });
        TrashPage {
            pets: pets.collect(),
            flash: None,
        }
    }
}

/// Returns the time until a pet is deleted, in days that have begun.
fn left(removal: &Removal, now: Timestamp) -> String {
    let seconds = removal.ends().since(now).as_secs();
    let days = usize::try_from(seconds.div_ceil(24 * 60 * 60)).unwrap_or(usize::MAX);
    match days {
        0 => "will be deleted soon".to_owned(),
        days => format!("{} left", counted(days, "day", "days")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_that_have_begun_count() {
        let removal = Removal {
            at: Timestamp::from_micros(0),
            by: None,
        };
        for (hours, expected) in [
            (0, "30 days left"),
            (23, "30 days left"),
            (24, "29 days left"),
            (30 * 24 - 1, "1 day left"),
            (30 * 24, "will be deleted soon"),
            (40 * 24, "will be deleted soon"),
        ] {
            let now = Timestamp::from_micros(hours * 3_600_000_000);
            assert_eq!(left(&removal, now), expected);
        }
    }
}
