//! Text that somebody typed into a form is in the answer of every refusal, ready to be sent again.

use reqwest::StatusCode;

use crate::support::{Browser, PASSWORD, Rescue, unescape};

const TYPED: [(&str, &str); 4] = [
    ("name", "Miso \"the\" <cat>"),
    ("species", "Cat"),
    ("breed", "Siamese & more"),
    ("about", "NEEDS INSULIN\r\nat 8 and 20"),
];

/// Fails unless every text of `TYPED` is in a field of `page`.
fn assert_returned(page: &str) {
    let read = unescape(page);
    for (field, text) in TYPED {
        let text = text.replace('\r', "");
        assert!(read.replace('\r', "").contains(&text), "{field} in\n{read}");
    }
}

/// The value of the hidden field `name` of `page`.
fn hidden(page: &str, name: &str) -> String {
    let start = format!("name=\"{name}\" value=\"");
    let (_, rest) = page.split_once(&start).expect("the field is there");
    unescape(rest.split('"').next().unwrap())
}

/// Sends a form; the status and the page of the answer. Keeps the page's form token.
async fn send(browser: &mut Browser, path: &str, fields: &[(&str, &str)]) -> (StatusCode, String) {
    let answer = browser.post(path, fields).await;
    let status = answer.status();
    let page = answer.text().await.unwrap();
    browser.learn_form_token(&page);
    (status, page)
}

/// boris writes for ten minutes, and anna resets his password meanwhile.
#[tokio::test]
async fn text_typed_before_a_session_ended_is_saved_after_signing_in_and_once() {
    for (path, saved_at) in [("/pets", "/pets/2"), ("/pets/1", "/pets/1")] {
        let rescue = Rescue::start().await;
        let mut boris = rescue.signed_in("boris").await;
        let mut elsewhere = boris.clone();
        elsewhere.post("/sign-out", &[]).await;

        let (status, page) = send(&mut boris, path, &TYPED).await;
        assert_eq!(status, StatusCode::UNAUTHORIZED, "{path}");
        assert!(page.contains("action=\"/sign-in\""), "{page}");
        let (action, pending) = (hidden(&page, "pending-action"), hidden(&page, "pending"));
        assert_eq!(action, path);

        // A mistyped password does not lose it.
        let fields = |password| {
            [
                ("name", "boris"),
                ("password", password),
                ("pending-action", action.as_str()),
                ("pending", pending.as_str()),
            ]
        };
        let (status, page) = send(&mut boris, "/sign-in", &fields("wrong")).await;
        assert_eq!(status, StatusCode::UNAUTHORIZED);
        assert_eq!(hidden(&page, "pending"), pending);
        assert!(!page.contains("wrong\""), "no password is sent back");

        let (status, page) = send(&mut boris, "/sign-in", &fields(PASSWORD)).await;
        assert_eq!(status, StatusCode::OK);
        assert_returned(&page);
        assert_eq!(
            rescue.app.json("/api/v1/pets").await["pets"]
                .as_array()
                .unwrap()
                .len(),
            1
        );

        let (status, _) = send(&mut boris, path, &TYPED).await;
        assert_eq!(status, StatusCode::SEE_OTHER);
        let pets = rescue.app.json("/api/v1/pets").await;
        let count = pets["pets"].as_array().unwrap().len();
        assert_eq!(count, if path == "/pets" { 2 } else { 1 });
        let saved = rescue.app.json(&format!("/api/v1{saved_at}")).await;
        assert_eq!(saved["about"], "NEEDS INSULIN\nat 8 and 20");
    }
}

#[tokio::test]
async fn text_for_a_pet_that_was_removed_meanwhile_can_be_added_as_a_new_pet() {
    let rescue = Rescue::start().await;
    let mut boris = rescue.signed_in("boris").await;
    assert_eq!(boris.post("/pets/1/delete", &[]).await.status(), 303);
    let (status, page) = send(&mut boris, "/pets/1", &TYPED).await;
    assert_eq!(status, StatusCode::NOT_FOUND);
    assert_returned(&page);
    assert!(unescape(&page).contains("action=\"/pets\""));
    assert!(page.contains("was removed"));
}

#[tokio::test]
async fn text_of_a_form_with_a_stale_token_or_sent_too_often_is_in_the_answer() {
    let rescue = Rescue::start_with(|config| config.limits.writes_per_second.limit = 1).await;
    let mut boris = rescue.signed_in("boris").await;
    boris.form_token = "of another browser".to_owned();
    let (status, page) = send(&mut boris, "/pets", &TYPED).await;
    assert_eq!(status, StatusCode::FORBIDDEN);
    assert_returned(&page);
    assert_ne!(
        boris.form_token, "of another browser",
        "it can be sent again"
    );

    let mut sent = 0;
    let page = loop {
        let (status, page) = send(&mut boris, "/pets/1", &TYPED).await;
        if status == StatusCode::TOO_MANY_REQUESTS {
            break page;
        }
        assert_eq!(status, StatusCode::SEE_OTHER);
        sent += 1;
        assert!(sent < 1000, "the limit is reached");
    };
    assert_returned(&page);
}

/// What a page of another site had a browser send is nobody's text, and is not shown as theirs.
#[tokio::test]
async fn text_that_another_site_sent_is_not_returned() {
    let rescue = Rescue::start().await;
    let boris = rescue.signed_in("boris").await;
    for site in ["cross-site", "same-site"] {
        let request = boris.ask("POST", "/pets").header("sec-fetch-site", site);
        let answer = request.form(&TYPED).send().await.unwrap();
        assert_eq!(answer.status(), 403);
        let page = answer.text().await.unwrap();
        assert!(!page.contains("INSULIN"), "{page}");
    }
    let mut stranger = rescue.browser();
    stranger.get("/sign-in").await;
    let request = stranger
        .ask("POST", "/pets")
        .header("sec-fetch-site", "cross-site");
    let answer = request.form(&TYPED).send().await.unwrap();
    assert!(!answer.text().await.unwrap().contains("INSULIN"));
}

/// A name is typed there too; a password is never sent back.
#[tokio::test]
async fn other_forms_return_what_was_typed_but_no_password() {
    let rescue = Rescue::start().await;
    let mut anna = rescue.signed_in("anna").await;
    let mut elsewhere = anna.clone();
    elsewhere.post("/sign-out", &[]).await;
    let (status, page) = send(&mut anna, "/staff", &[("name", "cleo"), ("role", "admin")]).await;
    assert_eq!(status, StatusCode::UNAUTHORIZED);
    let pending = hidden(&page, "pending");
    let fields = [
        ("name", "anna"),
        ("password", PASSWORD),
        ("pending-action", "/staff"),
        ("pending", pending.as_str()),
    ];
    let (status, page) = send(&mut anna, "/sign-in", &fields).await;
    assert_eq!(status, StatusCode::OK);
    assert!(page.contains("action=\"&#x2f;staff\""), "{page}");
    assert_eq!(hidden(&page, "name"), "cleo");
    assert_eq!(hidden(&page, "role"), "admin");
    assert!(page.contains(">Create invitation<"), "{page}");

    let mut elsewhere = anna.clone();
    elsewhere.post("/sign-out", &[]).await;
    let secret = "a password that nobody reads";
    let fields = [("present", secret), ("password", secret), ("again", secret)];
    let (status, page) = send(&mut anna, "/account/password", &fields).await;
    assert_eq!(status, StatusCode::UNAUTHORIZED);
    assert!(!page.contains("nobody"), "{page}");
}

/// What leads to another site, or to no form of ours, is not followed after signing in.
#[tokio::test]
async fn a_made_up_pending_form_leads_nowhere() {
    let rescue = Rescue::start().await;
    let mut boris = rescue.browser();
    boris.get("/sign-in").await;
    for action in ["https://evil.example/", "//evil.example", "/sign-out", "x"] {
        let fields = [
            ("name", "boris"),
            ("password", PASSWORD),
            ("pending-action", action),
            ("pending", "name=x"),
        ];
        let answer = boris.post("/sign-in", &fields).await;
        assert_eq!(answer.status(), 303, "{action}");
        assert_eq!(answer.headers()["location"], "/pets");
        boris.get("/pets").await;
    }
}
