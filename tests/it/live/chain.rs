//! Each message names the one before it, so that a client notices when one is missing.

use std::time::Duration;

use serde_json::{Value, json};

use crate::support::{Chain, TRANSPORTS, TestApp, Viewer, rev, rev_of, spawn_app_with, within};

const FILTERS: [&str; 4] = ["", "&pet=2", "&pet=1&pet=3", "&parts=1"];

/// A network that dropped WebSocket frames over 1 KB once left a page live and wrong for good.
#[tokio::test]
async fn whichever_message_is_lost_a_client_notices_and_otherwise_it_never_does() {
    let app = start().await;
    let since = app.cursor().await;
    for transport in TRANSPORTS {
        for filter in FILTERS {
            for start in ["", &format!("&since={since}")] {
                let query = format!("?wait=0.05{filter}{start}");
                let known = start.strip_prefix("&since=");
                let messages = record(&app, transport, &query).await;
                check(&messages, known, &format!("{transport} {query}"));
            }
        }
    }
}

async fn start() -> TestApp {
    let app = spawn_app_with(|config| config.live.heartbeat = Duration::from_millis(50)).await;
    for name in ["Biscuit", "Miso", "Pepper"] {
        app.add_pet(name).await;
    }
    app
}

/// Returns everything that a viewer receives until the heartbeat after many changes.
async fn record(app: &TestApp, transport: &str, query: &str) -> Vec<Value> {
    for _ in 0..3 {
        change_everything(app).await;
    }
    let mut viewer = Viewer::open(transport, &app.url(""), query).await;
    let mut messages = vec![viewer.next().await];
    let reading = async {
        for _ in 0..3 {
            change_everything(app).await;
        }
        app.cursor().await
    };
    let last = reading.await;
    within("the heartbeat after the last change", async {
        loop {
            messages.push(viewer.next().await);
            let message = &messages[messages.len() - 1];
            if message["type"] == "heartbeat" && rev(message) >= rev_of(&last) {
                break;
            }
        }
    })
    .await;
    messages
}

async fn change_everything(app: &TestApp) {
    for pet in [1, 2, 3] {
        app.set_status(pet, "eating").await;
        app.set_status(pet, "playing").await;
    }
    let about = json!({ "about": format!("{:?}", std::time::Instant::now()) });
    assert_eq!(app.send("PATCH", "/pets/2", &about).await.status(), 200);
}

/// Asserts that a client finds no gap in `messages`, and finds one if it loses any of them.
fn check(messages: &[Value], since: Option<&str>, what: &str) {
    let is_lost = |lost: usize| {
        let mut chain = Chain::new(since);
        let mut others = messages.iter().enumerate();
        others.any(|(index, message)| index != lost && chain.receive(message).is_err())
    };
    assert!(
        !is_lost(messages.len()),
        "{what}: a false gap in {messages:#?}"
    );
    for (index, message) in messages.iter().enumerate() {
        if ["status", "pet", "gone", "snapshot"].contains(&message["type"].as_str().unwrap()) {
            assert!(
                is_lost(index),
                "{what}: nobody misses {message} of {messages:#?}"
            );
        }
    }
}
