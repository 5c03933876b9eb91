//! The topics that a viewer subscribes to.

use std::sync::Arc;

use crate::wire::Topic;

/// The most topics in one filter; a viewer that wants more subscribes to all of them. Otherwise a
/// request could cost more than a snapshot of the whole board.
pub const FILTER_LIMIT: usize = 100;

/// The topics that a viewer subscribes to.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum TopicFilter {
    /// Every topic.
    All,
    /// Some topics: sorted, distinct, at least one.
    Only(Arc<[Topic]>),
}

/// A request names more pets than `FILTER_LIMIT`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("at most {FILTER_LIMIT} pets can be named; leave `pet` out to watch all of them")]
pub struct TooManyPets;

impl TopicFilter {
    /// Creates the filter for the topics named in a request. None means all.
    ///
    /// # Errors
    /// For more than `FILTER_LIMIT` topics.
    pub fn new(topics: impl IntoIterator<Item = Topic>) -> Result<Self, TooManyPets> {
        let mut topics: Vec<Topic> = topics.into_iter().collect();
        topics.sort_unstable();
        topics.dedup();
        match topics.len() {
            0 => Ok(TopicFilter::All),
            1..=FILTER_LIMIT => Ok(TopicFilter::Only(topics.into())),
            _ => Err(TooManyPets),
        }
    }

    /// Returns true if the filter contains exactly one topic.
    pub fn is_one_topic(&self) -> bool {
        matches!(self, TopicFilter::Only(topics) if topics.len() == 1)
    }

    /// Returns true if the filter contains `topic`.
    pub fn contains(&self, topic: Topic) -> bool {
        match self {
            TopicFilter::All => true,
            TopicFilter::Only(topics) => topics.binary_search(&topic).is_ok(),
        }
    }
}
