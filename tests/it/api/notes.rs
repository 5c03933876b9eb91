//! Notes on statuses, and statuses that began earlier.

use serde_json::{Value, json};

use crate::support::{Rescue, TestApp, Viewer, Ws, spawn_app, unescape};

/// Notes that a format could break.
const NOTES: [&str; 8] = [
    "at the vet until 3",
    "</script><img src=x onerror=alert(1)>",
    "\"quoted\" & 'quoted' \\ &amp; {{ 7 * 7 }}",
    "=HYPERLINK(\"x\")",
    "\u{645}\u{200c}\u{6cc} \u{5d0}\u{200f}1",
    "\u{1f469}\u{200d}\u{1f680} \u{2764}\u{fe0f}",
    "a, b; c\u{a0}d",
    "data: x",
];

async fn set(app: &TestApp, pet: u64, fields: Value) -> Value {
    let path = format!("/pets/{pet}/status");
    let response = app.send("PUT", &path, &fields).await;
    response.json().await.unwrap()
}

async fn pet(app: &TestApp, id: u64) -> Value {
    app.json(&format!("/api/v1/pets/{id}")).await
}

#[tokio::test]
async fn a_note_is_the_same_text_on_every_page_and_transport() {
    let app = spawn_app().await;
    let biscuit = app.add_pet("Biscuit").await;
    let since = app.cursor().await;
    let viewers = Viewer::open_all(&app.url(""), &format!("?since={since}")).await;
    let longest = "\u{1f408}".repeat(80);
    let notes = NOTES.into_iter().chain([longest.as_str()]);
    let notes: Vec<&str> = notes.collect();
    for note in &notes {
        let fields = json!({ "status": "eating", "note": format!(" {note} ") });
        assert!(set(&app, biscuit, fields).await["cursor"].is_string());
        assert_eq!(pet(&app, biscuit).await["note"], *note);
        for path in ["/pets", "/pets/1"] {
            let page = app.text(path).await;
            let (_, shown) = page
                .split_once("data-field=\"note\" dir=\"auto\">")
                .unwrap();
            let (shown, _) = shown.split_once("</p>").unwrap();
            assert!(!shown.contains('<'), "{shown}");
            assert_eq!(unescape(shown), *note, "{path}");
        }
    }
    let path = "/api/v1/pets/1/changes";
    let changes = app.json(path).await;
    assert_eq!(changes["changes"][0]["note"], *notes.last().unwrap());
    for query in ["", "?parts=1"] {
        for mut viewer in Viewer::open_all(&app.url(""), query).await {
            let snapshot = viewer.next_news().await;
            assert_eq!(snapshot["pets"][0]["note"], *notes.last().unwrap());
        }
    }
    for mut viewer in viewers {
        let news = viewer.take_news(notes.len()).await;
        let told: Vec<&str> = news
            .iter()
            .map(|news| news["note"].as_str().unwrap())
            .collect();
        assert_eq!(told, notes, "{}", viewer.transport());
    }
}

/// Clients of earlier versions send and read no notes.
#[tokio::test]
async fn a_status_without_a_note_ends_the_note_and_has_the_fields_of_earlier_versions() {
    let app = spawn_app().await;
    let biscuit = app.add_pet("Biscuit").await;
    set(
        &app,
        biscuit,
        json!({ "status": "eating", "note": "slowly" }),
    )
    .await;
    let since = app.cursor().await;
    let viewers = Viewer::open_all(&app.url(""), &format!("?since={since}")).await;
    set(&app, biscuit, json!({ "status": "eating" })).await;
    assert_eq!(pet(&app, biscuit).await["note"], "slowly", "a confirmation");
    let edit = json!({ "breed": "Whippet" });
    assert_eq!(app.send("PATCH", "/pets/1", &edit).await.status(), 200);
    assert_eq!(pet(&app, biscuit).await["note"], "slowly", "an edit");
    set(&app, biscuit, json!({ "status": "playing" })).await;
    assert_eq!(pet(&app, biscuit).await["note"], "");
    for mut viewer in viewers {
        let news = viewer.take_news(3).await;
        assert_eq!(news[0]["note"], "slowly");
        assert_eq!(news[1]["note"], "slowly");
        let names: Vec<&String> = news[2].as_object().unwrap().keys().collect();
        let before = ["type", "cursor", "pet", "status", "since", "by", "after"];
        assert_eq!(names, before, "{}", viewer.transport());
    }
}

#[tokio::test]
async fn an_invalid_note_or_start_is_refused_at_its_field() {
    let app = spawn_app().await;
    let biscuit = app.add_pet("Biscuit").await;
    let cursor = app.cursor().await;
    for (field, value) in [
        ("note", json!("x".repeat(81))),
        ("note", json!("two\nlines")),
        ("note", json!("a\u{202e}b")),
        ("note", json!(7)),
        ("minutes_ago", json!(1441)),
        ("minutes_ago", json!(-1)),
        ("minutes_ago", json!(0.5)),
        ("minutes_ago", json!("20")),
        ("began", json!("9999-01-01T00:00:00Z")),
        ("began", json!("2020-01-01T00:00:00Z")),
        ("began", json!("20 minutes ago")),
        ("began", json!(20)),
    ] {
        let mut fields = json!({ "status": "eating" });
        fields[field] = value.clone();
        for answer in [set(&app, biscuit, fields.clone()).await, {
            fields["pets"] = json!([biscuit]);
            let response = app.send("POST", "/statuses", &fields).await;
            response.json().await.unwrap()
        }] {
            assert_eq!(answer["status"], 422, "{field} {value}");
            assert_eq!(answer["errors"][0]["field"], field, "{value}");
        }
    }
    let mut ws = Ws::open(&app.url(""), "").await;
    for (field, value) in [
        ("note", json!("a\nb")),
        ("began", json!("a\nb")),
        ("minutes_ago", json!(1441)),
        ("minutes_ago", json!(-1)),
        ("minutes_ago", json!(0.5)),
    ] {
        let mut command = json!({ "do": "set-status", "pet": biscuit, "status": "eating" });
        command[field] = value.clone();
        assert_eq!(ws.command(&command).await["status"], 422, "{field} {value}");
    }
    assert_eq!(app.cursor().await, cursor, "nothing was changed");
    set(&app, biscuit, json!({ "status": "playing" })).await;
    let began = jiff::Timestamp::now() - jiff::SignedDuration::from_mins(20);
    for (field, start) in [
        ("minutes_ago", json!(20)),
        ("began", json!(began.to_string())),
    ] {
        let mut fields = json!({ "status": "eating" });
        fields[field] = start;
        let early = set(&app, biscuit, fields.clone()).await;
        assert_eq!(early["errors"][0]["field"], field);
        fields["pets"] = json!([biscuit]);
        let response = app.send("POST", "/statuses", &fields).await;
        let early: Value = response.json().await.unwrap();
        assert_eq!(early["errors"][0]["field"], field, "{early}");
    }
    let both = json!({ "status": "eating", "minutes_ago": 0, "since": "2020-01-01T00:00:00Z" });
    assert_eq!(
        set(&app, biscuit, both).await["errors"][0]["field"],
        "since"
    );
}

#[tokio::test]
async fn a_status_that_began_earlier_is_set_by_api_and_socket_and_a_retry_is_the_same_request() {
    let rescue = Rescue::start().await;
    let app = &rescue.app;
    let put = |fields: Value| {
        let request = rescue.bearing(&rescue.tokens[2], "PUT", "/api/v1/pets/1/status");
        request.header("idempotency-key", "\"k-1\"").json(&fields)
    };
    let fields = json!({ "status": "eating", "minutes_ago": 20, "note": "slowly" });
    let first: Value = put(fields.clone())
        .send()
        .await
        .unwrap()
        .json()
        .await
        .unwrap();
    let again: Value = put(fields).send().await.unwrap().json().await.unwrap();
    assert_eq!(first, again);
    let other = json!({ "status": "eating", "minutes_ago": 20, "note": "fast" });
    assert_eq!(put(other).send().await.unwrap().status(), 422);
    let eating = pet(app, 1).await;
    let minutes_ago = |pet: &Value| {
        let since: jiff::Timestamp = pet["since"].as_str().unwrap().parse().unwrap();
        jiff::Timestamp::now().duration_since(since).as_mins()
    };
    assert_eq!(
        (minutes_ago(&eating), &eating["note"]),
        (20, &json!("slowly"))
    );
    let mut ws = Ws::open(&app.url(""), "?pet=1").await;
    let command = json!({
        "do": "set-status", "pet": 1, "status": "playing", "minutes_ago": 10, "note": "\u{1f3be}",
        "token": rescue.tokens[2],
    });
    assert_eq!(ws.command(&command).await["type"], "ack");
    let playing = pet(app, 1).await;
    assert_eq!(
        (minutes_ago(&playing), &playing["note"]),
        (10, &json!("\u{1f3be}"))
    );
    let changes = app.json("/api/v1/pets/1/changes").await;
    assert_eq!(changes["changes"][0]["began"], playing["since"]);
    assert_eq!(changes["changes"][0]["note"], "\u{1f3be}");
    let restarted = rescue.restart().await;
    assert_eq!(pet(&restarted.app, 1).await, playing);
}
