//! No page contains markup from text of people, inline scripts or inline styles.

use crate::support::{TestApp, spawn_app};

/// Breaks out of text, of a quoted attribute and of a script, wherever it is not escaped.
const HOSTILE: &str =
    "</textarea></title><script>alert(1)</script>\"><img src=x onerror='a()'>&amp;";

async fn app_with_a_hostile_pet() -> TestApp {
    let app = spawn_app().await;
    let short = "<script>alert(2)</script>\"'";
    let fields = [
        ("name", HOSTILE),
        ("species", short),
        ("breed", short),
        ("age", short),
        ("about", HOSTILE),
    ];
    let response = app.post_form("/pets", &fields).await;
    assert_eq!(response.status(), 303);
    app
}

/// Every page there is, the refusals included.
async fn pages(app: &TestApp) -> Vec<(String, String)> {
    let mut pages = Vec::new();
    for path in [
        "/pets",
        "/pets/1",
        "/pets/1/edit",
        "/pets/new",
        "/hello",
        "/live/doctor",
        "/api/docs",
        "/nothing<script>",
        "/pets/<script>alert(3)<%2Fscript>",
    ] {
        pages.push((path.to_owned(), app.text(path).await));
    }
    let bad = [("name", ""), ("species", HOSTILE), ("about", HOSTILE)];
    for path in ["/pets", "/pets/1"] {
        let page = app.post_form(path, &bad).await.text().await.unwrap();
        pages.push((format!("POST {path}"), page));
    }
    pages
}

#[tokio::test]
async fn text_is_never_markup() {
    let app = app_with_a_hostile_pet().await;
    for (path, page) in pages(&app).await {
        for part in [
            "<script>alert",
            "alert(1)</script>",
            "<img src=x",
            "alert(2)</script>",
            "alert(3)<",
        ] {
            assert!(!page.contains(part), "{part} in {path}:\n{page}");
        }
    }
}

#[tokio::test]
async fn no_page_has_an_inline_script_or_style_but_the_loader() {
    let app = app_with_a_hostile_pet().await;
    for (path, page) in pages(&app).await {
        // `headers` tests that this is the script that the policy allows.
        let page = page.replacen("<script>(()=>{", "", 1);
        // Data, which no browser runs.
        let page = page.replacen("<script type=\"application/ld+json\">", "", 1);
        for tag in page.split('<').skip(1) {
            let tag = tag.split('>').next().unwrap();
            let outside_of_quotes: String = tag.split('"').step_by(2).collect();
            let mut words = outside_of_quotes.split_whitespace();
            let name = words.next().unwrap_or_default();
            let attributes: Vec<&str> = words.collect();
            assert_ne!(name, "style", "{path}");
            let is_elsewhere = attributes.contains(&"src=");
            assert!(name != "script" || is_elsewhere, "<{tag}> in {path}");
            let is_code = |word: &&str| word.starts_with("on") || word.starts_with("style");
            assert_eq!(
                attributes.iter().find(|word| is_code(word)),
                None,
                "<{tag}> in {path}"
            );
            assert!(!tag.contains("javascript:"), "<{tag}> in {path}");
        }
    }
}

#[tokio::test]
async fn every_link_and_form_of_a_page_has_a_route() {
    let app = spawn_app().await;
    app.add_pet("Biscuit").await;
    for (path, page) in pages(&app).await {
        for address in super::attributes(&page, "href") {
            let is_template = address.starts_with("/pets/0");
            if address.starts_with('/') && !is_template {
                assert_eq!(app.get(&address).await.status(), 200, "{address} in {path}");
            } else if let Some(anchor) = address.strip_prefix('#') {
                let id = format!("id=\"{anchor}\"");
                assert!(page.contains(&id), "{address} in {path}");
            }
        }
        for action in super::attributes(&page, "action") {
            let options = app.request("OPTIONS", &action).send().await.unwrap();
            let allow = options.headers()["allow"].to_str().unwrap();
            assert!(
                action == "/hello" || allow.contains("POST"),
                "{action} in {path}"
            );
        }
    }
}
