//! The board as an app: manifest, icons, the service worker, and which pages install it.

use pet_store::web::ServiceWorker;
use reqwest::Url;
use serde_json::Value;

use super::super::attribute;
use crate::support::{Rescue, spawn_app};

/// Width and height of a PNG, from its first chunk.
fn png_size(png: &[u8]) -> (u32, u32) {
    assert_eq!(&png[..8], b"\x89PNG\r\n\x1a\n");
    let number = |at: usize| u32::from_be_bytes(png[at..at + 4].try_into().unwrap());
    (number(16), number(20))
}

#[tokio::test]
async fn the_manifest_describes_the_board_below_any_path() {
    let rescue = Rescue::start().await;
    let app = &rescue.app;
    let page = app.text("/pets").await;
    let (_, link) = page.split_once("<link rel=\"manifest\"").unwrap();
    let address = attribute(link, "href");
    let response = app.get(&address).await;
    let headers = response.headers();
    assert_eq!(headers["content-type"], "application/manifest+json");
    assert_eq!(headers["cache-control"], "no-cache");
    assert!(headers.contains_key("etag"));
    let manifest: Value = response.json().await.unwrap();
    assert_eq!(manifest["name"], "Pet rescue");
    assert_eq!(manifest["short_name"], "Pet rescue");
    assert_eq!(manifest["display"], "standalone");
    let colour = format!("content=\"{}\"", manifest["theme_color"].as_str().unwrap());
    assert!(page.contains(&colour), "the colour of the light theme");

    // A proxy serves the site below /pets-live/.
    let below = Url::parse("https://rescue.example/pets-live/manifest.webmanifest").unwrap();
    let join = |field: &Value| below.join(field.as_str().unwrap()).unwrap();
    let scope = join(&manifest["scope"]);
    assert_eq!(scope.path(), "/pets-live/");
    assert_eq!(join(&manifest["start_url"]).path(), "/pets-live/pets");
    let mut purposes = Vec::new();
    for icon in manifest["icons"].as_array().unwrap() {
        let path = join(&icon["src"]).path().replacen("/pets-live", "", 1);
        let response = app.get(&path).await;
        assert_eq!(response.headers()["content-type"], "image/png");
        let (width, height) = png_size(&response.bytes().await.unwrap());
        assert_eq!(icon["sizes"], format!("{width}x{height}"));
        purposes.push(format!("{} {width}", icon["purpose"].as_str().unwrap()));
    }
    assert_eq!(purposes, ["any 192", "any 512", "maskable 512"]);
    let (_, link) = page.split_once("<link rel=\"apple-touch-icon\"").unwrap();
    let icon = app.get(&attribute(link, "href")).await;
    assert_eq!(png_size(&icon.bytes().await.unwrap()), (180, 180));
}

#[tokio::test]
async fn only_the_board_and_the_pages_of_pets_install_the_worker() {
    let rescue = Rescue::start().await;
    let mut anna = rescue.signed_in("anna").await;
    for (path, is_installing) in [
        ("/pets", true),
        ("/pets?q=biscuit", true),
        ("/pets/1", true),
        ("/board", false),
        ("/share", false),
        ("/pets/1/share", false),
        ("/pets/1/print", false),
        ("/embed/board", false),
        ("/embed/pets/1", false),
        ("/api/docs", false),
        ("/live/doctor", false),
        ("/hello", false),
        ("/sign-in", false),
        ("/offline", false),
    ] {
        let page = rescue.app.text(path).await;
        assert_eq!(page.contains(" data-worker=\""), is_installing, "{path}");
        assert!(!page.contains(" data-personal"), "{path}");
        // The worker is told that what staff see is for nobody else.
        let page = anna.get(path).await;
        assert_eq!(page.contains(" data-personal"), is_installing, "{path}");
    }
    let module = attribute(&rescue.app.text("/pets").await, "data-worker");
    assert_eq!(rescue.app.get(&module).await.status(), 200);
}

/// The worker stores no answer with these words in its `Cache-Control`.
#[tokio::test]
async fn a_page_for_somebody_who_is_signed_in_is_marked_as_private() {
    let rescue = Rescue::start().await;
    let anna = rescue.signed_in("anna").await;
    for path in ["/pets", "/pets/1", "/account", "/audit", "/staff"] {
        let answer = anna.ask("GET", path).send().await.unwrap();
        let caching = answer.headers()["cache-control"].to_str().unwrap();
        let is_private = caching.contains("private") || caching.contains("no-store");
        assert!(is_private, "{path}: {caching}");
    }
    let answer = anna.ask("GET", "/offline").send().await.unwrap();
    assert_eq!(answer.headers()["cache-control"], "no-cache");
    let for_anna = answer.text().await.unwrap();
    assert_eq!(for_anna, rescue.app.text("/offline").await);
    assert!(for_anna.contains("<!--board-->"));
}

#[tokio::test]
async fn the_worker_may_request_what_pages_do_and_nothing_else() {
    let rescue = Rescue::start().await;
    let response = rescue.app.get("/service-worker.js").await;
    let headers = response.headers();
    assert_eq!(headers["content-type"], "text/javascript; charset=utf-8");
    assert_eq!(headers["cache-control"], "no-cache");
    let policy = headers["content-security-policy"].to_str().unwrap();
    assert!(policy.starts_with("default-src 'none'; connect-src 'self';"));
    let page = rescue.app.get("/pets").await;
    let policy = page.headers()["content-security-policy"].to_str().unwrap();
    for rule in [
        "worker-src 'self';",
        "manifest-src 'self';",
        "trusted-types service-worker",
    ] {
        assert!(policy.contains(rule), "{policy}");
    }
}

#[tokio::test]
async fn a_server_without_a_worker_removes_it_from_browsers() {
    let worker = Rescue::start().await.app.text("/service-worker.js").await;
    assert!(!worker.contains("unregister"));
    let off = Rescue::start_with(|config| config.service_worker = ServiceWorker::Off).await;
    // Browsers would keep the worker of a demo for whatever is developed at the same address later.
    for app in [&off.app, &spawn_app().await] {
        assert!(!app.text("/pets").await.contains(" data-worker="));
        let worker = app.text("/service-worker.js").await;
        assert!(worker.contains("unregister()"), "{worker}");
    }
}
