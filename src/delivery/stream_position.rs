//! How far a worker is in the hub's stream.

use crate::hub::Hub;
use crate::model::{ActivitiesVersion, Cursor, Timestamp};

/// The position of a worker in the hub's stream.
pub struct StreamPosition {
    /// Every frame up to here was sent to every viewer that is not stalled.
    pub at: Cursor,
    /// Gaps in the history after which every viewer was resynced.
    pub gaps: u64,
    /// When the engine stopped responding, as far as the viewers were told.
    pub stale_since: Option<Timestamp>,
    /// The rescue's own activities, as far as the viewers were told.
    pub activities: Option<ActivitiesVersion>,
}

impl StreamPosition {
    /// Starts at the newest frame. Called after subscribing, so that the stream contains every later
    /// frame.
    pub fn newest(hub: &Hub) -> Self {
        StreamPosition {
            gaps: hub.gaps(),
            at: hub.cursor(),
            stale_since: None,
            activities: hub.activities(),
        }
    }
}
