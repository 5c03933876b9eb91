//! What becomes of a pet for those who watch while it becomes private and public again.

use serde_json::json;

use super::world::{World, add, put_status, write};
use crate::support::{Rescue, Viewer, Ws, rev, rev_of};

/// Returns the pet's changes as a visitor gets them: type and status.
async fn changes(rescue: &Rescue, pet: u64, query: &str) -> Vec<String> {
    let path = format!("/api/v1/pets/{pet}/changes{query}");
    let answer = rescue.app.json(&path).await;
    let changes = answer["changes"].as_array().unwrap().iter();
    let told = changes.map(|change| {
        let status = change["status"].as_str().unwrap_or_default();
        format!("{} {status}", change["type"].as_str().unwrap())
    });
    told.collect()
}

#[tokio::test]
async fn viewers_are_told_that_a_pet_is_gone_and_that_it_is_back_and_nothing_in_between() {
    let rescue = Rescue::start().await;
    let pet = add(&rescue, &json!({ "name": "Pepper", "species": "Rabbit" })).await;
    let path = format!("/pets/{pet}");
    let url = rescue.app.url("");
    let since = rescue.app.cursor().await;
    let mut viewers = Viewer::open_all(&url, &format!("?since={since}")).await;
    viewers.extend(Viewer::open_all(&url, &format!("?since={since}&pet={pet}")).await);
    let private = write(&rescue, "PATCH", &path, &json!({ "state": "private" })).await;
    let tag = rescue.app.get("/live/state").await.headers()["etag"].clone();
    assert_eq!(tag, format!("\"{}\"", private["cursor"].as_str().unwrap()));
    put_status(&rescue, pet, "eating").await;
    write(&rescue, "PATCH", &path, &json!({ "location": "Vet" })).await;
    let state = rescue.app.get("/live/state").await;
    assert_eq!(
        state.headers()["etag"],
        tag,
        "nothing happened for visitors"
    );
    let back = write(&rescue, "PATCH", &path, &json!({ "state": "available" })).await;
    put_status(&rescue, pet, "playing").await;
    for viewer in &mut viewers {
        let told = viewer.take_news(3).await;
        let types = told.iter().map(|message| message["type"].as_str().unwrap());
        let types: Vec<&str> = types.collect();
        assert_eq!(types, ["gone", "pet", "status"], "{}", viewer.transport());
        assert_eq!(rev(&told[0]), rev(&private));
        assert_eq!(rev(&told[1]), rev(&back));
        assert_eq!(told[1]["status"], "eating", "as it is now");
        assert!(told[1].get("location").is_none());
    }
    let all = ["status playing", "pet eating", "gone ", "pet sleeping"];
    assert_eq!(changes(&rescue, pet, "").await, all);
    assert_eq!(changes(&rescue, pet, "?limit=2").await, all[..2]);
    let before = format!("?limit=2&before={}", rev(&back));
    assert_eq!(changes(&rescue, pet, &before).await, all[2..]);
}

#[tokio::test]
async fn staff_change_a_private_pet_by_page_api_and_socket_and_a_retry_has_one_effect() {
    let mut world = World::start().await;
    let pet = world.concealed;
    let rescue = &world.rescue;
    let path = format!("/api/v1/pets/{pet}");
    let edit = || {
        let request = rescue.bearing(&rescue.tokens[2], "PATCH", &path);
        request
            .header("idempotency-key", "k-1")
            .json(&json!({ "age": "3" }))
    };
    let (first, again) = (edit().send().await.unwrap(), edit().send().await.unwrap());
    assert_eq!(first.status(), 200);
    assert_eq!(first.text().await.unwrap(), again.text().await.unwrap());
    let mut socket = Ws::open(&rescue.app.url(""), "").await;
    let command = json!({
        "do": "set-status", "pet": pet, "status": "eating", "ref": "a",
        "token": rescue.tokens[1],
    });
    let ack = socket.command(&command).await;
    assert_eq!(ack["type"], "ack", "{ack}");
    let newest = rescue.app.cursor().await;
    assert!(
        rev(&ack) > rev_of(&newest),
        "visitors are not told the number"
    );
    let staff = &mut world.staff;
    let page = staff.get(&format!("/pets/{pet}")).await;
    assert!(page.contains("Only staff can see this pet."));
    assert!(!page.contains("data-cursor"), "it is not live");
    let set = format!("/pets/{pet}/status");
    assert_eq!(staff.submit(&set, &[("status", "playing")]).await, 303);
    let board = staff.get("/pets").await;
    let card = board.split("<li").find(|card| card.contains(World::NAME));
    let card = card.unwrap();
    assert!(card.contains(">Private</p>") && !card.contains("data-pet="));
    assert_eq!(staff.submit(&format!("/pets/{pet}/delete"), &[]).await, 303);
    assert_eq!(rescue.app.cursor().await, newest);
}

/// A script of another site with the cookies of staff, as a browser without `SameSite` sends them.
#[tokio::test]
async fn a_script_of_another_site_reads_what_visitors_read() {
    let world = World::start().await;
    let paths = [
        "/api/v1/pets".to_owned(),
        format!("/api/v1/pets/{}", world.concealed),
    ];
    for path in paths {
        for (headers, is_shown) in [
            (vec![("sec-fetch-site", "same-origin")], true),
            (
                vec![
                    ("sec-fetch-site", "cross-site"),
                    ("sec-fetch-mode", "navigate"),
                ],
                true,
            ),
            (
                vec![("sec-fetch-site", "cross-site"), ("sec-fetch-mode", "cors")],
                false,
            ),
            (vec![("origin", "https://elsewhere.example")], false),
        ] {
            let mut request = world.staff.ask("GET", &path);
            for (name, value) in &headers {
                request = request.header(*name, *value);
            }
            let text = request.send().await.unwrap().text().await.unwrap();
            assert_eq!(text.contains(World::NAME), is_shown, "{path} {headers:?}");
        }
    }
}

/// A field for staff is in no message, and in no answer to anybody else.
#[tokio::test]
async fn where_a_pet_is_kept_is_read_by_staff_only() {
    let rescue = Rescue::start().await;
    let since = rescue.app.cursor().await;
    let secret = json!({
        "name": "Pepper", "species": "Rabbit", "intake": "2026-11-03", "location": "Kennel 13",
    });
    let pet = add(&rescue, &secret).await;
    let base = rescue.app.url("");
    for mut viewer in Viewer::open_all(&base, &format!("?since={since}")).await {
        let told = viewer.next_news().await;
        assert_eq!(told["name"], "Pepper");
        for field in ["intake", "location"] {
            assert!(told.get(field).is_none(), "{field} in {told}");
        }
    }
    for path in [
        "/pets".to_owned(),
        format!("/pets/{pet}"),
        "/api/v1/pets".to_owned(),
        format!("/api/v1/pets/{pet}"),
    ] {
        let text = rescue.app.text(&path).await;
        assert!(text.contains("Pepper"), "{path}");
        for secret in ["Kennel 13", "2026-11-03", "3 November 2026", "\"location"] {
            assert!(!text.contains(secret), "{secret} at {path}");
        }
        if path != "/pets" {
            let request = rescue.bearing(&rescue.tokens[0], "GET", &path);
            let text = request.send().await.unwrap().text().await.unwrap();
            assert!(text.contains("Kennel 13"), "{path}");
        }
    }
}
