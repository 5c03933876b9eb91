//! The trash: a pet that was removed can be restored for 30 days. To visitors it is gone.

use pet_store::store::archive::StaffData;
use pet_store::store::{backup, check, export, import, restore, write_new};
use serde_json::{Value, json};

use crate::support::{Browser, Rescue, Viewer};

const READ: usize = 0;
const SET_STATUS: usize = 1;
const WRITE: usize = 2;

/// Sends a request to the API, and returns its status and its answer.
async fn api(rescue: &Rescue, token: usize, method: &str, path: &str) -> (u16, Value) {
    let path = format!("/api/v1{path}");
    let request = rescue.bearing(&rescue.tokens[token], method, &path);
    let answer = request.send().await.unwrap();
    let status = answer.status().as_u16();
    (status, answer.json().await.unwrap_or_default())
}

async fn trash(rescue: &Rescue) -> Vec<Value> {
    let (status, trash) = api(rescue, READ, "GET", "/trash").await;
    assert_eq!(status, 200);
    trash["pets"].as_array().unwrap().clone()
}

async fn remove(anna: &mut Browser, pet: u64) {
    assert_eq!(anna.submit(&format!("/pets/{pet}/delete"), &[]).await, 303);
}

/// Returns a page with the cookie that the answer to a form left.
async fn after_form(anna: &Browser, done: &str, path: &str) -> String {
    let request = anna.ask("GET", path);
    let request = request.header("cookie", format!("pet-store-done={done}"));
    request.send().await.unwrap().text().await.unwrap()
}

/// A volunteer removed the wrong pet, and typed everything again from memory.
#[tokio::test]
async fn a_removed_pet_is_restored_as_it_was() {
    let (rescue, mut anna) = Rescue::start_as("anna").await;
    let edit = [
        ("name", "Biscuit"),
        ("species", "dog"),
        ("location", "Kennel 4"),
    ];
    assert_eq!(anna.submit("/pets/1", &edit).await, 303);
    anna.post("/pets/1/status", &[("status", "bathing")]).await;
    let read = async || api(&rescue, READ, "GET", "/pets/1").await.1;
    let mut before = read().await;
    remove(&mut anna, 1).await;
    let board = after_form(&anna, "pet-removed~1", "/pets").await;
    assert!(board.contains("<bdi>Biscuit</bdi> was removed."), "{board}");
    assert!(board.contains("action=\"/trash/1/restore\""), "{board}");
    assert!(!board.contains("data-pet=\"1\""));
    let forged = rescue.app.request("GET", "/pets");
    let forged = forged.header("cookie", "pet-store-done=pet-removed~1");
    let board = forged.send().await.unwrap().text().await.unwrap();
    assert!(!board.contains("Biscuit"), "{board}");
    let history = anna.get("/pets/1/history").await;
    assert!(history.contains("for up to 30 days"), "{history}");
    let page = anna.get("/trash").await;
    for shown in ["<bdi>Biscuit (dog)</bdi>", "by anna", "30 days left"] {
        assert!(page.contains(shown), "{shown} in {page}");
    }
    for _ in 0..2 {
        let restored = anna.post("/trash/1/restore", &[]).await;
        assert_eq!(restored.status(), 303);
        assert_eq!(restored.headers()["location"], "/pets/1");
    }
    let mut after = read().await;
    for pet in [&mut before, &mut after] {
        pet["cursor"].take();
    }
    assert_eq!(after, before, "with its status and its time");
    assert!(anna.get("/trash").await.contains("The trash is empty"));
    let log = anna.get("/audit").await;
    for line in ["removed <a", "restored <a"] {
        assert!(log.contains(line), "{line} in {log}");
    }
}

#[tokio::test]
async fn a_pet_is_deleted_for_good_after_a_confirmation() {
    let (rescue, mut anna) = Rescue::start_as("anna").await;
    assert_eq!(anna.submit("/trash/1", &[("confirm", "yes")]).await, 404);
    remove(&mut anna, 1).await;
    let question = anna.get("/trash/1").await;
    assert!(
        question.contains("Delete Biscuit (dog) for good?"),
        "{question}"
    );
    assert_eq!(anna.submit("/trash/1", &[]).await, 422);
    assert_eq!(trash(&rescue).await.len(), 1);
    assert_eq!(anna.submit("/trash/1", &[("confirm", "yes")]).await, 303);
    let page = after_form(&anna, "pet-deleted", "/trash").await;
    assert!(page.contains("The pet was deleted."), "{page}");
    assert_eq!(trash(&rescue).await, [] as [Value; 0]);
    for (method, path) in [("GET", "/trash/1"), ("POST", "/trash/1/restore")] {
        let answer = anna.ask(method, path);
        let answer = if method == "GET" {
            answer.send().await.unwrap().status().as_u16()
        } else {
            anna.submit(path, &[]).await
        };
        assert_eq!(answer, 404, "{path}");
    }
    let log = anna.get("/audit").await;
    assert!(log.contains("deleted <a"), "{log}");
    let history = anna.get("/pets/1/history").await;
    assert!(
        !history.contains("is in the <a href=\"/trash\""),
        "{history}"
    );
}

#[tokio::test]
async fn programs_list_restore_and_delete_with_the_scope_for_it() {
    let rescue = Rescue::start().await;
    let none = [] as [Value; 0];
    assert_eq!(trash(&rescue).await, none);
    assert_eq!(api(&rescue, WRITE, "DELETE", "/pets/1").await.0, 200);
    let listed = trash(&rescue).await;
    let [pet] = listed.as_slice() else {
        panic!("{listed:?}");
    };
    assert_eq!((&pet["id"], &pet["name"]), (&json!(1), &json!("Biscuit")));
    assert!(
        pet["removed_by"].is_string() && pet["kept_until"].is_string(),
        "{pet}"
    );
    for path in ["/trash/1/restore", "/trash/1"] {
        let method = if path.ends_with("restore") {
            "POST"
        } else {
            "DELETE"
        };
        for token in [READ, SET_STATUS] {
            assert_eq!(api(&rescue, token, method, path).await.0, 403, "{path}");
        }
        let visitor = rescue.app.request(method, &format!("/api/v1{path}"));
        assert_eq!(visitor.send().await.unwrap().status(), 401, "{path}");
    }
    assert_eq!(rescue.app.get("/api/v1/trash").await.status(), 401);
    let restore = || {
        let path = "/api/v1/trash/1/restore";
        let request = rescue.bearing(&rescue.tokens[WRITE], "POST", path);
        request.header("idempotency-key", "k-1").send()
    };
    let (first, again) = (restore().await.unwrap(), restore().await.unwrap());
    assert_eq!(
        (first.status(), again.status()),
        (200.try_into().unwrap(), first.status())
    );
    assert!(first.headers().contains_key("etag"));
    assert_eq!(first.text().await.unwrap(), again.text().await.unwrap());
    for (method, path) in [("POST", "/trash/1/restore"), ("DELETE", "/trash/1")] {
        assert_eq!(
            api(&rescue, WRITE, method, path).await.0,
            404,
            "not in the trash"
        );
    }
    assert_eq!(api(&rescue, WRITE, "DELETE", "/pets/1").await.0, 200);
    assert_eq!(api(&rescue, WRITE, "DELETE", "/trash/1").await.0, 200);
    assert_eq!(trash(&rescue).await, none);
}

#[tokio::test]
async fn viewers_get_gone_for_a_removed_pet_and_pet_for_a_restored_one() {
    let rescue = Rescue::start().await;
    let url = rescue.app.url("");
    let since = rescue.app.cursor().await;
    let mut viewers = Viewer::open_all(&url, &format!("?since={since}")).await;
    viewers.extend(Viewer::open_all(&url, &format!("?since={since}&pet=1")).await);
    api(&rescue, WRITE, "DELETE", "/pets/1").await;
    api(&rescue, WRITE, "POST", "/trash/1/restore").await;
    api(&rescue, WRITE, "DELETE", "/pets/1").await;
    let gone = rescue.app.cursor().await;
    api(&rescue, WRITE, "DELETE", "/trash/1").await;
    assert_eq!(
        rescue.app.cursor().await,
        gone,
        "visitors learn nothing of that"
    );
    for viewer in &mut viewers {
        let received = viewer.take_news(3).await;
        let types: Vec<&Value> = received.iter().map(|message| &message["type"]).collect();
        assert_eq!(types, ["gone", "pet", "gone"], "{}", viewer.transport());
        assert_eq!(received[1]["name"], "Biscuit");
        for message in [&received[0], &received[2]] {
            assert!(!message.to_string().contains("Biscuit"), "{message}");
        }
    }
}

/// The places of `private_pets` compare a pet that was private; this one was public.
#[tokio::test]
async fn to_visitors_a_pet_in_the_trash_is_the_same_as_one_that_was_deleted() {
    let (rescue, mut anna) = Rescue::start_as("anna").await;
    let add = [
        ("name", "Biscuit"),
        ("species", "dog"),
        ("another-animal", "yes"),
    ];
    assert_eq!(anna.submit("/pets", &add).await, 303);
    for pet in [1, 2] {
        remove(&mut anna, pet).await;
    }
    assert_eq!(anna.submit("/trash/2", &[("confirm", "yes")]).await, 303);
    let rescue = rescue.restart().await;
    for path in [
        "/pets/ID",
        "/pets/ID/edit",
        "/pets/ID/history",
        "/trash/ID",
        "/api/v1/pets/ID",
        "/api/v1/pets/ID/changes",
        "/live/state?pet=ID",
        "/live/poll?wait=0&pet=ID",
    ] {
        let mut answers = Vec::new();
        for id in ["1", "2"] {
            let answer = rescue.app.get(&path.replace("ID", id)).await;
            let status = answer.status().as_u16();
            let text = answer.text().await.unwrap();
            assert!(!text.contains("Biscuit"), "{path}: {text}");
            answers.push((status, text.len()));
        }
        assert_eq!(answers[0], answers[1], "{path}");
    }
    for path in [
        "/pets",
        "/api/v1/pets",
        "/live/state",
        "/sitemap.xml",
        "/trash",
    ] {
        assert!(!rescue.app.text(path).await.contains("Biscuit"), "{path}");
    }
}

#[tokio::test]
async fn backups_and_exports_have_the_trash() {
    let (rescue, mut anna) = Rescue::start_as("anna").await;
    remove(&mut anna, 1).await;
    let kept = trash(&rescue).await;
    let place = tempfile::tempdir().unwrap();
    let path = |name: &str| place.path().join(name);
    backup(rescue.folder.path(), &path("b.redb")).unwrap();
    restore(&path("b.redb"), &path("restored")).unwrap();
    write_new(&path("e.ndjson"), |out| {
        export(rescue.folder.path(), StaffData::Included, out)
    })
    .unwrap();
    let exported = std::fs::File::open(path("e.ndjson")).unwrap();
    import(std::io::BufReader::new(exported), &path("imported")).unwrap();
    let mut rescue = rescue;
    for copy in ["restored", "imported"] {
        assert_eq!(check(&path(copy)).unwrap().0.trash, 1, "{copy}");
        rescue = rescue.moved_to(&path(copy)).await;
        assert_eq!(trash(&rescue).await, kept, "{copy}");
    }
    assert_eq!(api(&rescue, WRITE, "POST", "/trash/1/restore").await.0, 200);
    assert!(rescue.app.text("/pets").await.contains("Biscuit"));
}
