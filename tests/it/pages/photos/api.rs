//! Photos over the API, and their files.

use reqwest::Response;
use serde_json::{Value, json};

use super::files::png_header;
use super::{add, photo, send};
use crate::support::{Rescue, TestApp, spawn_app};

fn header<'a>(response: &'a Response, name: &str) -> &'a str {
    response.headers()[name].to_str().unwrap()
}

fn url(photo: &Value) -> &str {
    photo["url"].as_str().unwrap()
}

async fn photos(app: &TestApp, pet: u64) -> Vec<String> {
    let pet = app.json(&format!("/api/v1/pets/{pet}")).await;
    let photos = pet["photos"].as_array().unwrap().iter();
    photos.map(|photo| url(photo).to_owned()).collect()
}

#[tokio::test]
async fn a_photo_is_announced_and_its_files_are_immutable() {
    let app = spawn_app().await;
    let pet = app.add_pet("Biscuit").await;
    let since = app.cursor().await;
    let added = add(&app, pet, photo(900, 600)).await;
    assert_eq!(added[0]["alt"], "Biscuit, dog");
    assert_eq!(added[0]["widths"], json!([400, 800, 900]));
    assert_eq!([&added[0]["width"], &added[0]["height"]], [900, 600]);
    let polled = app.json(&format!("/live/poll?wait=0&since={since}")).await;
    let messages = polled["messages"].as_array().unwrap();
    let edited = messages.iter().find(|message| message["type"] == "pet");
    // Messages have no time: visitors would learn from it when a private pet got its photos.
    let mut told = added.clone();
    assert!(told[0].as_object_mut().unwrap().remove("added").is_some());
    assert_eq!(edited.unwrap()["photos"], json!(told));
    for width in [400, 800, 900] {
        let path = url(&added[0]).replace("-900.", &format!("-{width}."));
        let file = app.get(&path).await;
        assert_eq!(file.status(), 200);
        assert_eq!(header(&file, "content-type"), "image/jpeg");
        assert_eq!(
            header(&file, "cache-control"),
            "public, max-age=31536000, immutable"
        );
        assert_eq!(header(&file, "x-content-type-options"), "nosniff");
        assert_eq!(
            header(&file, "content-security-policy"),
            "default-src 'none'; sandbox"
        );
        let tag = header(&file, "etag").to_owned();
        let head = app.request("HEAD", &path).send().await.unwrap();
        assert_eq!(
            (head.status().as_u16(), header(&head, "content-length")),
            (200, header(&file, "content-length"))
        );
        let again = app.request("GET", &path).header("if-none-match", tag);
        assert_eq!(again.send().await.unwrap().status(), 304);
        let picture = image::load_from_memory(&file.bytes().await.unwrap()).unwrap();
        assert_eq!(picture.width(), width);
    }
}

#[tokio::test]
async fn only_a_photo_of_a_pet_on_the_board_is_served() {
    let app = spawn_app().await;
    let (pet, other) = (app.add_pet("Biscuit").await, app.add_pet("Miso").await);
    let path = url(&add(&app, pet, photo(500, 500)).await[0]).to_owned();
    for unknown in [
        path.replace("-500", "-499"),
        path.replace(".jpg", ".png"),
        format!("/photos/{}-500.jpg", "0".repeat(32)),
        "/photos/x".to_owned(),
    ] {
        assert_eq!(app.get(&unknown).await.status(), 404, "{unknown}");
    }
    // Two pets can have the same photo.
    assert_eq!(
        add(&app, other, photo(500, 500)).await[0]["url"],
        path.as_str()
    );
    let remove = |pet: u64| {
        let request = app.request("DELETE", &format!("/api/v1/pets/{pet}"));
        async { request.send().await.unwrap() }
    };
    assert_eq!(remove(pet).await.status(), 200);
    assert_eq!(app.get(&path).await.status(), 200);
    assert_eq!(remove(other).await.status(), 200);
    for id in [pet, other] {
        // Everyone is staff here, and staff see what is in the trash.
        assert_eq!(app.get(&path).await.status(), 200);
        let delete = app.request("DELETE", &format!("/api/v1/trash/{id}"));
        assert_eq!(delete.send().await.unwrap().status(), 200);
    }
    assert_eq!(app.get(&path).await.status(), 404);
}

#[tokio::test]
async fn only_staff_see_the_photo_of_a_private_pet() {
    let rescue = Rescue::start().await;
    let path = "/api/v1/pets/1/photos";
    let [read, _, write] = &rescue.tokens;
    let sent = rescue.bearing(write, "POST", path).body(photo(64, 64));
    let sent: Value = sent.send().await.unwrap().json().await.unwrap();
    let photo = url(&sent["photos"][0]);
    assert_eq!(rescue.app.get(photo).await.status(), 200);
    let private = json!({ "state": "private" });
    let hide = rescue.bearing(write, "PATCH", "/api/v1/pets/1");
    let hidden = hide.json(&private).send().await.unwrap();
    assert_eq!(hidden.status(), 200);
    assert_eq!(rescue.app.get(photo).await.status(), 404);
    let seen = rescue.bearing(read, "GET", photo).send().await.unwrap();
    assert_eq!(seen.status(), 200);
    assert_eq!(header(&seen, "cache-control"), "private, no-store");
}

#[tokio::test]
async fn only_staff_see_the_photo_of_a_pet_in_the_trash_and_the_restored_pet_has_it() {
    let rescue = Rescue::start().await;
    let [read, _, write] = &rescue.tokens;
    let change = async |method, path| {
        let request = rescue.bearing(write, method, path);
        let answer = request.body(photo(64, 64)).send().await.unwrap();
        assert!(answer.status().is_success(), "{method} {path}");
        answer.json::<Value>().await.unwrap()
    };
    let sent = change("POST", "/api/v1/pets/1/photos").await;
    let photo = url(&sent["photos"][0]);
    change("DELETE", "/api/v1/pets/1").await;
    assert_eq!(rescue.app.get(photo).await.status(), 404);
    let seen = rescue.bearing(read, "GET", photo).send().await.unwrap();
    assert_eq!(seen.status(), 200);
    assert_eq!(header(&seen, "cache-control"), "private, no-store");
    let restored = change("POST", "/api/v1/trash/1/restore").await;
    assert_eq!(restored["photos"], sent["photos"]);
    assert_eq!(rescue.app.get(photo).await.status(), 200);
}

#[tokio::test]
async fn a_complete_list_arranges_describes_and_removes() {
    let app = spawn_app().await;
    let pet = app.add_pet("Biscuit").await;
    let mut added = Vec::new();
    for width in [100, 101, 102] {
        added = add(&app, pet, photo(width, 100)).await;
    }
    let path = format!("/pets/{pet}/photos");
    let list = json!({ "photos": [{ "url": url(&added[2]), "alt": "Asleep" }, { "url": url(&added[0]) }] });
    let arranged: Value = app.send("PUT", &path, &list).await.json().await.unwrap();
    assert_eq!(arranged["photos"][0]["alt"], "Asleep");
    assert_eq!(arranged["photos"][1]["alt"], "Biscuit, dog");
    assert_eq!(photos(&app, pet).await, [url(&added[2]), url(&added[0])]);
    assert_eq!(app.get(url(&added[1])).await.status(), 404);
    for (wrong, status) in [
        (json!({}), 422),
        (json!({ "photos": "x" }), 422),
        (json!({ "photos": [{ "url": "/x" }] }), 422),
        (json!({ "photos": [{ "url": url(&added[1]) }] }), 409),
        (
            json!({ "photos": vec![json!({ "url": url(&added[0]) }); 9] }),
            422,
        ),
        (
            json!({ "photos": [{ "url": url(&added[0]), "alt": "x".repeat(201) }] }),
            422,
        ),
        (json!({ "photos": [], "more": 1 }), 400),
    ] {
        assert_eq!(
            app.send("PUT", &path, &wrong).await.status(),
            status,
            "{wrong}"
        );
    }
    let stale = app.request("PUT", &format!("/api/v1{path}")).json(&list);
    let stale = stale.header("if-match", "\"9f2c41aa-1\"");
    assert_eq!(stale.send().await.unwrap().status(), 412);
    assert_eq!(
        app.send("PUT", &path, &json!({ "photos": [] }))
            .await
            .status(),
        200
    );
    assert!(photos(&app, pet).await.is_empty());
}

#[tokio::test]
async fn what_cannot_become_a_photo_is_answered_with_what_to_do() {
    let app = spawn_app().await;
    let pet = app.add_pet("Biscuit").await;
    let heic = [b"\0\0\0\x18ftypheic", &[0; 32][..]].concat();
    let bomb = super::files::png_chunks(&[
        (b"IHDR", &png_header(19_999, 19_999, false)),
        (b"IDAT", &[0; 9]),
    ]);
    for (file, status, words) in [
        (Vec::new(), 422, "empty"),
        (heic, 415, "Most Compatible"),
        (b"GIF89a".to_vec(), 415, "GIF"),
        (bomb, 422, "megapixels"),
        (vec![0; 20 * 1024 * 1024 + 100_000], 413, "20 MB"),
        (b"\xff\xd8\xff\xe0".to_vec(), 422, "damaged"),
    ] {
        let response = send(&app, pet, file).await;
        assert_eq!(response.status(), status, "{words}");
        let problem: Value = response.json().await.unwrap();
        assert!(
            problem["detail"].as_str().unwrap().contains(words),
            "{problem}"
        );
    }
    assert_eq!(send(&app, 99, photo(64, 64)).await.status(), 404);
    for width in 64..72 {
        add(&app, pet, photo(width, 64)).await;
    }
    assert_eq!(send(&app, pet, photo(72, 64)).await.status(), 409);
    assert_eq!(photos(&app, pet).await.len(), 8);
}

#[tokio::test]
async fn nobody_without_permission_can_send_a_body_of_20_megabytes() {
    let rescue = Rescue::start().await;
    let [read, set_status, write] = &rescue.tokens;
    let path = "/api/v1/pets/1/photos";
    let anonymous = rescue.app.request("POST", path).body(photo(64, 64));
    assert_eq!(anonymous.send().await.unwrap().status(), 401);
    for (token, status) in [(read, 403), (set_status, 403), (write, 201)] {
        let request = rescue.bearing(token, "POST", path).body(photo(64, 64));
        assert_eq!(request.send().await.unwrap().status(), status);
    }
}
