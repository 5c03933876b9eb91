//! A form that is sent twice, by a double click or on a slow network, is applied once.

use super::attribute;
use crate::support::{TestApp, spawn_app};

/// The key in a form.
async fn key(app: &TestApp, path: &str) -> String {
    key_in(&app.text(path).await)
}

fn key_in(page: &str) -> String {
    let start = page.find("name=\"request\"").expect("the form has a key");
    attribute(&page[start..], "value")
}

async fn send(app: &TestApp, path: &str, fields: &[(&str, &str)]) -> (u16, String) {
    let response = app.post_form(path, fields).await;
    let place = response.headers().get("location");
    let place = place.map(|place| place.to_str().unwrap().to_owned());
    (response.status().as_u16(), place.unwrap_or_default())
}

/// Two pets.
#[tokio::test]
async fn a_pet_that_is_added_twice_is_one_pet() {
    let app = spawn_app().await;
    let key = key(&app, "/pets/new").await;
    let fields = |name| {
        [
            ("name", name),
            ("species", "dog"),
            ("request", key.as_str()),
        ]
    };
    let (biscuit, pretzel) = (fields("Biscuit"), fields("Pretzel"));
    let both = futures_util::future::join_all([
        send(&app, "/pets", &biscuit),
        send(&app, "/pets", &biscuit),
    ]);
    let first = (303, "/pets/1".to_owned());
    assert_eq!(both.await, [first.clone(), first.clone()]);
    assert_eq!(send(&app, "/pets", &biscuit).await, first, "later, too");
    let other = send(&app, "/pets", &pretzel).await;
    assert_eq!(other, (303, "/pets/2".to_owned()), "Back, and another pet");
    assert_ne!(self::key(&app, "/pets/new").await, key, "made for one form");
}

#[tokio::test]
async fn a_corrected_form_keeps_its_key() {
    let app = spawn_app().await;
    let key = key(&app, "/pets/new").await;
    let wrong = [("name", " "), ("species", "dog"), ("request", key.as_str())];
    let answer = app.post_form("/pets", &wrong).await;
    assert_eq!(answer.status(), 422);
    let kept = key_in(&answer.text().await.unwrap());
    assert_eq!(kept, key);
    let right = [("name", "Biscuit"), ("species", "dog"), ("request", &kept)];
    for _ in 0..2 {
        assert_eq!(send(&app, "/pets", &right).await.1, "/pets/1");
    }
}

#[tokio::test]
async fn an_edit_or_removal_that_is_sent_twice_is_applied_once_with_the_same_answer() {
    let app = spawn_app().await;
    app.add_pet("Biscuit").await;
    let page = app.text("/pets/1/edit").await;
    let start = page.find("name=\"base\"").unwrap();
    let (base, key) = (attribute(&page[start..], "value"), key_in(&page));
    let fields = [("breed", "Beagle"), ("base", &base), ("request", &key)];
    let first = send(&app, "/pets/1", &fields).await;
    assert_eq!(first, (303, "/pets/1".to_owned()));
    let cursor = app.cursor().await;
    assert_eq!(send(&app, "/pets/1", &fields).await, first);
    assert_eq!(app.cursor().await, cursor, "nothing was written");
    for _ in 0..2 {
        let removed = send(&app, "/pets/1/delete", &[]).await;
        assert_eq!(removed, (303, "/pets".to_owned()));
    }
    assert_eq!(
        send(&app, "/pets/2/delete", &[]).await.0,
        404,
        "there never was one"
    );
}
