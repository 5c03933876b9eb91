//! Photos in backups, exports and checks.

use std::fs::File;
use std::io::BufReader;
use std::path::Path;

use data_encoding::HEXLOWER;
use pet_store::model::Timestamp;
use pet_store::store::archive::StaffData;
use pet_store::store::{
    PhotoStore, RedbEngine, StoreError, backup, check, compact, export, import, restore, write_new,
};

use sha2::{Digest, Sha256};

use super::{add, photo};
use crate::support::{open, spawn_app_in};

/// Fills a store with a pet that has two photos, and with a third photo that no pet has.
async fn fill(folder: &Path) -> Vec<String> {
    let app = spawn_app_in(folder, |_| {}).await;
    let pet = app.add_pet("Biscuit").await;
    add(&app, pet, photo(500, 400)).await;
    let added = add(&app, pet, photo(64, 64)).await;
    let other = app.add_pet("Miso").await;
    add(&app, other, photo(65, 64)).await;
    for path in ["pets", "trash"] {
        let request = app.request("DELETE", &format!("/api/v1/{path}/{other}"));
        assert_eq!(request.send().await.unwrap().status(), 200);
    }
    assert!(app.stop().await);
    let urls = added.iter().map(|photo| photo["url"].as_str().unwrap());
    urls.map(str::to_owned).collect()
}

async fn assert_served(folder: &Path, urls: &[String]) {
    let app = spawn_app_in(folder, |_| {}).await;
    for url in urls {
        assert_eq!(app.get(url).await.status(), 200, "{url}");
    }
    assert!(app.stop().await);
}

#[tokio::test]
async fn backups_and_exports_have_the_photos() {
    let place = tempfile::tempdir().unwrap();
    let at = |name: &str| place.path().join(name);
    let urls = fill(&at("data")).await;
    drop(open(&at("data")));
    check(&at("data")).unwrap();
    backup(&at("data"), &at("b.redb")).unwrap();
    restore(&at("b.redb"), &at("restored")).unwrap();
    write_new(&at("e.jsonl"), |out| {
        export(&at("data"), StaffData::Included, out)
    })
    .unwrap();
    import(
        BufReader::new(File::open(at("e.jsonl")).unwrap()),
        &at("imported"),
    )
    .unwrap();
    compact(&at("data")).unwrap();
    for folder in ["data", "restored", "imported"] {
        check(&at(folder)).unwrap();
        assert_served(&at(folder), &urls).await;
    }
    let text = std::fs::read_to_string(at("e.jsonl")).unwrap();
    let photos = text
        .lines()
        .filter(|line| line.contains(r#""line":"photo""#));
    assert_eq!(photos.count(), 2, "a photo that no pet has is not exported");
}

/// Returns an export of these lines, with an end that is right.
fn with_end<'a>(lines: impl Iterator<Item = &'a str>) -> String {
    let is_end = |line: &&str| line.contains(r#""line":"end""#);
    let lines: Vec<&str> = lines.filter(|line| !is_end(line)).collect();
    let text: String = lines.iter().map(|line| format!("{line}\n")).collect();
    let hash = HEXLOWER.encode(&Sha256::digest(&text));
    let count = lines.len();
    format!("{text}{{\"line\":\"end\",\"lines\":{count},\"sha256\":\"{hash}\"}}\n")
}

#[tokio::test]
async fn an_export_without_a_photo_or_with_another_one_is_refused() {
    let place = tempfile::tempdir().unwrap();
    let at = |name: &str| place.path().join(name);
    fill(&at("data")).await;
    drop(open(&at("data")));
    let mut written = Vec::new();
    export(&at("data"), StaffData::Included, &mut written).unwrap();
    let text = String::from_utf8(written).unwrap();
    let is_photo = |line: &&str| line.contains(r#""line":"photo""#);
    import(with_end(text.lines()).as_bytes(), &at("same")).unwrap();
    let refuse = |export: String, folder: &str| {
        let refused = import(export.as_bytes(), &at(folder)).unwrap_err();
        assert!(matches!(refused, StoreError::Import { .. }), "{refused:?}");
        refused.to_string()
    };
    let without = with_end(text.lines().filter(|line| !is_photo(line)));
    assert!(refuse(without, "without").contains("missing"));
    let line = text.lines().find(is_photo).unwrap();
    // Four characters are three bytes: the start of a JPEG file, and then others than before.
    let other = text.replace(line, &line.replace("\"/9j/", "\"/9j/AAAA"));
    assert!(refuse(with_end(other.lines()), "other").contains("hash"));
}

#[tokio::test]
async fn a_missing_file_is_found_by_the_check() {
    let folder = tempfile::tempdir().unwrap();
    fill(folder.path()).await;
    let engine: RedbEngine = open(folder.path());
    let far = Timestamp::from_micros(i64::MAX);
    let removed = engine.remove_unused_photos(&[].into(), far).unwrap();
    assert_eq!(removed, 3);
    drop(engine);
    let error = check(folder.path()).unwrap_err().to_string();
    assert!(
        error.contains("photo") && error.contains("missing"),
        "{error}"
    );
}
