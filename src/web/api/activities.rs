//! The operation that lists the rescue's own activities.

use std::sync::Arc;

use poem_openapi::payload::Json;
use poem_openapi::{Object, OpenApi};

use super::{Answer, Section};
use crate::model::Activity;
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
    /// What pets can do beside `eating`, `bathing`, `sleeping` and `playing`, in the order in which it was added.
    /// Set one by its `word`. A pet that does it has the word in its field `activity`, and in `status` the word
    /// that stands in for it.
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
        }))
    }
}

/// The rescue's own activities.
#[derive(Object)]
struct ActivityList {
    activities: Vec<ActivityObject>,
}

/// An activity of the rescue's own.
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
    /// The word that stands in for it where programs know only the four.
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
