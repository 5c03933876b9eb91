//! The bodies of answers to polls: `{"cursor":…,"messages":[…]}`.

use std::time::Duration;

use bytes::Bytes;

use super::super::close_reason::bye;
use super::super::heartbeat_range::whole_ms;
use super::super::slots::Transport;
use super::super::timers::keep_alive;
use crate::hub::{Chain, Hub, TopicFilter};
use crate::model::{Cursor, Timestamp};
use crate::wire::{Frame, Message, SnapshotForm};

/// The properties of a poll on which its answer depends. Polls with the same key share an answer.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct PollKey {
    /// The cursor that the poll starts from.
    pub start: Cursor,
    /// The topics that the viewer subscribed to.
    pub filter: TopicFilter,
    /// The form in which the viewer receives snapshots.
    pub form: SnapshotForm,
    /// The longest time between two messages, which hello names.
    pub heartbeat: Duration,
    /// The address at which the viewer follows the log, because the server has no slot for it.
    pub log: Option<String>,
}

impl PollKey {
    /// Encodes an answer with `frames`, for a viewer that has everything up to `reaches` then. A heartbeat
    /// says so if other pets changed last: the cursor of an answer is always that of its last message,
    /// because the next message names it in `after`.
    pub fn encode_frames(
        &self,
        hub: &Hub,
        frames: &[Frame],
        reaches: Cursor,
        stale_since: Option<Timestamp>,
    ) -> Bytes {
        let mut chain = Chain::new(self.filter.clone(), self.start.rev);
        let mut messages = self.hello(hub);
        for frame in frames {
            push(&mut messages, &chain.link_json(frame));
        }
        let named = Cursor {
            rev: chain.last(),
            ..reaches
        };
        if named == reaches || stale_since.is_some() {
            return finish(&messages, named);
        }
        push(&mut messages, &keep_alive(reaches, named, None).to_json());
        finish(&messages, reaches)
    }

    /// Encodes an answer without changes: `heartbeat`, or `stale` if the engine does not respond.
    pub fn encode_keep_alive(
        &self,
        hub: &Hub,
        reaches: Cursor,
        stale_since: Option<Timestamp>,
    ) -> Bytes {
        let mut messages = self.hello(hub);
        let message = keep_alive(reaches, self.start, stale_since);
        push(&mut messages, &message.to_json());
        let is_stale = stale_since.is_some();
        finish(&messages, if is_stale { self.start } else { reaches })
    }

    /// Encodes the answer of a server that stops.
    pub fn encode_bye(&self, hub: &Hub, retry_ms: u64) -> Bytes {
        let mut messages = self.hello(hub);
        push(&mut messages, &bye("stopping", retry_ms).to_json());
        finish(&messages, self.start)
    }

    fn hello(&self, hub: &Hub) -> String {
        let mut hello = hello(hub, Transport::Poll, self.start, self.heartbeat);
        if let Message::Hello { log, .. } = &mut hello {
            *log = self.log.as_deref();
        }
        hello.to_json()
    }
}

/// Returns the first message of every connection, which sends something at least once per `heartbeat`.
pub fn hello(
    hub: &Hub,
    transport: Transport,
    cursor: Cursor,
    heartbeat: Duration,
) -> Message<'static> {
    Message::Hello {
        cursor,
        transport: transport.as_str(),
        heartbeat_ms: whole_ms(heartbeat),
        server_time: Timestamp::now(),
        activities: hub.activities(),
        log: None,
    }
}

fn push(messages: &mut String, json: &str) {
    messages.push(',');
    messages.push_str(json);
}

fn finish(messages: &str, cursor: Cursor) -> Bytes {
    format!(r#"{{"cursor":"{cursor}","messages":[{messages}]}}"#).into()
}
