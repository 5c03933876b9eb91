//! Style sheets, scripts and icons: complete, cached, and found after an update.

mod offline;

use std::collections::BTreeSet;

use reqwest::header::HeaderName;

use super::attributes;
use super::compression::decompress;
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
    let pet = app.add_pet("Biscuit").await;
    app.set_status(pet, "eating").await;
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
        let stylesheets = files.iter().filter(|file| file.contains(".css"));
        // The selection of the board of staff, the day of a pet, a long form and the reference have their own, and
        // there are silhouettes for pets without a photo.
        let expected = match path {
            "/pets" | "/pets/1" => 3,
            "/pets/new" | "/api/docs" => 2,
            _ => 1,
        };
        assert_eq!(stylesheets.count(), expected, "{path}");
        found.extend(files);
    }
    for address in found {
        let response = app.get(&address).await;
        assert_eq!(response.status(), 200, "{address}");
        // Under any hash the server has the newest. A page imports it only when an admin edits activities.
        let text = response.text().await.unwrap();
        let text = text.replace("import(\"../newest/activities.js", "");
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
            "png" => "image/png",
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

/// A file needs no policy for documents, and each header is sent with each file.
#[tokio::test]
async fn a_file_has_only_headers_that_mean_something_for_it() {
    let app = spawn_app().await;
    let mut addresses = requested_files(&app, "/pets").await;
    addresses.push("/favicon.ico".to_owned());
    for address in addresses {
        let response = app.get(&address).await;
        let mut names: Vec<&str> = response.headers().keys().map(HeaderName::as_str).collect();
        names.sort_unstable();
        names.retain(|name| *name != "vary");
        let expected = [
            "cache-control",
            "content-length",
            "content-type",
            "date",
            "etag",
            "x-content-type-options",
            "x-request-id",
        ];
        assert_eq!(names, expected, "{address}");
    }
}

#[tokio::test]
async fn a_file_is_compressed_and_has_a_tag_for_each_coding() {
    let app = spawn_app().await;
    let files = requested_files(&app, "/pets").await;
    let script = files.iter().find(|file| file.ends_with("demo.js")).unwrap();
    let plain = app.text(script).await;
    let mut tags = BTreeSet::new();
    for accepted in ["br", "gzip", "identity"] {
        let request = app
            .request("GET", script)
            .header("accept-encoding", accepted);
        let response = request.send().await.unwrap();
        assert_eq!(response.headers()["vary"], "accept-encoding");
        let tag = response.headers()["etag"].to_str().unwrap().to_owned();
        let coding = response.headers().get("content-encoding").cloned();
        assert_eq!(coding.is_some(), accepted != "identity");
        let body = response.bytes().await.unwrap();
        assert!(coding.is_none() || body.len() < plain.len() / 2);
        assert_eq!(decompress(coding.as_ref(), &body), plain);

        let again = app
            .request("GET", script)
            .header("accept-encoding", accepted);
        let again = again.header("if-none-match", &tag).send().await.unwrap();
        assert_eq!(again.status(), 304);
        assert_eq!(again.headers()["etag"], tag.as_str());
        assert!(tags.insert(tag), "a tag per coding");
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
