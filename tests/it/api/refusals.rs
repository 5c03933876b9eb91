//! What the API refuses, and that each refusal is a problem document.

use reqwest::Response;
use serde_json::{Value, json};

use crate::support::{ask_until, spawn_app};

/// Checks that the answer is a problem document (RFC 9457) with `status`, and gives it.
async fn problem(response: Response, status: u16) -> Value {
    assert_eq!(response.status(), status);
    assert_eq!(
        response.headers()["content-type"],
        "application/problem+json"
    );
    let problem: Value = response.json().await.unwrap();
    assert_eq!(problem["status"], status);
    for word in ["type", "title", "detail"] {
        assert!(!problem[word].as_str().unwrap().is_empty(), "{problem}");
    }
    problem
}

#[tokio::test]
async fn an_unknown_pet_is_404_whatever_is_asked_of_it() {
    let app = spawn_app().await;
    for id in ["99", "0", "18446744073709551615"] {
        problem(app.get(&format!("/api/v1/pets/{id}")).await, 404).await;
        let status = json!({ "status": "eating" });
        let path = format!("/pets/{id}/status");
        problem(app.send("PUT", &path, &status).await, 404).await;
    }
    problem(app.get("/api/v1/pets/biscuit").await, 400).await;
    problem(app.get("/api/v1/nothing").await, 404).await;
}

/// A program cannot set the id, the time or the author of a change.
#[tokio::test]
async fn a_field_that_an_object_does_not_have_is_refused_and_changes_nothing() {
    let app = spawn_app().await;
    let pet = app.add_pet("Biscuit").await;
    let before = app.json(&format!("/api/v1/pets/{pet}")).await;
    for field in ["id", "since", "cursor", "by", "status", "author", "who"] {
        let mut fields = json!({ "name": "Mallory", "species": "cat" });
        fields[field] = json!("7");
        problem(app.send("POST", "/pets", &fields).await, 400).await;
        problem(
            app.send("PATCH", &format!("/pets/{pet}"), &fields).await,
            400,
        )
        .await;
    }
    let path = format!("/pets/{pet}/status");
    for field in ["at", "by", "who", "pet"] {
        let mut fields = json!({ "status": "eating" });
        fields[field] = json!("7");
        problem(app.send("PUT", &path, &fields).await, 400).await;
    }
    assert_eq!(app.json(&format!("/api/v1/pets/{pet}")).await, before);
}

#[tokio::test]
async fn an_unknown_status_is_422_and_says_which_there_are() {
    let app = spawn_app().await;
    let pet = app.add_pet("Biscuit").await;
    let path = format!("/pets/{pet}/status");
    for body in [
        json!({ "status": "napping" }),
        json!({ "status": "" }),
        json!({ "status": 7 }),
        json!({}),
    ] {
        let problem = problem(app.send("PUT", &path, &body).await, 422).await;
        assert_eq!(problem["errors"][0]["field"], "status");
        let message = problem["errors"][0]["message"].as_str().unwrap();
        assert!(message.contains("eating, bathing, sleeping, playing"));
    }
}

#[tokio::test]
async fn every_field_that_breaks_a_rule_is_named() {
    let app = spawn_app().await;
    let fields = json!({ "name": " ", "sex": "cat", "age": "x".repeat(41) });
    let problem = problem(app.send("POST", "/pets", &fields).await, 422).await;
    let errors = problem["errors"].as_array().unwrap().iter();
    let named: Vec<_> = errors
        .map(|error| error["field"].as_str().unwrap())
        .collect();
    assert_eq!(named, ["name", "species", "sex", "age"]);
}

#[tokio::test]
async fn a_number_is_no_text_and_a_name_that_nobody_sees_is_no_name() {
    let app = spawn_app().await;
    for (name, words) in [
        (json!(1), "text"),
        (json!(true), "text"),
        (json!(["Miso"]), "text"),
        (json!("\u{200b}"), "Enter a name"),
    ] {
        let fields = json!({ "name": name, "species": "cat" });
        let problem = problem(app.send("POST", "/pets", &fields).await, 422).await;
        assert_eq!(problem["errors"][0]["field"], "name");
        let message = problem["errors"][0]["message"].as_str().unwrap();
        assert!(message.contains(words), "{problem}");
    }
}

#[tokio::test]
async fn what_is_not_json_is_400_and_what_does_not_say_so_is_415() {
    let app = spawn_app().await;
    let pet = app.add_pet("Biscuit").await;
    let path = format!("/api/v1/pets/{pet}/status");
    for body in ["{", "", "eating", "null", "[]"] {
        let request = app
            .request("PUT", &path)
            .header("content-type", "application/json");
        problem(request.body(body).send().await.unwrap(), 400).await;
    }
    for kind in ["text/plain", "application/x-www-form-urlencoded"] {
        let request = app.request("PUT", &path).header("content-type", kind);
        let request = request.body(r#"{"status":"eating"}"#);
        problem(request.send().await.unwrap(), 415).await;
    }
}

#[tokio::test]
async fn a_wrong_method_is_405_and_says_which_are_right() {
    let app = spawn_app().await;
    for (method, path, allowed) in [
        (
            "DELETE",
            "/api/v1/pets",
            vec!["GET", "HEAD", "OPTIONS", "POST"],
        ),
        (
            "POST",
            "/api/v1/pets/1",
            vec!["DELETE", "GET", "HEAD", "OPTIONS", "PATCH"],
        ),
        ("POST", "/api/v1/pets/1/status", vec!["OPTIONS", "PUT"]),
        (
            "PUT",
            "/api/v1/pets/1/changes",
            vec!["GET", "HEAD", "OPTIONS"],
        ),
        ("PUT", "/live/state", vec!["GET", "HEAD", "OPTIONS"]),
    ] {
        let response = app.request(method, path).send().await.unwrap();
        let allow = response.headers()["allow"].to_str().unwrap().to_owned();
        let mut named: Vec<_> = allow.split(", ").collect();
        named.sort_unstable();
        assert_eq!(named, allowed, "{method} {path}");
        problem(response, 405).await;
    }
}

#[tokio::test]
async fn a_body_that_says_it_is_too_large_is_refused_before_it_is_sent() {
    let app = spawn_app().await;
    let head = "POST /api/v1/pets HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n\
                Content-Length: 200000000\r\n\r\n";
    let answer = ask_until(app.address, head, "}").await;
    assert!(answer.starts_with("HTTP/1.1 413 "), "{answer}");
    assert!(answer.contains("application/problem+json"));
    assert!(answer.contains(r#""status":413"#));
}

#[tokio::test]
async fn a_body_without_a_length_is_refused_as_soon_as_it_is_too_large() {
    let app = spawn_app().await;
    let chunk = "x".repeat(0x4000);
    let chunks: String = (0..5).map(|_| format!("4000\r\n{chunk}\r\n")).collect();
    let request = format!(
        "POST /api/v1/pets HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n\
         Transfer-Encoding: chunked\r\n\r\n{chunks}"
    );
    let answer = ask_until(app.address, &request, "}").await;
    assert!(answer.starts_with("HTTP/1.1 413 "), "{answer}");
}

#[tokio::test]
async fn the_longest_pet_that_keeps_the_rules_fits() {
    let app = spawn_app().await;
    let mut fields = json!({
        "name": "\u{1f436}".repeat(80), "species": "\u{1f436}".repeat(40),
        "breed": "\u{1f436}".repeat(80), "age": "\u{1f436}".repeat(40),
        "about": "\u{1f436}".repeat(2000),
    });
    assert_eq!(app.send("POST", "/pets", &fields).await.status(), 201);
    // Another name: the form warns of a second pet with the same one.
    fields["name"] = json!("\u{1f431}".repeat(80));
    let mut fields: Vec<(&str, &str)> = fields
        .as_object()
        .unwrap()
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str().unwrap()))
        .collect();
    fields.push(("another-animal", "yes"));
    assert_eq!(app.post_form("/pets", &fields).await.status(), 303);
}

/// Each id has one spelling, so that what one program stores is what another finds.
#[tokio::test]
async fn a_number_has_one_spelling() {
    let app = spawn_app().await;
    app.add_pet("Biscuit").await;
    for id in [
        "+1",
        "01",
        "-1",
        "1.0",
        "1e0",
        "0x1",
        "%201",
        "99999999999999999999",
    ] {
        let told = problem(app.get(&format!("/api/v1/pets/{id}")).await, 400).await;
        assert_eq!(
            told["detail"],
            "A pet's id is a whole number from 1, such as 7."
        );
    }
    for (query, detail) in [
        ("before=%2B1", "before is a whole number, such as 120."),
        ("before=01", "before is a whole number, such as 120."),
        ("before=", "before is a whole number, such as 120."),
        (
            "before=18446744073709551616",
            "before is a whole number, such as 120.",
        ),
        ("limit=0", "limit is a whole number from 1 to 100."),
        ("limit=101", "limit is a whole number from 1 to 100."),
        ("limit=010", "limit is a whole number from 1 to 100."),
    ] {
        let told = problem(
            app.get(&format!("/api/v1/pets/1/changes?{query}")).await,
            400,
        )
        .await;
        assert_eq!(told["detail"], detail, "{query}");
    }
}

/// Messages about a body use the words of the reference, never those of the code.
#[tokio::test]
async fn a_body_that_cannot_be_read_is_refused_in_plain_words() {
    let app = spawn_app().await;
    app.add_pet("Biscuit").await;
    let deep = "[".repeat(1000);
    for (body, status, detail) in [
        (&b"{"[..], 400, "The body is not valid JSON."),
        (b"", 400, "The body is not valid JSON."),
        (b"eating", 400, "The body is not valid JSON."),
        (b"{\"name\":\"\xff\"}", 400, "The body is not valid JSON."),
        (br#"{"name":"\ud800"}"#, 400, "The body is not valid JSON."),
        (br#"{"name":"a"} {}"#, 400, "The body is not valid JSON."),
        (deep.as_bytes(), 400, "The body is not valid JSON."),
        (b"null", 400, "The body must be a JSON object."),
        (b"[]", 400, "The body must be a JSON object."),
        (br#"["Miso"]"#, 400, "The body must be a JSON object."),
        (b"7", 400, "The body must be a JSON object."),
        (
            br#"{"name":"Miso","name":"Mallory"}"#,
            400,
            "Duplicate field `name`.",
        ),
        (
            br#"{"id":7}"#,
            400,
            "Unknown field `id`, expected one of `name`, `species`, `breed`, `sex`, `born`, `age`, `size`, `colour`, `state`, `tags`, `bonded_with`, `about`, `intake`, `location`.",
        ),
        (br#"{"name":1e999999}"#, 400, "The body is not valid JSON."),
        (
            br#"{"name":["Miso"]}"#,
            422,
            "Some fields are missing, too long, or not what they should be.",
        ),
    ] {
        let request = app
            .request("PATCH", "/api/v1/pets/1")
            .header("content-type", "application/json");
        let answer = request.body(body.to_vec()).send().await.unwrap();
        let told = problem(answer, status).await;
        assert_eq!(told["detail"], detail, "{}", String::from_utf8_lossy(body));
    }
    assert_eq!(app.json("/api/v1/pets/1").await["name"], "Biscuit");
    for kind in [None, Some("text/plain"), Some("x")] {
        let mut request = app.request("PATCH", "/api/v1/pets/1").body("{}");
        if let Some(kind) = kind {
            request = request.header("content-type", kind);
        }
        let told = problem(request.send().await.unwrap(), 415).await;
        assert_eq!(
            told["detail"],
            "Send JSON, with Content-Type: application/json."
        );
    }
    for kind in [
        "application/json; charset=utf-8",
        "application/merge-patch+json",
    ] {
        let request = app
            .request("PATCH", "/api/v1/pets/1")
            .header("content-type", kind);
        let answer = request.body("{\"age\":null}").send().await.unwrap();
        assert_eq!(answer.status(), 200, "null counts as left out");
    }
}
