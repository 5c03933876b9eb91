//! Networks that hold back or delay messages.

use std::time::Duration;

use pet_store::model::Timestamp;
use serde_json::Value;

use crate::support::{TestApp, Viewer, spawn_app, spawn_app_with};

/// Returns how long ago the server sent a message with a `server_time`.
fn lag(message: &Value) -> Duration {
    let sent: Timestamp = message["server_time"].as_str().unwrap().parse().unwrap();
    Timestamp::now().since(sent)
}

/// A message that is not held back arrives long before the heartbeat after it.
#[tokio::test]
async fn a_held_message_arrives_with_the_next_one() {
    let heartbeat = Duration::from_millis(400);
    let app = spawn_app_with(|config| config.live.heartbeat = heartbeat).await;
    let since = app.cursor().await;
    let query = format!("?chaos=hold&since={since}");
    let mut viewer = Viewer::open("sse", &app.url(""), &query).await;
    for kind in ["hello", "heartbeat", "heartbeat"] {
        let message = viewer.next().await;
        assert_eq!(message["type"], kind);
        assert!(lag(&message) >= heartbeat / 4, "{message}");
    }
}

#[tokio::test]
async fn held_messages_are_neither_lost_nor_repeated() {
    let app = spawn_app().await;
    let pet = app.add_pet("Biscuit").await;
    let query = format!("?chaos=hold&since={}", app.cursor().await);
    let mut viewer = Viewer::open("sse", &app.url(""), &query).await;
    let mut made = Vec::new();
    for status in ["eating", "bathing", "playing"] {
        made.push(app.set_status(pet, status).await);
    }
    app.set_status(pet, "sleeping").await;
    let arrived = viewer.take_news(made.len()).await;
    let cursors: Vec<_> = arrived
        .iter()
        .map(|news| news["cursor"].as_str().unwrap())
        .collect();
    assert_eq!(cursors, made);
}

/// Connects, and reads hello and a change, each of them delayed.
async fn read_late(app: &TestApp, transport: &str, pet: u64) {
    let query = format!("?chaos=delay&pet={pet}&since={}", app.cursor().await);
    let mut viewer = Viewer::open(transport, &app.url(""), &query).await;
    let late = Duration::from_secs(4);
    let made = app.set_status(pet, "eating").await;
    let hello = viewer.next().await;
    assert_eq!(hello["type"], "hello");
    assert!(lag(&hello) >= late, "{hello}");
    let news = viewer.next_news().await;
    assert_eq!(news["cursor"], made.as_str());
    let since: Timestamp = news["since"].as_str().unwrap().parse().unwrap();
    assert!(Timestamp::now().since(since) >= late, "{news}");
}

#[tokio::test]
async fn on_a_slow_network_everything_arrives_completely_and_four_seconds_late() {
    let app = spawn_app().await;
    let (one, other) = (app.add_pet("Biscuit").await, app.add_pet("Miso").await);
    tokio::join!(read_late(&app, "ws", one), read_late(&app, "sse", other));
}
