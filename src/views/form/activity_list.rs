//! Context of the list of the rescue's own activities.

use serde::Serialize;

use crate::model::Activities;

/// The list of activities, for admins.
#[derive(Serialize)]
pub struct ActivitiesPage {
    #[serde(rename = "own")]
    activities: Vec<ActivityView>,
    can_add: bool,
    limit: usize,
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
        ActivitiesPage {
            activities: view.collect(),
            can_add: shown < Activities::LIMIT
                && activities.all().len() < Activities::LIMIT_WITH_HIDDEN,
            limit: Activities::LIMIT,
        }
    }
}
