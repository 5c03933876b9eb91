//! The JSON Schema of the live routes, `/api/live.schema.json`, against the messages that the program can send.
//!
//! The readers in `support` also check every message of every other test.

use std::collections::BTreeSet;

use pet_store::model::{
    Activities, ActivitiesVersion, AdoptionState, Audience, ChangeSource, Cursor, Pet, PetId,
    Photo, PhotoHash, Profile, Status, StatusNote, Timestamp,
};
use pet_store::wire::{Message, PetFields, SnapshotPet};
use serde_json::{Value, json};

use crate::support::{CONTRACT, Rescue, Ws, spawn_app};

/// Source of the messages.
const MESSAGES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/src/wire/message.rs");

fn cursor() -> Cursor {
    "9f2c41aa-1042".parse().unwrap()
}

const NOW: Timestamp = Timestamp::from_micros(1_700_000_000_123_456);

/// A pet with as few fields in its messages as possible.
fn plain_pet() -> Pet {
    Pet {
        id: PetId::new(7),
        profile: Profile {
            name: "Biscuit".to_owned(),
            species: "dog".to_owned(),
            ..Profile::default()
        },
        photos: Vec::new(),
        status: Status::Eating,
        since: NOW,
        removed: None,
        note: StatusNote::default(),
    }
}

/// A pet with all fields in its messages.
fn detailed_pet() -> Pet {
    let mut pet = plain_pet();
    pet.profile.state = AdoptionState::OnHold;
    pet.photos = vec![Photo {
        hash: PhotoHash::from_bits(1),
        alt: String::new(),
        width_px: 1600,
        height_px: 1200,
        added: Some(NOW),
    }];
    pet.status = Status::NotSetYet;
    pet.note = "at the vet until 3".parse().unwrap();
    pet
}

fn version() -> Option<ActivitiesVersion> {
    let activities = json!([{
        "word": "at-the-vet", "name": "At the vet", "icon": "vet", "colour": "#7a0019", "status": "sleeping",
    }]);
    let activities: Activities = serde_json::from_value(activities).unwrap();
    ActivitiesVersion::new(&activities)
}

/// Every message with as few fields as possible, and with all of them.
fn messages<'a>(plain: &'a Pet, detailed: &'a Pet) -> Vec<[Message<'a>; 2]> {
    let (cursor, pet, server_time) = (cursor(), PetId::new(7), NOW);
    let text = Some("a1");
    vec![
        [None, Some("/live/log")].map(|log| Message::Hello {
            cursor,
            transport: "poll",
            heartbeat_ms: 15_000,
            server_time,
            activities: log.and_then(|_| version()),
            log,
        }),
        [plain, detailed].map(|pet| Message::Snapshot {
            cursor,
            pets: vec![SnapshotPet::new(pet)],
        }),
        [plain, detailed].map(|of| Message::Status {
            cursor,
            pet,
            status: of.status.known_word(),
            activity: of.status.activity(),
            since: NOW,
            at: of.note.text().map(|_| NOW),
            note: of.note.text(),
            by: ChangeSource::Api,
        }),
        [plain, detailed].map(|of| Message::Pet {
            cursor,
            pet,
            body: PetFields::new(of, Audience::Public),
        }),
        [(); 2].map(|()| Message::Gone { cursor, pet }),
        [None, text].map(|reference| Message::Heartbeat {
            cursor,
            server_time,
            heartbeat_ms: reference.map(|_| 5000),
            reference,
            after: cursor,
            activities: reference.and_then(|_| version()),
        }),
        [(); 2].map(|()| Message::Bye {
            reason: "stopping",
            retry_ms: 0,
        }),
        [None, text].map(|reference| Message::Stale {
            since: NOW,
            heartbeat_ms: reference.map(|_| 5000),
            reference,
        }),
        [None, text].map(|reference| Message::Ack { reference, cursor }),
        [None, text].map(|reference| Message::Error {
            reference,
            status: 422,
            title: "Not valid",
            detail: reference,
        }),
    ]
}

/// The message as it is sent. A frame adds `after` to those with a change.
fn sent(message: &Message) -> Value {
    let mut json: Value = serde_json::from_str(&message.to_json()).unwrap();
    if ["status", "pet", "gone"].contains(&message.name()) {
        json["after"] = "9f2c41aa-1041".into();
    }
    json
}

fn names(message: &Value) -> BTreeSet<String> {
    message.as_object().unwrap().keys().cloned().collect()
}

#[tokio::test]
async fn the_schema_is_served_to_programs_of_any_origin() {
    let app = spawn_app().await;
    let response = app.get("/api/live.schema.json").await;
    assert_eq!(
        response.headers()["content-type"],
        "application/schema+json"
    );
    assert_eq!(response.headers()["access-control-allow-origin"], "*");
    let schema: Value = response.json().await.unwrap();
    insta::assert_snapshot!(format!("{schema:#}"));
}

#[test]
fn each_message_has_exactly_the_fields_of_its_schema() {
    for [least, most] in messages(&plain_pet(), &detailed_pet()) {
        let kind = least.name();
        let (required, allowed) = CONTRACT.fields(kind);
        let (least, mut most) = (sent(&least), sent(&most));
        assert_eq!(&names(&least), required, "{kind}");
        if kind == "snapshot" {
            // Of a snapshot in parts.
            (most["part"], most["parts"]) = (json!(1), json!(2));
            let (required, allowed) = CONTRACT.fields("snapshot-pet");
            assert_eq!(&names(&least["pets"][0]), required);
            assert_eq!(&names(&most["pets"][0]), allowed);
        }
        assert_eq!(&names(&most), allowed, "{kind}");
        CONTRACT.assert_message(&least);
        CONTRACT.assert_message(&most);
    }
}

/// `Message::name` has a line for each type of message, or the program does not compile.
#[test]
fn no_type_of_message_is_without_a_schema_and_a_sample() {
    let source = std::fs::read_to_string(MESSAGES).unwrap();
    let lines = source.lines().filter_map(|line| {
        let (_, name) = line.trim().strip_prefix("Message::")?.split_once("=> \"")?;
        Some(name.trim_end_matches("\",").to_owned())
    });
    let in_program: BTreeSet<String> = lines.collect();
    assert!(in_program.len() >= 10, "the names were not found");
    let (plain, detailed) = (plain_pet(), detailed_pet());
    let samples = messages(&plain, &detailed);
    let sampled: BTreeSet<String> = samples
        .iter()
        .map(|[least, _]| least.name().to_owned())
        .collect();
    assert_eq!(in_program, sampled);
}

/// Returns a value of another type.
fn of_another_type(value: &Value) -> Value {
    match value {
        Value::String(_) => json!(1),
        Value::Number(_) => json!("1"),
        _ => json!({ "0": value }),
    }
}

#[test]
fn a_field_that_is_missing_or_of_another_type_is_noticed() {
    for [_, most] in messages(&plain_pet(), &detailed_pet()) {
        let most = sent(&most);
        let kind = most["type"].as_str().unwrap();
        let (required, _) = CONTRACT.fields(kind);
        for name in names(&most) {
            let mut wrong = most.clone();
            wrong[&name] = of_another_type(&most[&name]);
            assert!(!CONTRACT.is_valid(kind, &wrong), "{name} of {kind}");
            if name != "type" {
                assert!(!CONTRACT.is_valid_message(&wrong), "{name} of {kind}");
            }
            let mut without = most.clone();
            without.as_object_mut().unwrap().remove(&name);
            let is_optional = !required.contains(&name);
            assert_eq!(
                CONTRACT.is_valid_message(&without),
                is_optional,
                "{name} of {kind}"
            );
        }
    }
    for (kind, name, value) in [
        ("hello", "cursor", json!("1042")),
        ("hello", "server_time", json!("now")),
        ("hello", "server_time", json!("2026-11-28T14:05:00+01:00")),
        ("hello", "transport", json!("pigeon")),
        ("status", "status", json!("flying")),
        ("status", "by", json!("nobody")),
        ("status", "pet", json!(0)),
        ("status", "pet", json!(1.5)),
        ("pet", "tags", json!(["good-with-mice"])),
        ("pet", "state", json!("lost")),
        ("pet", "photos", json!([{ "url": "/photos/1.jpg" }])),
        ("error", "status", json!(200)),
    ] {
        let (plain, detailed) = (plain_pet(), detailed_pet());
        let samples = messages(&plain, &detailed);
        let [_, message] = samples.iter().find(|[one, _]| one.name() == kind).unwrap();
        let mut message = sent(message);
        message[name] = value;
        assert!(!CONTRACT.is_valid_message(&message), "{message}");
    }
}

#[test]
fn a_reader_accepts_types_and_fields_that_it_does_not_know() {
    for [_, most] in messages(&plain_pet(), &detailed_pet()) {
        let mut message = sent(&most);
        message["mood"] = json!({ "new": true });
        assert!(CONTRACT.is_valid_message(&message), "{message}");
    }
    assert!(CONTRACT.is_valid_message(&json!({ "type": "weather", "cursor": 7 })));
    assert!(!CONTRACT.is_valid_message(&json!({ "cursor": "9f2c41aa-1042" })));
    assert!(!CONTRACT.is_valid_message(&json!([])));
}

#[tokio::test]
async fn a_command_that_the_schema_allows_is_carried_out_and_one_with_a_wrong_field_is_not() {
    let rescue = Rescue::start().await;
    let mut ws = Ws::open(&rescue.app.url(""), "").await;
    let least = json!({ "do": "set-status", "pet": 1, "status": "bathing" });
    assert!(CONTRACT.is_valid("command", &least));
    let mut first = least.clone();
    first["token"] = rescue.tokens[1].clone().into();
    let first = ws.command(&first).await;
    let mut command = json!({
        "do": "set-status", "pet": 1, "status": "eating", "minutes_ago": 0, "note": "alone",
        "expected": first["cursor"], "ref": "a1", "token": rescue.tokens[1],
    });
    let mut described = names(&command);
    described.insert("began".to_owned());
    assert_eq!(CONTRACT.fields("set-status").1, &described);
    for name in names(&command) {
        let mut wrong = command.clone();
        wrong[&name] = of_another_type(&command[&name]);
        assert!(!CONTRACT.is_valid("command", &wrong), "{wrong}");
        let mut other = Ws::open(&rescue.app.url(""), "").await;
        assert_eq!(other.command(&wrong).await["type"], "error", "{wrong}");
    }
    assert!(CONTRACT.is_valid("command", &command), "{command}");
    let answer = ws.command(&command).await;
    assert_eq!(answer["type"], "ack", "{answer}");
    let fields = command.as_object_mut().unwrap();
    fields.remove("minutes_ago");
    fields.remove("expected");
    command["began"] = Timestamp::now().to_string().into();
    command["status"] = "playing".into();
    assert!(CONTRACT.is_valid("command", &command), "{command}");
    assert_eq!(ws.command(&command).await["type"], "ack");
    let ask = json!({ "do": "heartbeat", "heartbeat_ms": 5000, "ref": "h1" });
    assert_eq!(CONTRACT.fields("ask-heartbeat").1, &names(&ask));
    for ask in [ask, json!({ "type": "ping" })] {
        assert!(CONTRACT.is_valid("command", &ask), "{ask}");
        ws.send(ask.to_string()).await;
        while ws.next().await["type"] != "heartbeat" {}
    }
}

/// Calls `check` with the target of every reference in `document`.
fn each_reference(document: &Value, check: &mut impl FnMut(&str)) {
    match document {
        Value::Object(fields) => {
            if let Some(target) = fields.get("$ref").and_then(Value::as_str) {
                check(target);
            }
            fields
                .values()
                .for_each(|value| each_reference(value, check));
        }
        Value::Array(values) => values.iter().for_each(|value| each_reference(value, check)),
        _ => {}
    }
}

/// Its form is checked by tests/api/run, with the official schema of `AsyncAPI`.
#[tokio::test]
async fn the_asyncapi_document_has_every_message_in_its_direction_with_the_same_schema() {
    let app = spawn_app().await;
    let document = app.json("/api/asyncapi.json").await;
    let schema = app.json("/api/live.schema.json").await;
    let mut references = 0;
    each_reference(&document, &mut |target| {
        let place = target.strip_prefix('#').unwrap();
        assert!(document.pointer(place).is_some(), "{target}");
        references += 1;
    });
    assert!(references > 40, "{references}");
    let listed = |place: &str| -> BTreeSet<String> {
        let messages = document.pointer(place).unwrap().as_array().unwrap();
        let names = messages.iter().map(|message| {
            let place = message["$ref"].as_str().unwrap();
            place.rsplit('/').next().unwrap().to_owned()
        });
        names.collect()
    };
    let (plain, detailed) = (plain_pet(), detailed_pet());
    let mut sent: BTreeSet<String> = messages(&plain, &detailed)
        .iter()
        .map(|[message, _]| message.name().to_owned())
        .collect();
    let replies = listed("/operations/setStatus/reply/messages");
    assert_eq!(replies, BTreeSet::from(["ack", "error"].map(str::to_owned)));
    sent.retain(|kind| !replies.contains(kind));
    assert_eq!(listed("/operations/watch/messages"), sent);
    assert_eq!(listed("/operations/setStatus/messages").len(), 1);
    for (name, own) in document["components"]["schemas"].as_object().unwrap() {
        let mut shared = schema["$defs"][name].clone();
        shared.as_object_mut().unwrap().shift_remove("$anchor");
        let shared = shared
            .to_string()
            .replace("#/$defs/", "#/components/schemas/");
        assert_eq!(own.to_string(), shared, "{name}");
    }
}
