//! Complete transfers: everything but sessions arrives, as of one moment.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{lines, succeed};
use crate::cluster::server::{NEWEST, OLDEST, Servers};
use crate::cluster::support::Nodes;
use crate::support::{Browser, Rescue, rev_of, until};

fn lines_about(lines: &[Value], kinds: &[&str]) -> Vec<Value> {
    let is_of_kind = |line: &&Value| kinds.contains(&line["line"].as_str().unwrap());
    lines.iter().filter(is_of_kind).cloned().collect()
}

/// Returns the changes of each pet, without their revs.
fn histories(lines: &[Value]) -> BTreeMap<u64, Vec<Value>> {
    let mut histories: BTreeMap<u64, Vec<Value>> = BTreeMap::new();
    for line in lines_about(lines, &["change"]) {
        let pet = line["record"]["pet"].as_u64().unwrap();
        let history = histories.entry(pet).or_default();
        history.push(line["record"].clone());
    }
    histories
}

const STAFF: [&str; 4] = ["account", "token", "clock", "deed"];

/// Gives a rescue a history: pet 1 changes 40 times, 2 is in the trash, and 3 has a name of several scripts and a note.
/// Returns the link of an invitation.
async fn create_history(rescue: &Rescue, anna: &mut Browser) -> String {
    let [.., write] = &rescue.tokens;
    let ask = async |method: &str, path: &str, body: Value| {
        let request = rescue.bearing(write, method, path).json(&body);
        let answer = request.send().await.unwrap();
        assert!(answer.status().is_success(), "{path}: {}", answer.status());
    };
    for turn in 0..40 {
        let status = ["eating", "bathing", "playing", "sleeping"][turn % 4];
        ask("PUT", "/api/v1/pets/1/status", json!({ "status": status })).await;
    }
    for name in ["Miso", "M\u{f6}\u{df}li \u{732b} \u{1f63a}\u{2028}"] {
        let fields = json!({ "name": name, "species": "cat" });
        ask("POST", "/api/v1/pets", fields).await;
    }
    ask("DELETE", "/api/v1/pets/2", json!({})).await;
    anna.post("/pets/3/status", &[("status", "eating")]).await;
    let noted = json!({ "status": "eating", "note": "in the big run" });
    ask("PUT", "/api/v1/pets/3/status", noted).await;
    anna.get("/staff").await;
    let invited = anna.post("/staff", &[("name", "cleo"), ("role", "staff")]);
    let page = invited.await.text().await.unwrap();
    let (_, link) = page.split_once("&#x2f;welcome&#x2f;").unwrap();
    format!("/welcome/{}", &link[..64])
}

/// Asserts that everyone can sign in as before, and that nobody is signed in.
async fn assert_accounts(rescue: &Rescue, link: &str, before: &Browser) {
    let mut stale = rescue.browser();
    stale.cookie.clone_from(&before.cookie);
    assert!(!stale.is_in().await, "sessions are not exported");
    let mut anna = rescue.signed_in("anna").await;
    let history = anna.get("/pets/3/history").await;
    assert!(history.contains("<strong>anna</strong>"), "{history}");
    let audit = anna.get("/audit").await;
    assert!(audit.contains("cleo"), "{audit}");
    assert!(rescue.browser().get(link).await.contains("Welcome, cleo"));
    let [read, ..] = &rescue.tokens;
    let asked = rescue.bearing(read, "GET", "/pets/1/history").send().await;
    assert_eq!(asked.unwrap().status(), 200);
}

#[tokio::test]
async fn a_store_is_transferred_to_two_clusters_and_back_with_everything_but_sessions() {
    let rescue = Rescue::start().await;
    let mut anna = rescue.signed_in("anna").await;
    let link = create_history(&rescue, &mut anna).await;
    let (place, data) = (tempfile::tempdir().unwrap(), rescue.folder.path());
    let folder = place.path();
    succeed(folder, &["export", "a", "--data", data.to_str().unwrap()]).await;
    let a = lines(&folder.join("a"));

    let (one, other) = (Servers::start(3, NEWEST), Servers::start(1, OLDEST));
    let engine = one.address();
    let line = succeed(folder, &["import", "a", "--engine", &engine]).await;
    assert!(
        line.contains("3 pets") && line.contains("3 accounts"),
        "{line}"
    );
    succeed(folder, &["export", "b", "--engine", &engine]).await;
    let b = lines(&folder.join("b"));
    assert_ne!(a[0]["epoch"], b[0]["epoch"]);
    assert_eq!(a[0]["next_pet"], b[0]["next_pet"]);
    assert_eq!(lines_about(&a, &["pet"]), lines_about(&b, &["pet"]));
    assert_eq!(histories(&a), histories(&b));
    assert_eq!(lines_about(&a, &STAFF), lines_about(&b, &STAFF));
    assert_eq!(lines_about(&b, &["account"]).len(), 3);

    let rescue = rescue.moved_to_cluster(&engine).await;
    assert_accounts(&rescue, &link, &anna).await;
    let [.., write] = &rescue.tokens;
    let fields = json!({ "name": "Next", "species": "dog" });
    let added = rescue.bearing(write, "POST", "/api/v1/pets").json(&fields);
    let added: Value = added.send().await.unwrap().json().await.unwrap();
    assert_eq!(added["id"], 4, "ids are not reused");

    let engine = other.address();
    succeed(folder, &["import", "b", "--engine", &engine]).await;
    succeed(folder, &["export", "c", "--engine", &engine]).await;
    let c = lines(&folder.join("c"));
    assert_eq!(lines_about(&b, &["pet"]), lines_about(&c, &["pet"]));
    assert_eq!(histories(&b), histories(&c));
    assert_eq!(lines_about(&b, &STAFF), lines_about(&c, &STAFF));

    succeed(folder, &["import", "c", "--data", "back"]).await;
    succeed(folder, &["check", "--data", "back"]).await;
    succeed(folder, &["export", "d", "--data", "back"]).await;
    let d = lines(&folder.join("d"));
    assert_eq!(c[1..c.len() - 1], d[1..d.len() - 1]);
    assert_eq!(c[0]["rev"], d[0]["rev"]);
    let rescue = rescue.moved_to(&folder.join("back")).await;
    assert_accounts(&rescue, &link, &anna).await;
}

#[tokio::test]
async fn an_export_while_nodes_write_is_of_one_moment() {
    let servers = Servers::start(1, NEWEST);
    let mut nodes = Nodes::start(&servers, 0).await;
    nodes.add(&servers, &["--simulate", "10ms"]).await;
    let folder = nodes.folder.path();
    let newest = async || {
        let state = nodes.nodes[0].json("/live/state").await;
        rev_of(state["cursor"].as_str().unwrap())
    };
    for number in 0..5 {
        let before = newest().await;
        until("some changes", async || newest().await > before + 20).await;
        let (file, data) = (format!("{number}.ndjson"), format!("data-{number}"));
        let before = newest().await;
        succeed(folder, &["export", &file, "--engine", &servers.address()]).await;
        let after = newest().await;
        let rev = lines(&folder.join(&file))[0]["rev"].as_u64().unwrap();
        assert!((before..=after).contains(&rev), "{before} {rev} {after}");
        let line = succeed(folder, &["import", &file, "--data", &data]).await;
        assert!(line.contains("3 pets"), "{line}");
    }
}
