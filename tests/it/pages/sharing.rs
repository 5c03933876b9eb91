//! What search engines and previews of links get: public pages, and nothing else.

use pet_store::auth::BaseUrl;
use serde_json::{Value, json};

use super::attributes;
use super::photos::photo;
use crate::support::{PASSWORD, Rescue, TestApp, spawn_app, unescape};

const HOSTILE: &str = "</script><script>alert(1)</script>\"><!-- &";

async fn public_rescue() -> Rescue {
    let base = Some(BaseUrl::parse("https://pets.example").unwrap());
    Rescue::start_with(|config| config.base_url = base).await
}

/// Returns the linked data of a page.
fn linked_data(page: &str) -> Value {
    let (_, data) = page
        .split_once("<script type=\"application/ld+json\">")
        .unwrap();
    serde_json::from_str(data.split("</script>").next().unwrap()).unwrap()
}

#[tokio::test]
async fn public_pages_have_a_canonical_address_a_preview_and_linked_data() {
    let rescue = public_rescue().await;
    for (path, title) in [("/pets", "The pets of Pet rescue"), ("/pets/1", "Biscuit")] {
        let page = rescue.app.text(&format!("{path}?utm_source=x")).await;
        let address = format!("https://pets.example{path}");
        let read = unescape(&page);
        for part in [
            format!("<link rel=\"canonical\" href=\"{address}\">"),
            format!("<meta property=\"og:url\" content=\"{address}\">"),
            format!("<meta property=\"og:title\" content=\"{title}\">"),
            "<meta property=\"og:site_name\" content=\"Pet rescue\">".to_owned(),
            "<meta name=\"twitter:card\"".to_owned(),
        ] {
            assert!(read.contains(&part), "{part} in {read}");
        }
        assert!(!page.contains("noindex"), "{page}");
        let data = linked_data(&page);
        assert_eq!(data["@context"], "https://schema.org");
        assert_eq!(data["url"], *address);
    }
    let pet = linked_data(&rescue.app.text("/pets/1").await);
    assert_eq!(pet["about"]["name"], "Biscuit");
    assert_eq!(pet["publisher"]["@type"], "AnimalShelter");
}

#[tokio::test]
async fn without_a_public_address_nothing_names_one() {
    let app = spawn_app().await;
    app.add_pet("Biscuit").await;
    let page = app.text("/pets/1").await;
    assert!(
        page.contains("og:title") && !page.contains("canonical"),
        "{page}"
    );
    assert_eq!(linked_data(&page)["url"], Value::Null);
    assert_eq!(app.get("/sitemap.xml").await.status(), 404);
    assert!(!app.text("/robots.txt").await.contains("Sitemap"));
}

#[tokio::test]
async fn text_of_people_cannot_leave_the_description() {
    let app = spawn_app().await;
    let fields = [
        ("name", HOSTILE),
        ("species", "Cat"),
        ("about", "</script>"),
    ];
    assert_eq!(app.post_form("/pets", &fields).await.status(), 303);
    let page = app.text("/pets/1").await;
    assert_eq!(linked_data(&page)["name"], HOSTILE);
    assert!(!page.contains("<script>alert"), "{page}");
    let description = attributes(&page, "content");
    assert!(
        description.contains(&"Cat. </script>".to_owned()),
        "{description:?}"
    );
}

#[tokio::test]
async fn every_other_page_asks_not_to_be_indexed() {
    let (rescue, mut anna) = Rescue::start_as("anna").await;
    for path in [
        "/pets/new",
        "/pets/1/edit",
        "/pets/1/history",
        "/pets/99",
        "/settings",
        "/settings/logo",
        "/account",
        "/staff",
        "/staff/boris?do=remove",
        "/audit",
        "/nothing",
        "/hello",
        "/live/doctor",
        "/api/docs",
    ] {
        assert_is_hidden(path, &anna.get(path).await);
    }
    for path in [
        "/sign-in",
        "/pets/99",
        "/welcome/x",
        "/hello",
        "/live/doctor",
    ] {
        assert_is_hidden(path, &rescue.app.text(path).await);
    }
}

fn assert_is_hidden(path: &str, page: &str) {
    assert!(
        page.contains("<meta name=\"robots\" content=\"noindex\">"),
        "{path}: {page}"
    );
    for part in ["canonical", "og:", "twitter:", "ld+json"] {
        assert!(!page.contains(part), "{part} in {path}: {page}");
    }
}

#[tokio::test]
async fn the_sitemap_lists_the_pets_that_are_there() {
    let rescue = public_rescue().await;
    let [_, _, write] = &rescue.tokens;
    let fields = json!({ "name": "Miso", "species": "cat" });
    for _ in 0..2 {
        let add = rescue.bearing(write, "POST", "/api/v1/pets").json(&fields);
        assert_eq!(add.send().await.unwrap().status(), 201);
    }
    let remove = rescue.bearing(write, "DELETE", "/api/v1/pets/2");
    assert!(remove.send().await.unwrap().status().is_success());
    let expected =
        ["/pets", "/pets/1", "/pets/3"].map(|path| format!("https://pets.example{path}"));
    assert_eq!(addresses(&rescue.app).await, expected);
    let robots = rescue.app.text("/robots.txt").await;
    assert!(robots.contains("\nSitemap: https://pets.example/sitemap.xml\n"));
    for page in [
        "/pets",
        "/sign-in",
        "/live/doctor",
        "/assets",
        "/live/client",
    ] {
        let rules = robots
            .lines()
            .filter_map(|line| line.strip_prefix("Disallow: "));
        assert!(rules.clone().all(|rule| !page.starts_with(rule)), "{page}");
    }
}

async fn addresses(app: &TestApp) -> Vec<String> {
    let list = app.text("/sitemap.xml").await;
    let entries = list.split("<loc>").skip(1);
    let entries = entries.map(|rest| rest.split("</loc>").next().unwrap().to_owned());
    entries.collect()
}

#[tokio::test]
async fn a_private_pet_is_in_no_list_and_nobody_asks_about_an_adopted_one() {
    let rescue = public_rescue().await;
    let [_, _, write] = &rescue.tokens;
    for state in ["adopted", "private"] {
        let set = rescue.bearing(write, "PATCH", "/api/v1/pets/1");
        let set = set.json(&json!({ "state": state })).send();
        assert_eq!(set.await.unwrap().status(), 200);
        let is_listed = addresses(&rescue.app)
            .await
            .contains(&"https://pets.example/pets/1".to_owned());
        assert_eq!(is_listed, state == "adopted");
    }
    assert_is_hidden("/pets/1", &rescue.app.text("/pets/1").await);
    // Staff read it, and their page describes it to nobody.
    let [read, ..] = &rescue.tokens;
    let page = rescue.bearing(read, "GET", "/pets/1").send().await.unwrap();
    assert_eq!(page.status(), 200);
    assert_is_hidden("/pets/1", &page.text().await.unwrap());
    let app = spawn_app().await;
    app.add_pet("Biscuit").await;
    assert!(app.text("/pets/1").await.contains("Ask about"));
    app.send("PATCH", "/pets/1", &json!({ "state": "adopted" }))
        .await;
    assert!(!app.text("/pets/1").await.contains("Ask about"));
}

/// Adds a photo to a pet. Returns its public address.
async fn add_photo(rescue: &Rescue, pet: u64) -> String {
    let path = format!("/api/v1/pets/{pet}/photos");
    let add = rescue.bearing(&rescue.tokens[2], "POST", &path);
    // A different one for each pet.
    let file = photo(900, 600 + u32::try_from(pet).unwrap());
    let added: Value = add.body(file).send().await.unwrap().json().await.unwrap();
    format!(
        "https://pets.example{}",
        added["photos"][0]["url"].as_str().unwrap()
    )
}

async fn set_state(rescue: &Rescue, pet: u64, state: &str) {
    let set = rescue.bearing(&rescue.tokens[2], "PATCH", &format!("/api/v1/pets/{pet}"));
    let set = set.json(&json!({ "state": state })).send();
    assert_eq!(set.await.unwrap().status(), 200);
}

/// Returns the picture of a page in previews, which its linked data has too.
fn picture(page: &str) -> Option<String> {
    let page = &unescape(page);
    let (_, picture) = page.split_once("<meta property=\"og:image\" content=\"")?;
    let picture = picture.split('"').next().unwrap().to_owned();
    assert!(page.contains("<meta name=\"twitter:card\" content=\"summary_large_image\">"));
    assert_eq!(linked_data(page)["image"], picture);
    Some(picture)
}

fn assert_no_picture(page: &str) {
    assert!(!page.contains("og:image"), "{page}");
    assert!(page.contains("<meta name=\"twitter:card\" content=\"summary\">"));
    assert_eq!(linked_data(page)["image"], Value::Null);
}

#[tokio::test]
async fn a_preview_has_the_cover_of_the_pet_at_its_public_address() {
    let rescue = public_rescue().await;
    let app = &rescue.app;
    for path in ["/pets", "/pets/1"] {
        assert_no_picture(&app.text(path).await);
    }
    let cover = add_photo(&rescue, 1).await;
    for path in ["/pets", "/pets/1"] {
        let page = app.text(path).await;
        assert_eq!(picture(&page).as_ref(), Some(&cover), "{path}");
        for (name, value) in [("width", "900"), ("height", "601"), ("alt", "Biscuit, dog")] {
            let part = format!("<meta property=\"og:image:{name}\" content=\"{value}\">");
            assert!(page.contains(&part), "{part} in {page}");
        }
    }
    let file = cover.strip_prefix("https://pets.example").unwrap();
    let file = app.get(file).await;
    assert_eq!(file.headers()["content-type"], "image/jpeg");
    // A picture without a complete address is of no use.
    let hidden = rescue.restart_with(|config| config.base_url = None).await;
    for path in ["/pets", "/pets/1"] {
        assert_no_picture(&hidden.app.text(path).await);
    }
}

#[tokio::test]
async fn the_preview_of_the_board_has_a_pet_that_is_available_and_never_a_private_one() {
    let rescue = public_rescue().await;
    let mut anna = rescue.browser();
    anna.origin = "https://pets.example".to_owned();
    assert_eq!(anna.sign_in("anna", PASSWORD).await.status(), 303);
    let add = rescue.bearing(&rescue.tokens[2], "POST", "/api/v1/pets");
    let fields = json!({ "name": "Miso", "species": "cat" });
    assert_eq!(add.json(&fields).send().await.unwrap().status(), 201);
    let covers = [add_photo(&rescue, 1).await, add_photo(&rescue, 2).await];
    for (first, second, shown) in [
        ("available", "available", Some(0)),
        ("adopted", "available", Some(1)),
        ("adopted", "on-hold", Some(0)),
        ("private", "on-hold", Some(1)),
        ("private", "private", None),
    ] {
        set_state(&rescue, 1, first).await;
        set_state(&rescue, 2, second).await;
        let expected = shown.map(|pet: usize| &covers[pet]);
        for page in [rescue.app.text("/pets").await, anna.get("/pets").await] {
            assert_eq!(picture(&page).as_ref(), expected, "{first}, {second}");
        }
    }
}
