//! API tokens: their scopes, where they are shown, and how they are revoked.

use serde_json::{Value, json};

use crate::support::{Browser, Rescue};

/// Every write of the API, with the scope that it needs.
fn writes() -> [(&'static str, &'static str, Value, &'static str); 4] {
    let pet = json!({ "name": "Miso", "species": "cat" });
    [
        (
            "PUT",
            "/api/v1/pets/1/status",
            json!({ "status": "eating" }),
            "set-status",
        ),
        ("POST", "/api/v1/pets", pet, "write"),
        ("PATCH", "/api/v1/pets/1", json!({ "age": "3" }), "write"),
        ("DELETE", "/api/v1/pets/1", json!({}), "write"),
    ]
}

#[tokio::test]
async fn a_token_allows_exactly_its_scope() {
    let rescue = Rescue::start().await;
    let [read, set_status, write] = &rescue.tokens;
    for (method, path, body, needed) in writes() {
        for (scope, token) in [("read", read), ("set-status", set_status), ("write", write)] {
            let answer = rescue
                .bearing(token, method, path)
                .json(&body)
                .send()
                .await
                .unwrap();
            let is_allowed = scope == "write" || scope == needed;
            assert_eq!(
                answer.status().is_success(),
                is_allowed,
                "{scope}: {method} {path}"
            );
            if !is_allowed {
                assert_eq!(answer.status(), 403);
                let problem: Value = answer.json().await.unwrap();
                assert!(problem["detail"].as_str().unwrap().contains(needed));
            }
        }
    }
}

#[tokio::test]
async fn the_api_answers_401_without_a_valid_token() {
    let rescue = Rescue::start().await;
    let before = rescue.app.cursor().await;
    let token = &rescue.tokens[2];
    let shortened = &token[..token.len() - 1];
    for shown in [
        None,
        Some(String::new()),
        Some("Bearer".to_owned()),
        Some("Bearer ".to_owned()),
        Some(format!("Basic {token}")),
        Some(token.clone()),
        Some(format!("Bearer {shortened}")),
        Some(format!("Bearer {}", token.replace("petstore_", ""))),
        Some("Bearer petstore_".to_owned() + &"0".repeat(64)),
    ] {
        for (method, path, body, _) in writes() {
            let mut request = rescue.app.request(method, path).json(&body);
            if let Some(shown) = &shown {
                request = request.header("authorization", shown);
            }
            let answer = request.send().await.unwrap();
            assert_eq!(answer.status(), 401, "{shown:?} {method} {path}");
            assert!(answer.headers().contains_key("www-authenticate"));
        }
    }
    assert_eq!(rescue.app.cursor().await, before);
}

#[tokio::test]
async fn the_openapi_document_describes_the_token_and_every_refusal() {
    let rescue = Rescue::start().await;
    let document = rescue.app.json("/api/openapi.json").await;
    let scheme = &document["components"]["securitySchemes"]["token"];
    assert_eq!(
        (&scheme["type"], &scheme["scheme"]),
        (&json!("http"), &json!("bearer"))
    );
    let [read, .., write] = &rescue.tokens;
    for (method, path, body, _) in writes() {
        let template = path.replace("/api/v1", "").replace("/1", "/{id}");
        let operation = &document["paths"][&template][method.to_lowercase()];
        assert_eq!(
            operation["security"],
            json!([{ "token": [] }]),
            "{method} {path}"
        );
        let nobodys = path.replace("/1", "/99");
        let mut requests = vec![
            (401, rescue.app.request(method, path).json(&body)),
            (403, rescue.bearing(read, method, path).json(&body)),
        ];
        if nobodys != path {
            requests.push((404, rescue.bearing(write, method, &nobodys).json(&body)));
        }
        if operation["requestBody"].is_object() {
            let asked = || rescue.bearing(write, method, path);
            let invalid = match method {
                "PUT" => json!({ "status": "flying" }),
                _ => json!({ "name": "", "species": "cat" }),
            };
            requests.extend([
                (
                    400,
                    asked().header("content-type", "application/json").body("{"),
                ),
                (413, asked().json(&json!({ "name": "x".repeat(100_000) }))),
                (415, asked().header("content-type", "text/plain").body("{}")),
                (422, asked().json(&invalid)),
            ]);
        }
        for (status, request) in requests {
            let answer = request.send().await.unwrap();
            assert_eq!(answer.status(), status, "{method} {path}");
            let kind = answer.headers()["content-type"]
                .to_str()
                .unwrap()
                .to_owned();
            let described = &operation["responses"][status.to_string()];
            assert!(
                described["content"][&kind].is_object(),
                "{status} {kind} {method} {path}"
            );
        }
    }
}

/// Creates a token on the account page and returns its text.
async fn make(browser: &mut Browser, name: &str, scope: &str) -> String {
    let fields = [("token-name", name), ("scope", scope)];
    let answer = browser.post("/account/tokens", &fields).await;
    assert_eq!(answer.status(), 200);
    let page = answer.text().await.unwrap();
    let (_, rest) = page.split_once("petstore_").unwrap();
    format!("petstore_{}", &rest[..64])
}

#[tokio::test]
async fn a_token_is_shown_once_and_can_be_revoked() {
    let (rescue, mut anna) = Rescue::start_as("anna").await;
    let token = make(&mut anna, "Kennel <camera>", "set-status").await;
    let page = anna.get("/account").await;
    assert!(!page.contains("petstore_"), "it is not shown again");
    assert!(page.contains("Kennel &lt;camera&gt;") && page.contains("never used"));
    let set = async || {
        let request = rescue.bearing(&token, "PUT", "/api/v1/pets/1/status");
        request
            .json(&json!({ "status": "eating" }))
            .send()
            .await
            .unwrap()
            .status()
    };
    assert_eq!(set().await, 200);
    let page = anna.get("/account").await;
    assert!(page.contains("last used"));
    let (_, rest) = page.split_once("href=\"/account/tokens/").unwrap();
    let path = format!("/account/tokens/{}", &rest[..16]);
    let mut boris = rescue.signed_in("boris").await;
    assert_eq!(boris.submit(&path, &[]).await, 404, "it is not theirs");
    assert_eq!(set().await, 200);
    let confirmed = [("confirm", "yes")];
    assert_eq!(anna.submit(&path, &confirmed).await, 303);
    assert_eq!(set().await, 401);
}

#[tokio::test]
async fn a_token_has_a_name_and_one_of_three_scopes() {
    let (_rescue, mut anna) = Rescue::start_as("anna").await;
    let long = "x".repeat(41);
    for (name, scope, at) in [
        ("", "read", "token-name"),
        ("  ", "read", "token-name"),
        ("\u{3164}", "read", "token-name"),
        ("\u{200d}", "read", "token-name"),
        (long.as_str(), "read", "token-name"),
        ("a\nb", "read", "token-name"),
        ("Feeder", "admin", "scope"),
        ("Feeder", "", "scope"),
    ] {
        let fields = [("token-name", name), ("scope", scope)];
        let answer = anna.post("/account/tokens", &fields).await;
        assert_eq!(answer.status(), 422, "{name:?} {scope}");
        let page = answer.text().await.unwrap();
        assert!(page.contains(&format!("id=\"{at}-error\"")));
    }
}

#[tokio::test]
async fn a_token_opens_no_page_that_needs_a_person() {
    let rescue = Rescue::start().await;
    for path in ["/account", "/staff", "/audit"] {
        let answer = rescue
            .bearing(&rescue.tokens[2], "GET", path)
            .send()
            .await
            .unwrap();
        assert_eq!(answer.status(), 403, "{path}");
    }
    for path in ["/account/tokens", "/account/password", "/staff"] {
        let request = rescue.bearing(&rescue.tokens[2], "POST", path);
        let answer = request
            .form(&[("token-name", "x"), ("scope", "write")])
            .send()
            .await;
        assert_eq!(answer.unwrap().status(), 403, "{path}");
    }
}

#[tokio::test]
async fn the_store_contains_no_password_token_or_session_secret() {
    let (rescue, anna) = Rescue::start_as("anna").await;
    let secret = anna
        .cookie
        .clone()
        .unwrap()
        .split_once('=')
        .unwrap()
        .1
        .to_owned();
    let token = rescue.tokens[0].trim_start_matches("petstore_").to_owned();
    let Rescue { app, folder, .. } = rescue;
    assert!(app.stop().await);
    let bytes = std::fs::read(folder.path().join("pet-store.redb")).unwrap();
    let holds = |part: &[u8]| bytes.windows(part.len()).any(|window| window == part);
    let raw = |hex: &str| -> Vec<u8> {
        let digits = (0..hex.len()).step_by(2);
        digits
            .map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap())
            .collect()
    };
    assert!(holds(b"argon2id"), "the file contains the hashes");
    for part in [
        secret.as_bytes(),
        token.as_bytes(),
        crate::support::PASSWORD.as_bytes(),
    ] {
        assert!(!holds(part));
    }
    for hex in [&secret, &token] {
        assert!(!holds(&raw(hex)));
    }
}
