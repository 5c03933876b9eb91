//! Changes made by form, API and socket, received over each transport.

use serde_json::{Value, json};

use crate::support::{TestApp, Viewer, Ws, rev, spawn_app};

/// Rounds of one change each through form, API and socket.
const ROUNDS: usize = 20;

const STATUSES: [&str; 4] = ["eating", "bathing", "sleeping", "playing"];

/// Makes the changes, and returns their cursors as far as the responses contain them.
async fn change_in_every_way(app: &TestApp, pet: u64) -> Vec<Option<String>> {
    let mut socket = Ws::open(&app.url(""), "").await;
    let mut cursors = Vec::new();
    for status in STATUSES.iter().cycle().take(ROUNDS) {
        let path = format!("/pets/{pet}/status");
        let form = app.post_form(&path, &[("status", status)]).await;
        assert_eq!(form.status(), 303);
        cursors.push(None);
        cursors.push(Some(app.set_status(pet, status).await));
        let command = json!({ "do": "set-status", "pet": pet, "status": status });
        let ack = socket.command(&command).await;
        assert_eq!(ack["type"], "ack");
        cursors.push(Some(ack["cursor"].as_str().unwrap().to_owned()));
    }
    cursors
}

#[tokio::test]
async fn a_change_from_form_api_or_socket_reaches_every_transport_once_and_in_order() {
    let app = spawn_app().await;
    let pet = app.add_pet("Biscuit").await;
    let since = app.cursor().await;
    let query = format!("?since={since}");
    let viewers = Viewer::open_all(&app.url(""), &query).await;
    let acknowledged = change_in_every_way(&app, pet).await;
    let mut seen: Vec<Vec<Value>> = Vec::new();
    for mut viewer in viewers {
        seen.push(viewer.take_news(acknowledged.len()).await);
    }
    let first = rev(&seen[0][0]);
    for (place, (message, cursor)) in seen[0].iter().zip(&acknowledged).enumerate() {
        assert_eq!(
            rev(message),
            first + place as u64,
            "no gap and no repetition"
        );
        assert_eq!(message["by"], ["staff", "api", "staff"][place % 3]);
        assert_eq!(message["status"], STATUSES[place / 3 % 4]);
        assert_eq!(message["pet"], pet);
        if let Some(cursor) = cursor {
            assert_eq!(
                message["cursor"],
                cursor.as_str(),
                "the response has the same cursor"
            );
        }
    }
    assert_eq!(seen[0], seen[1]);
    assert_eq!(seen[0], seen[2]);
}

#[tokio::test]
async fn every_kind_of_change_is_seen_on_every_transport() {
    let app = spawn_app().await;
    app.add_pet("Biscuit").await;
    let viewers = Viewer::open_all(&app.url(""), &format!("?since={}", app.cursor().await)).await;
    let miso = app.add_pet("Miso").await;
    let path = format!("/pets/{miso}");
    app.send("PATCH", &path, &json!({ "age": "5 years" })).await;
    app.set_status(miso, "playing").await;
    app.send("DELETE", &path, &json!({})).await;
    for mut viewer in viewers {
        let news = viewer.take_news(4).await;
        let types: Vec<_> = news
            .iter()
            .map(|message| message["type"].as_str())
            .collect();
        assert_eq!(
            types,
            [Some("pet"), Some("pet"), Some("status"), Some("gone")]
        );
        assert!(news.iter().all(|message| message["pet"] == miso));
        assert_eq!(news[0]["name"], "Miso");
        assert_eq!(news[0]["status"], "sleeping");
        assert_eq!(news[1]["age"], "5 years");
        assert_eq!(
            news[1]["since"], news[0]["since"],
            "an edit keeps the status and its time"
        );
    }
}

/// Quotes, markup and characters outside of ASCII. Line breaks in a name are refused.
#[tokio::test]
async fn text_with_special_characters_arrives_unchanged() {
    let name = "A\u{a0}B\u{c5}\"</script>\\\u{1f436}";
    let app = spawn_app().await;
    app.add_pet("Biscuit").await;
    let since = app.cursor().await;
    let odd = app.add_pet(name).await;
    let pet = app.json(&format!("/api/v1/pets/{odd}")).await;
    assert_eq!(pet["name"], name);
    for mut viewer in Viewer::open_all(&app.url(""), &format!("?since={since}")).await {
        assert_eq!(
            viewer.next_news().await["name"],
            name,
            "{}",
            viewer.transport()
        );
    }
    for mut viewer in Viewer::open_all(&app.url(""), "").await {
        assert_eq!(viewer.next_news().await["pets"][1]["name"], name);
    }
}
