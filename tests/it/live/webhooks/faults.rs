//! Receivers that fail, hang, redirect, flood, or are not where they may be.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use super::{ALL, Receiver, Reply, act, add, quick, set_status, start, start_with, until_received};
use crate::support::{metric, until};

#[tokio::test]
async fn a_delivery_that_fails_is_sent_again_with_its_id_until_it_is_accepted() {
    let count = AtomicUsize::new(0);
    let receiver = Receiver::start(move |_| match count.fetch_add(1, Ordering::Relaxed) {
        0 => Reply::Answer(500, String::new(), "out of <order>".to_owned()),
        1 => Reply::status(404),
        _ => Reply::status(200),
    })
    .await;
    let (rescue, mut anna) = start().await;
    let path = add(&mut anna, &receiver.url("/"), "standard", &ALL).await;
    let cursor = set_status(&rescue, 1, "eating").await;
    let received = until_received(&receiver, 3).await;
    for delivery in &received {
        assert_eq!(delivery.header("webhook-id"), cursor);
        assert_eq!(delivery.body, received[0].body);
    }
    until("reports", async || {
        anna.get(&path).await.contains("attempt 3")
    })
    .await;
    let page = anna.get(&path).await;
    for part in [
        "status 500",
        "out of &lt;order&gt;",
        "status 404",
        "status 200",
        "working",
    ] {
        assert!(page.contains(part), "{part}: {page}");
    }
    assert_eq!(receiver.received().len(), 3);
}

#[tokio::test]
async fn a_delivery_that_always_fails_is_given_up_and_can_be_sent_again_by_hand() {
    let is_up = Arc::new(AtomicBool::new(false));
    let works = Arc::clone(&is_up);
    let receiver = Receiver::start(move |_| {
        Reply::status(if works.load(Ordering::Relaxed) {
            200
        } else {
            503
        })
    })
    .await;
    let (rescue, mut anna) = start().await;
    let path = add(&mut anna, &receiver.url("/"), "standard", &ALL).await;
    let cursor = set_status(&rescue, 1, "eating").await;
    until("the end", async || {
        anna.get(&path).await.contains("given up")
    })
    .await;
    assert_eq!(receiver.received().len(), 4, "the first attempt and 3 more");
    assert!(!anna.get(&path).await.contains("id=\"waiting\""));
    is_up.store(true, Ordering::Relaxed);
    let fields = [("do", "again"), ("delivery", cursor.as_str())];
    assert_eq!(act(&mut anna, &path, &fields).await, "accepted");
    assert_eq!(receiver.received()[4].header("webhook-id"), cursor);
    let unknown = [("do", "again"), ("delivery", "00000000-1")];
    assert_eq!(anna.submit(&path, &unknown).await, 404);
}

#[tokio::test]
async fn a_receiver_that_hangs_holds_up_no_other_and_loses_nothing() {
    let count = AtomicUsize::new(0);
    let slow = Receiver::start(move |_| match count.fetch_add(1, Ordering::Relaxed) {
        0 => Reply::Silence,
        _ => Reply::status(200),
    })
    .await;
    let quick = Receiver::start(|_| Reply::status(200)).await;
    let (rescue, mut anna) = start().await;
    let path = add(&mut anna, &slow.url("/"), "standard", &ALL).await;
    add(&mut anna, &quick.url("/"), "standard", &ALL).await;
    let began = Instant::now();
    let first = set_status(&rescue, 1, "eating").await;
    let second = set_status(&rescue, 1, "bathing").await;
    until_received(&quick, 2).await;
    assert!(
        began.elapsed() < Duration::from_secs(2),
        "the time limit of an attempt"
    );
    let received = until_received(&slow, 3).await;
    let ids: Vec<&str> = received
        .iter()
        .map(|one| one.header("webhook-id"))
        .collect();
    assert_eq!(ids[0], first);
    assert!(ids[1..].contains(&first.as_str()) && ids[1..].contains(&second.as_str()));
    until("a report", async || {
        anna.get(&path).await.contains("no answer within 2 s")
    })
    .await;
}

/// The receiver has the delivery, and does not answer before the server has ended.
#[tokio::test]
async fn a_delivery_without_an_answer_before_a_stop_is_sent_again_after_the_next_start() {
    let count = AtomicUsize::new(0);
    let receiver = Receiver::start(move |_| match count.fetch_add(1, Ordering::Relaxed) {
        0 => Reply::Silence,
        _ => Reply::status(200),
    })
    .await;
    let mut webhooks = quick();
    webhooks.timeout = Duration::from_mins(1);
    let (rescue, mut anna) = start_with(webhooks).await;
    add(&mut anna, &receiver.url("/"), "standard", &ALL).await;
    let cursor = set_status(&rescue, 1, "eating").await;
    until_received(&receiver, 1).await;
    let _rescue = rescue
        .restart_with(|config| config.webhooks = quick())
        .await;
    let received = until_received(&receiver, 2).await;
    assert_eq!(received[1].header("webhook-id"), cursor);
}

#[tokio::test]
async fn a_redirect_is_a_failure_and_is_not_followed() {
    let inside = Receiver::start(|_| Reply::status(200)).await;
    let place = inside.url("/admin");
    let outside = Receiver::start(move |_| {
        Reply::Answer(302, format!("Location: {place}\r\n"), String::new())
    })
    .await;
    let (rescue, mut anna) = start().await;
    let path = add(&mut anna, &outside.url("/"), "standard", &ALL).await;
    set_status(&rescue, 1, "eating").await;
    until("the end", async || {
        anna.get(&path).await.contains("given up")
    })
    .await;
    let page = anna.get(&path).await;
    assert!(page.contains("Redirects are not followed"), "{page}");
    assert_eq!(outside.received().len(), 4);
    assert_eq!(inside.connections(), 0);
}

#[tokio::test]
async fn an_answer_of_100_megabytes_is_cut_off() {
    const SIZE: usize = 100 << 20;
    let receiver = Receiver::start(|_| Reply::Flood(SIZE)).await;
    let (rescue, mut anna) = start().await;
    let path = add(&mut anna, &receiver.url("/"), "standard", &ALL).await;
    set_status(&rescue, 1, "eating").await;
    until("a report", async || {
        anna.get(&path).await.contains("status 200")
    })
    .await;
    set_status(&rescue, 1, "bathing").await;
    let received = until_received(&receiver, 2).await;
    assert_eq!(received.len(), 2, "the status says that it was accepted");
    // What was written beyond the limit is in the buffers of the two sockets.
    assert!(receiver.written() < SIZE / 4, "{}", receiver.written());
}

/// `localhost` is a name that leads to this machine, as any name of a stranger can.
#[tokio::test]
async fn no_delivery_reaches_this_machine_without_the_option() {
    let receiver = Receiver::start(|_| Reply::status(200)).await;
    let mut webhooks = quick();
    webhooks.to_private_addresses = false;
    let (rescue, mut anna) = start_with(webhooks).await;
    let port = receiver.port();
    for host in [
        "localhost",
        "127.0.0.1",
        "2130706433",
        "0.0.0.0",
        "[::ffff:127.0.0.1]",
    ] {
        let url = format!("http://{host}:{port}/");
        let path = add(&mut anna, &url, "standard", &ALL).await;
        assert_eq!(act(&mut anna, &path, &[("do", "test")]).await, "failed");
        let page = anna.get(&path).await;
        assert!(
            page.contains("--webhooks-to-private-addresses"),
            "{host}: {page}"
        );
    }
    set_status(&rescue, 1, "eating").await;
    let series = "petstore_webhook_attempts_total{result=\"given-up\"}";
    until("given up", async || metric(&rescue.app, series).await >= 5).await;
    assert_eq!(receiver.connections(), 0);
}

/// Another epoch, as after a backup was restored.
#[tokio::test]
async fn a_history_that_began_again_is_reported_and_deliveries_go_on() {
    let receiver = Receiver::start(|_| Reply::status(200)).await;
    let (rescue, mut anna) = start().await;
    let path = add(&mut anna, &receiver.url("/"), "standard", &ALL).await;
    set_status(&rescue, 1, "eating").await;
    until_received(&receiver, 1).await;
    let (_place, [restored, _]) = rescue.copies();
    let rescue = rescue
        .moved_to_with(&restored, |config| config.webhooks = quick())
        .await;
    let mut anna = rescue.signed_in("anna").await;
    until("a report", async || {
        anna.get(&path)
            .await
            .contains("The history of the store began again.")
    })
    .await;
    let cursor = set_status(&rescue, 1, "bathing").await;
    let received = until_received(&receiver, 2).await;
    assert_eq!(received[1].header("webhook-id"), cursor);
}
