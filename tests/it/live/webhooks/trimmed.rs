//! A log that no longer has what a webhook still has to get.

use std::time::Duration;

use pet_store::model::{Rev, Timestamp};
use pet_store::store::{Engine, StoreError};
use serde_json::json;

use super::{
    ALL, Receiver, Reply, act, add, quick, send, set_status, start, types, until_received,
};
use crate::support::{rev_of, until};

/// The receiver asks for an hour's pause at the first delivery; then the server stands still while its log is trimmed.
#[tokio::test]
async fn a_webhook_gets_what_the_log_still_has_and_says_what_is_missing() {
    let receiver = Receiver::start(
        |received| match received.json()["data"]["status"].as_str() {
            Some("playing") => {
                Reply::Answer(503, "Retry-After: 3600\r\n".to_owned(), String::new())
            }
            _ => Reply::status(200),
        },
    )
    .await;
    let (rescue, mut anna) = start().await;
    let path = add(&mut anna, &receiver.url("/"), "standard", &ALL).await;
    send(&rescue, "PATCH", "/pets/1", json!({ "breed": "Siamese" })).await;
    until_received(&receiver, 1).await;
    let waiting = set_status(&rescue, 1, "playing").await;
    until_received(&receiver, 2).await;
    let first_missing = set_status(&rescue, 1, "eating").await;
    let last_missing = set_status(&rescue, 1, "bathing").await;
    // Neither is taken for a pet that is new on the board, though the edits before are gone.
    send(&rescue, "PATCH", "/pets/1", json!({ "breed": "Persian" })).await;
    send(&rescue, "PATCH", "/pets/1", json!({ "state": "adopted" })).await;
    let last = set_status(&rescue, 1, "sleeping").await;
    let trim = |engine: &dyn Engine| {
        let present = Timestamp::now().plus(Duration::from_hours(1));
        engine.trim(present, Duration::ZERO, 3, 1000).unwrap();
        assert_eq!(engine.tail(Rev::ZERO, 9), Err(StoreError::Trimmed));
    };
    let rescue = rescue
        .restart_after(trim, |config| config.webhooks = quick())
        .await;
    let mut anna = rescue.signed_in("anna").await;
    let received = until_received(&receiver, 5).await;
    assert_eq!(
        types(&received[2..]),
        ["pet.edited", "pet.adopted", "pet.status"]
    );
    assert_eq!(received[4].header("webhook-id"), last);
    let missing = format!(
        "it lacks changes from {} to {}, which are not sent",
        rev_of(&first_missing),
        rev_of(&last_missing)
    );
    until("a report", async || {
        anna.get(&path).await.contains(&missing)
    })
    .await;

    // A delivery that waited is given up with the reason.
    let again = [("do", "again"), ("delivery", waiting.as_str())];
    act(&mut anna, &path, &again).await;
    let page = anna.get(&path).await;
    assert!(
        page.contains("The history does not have this change any more."),
        "{page}"
    );
    assert!(!page.contains("id=\"waiting\""), "{page}");
    assert_eq!(receiver.received().len(), 5);
}
