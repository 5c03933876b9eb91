//! The cards of the board: in pages, complete, and without data of other readers. The list of the API.

use reqwest::Response;

use crate::support::{Raw, Rescue, spawn_app, spawn_app_with};

/// Above what is sent as a whole, and no multiple of a block.
const MANY: u32 = 300;

fn cards(page: &str) -> usize {
    page.matches("<li class=\"patch card ").count()
}

fn has_length(answer: &Response) -> bool {
    answer.headers().contains_key("content-length")
}

#[tokio::test]
async fn a_large_board_has_pages_and_each_is_current() {
    let app = spawn_app_with(|config| config.simulator.sample_pets = MANY).await;
    let page = app.text("/pets").await;
    assert_eq!(cards(&page), 48, "and no blank one");
    assert!(page.trim_end().ends_with("</html>"));
    // A change shows at once, and leaves the rest as it is.
    let first = page.split("data-pet=\"2\"").next().unwrap();
    assert!(first.contains("data-pet=\"1\""));
    app.set_status(1, "bathing").await;
    let page = app.text("/pets").await;
    assert!(page.contains("data-pet=\"1\" data-status=\"bathing\""));
    assert!(page.contains("data-pet=\"48\"") && !page.contains("data-pet=\"49\""));
    app.send("DELETE", "/pets/40", &serde_json::json!({})).await;
    let page = app.text("/pets").await;
    assert_eq!(cards(&page), 48);
    assert!(!page.contains("data-pet=\"40\"") && page.contains("data-pet=\"49\""));
    // HTTP/1.0 has no chunks.
    let mut raw = Raw::open(app.address).await;
    raw.send("GET /pets?page=7 HTTP/1.0\r\nConnection: close\r\n\r\n")
        .await;
    let page = raw.read_to_end().await;
    assert_eq!(cards(&page), MANY as usize - 1 - 6 * 48);
}

#[tokio::test]
async fn the_api_streams_a_large_list_too() {
    let app = spawn_app_with(|config| config.simulator.sample_pets = MANY).await;
    app.set_status(1, "bathing").await;
    let answer = app.get("/api/v1/pets").await;
    assert!(!has_length(&answer), "sent while it is encoded");
    let list = answer.json::<serde_json::Value>().await.unwrap();
    let pets = list["pets"].as_array().unwrap();
    let ids: Vec<_> = pets.iter().filter_map(|pet| pet["id"].as_u64()).collect();
    assert_eq!(ids, (1..=u64::from(MANY)).collect::<Vec<_>>());
    assert_eq!(pets[0]["status"], "bathing");
    app.set_status(1, "playing").await;
    let list = app.json("/api/v1/pets").await;
    assert_eq!(list["pets"][0]["status"], "playing");
}

#[tokio::test]
async fn a_small_board_is_sent_with_its_length_and_a_name_cannot_inject_cards() {
    let app = spawn_app().await;
    app.add_pet("<!--cards-->").await;
    let answer = app.get("/pets").await;
    assert!(has_length(&answer));
    let page = answer.text().await.unwrap();
    assert_eq!(cards(&page), 2);
    assert!(!page.contains("<!--cards-->"));
}

/// Cards are shared by all who see the same. What is made for one browser is in the form around them.
#[tokio::test]
async fn a_page_has_one_form_token_for_all_cards_and_it_is_of_its_browser() {
    let rescue = Rescue::start().await;
    let mut anna = rescue.signed_in("anna").await;
    let mut boris = rescue.signed_in("boris").await;
    for _ in 0..2 {
        let visitor = rescue.app.text("/pets").await;
        assert!(!visitor.contains("form-token") && !visitor.contains("data-set-status"));
        let of_anna = anna.get("/pets").await;
        let of_boris = boris.get("/pets").await;
        assert_ne!(anna.form_token, boris.form_token);
        for (page, own, other) in [
            (&of_anna, &anna.form_token, &boris.form_token),
            (&of_boris, &boris.form_token, &anna.form_token),
        ] {
            assert!(page.contains("data-set-status"));
            assert_eq!(page.matches("form-token").count(), 1);
            assert!(page.contains(own.as_str()) && !page.contains(other.as_str()));
        }
    }
    // A program with a token reads what visitors read.
    let write = &rescue.tokens[2];
    let answer = rescue.bearing(write, "GET", "/pets").send().await.unwrap();
    let page = answer.text().await.unwrap();
    assert!(!page.contains("data-set-status"));
}
