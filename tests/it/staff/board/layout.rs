//! The layout of the board: staff choose cards or rows by a link, without scripts.

use crate::support::{Browser, Rescue};

/// Shown instead of the large cards.
const ROW: &str = "<details class=\"row-status\">";

/// Follows the link with this text, and returns the page with the cookie that it sets, if it sets one.
async fn switch(browser: &Browser, page: &str, text: &str) -> (String, Option<String>) {
    let (before, _) = page.split_once(&format!("\">{text}</a>")).unwrap();
    let (_, path) = before.rsplit_once("href=\"").unwrap();
    let path = path.replace("&amp;", "&");
    let answer = browser.ask("GET", &path).send().await.unwrap();
    let cookie = answer.headers().get("set-cookie");
    let cookie = cookie.map(|set| set.to_str().unwrap().split(';').next().unwrap().to_owned());
    (answer.text().await.unwrap(), cookie)
}

#[tokio::test]
async fn staff_choose_rows_by_a_link_that_keeps_the_view_and_the_browser_remembers_it() {
    let (rescue, mut boris) = Rescue::start_as("boris").await;
    let page = boris.get("/pets?q=i&sort=name").await;
    assert!(page.contains("<ul id=\"pets\" class=\"cards\">") && !page.contains(ROW));
    assert!(!page.contains("rows.css"));
    let (page, cookie) = switch(&boris, &page, "Compact list").await;
    assert!(page.contains("<option value=\"name\" selected>"), "{page}");
    assert!(page.contains(ROW) && page.contains("rows.css"), "{page}");
    assert!(page.contains("formaction=\"/pets/1/status\""), "{page}");

    let session = boris.cookie.clone().unwrap();
    let mut remembering = boris.clone();
    remembering.cookie = Some(format!("{session}; {}", cookie.unwrap()));
    let page = remembering.get("/pets").await;
    assert!(page.contains(ROW));
    // Also the page that is sent for a pet that is added later.
    let (_, template) = page.split_once("<template id=\"pet-card\">").unwrap();
    assert!(template.contains(ROW));
    let (page, cookie) = switch(&remembering, &page, "Large cards").await;
    assert!(!page.contains(ROW));
    assert!(cookie.unwrap().ends_with("=cards"));

    for path in ["/pets?layout=rows", "/pets?layout=cards"] {
        let answer = rescue.app.get(path).await;
        assert!(answer.headers().get("set-cookie").is_none(), "{path}");
        let page = answer.text().await.unwrap();
        assert!(
            page.contains("class=\"cards\"") && !page.contains(ROW),
            "{path}"
        );
        assert!(!page.contains("layout="), "visitors have no choice");
    }
}
