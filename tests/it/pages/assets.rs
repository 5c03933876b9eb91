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

/// What a module imports and a style loads, as it is written there: quoted or in `url(…)`.
fn references(text: &str) -> Vec<&str> {
    let imports = text.lines().filter_map(|line| {
        let starts = ["import ", "} from ", "@import "];
        let is_import = starts.iter().any(|start| line.starts_with(start));
        let quoted = is_import.then(|| line.split(['"', '\'']).nth(1)).flatten();
        quoted.or_else(|| line.split_once("import(\"")?.1.split('"').next())
    });
    let loads = text.split("url(").skip(1);
    let loads = loads.filter_map(|rest| rest.split(')').next());
    let found = imports.chain(loads.map(|address| address.trim_matches(['"', '\''])));
    found.filter(|found| found.starts_with('.')).collect()
}

/// `reference` as seen from `address`.
fn resolve(address: &str, reference: &str) -> String {
    let mut segments: Vec<&str> = address.split('/').collect();
    segments.pop();
    for segment in reference.split('/') {
        match segment {
            "." => {}
            ".." => drop(segments.pop()),
            name => segments.push(name),
        }
    }
    segments.join("/")
}

#[tokio::test]
async fn every_file_that_a_page_refers_to_exists_also_indirectly() {
    let app = spawn_app().await;
    app.add_pet("Biscuit").await;
    let mut waiting = Vec::new();
    for path in [
        "/pets",
        "/pets/1",
        "/pets/new",
        "/hello",
        "/live/doctor",
        "/api/docs",
        "/nothing",
    ] {
        waiting.extend(requested_files(&app, path).await);
    }
    let mut seen = BTreeSet::new();
    while let Some(address) = waiting.pop() {
        if !seen.insert(address.clone()) {
            continue;
        }
        let response = app.get(&address).await;
        assert_eq!(response.status(), 200, "{address}");
        let text = response.text().await.unwrap();
        let found = references(&text).into_iter();
        waiting.extend(found.map(|reference| resolve(&address, reference)));
    }
    for kind in [".js", ".css", ".svg"] {
        let count = seen
            .iter()
            .filter(|address| address.ends_with(kind))
            .count();
        assert!(count > 3, "{count} files of {kind} are few");
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
    let response = app.get("/assets/0123456789abcdef/app/visitor.js").await;
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
        "petstore",
        "petstore/",
        "app/visitor.js/",
        "%00",
    ] {
        let response = app.get(&format!("{folder}/{path}")).await;
        assert_eq!(response.status(), 404, "{path}");
        let page = response.text().await.unwrap();
        assert!(!page.contains("/work") && !page.contains("Cargo"), "{path}");
    }
}
