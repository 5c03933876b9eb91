//! Saying what a pet is doing from the board, and taking it back, as a form without any script.

use crate::support::{Browser, Rescue, spawn_app};

/// What the offer to undo sends, on a page that makes one.
fn offer_on(page: &str) -> Option<(String, String)> {
    let (_, form) = page.split_once("class=\"notice undo\"")?;
    let value = |after: &str| {
        let (_, rest) = form.split_once(after)?;
        let value = rest.split_once("value=\"")?.1.split('"').next()?;
        Some(value.to_owned())
    };
    Some((value("name=\"since\"")?, value("<button")?))
}

async fn status(rescue: &Rescue) -> String {
    let pet = rescue.app.json("/api/v1/pets/1").await;
    pet["status"].as_str().unwrap().to_owned()
}

/// Sets a status as the board's form does, and gives the page that follows.
async fn tap(browser: &mut Browser, to: &str) -> String {
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
async fn every_card_has_a_button_for_each_status_for_staff_and_none_for_visitors() {
    let rescue = Rescue::start().await;
    let mut boris = rescue.signed_in("boris").await;
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
async fn a_status_that_was_set_a_moment_ago_can_be_taken_back() {
    let rescue = Rescue::start().await;
    let before = status(&rescue).await;
    let mut boris = rescue.signed_in("boris").await;
    let page = tap(&mut boris, "eating").await;
    let (since, was) = offer_on(&page).expect("the page offers to undo");
    assert_eq!(was, before);
    let fields = [("status", was.as_str()), ("since", since.as_str())];
    let undone = boris.post("/pets/1/status", &fields).await;
    assert_eq!(undone.status(), 303);
    assert!(
        !undone.headers().contains_key("set-cookie"),
        "an undoing is not undone"
    );
    assert_eq!(status(&rescue).await, before);
    let again = boris.post("/pets/1/status", &fields).await;
    assert_eq!(again.status(), 409);
}

#[tokio::test]
async fn what_somebody_else_has_set_meanwhile_is_not_undone() {
    let rescue = Rescue::start().await;
    let (mut boris, mut anna) = (
        rescue.signed_in("boris").await,
        rescue.signed_in("anna").await,
    );
    let page = tap(&mut boris, "eating").await;
    let (since, was) = offer_on(&page).unwrap();
    tap(&mut anna, "playing").await;
    let fields = [("status", was.as_str()), ("since", since.as_str())];
    assert_eq!(boris.post("/pets/1/status", &fields).await.status(), 409);
    assert_eq!(status(&rescue).await, "playing");
}

#[tokio::test]
async fn the_offer_lasts_ten_seconds_and_is_made_only_for_what_was_just_set() {
    let rescue = Rescue::start().await;
    let mut boris = rescue.signed_in("boris").await;
    let answer = boris.post("/pets/1/status", &[("status", "eating")]).await;
    let sets = answer.headers().get_all("set-cookie").iter();
    let mut sets = sets.map(|set| set.to_str().unwrap());
    let offer = sets.find(|set| set.starts_with("pet-store-undo=")).unwrap();
    assert!(
        offer.ends_with("; Path=/pets; HttpOnly; SameSite=Lax; Max-Age=10"),
        "{offer}"
    );
    let session = boris.cookie.clone().unwrap();
    for forged in ["1.eating", "1.napping", "99.eating", "x", "1.<script>"] {
        boris.cookie = Some(format!("{session}; pet-store-undo={forged}"));
        assert_eq!(offer_on(&boris.get("/pets").await), None, "{forged}");
    }
}

/// The file that tests start from says that its one pet has done the same since 2020.
#[tokio::test]
async fn nothing_is_offered_for_what_was_set_long_ago() {
    let rescue = Rescue::start().await;
    let mut boris = rescue.signed_in("boris").await;
    let session = boris.cookie.clone().unwrap();
    boris.cookie = Some(format!("{session}; pet-store-undo=1.playing"));
    assert_eq!(offer_on(&boris.get("/pets").await), None);
}

#[tokio::test]
async fn in_the_demo_everyone_taps() {
    let app = spawn_app().await;
    app.add_pet("Biscuit").await;
    let page = app.text("/pets").await;
    assert!(page.contains("name=\"status\" value=\"eating\""));
    let set = app
        .post_form("/pets/1/status", &[("status", "eating")])
        .await;
    assert_eq!(set.status(), 303);
}
