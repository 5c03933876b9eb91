//! The statuses of several pets, set by one request.

use serde_json::{Value, json};

use crate::support::{Rescue, TestApp, Viewer, metric, rev_of, spawn_app};

const COMMITS: &str = "petstore_commits_total";

/// Pets of the rescue whose pets are all fed.
const PETS: u64 = 300;

async fn add_pets(app: &TestApp) -> Vec<u64> {
    for number in 1..=PETS {
        app.add_pet(&format!("Pet {number}")).await;
    }
    (1..=PETS).collect()
}

async fn set(app: &TestApp, pets: &[u64], status: &str) -> Value {
    let fields = json!({ "pets": pets, "status": status });
    let response = app.send("POST", "/statuses", &fields).await;
    assert_eq!(response.status(), 200);
    response.json().await.unwrap()
}

#[tokio::test]
async fn three_hundred_pets_are_one_commit_and_each_viewer_gets_each_change_once() {
    let app = spawn_app().await;
    let pets = add_pets(&app).await;
    // A private pet among them is set as well, and no viewer learns of it.
    let state = json!({ "state": "private" });
    let private = app.send("PATCH", "/pets/7", &state).await;
    assert_eq!(private.status(), 200);
    let since = app.cursor().await;
    let viewers = Viewer::open_all(&app.url(""), &format!("?since={since}")).await;
    let commits = metric(&app, COMMITS).await;
    let committed = set(&app, &pets, "eating").await;
    assert_eq!(metric(&app, COMMITS).await, commits + 1);
    let rev = |field: &str| rev_of(committed[field].as_str().unwrap());
    assert_eq!(rev("cursor") - rev("first") + 1, PETS);
    // A change after those: nothing more of them arrives before it.
    app.set_status(1, "playing").await;
    for mut viewer in viewers {
        let news = viewer.take_news(pets.len()).await;
        let of_pets = |message: &Value| message["pet"].as_u64().unwrap();
        let mut seen: Vec<u64> = news.iter().map(of_pets).collect();
        assert_eq!(seen.pop(), Some(1), "{}", viewer.transport());
        let public = pets.iter().copied().filter(|pet| *pet != 7);
        assert_eq!(seen, public.collect::<Vec<_>>(), "{}", viewer.transport());
        let (last, set) = news.split_last().unwrap();
        assert_eq!(last["status"], "playing");
        assert!(set.iter().all(|message| message["status"] == "eating"));
    }
    for pet in app.json("/api/v1/pets").await["pets"].as_array().unwrap() {
        let expected = if pet["id"] == 1 { "playing" } else { "eating" };
        assert_eq!(pet["status"], expected, "{pet}");
    }
}

#[tokio::test]
async fn an_unknown_pet_or_a_wrong_list_leaves_all_as_they_are() {
    let app = spawn_app().await;
    app.add_pet("Biscuit").await;
    let before = app.cursor().await;
    let too_many: Vec<u64> = (1..=1001).collect();
    for (pets, status) in [
        (json!([1, 9]), 404),
        (json!([]), 422),
        (json!([1, 1]), 422),
        (json!(["1"]), 422),
        (json!([1, -1]), 422),
        (json!(1), 422),
        (Value::Null, 422),
        (json!(too_many), 422),
    ] {
        let fields = json!({ "pets": pets, "status": "eating" });
        let refused = app.send("POST", "/statuses", &fields).await;
        assert_eq!(refused.status(), status, "{pets}");
        if status == 422 {
            let problem: Value = refused.json().await.unwrap();
            let message = problem["errors"][0]["message"].as_str().unwrap();
            assert!(message.contains("1 to 1000"), "{message}");
        }
    }
    let napping = json!({ "pets": [1], "status": "napping" });
    assert_eq!(app.send("POST", "/statuses", &napping).await.status(), 422);
    assert_eq!(app.cursor().await, before);
}

#[tokio::test]
async fn it_needs_the_scope_of_a_status_is_repeated_safely_and_names_the_person() {
    let rescue = Rescue::start().await;
    let [read, set_status, _] = &rescue.tokens;
    let send = |token: &str| {
        let request = rescue.bearing(token, "POST", "/api/v1/statuses");
        let fields = json!({ "pets": [1], "status": "eating" });
        request.header("idempotency-key", "k").json(&fields).send()
    };
    assert_eq!(send(read).await.unwrap().status(), 403);
    assert_eq!(send("none").await.unwrap().status(), 401);
    let first = send(set_status).await.unwrap().text().await.unwrap();
    let cursor = rescue.app.cursor().await;
    let again = send(set_status).await.unwrap().text().await.unwrap();
    assert_eq!((again, rescue.app.cursor().await), (first, cursor));
    let history = rescue.bearing(read, "GET", "/api/v1/pets/1/changes");
    let history: Value = history.send().await.unwrap().json().await.unwrap();
    assert_eq!(history["changes"][0]["who"], "boris");
    assert_eq!(history["changes"][0]["status"], "eating");
}
