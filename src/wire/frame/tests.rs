//! The shapes of the interface, exactly.

use super::*;
use crate::model::{ChangeSource, PetId, Profile, Status, StatusNote};

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
            // For staff, so no message has them.
            intake: "2026-11-03".to_owned(),
            location: "Kennel 13".to_owned(),
            ..Profile::default()
        },
        photos: Vec::new(),
        status: Status::Eating,
        since: Timestamp::from_micros(1_700_000_000_123_456),
        removed: None,
        note: StatusNote::default(),
    }
}

fn change(kind: ChangeKind) -> Change {
    Change {
        rev: Rev::new(1042),
        at: Timestamp::from_micros(1_700_000_000_123_456),
        by: ChangeSource::Simulator,
        author: None,
        request: None,
        visibility: crate::model::Visibility::Public,
        pet: PetId::new(7),
        kind,
    }
}

#[test]
fn a_status_with_an_earlier_since_has_the_time_of_its_commit() {
    let since = Timestamp::from_micros(1_600_000_000_000_000);
    let kind = ChangeKind::StatusSince(Status::Eating, since, StatusNote::default());
    let json = r#"{"type":"status","cursor":"9f2c41aa-1042","pet":7,"status":"eating","since":"2020-09-13T12:26:40.000000Z","at":"2023-11-14T22:13:20.123456Z","by":"simulator","after":"9f2c41aa-1041"}"#;
    assert_eq!(
        Frame::from_change(EPOCH, &change(kind), BEFORE).json(),
        json
    );
}

#[test]
fn a_note_is_in_each_message_of_a_status_that_has_one() {
    let note: StatusNote = "at the vet until 3 <b>".parse().unwrap();
    let at = change(ChangeKind::Gone(None)).at;
    let kind = ChangeKind::StatusSince(Status::Eating, at, note.clone());
    let json = r#"{"type":"status","cursor":"9f2c41aa-1042","pet":7,"status":"eating","since":"2023-11-14T22:13:20.123456Z","note":"at the vet until 3 <b>","by":"simulator","after":"9f2c41aa-1041"}"#;
    let frame = Frame::from_change(EPOCH, &change(kind), BEFORE);
    assert_eq!(frame.json(), json);
    let pet = Pet {
        note,
        ..pet("Biscuit")
    };
    let created = change(ChangeKind::Pet(Arc::new(pet.clone())));
    let created = Frame::from_change(EPOCH, &created, BEFORE);
    let snapshot = Frame::from_snapshot(EPOCH, Rev::new(3), [&pet]);
    for frame in [created, snapshot] {
        let has_note = frame.json().contains(r#","note":"at the vet until 3 <b>""#);
        assert!(has_note, "{}", frame.json());
    }
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
        r#"{"type":"pet","cursor":"9f2c41aa-1042","pet":7,"name":"Biscuit","species":"dog","breed":"","sex":"unknown","born":"","age":"","size":"unknown","colour":"","state":"available","tags":[],"bonded_with":"","about":"","photos":[],"status":"eating","since":"2023-11-14T22:13:20.123456Z","note":"","after":"9f2c41aa-1041"}"#
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
