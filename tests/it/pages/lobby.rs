//! The screen in the lobby: all pets for its script, and slides for browsers without JavaScript.

use crate::support::{TestApp, spawn_app, unescape};

async fn app_with(pets: usize) -> TestApp {
    let app = spawn_app().await;
    for pet in 1..=pets {
        let name = format!("Pet {pet}!");
        let fields = [("name", &*name), ("species", "Dog")];
        assert_eq!(app.post_form("/pets", &fields).await.status(), 303);
    }
    app
}

/// The numbers of the pets on the page, in its order.
fn numbers(page: &str) -> Vec<usize> {
    let names = page.split("dir=\"auto\">Pet ").skip(1);
    let numbers = names.filter_map(|rest| rest.split('!').next()?.parse().ok());
    numbers.collect()
}

fn refresh(page: &str) -> String {
    let (_, rest) = page
        .split_once("<noscript><meta http-equiv=\"refresh\" content=\"")
        .unwrap();
    rest.split('"').next().unwrap().to_owned()
}

#[tokio::test]
async fn the_page_has_every_pet_and_leads_through_all_slides_without_javascript() {
    let app = app_with(14).await;
    let page = unescape(&app.text("/board").await);
    assert_eq!(numbers(&page), (1..=14).collect::<Vec<_>>());
    assert!(!page.contains("data-places"), "14 pets do not fit");
    let mut next = refresh(&page);
    for (address, shown) in [
        ("/board?slide=2", 7..=12),
        ("/board?slide=3", 13..=14),
        ("/board?slide=1", 1..=6),
        ("/board?slide=2", 7..=12),
    ] {
        assert_eq!(next, format!("20; url={address}"));
        let page = unescape(&app.text(address).await);
        assert_eq!(
            numbers(&page),
            shown.clone().collect::<Vec<_>>(),
            "{address}"
        );
        let places = format!("data-places=\"{}\"", shown.count());
        assert!(page.contains(&places), "{address} has no {places}");
        next = refresh(&page);
    }
}

/// A slide may end to exist while a browser shows it.
#[tokio::test]
async fn any_number_of_a_slide_is_a_slide() {
    let app = app_with(7).await;
    for (slide, shown) in [
        ("0", 1..=6),
        ("2", 7..=7),
        ("3", 1..=6),
        ("18446744073709551615", 1..=6),
        ("-1", 1..=6),
        ("x", 1..=6),
        ("", 1..=6),
    ] {
        let page = unescape(&app.text(&format!("/board?slide={slide}")).await);
        assert_eq!(numbers(&page), shown.collect::<Vec<_>>(), "{slide}");
    }
}

#[tokio::test]
async fn a_board_without_pets_says_so() {
    let app = app_with(0).await;
    for path in ["/board", "/board?slide=1", "/board?slide=9"] {
        let page = app.text(path).await;
        assert!(
            page.contains("<div id=\"no-pets\" class=\"notice\">"),
            "{page}"
        );
    }
}
