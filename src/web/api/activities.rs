//! The operation that lists the rescue's own activities.

use std::sync::Arc;

use poem_openapi::payload::Json;
use poem_openapi::{Object, OpenApi};

use super::{Answer, Section};
use crate::model::{ActivitiesVersion, Activity};
use crate::web::Site;

/// The operation on activities. The doc comment of its handler is its description in the document.
pub struct ActivityApi {
    site: Arc<Site>,
}

impl ActivityApi {
    /// Creates the operation.
    pub fn new(site: Arc<Site>) -> Self {
        ActivityApi { site }
    }
}

#[OpenApi]
impl ActivityApi {
    /// The rescue's own activities
    ///
    /// Activities that the rescue added to `eating`, `bathing`, `sleeping` and `playing`, oldest first, hidden
    /// ones included. To set one that is not hidden, send its `word` as `status`. A pet with such an activity has
    /// the word in `activity`, and in `status` the one of the four words that programs without `activity` show.
    #[oai(
        path = "/activities",
        method = "get",
        operation_id = "listActivities",
        tag = "Section::Pets"
    )]
    async fn list_activities(&self) -> Answer<ActivityList> {
        let rescue = self.site.app.rescue();
        let activities = rescue.activities.all().iter();
        Ok(Json(ActivityList {
            activities: activities.map(ActivityObject::new).collect(),
            version: ActivitiesVersion::new(&rescue.activities).map(|version| version.to_string()),
        }))
    }
}

/// The rescue's own activities.
#[derive(Object)]
struct ActivityList {
    activities: Vec<ActivityObject>,
    /// Changes with each edit, as in the messages `hello` and `heartbeat`. Absent without activities.
    #[oai(skip_serializing_if_is_none)]
    version: Option<String>,
}

/// An activity that the rescue added.
#[derive(Object)]
#[oai(rename = "Activity")]
struct ActivityObject {
    /// Word in requests and in the field `activity`. It never changes.
    word: String,
    /// Name that people read.
    name: String,
    /// Word of its built-in icon.
    icon: String,
    /// Colour, for example `#8f2f5f`.
    colour: String,
    /// One of the four words, for programs that do not read `activity`.
    status: String,
    /// True if it cannot be set any more. Pets may still have it.
    hidden: bool,
}

impl ActivityObject {
    fn new(activity: &Activity) -> Self {
        let Activity {
            word,
            name,
            icon,
            colour,
            stand_in,
            hidden,
        } = activity.clone();
        ActivityObject {
            word,
            name,
            icon,
            colour,
            status: stand_in,
            hidden,
        }
    }
}
