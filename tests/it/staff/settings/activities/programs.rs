//! Activities in the API and in messages, for programs that know them and for those that know only the four.

use std::time::Duration;

use serde_json::json;
use tokio::time::Instant;

use super::{PATH, add, rescue_with_vet, send, set};
use crate::support::{Browser, Rescue, Viewer, Ws, unescape};

#[tokio::test]
async fn programs_that_know_the_four_see_a_stand_in_and_others_the_activity() {
    let (rescue, mut anna) = rescue_with_vet().await;
    let listed = rescue.app.json("/api/v1/activities").await;
    let expected = json!({
        "word": "at-the-vet", "name": "At the vet", "icon": "vet", "colour": "#7a0019",
        "status": "sleeping", "hidden": false,
    });
    assert_eq!(listed["activities"], json!([expected]));
    let since = rescue.app.cursor().await;
    let viewers = Viewer::open_all(&rescue.app.url(""), &format!("?since={since}")).await;
    assert_eq!(
        set(&rescue, &json!({ "status": "at-the-vet" })).await.0,
        200
    );
    for mut viewer in viewers {
        let news = viewer.next_news().await;
        let words = (&news["type"], &news["status"], &news["activity"]);
        let expected = (&json!("status"), &json!("sleeping"), &json!("at-the-vet"));
        assert_eq!(words, expected, "{}", viewer.transport());
    }
    for path in [
        "/api/v1/pets",
        "/api/v1/pets?doing=at-the-vet",
        "/live/state",
    ] {
        let pet = &rescue.app.json(path).await["pets"][0];
        assert_eq!(pet["status"], "sleeping", "{path}");
        assert_eq!(pet["activity"], "at-the-vet", "{path}");
    }
    let found = rescue.app.json("/api/v1/pets?doing=sleeping").await;
    assert_eq!(
        (&found["total"], &found["statuses"]["at-the-vet"]),
        (&json!(0), &json!(1))
    );
    let changes = rescue.app.json("/api/v1/pets/1/changes").await;
    assert_eq!(changes["changes"][0]["activity"], "at-the-vet");

    // Another stand-in is that of later changes. What the pet is doing stays the same.
    let edit = [("stand-in", "eating")];
    assert_eq!(
        send(&mut anna, "/settings/activities/at-the-vet", &edit)
            .await
            .0,
        303
    );
    let pet = rescue.app.json("/api/v1/pets?doing=at-the-vet").await["pets"][0].clone();
    assert_eq!(pet["status"], "sleeping");
    set(&rescue, &json!({ "status": "playing" })).await;
    set(&rescue, &json!({ "status": "at-the-vet" })).await;
    let pet = rescue.app.json("/api/v1/pets/1").await;
    assert_eq!(
        (&pet["status"], &pet["activity"]),
        (&json!("eating"), &json!("at-the-vet"))
    );
}

#[tokio::test]
async fn a_word_that_cannot_be_set_is_refused_everywhere_with_those_that_can() {
    let (rescue, mut anna) = rescue_with_vet().await;
    add(&mut anna, "Walk").await;
    set(&rescue, &json!({ "status": "at-the-vet" })).await;
    let hide = [("hidden", "yes")];
    assert_eq!(
        send(&mut anna, "/settings/activities/at-the-vet", &hide)
            .await
            .0,
        303
    );
    // A pet that does it could get a note.
    set(&rescue, &json!({ "status": "playing" })).await;
    let allowed = "tatus must be one of eating, bathing, sleeping, playing, walk";
    for word in ["napping", "at-the-vet", "Walk", ""] {
        let (status, problem) = set(&rescue, &json!({ "status": word })).await;
        assert_eq!(status, 422, "{word}");
        assert!(
            problem["detail"].as_str().unwrap().contains(allowed),
            "{problem}"
        );
        let fields = json!({ "pets": [1], "status": word });
        let many = rescue.bearing(&rescue.tokens[1], "POST", "/api/v1/statuses");
        assert_eq!(
            many.json(&fields).send().await.unwrap().status(),
            422,
            "{word}"
        );
        for path in ["/pets/1/status", "/pets/statuses"] {
            let answer = anna.post(path, &[("status", word), ("pet", "1")]).await;
            assert_eq!(answer.status(), 422, "{path} {word}");
            let page = unescape(&answer.text().await.unwrap());
            assert!(page.contains(allowed), "{path} {word}: {page}");
        }
        let mut socket = anna_socket(&rescue, &anna).await;
        let command = json!({ "do": "set-status", "pet": 1, "status": word, "ref": "a" });
        let answer = socket.command(&command).await;
        assert_eq!(answer["status"], 422, "{answer}");
        assert!(
            answer["detail"].as_str().unwrap().contains(allowed),
            "{answer}"
        );
    }
    let pet = rescue.app.json("/api/v1/pets/1").await;
    assert_eq!(pet["status"], "playing");

    // An undo restores the activity that was hidden since.
    let (_, set_now) = set(&rescue, &json!({ "status": "walk" })).await;
    let undo = json!({ "status": "at-the-vet", "replaces": set_now["cursor"] });
    assert_eq!(set(&rescue, &undo).await.0, 200);
    let search = rescue.app.json("/api/v1/pets?doing=at-the-vet").await;
    assert_eq!(search["total"], 1);
    let problem = rescue.app.json("/api/v1/pets?doing=napping").await;
    let detail = problem["detail"].as_str().unwrap();
    assert!(
        detail.ends_with("not-set-yet, at-the-vet, walk."),
        "{detail}"
    );
}

#[tokio::test]
async fn viewers_learn_of_an_edit_without_waiting_for_a_change() {
    // Heartbeats of the default, 15 s, would not arrive in time.
    let (rescue, mut anna) = Rescue::start_as("anna").await;
    let since = rescue.app.cursor().await;
    let query = format!("?since={since}&wait=0.1");
    let mut viewers = Viewer::open_all(&rescue.app.url(""), &query).await;
    for viewer in &mut viewers {
        let hello = viewer.next().await;
        assert_eq!(hello.get("activities"), None, "{hello}");
    }
    let mut versions = std::collections::HashSet::new();
    for edit in [PATH, "/settings/activities/at-the-vet"] {
        let name = format!("At the vet{}", if edit == PATH { "" } else { "'s" });
        assert_eq!(send(&mut anna, edit, &[("name", &name)]).await.0, 303);
        let listed = rescue.app.json("/api/v1/activities").await;
        let version = listed["version"].as_str().unwrap();
        assert!(versions.insert(version.to_owned()), "{version}");
        let page = rescue.app.text("/pets").await;
        let named = format!("data-activities-version=\"{version}\"");
        assert!(page.contains(&named), "{page}");
        let log = format!("/live/log?since={since}&slice=0&wait=0");
        assert_eq!(rescue.app.json(&log).await["activities"], version);
        for viewer in &mut viewers {
            let (transport, start) = (viewer.transport(), Instant::now());
            while viewer.next().await["activities"] != version {}
            let waited = start.elapsed();
            assert!(waited < Duration::from_secs(5), "{transport}: {waited:?}");
        }
    }
}

#[tokio::test]
async fn a_pet_with_a_hidden_activity_can_get_a_note_and_others_cannot_get_the_activity() {
    let (rescue, mut anna) = rescue_with_vet().await;
    set(&rescue, &json!({ "status": "at-the-vet" })).await;
    let create = rescue.bearing(&rescue.tokens[2], "POST", "/api/v1/pets");
    let fields = json!({ "name": "Miso", "species": "cat" });
    assert_eq!(create.json(&fields).send().await.unwrap().status(), 201);
    let path = "/settings/activities/at-the-vet";
    assert_eq!(send(&mut anna, path, &[("hidden", "yes")]).await.0, 303);
    for (pet, expected) in [(1, 200), (2, 422)] {
        let path = format!("/api/v1/pets/{pet}/status");
        let request = rescue.bearing(&rescue.tokens[1], "PUT", &path);
        let fields = json!({ "status": "at-the-vet", "note": "until 3" });
        let status = request.json(&fields).send().await.unwrap().status();
        assert_eq!(status, expected, "{pet}");
        let mut socket = anna_socket(&rescue, &anna).await;
        let command = json!({
            "do": "set-status", "pet": pet, "status": "at-the-vet", "note": "until 4", "ref": "a",
        });
        let answer = socket.command(&command).await;
        assert_eq!(answer["type"] == "ack", expected == 200, "{answer}");
        let form = [
            ("status", "at-the-vet"),
            ("note", "until 5"),
            ("note_before", ""),
        ];
        let status = anna
            .post(&format!("/pets/{pet}/status"), &form)
            .await
            .status();
        assert_eq!(status == 303, expected == 200, "{pet}: {status}");
        let page = unescape(&anna.get(&format!("/pets/{pet}")).await);
        let option = "<option value=\"at-the-vet\" selected>At the vet</option>";
        assert_eq!(page.contains(option), expected == 200, "{page}");
    }
    let pet = rescue.app.json("/api/v1/pets/1").await;
    assert_eq!(
        (&pet["activity"], &pet["note"]),
        (&json!("at-the-vet"), &json!("until 5"))
    );
}

async fn anna_socket(rescue: &Rescue, anna: &Browser) -> Ws {
    let headers = [
        ("origin", anna.origin.as_str()),
        ("cookie", anna.cookie.as_deref().unwrap()),
    ];
    Ws::try_open(&rescue.app.url(""), "/live/ws", &headers)
        .await
        .unwrap()
}

#[tokio::test]
async fn visitors_learn_nothing_of_the_activity_of_a_private_pet() {
    let (rescue, _anna) = rescue_with_vet().await;
    let edit = rescue.bearing(&rescue.tokens[2], "PATCH", "/api/v1/pets/1");
    let edit = edit.json(&json!({ "state": "private" })).send();
    assert_eq!(edit.await.unwrap().status(), 200);
    let since = rescue.app.cursor().await;
    let mut viewers = Viewer::open_all(&rescue.app.url(""), &format!("?since={since}")).await;
    assert_eq!(
        set(&rescue, &json!({ "status": "at-the-vet" })).await.0,
        200
    );
    let create = rescue.bearing(&rescue.tokens[2], "POST", "/api/v1/pets");
    let fields = json!({ "name": "Miso", "species": "cat" });
    assert_eq!(create.json(&fields).send().await.unwrap().status(), 201);
    for viewer in &mut viewers {
        assert_eq!(
            viewer.next_news().await["name"],
            "Miso",
            "{}",
            viewer.transport()
        );
    }
    let found = rescue.app.json("/api/v1/pets?doing=at-the-vet").await;
    assert_eq!(found["total"], 0);
    assert_eq!(found["statuses"].get("at-the-vet"), None);
    let page = unescape(&rescue.app.text("/pets").await);
    assert!(
        page.contains("hidden><span>0</span> at the vet</a>"),
        "{page}"
    );
}
