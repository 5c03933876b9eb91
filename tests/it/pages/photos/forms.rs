//! The page on which staff add and arrange photos, as a browser without JavaScript uses it.

use reqwest::Response;

use super::photo;
use crate::support::{Browser, Rescue};

/// Sends files to the page of the photos.
async fn upload(browser: &Browser, token: &str, files: &[(&str, &[u8])]) -> Response {
    upload_to(browser, "/pets/1/photos", token, files).await
}

/// Sends files as a browser does.
pub async fn upload_to(
    browser: &Browser,
    path: &str,
    token: &str,
    files: &[(&str, &[u8])],
) -> Response {
    let field = |head: &str, content: &[u8]| {
        let head = format!("--x\r\nContent-Disposition: form-data; {head}\r\n\r\n");
        [head.as_bytes(), content, b"\r\n"].concat()
    };
    let mut body = field("name=\"form-token\"", token.as_bytes());
    for (name, content) in files {
        body.extend(field(
            &format!("name=\"photo\"; filename=\"{name}\""),
            content,
        ));
    }
    body.extend(b"--x--\r\n");
    let request = browser.ask("POST", path).body(body);
    let request = request.header("content-type", "multipart/form-data; boundary=x");
    request
        .header("origin", &browser.origin)
        .send()
        .await
        .unwrap()
}

/// Returns the hashes on the page, in their order.
fn hashes(page: &str) -> Vec<String> {
    let parts = page.split("name=\"photo\" value=\"").skip(1);
    parts.map(|part| part[..32].to_owned()).collect()
}

#[tokio::test]
async fn staff_add_describe_arrange_and_remove_photos_without_javascript() {
    let (rescue, mut anna) = Rescue::start_as("anna").await;
    anna.get("/pets/1/photos").await;
    let (one, two) = (photo(64, 64), photo(65, 64));
    let token = anna.form_token.clone();
    let sent = upload(
        &anna,
        &token,
        &[("one.jpg", &one), ("", b""), ("two.jpg", &two)],
    )
    .await;
    assert_eq!(sent.status(), 303);
    let page = anna.get("/pets/1/photos").await;
    let [first, second] = &hashes(&page)[..] else {
        panic!("{page}")
    };
    let fields = [
        ("photo", first.as_str()),
        ("alt", "On the \"sofa\""),
        ("photo", second),
        ("alt", ""),
    ];
    let pressed = [&fields[..], &[("cover", second.as_str())]].concat();
    assert_eq!(anna.submit("/pets/1/photos/order", &pressed).await, 303);
    let page = anna.get("/pets/1/photos").await;
    assert_eq!(hashes(&page), [second.clone(), first.clone()]);
    let board = rescue.browser().get("/pets").await;
    assert!(
        board.contains(&format!("&#x2f;photos&#x2f;{second}-65.jpg")),
        "{board}"
    );
    assert!(board.contains("width=\"65\" height=\"64\""), "{board}");
    let show = rescue.browser().get("/pets/1").await;
    assert!(show.contains("alt=\"On the &quot;sofa&quot;\""), "{show}");
    let long = "x".repeat(201);
    let refused = anna
        .post("/pets/1/photos/order", &[("photo", first), ("alt", &long)])
        .await;
    assert_eq!(refused.status(), 422);
    assert!(
        refused.text().await.unwrap().contains(&long),
        "the text is still there"
    );
    let removed = anna
        .submit("/pets/1/photos/order", &[("remove", first)])
        .await;
    assert_eq!(removed, 303);
    assert_eq!(hashes(&anna.get("/pets/1/photos").await), [second.as_str()]);
}

#[tokio::test]
async fn each_refused_file_is_named_and_the_others_are_added() {
    let (rescue, mut anna) = Rescue::start_as("anna").await;
    anna.get("/pets/1/photos").await;
    let token = anna.form_token.clone();
    let files: [(&str, &[u8]); 2] = [("<b>.gif", b"GIF89a"), ("one.jpg", &photo(64, 64))];
    let answer = upload(&anna, &token, &files).await;
    assert_eq!(answer.status(), 422);
    let page = answer.text().await.unwrap();
    assert!(
        page.contains("&lt;b&gt;.gif</strong>: GIF is not supported."),
        "{page}"
    );
    assert_eq!(hashes(&page).len(), 1);
    let nothing = upload(&anna, &token, &[("", b"")]).await;
    assert_eq!(nothing.status(), 422);
    // Without the token of the form, signed in or not.
    assert_eq!(upload(&anna, "", &files).await.status(), 403);
    let stranger = upload(&rescue.browser(), &token, &files).await;
    assert!(
        [401, 303].contains(&stranger.status().as_u16()),
        "{}",
        stranger.status()
    );
    assert_eq!(rescue.browser().status("/pets/1/photos").await, 303);
}
