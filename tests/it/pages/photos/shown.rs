//! Where the cover of a pet is shown.

use super::{add, photo};
use crate::pages::attributes;
use crate::support::{TestApp, spawn_app};

/// Adds a pet with two photos. Returns the path of the first one's largest file.
async fn add_pet_with_photos(app: &TestApp) -> String {
    let pet = app.add_pet("Biscuit").await;
    let added = add(app, pet, photo(900, 600)).await;
    add(app, pet, photo(500, 500)).await;
    added[0]["url"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn the_screen_in_the_lobby_and_the_sheets_show_the_cover_of_each_pet_that_has_one() {
    let app = spawn_app().await;
    let cover = add_pet_with_photos(&app).await;
    app.add_pet("Miso").await;
    for (path, place) in [
        ("/board", "lobby-photo"),
        ("/board?slide=1", "lobby-photo"),
        ("/pets/1/print?as=card", "sheet-photo"),
        ("/pets/1/print?as=poster", "sheet-photo"),
    ] {
        let page = app.text(path).await;
        let (_, photos) = page.split_once(&format!("<div class=\"{place}\"")).unwrap();
        let sources = attributes(photos, "srcset");
        let [sources] = &sources[..] else {
            panic!("{path}: {sources:?}");
        };
        assert!(sources.contains(&format!("{cover} 900w")), "{sources}");
        assert_eq!(attributes(photos, "alt")[0], "Biscuit, dog", "{path}");
    }
    let sheet = app.text("/pets/2/print?as=card").await;
    assert!(sheet.contains("<div class=\"sheet-photo\"></div>"));
}

#[tokio::test]
async fn a_card_and_a_page_without_a_photo_leave_its_place_to_a_silhouette_of_the_species() {
    let app = spawn_app().await;
    add_pet_with_photos(&app).await;
    app.add_pet("Miso").await;
    let board = app.text("/pets").await;
    let (_, card) = board.split_once("data-pet=\"2\"").unwrap();
    for part in [
        " data-cover=\"yes\"></div>",
        "data-field=\"species\" data-kind=\"word\" data-value=\"dog\"",
    ] {
        assert!(card.contains(part), "{part} in {card}");
    }
    let page = app.text("/pets/2").await;
    assert!(
        page.contains("<div class=\"gallery\" data-photos=\"")
            && !page.contains("<img src=\"/photos")
    );
    for page in [board, page] {
        // Not in the head: nothing that is shown waits for it.
        let (head, body) = page.split_once("</head>").unwrap();
        assert!(!head.contains("silhouettes.css") && body.contains("/silhouettes.css\">"));
    }
}

#[tokio::test]
async fn staff_reach_the_buttons_that_set_the_status_before_the_photos() {
    let app = spawn_app().await;
    add_pet_with_photos(&app).await;
    let page = app.text("/pets/1").await;
    let place = |part: &str| page.find(part).unwrap();
    assert!(place("class=\"set-status\"") < place("class=\"gallery\""));
}
