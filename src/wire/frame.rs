//! A message encoded for every transport, once.

use std::sync::Arc;

use bytes::Bytes;

use super::encoding::{Encoding, sse_chunk, websocket_text};
use super::message::{Entry, Message};
use crate::model::{Change, ChangeKind, Cursor, Epoch, Pet, PetId, Rev};

/// One message that carries a change or a snapshot, encoded for every transport. Cloning shares
/// the bytes.
#[derive(Clone, Debug)]
pub struct Frame(Arc<Encoded>);

/// What a frame brings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FrameKind {
    Status,
    Pet,
    Gone,
    Snapshot,
}

#[derive(Debug)]
struct Encoded {
    rev: Rev,
    kind: FrameKind,
    pet: Option<PetId>,
    json: String,
    websocket: Bytes,
    sse_chunk: Bytes,
    /// The event inside `sse_chunk`, whose bytes it shares.
    sse: Bytes,
}

impl Frame {
    /// Encodes `change`.
    pub fn of_change(epoch: Epoch, change: &Change) -> Self {
        let message = Message::of(epoch, change);
        let kind = match change.kind {
            ChangeKind::Status(_) | ChangeKind::StatusSince(..) => FrameKind::Status,
            ChangeKind::Pet(_) => FrameKind::Pet,
            ChangeKind::Gone => FrameKind::Gone,
        };
        Frame::encode(epoch, change.rev, kind, Some(change.pet), &message)
    }

    /// Encodes the status of `pets`, true at `rev`.
    pub fn of_snapshot<'a>(
        epoch: Epoch,
        rev: Rev,
        pets: impl IntoIterator<Item = &'a Pet>,
    ) -> Self {
        let message = Message::Snapshot {
            cursor: Cursor { epoch, rev },
            pets: pets.into_iter().map(Entry::of).collect(),
        };
        Frame::encode(epoch, rev, FrameKind::Snapshot, None, &message)
    }

    fn encode(
        epoch: Epoch,
        rev: Rev,
        kind: FrameKind,
        pet: Option<PetId>,
        message: &Message<'_>,
    ) -> Self {
        let json = message.to_json();
        let (sse_chunk, sse) = sse_chunk(Some(Cursor { epoch, rev }), message.name(), &json);
        Frame(Arc::new(Encoded {
            rev,
            kind,
            pet,
            websocket: websocket_text(&json),
            json,
            sse_chunk,
            sse,
        }))
    }

    /// The rev this frame brings its reader to.
    pub fn rev(&self) -> Rev {
        self.0.rev
    }

    pub fn kind(&self) -> FrameKind {
        self.0.kind
    }

    /// The pet whose change this is; `None` for a snapshot.
    pub fn pet(&self) -> Option<PetId> {
        self.0.pet
    }

    /// The JSON object.
    pub fn json(&self) -> &str {
        &self.0.json
    }

    /// The bytes that go into a socket. In SSE the cursor is the event's id.
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
    use crate::model::{By, Moment, Profile, Status};

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
            since: Moment::from_micros(1_700_000_000_123_456),
        }
    }

    fn change(kind: ChangeKind) -> Change {
        Change {
            rev: Rev::new(1042),
            at: Moment::from_micros(1_700_000_000_123_456),
            by: By::Simulator,
            author: None,
            pet: PetId::new(7),
            kind,
        }
    }

    #[test]
    fn a_status_has_the_shape_of_the_interface_in_every_encoding() {
        let frame = Frame::of_change(EPOCH, &change(ChangeKind::Status(Status::Eating)));
        let json = r#"{"type":"status","cursor":"9f2c41aa-1042","pet":7,"status":"eating","since":"2023-11-14T22:13:20.123456Z","by":"simulator"}"#;
        assert_eq!(frame.json(), json);
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
        let created = Frame::of_change(EPOCH, &change(ChangeKind::Pet(Arc::new(pet.clone()))));
        assert_eq!(
            created.json(),
            r#"{"type":"pet","cursor":"9f2c41aa-1042","pet":7,"name":"Biscuit","species":"dog","breed":"","sex":"unknown","age":"","about":"","status":"eating","since":"2023-11-14T22:13:20.123456Z"}"#
        );
        let gone = Frame::of_change(EPOCH, &change(ChangeKind::Gone));
        assert_eq!(
            gone.json(),
            r#"{"type":"gone","cursor":"9f2c41aa-1042","pet":7}"#
        );
        let snapshot = Frame::of_snapshot(EPOCH, Rev::new(3), [&pet]);
        assert_eq!(
            snapshot.json(),
            r#"{"type":"snapshot","cursor":"9f2c41aa-3","pets":[{"id":7,"name":"Biscuit","status":"eating","since":"2023-11-14T22:13:20.123456Z"}]}"#
        );
    }

    /// A lone CR ends a line of SSE; a message whose data held one would arrive cut in two.
    #[test]
    fn no_text_can_break_out_of_an_sse_event() {
        let name = "a\rb\nc\u{2028}d\u{0}e\"</script>";
        let kind = ChangeKind::Pet(Arc::new(pet(name)));
        let frame = Frame::of_change(EPOCH, &change(kind));
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

    /// Python's `splitlines`, on which several SSE clients rest, ends a line also at U+0085 and U+2028,
    /// and clients that decode piece by piece break in the middle of a character.
    #[test]
    fn every_encoding_is_ascii_and_says_the_same() {
        let name = "Åse\u{85}\u{2028}\u{2029}\u{7f}\u{feff}\u{1f436}\u{10ffff} \"\\/";
        let pet = pet(name);
        for frame in [
            Frame::of_change(EPOCH, &change(ChangeKind::Pet(Arc::new(pet.clone())))),
            Frame::of_snapshot(EPOCH, Rev::new(3), [&pet]),
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
        let frame = Frame::of_change(EPOCH, &change(ChangeKind::Gone));
        let clone = frame.clone();
        assert_eq!(frame.json().as_ptr(), clone.json().as_ptr());
        for encoding in Encoding::ALL {
            let (bytes, shared) = (frame.bytes(encoding), clone.bytes(encoding));
            assert_eq!(bytes.as_ptr(), shared.as_ptr());
        }
    }
}
