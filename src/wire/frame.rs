//! Encodes a message once for every transport.

#[cfg(test)]
mod tests;

use std::fmt::Write;
use std::sync::{Arc, OnceLock};

use bytes::Bytes;

use super::encoded::{EncodedJson, encode_json};
use super::encoding::Encoding;
use super::json::to_ascii;
use super::message::{Message, SnapshotPet};
use super::topic::Topic;
use crate::model::{Change, ChangeKind, Cursor, Epoch, Pet, Rev, Timestamp};

/// A message with a change or a snapshot, encoded for every transport. Cloning shares the bytes.
#[derive(Clone, Debug)]
pub struct Frame(Arc<EncodedMessage>);

/// The kind of message in a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FrameKind {
    /// A status was set or confirmed.
    Status,
    /// A pet was created or edited.
    Pet,
    /// A pet was removed, or is private now.
    Gone,
    /// The status of every pet.
    Snapshot,
}

impl FrameKind {
    /// The `type` of the message.
    const fn name(self) -> &'static str {
        match self {
            FrameKind::Status => "status",
            FrameKind::Pet => "pet",
            FrameKind::Gone => "gone",
            FrameKind::Snapshot => "snapshot",
        }
    }
}

/// The form in which a viewer receives snapshots.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum SnapshotForm {
    /// One message of any length.
    #[default]
    Whole,
    /// Messages of at most 16 KiB.
    Parts,
}

/// The longest message of a snapshot in parts, with the bytes that a transport adds. Some clients limit
/// a line or a message to 32 KiB (Go's websocket, aiohttp, `websockets`).
const PART_BYTES: usize = 16 * 1024;

/// An upper bound on the bytes of such a message beside its pets.
const ENVELOPE_BYTES: usize = 256;

/// The changes before a change. A message names one of them in `after`, so that a viewer notices if it
/// missed a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Predecessors {
    /// The change of the store before, for viewers of all topics.
    pub in_store: Rev,
    /// The change of the same topic before, for viewers of this topic alone. `Rev::ZERO` if there is none.
    pub in_topic: Rev,
}

impl Predecessors {
    /// Names the same change twice, where that of the topic is not known.
    pub const fn both(rev: Rev) -> Self {
        Predecessors {
            in_store: rev,
            in_topic: rev,
        }
    }
}

#[derive(Debug)]
struct EncodedMessage {
    /// The cursor of a viewer that has received this frame.
    cursor: Cursor,
    kind: FrameKind,
    change: Option<FrameChange>,
    /// The message. The `after` of a change is `in_store`.
    encoded: EncodedJson,
    /// Length of the JSON object, with which the WebSocket frame ends.
    json_bytes: usize,
    /// The message with `in_topic` as its `after`. Encoded when the first viewer needs it.
    for_topic: OnceLock<Box<EncodedJson>>,
}

/// The properties of a frame that carries a change.
#[derive(Clone, Copy, Debug)]
struct FrameChange {
    topic: Topic,
    committed_at: Timestamp,
    before: Predecessors,
    /// Length of the JSON up to `after`, which is its last field.
    open_bytes: usize,
}

impl Frame {
    /// Encodes `change`, which is announced and comes after the changes `before`.
    pub fn from_change(epoch: Epoch, change: &Change, before: Predecessors) -> Self {
        let kind = match change.kind {
            _ if !change.visibility.is_public() => FrameKind::Gone,
            ChangeKind::Status(_) | ChangeKind::StatusSince(..) => FrameKind::Status,
            ChangeKind::Pet(ref pet) if pet.is_in_trash() => FrameKind::Gone,
            ChangeKind::Pet(_) => FrameKind::Pet,
            ChangeKind::Gone(_) => FrameKind::Gone,
        };
        let cursor = Cursor {
            epoch,
            rev: change.rev,
        };
        let mut json = Message::from_change(epoch, change).to_json();
        // The object is closed again after its last field, `after`.
        json.pop();
        let properties = FrameChange {
            topic: change.pet.into(),
            committed_at: change.at,
            before,
            open_bytes: json.len(),
        };
        let rev = before.in_store;
        push_after(&mut json, Cursor { epoch, rev });
        Frame::new(cursor, kind, Some(properties), Some(cursor), &json)
    }

    /// Encodes the status of `pets` at `rev`.
    pub fn from_snapshot<'a>(
        epoch: Epoch,
        rev: Rev,
        pets: impl IntoIterator<Item = &'a Pet>,
    ) -> Self {
        let cursor = Cursor { epoch, rev };
        let pets = pets.into_iter().map(SnapshotPet::new).collect();
        let json = Message::Snapshot { cursor, pets }.to_json();
        Frame::new(cursor, FrameKind::Snapshot, None, Some(cursor), &json)
    }

    /// Encodes a snapshot as messages of at most `PART_BYTES`, for clients that limit messages. Only
    /// the last has the cursor as its SSE id: a client that reconnects before that must start over.
    pub fn from_snapshot_in_parts<'a>(
        epoch: Epoch,
        rev: Rev,
        pets: impl IntoIterator<Item = &'a Pet>,
    ) -> Vec<Self> {
        let cursor = Cursor { epoch, rev };
        let mut groups = vec![String::new()];
        for pet in pets {
            let entry = to_ascii(&SnapshotPet::new(pet));
            let group = groups.last_mut().filter(|group| {
                group.is_empty() || group.len() + entry.len() + ENVELOPE_BYTES < PART_BYTES
            });
            match group {
                Some(group) if group.is_empty() => *group = entry,
                Some(group) => {
                    group.push(',');
                    group.push_str(&entry);
                }
                None => groups.push(entry),
            }
        }
        let parts = groups.len();
        let frames = groups.into_iter().zip(1..).map(|(pets, part)| {
            let json = format!(
                r#"{{"type":"snapshot","cursor":"{cursor}","part":{part},"parts":{parts},"pets":[{pets}]}}"#
            );
            let id = (part == parts).then_some(cursor);
            Frame::new(cursor, FrameKind::Snapshot, None, id, &json)
        });
        frames.collect()
    }

    /// Encodes a message that is JSON already. `id` becomes the id of the SSE event.
    fn new(
        cursor: Cursor,
        kind: FrameKind,
        change: Option<FrameChange>,
        id: Option<Cursor>,
        json: &str,
    ) -> Self {
        Frame(Arc::new(EncodedMessage {
            encoded: EncodedJson::new(id, kind.name(), json),
            json_bytes: json.len(),
            cursor,
            kind,
            change,
            for_topic: OnceLock::new(),
        }))
    }

    /// Returns the rev of a viewer that has received this frame.
    pub fn rev(&self) -> Rev {
        self.0.cursor.rev
    }

    /// Returns the kind of message.
    pub fn kind(&self) -> FrameKind {
        self.0.kind
    }

    /// Returns the topic of the change, or `None` for a snapshot.
    pub fn topic(&self) -> Option<Topic> {
        Some(self.0.change?.topic)
    }

    /// Returns when the change was committed, or `None` for a snapshot.
    pub fn committed_at(&self) -> Option<Timestamp> {
        Some(self.0.change?.committed_at)
    }

    /// Returns the changes before this one, or `None` for a snapshot.
    pub fn before(&self) -> Option<Predecessors> {
        Some(self.0.change?.before)
    }

    /// Returns the JSON object for viewers of all topics.
    pub fn json(&self) -> &str {
        let frame = self.bytes(Encoding::WebSocket);
        let json = &frame[frame.len() - self.0.json_bytes..];
        str::from_utf8(json).expect("JSON is encoded in ASCII")
    }

    /// Returns this JSON as shared bytes: the payload of the WebSocket frame.
    pub fn json_bytes(&self) -> Bytes {
        let frame = self.bytes(Encoding::WebSocket);
        frame.slice(frame.len() - self.0.json_bytes..)
    }

    /// Returns the bytes for the socket of a viewer of all topics. In SSE the cursor is the event's id.
    pub fn bytes(&self, encoding: Encoding) -> &Bytes {
        self.0.encoded.bytes(encoding)
    }

    /// Returns the bytes for the socket of a viewer of this topic alone. All such viewers share them.
    pub fn topic_bytes(&self, encoding: Encoding) -> &Bytes {
        let message = &*self.0;
        let Some(before) = self
            .before()
            .filter(|before| before.in_topic != before.in_store)
        else {
            return self.bytes(encoding);
        };
        let encode = || {
            let json = self.json_after(before.in_topic);
            Box::new(EncodedJson::new(
                Some(message.cursor),
                message.kind.name(),
                &json,
            ))
        };
        message.for_topic.get_or_init(encode).bytes(encoding)
    }

    /// Encodes the message of a change for one viewer, with `last` as its `after`.
    pub fn bytes_after(&self, last: Rev, encoding: Encoding) -> Bytes {
        let json = self.json_after(last);
        encode_json(encoding, Some(self.0.cursor), self.0.kind.name(), &json)
    }

    /// Returns the JSON object of a change for one viewer, with `last` as its `after`.
    pub fn json_after(&self, last: Rev) -> String {
        let open = self.0.change.map_or(0, |change| change.open_bytes);
        let mut json = String::with_capacity(self.0.json_bytes + 8);
        json.push_str(&self.json()[..open]);
        let epoch = self.0.cursor.epoch;
        push_after(&mut json, Cursor { epoch, rev: last });
        json
    }
}

/// Appends the last field of an object, and closes it.
fn push_after(json: &mut String, after: Cursor) {
    write!(json, r#","after":"{after}"}}"#).expect("a string takes everything");
}
