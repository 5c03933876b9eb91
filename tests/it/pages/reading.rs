//! Pages of pets and their cursors, errors, and redirects.

use super::{attribute, attributes};
use crate::support::{Viewer, spawn_app};

#[tokio::test]
async fn the_root_redirects_to_the_board() {
    let app = spawn_app().await;
    let response = app.get("/").await;
    assert_eq!(response.status(), 303);
    assert_eq!(response.headers()["location"], "/pets");
}

#[tokio::test]
async fn the_board_shows_every_pet_with_its_status_since_when_and_its_cursor() {
    let app = spawn_app().await;
    app.add_pet("Biscuit").await;
    let miso = app.add_pet("Miso").await;
    app.set_status(miso, "playing").await;
    let page = app.text("/pets").await;
    let state = app.json("/live/state").await;
    assert_eq!(
        attribute(&page, "data-cursor"),
        state["cursor"].as_str().unwrap()
    );
    // The summary above has statuses too.
    let (_, page) = page.split_once("<ul id=\"pets\"").unwrap();
    for (place, pet) in state["pets"].as_array().unwrap().iter().enumerate() {
        assert!(page.contains(pet["name"].as_str().unwrap()));
        assert_eq!(attributes(page, "data-pet")[place], pet["id"].to_string());
        assert_eq!(
            attributes(page, "data-status")[place],
            pet.get("activity")
                .unwrap_or(&pet["status"])
                .as_str()
                .unwrap()
        );
        assert_eq!(
            attributes(page, "data-since")[place],
            pet["since"].as_str().unwrap()
        );
    }
    assert!(page.contains("Not set yet") && page.contains("Playing"));
}

#[tokio::test]
async fn a_pets_page_shows_all_of_it_and_its_cursor() {
    let app = spawn_app().await;
    let fields = [
        ("name", "Biscuit"),
        ("species", "Dog"),
        ("breed", "Beagle mix"),
        ("sex", "male"),
        ("age", "about 3 years"),
        ("about", "Walks well on a lead."),
    ];
    let response = app.post_form("/pets", &fields).await;
    let address = response.headers()["location"].to_str().unwrap();
    let page = app.text(address).await;
    for (field, value) in fields {
        let shown = if field == "sex" { "Male" } else { value };
        assert!(page.contains(shown), "{field}");
    }
    let pet = app.json("/api/v1/pets/1").await;
    assert_eq!(
        attribute(&page, "data-cursor"),
        pet["cursor"].as_str().unwrap()
    );
    assert_eq!(attribute(&page, "data-status"), "not-set-yet");
    assert_eq!(
        attribute(&page, "data-since"),
        pet["since"].as_str().unwrap()
    );
}

/// The rule is "a join neither skips nor repeats": the page is the first state, and the stream
/// starts where it was read.
#[tokio::test]
async fn a_stream_from_the_cursor_of_a_page_continues_where_the_page_ends() {
    let app = spawn_app().await;
    let pet = app.add_pet("Biscuit").await;
    app.set_status(pet, "eating").await;
    for path in ["/pets", "/pets/1"] {
        let since = attribute(&app.text(path).await, "data-cursor");
        let change = app.set_status(pet, "bathing").await;
        let query = format!("?since={since}");
        for mut viewer in Viewer::open_all(&app.url(""), &query).await {
            assert_eq!(viewer.next_news().await["cursor"], change.as_str());
        }
    }
}

#[tokio::test]
async fn an_unknown_address_is_a_404_page_with_links() {
    let app = spawn_app().await;
    app.add_pet("Biscuit").await;
    for path in [
        "/pets/99",
        "/pets/biscuit",
        "/pets/01",
        "/pets/99/edit",
        "/nothing",
    ] {
        let response = app.get(path).await;
        assert_eq!(response.status(), 404, "{path}");
        assert_eq!(
            response.headers()["content-type"],
            "text/html; charset=utf-8"
        );
        let page = response.text().await.unwrap();
        assert!(
            page.contains("Error 404") && page.contains("href=\"/pets\""),
            "{path}"
        );
    }
}

#[tokio::test]
async fn a_wrong_method_is_405_with_allow() {
    let app = spawn_app().await;
    for (method, path, allowed) in [
        ("DELETE", "/pets", "OPTIONS, GET, HEAD, POST"),
        ("PUT", "/pets/1", "OPTIONS, GET, HEAD, POST"),
        ("GET", "/pets/1/status", "OPTIONS, POST"),
        ("GET", "/pets/1/delete", "OPTIONS, POST"),
        ("POST", "/hello", "OPTIONS, GET, HEAD"),
        ("POST", "/live/doctor", "OPTIONS, GET, HEAD"),
    ] {
        let response = app.request(method, path).send().await.unwrap();
        assert_eq!(response.status(), 405, "{method} {path}");
        assert_eq!(response.headers()["allow"], allowed);
        let options = app.request("OPTIONS", path).send().await.unwrap();
        assert_eq!(options.status(), 204);
        assert_eq!(options.headers()["allow"], allowed);
    }
}

#[tokio::test]
async fn head_is_get_without_the_body() {
    let app = spawn_app().await;
    app.add_pet("Biscuit").await;
    for path in [
        "/pets",
        "/pets/1",
        "/hello",
        "/live/doctor",
        "/api/docs",
        "/healthz",
        "/metrics",
        "/favicon.ico",
    ] {
        let get = app.get(path).await;
        let head = app.request("HEAD", path).send().await.unwrap();
        assert_eq!(head.status(), 200, "{path}");
        let kind = "content-type";
        assert_eq!(head.headers()[kind], get.headers()[kind], "{path}");
        assert_eq!(head.text().await.unwrap(), "", "{path}");
    }
}

#[tokio::test]
async fn a_path_with_a_slash_at_its_end_is_redirected_to_the_path_without_it() {
    let app = spawn_app().await;
    for (method, path, to) in [
        ("GET", "/pets/", "/pets"),
        ("POST", "/pets/", "/pets"),
        ("GET", "/pets/1/edit//?a=b", "/pets/1/edit?a=b"),
        ("DELETE", "/api/v1/pets/1/", "/api/v1/pets/1"),
        ("GET", "/live/doctor/", "/live/doctor"),
        ("GET", "/live/state/?pet=1", "/live/state?pet=1"),
    ] {
        let answer = app.request(method, path).send().await.unwrap();
        assert_eq!(answer.status(), 308, "{path}");
        assert_eq!(answer.headers()["location"], to, "{path}");
    }
    for path in ["//evil.example/", "/assets/x/"] {
        let answer = app.request("GET", path).send().await.unwrap();
        assert_ne!(answer.status(), 308, "{path}");
    }
}

/// Buttons were shown there that answered 403.
#[tokio::test]
async fn the_demo_offers_changes_only_where_they_work() {
    let app = spawn_app().await;
    app.add_pet("Biscuit").await;
    for (host, works) in [
        ("localhost:3000", true),
        ("x.localhost:3000", true),
        ("pets.example", false),
    ] {
        let page = app.request("GET", "/pets").header("host", host);
        let page = page.send().await.unwrap().text().await.unwrap();
        assert_eq!(page.contains("name=\"status\""), works, "{host}");
        let set = app.request("POST", "/pets/1/status").header("host", host);
        let set = set.form(&[("status", "eating")]).send().await.unwrap();
        assert_eq!(set.status().is_redirection(), works, "{host}");
    }
}
