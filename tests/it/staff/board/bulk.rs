//! Setting the status of several pets on the board, and undoing it, without scripts.

use std::collections::BTreeMap;

use reqwest::Response;
use serde_json::{Value, json};

use crate::support::{Browser, PASSWORD, Rescue, Viewer, metric, unescape};

/// The status of each pet, and since when it has it.
type Statuses = BTreeMap<u64, (String, String)>;

async fn statuses(rescue: &Rescue) -> Statuses {
    let read = rescue.bearing(&rescue.tokens[0], "GET", "/api/v1/pets");
    let list: Value = read.send().await.unwrap().json().await.unwrap();
    let pets = list["pets"].as_array().unwrap().iter().map(|pet| {
        let text = |field: &str| pet[field].as_str().unwrap().to_owned();
        (pet["id"].as_u64().unwrap(), (text("status"), text("since")))
    });
    pets.collect()
}

/// Starts a rescue with `count` pets.
async fn rescue_with(count: u64) -> Rescue {
    let rescue =
        Rescue::start_with(|config| config.client_limits.writes_per_second.limit = 10_000).await;
    for number in 2..=count {
        let fields = json!({ "name": format!("Pet {number}"), "species": "dog" });
        let add = rescue.bearing(&rescue.tokens[2], "POST", "/api/v1/pets");
        assert_eq!(add.json(&fields).send().await.unwrap().status(), 201);
    }
    rescue
}

/// Returns the value of the field of this name in a page.
fn value(page: &str, name: &str) -> Option<String> {
    let (_, rest) = page.split_once(&format!("name=\"{name}\" value=\""))?;
    Some(unescape(rest.split('"').next().unwrap()))
}

/// Follows the redirect of `answer`, with the cookies that it sets for one page.
async fn follow(browser: &Browser, answer: &Response) -> (String, Vec<String>) {
    assert_eq!(answer.status(), 303);
    let sets = answer.headers().get_all("set-cookie").iter();
    let sets = sets.map(|set| set.to_str().unwrap().split(';').next().unwrap().to_owned());
    let sets: Vec<String> = sets.collect();
    let mut with_cookies = browser.clone();
    let session = browser.cookie.clone().unwrap();
    with_cookies.cookie = Some(format!("{session}; {}", sets.join("; ")));
    (with_cookies.get("/pets").await, sets)
}

/// Sets the status of `pets`, and returns the offer to undo that.
async fn set(browser: &mut Browser, pets: &[&str], status: &str) -> String {
    let mut fields: Vec<_> = pets.iter().map(|pet| ("pet", *pet)).collect();
    fields.push(("status", status));
    let answer = browser.post("/pets/statuses", &fields).await;
    let (page, _) = follow(browser, &answer).await;
    value(&page, "undo").expect("the page offers to undo")
}

/// Returns the message of the page after an undo.
async fn undo(browser: &mut Browser, offer: &str) -> String {
    let answer = browser
        .post("/pets/statuses/undo", &[("undo", offer)])
        .await;
    let (page, _) = follow(browser, &answer).await;
    let (_, message) = page.split_once("notice-done\" role=\"status\">").unwrap();
    unescape(message.split('<').next().unwrap())
}

#[tokio::test]
async fn cards_can_be_selected_by_staff_only() {
    let (rescue, mut boris) = Rescue::start_as("boris").await;
    let page = boris.get("/pets").await;
    assert_eq!(value(&page, "pet").as_deref(), Some("1"));
    assert_eq!(value(&page, "all").as_deref(), Some("1"));
    assert!(page.contains("formaction=\"/pets/statuses\""));
    let public = rescue.app.text("/pets").await;
    for word in ["name=\"pet\"", "name=\"all\"", "/pets/statuses"] {
        assert!(!public.contains(word), "{word}");
    }
}

#[tokio::test]
async fn all_of_three_hundred_pets_are_set_and_set_back_by_one_commit_each() {
    let rescue = rescue_with(300).await;
    let mut boris = rescue.signed_in("boris").await;
    // Statuses and times of all kinds, and a private pet.
    set(&mut boris, &["3", "4", "5"], "playing").await;
    let edit = rescue.bearing(&rescue.tokens[2], "PATCH", "/api/v1/pets/7");
    let private = edit.json(&json!({ "state": "private" })).send().await;
    assert_eq!(private.unwrap().status(), 200);
    let before = statuses(&rescue).await;
    let since = rescue.app.cursor().await;
    let viewers = Viewer::open_all(&rescue.app.url(""), &format!("?since={since}")).await;

    let page = boris.get("/pets").await;
    let shown = value(&page, "all").unwrap();
    assert_eq!(shown.split(',').count(), 48, "those of the first page");
    let all: Vec<String> = (1..=300).map(|pet| pet.to_string()).collect();
    let all = all.join(",");
    let key = value(&page, "request").unwrap();
    let fields = [
        ("all", all.as_str()),
        ("status", "eating"),
        ("request", &key),
    ];
    let commits = metric(&rescue.app, "petstore_commits_total").await;
    let answer = boris.post("/pets/statuses", &fields).await;
    let (page, cookies) = follow(&boris, &answer).await;
    assert!(page.contains("300 pets are now eating"), "{page}");
    assert!(cookies[0].len() < 120, "{cookies:?}");
    let after = statuses(&rescue).await;
    assert!(after.values().all(|(status, _)| status == "eating"));
    // A double tap.
    let again = boris.post("/pets/statuses", &fields).await;
    assert_eq!(follow(&boris, &again).await.1, cookies);
    let offer = value(&page, "undo").unwrap();
    assert_eq!(
        undo(&mut boris, &offer).await,
        "300 statuses were restored."
    );
    assert_eq!(statuses(&rescue).await, before, "with their times");
    assert_eq!(
        undo(&mut boris, &offer).await,
        "300 statuses were restored."
    );
    let committed = metric(&rescue.app, "petstore_commits_total").await - commits;
    assert_eq!(committed, 2, "one for the statuses, and one for the undo");

    for mut viewer in viewers {
        let news = viewer.take_news(2 * 299).await;
        let pets = news.iter().map(|message| message["pet"].as_u64().unwrap());
        let public = (1..=300).filter(|pet| *pet != 7);
        let expected: Vec<u64> = public.clone().chain(public).collect();
        assert_eq!(pets.collect::<Vec<_>>(), expected, "{}", viewer.transport());
    }
    let history = rescue.bearing(&rescue.tokens[0], "GET", "/api/v1/pets/9/changes");
    let history: Value = history.send().await.unwrap().json().await.unwrap();
    for change in &history["changes"].as_array().unwrap()[..2] {
        assert_eq!(change["who"], "boris");
        assert_eq!(change["type"], "status");
    }
}

#[tokio::test]
async fn an_undo_leaves_and_names_the_pets_that_someone_else_changed_since() {
    let rescue = rescue_with(4).await;
    let [mut boris, mut anna] = rescue.signed_in_both(["boris", "anna"]).await;
    let before = statuses(&rescue).await;
    let offer = set(&mut boris, &["1", "2", "3"], "eating").await;
    let confirm = [("status", "eating")];
    assert_eq!(anna.submit("/pets/2/status", &confirm).await, 303);
    let of_anna = statuses(&rescue).await[&2].clone();
    let message = undo(&mut boris, &offer).await;
    assert_eq!(
        message,
        "2 statuses were restored. Not restored, because they changed since: Pet 2."
    );
    let after = statuses(&rescue).await;
    assert_eq!(after[&2], of_anna);
    assert_eq!((&after[&1], &after[&3]), (&before[&1], &before[&3]));

    let offer = set(&mut boris, &["3", "4"], "bathing").await;
    set(&mut anna, &["3", "4"], "bathing").await;
    let message = undo(&mut boris, &offer).await;
    assert_eq!(
        message,
        "No status was restored. Not restored, because they changed since: Pet 3, Pet 4."
    );
}

#[tokio::test]
async fn nobody_undoes_the_changes_of_another_or_of_several_commands() {
    let rescue = rescue_with(3).await;
    let [mut boris, mut anna] = rescue.signed_in_both(["boris", "anna"]).await;
    let first = set(&mut boris, &["1", "2"], "eating").await;
    let second = set(&mut boris, &["3"], "eating").await;
    let undo = [("undo", first.as_str())];
    assert_eq!(anna.submit("/pets/statuses/undo", &undo).await, 409);
    let (start, _) = first.rsplit_once('.').unwrap();
    let (_, end) = second.rsplit_once('.').unwrap();
    let both = format!("{start}.{end}");
    let before = statuses(&rescue).await;
    for offer in [both.as_str(), "", "x", "many.eating.00000000-1.00000000-2"] {
        let undo = [("undo", offer)];
        assert_eq!(
            boris.submit("/pets/statuses/undo", &undo).await,
            409,
            "{offer}"
        );
    }
    assert_eq!(statuses(&rescue).await, before);
}

#[tokio::test]
async fn a_removed_pet_is_left_out_and_a_selection_without_pets_is_explained() {
    let rescue = rescue_with(3).await;
    let mut boris = rescue.signed_in("boris").await;
    assert_eq!(boris.submit("/pets/2/delete", &[]).await, 303);
    set(&mut boris, &["1", "2", "3"], "bathing").await;
    let after = statuses(&rescue).await;
    assert!(after.values().all(|(status, _)| status == "bathing"));
    let empty = boris.post("/pets/statuses", &[("status", "eating")]).await;
    let (page, _) = follow(&boris, &empty).await;
    assert!(page.contains("Select at least one pet first."), "{page}");
    let many: Vec<String> = (1..=1001).map(|id: u64| id.to_string()).collect();
    for (pets, status) in [("2", 404), ("x", 400), (many.join(",").as_str(), 422)] {
        let fields = [("all", pets), ("status", "eating")];
        assert_eq!(boris.submit("/pets/statuses", &fields).await, status);
    }
    let napping = [("pet", "1"), ("status", "napping")];
    assert_eq!(boris.submit("/pets/statuses", &napping).await, 422);
    assert_eq!(statuses(&rescue).await, after);
}

#[tokio::test]
async fn all_pets_that_match_are_set_with_a_note_and_set_back_in_one_commit_each() {
    let rescue = rescue_with(100).await;
    let mut boris = rescue.signed_in("boris").await;
    set(&mut boris, &["1", "50", "100"], "playing").await;
    let before = statuses(&rescue).await;
    let page = boris.get("/pets?q=pet").await;
    assert!(page.contains("All 99 pets that match"), "{page}");
    let matching = value(&page, "matching").unwrap();
    // Decided when it is sent: this pet came after the page.
    let add = rescue.bearing(&rescue.tokens[2], "POST", "/api/v1/pets");
    let late = json!({ "name": "Late Pet", "species": "cat" });
    assert_eq!(add.json(&late).send().await.unwrap().status(), 201);

    let commits = metric(&rescue.app, "petstore_commits_total").await;
    let fields = [
        ("matching", matching.as_str()),
        ("status", "eating"),
        ("bulk-note", "chicken and rice"),
    ];
    let answer = boris.post("/pets/statuses", &fields).await;
    let (page, _) = follow(&boris, &answer).await;
    assert!(page.contains("100 pets are now eating"), "{page}");
    let read = rescue.bearing(&rescue.tokens[0], "GET", "/api/v1/pets/101");
    let pet: Value = read.send().await.unwrap().json().await.unwrap();
    assert_eq!(pet["note"], "chicken and rice");
    let after = statuses(&rescue).await;
    assert_eq!(after[&1], before[&1], "this pet does not match");
    let eating = after.values().filter(|(status, _)| status == "eating");
    assert_eq!(eating.count(), 100);
    let offer = value(&page, "undo").unwrap();
    let message = undo(&mut boris, &offer).await;
    assert_eq!(message, "100 statuses were restored.");
    let committed = metric(&rescue.app, "petstore_commits_total").await - commits;
    assert_eq!(committed, 2);
    let restored = statuses(&rescue).await;
    assert!(before.iter().all(|(pet, status)| restored[pet] == *status));

    let long = "x".repeat(81);
    for (name, text) in [
        ("bulk-note", long.as_str()),
        ("matching", "/pets?doing=flying"),
    ] {
        let fields = [("pet", "1"), ("status", "eating"), (name, text)];
        assert_eq!(boris.submit("/pets/statuses", &fields).await, 422, "{name}");
    }
    assert_eq!(statuses(&rescue).await, restored);
}

/// The selection was lost when the session had ended.
#[tokio::test]
async fn a_selection_without_a_session_becomes_one_button_after_signing_in() {
    let rescue = rescue_with(3).await;
    let mut stranger = rescue.browser();
    stranger.get("/sign-in").await;
    let sign_in = [
        ("name", "boris"),
        ("password", PASSWORD),
        ("pending-action", "/pets/statuses"),
        ("pending", "pet=1&pet=3&status=eating"),
        ("pending-author", "boris"),
    ];
    let page = stranger.post("/sign-in", &sign_in).await;
    let page = unescape(&page.text().await.unwrap());
    assert!(page.contains("Set 2 pets to Eating"), "{page}");
    assert!(page.contains("action=\"/pets/statuses\""), "{page}");
}
