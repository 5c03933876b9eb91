//! The rescue's own activities: who manages them, and what keeps them.

mod pages;
mod programs;

use serde_json::{Value, json};

use crate::support::{Browser, Rescue, unescape, until};

const PATH: &str = "/settings/activities";

/// Sends the form for a new activity, with this name.
async fn add(browser: &mut Browser, name: &str) -> (u16, String) {
    send(browser, PATH, &[("name", name)]).await
}

/// Sends the form of an activity: the default one with these fields.
async fn send(browser: &mut Browser, path: &str, fields: &[(&str, &str)]) -> (u16, String) {
    let default = [
        ("name", "At the vet"),
        ("icon", "vet"),
        ("colour", "#7a0019"),
        ("stand-in", "sleeping"),
    ];
    let is_entered = |name: &str| fields.iter().any(|(field, _)| *field == name);
    let left = default.into_iter().filter(|(name, _)| !is_entered(name));
    let fields: Vec<_> = left.chain(fields.iter().copied()).collect();
    let answer = browser.post(path, &fields).await;
    let status = answer.status().as_u16();
    let page = unescape(&answer.text().await.unwrap());
    (status, page)
}

/// Starts a rescue with the activity `at-the-vet`; also returns the browser of the admin.
async fn rescue_with_vet() -> (Rescue, Browser) {
    let (rescue, mut anna) = Rescue::start_as("anna").await;
    assert_eq!(add(&mut anna, "At the vet").await.0, 303);
    (rescue, anna)
}

/// Sets the status of pet 1 over the API; returns the answer.
async fn set(rescue: &Rescue, fields: &Value) -> (u16, Value) {
    let request = rescue.bearing(&rescue.tokens[1], "PUT", "/api/v1/pets/1/status");
    let answer = request.json(fields).send().await.unwrap();
    (answer.status().as_u16(), answer.json().await.unwrap())
}

#[tokio::test]
async fn only_an_admin_manages_activities_and_the_log_says_who_did() {
    let (rescue, mut anna) = rescue_with_vet().await;
    let mut visitor = rescue.browser();
    assert_eq!(visitor.status(PATH).await, 303);
    let mut boris = rescue.signed_in("boris").await;
    for path in [
        PATH,
        "/settings/activities/new",
        "/settings/activities/at-the-vet",
    ] {
        assert_eq!(boris.status(path).await, 403, "{path}");
        assert_eq!(anna.status(path).await, 200, "{path}");
    }
    for path in [PATH, "/settings/activities/at-the-vet"] {
        assert_eq!(send(&mut boris, path, &[("name", "Mallory")]).await.0, 403);
        assert_eq!(
            send(&mut visitor, path, &[("name", "Mallory")]).await.0,
            401
        );
    }
    let (status, page) = send(&mut visitor, PATH, &[("name", "Kept name")]).await;
    assert!(status == 401 && page.contains("Kept"), "{page}");
    assert_eq!(
        send(&mut anna, "/settings/activities/napping", &[]).await.0,
        404
    );

    let edit = [("name", "Clinic"), ("icon", "medicine"), ("hidden", "yes")];
    assert_eq!(
        send(&mut anna, "/settings/activities/at-the-vet", &edit)
            .await
            .0,
        303
    );
    assert_eq!(
        send(&mut anna, "/settings/activities/at-the-vet", &edit)
            .await
            .0,
        303
    );
    let log = unescape(&anna.get("/audit").await);
    assert_eq!(
        log.matches("added the activity At the vet").count(),
        1,
        "{log}"
    );
    let edited = "changed the activity At the vet: name from At the vet to Clinic, \
                  icon from vet to medicine, hidden";
    assert_eq!(log.matches(edited).count(), 1, "{log}");
    assert!(unescape(&anna.get("/settings").await).contains("href=\"/settings/activities\""));
}

#[tokio::test]
async fn a_wrong_form_is_refused_with_the_reason_and_what_was_entered() {
    let (rescue, mut anna) = rescue_with_vet().await;
    for (fields, reason) in [
        (&[("name", " ")][..], "Enter a name"),
        (
            &[("name", "AT THE VET")],
            "There is already an activity with this name.",
        ),
        (
            &[("name", "Eating")],
            "There is already an activity with this name.",
        ),
        (
            &[("name", "Walk"), ("colour", "#ffd700")],
            "is a darker shade of it that works.",
        ),
        (
            &[("name", "Walk"), ("icon", "horse")],
            "Choose one of the options.",
        ),
        (
            &[("name", "Walk"), ("stand-in", "at-the-vet")],
            "Choose one of the options.",
        ),
    ] {
        let (status, page) = send(&mut anna, PATH, fields).await;
        assert_eq!(status, 422, "{fields:?}");
        assert!(page.contains(reason), "{fields:?}: {page}");
        let (_, name) = fields[0];
        assert!(
            page.contains(&format!("value=\"{}\"", name.trim())),
            "{page}"
        );
    }
    for number in 2..=12 {
        assert_eq!(add(&mut anna, &format!("Walk {number}")).await.0, 303);
    }
    let (status, page) = add(&mut anna, "Walk 13").await;
    assert!(status == 422 && page.contains("There are already 12 activities. Hide one first."));
    assert!(!anna.get(PATH).await.contains("/settings/activities/new"));
    let own = rescue.app.json("/api/v1/activities").await;
    assert_eq!(own["activities"].as_array().unwrap().len(), 12);
    let hide = [("hidden", "yes")];
    assert_eq!(
        send(&mut anna, "/settings/activities/at-the-vet", &hide)
            .await
            .0,
        303
    );
    assert_eq!(add(&mut anna, "Walk 13").await.0, 303);
    let show = [("hidden", "no")];
    assert_eq!(
        send(&mut anna, "/settings/activities/at-the-vet", &show)
            .await
            .0,
        422
    );
}

/// The list said that hiding an activity makes room for another one, also where it does not.
#[tokio::test]
async fn the_list_says_whether_hiding_an_activity_makes_room() {
    let (_rescue, mut anna) = rescue_with_vet().await;
    for number in 2..=12 {
        assert_eq!(add(&mut anna, &format!("Walk {number}")).await.0, 303);
    }
    let page = anna.get(PATH).await;
    assert!(page.contains("hide one first"), "{page}");
    let hidden = |name: String| [("name", name), ("hidden", "yes".to_owned())];
    for number in 13..=48 {
        let fields = hidden(format!("Walk {number}"));
        let fields = fields.each_ref().map(|(name, text)| (*name, text.as_str()));
        assert_eq!(send(&mut anna, PATH, &fields).await.0, 303);
    }
    let full =
        "There are already 48 activities, counting hidden ones. Rename a hidden one instead.";
    let page = anna.get(PATH).await;
    assert!(
        page.contains(full) && !page.contains("hide one first"),
        "{page}"
    );
    let (status, page) = add(&mut anna, "Walk 49").await;
    assert!(status == 422 && page.contains(full), "{page}");
}

#[tokio::test]
async fn activities_survive_restart_backup_and_export_with_the_pets_that_have_them() {
    let (rescue, _anna) = rescue_with_vet().await;
    set(&rescue, &json!({ "status": "at-the-vet" })).await;
    let rescue = rescue.restart().await;
    let (_place, copies) = rescue.copies();
    let expected = rescue.app.json("/api/v1/activities").await;
    assert_eq!(expected["activities"][0]["name"], "At the vet");
    for data in copies {
        let moved = Rescue::start().await.moved_to(&data).await;
        assert_eq!(moved.app.json("/api/v1/activities").await, expected);
        let pet = moved.app.json("/api/v1/pets/1").await;
        let words = (&pet["status"], &pet["activity"]);
        assert_eq!(words, (&json!("sleeping"), &json!("at-the-vet")));
        let changes = moved.app.json("/api/v1/pets/1/changes").await;
        assert_eq!(changes["changes"][0]["activity"], "at-the-vet");
    }
}

#[tokio::test]
async fn the_simulator_moves_a_pet_on_to_one_of_the_four() {
    let (rescue, _anna) = rescue_with_vet().await;
    set(&rescue, &json!({ "status": "at-the-vet" })).await;
    let simulate = |config: &mut pet_store::config::Config| {
        config.simulator.period = Some(std::time::Duration::from_millis(50));
    };
    let rescue = rescue.restart_with(simulate).await;
    until("the simulator sets a status", async || {
        let pet = rescue.app.json("/api/v1/pets/1").await;
        pet.get("activity").is_none()
    })
    .await;
    assert_eq!(
        set(&rescue, &json!({ "status": "at-the-vet" })).await.0,
        200
    );
}

#[tokio::test]
async fn a_board_without_own_activities_has_no_trace_of_them() {
    let rescue = Rescue::start().await;
    for path in ["/pets", "/pets/1", "/board"] {
        let page = rescue.app.text(path).await;
        assert!(!page.contains("activities"), "{path}: {page}");
    }
    let own = rescue.app.json("/api/v1/activities").await;
    assert_eq!(own, json!({ "activities": [] }));
}
