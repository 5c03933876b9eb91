//! Context of the list of the rescue's own activities.

use serde::Serialize;

use crate::model::Activities;

/// The list of activities, for admins.
#[derive(Serialize)]
pub struct ActivitiesPage {
    #[serde(rename = "own")]
    activities: Vec<ActivityView>,
    can_add: bool,
    /// True if hiding an activity makes no room for another one.
    is_full: bool,
    limit: usize,
    limit_with_hidden: usize,
}

#[derive(Serialize)]
struct ActivityView {
    word: String,
    name: String,
    stand_in: String,
    is_hidden: bool,
}

impl ActivitiesPage {
    /// The page with `activities`.
    pub fn new(activities: &Activities) -> Self {
        let all = activities.all().iter();
        let shown = all.clone().filter(|activity| !activity.hidden).count();
        let view = all.map(|activity| ActivityView {
            word: activity.word.clone(),
            name: activity.name.clone(),
            stand_in: activity.stand_in.clone(),
            is_hidden: activity.hidden,
        });
        let is_full = activities.all().len() >= Activities::LIMIT_WITH_HIDDEN;
        ActivitiesPage {
            activities: view.collect(),
            can_add: shown < Activities::LIMIT && !is_full,
            is_full,
            limit: Activities::LIMIT,
            limit_with_hidden: Activities::LIMIT_WITH_HIDDEN,
        }
    }
}
