//! The pages of webhooks: who may use them, what they show and refuse, and the audit.

use super::{ALL, Receiver, Reply, act, add, secret, set_status, start, until_received};
use crate::support::unescape;

#[tokio::test]
async fn only_admins_see_and_edit_webhooks() {
    let (rescue, mut anna) = start().await;
    let path = add(&mut anna, "https://hooks.example/s3cret", "standard", &ALL).await;
    let edit = format!("{path}/edit");
    let mut visitor = rescue.browser();
    let mut boris = rescue.signed_in("boris").await;
    for page in ["/settings/webhooks", "/settings/webhooks/new", &path, &edit] {
        assert_eq!(anna.status(page).await, 200, "{page}");
        assert_eq!(visitor.status(page).await, 303, "{page}");
        assert_eq!(boris.status(page).await, 403, "{page}");
    }
    for page in ["/settings/webhooks", &path, &edit] {
        let fields = [("do", "remove"), ("confirm", "yes")];
        assert_eq!(visitor.submit(page, &fields).await, 401, "{page}");
        assert_eq!(boris.submit(page, &fields).await, 403, "{page}");
    }
    assert_eq!(anna.status("/settings/webhooks/0a0b0c0d").await, 404);
    assert!(
        anna.get("/settings")
            .await
            .contains("href=\"/settings/webhooks\"")
    );
}

#[tokio::test]
async fn a_webhook_is_added_edited_paused_resumed_and_removed_and_the_audit_says_so() {
    let receiver = Receiver::start(|_| Reply::status(200)).await;
    let (rescue, mut anna) = start().await;
    let path = add(&mut anna, &receiver.url("/s3cret"), "standard", &["added"]).await;
    let edit = format!("{path}/edit");
    let before = secret(&mut anna, &path).await;
    let form = unescape(&anna.get(&edit).await);
    assert!(
        form.contains("/s3cret") && form.contains("value=\"added\" checked"),
        "{form}"
    );
    let url = receiver.url("/other");
    let fields = [
        ("name", "Phones"),
        ("url", &url),
        ("format", "standard"),
        ("events", "status"),
    ];
    assert_eq!(anna.submit(&edit, &fields).await, 303);
    assert_eq!(secret(&mut anna, &path).await, before);
    assert_eq!(act(&mut anna, &path, &[("do", "test")]).await, "accepted");
    assert_eq!(receiver.received()[0].json()["type"], "test");

    assert_eq!(anna.submit(&path, &[("do", "pause")]).await, 303);
    assert!(anna.get("/settings/webhooks").await.contains("paused"));
    set_status(&rescue, 1, "eating").await;
    assert_eq!(anna.submit(&path, &[("do", "resume")]).await, 303);
    let cursor = set_status(&rescue, 1, "bathing").await;
    let received = until_received(&receiver, 2).await;
    assert_eq!(
        received[1].header("webhook-id"),
        cursor,
        "none of the pause"
    );

    assert_eq!(
        anna.submit(&path, &[("do", "remove")]).await,
        422,
        "it asks"
    );
    assert!(
        anna.get(&format!("{path}?do=remove"))
            .await
            .contains("Remove the webhook Phones?")
    );
    let confirmed = [("do", "remove"), ("confirm", "yes")];
    assert_eq!(anna.submit(&path, &confirmed).await, 303);
    assert_eq!(anna.status(&path).await, 404);
    set_status(&rescue, 1, "sleeping").await;
    let audit = unescape(&anna.get("/audit").await);
    let host = receiver.url("").replace("http://", "");
    for entry in [
        format!("added the webhook Channel (JSON for programs at {host}: pet added)"),
        format!("edited the webhook Channel, now Phones (JSON for programs at {host}: new status)"),
        "paused the webhook Phones".to_owned(),
        "resumed the webhook Phones".to_owned(),
        "removed the webhook Phones".to_owned(),
    ] {
        assert!(audit.contains(&entry), "{entry}: {audit}");
    }
    assert!(!audit.contains("s3cret"), "the path can be a key");
    assert_eq!(receiver.received().len(), 2);
}

/// Compressed answers reveal what they repeat, and drafts stay in a browser when its person has signed out.
#[tokio::test]
async fn the_form_with_the_address_is_neither_compressed_nor_kept_by_the_browser() {
    let (_rescue, mut anna) = start().await;
    let path = add(&mut anna, "https://hooks.example/s3cret", "standard", &ALL).await;
    let edit = format!("{path}/edit");
    for (page, is_secret) in [(path.as_str(), true), (&edit, true), ("/settings", false)] {
        let request = anna.ask("GET", page).header("accept-encoding", "gzip, br");
        let answer = request.send().await.unwrap();
        let coding = answer.headers().contains_key("content-encoding");
        assert_eq!(coding, !is_secret, "{page}");
        let caching = answer.headers()["cache-control"].to_str().unwrap();
        assert_eq!(caching == "no-store", is_secret, "{page}: {caching}");
    }
    for (page, has_draft) in [(edit.as_str(), false), ("/settings", true)] {
        assert_eq!(
            anna.get(page).await.contains("data-draft"),
            has_draft,
            "{page}"
        );
    }
    let fields = [("name", ""), ("url", "https://hooks.example/s3cret")];
    let answer = anna.post(&edit, &fields).await;
    assert_eq!(answer.headers()["cache-control"], "no-store");
    let page = answer.text().await.unwrap();
    assert!(
        page.contains("s3cret") && !page.contains("data-draft"),
        "{page}"
    );
}

#[tokio::test]
async fn a_form_with_mistakes_says_so_and_keeps_what_was_entered() {
    let (_rescue, mut anna) = start().await;
    anna.get("/settings/webhooks/new").await;
    let fields = [
        ("name", "A channel"),
        ("url", "hooks.example"),
        ("format", "fax"),
    ];
    let answer = anna.post("/settings/webhooks", &fields).await;
    assert_eq!(answer.status(), 422);
    let page = unescape(&answer.text().await.unwrap());
    for part in [
        "value=\"A channel\"",
        "value=\"hooks.example\"",
        "Enter the complete address",
        "Choose a format.",
        "Choose at least one event.",
    ] {
        assert!(page.contains(part), "{part}: {page}");
    }
    let page = anna.get("/settings/webhooks").await;
    assert!(!page.contains("A channel"), "{page}");
}

/// The same form, sent twice.
#[tokio::test]
async fn a_form_that_is_sent_twice_adds_one_webhook() {
    let (_rescue, mut anna) = start().await;
    let page = anna.get("/settings/webhooks/new").await;
    let (_, key) = page.split_once("name=\"request\" value=\"").unwrap();
    let key = key.split('"').next().unwrap().to_owned();
    let fields = [
        ("name", "Channel"),
        ("url", "https://hooks.example/"),
        ("format", "slack"),
        ("events", "added"),
        ("request", &key),
    ];
    for _ in 0..2 {
        assert_eq!(anna.submit("/settings/webhooks", &fields).await, 303);
    }
    let list = anna.get("/settings/webhooks").await;
    assert_eq!(list.matches("row-name").count(), 1, "{list}");
}
