//! Encodes a message once for every transport.

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
    /// A pet was removed.
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
    /// The JSON object. The `after` of a change is `in_store`.
    json: String,
    encoded: EncodedJson,
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
    /// Encodes `change`, which comes after the changes `before`.
    pub fn from_change(epoch: Epoch, change: &Change, before: Predecessors) -> Self {
        let kind = match change.kind {
            ChangeKind::Status(_) | ChangeKind::StatusSince(..) => FrameKind::Status,
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
        Frame::new(cursor, kind, Some(properties), Some(cursor), json)
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
        Frame::new(cursor, FrameKind::Snapshot, None, Some(cursor), json)
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
            Frame::new(cursor, FrameKind::Snapshot, None, id, json)
        });
        frames.collect()
    }

    /// Encodes a message that is JSON already. `id` becomes the id of the SSE event.
    fn new(
        cursor: Cursor,
        kind: FrameKind,
        change: Option<FrameChange>,
        id: Option<Cursor>,
        json: String,
    ) -> Self {
        Frame(Arc::new(EncodedMessage {
            encoded: EncodedJson::new(id, kind.name(), &json),
            cursor,
            kind,
            change,
            json,
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
        &self.0.json
    }

    /// Returns this JSON as shared bytes: the payload of the WebSocket frame.
    pub fn json_bytes(&self) -> Bytes {
        let frame = self.bytes(Encoding::WebSocket);
        frame.slice(frame.len() - self.0.json.len()..)
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
        let mut json = String::with_capacity(self.0.json.len() + 8);
        json.push_str(&self.0.json[..open]);
        let epoch = self.0.cursor.epoch;
        push_after(&mut json, Cursor { epoch, rev: last });
        json
    }
}

/// Appends the last field of an object, and closes it.
fn push_after(json: &mut String, after: Cursor) {
    write!(json, r#","after":"{after}"}}"#).expect("a string takes everything");
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{ChangeSource, PetId, Profile, Status};

    const EPOCH: Epoch = Epoch::new(0x9f2c_41aa);

    const BEFORE: Predecessors = Predecessors {
        in_store: Rev::new(1041),
        in_topic: Rev::new(977),
    };

    fn pet(name: &str) -> Pet {
        Pet {
            id: PetId::new(7),
            profile: Profile {
                name: name.to_owned(),
                species: "dog".to_owned(),
                ..Profile::default()
            },
            status: Status::Eating,
            since: Timestamp::from_micros(1_700_000_000_123_456),
        }
    }

    fn change(kind: ChangeKind) -> Change {
        Change {
            rev: Rev::new(1042),
            at: Timestamp::from_micros(1_700_000_000_123_456),
            by: ChangeSource::Simulator,
            author: None,
            request: None,
            pet: PetId::new(7),
            kind,
        }
    }

    #[test]
    fn a_status_with_an_earlier_since_has_the_time_of_its_commit() {
        let since = Timestamp::from_micros(1_600_000_000_000_000);
        let kind = ChangeKind::StatusSince(Status::Eating, since);
        let json = r#"{"type":"status","cursor":"9f2c41aa-1042","pet":7,"status":"eating","since":"2020-09-13T12:26:40.000000Z","at":"2023-11-14T22:13:20.123456Z","by":"simulator","after":"9f2c41aa-1041"}"#;
        assert_eq!(
            Frame::from_change(EPOCH, &change(kind), BEFORE).json(),
            json
        );
    }

    #[test]
    fn a_status_has_the_shape_of_the_interface_in_every_encoding() {
        let frame = Frame::from_change(EPOCH, &change(ChangeKind::Status(Status::Eating)), BEFORE);
        let json = r#"{"type":"status","cursor":"9f2c41aa-1042","pet":7,"status":"eating","since":"2023-11-14T22:13:20.123456Z","by":"simulator","after":"9f2c41aa-1041"}"#;
        assert_eq!(frame.json(), json);
        assert_eq!(frame.json_bytes(), json);
        let event = format!("id: 9f2c41aa-1042\nevent: status\ndata: {json}\n\n");
        assert_eq!(frame.bytes(Encoding::Sse), event.as_bytes());
        let chunk = format!("{:x}\r\n{event}\r\n", event.len());
        assert_eq!(frame.bytes(Encoding::SseChunked), chunk.as_bytes());
        let header = [0x81, 126, 0, u8::try_from(json.len()).unwrap()];
        let message = [&header[..], json.as_bytes()].concat();
        assert_eq!(frame.bytes(Encoding::WebSocket), &message);
    }

    /// Viewers of one topic share bytes too. Fails if these are encoded per viewer.
    #[test]
    fn a_change_names_the_one_before_it_for_its_viewer() {
        let frame = Frame::from_change(EPOCH, &change(ChangeKind::Gone(None)), BEFORE);
        for encoding in Encoding::ALL {
            let text = String::from_utf8_lossy(frame.bytes(encoding));
            let json_of = |after: &str| frame.json().replace("1041", after);
            for (bytes, json) in [
                (frame.topic_bytes(encoding).clone(), json_of("977")),
                (frame.bytes_after(Rev::ZERO, encoding), json_of("0")),
                (frame.bytes_after(Rev::new(1041), encoding), json_of("1041")),
            ] {
                let bytes = String::from_utf8_lossy(&bytes);
                assert!(bytes.contains(&json), "{bytes}");
                assert_eq!(bytes.contains("id: 9f2c41aa-1042\n"), encoding.is_sse());
                // The length is part of a header.
                let is_equal = bytes == text;
                assert_eq!(is_equal, json == frame.json(), "{bytes}");
            }
            let shared = frame.clone();
            assert_eq!(
                shared.topic_bytes(encoding).as_ptr(),
                frame.topic_bytes(encoding).as_ptr()
            );
        }
    }

    #[test]
    fn pet_gone_and_snapshot_have_the_shapes_of_the_interface() {
        let pet = pet("Biscuit");
        let created = Frame::from_change(
            EPOCH,
            &change(ChangeKind::Pet(Arc::new(pet.clone()))),
            BEFORE,
        );
        assert_eq!(
            created.json(),
            r#"{"type":"pet","cursor":"9f2c41aa-1042","pet":7,"name":"Biscuit","species":"dog","breed":"","sex":"unknown","age":"","about":"","status":"eating","since":"2023-11-14T22:13:20.123456Z","after":"9f2c41aa-1041"}"#
        );
        let gone = Frame::from_change(EPOCH, &change(ChangeKind::Gone(None)), BEFORE);
        assert_eq!(
            gone.json(),
            r#"{"type":"gone","cursor":"9f2c41aa-1042","pet":7,"after":"9f2c41aa-1041"}"#
        );
        let snapshot = Frame::from_snapshot(EPOCH, Rev::new(3), [&pet]);
        assert_eq!(
            snapshot.json(),
            r#"{"type":"snapshot","cursor":"9f2c41aa-3","pets":[{"id":7,"name":"Biscuit","status":"eating","since":"2023-11-14T22:13:20.123456Z"}]}"#
        );
    }

    /// A lone CR ends a line of SSE: data with a CR would arrive in two pieces.
    #[test]
    fn no_text_can_break_out_of_an_sse_event() {
        let name = "a\rb\nc\u{2028}d\u{0}e\"</script>";
        let kind = ChangeKind::Pet(Arc::new(pet(name)));
        let frame = Frame::from_change(EPOCH, &change(kind), BEFORE);
        let text = std::str::from_utf8(frame.bytes(Encoding::Sse)).unwrap();
        assert!(!text.contains('\r'));
        assert_eq!(
            text.lines().count(),
            4,
            "id, event, data and the blank line"
        );
        let data = text.lines().nth(2).unwrap().strip_prefix("data: ").unwrap();
        let object: serde_json::Value = serde_json::from_str(data).unwrap();
        assert_eq!(object["name"], name);
    }

    #[test]
    fn a_snapshot_in_parts_has_the_same_pets_in_messages_of_at_most_16_kib() {
        let pets: Vec<Pet> = (1..=400)
            .map(|id| Pet {
                id: PetId::new(id),
                // The longest name, in the longest escapes.
                ..pet(&"\u{1f436}".repeat(if id % 7 == 0 { 80 } else { 3 }))
            })
            .collect();
        let whole = Frame::from_snapshot(EPOCH, Rev::new(3), &pets);
        let whole: serde_json::Value = serde_json::from_str(whole.json()).unwrap();
        let parts = Frame::from_snapshot_in_parts(EPOCH, Rev::new(3), &pets);
        let mut seen = Vec::new();
        for (index, frame) in parts.iter().enumerate() {
            let object: serde_json::Value = serde_json::from_str(frame.json()).unwrap();
            assert_eq!(object["type"], "snapshot");
            assert_eq!(object["cursor"], whole["cursor"]);
            assert_eq!(object["part"], index + 1);
            assert_eq!(object["parts"], parts.len());
            seen.extend(object["pets"].as_array().unwrap().clone());
            for encoding in Encoding::ALL {
                let size = frame.bytes(encoding).len();
                assert!(size <= 16 * 1024, "{size}");
            }
            // A browser that loses its connection before the last part must not reconnect with the
            // cursor of the whole snapshot.
            let event = String::from_utf8_lossy(frame.bytes(Encoding::Sse)).into_owned();
            let is_last = index + 1 == parts.len();
            assert_eq!(event.starts_with("id: 9f2c41aa-3\n"), is_last);
            assert_eq!(frame.rev(), Rev::new(3));
        }
        assert!((3..=20).contains(&parts.len()), "{}", parts.len());
        assert_eq!(whole["pets"], serde_json::Value::from(seen));
        let empty = Frame::from_snapshot_in_parts(EPOCH, Rev::new(3), []);
        assert_eq!(
            empty.iter().map(Frame::json).collect::<Vec<_>>(),
            [r#"{"type":"snapshot","cursor":"9f2c41aa-3","part":1,"parts":1,"pets":[]}"#]
        );
    }

    /// Python's `splitlines`, which several SSE clients use, ends a line also at U+0085 and U+2028, and
    /// clients that decode a stream piece by piece fail in the middle of a character.
    #[test]
    fn every_encoding_is_ascii_and_decodes_to_the_same_text() {
        let name = "Åse\u{85}\u{2028}\u{2029}\u{7f}\u{feff}\u{1f436}\u{10ffff} \"\\/";
        let pet = pet(name);
        for frame in [
            Frame::from_change(
                EPOCH,
                &change(ChangeKind::Pet(Arc::new(pet.clone()))),
                BEFORE,
            ),
            Frame::from_snapshot(EPOCH, Rev::new(3), [&pet]),
        ] {
            assert!(frame.json().is_ascii(), "{}", frame.json());
            assert!(frame.bytes(Encoding::Sse).is_ascii());
            assert!(
                frame.json().contains(r"\u00c5se\u0085\u2028\u2029"),
                "{}",
                frame.json()
            );
            assert!(frame.json().contains(r"\ud83d\udc36"), "surrogate pairs");
            let object: serde_json::Value = serde_json::from_str(frame.json()).unwrap();
            let read = object["name"]
                .as_str()
                .or(object["pets"][0]["name"].as_str());
            assert_eq!(read, Some(name));
        }
    }

    #[test]
    fn a_clone_shares_the_bytes() {
        let frame = Frame::from_change(EPOCH, &change(ChangeKind::Gone(None)), BEFORE);
        let clone = frame.clone();
        assert_eq!(frame.json().as_ptr(), clone.json().as_ptr());
        for encoding in Encoding::ALL {
            let (bytes, shared) = (frame.bytes(encoding), clone.bytes(encoding));
            assert_eq!(bytes.as_ptr(), shared.as_ptr());
        }
    }
}
