//! Cross-site request forgery: pages of another site that use the browser of a signed-in person.

use serde_json::json;

use crate::support::{Browser, Rescue, unescape};
use pet_store::auth::BaseUrl;

/// Every form that changes something.
const FORMS: [&str; 31] = [
    "/pets",
    "/pets/1",
    "/pets/1/status",
    "/pets/1/delete",
    "/pets/statuses",
    "/pets/statuses/undo",
    "/pets/1/photos",
    "/pets/1/photos/order",
    "/sign-in",
    "/sign-out",
    "/account/password",
    "/account/pin",
    "/account/station",
    "/account/sessions",
    "/account/sessions/0011223344556677",
    "/account/tokens",
    "/account/tokens/0011223344556677",
    "/staff",
    "/staff/boris",
    "/settings",
    "/settings/logo",
    "/settings/activities",
    "/settings/activities/at-the-vet",
    "/settings/webhooks",
    "/settings/webhooks/0a0b0c0d",
    "/settings/webhooks/0a0b0c0d/edit",
    "/pets/import",
    "/trash/1",
    "/trash/1/restore",
    "/welcome/0011223344556677",
    "/pets/99/status",
];

/// Fields that every form accepts, so that only the origin is wrong.
fn fields(token: &str) -> Vec<(&'static str, String)> {
    let fields = [
        ("name", "mallory"),
        ("species", "cat"),
        ("status", "eating"),
        ("pet", "1"),
        ("role", "admin"),
        ("do", "remove"),
        ("confirm", "yes"),
        ("token-name", "mine"),
        ("scope", "write"),
    ];
    let mut fields: Vec<_> = fields.map(|(name, value)| (name, value.to_owned())).into();
    fields.push(("form-token", token.to_owned()));
    fields
}

/// Returns the body of a form with files, whose boundary is `x`.
fn multipart(fields: &[(&str, String)]) -> String {
    let head = "--x\r\nContent-Disposition: form-data; name=";
    let parts = fields.iter();
    let parts = parts.map(|(name, value)| format!("{head}\"{name}\"\r\n\r\n{value}\r\n"));
    parts.collect::<String>() + "--x--\r\n"
}

/// Sends every form with these headers and this token, and returns the statuses with the paths.
async fn send_all(browser: &Browser, headers: &[(&str, &str)], token: &str) -> Vec<(u16, String)> {
    let mut answers = Vec::new();
    for path in FORMS {
        let request = browser.ask("POST", path);
        let mut request = if path.ends_with("/photos") {
            let kind = "multipart/form-data; boundary=x";
            let request = request.header("content-type", kind);
            request.body(multipart(&fields(token)))
        } else {
            request.form(&fields(token))
        };
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let answer = request.send().await.unwrap();
        answers.push((answer.status().as_u16(), path.to_owned()));
    }
    answers
}

#[test]
fn the_list_contains_every_form_of_the_url_table() {
    let table =
        std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/src/web/router.rs")).unwrap();
    let addresses = FORMS.len() - 1;
    assert_eq!(
        table.matches("post(").count(),
        addresses,
        "a form that this file does not attack"
    );
}

/// Returns the list of the staff page without what changes: the form token, and the form below the list,
/// which has a one-time key.
async fn members(admin: &mut Browser) -> String {
    let page = admin.get("/staff").await;
    let (members, _) = page.split_once("action=\"/staff\"").unwrap();
    members.replace(&admin.form_token, "")
}

#[tokio::test]
async fn a_form_from_another_site_is_refused_even_with_the_right_token() {
    // More forms than one client may send in a second.
    let rescue =
        Rescue::start_with(|config| config.client_limits.writes_per_second.limit = 1000).await;
    let mut anna = rescue.signed_in("anna").await;
    let before = (rescue.app.cursor().await, members(&mut anna).await);
    for headers in [
        &[("origin", "https://evil.example")][..],
        &[("origin", "null")],
        &[("sec-fetch-site", "cross-site")],
        &[("sec-fetch-site", "same-site")],
        &[
            ("sec-fetch-site", "cross-site"),
            ("origin", &rescue.app.url("")),
        ],
    ] {
        for (status, path) in send_all(&anna, headers, &anna.form_token).await {
            assert_eq!(status, 403, "{path} {headers:?}");
        }
    }
    assert!(anna.is_in().await);
    assert_eq!(
        before,
        (rescue.app.cursor().await, members(&mut anna).await)
    );
}

#[tokio::test]
async fn a_form_without_a_token_of_its_browser_is_refused() {
    // More forms than one client may send in a second.
    let rescue =
        Rescue::start_with(|config| config.client_limits.writes_per_second.limit = 1000).await;
    let anna = rescue.signed_in("anna").await;
    let boris = rescue.signed_in("boris").await;
    let mut stranger = rescue.browser();
    stranger.get("/sign-in").await;
    let origin = rescue.app.url("");
    let before = rescue.app.cursor().await;
    for token in ["", "0", &boris.form_token, &stranger.form_token] {
        for (status, path) in send_all(&anna, &[("origin", &origin)], token).await {
            let expected = if path.starts_with("/welcome") {
                [403, 404]
            } else {
                [403, 403]
            };
            assert!(expected.contains(&status), "{status} {path} {token:?}");
        }
    }
    assert_eq!(rescue.app.cursor().await, before);
    for (status, path) in send_all(&stranger, &[("origin", &origin)], &boris.form_token).await {
        assert!([401, 403, 404].contains(&status), "{status} {path}");
    }
}

#[tokio::test]
async fn the_api_accepts_a_session_only_from_pages_of_this_site() {
    let (rescue, boris) = Rescue::start_as("boris").await;
    let own = rescue.app.url("");
    for (origin, status) in [
        ("https://evil.example", 403),
        ("null", 403),
        (own.as_str(), 200),
    ] {
        let request = boris
            .ask("PUT", "/api/v1/pets/1/status")
            .header("origin", origin);
        let request = request.json(&json!({ "status": "eating" }));
        assert_eq!(request.send().await.unwrap().status(), status, "{origin}");
    }
    let answer = rescue.bearing(&rescue.tokens[2], "PUT", "/api/v1/pets/1/status");
    let answer = answer.header("origin", "https://evil.example");
    let answer = answer
        .json(&json!({ "status": "eating" }))
        .send()
        .await
        .unwrap();
    assert_eq!(
        answer.status(),
        403,
        "no page of another site commands, whatever it shows"
    );
}

#[tokio::test]
async fn with_a_public_address_only_its_origin_is_accepted() {
    let rescue = Rescue::start_with(|config| {
        config.base_url = Some(BaseUrl::parse("https://pets.example").unwrap());
    })
    .await;
    let host = rescue.app.url("");
    for (origin, status) in [("https://pets.example", 200), (host.as_str(), 403)] {
        let request = rescue.bearing(&rescue.tokens[1], "PUT", "/api/v1/pets/1/status");
        let request = request
            .header("origin", origin)
            .json(&json!({ "status": "eating" }));
        assert_eq!(request.send().await.unwrap().status(), status, "{origin}");
    }
}

#[tokio::test]
async fn a_link_on_another_site_opens_staff_pages() {
    let (_rescue, anna) = Rescue::start_as("anna").await;
    for path in ["/account", "/pets/new", "/staff"] {
        let request = anna.ask("GET", path).header("sec-fetch-site", "cross-site");
        assert_eq!(request.send().await.unwrap().status(), 200, "{path}");
    }
}

/// Every form was 403, and nothing said at which address it works.
#[tokio::test]
async fn a_form_from_another_address_of_this_server_is_answered_with_the_public_one() {
    let rescue = Rescue::start_with(|config| {
        config.base_url = Some(BaseUrl::parse("http://pets.example:3000").unwrap());
    })
    .await;
    let fields = [
        ("name", "Miso"),
        ("species", "cat"),
        ("about", "NEEDS INSULIN"),
    ];
    for (path, words) in [("/pets", "NEEDS INSULIN"), ("/sign-in", "Not allowed")] {
        let browser = rescue.browser();
        let request = browser.ask("POST", path).form(&fields);
        let request = request.header("origin", rescue.app.url(""));
        let request = request.header("referer", rescue.app.url("/pets/new"));
        let answer = request.send().await.unwrap();
        assert_eq!(answer.status(), 403, "{path}");
        let page = unescape(&answer.text().await.unwrap());
        assert!(
            page.contains("Changes work only at http://pets.example:3000."),
            "{page}"
        );
        assert!(
            page.contains("href=\"http://pets.example:3000/pets/new\""),
            "{page}"
        );
        assert!(page.contains(words), "{page}");
    }
}
