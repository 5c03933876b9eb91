//! `GET /live/state`: the present board.

use crate::support::spawn_app;
use serde_json::Value;

#[tokio::test]
async fn the_state_is_a_snapshot_that_is_sent_again_only_after_a_change() {
    let app = spawn_app().await;
    let pet = app.add_pet("Biscuit").await;
    let response = app.get("/live/state").await;
    assert_eq!(response.status(), 200);
    let tag = response.headers()["etag"].to_str().unwrap().to_owned();
    let state: Value = response.json().await.unwrap();
    assert_eq!(state["type"], "snapshot");
    assert_eq!(tag, format!("\"{}\"", state["cursor"].as_str().unwrap()));
    for known in [
        tag.clone(),
        format!("W/{tag}"),
        format!("\"x\", {tag}"),
        "*".to_owned(),
    ] {
        let request = app
            .request("GET", "/live/state")
            .header("if-none-match", &known);
        let response = request.send().await.unwrap();
        assert_eq!(response.status(), 304, "{known}");
        assert_eq!(response.headers()["etag"], tag.as_str());
        assert_eq!(response.text().await.unwrap(), "");
    }
    app.set_status(pet, "eating").await;
    let request = app
        .request("GET", "/live/state")
        .header("if-none-match", &tag);
    let response = request.send().await.unwrap();
    assert_eq!(response.status(), 200);
    assert_ne!(response.headers()["etag"], tag.as_str());
}

/// The cost of a viewer that polls the state every few seconds, for some pets or for all.
#[tokio::test]
async fn a_short_poller_learns_in_a_few_bytes_that_nothing_changed() {
    let app = spawn_app().await;
    let miso = app.add_pet("Miso").await;
    for (query, next) in [
        ("?transport=short", "eating"),
        ("?transport=short&pet=1", "playing"),
        ("?pet=1&pet=77", "bathing"),
    ] {
        let path = format!("/live/state{query}");
        let tag = app.get(&path).await.headers()["etag"].clone();
        for method in ["GET", "HEAD"] {
            let request = app.request(method, &path).header("if-none-match", &tag);
            let response = request.send().await.unwrap();
            assert_eq!(response.status(), 304, "{method} {query}");
            assert_eq!(response.headers()["etag"], tag);
            assert_eq!(response.text().await.unwrap(), "", "{method} {query}");
        }
        app.set_status(miso, next).await;
        let request = app.request("GET", &path).header("if-none-match", &tag);
        let response = request.send().await.unwrap();
        assert_eq!(response.status(), 200, "{query}");
        let state: Value = response.json().await.unwrap();
        assert_eq!(state["pets"].as_array().unwrap().len(), 1, "{query}");
    }
}

/// A proxy may neither store nor transform the response. The browser may store it, and has to revalidate
/// it each time.
#[tokio::test]
async fn the_state_is_revalidated_before_a_cache_serves_it() {
    let app = spawn_app().await;
    app.add_pet("Biscuit").await;
    for tag in ["\"x\"", "*"] {
        let request = app
            .request("GET", "/live/state")
            .header("if-none-match", tag);
        let response = request.send().await.unwrap();
        let control = response.headers()["cache-control"].to_str().unwrap();
        assert_eq!(
            control,
            "private, no-cache, no-transform",
            "{}",
            response.status()
        );
    }
}

#[tokio::test]
async fn the_state_can_be_filtered_and_head_has_no_body() {
    let app = spawn_app().await;
    app.add_pet("Biscuit").await;
    app.add_pet("Miso").await;
    let state = app.json("/live/state?pet=2&pet=77").await;
    assert_eq!(state["pets"].as_array().unwrap().len(), 1);
    assert_eq!(state["pets"][0]["name"], "Miso");
    let head = app.request("HEAD", "/live/state").send().await.unwrap();
    assert_eq!(head.status(), 200);
    assert!(head.headers().contains_key("etag"));
    assert_eq!(head.text().await.unwrap(), "");
}
