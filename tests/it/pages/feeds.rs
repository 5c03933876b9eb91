//! The feeds: well-formed, the same for everybody, and only what visitors may know.

use pet_store::auth::BaseUrl;
use quick_xml::events::Event;
use quick_xml::reader::Reader;
use reqwest::Method;
use serde_json::{Value, json};

use super::photos::photo;
use crate::support::{Rescue, spawn_app, unescape};

const HOSTILE: &str = "]]> <b>&amp;\"' </entry>";
const PETS: &str = "/pets/feed.atom";
const ADOPTED: &str = "/pets/adopted.atom";
const BISCUIT: &str = "/pets/1/feed.atom";

async fn public_rescue() -> Rescue {
    let base = Some(BaseUrl::parse("https://pets.example").unwrap());
    Rescue::start_with(|config| config.base_url = base).await
}

async fn send(rescue: &Rescue, method: Method, path: &str, body: Value) -> Value {
    let request = rescue.bearing(&rescue.tokens[2], method.as_str(), path);
    let answer = request.json(&body).send().await.unwrap();
    assert!(answer.status().is_success(), "{path}: {answer:?}");
    answer.json().await.unwrap_or(Value::Null)
}

/// Returns the texts of all elements of this name in a feed, which is parsed as a whole.
async fn texts(rescue: &Rescue, path: &str, name: &str) -> Vec<String> {
    let feed = rescue.app.text(path).await;
    let mut reader = Reader::from_str(&feed);
    let (mut texts, mut is_inside) = (Vec::new(), false);
    loop {
        match reader.read_event().unwrap() {
            Event::Eof => return texts,
            Event::Start(start) => {
                is_inside = start.name().as_ref() == name.as_bytes();
                if is_inside {
                    texts.push(String::new());
                }
            }
            Event::End(_) => is_inside = false,
            Event::Text(text) if is_inside => {
                let text = text.unescape().unwrap();
                texts.last_mut().unwrap().push_str(&text);
            }
            _ => {}
        }
    }
}

#[tokio::test]
async fn the_feed_of_all_pets_has_each_pet_once_the_newest_first() {
    let rescue = public_rescue().await;
    let new = json!({ "name": HOSTILE, "species": "Cat", "about": HOSTILE });
    send(&rescue, Method::POST, "/api/v1/pets", new).await;
    let note = json!({ "status": "playing", "note": "With a ball" });
    send(&rescue, Method::PUT, "/api/v1/pets/1/status", note).await;
    let titles = texts(&rescue, PETS, "title").await;
    let hostile = format!("{HOSTILE}: Not set yet");
    assert_eq!(
        titles,
        ["The pets of Pet rescue", "Biscuit: Playing", &hostile]
    );
    let ids = texts(&rescue, PETS, "id").await;
    assert_eq!(
        ids[1..],
        ["https://pets.example/pets/1", "https://pets.example/pets/2"]
    );
    let texts = texts(&rescue, PETS, "p").await;
    assert!(texts.contains(&"With a ball".to_owned()), "{texts:?}");
    assert!(texts.iter().any(|text| text.contains(HOSTILE)), "{texts:?}");
}

#[tokio::test]
async fn the_feed_of_a_pet_says_what_changed() {
    let rescue = public_rescue().await;
    send(
        &rescue,
        Method::PUT,
        "/api/v1/pets/1/status",
        json!({ "status": "eating" }),
    )
    .await;
    let upload = rescue.bearing(&rescue.tokens[2], "POST", "/api/v1/pets/1/photos");
    assert_eq!(
        upload.body(photo(40, 30)).send().await.unwrap().status(),
        201
    );
    for edit in [json!({ "colour": "Brown" }), json!({ "state": "adopted" })] {
        send(&rescue, Method::PATCH, "/api/v1/pets/1", edit).await;
    }
    let titles = texts(&rescue, BISCUIT, "title").await;
    assert_eq!(
        titles,
        [
            "Biscuit",
            "Biscuit: Adopted",
            "Biscuit: new details",
            "Biscuit: new photo",
            "Biscuit: Eating",
            "Biscuit is on the board",
        ]
    );
    let mut ids = texts(&rescue, BISCUIT, "id").await;
    ids.dedup();
    assert_eq!(ids.len(), titles.len());
    let times = texts(&rescue, BISCUIT, "updated").await;
    assert!(times[1..].is_sorted_by(|newer, older| newer >= older) && times[0] == times[1]);
    send(
        &rescue,
        Method::PUT,
        "/api/v1/pets/1/status",
        json!({ "status": "sleeping" }),
    )
    .await;
    assert_eq!(
        texts(&rescue, ADOPTED, "title").await[1],
        "Biscuit was adopted"
    );
    assert_eq!(texts(&rescue, ADOPTED, "updated").await[1], times[1]);
}

#[tokio::test]
async fn a_feed_has_nothing_of_private_pets_and_is_the_same_for_staff() {
    let rescue = public_rescue().await;
    let private = json!({ "name": "Ghost", "species": "Cat", "state": "private" });
    send(&rescue, Method::POST, "/api/v1/pets", private).await;
    for path in [PETS, ADOPTED, BISCUIT] {
        let answer = rescue.app.get(path).await;
        let headers = answer.headers().clone();
        assert_eq!(
            headers["content-type"],
            "application/atom+xml; charset=utf-8"
        );
        assert_eq!(headers["cache-control"], "public, max-age=60");
        assert!(!headers.contains_key("set-cookie"), "{headers:?}");
        assert_eq!(headers["access-control-allow-origin"], "*");
        let feed = answer.text().await.unwrap();
        assert!(!feed.contains("Ghost") && !feed.contains("boris"), "{feed}");
        let staff = rescue
            .bearing(&rescue.tokens[0], "GET", path)
            .send()
            .await
            .unwrap();
        assert!(!staff.headers().contains_key("set-cookie"));
        assert_eq!(staff.text().await.unwrap(), feed);
        let again = rescue
            .app
            .request("GET", path)
            .header("if-none-match", &headers["etag"]);
        assert_eq!(again.send().await.unwrap().status(), 304);
    }
    let ghost = rescue.bearing(&rescue.tokens[0], "GET", "/pets/2/feed.atom");
    assert_eq!(ghost.send().await.unwrap().status(), 404);
    send(
        &rescue,
        Method::PATCH,
        "/api/v1/pets/1",
        json!({ "state": "private" }),
    )
    .await;
    assert_eq!(rescue.app.get(BISCUIT).await.status(), 404);
}

#[tokio::test]
async fn pages_name_their_feed() {
    let rescue = public_rescue().await;
    for (page, feed) in [("/pets", PETS), ("/pets/1", BISCUIT)] {
        let page = rescue.app.text(page).await;
        let link = "<link rel=\"alternate\" type=\"application/atom+xml\" title=\"";
        let (_, rest) = page.split_once(link).unwrap();
        let address = format!("href=\"{feed}\">");
        assert!(
            unescape(rest.split_once('\n').unwrap().0).ends_with(&address),
            "{rest}"
        );
    }
}

#[tokio::test]
async fn without_a_public_address_a_feed_says_what_is_missing() {
    let app = spawn_app().await;
    app.add_pet("Biscuit").await;
    for path in [PETS, ADOPTED, BISCUIT] {
        let answer = app.get(path).await;
        assert_eq!(answer.status(), 404);
        let text = answer.text().await.unwrap();
        assert!(text.contains("--base-url"), "{text}");
    }
}
