//! Pets as a spreadsheet.

mod files;

use serde_json::json;

use crate::support::Rescue;

#[tokio::test]
async fn staff_download_every_pet_with_every_field_and_visitors_are_asked_to_sign_in() {
    let (rescue, boris) = Rescue::start_as("boris").await;
    let pet = json!({
        "name": "=Miso", "species": "Cat", "state": "private", "location": "Kennel 4",
        "tags": ["good-with-cats", "house-trained"],
    });
    let write = rescue.bearing(&rescue.tokens[2], "POST", "/api/v1/pets");
    assert_eq!(write.json(&pet).send().await.unwrap().status(), 201);

    let answer = boris.ask("GET", "/pets/export.csv").send().await.unwrap();
    let header = |name: &str| answer.headers()[name].to_str().unwrap().to_owned();
    assert_eq!(
        header("content-type"),
        "text/csv; charset=utf-8; header=present"
    );
    assert_eq!(
        header("content-disposition"),
        "attachment; filename=\"pets.csv\""
    );
    assert_eq!(header("cache-control"), "no-store");
    let file = answer.bytes().await.unwrap();
    assert!(file.starts_with(b"\xef\xbb\xbfid,name,species,"));
    let file = String::from_utf8(file.into()).unwrap();
    let line =
        "2,'=Miso,Cat,,unknown,,,unknown,,private,\"good-with-cats,house-trained\",,,,Kennel 4,";
    assert!(file.contains(line), "{file}");

    let read = rescue.bearing(&rescue.tokens[0], "GET", "/pets/export.csv");
    assert_eq!(read.send().await.unwrap().text().await.unwrap(), file);

    let visitor = rescue.browser().ask("GET", "/pets/export.csv");
    let answer = visitor.send().await.unwrap();
    assert_eq!(answer.status(), 303);
    assert!(
        answer.headers()["location"]
            .to_str()
            .unwrap()
            .starts_with("/sign-in")
    );
}

/// Returns the key that a preview carries to its confirmation.
fn key(preview: &str) -> &str {
    let (_, rest) = preview
        .split_once("name=\"request\" value=\"")
        .expect(preview);
    rest.split('"').next().unwrap()
}

#[tokio::test]
async fn an_import_is_one_commit_and_sent_twice_adds_nothing_twice() {
    let (rescue, mut boris) = Rescue::start_as("boris").await;
    boris.get("/pets/import").await;
    let text = "\u{feff}Name;Species;Status;Shelf\nMiso;Cat;Private;1\nRex;Dog;Available;2\n";
    let preview = boris.post("/pets/import", &[("text", text)]).await;
    assert_eq!(preview.status(), 200);
    let preview = preview.text().await.unwrap();
    assert!(
        preview.contains("Columns that are not imported: <bdi>Shelf</bdi>"),
        "{preview}"
    );
    assert!(preview.contains("Add 2 pets"));
    assert!(
        !rescue.app.text("/pets").await.contains("Rex"),
        "nothing is saved yet"
    );

    let fields = [
        ("text", text),
        ("confirm", "yes"),
        ("request", key(&preview)),
    ];
    let before = rescue.app.cursor().await;
    for _ in 0..2 {
        assert_eq!(boris.submit("/pets/import", &fields).await, 303);
    }
    let list = rescue
        .bearing(&rescue.tokens[0], "GET", "/api/v1/pets")
        .send()
        .await
        .unwrap();
    let list: serde_json::Value = list.json().await.unwrap();
    let names = list["pets"]
        .as_array()
        .unwrap()
        .iter()
        .map(|pet| pet["name"].as_str().unwrap());
    assert_eq!(names.collect::<Vec<_>>(), ["Biscuit", "Miso", "Rex"]);
    let visitors = rescue.app.text("/pets").await;
    assert!(visitors.contains("Rex") && !visitors.contains("Miso"));
    assert_ne!(rescue.app.cursor().await, before);
    let metrics = rescue.app.text("/metrics").await;
    assert!(metrics.contains("petstore_commits_total 1"), "{metrics}");
}

#[tokio::test]
async fn one_problem_keeps_every_pet_out_and_is_named() {
    let (rescue, mut boris) = Rescue::start_as("boris").await;
    boris.get("/pets/import").await;
    let text = "Name,Species,DOB\nRex,Dog,2020-01-01\nMiso,Cat,soon\n";
    let key = "0123456789abcdef0123456789abcdef";
    let fields = [("text", text), ("confirm", "yes"), ("request", key)];
    let answer = boris.post("/pets/import", &fields).await;
    assert_eq!(answer.status(), 422);
    let page = answer.text().await.unwrap();
    assert!(page.contains("Row 3, <bdi>DOB</bdi>: Use a date"), "{page}");
    assert!(!rescue.app.text("/pets").await.contains("Rex"));

    let mut visitor = rescue.browser();
    let answer = visitor.ask("GET", "/pets/import").send().await.unwrap();
    assert_eq!(answer.status(), 303);
    assert_eq!(visitor.submit("/pets/import", &fields).await, 401);
}

#[tokio::test]
async fn an_import_of_the_own_export_has_the_same_pets() {
    let (rescue, mut boris) = Rescue::start_as("boris").await;
    let pet = json!({
        "name": "=Miso", "species": "Cat", "born": "about 2020", "state": "on-hold", "size": "small",
        "tags": ["good-with-cats", "house-trained"], "about": "One,\n\"two\"\n\nthree",
        "location": "'-1", "intake": "2024-05-03", "sex": "female",
    });
    let write = rescue.bearing(&rescue.tokens[2], "POST", "/api/v1/pets");
    assert_eq!(write.json(&pet).send().await.unwrap().status(), 201);
    let export = boris.get("/pets/export.csv").await;
    boris.get("/pets/import").await;
    let key = "0123456789abcdef0123456789abcdef";
    let fields = [
        ("text", export.as_str()),
        ("confirm", "yes"),
        ("request", key),
    ];
    assert_eq!(boris.submit("/pets/import", &fields).await, 303);
    let again = boris.get("/pets/export.csv").await;
    let profile = |id: u64| {
        let start = format!("\r\n{id},");
        let (_, rest) = again.split_once(&start).unwrap();
        rest.split(",not-set-yet,").next().unwrap().to_owned()
    };
    assert_eq!(profile(2), profile(4), "{again}");
}

#[tokio::test]
async fn the_preview_marks_rows_that_have_the_name_and_species_of_another_pet() {
    let (_rescue, mut boris) = Rescue::start_as("boris").await;
    boris.get("/pets/import").await;
    let add = [("name", "Zo\u{eb}"), ("species", "Cat")];
    assert_eq!(boris.submit("/pets", &add).await, 303);
    let text = "Name,Species\nZOE,cat\nZoe,Dog\nRex,Dog\nREX,Dog\n";
    let preview = boris.post("/pets/import", &[("text", text)]).await;
    assert_eq!(preview.status(), 200, "it can be imported");
    let preview = preview.text().await.unwrap();
    let rows = preview.split("<li class=\"row\">").skip(1);
    let mark = "A pet with this name and species is already on the board or in an earlier row.";
    let marked: Vec<bool> = rows.map(|row| row.contains(mark)).collect();
    assert_eq!(marked, [true, false, false, true], "{preview}");
}
