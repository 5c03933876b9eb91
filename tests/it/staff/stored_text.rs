//! Scripts in every field that staff can fill in, on every page that shows it.

use crate::support::Rescue;

const SCRIPT: &str = "</textarea><script>alert(1)</script>\"'><img src=x onerror=alert(2)>";
const SHORT: &str = "<script>alert(3)</script>\"'";

#[tokio::test]
async fn stored_text_is_escaped_on_every_staff_page() {
    let (rescue, mut anna) = Rescue::start_as("anna").await;
    let pet = [
        ("name", SCRIPT),
        ("species", SHORT),
        ("breed", SHORT),
        ("age", SHORT),
        ("about", SCRIPT),
    ];
    assert_eq!(anna.submit("/pets", &pet).await, 303);
    anna.post("/pets/2/status", &[("status", "eating")]).await;
    let mut pages = Vec::new();
    for (path, fields) in [
        (
            "/account/tokens",
            vec![("token-name", SHORT), ("scope", "read")],
        ),
        (
            "/account/tokens",
            vec![("token-name", SCRIPT), ("scope", SCRIPT)],
        ),
        (
            "/account/password",
            vec![("present", SCRIPT), ("password", SCRIPT), ("again", SHORT)],
        ),
        ("/staff", vec![("name", SCRIPT), ("role", SCRIPT)]),
        ("/staff/anna", vec![("do", SCRIPT)]),
        ("/pets/2/status", vec![("status", SCRIPT)]),
        (
            "/pets/2/status",
            vec![("status", "eating"), ("since", SCRIPT)],
        ),
        (
            "/sign-in",
            vec![("name", SCRIPT), ("password", SCRIPT), ("next", SCRIPT)],
        ),
    ] {
        let page = anna.post(path, &fields).await.text().await.unwrap();
        pages.push((format!("POST {path}"), page));
    }
    let next = "/sign-in?next=%22%3E%3Cscript%3Ealert(1)%3C/script%3E";
    let visitor = rescue.app.text(next).await;
    pages.push((next.to_owned(), visitor));
    for path in [
        "/pets",
        "/pets/2",
        "/pets/2/history",
        "/account",
        "/staff",
        "/audit",
        "/pets/2/edit",
    ] {
        let page = anna.get(path).await;
        assert!(page.contains("<main"), "{path}");
        pages.push((path.to_owned(), page));
    }
    let own = rescue.app.text("/sign-in").await.matches("<script").count();
    for (path, page) in pages {
        // `pages::headers` tests that this is the script that the policy allows.
        let page = page.replacen("<script>(()=>{", "<script ", 1);
        for part in ["<script>", "<img src=x", "alert(1)</script>"] {
            assert!(!page.contains(part), "{part} in {path}:\n{page}");
        }
        // Data of a public page, which no browser runs.
        let page = page.replacen("<script type=\"application/ld+json\">", "", 1);
        let scripts = page.matches("<script").count();
        // The board has a second script, for the selection.
        let own = own + usize::from(path == "/pets" && page.contains("/selection.js"));
        assert_eq!(scripts, own, "the page's own, in {path}");
    }
    let shown = anna.get("/account").await;
    assert!(
        shown.contains("&lt;script&gt;alert(3)"),
        "the token's name is shown as it is"
    );
}

#[tokio::test]
async fn private_pages_are_not_cached() {
    let (_rescue, anna) = Rescue::start_as("anna").await;
    // With `no-store`, a browser that goes back would lose what was typed into a form.
    let typed_into = "private, no-cache";
    for (path, caching) in [
        ("/pets", "no-store"),
        ("/account", "no-store"),
        ("/staff", "no-store"),
        ("/audit", "no-store"),
        ("/pets/1/history", "no-store"),
        ("/pets/new", typed_into),
        ("/pets/1/edit", typed_into),
    ] {
        let answer = anna.ask("GET", path).send().await.unwrap();
        assert_eq!(answer.status(), 200, "{path}");
        assert_eq!(answer.headers()["cache-control"], caching, "{path}");
        assert_eq!(answer.headers()["referrer-policy"], "same-origin", "{path}");
    }
}

/// Times were local on the board and UTC on other pages. Scripts localise `time` elements.
#[tokio::test]
async fn every_time_on_a_page_is_a_time_element() {
    let (_rescue, mut anna) = Rescue::start_as("anna").await;
    anna.post("/pets/1/status", &[("status", "eating")]).await;
    for path in ["/pets", "/pets/1", "/pets/1/history", "/audit", "/account"] {
        let page = anna.get(path).await;
        let times: Vec<&str> = page.split("<time").skip(1).collect();
        assert!(!times.is_empty(), "{path}");
        for time in &times {
            let (time, _) = time.split_once("</time>").unwrap();
            let (attributes, text) = time.split_once('>').unwrap();
            assert!(attributes.contains("datetime=\"20"), "{path}: {time}");
            assert!(text.is_empty() || text.ends_with(" UTC"), "{path}: {time}");
        }
        let outside = page.matches(" UTC").count();
        let as_of = page.matches("As of ").count();
        let inside = times.iter().filter(|time| time.contains(" UTC</time>"));
        assert_eq!(outside, inside.count() + as_of, "{path}");
    }
}
