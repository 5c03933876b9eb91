//! Links the frames of one viewer: each names in `after` the last frame that the viewer was sent before it.
//!
//! A client that has not reached `after` has missed a message. So `after` is never later than the last
//! frame that was sent, and never so early that a lost frame would not be noticed. Bytes are shared where
//! that is possible: by all viewers of everything, and by all viewers of one topic. A frame for several
//! topics, and one after a resync, is encoded for its viewer.

use std::borrow::Cow;

use bytes::Bytes;

use super::topic_filter::TopicFilter;
use crate::model::Rev;
use crate::wire::{Encoding, Frame};

/// The filter of a viewer, and the last frame that it was sent.
#[derive(Clone, Debug)]
pub struct Chain {
    filter: TopicFilter,
    last: Rev,
}

/// The form of a frame for one viewer.
enum Link {
    /// The form for viewers of all topics.
    Shared,
    /// The form for viewers of the frame's topic alone, after this rev.
    OfTopic(Rev),
    /// A form for this viewer alone, after this rev.
    After(Rev),
}

impl Chain {
    /// Starts the chain of a viewer that has received everything up to `start`.
    pub fn new(filter: TopicFilter, start: Rev) -> Self {
        Chain {
            filter,
            last: start,
        }
    }

    /// Returns the topics that the viewer subscribed to.
    pub fn filter(&self) -> &TopicFilter {
        &self.filter
    }

    /// Returns the rev of the last frame, or of the start: the `after` of the next message.
    pub fn last(&self) -> Rev {
        self.last
    }

    /// Returns true if the viewer can be sent `frame` in the form for viewers of all topics.
    pub fn is_followed_by(&self, frame: &Frame) -> bool {
        frame
            .before()
            .is_none_or(|before| before.in_store <= self.last)
    }

    /// Returns the bytes of the next frame.
    pub fn link(&mut self, frame: &Frame, encoding: Encoding) -> Bytes {
        match self.next(frame) {
            Link::Shared => frame.bytes(encoding).clone(),
            Link::OfTopic(_) => frame.topic_bytes(encoding).clone(),
            Link::After(last) => frame.bytes_after(last, encoding),
        }
    }

    /// Returns the JSON of the next frame.
    pub fn link_json<'a>(&mut self, frame: &'a Frame) -> Cow<'a, str> {
        match self.next(frame) {
            Link::Shared => Cow::Borrowed(frame.json()),
            Link::OfTopic(last) | Link::After(last) => Cow::Owned(frame.json_after(last)),
        }
    }

    /// Skips over frames up to `rev` that were sent in the form for viewers of all topics.
    pub fn skip_to(&mut self, rev: Rev) {
        self.last = self.last.max(rev);
    }

    fn next(&mut self, frame: &Frame) -> Link {
        let (last, is_shared) = (self.last, self.is_followed_by(frame));
        self.last = last.max(frame.rev());
        match frame.before() {
            _ if is_shared => Link::Shared,
            Some(before) if self.filter.is_one_topic() && before.in_topic <= last => {
                Link::OfTopic(before.in_topic)
            }
            _ => Link::After(last),
        }
    }
}
