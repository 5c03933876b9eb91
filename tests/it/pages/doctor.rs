//! The page of the network doctor: its data, and its text without JavaScript.

use std::time::Duration;

use super::attribute;
use crate::support::{spawn_app, spawn_app_with};

#[tokio::test]
async fn the_doctors_page_has_the_cursor_and_the_heartbeat_interval() {
    let app = spawn_app_with(|config| config.live.heartbeat = Duration::from_millis(2500)).await;
    app.add_pet("Biscuit").await;
    let page = app.text("/live/doctor").await;
    assert_eq!(attribute(&page, "data-cursor"), app.cursor().await);
    assert_eq!(attribute(&page, "data-heartbeat-ms"), "2500");
    assert!(page.contains("at least every 3 s"), "{page}");
}

#[tokio::test]
async fn without_javascript_the_doctor_explains_the_test_and_what_a_network_has_to_let_through() {
    let app = spawn_app().await;
    let page = app.text("/live/doctor").await;
    let (_, plain) = page.split_once("id=\"doctor-plain\"").unwrap();
    assert!(
        plain
            .split("</section>")
            .next()
            .unwrap()
            .contains("JavaScript")
    );
    assert!(
        page.contains("id=\"doctor\" hidden"),
        "what does nothing is not shown"
    );
    for fact in [
        "/live/ws",
        "/live/sse",
        "/live/poll",
        "/live/state",
        "101",
        "text/event-stream",
        "no-store",
    ] {
        assert!(page.contains(fact), "{fact}");
    }
}

/// Its address lies among those that answer programs.
#[tokio::test]
async fn an_error_at_the_path_of_the_doctor_is_a_page() {
    let app = spawn_app().await;
    let answer = app.request("POST", "/live/doctor").send().await.unwrap();
    assert_eq!(answer.status(), 405);
    assert_eq!(answer.headers()["content-type"], "text/html; charset=utf-8");
}

#[tokio::test]
async fn every_live_page_links_to_the_doctor() {
    let app = spawn_app().await;
    app.add_pet("Biscuit").await;
    for path in ["/pets", "/pets/1", "/hello"] {
        let page = app.text(path).await;
        let (_, line) = page.split_once("id=\"connection\"").unwrap();
        let line = line.split("</section>").next().unwrap();
        assert!(line.contains("href=\"/live/doctor\""), "{path}");
    }
}
