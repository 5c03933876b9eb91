//! Webhooks: what reaches a receiver, in which order, and what does not.

mod faults;
mod kill;
mod pages;
pub mod receiver;
mod server;
mod tls;
mod trimmed;
mod verify;

use std::time::Duration;

use pet_store::auth::BaseUrl;
use pet_store::live::WebhookConfig;
use serde_json::{Value, json};

use self::receiver::{Received, Receiver, Reply};
use self::verify::check_signature;
use crate::support::{Browser, PASSWORD, Rescue, unescape, until};

/// Settings that let deliveries reach this machine, with short delays.
fn quick() -> WebhookConfig {
    WebhookConfig {
        to_private_addresses: true,
        timeout: Duration::from_secs(2),
        retries: vec![Duration::from_millis(50); 3],
    }
}

/// A rescue whose webhooks reach this machine, and the browser of anna, who is signed in.
async fn start() -> (Rescue, Browser) {
    start_with(quick()).await
}

async fn start_with(webhooks: WebhookConfig) -> (Rescue, Browser) {
    let rescue = Rescue::start_with(|config| config.webhooks = webhooks).await;
    let browser = rescue.signed_in("anna").await;
    (rescue, browser)
}

const ALL: [&str; 5] = ["status", "added", "adopted", "edited", "removed"];

/// Adds a webhook, and returns the path of its page.
async fn add(anna: &mut Browser, url: &str, format: &str, events: &[&str]) -> String {
    anna.get("/settings/webhooks/new").await;
    let mut fields = vec![("name", "Channel"), ("url", url), ("format", format)];
    fields.extend(events.iter().map(|event| ("events", *event)));
    let answer = anna.post("/settings/webhooks", &fields).await;
    assert_eq!(answer.status(), 303, "{}", answer.text().await.unwrap());
    answer.headers()["location"].to_str().unwrap().to_owned()
}

/// Returns the secret that the page of a webhook shows.
async fn secret(anna: &mut Browser, path: &str) -> String {
    let page = unescape(&anna.get(path).await);
    let (_, rest) = page.split_once("whsec_").unwrap();
    format!("whsec_{}", rest.split('<').next().unwrap())
}

/// Sends one of the forms on the page of a webhook that wait for the receiver. Returns the message for the page that
/// follows, as its cookie has it.
async fn act(anna: &mut Browser, path: &str, fields: &[(&str, &str)]) -> String {
    let answer = anna.post(path, fields).await;
    assert_eq!(answer.status(), 303);
    let cookies = answer.headers().get_all("set-cookie").iter();
    let cookies = cookies.map(|cookie| cookie.to_str().unwrap().to_owned());
    let message =
        cookies.filter_map(|cookie| Some(cookie.split_once("webhook-sent~")?.1.to_owned()));
    let message: Vec<String> = message.collect();
    message[0].split(';').next().unwrap().to_owned()
}

/// Changes something over the API. Returns the answer.
async fn send(rescue: &Rescue, method: &str, path: &str, body: Value) -> Value {
    let path = format!("/api/v1{path}");
    let request = rescue.bearing(&rescue.tokens[2], method, &path).json(&body);
    let answer = request.send().await.unwrap();
    assert!(answer.status().is_success(), "{method} {path}");
    answer.json().await.unwrap_or_default()
}

async fn set_status(rescue: &Rescue, pet: u64, status: &str) -> String {
    let path = format!("/pets/{pet}/status");
    let answer = send(rescue, "PUT", &path, json!({ "status": status })).await;
    answer["cursor"].as_str().unwrap().to_owned()
}

async fn until_received(receiver: &Receiver, count: usize) -> Vec<Received> {
    until("deliveries", async || receiver.received().len() >= count).await;
    receiver.received()
}

fn types(received: &[Received]) -> Vec<String> {
    let kind = |received: &Received| received.json()["type"].as_str().unwrap().to_owned();
    received.iter().map(kind).collect()
}

#[tokio::test]
async fn every_public_change_arrives_once_in_order_and_signed() {
    let receiver = Receiver::start(|_| Reply::status(204)).await;
    let (rescue, mut anna) = start().await;
    let path = add(&mut anna, &receiver.url("/hook?x=1"), "standard", &ALL).await;
    let mut cursors = vec![set_status(&rescue, 1, "eating").await];
    let pet = json!({ "name": "Pip", "species": "cat" });
    let pip = send(&rescue, "POST", "/pets", pet).await["id"]
        .as_u64()
        .unwrap();
    let edit = |fields: Value| send(&rescue, "PATCH", "/pets/2", fields);
    edit(json!({ "breed": "Siamese" })).await;
    edit(json!({ "state": "adopted" })).await;
    cursors.push(set_status(&rescue, pip, "playing").await);
    send(&rescue, "DELETE", "/pets/2", json!({})).await;
    let received = until_received(&receiver, 6).await;
    let expected = [
        "pet.status",
        "pet.added",
        "pet.edited",
        "pet.adopted",
        "pet.status",
        "pet.removed",
    ];
    assert_eq!(types(&received), expected);
    let secret = secret(&mut anna, &path).await;
    for delivery in &received {
        check_signature(delivery, &secret);
        assert_eq!(delivery.path, "/hook?x=1");
        assert_eq!(delivery.header("content-type"), "application/json");
        let data = &delivery.json()["data"];
        assert_eq!(data["cursor"], delivery.header("webhook-id"));
    }
    assert_eq!(received[0].header("webhook-id"), cursors[0]);
    assert_eq!(received[4].header("webhook-id"), cursors[1]);
    let status = received[4].json();
    assert_eq!(status["data"]["status"], "playing");
    assert_eq!(status["data"]["name"], "Pip");
    assert_eq!(status["data"]["by"], "api");
    assert_eq!(received[3].json()["data"]["state"], "adopted");
    assert_eq!(received[3].json()["data"]["breed"], "Siamese");

    // Neither a stop nor what happened before the start is sent again.
    let rescue = rescue
        .restart_with(|config| config.webhooks = quick())
        .await;
    let last = set_status(&rescue, 1, "sleeping").await;
    let received = until_received(&receiver, 7).await;
    assert_eq!(received[6].header("webhook-id"), last);
    assert_eq!(received.len(), 7);
}

#[tokio::test]
async fn a_private_pet_reaches_no_webhook_and_one_that_becomes_private_is_gone() {
    let receiver = Receiver::start(|_| Reply::status(200)).await;
    let (rescue, mut anna) = start().await;
    add(&mut anna, &receiver.url("/"), "standard", &ALL).await;
    add(&mut anna, &receiver.url("/chat"), "slack", &ALL).await;
    let secretive = json!({ "name": "Confidential", "species": "cat", "state": "private" });
    let id = send(&rescue, "POST", "/pets", secretive).await["id"].clone();
    let path = format!("/pets/{id}");
    set_status(&rescue, id.as_u64().unwrap(), "eating").await;
    send(&rescue, "PATCH", &path, json!({ "breed": "Confidential" })).await;
    send(&rescue, "DELETE", &path, json!({})).await;
    // Biscuit was public before.
    send(
        &rescue,
        "PATCH",
        "/pets/1",
        json!({ "state": "private", "name": "Confidential" }),
    )
    .await;
    set_status(&rescue, 1, "bathing").await;
    let back = json!({ "state": "available", "name": "Biscuit" });
    send(&rescue, "PATCH", "/pets/1", back).await;
    let end = set_status(&rescue, 1, "eating").await;
    let received = until_received(&receiver, 6).await;
    let programs: Vec<_> = received
        .iter()
        .filter(|one| one.path == "/")
        .cloned()
        .collect();
    assert_eq!(types(&programs), ["pet.removed", "pet.added", "pet.status"]);
    assert_eq!(programs[2].header("webhook-id"), end);
    for delivery in &received {
        assert!(!delivery.body.contains("Confidential"), "{}", delivery.body);
    }
}

/// A delivery fails, and its pet becomes private before the next attempt.
/// Visitors knew all of it. The first delivery hangs, so the others are read from the log after the removal.
#[tokio::test]
async fn what_happened_to_a_pet_arrives_also_after_it_was_removed() {
    let receiver = Receiver::start(|received| match received.json()["data"]["pet"].as_u64() {
        Some(1) => Reply::Silence,
        _ => Reply::status(200),
    })
    .await;
    let (rescue, mut anna) = start().await;
    let fields = json!({ "name": "Pip", "species": "cat" });
    send(&rescue, "POST", "/pets", fields).await;
    add(&mut anna, &receiver.url("/"), "standard", &ALL).await;
    set_status(&rescue, 1, "eating").await;
    until_received(&receiver, 1).await;
    set_status(&rescue, 2, "playing").await;
    send(&rescue, "PATCH", "/pets/2", json!({ "state": "adopted" })).await;
    send(&rescue, "DELETE", "/pets/2", json!({})).await;
    until("the removal", async || {
        types(&receiver.received()).contains(&"pet.removed".to_owned())
    })
    .await;
    let mut received = receiver.received();
    received.retain(|delivery| delivery.json()["data"]["pet"] == 2);
    assert_eq!(
        types(&received),
        ["pet.status", "pet.adopted", "pet.removed"]
    );
    assert!(
        received
            .iter()
            .all(|delivery| delivery.json()["data"]["name"] == "Pip")
    );
}

#[tokio::test]
async fn a_delivery_that_waits_is_dropped_if_its_pet_becomes_private() {
    let receiver = Receiver::start(|received| match received.json()["type"].as_str() {
        Some("pet.status") => Reply::status(500),
        _ => Reply::status(200),
    })
    .await;
    let mut webhooks = quick();
    webhooks.retries = vec![Duration::from_secs(3)];
    let (rescue, mut anna) = start_with(webhooks).await;
    let path = add(&mut anna, &receiver.url("/"), "standard", &ALL).await;
    set_status(&rescue, 1, "eating").await;
    until_received(&receiver, 1).await;
    send(&rescue, "PATCH", "/pets/1", json!({ "state": "private" })).await;
    until("a report", async || {
        anna.get(&path).await.contains("not sent")
    })
    .await;
    assert!(
        anna.get(&path)
            .await
            .contains("The pet is private now, or was deleted.")
    );
    assert_eq!(types(&receiver.received()), ["pet.status", "pet.removed"]);
}

#[tokio::test]
async fn each_format_is_what_its_receiver_reads_and_only_chosen_events_are_sent() {
    let receiver = Receiver::start(|_| Reply::status(200)).await;
    let base = Some(BaseUrl::parse("https://pets.example").unwrap());
    let rescue = Rescue::start_with(|config| {
        (config.webhooks, config.base_url) = (quick(), base);
    })
    .await;
    let mut anna = rescue.browser();
    anna.origin = "https://pets.example".to_owned();
    assert_eq!(anna.sign_in("anna", PASSWORD).await.status(), 303);
    for format in ["standard", "discord", "slack", "ntfy"] {
        let url = receiver.url(&format!("/{format}"));
        add(&mut anna, &url, format, &["status"]).await;
    }
    send(
        &rescue,
        "PATCH",
        "/pets/1",
        json!({ "name": "Max & <Moritz>" }),
    )
    .await;
    set_status(&rescue, 1, "bathing").await;
    let received = until_received(&receiver, 4).await;
    let of = |path: &str| received.iter().find(|one| one.path == path).unwrap();
    let address = "https://pets.example/pets/1";
    assert_eq!(of("/standard").json()["data"]["url"], address);
    let discord = of("/discord").json();
    let text = format!("Max \\& \\<Moritz\\>: Bathing\n{address}");
    assert_eq!(discord["content"], text);
    let text = format!("Max &amp; &lt;Moritz&gt;: Bathing\n{address}");
    assert_eq!(of("/slack").json(), json!({ "text": text }));
    assert_eq!(of("/ntfy").body, "Max & <Moritz>: Bathing");
    assert_eq!(of("/ntfy").header("click"), address);
    assert_eq!(receiver.received().len(), 4);
}
