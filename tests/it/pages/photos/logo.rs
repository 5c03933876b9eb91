//! The logo of the rescue: where it is shown, who chooses it, and what keeps it.

use super::forms::upload_to;
use super::photo;
use crate::pages::attributes;
use crate::support::{Browser, Rescue, TestApp, unescape};

/// Sends a file as the logo. Returns the status and the text of the answer.
async fn choose(browser: &Browser, file: &[u8]) -> (u16, String) {
    let files = [("logo.png", file)];
    let answer = upload_to(browser, "/settings/logo", &browser.form_token, &files).await;
    let status = answer.status().as_u16();
    (status, unescape(&answer.text().await.unwrap()))
}

/// Returns the path of the logo on a page that visitors see.
async fn shown(app: &TestApp, path: &str) -> Option<String> {
    logo_on(&app.text(path).await)
}

fn logo_on(page: &str) -> Option<String> {
    let mut sources = attributes(page, "src").into_iter();
    sources.find(|source| source.starts_with("/assets/logo/"))
}

#[tokio::test]
async fn the_logo_is_on_every_page_the_lobby_and_sheets_without_metadata_until_it_is_removed() {
    let (rescue, mut anna) = Rescue::start_as("anna").await;
    assert!(
        anna.get("/settings")
            .await
            .contains("href=\"/settings/logo\"")
    );
    anna.get("/settings/logo").await;
    assert_eq!(shown(&rescue.app, "/pets").await, None);
    assert_eq!(choose(&anna, &photo(900, 300)).await.0, 303);
    let logo = shown(&rescue.app, "/pets").await.unwrap();
    for path in ["/pets/1", "/board", "/sign-in", "/pets/99"] {
        assert_eq!(
            shown(&rescue.app, path).await.as_ref(),
            Some(&logo),
            "{path}"
        );
    }
    let sheet = anna.get("/pets/1/print?as=poster").await;
    let (_, sheet) = sheet.split_once("<article class=\"sheet").unwrap();
    assert_eq!(logo_on(sheet).as_ref(), Some(&logo));
    let page = rescue.app.text("/pets").await;
    assert!(
        page.contains("alt=\"\" width=\"108\" height=\"36\">Pet rescue</a>"),
        "{page}"
    );

    let file = rescue.app.get(&logo).await;
    let header = |name: &str| file.headers()[name].to_str().unwrap().to_owned();
    assert_eq!(header("content-type"), "image/jpeg");
    assert_eq!(
        header("cache-control"),
        "public, max-age=31536000, immutable"
    );
    let file = file.bytes().await.unwrap();
    assert!(!file.windows(4).any(|bytes| bytes == b"Exif"));
    assert_eq!(image::load_from_memory(&file).unwrap().width(), 400);

    // The other settings keep it, and it keeps them.
    let form = anna.get("/settings").await;
    let (_, base) = form.split_once("name=\"base\" value=\"").unwrap();
    let base = unescape(base.split('"').next().unwrap());
    assert!(!base.contains("jpeg"), "{base}");
    let fields = [("name", "Happy Tails"), ("base", &base)];
    assert_eq!(anna.submit("/settings", &fields).await, 303);
    assert_eq!(shown(&rescue.app, "/pets").await.as_ref(), Some(&logo));
    assert_eq!(
        anna.submit("/settings/logo", &[("remove", "yes")]).await,
        303
    );
    assert_eq!(shown(&rescue.app, "/pets").await, None);
    assert!(rescue.app.text("/pets").await.contains("Happy Tails</a>"));
    assert_eq!(rescue.app.get(&logo).await.status(), 404);
    let audit = anna.get("/audit").await;
    for entry in ["logo set", "logo removed"] {
        assert!(
            audit.contains(&format!("changed the settings: {entry}")),
            "{audit}"
        );
    }
}

#[tokio::test]
async fn a_file_that_cannot_be_a_logo_says_why_and_changes_nothing() {
    let (rescue, mut anna) = Rescue::start_as("anna").await;
    anna.get("/settings/logo").await;
    for (file, message) in [
        (&b""[..], "Choose a JPEG, PNG or WebP file."),
        (
            b"<svg xmlns=\"http://www.w3.org/2000/svg\"/>",
            "Save the photo as JPEG",
        ),
        (b"not a picture", "This is not a photo."),
        (&photo(400, 40), "This picture is too narrow for a logo."),
    ] {
        let (status, page) = choose(&anna, file).await;
        assert_eq!(status, 422, "{message}");
        assert!(page.contains(message), "{message} in {page}");
    }
    assert_eq!(shown(&rescue.app, "/pets").await, None);
}

#[tokio::test]
async fn only_an_admin_chooses_the_logo() {
    let (rescue, mut anna) = Rescue::start_as("anna").await;
    let file = photo(300, 300);
    let mut boris = rescue.signed_in("boris").await;
    boris.get("/pets/new").await;
    assert_eq!(boris.status("/settings/logo").await, 403);
    assert_eq!(choose(&boris, &file).await.0, 403);
    assert_eq!(
        boris.submit("/settings/logo", &[("remove", "yes")]).await,
        403
    );
    let mut visitor = rescue.browser();
    visitor.get("/sign-in").await;
    assert_eq!(visitor.status("/settings/logo").await, 303);
    assert_eq!(choose(&visitor, &file).await.0, 401);
    anna.form_token = "of another page".to_owned();
    assert_eq!(choose(&anna, &file).await.0, 403);
    assert_eq!(shown(&rescue.app, "/pets").await, None);
}

#[tokio::test]
async fn the_logo_survives_restart_backup_and_export_also_without_staff() {
    let (rescue, mut anna) = Rescue::start_as("anna").await;
    anna.get("/settings/logo").await;
    assert_eq!(choose(&anna, &photo(300, 300)).await.0, 303);
    let logo = shown(&rescue.app, "/pets").await;
    assert!(logo.is_some());
    let rescue = rescue.restart().await;
    assert_eq!(shown(&rescue.app, "/pets").await, logo);

    let (_place, copies) = rescue.copies();
    for data in copies {
        let moved = Rescue::start().await.moved_to(&data).await;
        assert_eq!(shown(&moved.app, "/pets").await, logo);
        let file = moved.app.get(logo.as_ref().unwrap()).await;
        assert_eq!(file.status(), 200);
    }
}
