//! Sessions: their cookie, and everything that ends them.

use serde_json::json;

use crate::support::{Browser, PASSWORD, Raw, Rescue};
use pet_store::auth::BaseUrl;

async fn set_status(browser: &Browser, status: &str) -> u16 {
    let request = browser.ask("PUT", "/api/v1/pets/1/status");
    let answer = request.json(&json!({ "status": status })).send().await;
    answer.unwrap().status().as_u16()
}

#[tokio::test]
async fn the_session_cookie_is_http_only_and_secure_over_https() {
    let plain = Rescue::start().await;
    let secure = Rescue::start_with(|config| {
        config.base_url = Some(BaseUrl::parse("https://pets.example").unwrap());
    });
    let secure = secure.await;
    let mut browser = plain.browser();
    let answer = browser.sign_in("anna", PASSWORD).await;
    let set = answer.headers()["set-cookie"].to_str().unwrap();
    assert!(set.starts_with("pet-store="), "{set}");
    assert!(
        set.ends_with("; Path=/; HttpOnly; SameSite=Lax; Max-Age=2592000"),
        "{set}"
    );
    let answer = secure.app.get("/sign-in").await;
    let set = answer.headers()["set-cookie"].to_str().unwrap();
    assert!(set.starts_with("__Host-pet-store-443="), "{set}");
    assert!(
        set.ends_with("; Path=/; HttpOnly; SameSite=Lax; Secure"),
        "{set}"
    );
}

#[tokio::test]
async fn over_https_every_cookie_is_secure() {
    let rescue = Rescue::start_with(|config| {
        config.base_url = Some(BaseUrl::parse("https://pets.example").unwrap());
    });
    let rescue = rescue.await;
    let mut browser = rescue.browser();
    browser.get("/sign-in").await;
    for (path, fields) in [
        ("/sign-in", [("name", "anna"), ("password", PASSWORD)]),
        ("/pets/1/status", [("status", "eating"), ("ref", "")]),
        ("/sign-out", [("", ""), ("", "")]),
    ] {
        let token = browser.form_token.clone();
        let fields = [&fields[..], &[("form-token", token.as_str())]].concat();
        let answer = browser
            .ask("POST", path)
            .form(&fields)
            .send()
            .await
            .unwrap();
        assert_eq!(answer.status(), 303, "{path}");
        let set = answer.headers()["set-cookie"].to_str().unwrap();
        assert!(set.contains("; Secure"), "{set}");
        let shown = set.split(';').next().unwrap();
        if shown.starts_with("__Host-") {
            browser.cookie = Some(shown.to_owned());
            browser.get("/pets").await;
        }
    }
}

#[tokio::test]
async fn signing_in_replaces_a_planted_session_cookie() {
    let rescue = Rescue::start().await;
    let mut attacker = rescue.browser();
    attacker.get("/sign-in").await;
    let planted = attacker.cookie.clone().unwrap();
    let mut victim = rescue.browser();
    victim.cookie = Some(planted.clone());
    assert_eq!(victim.sign_in("anna", PASSWORD).await.status(), 303);
    assert_ne!(victim.cookie.as_ref(), Some(&planted));
    assert!(victim.is_in().await && !attacker.is_in().await);
    let theirs = attacker.sign_in("boris", PASSWORD).await;
    assert_eq!(theirs.status(), 303);
    let boris = attacker.cookie.clone();
    victim.cookie = boris.clone();
    victim.get("/account").await;
    let fields = [("name", "anna"), ("password", PASSWORD)];
    assert_eq!(victim.submit("/sign-in", &fields).await, 303);
    assert_ne!(victim.cookie, boris);
    attacker.cookie = boris;
    assert!(
        !attacker.is_in().await,
        "the session that the browser had is over"
    );
}

#[tokio::test]
async fn a_session_survives_a_restart_and_an_ended_one_stays_ended() {
    let rescue = Rescue::start().await;
    let [anna, mut boris] = rescue.signed_in_both(["anna", "boris"]).await;
    let ended = boris.clone();
    boris.post("/sign-out", &[]).await;
    let rescue = rescue.restart().await;
    let mut browser = rescue.browser();
    browser.cookie = anna.cookie;
    assert!(browser.is_in().await);
    browser.cookie = ended.cookie;
    assert!(!browser.is_in().await);
}

/// The body of the request arrives after another request ended the session.
#[tokio::test]
async fn signing_out_refuses_a_request_that_began_before() {
    let (rescue, mut anna) = Rescue::start_as("anna").await;
    let cookie = anna.cookie.clone().unwrap();
    let before = rescue.app.cursor().await;
    let mut slow = Raw::open(rescue.app.address).await;
    let body = r#"{"status":"eating"}"#;
    slow.send(&format!(
        "PUT /api/v1/pets/1/status HTTP/1.1\r\nHost: x\r\nCookie: {cookie}\r\n\
         Content-Type: application/json\r\nContent-Length: {}\r\nExpect: 100-continue\r\n\r\n",
        body.len()
    ))
    .await;
    assert!(
        slow.read_until("\r\n\r\n")
            .await
            .starts_with("HTTP/1.1 100")
    );
    assert_eq!(anna.submit("/sign-out", &[]).await, 303);
    slow.send(body).await;
    let answer = slow.read_until("}").await;
    assert!(answer.contains("HTTP/1.1 401"), "{answer}");
    assert_eq!(rescue.app.cursor().await, before);
    anna.cookie = Some(cookie);
    assert!(
        !anna.is_in().await,
        "the request in flight did not revive the session"
    );
}

#[tokio::test]
async fn changing_the_password_ends_every_other_session_and_renews_this_one() {
    let rescue = Rescue::start().await;
    let [mut here, mut elsewhere] = rescue.signed_in_both(["anna", "anna"]).await;
    let before = here.clone();
    let new = "quite another set of words";
    let fields = [("present", PASSWORD), ("password", new), ("again", new)];
    assert_eq!(here.submit("/account/password", &fields).await, 303);
    assert!(here.is_in().await && !elsewhere.is_in().await);
    let mut old_cookie = before;
    assert!(!old_cookie.is_in().await);
    assert_eq!(rescue.sign_in_status("anna", PASSWORD).await, 401);
    assert_eq!(rescue.sign_in_status("anna", new).await, 303);
}

#[tokio::test]
async fn changing_the_password_needs_the_current_one_and_a_strong_new_one() {
    let (_rescue, mut anna) = Rescue::start_as("anna").await;
    let new = "quite another set of words";
    for (present, password, again, at) in [
        ("not the password", new, new, "present"),
        (PASSWORD, "short", "short", "password"),
        (PASSWORD, "anna-anna-anna", "anna-anna-anna", "password"),
        (PASSWORD, new, "something else", "again"),
    ] {
        let fields = [
            ("present", present),
            ("password", password),
            ("again", again),
        ];
        let answer = anna.post("/account/password", &fields).await;
        assert_eq!(answer.status(), 422, "{at}");
        let page = answer.text().await.unwrap();
        assert!(page.contains(&format!("id=\"{at}-error\"")), "{at}");
        assert!(!page.contains(password), "no password comes back");
    }
}

/// Takes four seconds, because failures are delayed. Without it, `sign_in` tests the same throttle.
#[cfg(feature = "slow-tests")]
#[tokio::test]
async fn guessing_the_current_password_is_refused_after_ten_failures() {
    let (_rescue, mut anna) = Rescue::start_as("anna").await;
    let new = "quite another set of words";
    let guess = [
        ("present", "not the password"),
        ("password", new),
        ("again", new),
    ];
    let mut failed = 0;
    let refused = loop {
        let answer = anna.post("/account/password", &guess).await;
        if answer.status() != 422 || failed > 10 {
            break answer;
        }
        failed += 1;
    };
    assert_eq!((refused.status().as_u16(), failed), (429, 10));
    assert!(refused.headers().contains_key("retry-after"));
    assert!(anna.is_in().await, "the password is unchanged");
}

#[tokio::test]
async fn people_end_their_own_sessions_one_by_one_or_all_others_at_once() {
    let rescue = Rescue::start().await;
    let mut here = rescue.signed_in("anna").await;
    let [mut second, mut third] = rescue.signed_in_both(["anna", "anna"]).await;
    let mut boris = rescue.signed_in("boris").await;
    let page = here.get("/account").await;
    let handles: Vec<&str> = page
        .split("href=\"/account/sessions/")
        .skip(1)
        .map(|rest| rest.split('"').next().unwrap())
        .collect();
    assert_eq!(handles.len(), 2, "this one is ended by signing out");
    let path = format!("/account/sessions/{}", handles[0]);
    assert_eq!(boris.submit(&path, &[]).await, 404);
    assert_eq!(here.submit(&path, &[("confirm", "yes")]).await, 303);
    assert_eq!(
        [second.is_in().await, third.is_in().await]
            .iter()
            .filter(|is| **is)
            .count(),
        1
    );
    assert_eq!(
        here.submit("/account/sessions", &[("confirm", "yes")])
            .await,
        303
    );
    assert!(!second.is_in().await && !third.is_in().await);
    assert!(here.is_in().await && boris.is_in().await);
}

#[tokio::test]
async fn a_forged_session_cookie_is_refused() {
    let rescue = Rescue::start().await;
    let real = rescue.signed_in("anna").await.cookie.unwrap();
    let (name, secret) = real.split_once('=').unwrap();
    let other = if secret.starts_with('0') { "1" } else { "0" };
    for cookie in [
        format!("{name}={}", "0".repeat(64)),
        format!("{name}={other}{}", &secret[1..]),
        format!("{name}={}", secret.to_uppercase()),
        format!("{name}={secret}; {name}={}", "0".repeat(64)),
        format!("{name}="),
        format!("{name}=anna"),
    ] {
        let mut browser = rescue.browser();
        browser.cookie = Some(cookie.clone());
        assert!(!browser.is_in().await, "{cookie}");
        assert_eq!(set_status(&browser, "eating").await, 401, "{cookie}");
    }
}
