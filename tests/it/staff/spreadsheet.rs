//! Pets as a spreadsheet.

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
