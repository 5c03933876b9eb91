//! Unsaved text: the answer that refuses a form contains its text, ready to be sent again.

use reqwest::StatusCode;

use crate::support::{Browser, PASSWORD, Rescue, unescape};

const TYPED: [(&str, &str); 5] = [
    ("author", "boris"),
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

/// Returns the value of the hidden field `name` of `page`.
fn hidden(page: &str, name: &str) -> String {
    let start = format!("name=\"{name}\" value=\"");
    let (_, rest) = page.split_once(&start).expect("the field is there");
    unescape(rest.split('"').next().unwrap())
}

/// Sends a form, and returns the status and the page of the answer. Keeps the page's form token.
async fn send(browser: &mut Browser, path: &str, fields: &[(&str, &str)]) -> (StatusCode, String) {
    let answer = browser.post(path, fields).await;
    let status = answer.status();
    let page = answer.text().await.unwrap();
    browser.learn_form_token(&page);
    (status, page)
}

/// boris was writing for ten minutes while anna reset his password.
#[tokio::test]
async fn text_typed_before_a_session_ended_is_saved_once_after_signing_in() {
    for (path, saved_at) in [("/pets", "/pets/2"), ("/pets/1", "/pets/1")] {
        let (rescue, mut boris) = Rescue::start_as("boris").await;
        let mut elsewhere = boris.clone();
        elsewhere.post("/sign-out", &[]).await;

        let (status, page) = send(&mut boris, path, &TYPED).await;
        assert_eq!(status, StatusCode::UNAUTHORIZED, "{path}");
        assert!(page.contains("action=\"/sign-in\""), "{page}");
        let (action, pending) = (hidden(&page, "pending-action"), hidden(&page, "pending"));
        assert_eq!(action, path);
        assert_eq!(hidden(&page, "pending-author"), "boris");

        // A mistyped password does not lose it.
        let fields = |password| {
            [
                ("name", "boris"),
                ("password", password),
                ("pending-action", action.as_str()),
                ("pending", pending.as_str()),
                ("pending-author", "boris"),
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
    let (rescue, mut boris) = Rescue::start_as("boris").await;
    assert_eq!(boris.submit("/pets/1/delete", &[]).await, 303);
    let (status, page) = send(&mut boris, "/pets/1", &TYPED).await;
    assert_eq!(status, StatusCode::NOT_FOUND);
    assert_returned(&page);
    assert!(unescape(&page).contains("action=\"/pets\""));
    assert!(page.contains("was removed"));
    let key = hidden(&page, "request");
    let fields = [&TYPED[..], &[("request", key.as_str())]].concat();
    for _ in 0..2 {
        let (status, _) = send(&mut boris, "/pets", &fields).await;
        assert_eq!(status, StatusCode::SEE_OTHER);
    }
    let pets = rescue.app.json("/api/v1/pets").await;
    assert_eq!(pets["pets"].as_array().unwrap().len(), 1, "sent twice");
}

#[tokio::test]
async fn text_of_a_stale_or_rate_limited_form_is_returned() {
    let rescue =
        Rescue::start_with(|config| config.client_limits.writes_per_second.limit = 1).await;
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

/// Text that a page of another site sent is not the reader's, and is not shown as theirs.
#[tokio::test]
async fn text_that_another_site_sent_is_not_returned() {
    let (rescue, boris) = Rescue::start_as("boris").await;
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

/// Other forms have text too. A password is never sent back.
#[tokio::test]
async fn other_forms_return_the_text_but_no_password() {
    let (_rescue, mut anna) = Rescue::start_as("anna").await;
    let mut elsewhere = anna.clone();
    elsewhere.post("/sign-out", &[]).await;
    let (status, page) = send(
        &mut anna,
        "/staff",
        &[("name", "cleo"), ("role", "admin"), ("author", "anna")],
    )
    .await;
    assert_eq!(status, StatusCode::UNAUTHORIZED);
    let pending = hidden(&page, "pending");
    let fields = [
        ("name", "anna"),
        ("password", PASSWORD),
        ("pending-action", "/staff"),
        ("pending", pending.as_str()),
        ("pending-author", "anna"),
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

/// A pending form for another site, or for an unknown form, is ignored after signing in.
#[tokio::test]
async fn a_forged_pending_form_is_ignored() {
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

/// Returns the fields of the sign-in form with a pending form.
fn sign_in_with<'a>(name: &'a str, carried: &'a [String; 3]) -> [(&'a str, &'a str); 5] {
    let [action, author, pending] = carried;
    [
        ("name", name),
        ("password", PASSWORD),
        ("pending-action", action),
        ("pending-author", author),
        ("pending", pending),
    ]
}

/// Returns the pending form of a sign-in page.
fn carried(page: &str) -> [String; 3] {
    ["pending-action", "pending-author", "pending"].map(|name| hidden(page, name))
}

/// anna signs in with a browser in which boris left his text.
#[tokio::test]
async fn text_is_returned_to_the_account_that_wrote_it_and_to_no_other() {
    let (_rescue, mut boris) = Rescue::start_as("boris").await;
    let form = boris.get("/pets/1/edit").await;
    assert_eq!(hidden(&form, "author"), "boris");
    boris.clone().post("/sign-out", &[]).await;
    let (_, page) = send(&mut boris, "/pets/1", &TYPED).await;
    let carried = carried(&page);
    let answer = boris
        .post("/sign-in", &sign_in_with("anna", &carried))
        .await;
    assert_eq!(answer.status(), StatusCode::SEE_OTHER);
    assert_eq!(answer.headers()["location"], "/pets");
    assert!(boris.is_in().await);

    // The browser is anna's now: boris's form in another tab, and the sign-in sent again.
    for (path, fields) in [
        ("/pets/1", &TYPED[..]),
        ("/sign-in", &sign_in_with("boris", &carried)[..]),
    ] {
        boris.form_token = "of boris's page".to_owned();
        let (status, page) = send(&mut boris, path, fields).await;
        assert_eq!(status, StatusCode::FORBIDDEN, "{path}");
        assert!(!page.contains("INSULIN"), "{page}");
    }
}

#[tokio::test]
async fn a_sign_in_that_is_refused_or_sent_again_keeps_the_text() {
    let (_rescue, mut boris) = Rescue::start_as("boris").await;
    boris.clone().post("/sign-out", &[]).await;
    let (_, page) = send(&mut boris, "/pets/1", &TYPED).await;
    let carried = carried(&page);
    let fields = sign_in_with("boris", &carried);
    let token = std::mem::replace(&mut boris.form_token, "stale".to_owned());
    let (status, page) = send(&mut boris, "/sign-in", &fields).await;
    assert_eq!(status, StatusCode::FORBIDDEN);
    assert_eq!(self::carried(&page), carried);
    assert_ne!(boris.form_token, "stale", "it can be sent again");

    let (status, _) = send(&mut boris, "/sign-in", &fields).await;
    assert_eq!(status, StatusCode::OK);
    // The page is reloaded: its token was made for the cookie before.
    boris.form_token = token;
    let (status, page) = send(&mut boris, "/sign-in", &fields).await;
    assert_eq!(status, StatusCode::OK);
    assert_returned(&page);
}

/// The Back button must not show the text of a person who signed out.
#[tokio::test]
async fn signing_out_clears_the_cache_and_the_account_cookie() {
    let (rescue, mut boris) = Rescue::start_as("boris").await;
    let answer = boris.ask("GET", "/pets/1/edit").send().await.unwrap();
    let kept = account_cookie(&answer);
    let page = unescape(&answer.text().await.unwrap());
    let (pair, _) = kept.split_once(';').unwrap();
    assert!(
        page.contains(&format!("data-account-cookie=\"{pair}\"")),
        "{page}"
    );
    assert!(!kept.contains("HttpOnly"), "{kept}");

    let account = boris.get("/account").await;
    assert!(unescape(&account).contains("data-account=\"boris\""));
    let answer = boris.post("/sign-out", &[]).await;
    assert_eq!(answer.headers()["clear-site-data"], "\"cache\"");
    assert!(account_cookie(&answer).contains("=; Max-Age=0"));

    let mut anna = rescue.browser();
    let answer = anna.sign_in("anna", PASSWORD).await;
    let hers = account_cookie(&answer);
    assert!(!hers.starts_with(pair) && !hers.contains("=;"), "{hers}");
}

/// Returns the header that sets the account cookie.
fn account_cookie(answer: &reqwest::Response) -> String {
    let set = answer.headers().get_all("set-cookie").iter();
    let mut set = set.filter_map(|set| set.to_str().ok());
    let found = set.find(|set| set.starts_with("pet-store-account"));
    found.expect("it is set").to_owned()
}
