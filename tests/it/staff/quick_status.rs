//! Setting a status on the board, and undoing it, without scripts.

use serde_json::{Value, json};

use pet_store::auth::BaseUrl;

use crate::support::{Browser, PASSWORD, Rescue, spawn_app, unescape};

/// Returns the undo form of a page, if it has one.
fn undo_form(page: &str) -> Option<UndoForm> {
    let (_, form) = page.split_once("class=\"notice undo\"")?;
    let value = |after: &str| {
        let (_, rest) = form.split_once(after)?;
        let value = rest.split_once("value=\"")?.1.split('"').next()?;
        Some(value.to_owned())
    };
    Some(UndoForm {
        since: value("name=\"since\"")?,
        replaces: value("name=\"replaces\"")?,
        status: value("<button")?,
    })
}

#[derive(Debug, PartialEq)]
struct UndoForm {
    since: String,
    replaces: String,
    status: String,
}

impl UndoForm {
    fn fields(&self) -> [(&str, &str); 3] {
        [
            ("status", &self.status),
            ("since", &self.since),
            ("replaces", &self.replaces),
        ]
    }
}

/// Returns the status of the pet, and since when it has it.
async fn status_of(rescue: &Rescue) -> (String, String) {
    let pet = rescue.app.json("/api/v1/pets/1").await;
    let [status, since] = ["status", "since"].map(|field| pet[field].as_str().unwrap().to_owned());
    (status, since)
}

/// Sets a status as the board's form does, and returns the next page.
async fn set_status_on_board(browser: &mut Browser, to: &str) -> String {
    let answer = browser.post("/pets/1/status", &[("status", to)]).await;
    assert_eq!(answer.status(), 303);
    let offer = answer.headers().get_all("set-cookie").iter();
    let offer = offer.filter_map(|set| set.to_str().unwrap().split(';').next());
    let offer: Vec<&str> = offer
        .filter(|set| set.starts_with("pet-store-undo="))
        .collect();
    let session = browser.cookie.clone().unwrap();
    let mut with_offer = browser.clone();
    with_offer.cookie = Some([&[session.as_str()], &offer[..]].concat().join("; "));
    with_offer.get("/pets").await
}

#[tokio::test]
async fn cards_have_status_buttons_for_staff_only() {
    let (rescue, mut boris) = Rescue::start_as("boris").await;
    let page = boris.get("/pets").await;
    let card = page.split_once("data-pet=\"1\"").unwrap().1;
    let card = card.split_once("</li>").unwrap().0;
    for status in ["eating", "bathing", "sleeping", "playing"] {
        let button = format!("name=\"status\" value=\"{status}\"");
        assert!(card.contains(&button), "{status}");
    }
    assert!(!rescue.app.text("/pets").await.contains("name=\"status\""));
}

#[tokio::test]
async fn a_status_that_was_just_set_can_be_undone() {
    let rescue = Rescue::start().await;
    let before = status_of(&rescue).await;
    let mut boris = rescue.signed_in("boris").await;
    let page = set_status_on_board(&mut boris, "eating").await;
    let offer = undo_form(&page).expect("the page offers to undo");
    assert_eq!(offer.status, before.0);
    let fields = offer.fields();
    let undone = boris.post("/pets/1/status", &fields).await;
    assert_eq!(undone.status(), 303);
    assert!(
        !undone.headers().contains_key("set-cookie"),
        "an undoing is not undone"
    );
    assert_eq!(status_of(&rescue).await, before);
    let again = boris.post("/pets/1/status", &fields).await;
    assert_eq!(again.status(), 409);
}

#[tokio::test]
async fn an_undo_does_not_replace_what_someone_else_has_set_since() {
    let rescue = Rescue::start().await;
    let [mut boris, mut anna] = rescue.signed_in_both(["boris", "anna"]).await;
    let page = set_status_on_board(&mut boris, "eating").await;
    let offer = undo_form(&page).unwrap();
    set_status_on_board(&mut anna, "playing").await;
    let fields = offer.fields();
    assert_eq!(boris.submit("/pets/1/status", &fields).await, 409);
    assert_eq!(status_of(&rescue).await.0, "playing");
    // Confirming a status is a change too.
    let offer = undo_form(&set_status_on_board(&mut boris, "bathing").await).unwrap();
    set_status_on_board(&mut anna, "bathing").await;
    let refused = boris.post("/pets/1/status", &offer.fields()).await;
    assert_eq!(refused.status(), 409);
}

/// Returns the text of a page between its tags.
fn words_of(page: &str) -> String {
    let outside = page.split('<').filter_map(|part| part.split_once('>'));
    let outside = outside.filter(|(tag, _)| !tag.starts_with("script"));
    let text: String = outside.map(|(_, text)| text).collect();
    let words: Vec<&str> = text.split_whitespace().collect();
    unescape(&words.join(" "))
}

/// Returns the text of `page`. Fails if it shows a hidden field, by name or by value.
#[track_caller]
fn refusal(page: &str, hidden: &[(&str, &str)]) -> String {
    let words = words_of(page);
    for text in ["Since", "Replaces", "Request", "Send again"] {
        assert!(!words.contains(text), "{text}: {words}");
    }
    for (field, value) in hidden.iter().filter(|(field, _)| *field != "status") {
        assert!(!words.contains(value), "{field}: {words}");
    }
    words
}

#[tokio::test]
async fn a_refused_undo_says_why_and_offers_no_retry() {
    let rescue = Rescue::start().await;
    let [mut boris, mut anna] = rescue.signed_in_both(["boris", "anna"]).await;
    set_status_on_board(&mut boris, "bathing").await;
    let offer = undo_form(&set_status_on_board(&mut boris, "eating").await).unwrap();
    set_status_on_board(&mut anna, "playing").await;
    let refused = boris.post("/pets/1/status", &offer.fields()).await;
    assert_eq!(refused.status(), 409);
    let page = refused.text().await.unwrap();
    let words = refusal(&page, &offer.fields());
    let reason = "Biscuit was not set back to Bathing: someone else changed it since.";
    assert!(words.contains(reason), "{words}");
    assert!(page.contains("href=\"/pets/1\""), "{page}");
    assert!(!page.contains("/pets/1/status"), "no button: {page}");

    // Sent twice, the second form finds the undo done.
    let offer = undo_form(&set_status_on_board(&mut boris, "eating").await).unwrap();
    assert_eq!(offer.status, "playing");
    for status in [303, 409] {
        let answer = boris.post("/pets/1/status", &offer.fields()).await;
        assert_eq!(answer.status(), status);
        let words = refusal(&answer.text().await.unwrap(), &offer.fields());
        let is_repeated = words.contains("Biscuit is already set back to Playing.");
        assert_eq!(is_repeated, status == 409, "{words}");
    }
}

#[tokio::test]
async fn a_status_without_a_session_becomes_one_button_after_signing_in() {
    let (rescue, mut boris) = Rescue::start_as("boris").await;
    let before = status_of(&rescue).await.0;
    let offer = undo_form(&set_status_on_board(&mut boris, "eating").await).unwrap();
    let undo = offer.fields();
    let set = [("status", "sleeping")];
    let back = format!("Set Biscuit back to {}", capitalized(&before));
    for (fields, action, can_work) in [
        (&undo[..], back.as_str(), true),
        (&set[..], "Set Biscuit to Sleeping", true),
        (&undo[..], back.as_str(), false),
    ] {
        if !can_work {
            set_status_on_board(&mut rescue.signed_in("anna").await, "playing").await;
        }
        let pending = encoded(fields);
        let mut stranger = rescue.browser();
        stranger.get("/sign-in").await;
        let sign_in = [
            ("name", "boris"),
            ("password", PASSWORD),
            ("pending-action", "/pets/1/status"),
            ("pending", pending.as_str()),
            ("pending-author", "boris"),
        ];
        let page = stranger.post("/sign-in", &sign_in).await;
        let page = page.text().await.unwrap();
        let words = refusal(&page, fields);
        assert_eq!(words.contains(action), can_work, "{words}");
        assert_eq!(
            unescape(&page).contains("/pets/1/status"),
            can_work,
            "{page}"
        );
        assert!(page.contains("href=\"/pets/1\""), "{page}");
    }
}

/// Encodes fields as the sign-in page does. Times and cursors need no escaping.
fn encoded(fields: &[(&str, &str)]) -> String {
    let pairs = fields.iter().map(|(name, value)| format!("{name}={value}"));
    pairs.collect::<Vec<_>>().join("&")
}

fn capitalized(text: &str) -> String {
    let (first, rest) = text.split_at(1);
    first.to_uppercase() + rest
}

/// The browser sends the undo cookie of the first change along with the second.
#[tokio::test]
async fn undo_restores_the_status_before_the_first_of_several_changes() {
    let rescue = Rescue::start().await;
    let before = status_of(&rescue).await;
    let mut boris = rescue.signed_in("boris").await;
    let session = boris.cookie.clone().unwrap();
    for to in ["eating", "eating", "playing"] {
        let answer = boris.post("/pets/1/status", &[("status", to)]).await;
        let mut sets = answer.headers().get_all("set-cookie").iter();
        let offer = sets.find_map(|set| set.to_str().unwrap().split(';').next());
        boris.cookie = Some(format!("{session}; {}", offer.unwrap()));
    }
    let offer = undo_form(&boris.get("/pets").await).expect("the page offers to undo");
    let undone = boris.post("/pets/1/status", &offer.fields()).await;
    assert_eq!(undone.status(), 303);
    assert_eq!(status_of(&rescue).await, before);
}

/// Setting the current status restarted its time.
#[tokio::test]
async fn setting_the_same_status_confirms_it_and_keeps_its_time() {
    let (rescue, mut boris) = Rescue::start_as("boris").await;
    set_status_on_board(&mut boris, "eating").await;
    let before = status_of(&rescue).await;
    let page = set_status_on_board(&mut boris, "eating").await;
    assert!(undo_form(&page).is_none(), "there is nothing to take back");
    assert_eq!(status_of(&rescue).await, before);
    let changes = rescue.app.json("/api/v1/pets/1/changes").await;
    assert_eq!(changes["changes"][0]["by"], "staff", "it is a change");
}

#[tokio::test]
async fn the_api_restores_a_status_with_its_time_unless_it_was_set_since() {
    let app = spawn_app().await;
    app.add_pet("Biscuit").await;
    let path = "/pets/1/status";
    let pet = app.json("/api/v1/pets/1").await;
    let (status, since) = (pet["status"].clone(), pet["since"].clone());
    let set = app.send("PUT", path, &json!({"status": "eating"})).await;
    let cursor: Value = set.json().await.unwrap();
    let undo = json!({"status": status, "since": since, "replaces": cursor["cursor"]});
    assert_eq!(app.send("PUT", path, &undo).await.status(), 200);
    let pet = app.json("/api/v1/pets/1").await;
    assert_eq!((&pet["status"], &pet["since"]), (&status, &since));
    assert_eq!(app.send("PUT", path, &undo).await.status(), 409);
    for wrong in [
        json!({"status": "eating", "since": "yesterday"}),
        json!({"status": "eating", "since": "2999-01-01T00:00:00Z"}),
        json!({"status": "eating", "replaces": "x"}),
    ] {
        assert_eq!(app.send("PUT", path, &wrong).await.status(), 422, "{wrong}");
    }
}

#[tokio::test]
async fn the_undo_cookie_lasts_ten_seconds_and_a_forged_one_is_ignored() {
    let (_rescue, mut boris) = Rescue::start_as("boris").await;
    let answer = boris.post("/pets/1/status", &[("status", "eating")]).await;
    let sets = answer.headers().get_all("set-cookie").iter();
    let mut sets = sets.map(|set| set.to_str().unwrap());
    let offer = sets.find(|set| set.starts_with("pet-store-undo=")).unwrap();
    assert!(
        offer.ends_with("; Path=/pets; HttpOnly; SameSite=Lax; Max-Age=10"),
        "{offer}"
    );
    let session = boris.cookie.clone().unwrap();
    for forged in [
        "1.eating",
        "1.napping.1.x",
        "99.eating.1.00000000-1",
        "x",
        "1.<script>..",
    ] {
        boris.cookie = Some(format!("{session}; pet-store-undo={forged}"));
        assert_eq!(undo_form(&boris.get("/pets").await), None, "{forged}");
    }
}

/// Browsers send a cookie to every port of a host, so two instances read each other's.
#[tokio::test]
async fn the_undo_cookie_of_an_instance_on_another_port_is_ignored() {
    let rescue = Rescue::start_with(|config| {
        config.base_url = Some(BaseUrl::parse("https://pets.example:8443").unwrap());
    });
    let rescue = rescue.await;
    let mut browser = rescue.browser();
    browser.origin = "https://pets.example:8443".to_owned();
    browser.get("/sign-in").await;
    let fields = [("name", "boris"), ("password", PASSWORD)];
    browser.post("/sign-in", &fields).await;
    browser.get("/pets").await;
    let answer = browser
        .post("/pets/1/status", &[("status", "eating")])
        .await;
    let set = answer.headers()["set-cookie"].to_str().unwrap();
    let offer = set.strip_prefix("pet-store-undo-8443=").expect(set);
    let offer = offer.split(';').next().unwrap();
    let session = browser.cookie.clone().unwrap();
    for (name, is_ours) in [("pet-store-undo-8443", true), ("pet-store-undo-443", false)] {
        browser.cookie = Some(format!("{session}; {name}={offer}"));
        let page = browser.get("/pets").await;
        assert_eq!(undo_form(&page).is_some(), is_ours, "{name}");
    }
}

/// The pet in the store that tests start with has had its status since 2020.
#[tokio::test]
async fn no_undo_is_offered_for_an_old_status() {
    let (_rescue, mut boris) = Rescue::start_as("boris").await;
    let session = boris.cookie.clone().unwrap();
    boris.cookie = Some(format!("{session}; pet-store-undo=1.playing"));
    assert_eq!(undo_form(&boris.get("/pets").await), None);
}

#[tokio::test]
async fn in_the_demo_everyone_can_set_a_status() {
    let app = spawn_app().await;
    app.add_pet("Biscuit").await;
    let page = app.text("/pets").await;
    assert!(page.contains("name=\"status\" value=\"eating\""));
    let set = app
        .post_form("/pets/1/status", &[("status", "eating")])
        .await;
    assert_eq!(set.status(), 303);
}
