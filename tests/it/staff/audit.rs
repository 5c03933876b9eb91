//! The activity log and the history of a pet: authors, times and clients, and who can see them.

use serde_json::{Value, json};

use crate::support::{Rescue, TRANSPORTS, Viewer};

#[tokio::test]
async fn the_activity_log_lists_author_action_time_and_client() {
    let (rescue, mut anna) = Rescue::start_as("anna").await;
    let mut boris = rescue.signed_in("boris").await;
    boris.post("/pets/1/status", &[("status", "bathing")]).await;
    let request = rescue.bearing(&rescue.tokens[2], "POST", "/api/v1/pets");
    let made = request
        .json(&json!({ "name": "Miso", "species": "cat" }))
        .send()
        .await;
    assert_eq!(made.unwrap().status(), 201);
    boris.post("/pets/2/delete", &[]).await;
    anna.post("/staff/boris", &[("do", "disable"), ("confirm", "yes")])
        .await;
    let page = anna.get("/audit").await;
    let (_, lines) = page.split_once("class=\"activity\"").unwrap();
    let lines: Vec<&str> = lines.split("<li>").skip(1).collect();
    for (line, parts) in lines.iter().zip([
        ["anna", "suspended boris", "Firefox on Android"],
        [
            "boris",
            "removed <a href=\"&#x2f;pets&#x2f;2&#x2f;history\" dir=\"auto\">Miso</a></span>",
            "Firefox on Android",
        ],
        ["boris", "added <a", "token write"],
        ["boris", "Biscuit</a> to bathing", "Firefox on Android"],
        ["boris", "signed in", "Firefox on Android"],
        ["anna", "signed in", "Firefox on Android"],
    ]) {
        for part in parts {
            assert!(line.contains(part), "{part} is not in {line}");
        }
    }
    assert!(lines[0].contains("<time datetime=\"20"));
}

#[tokio::test]
async fn the_activity_log_is_paged_without_gaps_or_duplicates() {
    let (rescue, mut anna) = Rescue::start_as("anna").await;
    for round in 0..70 {
        let request = rescue.bearing(&rescue.tokens[1], "PUT", "/api/v1/pets/1/status");
        let set = request
            .json(&json!({ "status": "eating" }))
            .send()
            .await
            .unwrap();
        assert_eq!(set.status(), 200);
        if round % 2 == 0 {
            let word = if round % 4 == 0 { "disable" } else { "enable" };
            anna.post("/staff/boris", &[("do", word), ("confirm", "yes")])
                .await;
            if word == "disable" {
                anna.post("/staff/boris", &[("do", "enable")]).await;
            }
        }
    }
    let mut address = "/audit".to_owned();
    let mut times = Vec::new();
    loop {
        let page = anna.get(&address).await;
        let found = page.split("<time datetime=\"").skip(1);
        times.extend(found.map(|rest| rest.split('"').next().unwrap().to_owned()));
        let Some((rest, _)) = page.split_once("\">Older entries") else {
            break;
        };
        let older = rest.rsplit_once("href=\"").unwrap().1;
        address = older.replace("&#x2f;", "/").replace("&amp;", "&");
    }
    let sorted = times.windows(2).all(|pair| pair[0] >= pair[1]);
    assert!(sorted, "newest first over all pages");
    let audit_entries = 1 + 3 + 2 + 18 * 2 + 17;
    assert_eq!(
        times.len(),
        71 + audit_entries,
        "every change and every audit_entry, once"
    );
}

#[tokio::test]
async fn only_staff_see_authors_in_the_history_of_a_pet() {
    let (rescue, mut boris) = Rescue::start_as("boris").await;
    boris.post("/pets/1/status", &[("status", "bathing")]).await;
    let page = boris.get("/pets/1/history").await;
    assert!(page.contains("<strong>boris</strong>") && page.contains("set Biscuit to bathing"));
    assert!(boris.get("/pets/1").await.contains("/pets/1/history"));
    let answer = rescue.app.get("/pets/1/history").await;
    assert_eq!(answer.status(), 303, "a visitor signs in first");
    assert!(!rescue.app.text("/pets/1").await.contains("history"));
    let public = rescue.app.json("/api/v1/pets/1/changes").await;
    assert_eq!(public["changes"][0]["by"], "staff");
    assert!(!public.to_string().contains("boris") && !public.to_string().contains("Firefox"));
    let request = rescue.bearing(&rescue.tokens[0], "GET", "/api/v1/pets/1/changes");
    let answer = request.send().await.unwrap();
    assert_eq!(answer.headers()["cache-control"], "no-store");
    let history: Value = answer.json().await.unwrap();
    assert_eq!(history["changes"][0]["who"], "boris");
}

#[tokio::test]
async fn no_live_message_contains_the_name_of_an_author() {
    let (rescue, mut boris) = Rescue::start_as("boris").await;
    for transport in TRANSPORTS {
        let since = rescue.app.cursor().await;
        let mut viewer =
            Viewer::open(transport, &rescue.app.url(""), &format!("?since={since}")).await;
        boris.post("/pets/1/status", &[("status", "eating")]).await;
        let news = viewer.next_news().await;
        assert_eq!(news["by"], "staff");
        assert!(!news.to_string().contains("boris"), "{news}");
    }
}

/// The author is stored in the record of the change.
#[tokio::test]
async fn authors_survive_a_restart() {
    let (rescue, mut boris) = Rescue::start_as("boris").await;
    boris.post("/pets/1/status", &[("status", "playing")]).await;
    let rescue = rescue.restart().await;
    let mut anna = rescue.signed_in("anna").await;
    let page = anna.get("/audit").await;
    assert!(page.contains("Biscuit</a> to playing") && page.contains("<strong>boris</strong>"));
}

/// After a removal the activity log lost the name in all entries, and the history was 404.
#[tokio::test]
async fn a_removed_pet_keeps_its_name_in_the_activity_log_and_its_history_for_staff() {
    let (rescue, mut anna) = Rescue::start_as("anna").await;
    let edit = [("name", "Biscuit II"), ("species", "dog")];
    assert_eq!(anna.submit("/pets/1", &edit).await, 303);
    anna.post("/pets/1/status", &[("status", "bathing")]).await;
    anna.post("/pets/1/delete", &[]).await;
    let page = anna.get("/audit").await;
    assert_eq!(
        page.matches(">Biscuit II</a> (removed)").count(),
        3,
        "{page}"
    );
    assert!(page.contains(": name from Biscuit to Biscuit II"), "{page}");
    let page = anna.get("/pets/1/history").await;
    assert!(page.contains("History of <span dir=\"auto\">Biscuit II</span>"));
    let edit = "<dt>Name</dt><dd><span class=\"visually-hidden\">from </span><del dir=\"auto\">Biscuit</del>";
    assert!(page.contains(edit), "{page}");
    assert!(
        page.contains("<ins dir=\"auto\">Biscuit II</ins>"),
        "{page}"
    );
    assert!(page.contains("removed Biscuit II") && page.contains("set Biscuit II to bathing"));
    let changes = "/api/v1/pets/1/changes";
    let history = rescue
        .bearing(&rescue.tokens[0], "GET", changes)
        .send()
        .await;
    let history: Value = history.unwrap().json().await.unwrap();
    let history = history["changes"].as_array().unwrap();
    assert_eq!(history.len(), 4);
    assert_eq!(
        (&history[0]["type"], &history[0]["name"]),
        (&json!("gone"), &json!("Biscuit II"))
    );
    assert_eq!(history[0]["who"], "anna");
    for (path, status) in [
        (changes, 404),
        ("/api/v1/pets/1", 404),
        ("/pets/1", 404),
        ("/pets/1/history", 303),
        ("/live/state?pet=1", 200),
    ] {
        let answer = rescue.app.get(path).await;
        assert_eq!(answer.status(), status, "{path}");
        let text = answer.text().await.unwrap();
        assert!(!text.contains("Biscuit II"), "hidden from visitors: {path}");
    }
    let unknown = rescue.bearing(&rescue.tokens[0], "GET", "/api/v1/pets/9/changes");
    assert_eq!(unknown.send().await.unwrap().status(), 404);
    let answer = anna.ask("GET", "/pets/9/history").send().await.unwrap();
    assert_eq!(answer.status(), 404);
}
