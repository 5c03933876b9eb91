//! A viewer that does not read for a while: conflation per pet.

use std::time::Duration;

use serde_json::{Value, json};

use crate::support::{Chain, Raw, metric, rev, spawn_app_with};

/// More than a socket's buffers hold, at two kilobytes per change.
const CHANGES: usize = 1500;

/// A queue per viewer once held all changes that a phone without reception had missed, and the phone
/// showed an hour of old statuses before the present one.
#[tokio::test]
async fn a_stalled_viewer_gets_the_newest_status_per_pet_and_nothing_older() {
    // On a busy machine the changes below take longer than the default write timeout.
    let app = spawn_app_with(|config| config.timeouts.write = Duration::from_mins(10)).await;
    let pets = [app.add_pet("Biscuit").await, app.add_pet("Miso").await];
    let gone = app.add_pet("Pepper").await;
    let mut stalled = Raw::open_narrow(app.address);
    let since = app.cursor().await;
    let head = format!("GET /live/sse?since={since} HTTP/1.1\r\nHost: x\r\n\r\n");
    stalled.send(&head).await;
    let mut read = stalled.read_until("event: hello").await;
    let about = json!({ "about": "x".repeat(2000) });
    for turn in 0..CHANGES {
        let path = format!("/pets/{}", pets[turn % 2]);
        assert_eq!(app.send("PATCH", &path, &about).await.status(), 200);
    }
    app.set_status(pets[0], "bathing").await;
    let removed = app
        .send("DELETE", &format!("/pets/{gone}"), &json!({}))
        .await;
    assert_eq!(removed.status(), 200);
    app.set_status(pets[1], "eating").await;
    let last = app.set_status(pets[0], "playing").await;
    read += &stalled.read_until(&format!("{last}\"")).await;
    // The read may have ended within that message.
    while !read.ends_with('\n') {
        read += &stalled.read_until("\n").await;
    }
    let mut chain = Chain::new(Some(&since));
    let messages: Vec<Value> = read
        .lines()
        .filter_map(|line| serde_json::from_str(line.strip_prefix("data: ")?).ok())
        .inspect(|message| chain.receive(message).expect("nothing is missing"))
        .filter(|message: &Value| message["type"] != "hello" && message["type"] != "heartbeat")
        .collect();
    let revs: Vec<u64> = messages.iter().map(rev).collect();
    assert!(
        revs.is_sorted_by(|earlier, later| earlier < later),
        "{revs:?}"
    );
    assert!(
        messages.len() < CHANGES,
        "{} of {CHANGES} were sent",
        messages.len()
    );
    let newest = |pet: u64| {
        messages
            .iter()
            .rfind(|message| message["pet"] == pet)
            .unwrap()
    };
    assert_eq!(newest(pets[0])["status"], "playing");
    assert_eq!(newest(pets[1])["status"], "eating");
    assert_eq!(newest(gone)["type"], "gone");
    let statuses = messages
        .iter()
        .filter(|message| message["status"] == "bathing");
    assert_eq!(statuses.count(), 0, "an older status was sent");
    assert!(metric(&app, "petstore_resyncs_total").await >= 1);
}
