//! The site below the path of `--base-url`: everything that a browser or a program is told leads below it.

use std::collections::BTreeSet;

use pet_store::auth::BaseUrl;
use serde_json::Value;

use crate::support::{Browser, PASSWORD, Poll, Rescue, Sse, Ws};

const ORIGIN: &str = "https://shelter.example";
const BASE_PATH: &str = "/our/pets";

/// Attributes that contain an address.
const ADDRESSES: [&str; 7] = [
    "href",
    "src",
    "action",
    "formaction",
    "data-upload",
    "data-first-poll",
    "srcset",
];

async fn start() -> Rescue {
    let base = BaseUrl::parse(&format!("{ORIGIN}{BASE_PATH}")).unwrap();
    Rescue::start_with(|config| config.base_url = Some(base)).await
}

/// Returns a browser whose paths are below the base path.
fn browser(rescue: &Rescue) -> Browser {
    let mut browser = Browser::at(&rescue.app.url(BASE_PATH), &rescue.app.client);
    ORIGIN.clone_into(&mut browser.origin);
    browser
}

async fn signed_in(rescue: &Rescue) -> Browser {
    let mut browser = browser(rescue);
    let answer = browser.sign_in("anna", PASSWORD).await;
    assert_eq!(answer.headers()["location"], "/our/pets/pets");
    browser.get("/account").await;
    browser
}

/// Returns the addresses of this origin in the attributes of a page.
fn addresses(page: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for attribute in ADDRESSES {
        for rest in page.split(&format!(" {attribute}=\"")).skip(1) {
            let value = rest.split('"').next().unwrap();
            let value = value.replace("&#x2f;", "/").replace("&amp;", "&");
            let value = value.strip_prefix(ORIGIN).unwrap_or(&value);
            if value.starts_with('/') {
                found.insert(value.split(' ').next().unwrap().to_owned());
            }
        }
    }
    found
}

/// Follows every address from `start`, and returns the pages. Each address is below the base path, and leads to something.
async fn crawl(browser: &mut Browser, start: &str) -> BTreeSet<String> {
    let mut todo = vec![format!("{BASE_PATH}{start}")];
    let mut seen = BTreeSet::new();
    while let Some(address) = todo.pop() {
        let address = address.split('#').next().unwrap().to_owned();
        if !seen.insert(address.clone()) {
            continue;
        }
        let path = address.strip_prefix(BASE_PATH);
        let path = path.filter(|path| path.starts_with('/'));
        let path = path.unwrap_or_else(|| panic!("{address} is not below the base path"));
        // A poll that waits, and the blank card that scripts copy.
        if path.starts_with("/live/poll/") || path.starts_with("/pets/0") {
            continue;
        }
        let answer = browser.ask("GET", path).send().await.unwrap();
        let status = answer.status().as_u16();
        // Some only take a form, and say so.
        let is_there = status != 404 && status < 500;
        assert!(is_there, "{status} at {address}");
        if let Some(location) = answer.headers().get("location") {
            todo.push(location.to_str().unwrap().to_owned());
        }
        let content_type = answer.headers().get("content-type");
        let is_page = content_type.is_some_and(|kind| kind.as_bytes().starts_with(b"text/html"));
        // Each day leads to the day before.
        if is_page && !path.contains("/days/") {
            todo.extend(addresses(&answer.text().await.unwrap()));
        }
    }
    seen
}

#[tokio::test]
async fn every_address_in_the_pages_of_visitors_and_staff_is_below_the_base_path() {
    let rescue = start().await;
    let of_visitors = crawl(&mut browser(&rescue), "/").await;
    for path in ["/pets/1", "/live/doctor", "/api/openapi.json", "/sign-in"] {
        assert!(
            of_visitors.contains(&format!("{BASE_PATH}{path}")),
            "{path}"
        );
    }
    crawl(&mut browser(&rescue), "/board").await;
    let mut staff = signed_in(&rescue).await;
    let of_staff = crawl(&mut staff, "/").await;
    for path in [
        "/pets/1/edit",
        "/settings/webhooks/new",
        "/staff",
        "/audit",
        "/pets/1/share",
    ] {
        assert!(of_staff.contains(&format!("{BASE_PATH}{path}")), "{path}");
    }
    let frame = browser(&rescue).get("/embed/pets/1").await;
    assert!(
        addresses(&frame)
            .iter()
            .all(|address| address.starts_with("/our/pets/"))
    );
}

#[tokio::test]
async fn redirects_cookies_and_forms_stay_below_the_base_path() {
    let rescue = start().await;
    let visitor = browser(&rescue);
    for (path, location) in [
        ("", "/our/pets/pets"),
        ("/", "/our/pets/pets"),
        ("/pets/?page=1", "/our/pets/pets?page=1"),
        ("/account", "/our/pets/sign-in?next=%2Faccount"),
    ] {
        let answer = visitor.ask("GET", path).send().await.unwrap();
        assert_eq!(answer.headers()["location"], location, "{path:?}");
    }
    let form = visitor.ask("GET", "/sign-in").send().await.unwrap();
    let cookie = form.headers()["set-cookie"].to_str().unwrap();
    assert!(
        cookie.starts_with("__Secure-pet-store-443-our-pets="),
        "{cookie}"
    );
    assert!(cookie.contains("; Path=/our/pets;"), "{cookie}");

    let mut staff = signed_in(&rescue).await;
    let view = format!("{ORIGIN}{BASE_PATH}/pets?doing=sleeping");
    let fields = [("status", "eating"), ("form-token", &staff.form_token)];
    let set = staff.ask("POST", "/pets/1/status").header("origin", ORIGIN);
    let set = set
        .header("referer", view)
        .form(&fields)
        .send()
        .await
        .unwrap();
    assert_eq!(set.headers()["location"], "/our/pets/pets?doing=sleeping");
    let undo = set.headers()["set-cookie"].to_str().unwrap();
    assert!(undo.contains("; Path=/our/pets/pets;"), "{undo}");
    assert_eq!(staff.submit("/sign-out", &[]).await, 303);
    assert!(!staff.is_in().await);
}

#[tokio::test]
async fn a_request_outside_of_the_base_path_is_told_where_the_site_is() {
    let rescue = start().await;
    for path in [
        "/",
        "/pets",
        "/our",
        "/our/petsitter",
        "/other/",
        "/live/ws",
        "/api/v1/pets",
    ] {
        let answer = rescue.app.get(path).await;
        assert_eq!(answer.status(), 404, "{path}");
        let text = answer.text().await.unwrap();
        assert!(
            text.contains(
                "This site is at https:&#x2f;&#x2f;shelter.example&#x2f;our&#x2f;pets&#x2f;"
            ) || text.contains("This site is at https://shelter.example/our/pets/"),
            "{text}"
        );
    }
    // A service manager and a monitor ask the program itself.
    for path in [
        "/healthz",
        "/healthz/request",
        "/readyz",
        "/metrics",
        "/our/pets/healthz",
    ] {
        assert_eq!(rescue.app.get(path).await.status(), 200, "{path}");
    }
}

#[tokio::test]
async fn the_live_routes_and_what_describes_them_are_below_the_base_path() {
    let rescue = start().await;
    let base = rescue.app.url(BASE_PATH);
    let (mut ws, mut sse) = (Ws::open(&base, "").await, Sse::open(&base, "").await);
    let mut poll = Poll::open(&base, "?wait=0");
    for hello in [ws.next().await, sse.next().await, poll.next().await] {
        assert_eq!(hello["type"], "hello");
    }
    let mut visitor = browser(&rescue);
    let log = visitor.ask("GET", "/live/log").send().await.unwrap();
    let location = log.headers()["location"].to_str().unwrap();
    assert!(
        location.starts_with("/our/pets/live/log?")
            || location.starts_with("/our/pets/live/state/"),
        "{location}"
    );
    let json = |text: String| serde_json::from_str::<Value>(&text).unwrap();
    let openapi = json(visitor.get("/api/openapi.json").await);
    assert_eq!(openapi["servers"][0]["url"], "/our/pets/api/v1");
    assert_eq!(
        openapi["paths"]["/live/sse"]["servers"][0]["url"],
        "/our/pets"
    );
    let asyncapi = json(visitor.get("/api/asyncapi.json").await);
    assert_eq!(asyncapi["servers"]["rescue"]["pathname"], "/our/pets");
    let pets = visitor
        .ask("GET", "/api/v1/pets?page=1")
        .send()
        .await
        .unwrap();
    let links = pets.headers()["link"].to_str().unwrap();
    assert!(links.starts_with("</our/pets/api/v1/pets?"), "{links}");
    let robots = visitor.get("/robots.txt").await;
    let paths = robots
        .lines()
        .filter_map(|line| line.strip_prefix("Disallow: "));
    let paths: Vec<&str> = paths.collect();
    assert!(
        paths.len() > 5 && paths.iter().all(|path| path.starts_with("/our/pets/")),
        "{robots}"
    );
    let sitemap = visitor.get("/sitemap.xml").await;
    assert!(
        sitemap.contains("<loc>https://shelter.example/our/pets/pets/1</loc>"),
        "{sitemap}"
    );
    let feed = visitor.get("/pets/feed.atom").await;
    assert!(
        feed.contains(
            "href=\"https:&#x2f;&#x2f;shelter.example&#x2f;our&#x2f;pets&#x2f;pets&#x2f;1\""
        ),
        "{feed}"
    );
    let oembed = visitor
        .get("/oembed?url=https%3A%2F%2Fshelter.example%2Four%2Fpets%2Fpets%2F1")
        .await;
    let oembed = json(oembed);
    assert!(
        oembed["html"]
            .as_str()
            .unwrap()
            .contains("https://shelter.example/our/pets/embed/pets/1"),
        "{oembed}"
    );
    let other = visitor
        .status("/oembed?url=https%3A%2F%2Fshelter.example%2Fpets%2F1")
        .await;
    assert_eq!(
        other, 404,
        "an address of another program at the same origin"
    );
}
