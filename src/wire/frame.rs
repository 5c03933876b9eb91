//! A message encoded for every transport, once.

use std::sync::Arc;

use bytes::Bytes;
use tokio_tungstenite::tungstenite::Utf8Bytes;

use super::message::{Entry, Message};
use crate::model::{Change, Cursor, Epoch, Pet, PetId, Rev};

/// One message that carries a change or a snapshot, encoded for every transport. Cloning shares
/// the bytes.
#[derive(Clone, Debug)]
pub struct Frame(Arc<Encoded>);

#[derive(Debug)]
struct Encoded {
    rev: Rev,
    pet: Option<PetId>,
    json: Utf8Bytes,
    sse: Bytes,
}

impl Frame {
    /// Encodes `change`.
    pub fn of_change(epoch: Epoch, change: &Change) -> Self {
        let message = Message::of(epoch, change);
        Frame::encode(epoch, change.rev, Some(change.pet), &message)
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
        Frame::encode(epoch, rev, None, &message)
    }

    fn encode(epoch: Epoch, rev: Rev, pet: Option<PetId>, message: &Message<'_>) -> Self {
        let json = message.to_json();
        Frame(Arc::new(Encoded {
            rev,
            pet,
            sse: event(Some(Cursor { epoch, rev }), message.name(), &json),
            json: json.into(),
        }))
    }

    /// The rev this frame brings its reader to.
    pub fn rev(&self) -> Rev {
        self.0.rev
    }

    /// The pet whose change this is; `None` for a snapshot.
    pub fn pet(&self) -> Option<PetId> {
        self.0.pet
    }

    /// The JSON object, which is also the text of a WebSocket message.
    pub fn json(&self) -> &Utf8Bytes {
        &self.0.json
    }

    /// The whole SSE event, with the cursor as its id.
    pub fn sse(&self) -> &Bytes {
        &self.0.sse
    }
}

/// A message that carries no change, as an SSE event: without an id, so that a browser keeps the
/// id of the last change it was given.
pub fn sse_event(message: &Message<'_>) -> Bytes {
    event(None, message.name(), &message.to_json())
}

/// An event as the HTML standard, section 9.2.6, reads it. `json` holds no line break: JSON
/// escapes every control character.
fn event(id: Option<Cursor>, name: &str, json: &str) -> Bytes {
    let id = id
        .map(|cursor| format!("id: {cursor}\n"))
        .unwrap_or_default();
    Bytes::from(format!("{id}event: {name}\ndata: {json}\n\n"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{By, ChangeKind, Moment, Profile, Status};

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
            pet: PetId::new(7),
            kind,
        }
    }

    #[test]
    fn a_status_has_the_shape_of_the_interface() {
        let frame = Frame::of_change(EPOCH, &change(ChangeKind::Status(Status::Eating)));
        assert_eq!(
            frame.json().as_str(),
            r#"{"type":"status","cursor":"9f2c41aa-1042","pet":7,"status":"eating","since":"2023-11-14T22:13:20.123456Z","by":"simulator"}"#
        );
        let expected = format!(
            "id: 9f2c41aa-1042\nevent: status\ndata: {}\n\n",
            frame.json().as_str()
        );
        assert_eq!(frame.sse(), expected.as_bytes());
    }

    #[test]
    fn pet_gone_and_snapshot_have_the_shapes_of_the_interface() {
        let pet = pet("Biscuit");
        let created = Frame::of_change(EPOCH, &change(ChangeKind::Pet(Arc::new(pet.clone()))));
        assert_eq!(
            created.json().as_str(),
            r#"{"type":"pet","cursor":"9f2c41aa-1042","pet":7,"name":"Biscuit","species":"dog","breed":"","sex":"unknown","age":"","about":"","status":"eating","since":"2023-11-14T22:13:20.123456Z"}"#
        );
        let gone = Frame::of_change(EPOCH, &change(ChangeKind::Gone));
        assert_eq!(
            gone.json().as_str(),
            r#"{"type":"gone","cursor":"9f2c41aa-1042","pet":7}"#
        );
        let snapshot = Frame::of_snapshot(EPOCH, Rev::new(3), [&pet]);
        assert_eq!(
            snapshot.json().as_str(),
            r#"{"type":"snapshot","cursor":"9f2c41aa-3","pets":[{"id":7,"name":"Biscuit","status":"eating","since":"2023-11-14T22:13:20.123456Z"}]}"#
        );
    }

    /// A lone CR ends a line of SSE; a message whose data held one would arrive cut in two.
    #[test]
    fn no_text_can_break_out_of_an_sse_event() {
        let name = "a\rb\nc\u{2028}d\u{0}e\"</script>";
        let kind = ChangeKind::Pet(Arc::new(pet(name)));
        let frame = Frame::of_change(EPOCH, &change(kind));
        let text = std::str::from_utf8(frame.sse()).unwrap();
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
    fn a_clone_shares_the_bytes() {
        let frame = Frame::of_change(EPOCH, &change(ChangeKind::Gone));
        let clone = frame.clone();
        assert_eq!(frame.sse().as_ptr(), clone.sse().as_ptr());
        assert_eq!(
            frame.json().as_str().as_ptr(),
            clone.json().as_str().as_ptr()
        );
    }
}
