//! An import validates like the pages and the API.

use super::*;

/// The text of an export after `change` to its lines, with a valid hash.
fn changed(change: impl Fn(&mut Vec<Value>)) -> Vec<u8> {
    let (text, _) = export();
    let lines = text.split(|byte| *byte == b'\n');
    let lines = lines.filter(|line| !line.is_empty());
    let mut lines: Vec<Value> = lines
        .map(|line| serde_json::from_slice(line).unwrap())
        .collect();
    let mut end = lines.pop().unwrap();
    change(&mut lines);
    let mut text = Vec::new();
    for line in &lines {
        text.extend(line.to_string().into_bytes());
        text.push(b'\n');
    }
    end["sha256"] = HEXLOWER.encode(&Sha256::digest(&text)).into();
    [&text[..], end.to_string().as_bytes(), b"\n"].concat()
}

/// Each of these led to a store that could not be served.
#[test]
fn invalid_values_are_refused_with_their_line_and_field() {
    let largest = 1_u64 << 52;
    let long = "x".repeat(900 * 1024);
    for (line, path, value, reason) in [
        (1, "/epoch", Value::from("zzzzzzzz"), "epoch: it is 8"),
        (1, "/next_pet", u64::MAX.into(), "next_pet: the largest"),
        (1, "/next_pet", 0.into(), "next_pet: ids start at 1"),
        (1, "/rev", (largest + 1).into(), "rev: the largest"),
        (2, "/id", 0.into(), "id: ids start at 1"),
        (
            2,
            "/since",
            i64::MAX.into(),
            "since: the date is out of range",
        ),
        (
            2,
            "/profile/name",
            long.clone().into(),
            "name: Use at most 80",
        ),
        (2, "/profile/name", "\u{200b}".into(), "name: Enter a name"),
        (2, "/note", long[..81].into(), "note: Use at most 80"),
        (5, "/record/note", long[..81].into(), "note: Use at most 80"),
        (
            2,
            "/profile/about",
            long[..2001].into(),
            "about: Use at most 2000",
        ),
        (3, "/rev", (u64::MAX - 1).into(), "rev: the largest"),
        (3, "/rev", 0.into(), "rev: revs start at 1"),
        (
            3,
            "/record/at",
            i64::MIN.into(),
            "at: the date is out of range",
        ),
        (
            3,
            "/record/author/0",
            long[..201].into(),
            "who: use at most",
        ),
        (
            3,
            "/record/author/1",
            "a\u{1b}".into(),
            "client: it has a control",
        ),
        (
            3,
            "/record/profile/breed",
            long.clone().into(),
            "breed: Use at",
        ),
        (
            6,
            "/record/password",
            long[..600].into(),
            "password: it is not",
        ),
        (
            6,
            "/record/invitation/1",
            u64::MAX.into(),
            "invitation: the largest",
        ),
        (7, "/record/name", long[..41].into(), "name: Give the token"),
        (8, "/record/url", "ftp://a.b/".into(), "url: Enter the"),
        (9, "/tick", u64::MAX.into(), "tick: the largest"),
        (10, "/record/did", long[..20_001].into(), "did: use at most"),
        (10, "/record/after", u64::MAX.into(), "after: the largest"),
        (11, "/record/name", "".into(), "name: Enter the name"),
        (
            11,
            "/record/website",
            "javascript:a.b".into(),
            "website: Enter the",
        ),
    ] {
        let text = changed(|lines| {
            let record = &mut lines[line - 1];
            *record.pointer_mut(path).expect(path) = value.clone();
        });
        let error = parsed(&text).expect_err(path).to_string();
        let prefix = format!("line {line} of the export: ");
        assert!(error.starts_with(&prefix), "{path}: {error}");
        assert!(error.contains(reason), "{path}: {error}");
    }
    assert!(parsed(&changed(|_| {})).is_ok());
}

/// Earlier versions accepted control characters and direction overrides.
#[test]
fn an_old_export_is_read_without_the_characters_that_are_refused_today() {
    let text = changed(|lines| {
        for pointer in ["/profile", "/record/profile"] {
            for line in lines.iter_mut() {
                if let Some(profile) = line.pointer_mut(pointer) {
                    profile["name"] = "\u{202e}Bis\ncu\u{0}it".into();
                    profile["about"] = "Likes\r\nrain\u{1b}.".into();
                }
            }
        }
        lines[6]["record"]["name"] = "Feed\u{2066}er".into();
    });
    let entries = parsed(&text).unwrap();
    let ExportedItem::Pet(pet) = &entries[1] else {
        panic!("a pet follows the start");
    };
    assert_eq!(pet.profile.name, "Bis cuit");
    assert_eq!(pet.profile.about, "Likes\nrain.");
    let ExportedItem::Staff(AccountEdit::PutToken(token)) = &entries[6] else {
        panic!("a token is there");
    };
    assert_eq!(token.name, "Feeder");
}

/// All of them were imported, and then none could be added or had a place in the list.
#[test]
fn more_webhooks_than_a_rescue_can_have_are_refused() {
    let with_webhooks = |count: usize| {
        changed(|lines| {
            let is_webhook = |line: &Value| line["line"] == "webhook";
            let place = lines.iter().position(is_webhook).unwrap();
            let webhook = lines[place].clone();
            lines.splice(place..=place, std::iter::repeat_n(webhook, count));
        })
    };
    let refused = parsed(&with_webhooks(Webhook::LIMIT + 1)).unwrap_err();
    let text = refused.to_string();
    assert!(text.contains("more than 20 webhooks"), "{text}");
    let accepted = parsed(&with_webhooks(Webhook::LIMIT)).unwrap_err();
    assert!(!accepted.to_string().contains("webhooks"), "{accepted}");
}
