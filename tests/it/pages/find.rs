//! Views of the board by address: without JavaScript a form, links and pages are all of it.

use serde_json::{Value, json};

use super::attributes;
use crate::support::{Rescue, TestApp, spawn_app, spawn_app_with, unescape};

/// Adds six pets that differ in everything that a view can ask for.
async fn board() -> TestApp {
    let app = spawn_app().await;
    for (pet, status) in [
        (
            json!({ "name": "Zoë", "species": "Dog", "breed": "Beagle mix" }),
            "playing",
        ),
        (
            json!({ "name": "MÖSSLI", "species": "dog", "state": "on-hold" }),
            "playing",
        ),
        (
            json!({ "name": "Aki", "species": "Cat", "tags": ["special-needs", "good-with-dogs"] }),
            "sleeping",
        ),
        (
            json!({ "name": "Miso", "species": "Cat", "tags": ["special-needs"] }),
            "eating",
        ),
        (
            json!({ "name": "Zoe", "species": "Rabbit", "colour": "grey" }),
            "sleeping",
        ),
        (
            json!({ "name": "Zo", "species": "cat", "state": "adopted" }),
            "eating",
        ),
    ] {
        let created: Value = app.send("POST", "/pets", &pet).await.json().await.unwrap();
        app.set_status(created["id"].as_u64().unwrap(), status)
            .await;
    }
    app
}

/// Returns the ids of the cards, in the order of the page.
fn cards(page: &str) -> Vec<u64> {
    let list = page.split("<ul id=\"pets\"").nth(1).unwrap();
    let list = list.split("</ul>\n").next().unwrap();
    let ids = attributes(list, "data-pet");
    ids.iter().map(|id| id.parse().unwrap()).collect()
}

#[tokio::test]
async fn each_parameter_selects_and_all_of_them_together() {
    let app = board().await;
    for (query, expected) in [
        ("", &[1, 2, 3, 4, 5, 6][..]),
        ("?q=zoe", &[1, 5]),
        ("?q=ZO%C3%8B", &[1, 5]),
        ("?q=m%C3%B6%C3%9Fli", &[2]),
        ("?q=mix+zoe", &[1]),
        ("?q=grey", &[5]),
        ("?species=CAT", &[3, 4, 6]),
        ("?doing=sleeping", &[3, 5]),
        ("?state=on-hold", &[2]),
        ("?tag=special-needs", &[3, 4]),
        ("?tag=special-needs&tag=good-with-dogs", &[3]),
        ("?sort=newest", &[6, 5, 4, 3, 2, 1]),
        ("?sort=name", &[3, 4, 2, 6, 1, 5]),
        ("?sort=changed", &[6, 5, 4, 3, 2, 1]),
        ("?q=zo&species=cat&doing=eating&state=adopted", &[6]),
        ("?q=zo&species=cat&doing=playing", &[]),
        // As the form sends what was left empty.
        (
            "?q=&species=&doing=&state=&sort=oldest&page=",
            &[1, 2, 3, 4, 5, 6],
        ),
        ("?utm_source=poster&q=miso", &[4]),
    ] {
        assert_eq!(
            cards(&app.text(&format!("/pets{query}")).await),
            expected,
            "{query}"
        );
    }
}

#[tokio::test]
async fn the_form_and_the_summary_lead_on_from_the_view() {
    let app = board().await;
    let page = app
        .text("/pets?species=cat&tag=special-needs&sort=name")
        .await;
    let read = unescape(&page);
    for part in [
        "<b data-total>2 pets</b>",
        "href=\"/pets?species=cat&doing=eating&tag=special-needs&sort=name\"><span>1</span> eating</a>",
        "&tag=special-needs&sort=name\" hidden><span>0</span> playing</a>",
        "<option value=\"Cat\" selected>",
        "name=\"tag\" value=\"special-needs\" checked>",
        "<option value=\"name\" selected>",
        "Filters (3)</summary>",
    ] {
        assert!(read.contains(part), "{part} in {read}");
    }
    // Tapped again, a link of the summary leads back; the form keeps it.
    let read = unescape(&app.text("/pets?doing=eating").await);
    assert!(
        read.contains("href=\"/pets\" aria-current=\"true\"><span>2</span> eating</a>"),
        "{read}"
    );
    assert!(read.contains("<input type=\"hidden\" name=\"doing\" value=\"eating\">"));
    // A view is not what search engines show, and text in it is text.
    let page = app
        .text("/pets?q=%22%3E%3Cscript%3Ealert(1)%3C/script%3E")
        .await;
    assert!(page.contains("noindex") && !page.contains("<script>alert"));
    assert!(page.contains("No pets match"));
}

#[tokio::test]
async fn a_parameter_that_is_not_allowed_is_left_out_and_named() {
    let app = board().await;
    for (query, problem) in [
        (
            "doing=flying",
            "doing must be one of eating, bathing, sleeping, playing, not-set-yet.",
        ),
        (
            "sort=size",
            "sort must be one of oldest, newest, name, changed.",
        ),
        ("page=0", "page must be a whole number from 1 to 1000000."),
        ("page=99", "There is no page 99; the last one is 1."),
        ("tag=%3Cb%3E", "tag must be one of good-with-children"),
    ] {
        let read = unescape(&app.text(&format!("/pets?{query}&species=rabbit")).await);
        assert!(read.contains(problem), "{problem} in {read}");
        let expected = if query == "page=99" { &[][..] } else { &[5] };
        assert_eq!(cards(&read), expected, "{query}");
    }
}

#[tokio::test]
async fn a_large_board_has_pages_with_links_between_them() {
    let app = spawn_app_with(|config| config.simulator.sample_pets = 100).await;
    let first = unescape(&app.text("/pets").await);
    assert_eq!(cards(&first), (1..=48).collect::<Vec<_>>());
    assert!(first.contains("Page 1 of 3") && !first.contains("rel=\"prev\""));
    assert!(first.contains("rel=\"next\" href=\"/pets?page=2\""));
    let last = unescape(&app.text("/pets?page=3").await);
    assert_eq!(cards(&last), (97..=100).collect::<Vec<_>>());
    assert!(last.contains("rel=\"prev\" href=\"/pets?page=2\"") && !last.contains("rel=\"next\""));
    let beyond = unescape(&app.text("/pets?page=9").await);
    assert!(cards(&beyond).is_empty());
    assert!(
        beyond.contains("rel=\"prev\" href=\"/pets?page=3\"") && !beyond.contains("No pets match")
    );
}

/// Six pets of a kind are all in view. A board that is larger, or mixed, has the form.
#[tokio::test]
async fn a_board_of_few_pets_that_do_not_differ_has_no_form() {
    let app = spawn_app().await;
    for pet in 0..12 {
        app.add_pet(&format!("Pet {pet}")).await;
    }
    let form = "<form class=\"find\"";
    assert!(!app.text("/pets").await.contains(form));
    assert!(app.text("/pets?doing=sleeping").await.contains(form));
    app.add_pet("Biscuit").await;
    assert!(app.text("/pets").await.contains(form));
}

#[tokio::test]
async fn a_status_form_returns_to_the_view_that_it_came_from() {
    let (rescue, mut anna) = Rescue::start_as("anna").await;
    for (from, to) in [
        ("/pets?doing=sleeping&x=1", "/pets?doing=sleeping"),
        ("/pets?page=%22%0a", "/pets"),
        ("/pets/1?q=x", "/pets/1"),
        ("/audit", "/pets/1"),
    ] {
        for (path, fields) in [
            ("/pets/1/status", &[("status", "eating")][..]),
            ("/pets/statuses", &[("status", "eating"), ("pet", "1")]),
        ] {
            anna.get("/pets").await;
            let form: Vec<_> = fields
                .iter()
                .copied()
                .chain([("form-token", anna.form_token.as_str())])
                .collect();
            let answer = anna
                .ask("POST", path)
                .header("referer", rescue.app.url(from))
                .form(&form);
            let answer = answer.send().await.unwrap();
            assert_eq!(answer.status(), 303, "{path} {from}");
            let expected = if path == "/pets/statuses" && to == "/pets/1" {
                "/pets"
            } else {
                to
            };
            assert_eq!(answer.headers()["location"], expected, "{path} {from}");
        }
    }
}
