//! Style sheets, scripts and icons: complete, cached, and found after an update.

use std::collections::BTreeSet;

use super::attributes;
use crate::support::{TestApp, spawn_app};

/// The addresses that a page asks for.
async fn requested_files(app: &TestApp, path: &str) -> Vec<String> {
    let page = app.text(path).await;
    let mut addresses = attributes(&page, "src");
    addresses.extend(attributes(&page, "href"));
    addresses.retain(|address| address.starts_with("/assets/"));
    addresses
}

#[tokio::test]
async fn every_file_that_a_page_refers_to_exists_and_refers_to_no_other() {
    let app = spawn_app().await;
    app.add_pet("Biscuit").await;
    let mut found = BTreeSet::new();
    for path in [
        "/pets",
        "/pets/1",
        "/pets/new",
        "/hello",
        "/live/doctor",
        "/api/docs",
        "/nothing",
    ] {
        let files = requested_files(&app, path).await;
        let stylesheets = files.iter().filter(|file| file.ends_with(".css"));
        assert_eq!(stylesheets.count(), 1, "{path}");
        found.extend(files);
    }
    for address in found {
        let response = app.get(&address).await;
        assert_eq!(response.status(), 200, "{address}");
        let text = response.text().await.unwrap();
        for reference in [
            "url(.",
            "url(\"",
            "url(/",
            "@import",
            "import\"",
            "import(\"",
        ] {
            assert!(!text.contains(reference), "{address}: {reference}");
        }
    }
}

#[tokio::test]
async fn a_file_under_the_current_fingerprint_is_immutable_and_not_sent_twice() {
    let app = spawn_app().await;
    for address in requested_files(&app, "/pets").await {
        let response = app.get(&address).await;
        let headers = response.headers();
        assert_eq!(
            headers["cache-control"],
            "public, max-age=31536000, immutable"
        );
        let tag = headers["etag"].to_str().unwrap().to_owned();
        assert!(tag.starts_with('"') && tag.ends_with('"'), "{tag}");
        let kind = headers["content-type"].to_str().unwrap();
        let expected = match address.rsplit('.').next().unwrap() {
            "js" => "text/javascript; charset=utf-8",
            "css" => "text/css; charset=utf-8",
            _ => "image/svg+xml",
        };
        assert_eq!(kind, expected, "{address}");
        let request = app.request("GET", &address).header("if-none-match", tag);
        let again = request.send().await.unwrap();
        assert_eq!(again.status(), 304);
        assert_eq!(again.text().await.unwrap(), "");
        let head = app.request("HEAD", &address).send().await.unwrap();
        assert_eq!(head.status(), 200);
        assert_eq!(head.text().await.unwrap(), "");
    }
}

#[tokio::test]
async fn a_page_from_before_an_update_gets_current_files_that_are_not_cached() {
    let app = spawn_app().await;
    let response = app.get("/assets/0123456789abcdef/visitor.js").await;
    assert_eq!(response.status(), 200);
    assert_eq!(response.headers()["cache-control"], "no-cache");
}

#[tokio::test]
async fn no_file_outside_of_public_is_served() {
    let app = spawn_app().await;
    let address = requested_files(&app, "/pets").await.remove(0);
    let (folder, _) = address.rsplit_once('/').unwrap();
    for path in [
        "..%2fCargo.toml",
        "%2e%2e/Cargo.toml",
        "nothing.js",
        "manifest.json",
        "app.js/",
        "app/visitor.js",
        "%00",
    ] {
        let response = app.get(&format!("{folder}/{path}")).await;
        assert_eq!(response.status(), 404, "{path}");
        let page = response.text().await.unwrap();
        assert!(!page.contains("/work") && !page.contains("Cargo"), "{path}");
    }
}
