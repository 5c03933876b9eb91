//! Managing accounts on the staff page: what admins can do, and what is refused.

use crate::support::{Browser, PASSWORD, Rescue};

/// Returns the invitation link on a page.
fn link_on(page: &str) -> String {
    let (_, rest) = page
        .split_once("&#x2f;welcome&#x2f;")
        .expect("a link is shown");
    format!("/welcome/{}", &rest[..64])
}

/// Starts a rescue whose admin anna has invited cleo; also returns anna's browser and the link.
async fn with_an_invitation() -> (Rescue, Browser, String) {
    let (rescue, mut anna) = Rescue::start_as("anna").await;
    let fields = [("name", "Cleo"), ("role", "staff")];
    let answer = anna.post("/staff", &fields).await;
    assert_eq!(answer.status(), 200);
    let link = link_on(&answer.text().await.unwrap());
    (rescue, anna, link)
}

/// Starts a rescue; also returns the browsers of anna and boris, who are signed in.
async fn with_both_signed_in() -> (Rescue, Browser, Browser) {
    let rescue = Rescue::start().await;
    let [anna, boris] = ["anna", "boris"].map(|name| rescue.signed_in(name));
    let (anna, boris) = (anna.await, boris.await);
    (rescue, anna, boris)
}

async fn accept(browser: &mut Browser, link: &str, more: &[(&str, &str)]) -> u16 {
    let page = browser.status(link).await;
    if page != 200 {
        return page;
    }
    browser.get(link).await;
    let password = "a password of my own";
    let fields = [&[("password", password), ("again", password)], more].concat();
    browser.submit(link, &fields).await
}

/// Presses a button beside `name` on the staff page, and returns the status of the answer.
async fn press(browser: &mut Browser, button: &str, name: &str) -> u16 {
    let path = format!("/staff/{name}");
    browser
        .submit(&path, &[("do", button), ("confirm", "yes")])
        .await
}

#[tokio::test]
async fn an_invited_person_chooses_a_password_and_is_signed_in() {
    let (rescue, mut anna, link) = with_an_invitation().await;
    let mut cleo = rescue.browser();
    assert!(cleo.get(&link).await.contains("Welcome, cleo"));
    assert_eq!(accept(&mut cleo, &link, &[]).await, 303);
    assert!(cleo.get("/account").await.contains("signed in as staff"));
    assert_eq!(
        accept(&mut rescue.browser(), &link, &[]).await,
        404,
        "it works once"
    );
    let page = anna.get("/staff").await;
    assert!(!page.contains("welcome&#x2f;"), "the link is shown once");
}

#[tokio::test]
async fn a_weak_password_does_not_use_up_the_invitation() {
    let (rescue, _anna, link) = with_an_invitation().await;
    let mut cleo = rescue.browser();
    cleo.get(&link).await;
    for (password, again) in [("short", "short"), ("a password of my own", "another")] {
        let fields = [("password", password), ("again", again)];
        assert_eq!(cleo.submit(&link, &fields).await, 422, "{password}");
    }
    assert_eq!(accept(&mut cleo, &link, &[]).await, 303);
}

#[tokio::test]
async fn extra_fields_of_a_form_are_ignored() {
    let (rescue, _anna, link) = with_an_invitation().await;
    let mut cleo = rescue.browser();
    let more = [("role", "admin"), ("name", "anna"), ("is_admin", "true")];
    assert_eq!(accept(&mut cleo, &link, &more).await, 303);
    assert!(cleo.get("/account").await.contains("signed in as staff"));
    let new = "yet another set of words";
    let fields = [
        ("present", "a password of my own"),
        ("password", new),
        ("again", new),
        ("role", "admin"),
        ("account", "anna"),
    ];
    assert_eq!(cleo.submit("/account/password", &fields).await, 303);
    assert!(cleo.get("/account").await.contains("signed in as staff"));
    assert_eq!(rescue.sign_in_status("anna", PASSWORD).await, 303);
    let pet = [
        ("name", "Miso"),
        ("species", "cat"),
        ("id", "77"),
        ("status", "playing"),
        ("since", "2001-01-01T00:00:00Z"),
        ("by", "simulator"),
    ];
    let answer = cleo.post("/pets", &pet).await;
    assert_eq!(answer.headers()["location"], "/pets/2");
    assert_eq!(
        rescue.app.json("/api/v1/pets/2").await["status"],
        "sleeping"
    );
}

#[tokio::test]
async fn an_invitation_needs_a_valid_name_and_role() {
    let (_rescue, mut anna) = Rescue::start_as("anna").await;
    for (name, role, at) in [
        ("cleo", "owner", "role"),
        ("cleo", "", "role"),
        ("<b>", "staff", "name"),
        ("", "staff", "name"),
        ("anna", "staff", "name"),
    ] {
        let answer = anna.post("/staff", &[("name", name), ("role", role)]).await;
        assert_eq!(answer.status(), 422, "{name} {role}");
        let page = answer.text().await.unwrap();
        assert!(page.contains(&format!("id=\"{at}-error\"")));
    }
}

#[tokio::test]
async fn staff_without_the_role_admin_cannot_see_or_manage_accounts() {
    let (_rescue, mut boris) = Rescue::start_as("boris").await;
    for path in ["/staff", "/audit"] {
        assert_eq!(boris.status(path).await, 403, "{path}");
    }
    for word in ["make-admin", "disable", "reset", "remove"] {
        for name in ["anna", "boris"] {
            assert_eq!(press(&mut boris, word, name).await, 403, "{word}");
        }
    }
    assert_eq!(
        boris
            .submit("/staff", &[("name", "mallory"), ("role", "admin")])
            .await,
        403
    );
    let page = boris.get("/account").await;
    assert!(!page.contains("href=\"/staff\"") && !page.contains("href=\"/audit\""));
}

#[tokio::test]
async fn a_reset_ends_everything_and_its_owner_chooses_a_new_password() {
    let (rescue, mut anna, mut boris) = with_both_signed_in().await;
    let answer = anna
        .post("/staff/boris", &[("do", "reset"), ("confirm", "yes")])
        .await;
    let link = link_on(&answer.text().await.unwrap());
    assert!(!boris.is_in().await);
    let answer = rescue
        .bearing(&rescue.tokens[2], "DELETE", "/api/v1/pets/1")
        .send()
        .await;
    assert_eq!(answer.unwrap().status(), 401);
    assert_eq!(rescue.sign_in_status("boris", PASSWORD).await, 401);
    assert_eq!(accept(&mut boris, &link, &[]).await, 303);
    assert!(boris.is_in().await);
}

#[tokio::test]
async fn a_role_changes_immediately_and_an_admin_always_remains() {
    let (rescue, mut anna, mut boris) = with_both_signed_in().await;
    for word in ["make-staff", "disable", "reset", "remove"] {
        assert_eq!(press(&mut anna, word, "anna").await, 409, "{word}");
    }
    assert_eq!(press(&mut anna, "make-admin", "boris").await, 303);
    assert!(
        !boris.is_in().await,
        "the session with the old role has ended"
    );
    boris = rescue.signed_in("boris").await;
    assert_eq!(press(&mut boris, "make-staff", "anna").await, 303);
    assert!(!anna.is_in().await);
    anna = rescue.signed_in("anna").await;
    assert_eq!(anna.status("/staff").await, 403);
    assert_eq!(press(&mut boris, "remove", "anna").await, 303);
    assert!(!anna.is_in().await);
    assert_eq!(press(&mut boris, "enable", "anna").await, 404);
    assert_eq!(press(&mut boris, "nonsense", "boris").await, 422);
}

#[tokio::test]
async fn a_forged_invitation_link_is_not_found() {
    let rescue = Rescue::start().await;
    for secret in ["x", &"0".repeat(64), "..%2f..%2fpets", &"f".repeat(63)] {
        let answer = rescue.app.get(&format!("/welcome/{secret}")).await;
        assert_eq!(answer.status(), 404, "{secret}");
    }
}

/// "Remove for good" acted without a confirmation.
#[tokio::test]
async fn destructive_actions_ask_for_confirmation_and_name_the_consequence() {
    let (_rescue, mut anna, mut boris) = with_both_signed_in().await;
    for (order, words) in [
        ("make-staff", "no longer manage staff"),
        ("disable", "until an admin reactivates the account"),
        ("reset", "a link that lets boris choose"),
        ("remove", "1 session and 3 API tokens end now"),
    ] {
        let page = anna.get(&format!("/staff/boris?do={order}")).await;
        assert!(page.contains(words), "{order}: {page}");
        assert!(page.contains("name=\"confirm\" value=\"yes\""), "{order}");
        let answer = anna.post("/staff/boris", &[("do", order)]).await;
        assert_eq!(answer.status(), 422, "{order}");
        assert!(answer.text().await.unwrap().contains(words), "{order}");
        assert!(boris.is_in().await, "{order} was not confirmed");
    }
    let page = boris.get("/account").await;
    let (_, token) = page
        .split_once("/account/tokens/")
        .expect("a token is listed");
    let path = format!("/account/tokens/{}", &token[..16]);
    assert!(boris.get(&path).await.contains("Revoke the token"));
    for path in [path.as_str(), "/account/sessions"] {
        assert_eq!(boris.submit(path, &[]).await, 422, "{path}");
    }
    assert!(boris.get("/account").await.contains(&token[..16]));
}

#[tokio::test]
async fn the_next_page_shows_once_what_was_done() {
    let (rescue, mut anna) = Rescue::start_as("anna").await;
    let _boris = rescue.signed_in("boris").await;
    let fields = [("do", "remove"), ("confirm", "yes")];
    let answer = anna.post("/staff/boris", &fields).await;
    assert_eq!(answer.status(), 303);
    let cookies = answer.headers().get_all("set-cookie").iter();
    let cookies = cookies.map(|cookie| cookie.to_str().unwrap());
    let mut done = cookies.map(|cookie| cookie.split(';').next().unwrap());
    let done = done.next_back().expect("a message is left").to_owned();
    let with = |cookie: String| anna.ask("GET", "/staff").header("cookie", cookie).send();
    let answer = with(done.clone()).await.unwrap();
    let forgets = answer.headers()["set-cookie"].to_str().unwrap().to_owned();
    assert!(forgets.ends_with("Max-Age=0"), "{forgets}");
    let page = answer.text().await.unwrap();
    assert!(
        page.contains("boris was removed. 1 session and 3 tokens ended."),
        "{page}"
    );
    let made_up = done.split('=').next().unwrap().to_owned() + "=removed~<b>bold~1~1";
    let page = with(made_up).await.unwrap().text().await.unwrap();
    assert!(!page.contains("bold"), "{page}");
}

/// "Last admin" was an error page without a link.
#[tokio::test]
async fn the_staff_page_shows_why_nothing_was_changed() {
    let (_rescue, mut anna) = Rescue::start_as("anna").await;
    for (name, status) in [("anna", 409), ("nobody", 404)] {
        let fields = [("do", "remove"), ("confirm", "yes")];
        let answer = anna.post(&format!("/staff/{name}"), &fields).await;
        assert_eq!(answer.status(), status, "{name}");
        let page = answer.text().await.unwrap();
        assert!(page.contains("Nothing was changed") && page.contains("Invite someone"));
    }
    let answer = anna
        .post("/account/tokens/0011223344556677", &[("confirm", "yes")])
        .await;
    assert_eq!(answer.status(), 404);
    assert!(answer.text().await.unwrap().contains("API tokens"));
}

/// A password manager saves a password under the name in the form.
#[tokio::test]
async fn every_form_that_sets_a_password_has_the_account_name_for_password_managers() {
    let (rescue, mut anna, link) = with_an_invitation().await;
    let expected =
        |name: &str| format!("type=\"text\" value=\"{name}\" autocomplete=\"username\" readonly");
    assert!(
        rescue
            .browser()
            .get(&link)
            .await
            .contains(&expected("cleo"))
    );
    assert!(anna.get("/account").await.contains(&expected("anna")));
}
