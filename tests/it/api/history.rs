//! Changes of a pet.

use serde_json::Value;

use crate::support::{TestApp, rev, spawn_app};

async fn changes(app: &TestApp, pet: u64, query: &str) -> Vec<Value> {
    let answer = app
        .json(&format!("/api/v1/pets/{pet}/changes{query}"))
        .await;
    answer["changes"].as_array().unwrap().clone()
}

#[tokio::test]
async fn the_history_of_a_pet_is_newest_first_and_of_no_other_pet() {
    let app = spawn_app().await;
    let pet = app.add_pet("Biscuit").await;
    let other = app.add_pet("Miso").await;
    app.set_status(pet, "eating").await;
    app.set_status(other, "bathing").await;
    let path = format!("/pets/{pet}/status");
    app.post_form(&path, &[("status", "playing")]).await;
    let history = changes(&app, pet, "").await;
    let told = history.iter().map(|change| {
        let word = |name: &str| change[name].as_str().unwrap();
        (word("type"), word("status"), word("by"))
    });
    assert_eq!(
        told.collect::<Vec<_>>(),
        [
            ("status", "playing", "staff"),
            ("status", "eating", "api"),
            ("pet", "sleeping", "api")
        ]
    );
    assert_eq!(history[0]["cursor"], app.cursor().await);
    let shown = app.json(&format!("/api/v1/pets/{pet}")).await;
    assert_eq!(history[0]["since"], shown["since"]);
}

#[tokio::test]
async fn the_history_is_read_page_by_page_without_a_gap() {
    let app = spawn_app().await;
    let pet = app.add_pet("Biscuit").await;
    for _ in 0..120 {
        app.set_status(pet, "eating").await;
    }
    assert_eq!(changes(&app, pet, "").await.len(), 50, "the default");
    assert_eq!(changes(&app, pet, "?limit=100").await.len(), 100);
    let mut revs = Vec::new();
    let mut before = String::new();
    loop {
        let page = changes(&app, pet, &format!("?limit=17{before}")).await;
        let Some(last) = page.last() else { break };
        assert!(revs.len() < 121, "the pages come to an end");
        before = format!("&before={}", rev(last));
        revs.extend(page.iter().map(rev));
    }
    assert_eq!(revs, (1..=121).rev().collect::<Vec<_>>());
}

#[tokio::test]
async fn a_limit_out_of_range_is_refused() {
    let app = spawn_app().await;
    let pet = app.add_pet("Biscuit").await;
    for query in [
        "limit=0",
        "limit=101",
        "limit=x",
        "limit=-1",
        "before=x",
        "before=-1",
    ] {
        let response = app
            .get(&format!("/api/v1/pets/{pet}/changes?{query}"))
            .await;
        assert_eq!(response.status(), 400, "{query}");
        assert_eq!(
            response.headers()["content-type"],
            "application/problem+json"
        );
    }
    assert_eq!(changes(&app, pet, "?before=0").await.len(), 0);
    assert_eq!(app.get("/api/v1/pets/9/changes").await.status(), 404);
}
