//! The `OpenAPI` document: that it says all that the program does.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::support::spawn_app;

/// Every operation, with its method and path.
fn operations(document: &Value) -> Vec<(String, &Value)> {
    let paths = document["paths"].as_object().unwrap().iter();
    let operations = paths.flat_map(|(path, methods)| {
        let methods = methods.as_object().unwrap().iter();
        let methods = methods.filter(|(method, _)| *method != "servers");
        methods.map(move |(method, operation)| (format!("{method} {path}"), operation))
    });
    operations.collect()
}

/// A change of the document is a change of the interface.
#[tokio::test]
async fn the_document_is_the_one_that_programs_know() {
    let app = spawn_app().await;
    let document = app.json("/api/openapi.json").await;
    insta::assert_snapshot!(format!("{document:#}"));
}

#[tokio::test]
async fn every_operation_has_a_name_of_its_own_and_says_what_it_is() {
    let app = spawn_app().await;
    let document = app.json("/api/openapi.json").await;
    let mut names = BTreeSet::new();
    for (place, operation) in operations(&document) {
        assert!(
            names.insert(operation["operationId"].as_str().unwrap()),
            "{place}"
        );
        for field in ["summary", "description"] {
            assert!(!operation[field].as_str().unwrap().is_empty(), "{place}");
        }
        assert!(!operation["tags"].as_array().unwrap().is_empty(), "{place}");
        for (status, answer) in operation["responses"].as_object().unwrap() {
            assert!(
                !answer["description"].as_str().unwrap().is_empty(),
                "{place} {status}"
            );
        }
        for parameter in operation["parameters"].as_array().into_iter().flatten() {
            assert!(parameter["description"].is_string(), "{place} {parameter}");
        }
    }
    let expected = [
        "addPhoto",
        "arrangePhotos",
        "createPet",
        "deletePet",
        "editPet",
        "getDay",
        "getPet",
        "listActivities",
        "listChanges",
        "listPets",
        "listTrash",
        "pollChanges",
        "readLog",
        "readState",
        "readStateAt",
        "removePet",
        "restorePet",
        "setStatus",
        "setStatuses",
        "streamChanges",
    ];
    assert_eq!(names.into_iter().collect::<Vec<_>>(), expected);
}

#[tokio::test]
async fn every_answer_that_an_operation_may_give_is_described() {
    let app = spawn_app().await;
    let document = app.json("/api/openapi.json").await;
    for (place, operation) in operations(&document) {
        let is_read = place.starts_with("get");
        let has_body = operation.get("requestBody").is_some();
        let mut expected = vec![400, 500];
        if !place.contains("/live/")
            || ["get /live/sse", "get /live/poll"].contains(&place.as_str())
        {
            expected.push(503);
        }
        if !is_read {
            expected.extend([401, 403, 408, 409, 413, 422, 429, 507]);
        }
        if place == "get /trash" {
            expected.extend([401, 403]);
        }
        if place.contains("{id}") || place == "post /statuses" {
            expected.push(404);
        }
        if has_body {
            expected.push(415);
        }
        for status in expected {
            let answer = &operation["responses"][status.to_string()];
            let content = &answer["content"]["application/problem+json"];
            assert!(content.is_object(), "{status} of {place}");
        }
    }
}

#[tokio::test]
async fn what_is_required_and_what_is_allowed_is_in_the_schemas() {
    let app = spawn_app().await;
    let document = app.json("/api/openapi.json").await;
    let schemas = &document["components"]["schemas"];
    assert_eq!(schemas["NewPet"]["required"], json!(["name", "species"]));
    assert_eq!(schemas["StatusFields"]["required"], json!(["status"]));
    for name in ["NewPet", "PetFields", "StatusFields"] {
        assert_eq!(schemas[name]["additionalProperties"], false, "{name}");
    }
    let statuses = json!(["eating", "bathing", "sleeping", "playing"]);
    let values = |name: &str, field: &str| schemas[name]["properties"][field]["enum"].clone();
    for name in ["Pet", "Change"] {
        assert_eq!(values(name, "status"), statuses, "{name}");
    }
    // A rescue adds activities of its own, so the exact words have a form and no list.
    let word = "^[a-z0-9]([a-z0-9-]{0,22}[a-z0-9])?$";
    for (name, field) in [
        ("Pet", "activity"),
        ("Change", "activity"),
        ("StatusFields", "status"),
    ] {
        let pattern = &schemas[name]["properties"][field]["pattern"];
        assert_eq!(pattern, word, "{field} of {name}");
    }
    let sexes = json!(["female", "male", "unknown"]);
    assert_eq!(schemas["Pet"]["properties"]["sex"]["enum"], sexes);
    let sex = &schemas["PetFields"]["properties"]["sex"]["enum"];
    assert_eq!(sex, &json!(["female", "male", "unknown", null]));
    assert_eq!(
        schemas["Change"]["properties"]["type"]["enum"],
        json!(["status", "pet", "gone"])
    );
    assert_eq!(
        schemas["Change"]["properties"]["by"]["enum"],
        json!(["simulator", "staff", "api"])
    );
    assert_eq!(schemas["Pet"]["properties"]["since"]["format"], "date-time");
    let body = |place: &str| {
        let operations = operations(&document);
        let found = operations.iter().find(|(at, _)| at == place).unwrap();
        let content = &found.1["requestBody"]["content"]["application/json"];
        content["schema"]["$ref"].as_str().unwrap().to_owned()
    };
    assert_eq!(body("post /pets"), "#/components/schemas/NewPet");
    assert_eq!(body("patch /pets/{id}"), "#/components/schemas/PetFields");
    assert_eq!(
        body("put /pets/{id}/status"),
        "#/components/schemas/StatusFields"
    );
}

/// The parameters of an operation that are headers, with their schemas.
fn header_parameters(operation: &Value) -> Vec<(&str, &Value)> {
    let parameters = operation["parameters"].as_array().into_iter().flatten();
    let headers = parameters.filter(|parameter| parameter["in"] == "header");
    let named = headers.map(|header| (header["name"].as_str().unwrap(), &header["schema"]));
    named.collect()
}

#[tokio::test]
async fn the_headers_of_requests_and_answers_are_described() {
    let app = spawn_app().await;
    let document = app.json("/api/openapi.json").await;
    let any = json!({ "type": "string" });
    let key = json!({
        "type": "string",
        "pattern": r#"^([!#-\[\]-~]{1,255}|"[!#-\[\]-~]{1,255}")$"#,
    });
    for (place, operation) in operations(&document) {
        let expected = match place.as_str() {
            "get /activities"
            | "get /live/poll"
            | "get /pets"
            | "get /pets/{id}/changes"
            | "get /pets/{id}/days/{date}"
            | "get /trash" => vec![],
            "get /pets/{id}" | "get /live/state" | "get /live/state/{cursor}" | "get /live/log" => {
                vec![("If-None-Match", &any)]
            }
            "get /live/sse" => vec![("Last-Event-ID", &any)],
            "post /pets" | "post /statuses" | "post /pets/{id}/photos" => {
                vec![("Idempotency-Key", &key)]
            }
            trash if trash.contains("/trash") => vec![("Idempotency-Key", &key)],
            _ => vec![("If-Match", &any), ("Idempotency-Key", &key)],
        };
        assert_eq!(header_parameters(operation), expected, "{place}");
        let header = |status: &str, name: &str| {
            let header = &operation["responses"][status]["headers"][name];
            assert_eq!(header["required"], true, "{name} of {status} of {place}");
            header["schema"]["pattern"].as_str().unwrap_or_default()
        };
        if operation["responses"].get("503").is_some() {
            header("503", "Retry-After");
        }
        if !place.starts_with("get") {
            header("429", "Retry-After");
            header("507", "Retry-After");
        }
        let tag = r#"^"[0-9a-f]{8}-(0|[1-9][0-9]{0,18})"$"#;
        match place.as_str() {
            "get /pets/{id}" => {
                assert_eq!([header("200", "ETag"), header("304", "ETag")], [tag; 2]);
            }
            "patch /pets/{id}" => assert_eq!(header("200", "ETag"), tag),
            "post /pets" | "post /pets/{id}/photos" => {
                assert_eq!(header("201", "ETag"), tag);
                let address = r"^(/[A-Za-z0-9._~-]+)*(/api/v1/pets/[1-9][0-9]{0,19}|/photos/[0-9a-f]{32}-[1-9][0-9]{0,3}\.jpg)$";
                assert_eq!(header("201", "Location"), address);
            }
            _ => {}
        }
    }
    let status = &document["components"]["schemas"]["StatusFields"]["properties"];
    assert_eq!(status["since"]["format"], "date-time");
    let cursor = "^[0-9a-f]{8}-(0|[1-9][0-9]{0,18})$";
    assert_eq!(status["replaces"]["pattern"], cursor);
}
