//! Encodes a message once for every transport.

use std::sync::Arc;

use bytes::Bytes;

use super::encoding::{Encoding, sse_chunk, websocket_text};
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

#[derive(Debug)]
struct EncodedMessage {
    rev: Rev,
    kind: FrameKind,
    /// Topic and commit time of a change.
    change: Option<(Topic, Timestamp)>,
    json: String,
    websocket: Bytes,
    sse_chunk: Bytes,
    /// The event inside `sse_chunk`. Shares its bytes.
    sse: Bytes,
}

impl Frame {
    /// Encodes `change`.
    pub fn from_change(epoch: Epoch, change: &Change) -> Self {
        let (rev, topic) = (change.rev, change.pet.into());
        let kind = match change.kind {
            ChangeKind::Status(_) | ChangeKind::StatusSince(..) => FrameKind::Status,
            ChangeKind::Pet(_) => FrameKind::Pet,
            ChangeKind::Gone(_) => FrameKind::Gone,
        };
        let id = Some(Cursor { epoch, rev });
        Frame::from_json(
            rev,
            kind,
            Some((topic, change.at)),
            id,
            Message::from_change(epoch, change).to_json(),
        )
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
        Frame::from_json(rev, FrameKind::Snapshot, None, Some(cursor), json)
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
            Frame::from_json(rev, FrameKind::Snapshot, None, id, json)
        });
        frames.collect()
    }

    /// Encodes a message that is JSON already. `id` becomes the id of the SSE event.
    fn from_json(
        rev: Rev,
        kind: FrameKind,
        change: Option<(Topic, Timestamp)>,
        id: Option<Cursor>,
        json: String,
    ) -> Self {
        let (sse_chunk, sse) = sse_chunk(id, kind.name(), &json);
        Frame(Arc::new(EncodedMessage {
            rev,
            kind,
            change,
            websocket: websocket_text(&json),
            json,
            sse_chunk,
            sse,
        }))
    }

    /// Returns the rev of a viewer that has received this frame.
    pub fn rev(&self) -> Rev {
        self.0.rev
    }

    /// Returns the kind of message.
    pub fn kind(&self) -> FrameKind {
        self.0.kind
    }

    /// Returns the topic of the change, or `None` for a snapshot.
    pub fn topic(&self) -> Option<Topic> {
        Some(self.0.change?.0)
    }

    /// Returns when the change was committed, or `None` for a snapshot.
    pub fn committed_at(&self) -> Option<Timestamp> {
        Some(self.0.change?.1)
    }

    /// Returns the JSON object.
    pub fn json(&self) -> &str {
        &self.0.json
    }

    /// Returns the JSON as shared bytes: the payload of the WebSocket frame.
    pub fn json_bytes(&self) -> Bytes {
        let frame = &self.0.websocket;
        frame.slice(frame.len() - self.0.json.len()..)
    }

    /// Returns the bytes for a socket. In SSE the cursor is the event's id.
    pub fn bytes(&self, encoding: Encoding) -> &Bytes {
        match encoding {
            Encoding::WebSocket => &self.0.websocket,
            Encoding::SseChunked => &self.0.sse_chunk,
            Encoding::Sse => &self.0.sse,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{ChangeSource, PetId, Profile, Status};

    const EPOCH: Epoch = Epoch::new(0x9f2c_41aa);

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
        let json = r#"{"type":"status","cursor":"9f2c41aa-1042","pet":7,"status":"eating","since":"2020-09-13T12:26:40.000000Z","at":"2023-11-14T22:13:20.123456Z","by":"simulator"}"#;
        assert_eq!(Frame::from_change(EPOCH, &change(kind)).json(), json);
    }

    #[test]
    fn a_status_has_the_shape_of_the_interface_in_every_encoding() {
        let frame = Frame::from_change(EPOCH, &change(ChangeKind::Status(Status::Eating)));
        let json = r#"{"type":"status","cursor":"9f2c41aa-1042","pet":7,"status":"eating","since":"2023-11-14T22:13:20.123456Z","by":"simulator"}"#;
        assert_eq!(frame.json(), json);
        assert_eq!(frame.json_bytes(), json);
        let event = format!("id: 9f2c41aa-1042\nevent: status\ndata: {json}\n\n");
        assert_eq!(frame.bytes(Encoding::Sse), event.as_bytes());
        let chunk = format!("{:x}\r\n{event}\r\n", event.len());
        assert_eq!(frame.bytes(Encoding::SseChunked), chunk.as_bytes());
        let [start @ .., _] = &frame.bytes(Encoding::WebSocket)[..3] else {
            panic!("a header and the text");
        };
        assert_eq!(start, [0x81, u8::try_from(json.len()).unwrap()]);
        assert_eq!(&frame.bytes(Encoding::WebSocket)[2..], json.as_bytes());
    }

    #[test]
    fn pet_gone_and_snapshot_have_the_shapes_of_the_interface() {
        let pet = pet("Biscuit");
        let created = Frame::from_change(EPOCH, &change(ChangeKind::Pet(Arc::new(pet.clone()))));
        assert_eq!(
            created.json(),
            r#"{"type":"pet","cursor":"9f2c41aa-1042","pet":7,"name":"Biscuit","species":"dog","breed":"","sex":"unknown","age":"","about":"","status":"eating","since":"2023-11-14T22:13:20.123456Z"}"#
        );
        let gone = Frame::from_change(EPOCH, &change(ChangeKind::Gone(None)));
        assert_eq!(
            gone.json(),
            r#"{"type":"gone","cursor":"9f2c41aa-1042","pet":7}"#
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
        let frame = Frame::from_change(EPOCH, &change(kind));
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
            Frame::from_change(EPOCH, &change(ChangeKind::Pet(Arc::new(pet.clone())))),
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
        let frame = Frame::from_change(EPOCH, &change(ChangeKind::Gone(None)));
        let clone = frame.clone();
        assert_eq!(frame.json().as_ptr(), clone.json().as_ptr());
        for encoding in Encoding::ALL {
            let (bytes, shared) = (frame.bytes(encoding), clone.bytes(encoding));
            assert_eq!(bytes.as_ptr(), shared.as_ptr());
        }
    }
}
