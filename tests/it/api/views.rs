//! Views of the list: the parameters of the board, with pages.

use reqwest::Response;
use serde_json::{Value, json};

use crate::support::{Rescue, spawn_app_with};

/// Returns the links of an answer by their relation.
fn links(answer: &Response) -> Vec<(String, String)> {
    let header = answer.headers()["link"].to_str().unwrap();
    let links = header.split(", ").map(|link| {
        let (address, rel) = link.split_once("; ").unwrap();
        let rel = rel.trim_start_matches("rel=").trim_matches('"');
        (rel.to_owned(), address.trim_matches(['<', '>']).to_owned())
    });
    links.collect()
}

fn ids(list: &Value) -> Vec<u64> {
    let pets = list["pets"].as_array().unwrap();
    pets.iter().map(|pet| pet["id"].as_u64().unwrap()).collect()
}

#[tokio::test]
async fn the_links_lead_to_every_pet_once_in_both_directions() {
    let app = spawn_app_with(|config| config.simulator.sample_pets = 100).await;
    for (start, way) in [
        ("/api/v1/pets?page=1", "next"),
        ("/api/v1/pets?page=3", "prev"),
    ] {
        let (mut path, mut seen) = (start.to_owned(), Vec::new());
        loop {
            let answer = app.get(&path).await;
            let links = links(&answer);
            let list: Value = answer.json().await.unwrap();
            assert_eq!(list["total"], 100);
            assert!(list["cursor"].is_string());
            seen.extend(ids(&list));
            let first = ("first".to_owned(), "/api/v1/pets?page=1".to_owned());
            let last = ("last".to_owned(), "/api/v1/pets?page=3".to_owned());
            assert!(links.contains(&first) && links.contains(&last), "{links:?}");
            let Some((_, next)) = links.into_iter().find(|(rel, _)| rel == way) else {
                break;
            };
            path = next;
        }
        seen.sort_unstable();
        assert_eq!(seen, (1..=100).collect::<Vec<_>>(), "{way}");
    }
}

#[tokio::test]
async fn a_link_keeps_the_view_and_a_page_beyond_the_end_leads_back() {
    let app = spawn_app_with(|config| config.simulator.sample_pets = 100).await;
    for pet in 1..=50 {
        let fields = json!({ "species": "M\u{fc}ffel & Co" });
        app.send("PATCH", &format!("/pets/{pet}"), &fields).await;
    }
    let path = "/api/v1/pets?species=muffel%20%26%20co&sort=newest";
    let answer = app.get(path).await;
    let next = links(&answer)
        .into_iter()
        .find(|(rel, _)| rel == "next")
        .unwrap();
    assert_eq!(
        ids(&answer.json().await.unwrap()),
        (3..=50).rev().collect::<Vec<_>>()
    );
    assert_eq!(ids(&app.json(&next.1).await), [2, 1]);
    let answer = app.get(&format!("{path}&page=7")).await;
    assert_eq!(answer.status(), 200);
    let back = links(&answer)
        .into_iter()
        .find(|(rel, _)| rel == "prev")
        .unwrap();
    assert_eq!(back.1, next.1);
    assert!(ids(&answer.json().await.unwrap()).is_empty());
}

#[tokio::test]
async fn without_parameters_of_a_view_the_list_is_whole_and_has_no_links() {
    let app = spawn_app_with(|config| config.simulator.sample_pets = 60).await;
    let answer = app.get("/api/v1/pets?utm_source=x").await;
    assert!(!answer.headers().contains_key("link"));
    let list: Value = answer.json().await.unwrap();
    assert_eq!(ids(&list).len(), 60);
    assert!(list.get("total").is_none());
    assert!(list.get("statuses").is_none());
    let list = app.json("/api/v1/pets?q=&doing=eating").await;
    let statuses = list["statuses"].as_object().unwrap();
    let all: u64 = statuses.values().map(|count| count.as_u64().unwrap()).sum();
    assert_eq!((all, &statuses["eating"]), (60, &list["total"]));
    let list = app.json("/api/v1/pets?q=").await;
    assert_eq!((ids(&list).len(), &list["total"]), (48, &json!(60)));
}

#[tokio::test]
async fn a_value_that_is_not_allowed_is_400_with_what_is() {
    let app = spawn_app_with(|_| {}).await;
    for (query, detail) in [
        (
            "doing=flying",
            "doing must be one of eating, bathing, sleeping, playing, not-set-yet.",
        ),
        (
            "state=lost",
            "state must be one of available, on-hold, adopted, not-for-adoption, private.",
        ),
        ("page=0", "page must be a whole number from 1 to 1000000."),
        ("page=1.5", "page must be a whole number from 1 to 1000000."),
        (
            "sort=desc",
            "sort must be one of oldest, newest, name, changed.",
        ),
    ] {
        let answer = app.get(&format!("/api/v1/pets?q=x&{query}")).await;
        assert_eq!(answer.status(), 400, "{query}");
        let problem: Value = answer.json().await.unwrap();
        assert_eq!(problem["detail"], detail);
    }
}

/// A number would tell visitors that there is a private pet.
#[tokio::test]
async fn a_private_pet_is_found_and_counted_for_staff_only() {
    let rescue = Rescue::start().await;
    let pet = json!({ "name": "Zyxwvut", "species": "dog", "state": "private" });
    let add = rescue.bearing(&rescue.tokens[2], "POST", "/api/v1/pets");
    assert_eq!(add.json(&pet).send().await.unwrap().status(), 201);
    for (query, public, staff) in [("page=1", 1, 2), ("q=zyx", 0, 1), ("state=private", 0, 1)] {
        let path = format!("/api/v1/pets?{query}");
        assert_eq!(rescue.app.json(&path).await["total"], public, "{query}");
        let answer = rescue
            .bearing(&rescue.tokens[0], "GET", &path)
            .send()
            .await
            .unwrap();
        assert_eq!(
            answer.json::<Value>().await.unwrap()["total"],
            staff,
            "{query}"
        );
    }
}
