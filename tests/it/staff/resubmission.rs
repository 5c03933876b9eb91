//! Staff forms that are submitted twice, by a second click on a slow connection.

use crate::support::{Browser, Rescue};

/// Returns the one-time key of the form on a page.
fn key_on(page: &str) -> String {
    let (_, rest) = page
        .split_once("name=\"request\" value=\"")
        .expect("the form has a key");
    rest.split('"').next().unwrap().to_owned()
}

/// Submits a form, and returns the status and the first secret of 64 digits after `mark`.
async fn submit(
    browser: &mut Browser,
    path: &str,
    fields: &[(&str, &str)],
    mark: &str,
) -> (u16, String) {
    let answer = browser.post(path, fields).await;
    let status = answer.status().as_u16();
    let page = answer.text().await.unwrap();
    let secret = page.split_once(mark).map(|(_, rest)| rest[..64].to_owned());
    (status, secret.unwrap_or_default())
}

/// Counts a text in the activity log.
async fn count_in_log(browser: &mut Browser, words: &str) -> usize {
    browser.get("/audit").await.matches(words).count()
}

/// Two tokens were created, one of which nobody knew of.
#[tokio::test]
async fn a_token_form_that_is_submitted_twice_creates_one_token_and_does_not_restore_it() {
    let (rescue, mut anna) = Rescue::start_as("anna").await;
    let key = key_on(&anna.get("/account").await);
    let fields = |name, key| [("token-name", name), ("scope", "read"), ("request", key)];
    let (camera, mark) = (fields("Camera", &key), "petstore_");
    let first = submit(&mut anna, "/account/tokens", &camera, mark).await;
    assert_eq!((first.0, first.1.len()), (200, 64));
    let second = submit(&mut anna, "/account/tokens", &camera, mark).await;
    assert_eq!(second, first);
    assert_eq!(count_in_log(&mut anna, "created the token Camera").await, 1);

    let other = submit(&mut anna, "/account/tokens", &fields("Door", &key), mark).await;
    assert_ne!(other.1, first.1, "Back, and another name");
    let mut boris = rescue.signed_in("boris").await;
    boris.get("/account").await;
    let theirs = submit(&mut boris, "/account/tokens", &camera, mark).await;
    assert_ne!(theirs.1, first.1, "the key is valid for one session");

    let page = anna.get("/account").await;
    let (before, _) = page.split_once("Camera").unwrap();
    let (_, after) = page.split_at(before.len());
    let (_, rest) = after.split_once("href=\"/account/tokens/").unwrap();
    let path = format!("/account/tokens/{}", &rest[..16]);
    let revoked = anna.post(&path, &[("confirm", "yes")]).await;
    assert_eq!(revoked.status(), 303);
    let again = submit(&mut anna, "/account/tokens", &camera, mark).await;
    assert_eq!(again, (404, String::new()), "it stays revoked");
}

#[tokio::test]
async fn an_invitation_or_reset_form_that_is_submitted_twice_creates_one_link() {
    let (_rescue, mut anna) = Rescue::start_as("anna").await;
    let mark = "&#x2f;welcome&#x2f;";
    let key = key_on(&anna.get("/staff").await);
    let invitation = [("name", "cleo"), ("role", "staff"), ("request", &key)];
    let question = key_on(&anna.get("/staff/boris?do=reset").await);
    let reset = [("do", "reset"), ("confirm", "yes"), ("request", &question)];
    for (path, fields, words) in [
        ("/staff", invitation, "invited cleo"),
        ("/staff/boris", reset, "reset the password of boris"),
    ] {
        let first = submit(&mut anna, path, &fields, mark).await;
        assert_eq!((first.0, first.1.len()), (200, 64), "{words}");
        let second = submit(&mut anna, path, &fields, mark).await;
        assert_eq!(second, first, "{words}");
        assert_eq!(count_in_log(&mut anna, words).await, 1);
    }
    let removed = anna.post("/staff/cleo", &[("do", "remove"), ("confirm", "yes")]);
    assert_eq!(removed.await.status(), 303);
    let again = submit(&mut anna, "/staff", &invitation, mark).await;
    assert_eq!(again, (404, String::new()), "the link stays gone");
}
