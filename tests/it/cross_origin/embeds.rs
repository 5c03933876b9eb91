//! What other sites show of the pets: the same for everybody, and only what visitors may know.

use pet_store::auth::BaseUrl;
use quick_xml::events::Event;
use quick_xml::reader::Reader;
use reqwest::Response;
use serde_json::{Value, json};

use crate::pages::attributes;
use crate::support::{Browser, Rescue, TestApp, spawn_app, unescape};

/// Pages for frames.
const FRAMES: [&str; 2] = ["/embed/board", "/embed/pets/1?theme=dark"];

const BADGE: &str = "/pets/1/badge.svg";

const HOSTILE: &str = "]]> <script>\"'&amp;";

async fn public_rescue() -> Rescue {
    let base = Some(BaseUrl::parse("https://pets.example").unwrap());
    Rescue::start_with(|config| config.base_url = base).await
}

/// Adds a private pet and one with a hostile name, which is number 1's neighbour.
async fn fill(rescue: &Rescue) {
    for pet in [
        json!({ "name": "Ghost", "species": "Cat", "state": "private" }),
        json!({ "name": HOSTILE, "species": HOSTILE, "location": "Kennel 13" }),
    ] {
        let request = rescue.bearing(&rescue.tokens[2], "POST", "/api/v1/pets");
        assert_eq!(request.json(&pet).send().await.unwrap().status(), 201);
    }
}

/// Returns an answer without the times at which it was made.
async fn read(answer: Response) -> (u16, String) {
    let status = answer.status().as_u16();
    let mut text = answer.text().await.unwrap();
    for name in ["data-as-of", "data-since", "datetime"] {
        for value in attributes(&text.clone(), name) {
            text = text.replace(&value, "");
        }
    }
    (status, text)
}

#[tokio::test]
async fn an_embed_has_no_cookie_no_token_and_nothing_of_staff_whoever_asks() {
    let (rescue, anna) = Rescue::start_as("anna").await;
    fill(&rescue).await;
    let oembed = format!("/oembed?url={}", rescue.app.url("/pets/1"));
    for path in FRAMES.into_iter().chain([BADGE, &oembed]) {
        let plain = rescue.app.get(path).await;
        let headers = plain.headers().clone();
        let (status, text) = read(plain).await;
        assert_eq!(status, 200, "{path}");
        assert!(text.contains("Biscuit"), "{path}: {text}");
        for secret in [
            "Ghost",
            "Kennel 13",
            "anna",
            "boris",
            "token",
            "<form",
            "<script>",
        ] {
            assert!(!text.contains(secret), "{path} has {secret}: {text}");
        }
        assert!(!headers.contains_key("set-cookie"), "{path}: {headers:?}");
        let token = rescue.bearing(&rescue.tokens[2], "GET", path);
        for request in [anna.ask("GET", path), token] {
            let answer = request.send().await.unwrap();
            assert!(!answer.headers().contains_key("set-cookie"), "{path}");
            assert_eq!(read(answer).await, (200, text.clone()), "{path}");
        }
    }
}

#[tokio::test]
async fn a_private_pet_is_framed_as_an_id_that_never_existed() {
    let rescue = Rescue::start().await;
    fill(&rescue).await;
    let private = read(rescue.app.get("/embed/pets/2").await).await;
    let never = read(rescue.app.get("/embed/pets/99").await).await;
    assert_eq!(private, never);
    assert_eq!(never.0, 404);
    assert!(never.1.contains("This pet is not listed"), "{}", never.1);
}

async fn policy_of(rescue: &Rescue, path: &str) -> String {
    let answer = rescue.app.get(path).await;
    let policy = answer.headers()["content-security-policy"]
        .to_str()
        .unwrap();
    policy.to_owned()
}

async fn allow(admin: &mut Browser, sites: &str) -> u16 {
    let fields = [("name", "Happy Tails"), ("embed-sites", sites)];
    admin.submit("/settings", &fields).await
}

#[tokio::test]
async fn the_sites_that_an_admin_names_may_frame_embeds_and_nothing_else() {
    let (rescue, mut anna) = Rescue::start_as("anna").await;
    let sandbox = "sandbox allow-scripts allow-popups allow-popups-to-escape-sandbox";
    for path in FRAMES {
        let answer = rescue.app.get(path).await;
        assert!(!answer.headers().contains_key("x-frame-options"), "{path}");
        let policy = policy_of(&rescue, path).await;
        assert!(policy.contains(sandbox), "{policy}");
        assert!(!policy.contains("frame-ancestors"), "every site: {policy}");
        assert!(
            !policy.contains("unsafe") && !policy.contains('*'),
            "{policy}"
        );
    }
    assert_eq!(allow(&mut anna, "*").await, 422);
    assert_eq!(
        allow(&mut anna, "b.example http://c.example:8080/x").await,
        303
    );
    let named = "; frame-ancestors 'self' https://b.example http://c.example:8080";
    for path in FRAMES {
        assert!(policy_of(&rescue, path).await.ends_with(named), "{path}");
    }
    assert_eq!(allow(&mut anna, "none").await, 303);
    for path in FRAMES {
        let policy = policy_of(&rescue, path).await;
        assert!(policy.ends_with("; frame-ancestors 'self'"), "{policy}");
    }
    for path in [
        "/pets",
        "/pets/1",
        "/board",
        "/sign-in",
        "/embed",
        "/embed/nothing",
    ] {
        let policy = policy_of(&rescue, path).await;
        assert!(
            policy.contains("frame-ancestors 'none'"),
            "{path}: {policy}"
        );
    }
}

#[tokio::test]
async fn a_theme_is_that_of_all_style_sheets() {
    let rescue = Rescue::start().await;
    for (theme, media) in [("dark", "@media all"), ("light", "@media not all")] {
        let page = rescue
            .app
            .text(&format!("/embed/pets/1?theme={theme}"))
            .await;
        let links = page.split("<link rel=\"stylesheet\" href=\"").skip(1);
        let links: Vec<&str> = links.map(|rest| rest.split('"').next().unwrap()).collect();
        let themed = format!("visitor.css?theme={theme}");
        let sheet = links.iter().find(|link| link.ends_with(&themed)).unwrap();
        let sheet = rescue.app.text(sheet).await;
        assert!(sheet.contains(media), "{theme}");
        assert!(!sheet.contains("prefers-color-scheme"), "{theme}");
    }
    for sheet in [
        "/assets/accent/7a0019.css",
        "/assets/activities/walk.walk.7a0019.css",
    ] {
        let plain = rescue.app.text(sheet).await;
        assert!(plain.contains("(prefers-color-scheme:dark)"), "{plain}");
        let dark = rescue.app.text(&format!("{sheet}?theme=dark")).await;
        assert!(dark.contains("@media  all{"), "{dark}");
    }
}

/// Returns the texts of a picture, which is parsed as a whole.
fn texts_of(picture: &str) -> Vec<String> {
    let mut reader = Reader::from_str(picture);
    let (mut texts, mut is_text) = (Vec::new(), false);
    loop {
        match reader.read_event().unwrap() {
            Event::Eof => return texts,
            Event::Start(start) => {
                assert_ne!(start.name().as_ref(), b"script");
                is_text = start.name().as_ref() == b"text";
            }
            Event::End(_) => is_text = false,
            Event::Text(text) if is_text => texts.push(text.unescape().unwrap().into_owned()),
            _ => {}
        }
    }
}

#[tokio::test]
async fn a_badge_is_a_picture_that_runs_nothing_and_that_a_proxy_asks_for_again() {
    let app = spawn_app().await;
    app.add_pet(HOSTILE).await;
    app.set_status(1, "eating").await;
    let answer = app.get(BADGE).await;
    let headers = answer.headers().clone();
    assert_eq!(headers["content-type"], "image/svg+xml");
    assert_eq!(headers["x-content-type-options"], "nosniff");
    let policy = "default-src 'none'; frame-ancestors 'none'; sandbox";
    assert_eq!(headers["content-security-policy"], policy);
    assert_eq!(headers["cache-control"], "no-cache");
    let picture = answer.text().await.unwrap();
    assert_eq!(texts_of(&picture), [HOSTILE, "Eating"]);
    assert!(
        !picture.contains("<style") && !picture.contains("href"),
        "{picture}"
    );
    // As the proxies of pictures ask.
    let again = || {
        app.request("GET", BADGE)
            .header("if-none-match", &headers["etag"])
    };
    assert_eq!(again().send().await.unwrap().status(), 304);
    app.set_status(1, "sleeping").await;
    let changed = again().send().await.unwrap();
    assert_eq!(changed.status(), 200);
    assert_eq!(texts_of(&changed.text().await.unwrap())[1], "Sleeping");
    let never = app.get("/pets/99/badge.svg").await;
    assert_eq!(never.status(), 404);
    assert_eq!(
        texts_of(&never.text().await.unwrap()),
        ["Pet", "not listed"]
    );
}

async fn oembed(app: &TestApp, query: &[(&str, &str)]) -> (u16, Value) {
    let query = serde_urlencoded::to_string(query).unwrap();
    let answer = app.get(&format!("/oembed?{query}")).await;
    let status = answer.status().as_u16();
    (status, answer.json().await.unwrap())
}

#[tokio::test]
async fn an_address_becomes_a_frame_that_wordpress_accepts() {
    let rescue = public_rescue().await;
    let app = &rescue.app;
    for url in [
        "https://pets.example/pets/1",
        "http://Pets.example/pets/1/?x=y#z",
    ] {
        let (status, answer) = oembed(app, &[("url", url), ("format", "json")]).await;
        assert_eq!(status, 200, "{url}: {answer}");
        assert_eq!(
            (&answer["version"], &answer["type"]),
            (&json!("1.0"), &json!("rich"))
        );
        assert_eq!(
            (&answer["title"], &answer["width"]),
            (&json!("Biscuit"), &json!(600))
        );
        let html = answer["html"].as_str().unwrap();
        let frame = "<blockquote><a href=\"https://pets.example/pets/1\">Biscuit</a></blockquote>\
             <iframe src=\"https://pets.example/embed/pets/1\" title=\"Biscuit\" width=\"600\"";
        assert!(
            html.starts_with(frame) && html.ends_with("></iframe>"),
            "{html}"
        );
    }
    let small = [
        ("url", "https://pets.example/pets"),
        ("maxwidth", "300"),
        ("maxheight", "400"),
    ];
    let (_, board) = oembed(app, &small).await;
    assert_eq!(
        (&board["width"], &board["height"]),
        (&json!(300), &json!(400))
    );
    assert!(board["html"].as_str().unwrap().contains("/embed/board"));
    for (query, status) in [
        (vec![("format", "json")], 400),
        (
            vec![("url", "https://pets.example/pets/1"), ("format", "xml")],
            501,
        ),
        (vec![("url", "https://pets.example/pets/99")], 404),
        (vec![("url", "https://pets.example/account")], 404),
        (
            vec![("url", "https://pets.example.evil.example/pets/1")],
            404,
        ),
        (
            vec![("url", "https://evil.example/https://pets.example/pets/1")],
            404,
        ),
        (vec![("url", "https://u@pets.example/pets/1")], 404),
        (vec![("url", "nonsense")], 404),
    ] {
        assert_eq!(oembed(app, &query).await.0, status, "{query:?}");
    }
}

#[tokio::test]
async fn pages_name_the_description_of_their_frame_unless_frames_are_closed() {
    let rescue = public_rescue().await;
    let app = &rescue.app;
    let link = "type=\"application/json+oembed\" title=\"";
    for page in ["/pets", "/pets/1"] {
        let html = app.text(page).await;
        let (_, rest) = html.split_once(link).unwrap();
        let href = &attributes(rest, "href")[0];
        let path = href.strip_prefix("https://pets.example").unwrap();
        let answer = app.json(path).await;
        assert_eq!(answer["type"], "rich", "{page}");
    }
    assert!(!app.text("/pets/1").await.contains("\"/oembed"));
    let (rescue, mut anna) = Rescue::start_as("anna").await;
    assert_eq!(allow(&mut anna, "none").await, 303);
    let url = rescue.app.url("/pets/1");
    assert_eq!(oembed(&rescue.app, &[("url", &url)]).await.0, 404);
}

#[tokio::test]
async fn a_share_page_writes_each_snippet_as_text_and_shows_it() {
    let rescue = public_rescue().await;
    fill(&rescue).await;
    let app = &rescue.app;
    let answer = app.get("/pets/3/share").await;
    let policy = answer.headers()["content-security-policy"]
        .to_str()
        .unwrap()
        .to_owned();
    assert!(policy.ends_with("; frame-src 'self'"), "{policy}");
    assert!(policy.contains("frame-ancestors 'none'"), "{policy}");
    let page = answer.text().await.unwrap();
    assert!(!page.contains("My account"), "nobody is signed in");
    let texts = page.split("<pre ").skip(1);
    let texts = texts.map(|rest| unescape(rest.split("</pre>").next().unwrap()));
    let texts: Vec<String> = texts.collect();
    let written = |text: &str| texts.iter().any(|snippet| snippet.contains(text));
    let name = "]]&gt; &lt;script&gt;&quot;'&amp;amp;";
    for snippet in [
        ">https://pets.example/pets/3",
        "<iframe src=\"https://pets.example/embed/pets/3\"",
        &format!("title=\"{name}\""),
        "<script type=\"module\" src=\"https://pets.example/live/client.js\"></script>",
        &format!(
            "<pet-status pet=\"3\"><a href=\"https://pets.example/pets/3\">{name}</a></pet-status>"
        ),
        &format!("<img src=\"https://pets.example/pets/3/badge.svg\" alt=\"{name}\""),
        &format!("<img src=\"https://pets.example/pets/3/live.png\" alt=\"{name}\""),
        "(https://pets.example/pets/3/badge.svg)](https://pets.example/pets/3)",
        ">https://pets.example/pets/3/feed.atom",
    ] {
        assert!(written(snippet), "{snippet} in {texts:#?}");
    }
    for shown in [
        "<iframe src=\"/embed/pets/3\"",
        "<pet-status pet=\"3\">",
        "<img src=\"/pets/3/badge.svg\"",
        "<img src=\"/pets/3/live.png\"",
    ] {
        assert!(unescape(&page).contains(shown), "{shown}");
    }
    let board = unescape(&app.text("/share").await);
    assert!(
        board.contains("<pet-board><a href=\"https://pets.example/pets\">Our pets</a></pet-board>")
    );
    for (page, link) in [("/pets", "/share"), ("/pets/1", "/pets/1/share")] {
        assert!(
            app.text(page).await.contains(&format!("href=\"{link}\"")),
            "{page}"
        );
    }
}
