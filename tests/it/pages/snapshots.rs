//! Every page as a visitor, staff, an admin and a visitor of the demo see it.
//!
//! A snapshot is one page in all its variants: method, path and status, then the HTML. Values that
//! differ from run to run are replaced by their names in brackets. After an intended change, run
//! `INSTA_UPDATE=always cargo test --test it snapshots` and read the difference.

use crate::support::{Browser, PASSWORD, Rescue, TestApp, spawn_app, unescape};

/// What differs from run to run, and the name that replaces it.
const PLACEHOLDERS: [(&str, &str); 17] = [
    (
        r#"(?s)<svg class="day-strip".*?</svg>"#,
        "<svg>[hours]</svg>",
    ),
    (r"/days/[-0-9]+", "/days/[today]"),
    (r"/assets/[0-9a-f]{16}/", "/assets/[fingerprint]/"),
    (r"<script>[^<]+</script>", "<script>[loader]</script>"),
    (r"/live/poll/[0-9a-f]{16}", "/live/poll/[nonce]"),
    (r"127\.0\.0\.1:\d+", "[host]"),
    (r"/welcome/[0-9a-f]{64}", "/welcome/[secret]"),
    (r"petstore_[0-9a-f]{64}", "[token]"),
    (r"\b[0-9a-f]{128}\b", "[form token]"),
    (r"\b[0-9a-f]{32}\b", "[key]"),
    (r"\b[0-9a-f]{8}-\d+\b", "[cursor]"),
    (r"/(sessions|tokens)/[0-9a-f]{16}\b", "/$1/[handle]"),
    (r"\b\d{4}-\d\d-\d\dT[0-9:.]+Z", "[time]"),
    (r">(As of )?[^<>]*\d\d:\d\d UTC", ">$1[clock] UTC"),
    (r"\b\d+ (min|h|d)\b", "[duration]"),
    (r"\[duration\] \[duration\]", "[duration]"),
    (r"\b(\d{1,2} seconds)\b", "[seconds]"),
];

/// The variants of one page.
#[derive(Default)]
struct Variants(String);

impl Variants {
    /// Adds a whole page.
    fn add(&mut self, title: &str, page: &str) {
        let page = page.trim_end();
        self.0
            .push_str(&format!("======== {title}\n{}\n\n", compact(page)));
    }

    /// Adds title and main of a page, without the frame that all pages share.
    fn add_main(&mut self, title: &str, page: &str) {
        let part = |start: &str, end: &str| {
            let (_, rest) = page.split_once(start).expect(start);
            let (part, _) = rest.split_once(end).expect(end);
            format!("{start}{part}{end}")
        };
        let parts = [part("<title>", "</title>"), part("<main", "</main>")];
        self.add(title, &parts.join("\n"));
    }

    fn assert(self, name: &str) {
        let mut settings = insta::Settings::clone_current();
        settings.set_prepend_module_to_snapshot(false);
        settings.set_omit_expression(true);
        for (pattern, name) in PLACEHOLDERS {
            settings.add_filter(pattern, name);
        }
        settings.bind(|| insta::assert_snapshot!(name, self.0));
    }
}

/// Removes blank lines, which loops of templates leave behind.
fn compact(page: &str) -> String {
    let lines = page.lines().filter(|line| !line.trim().is_empty());
    lines.collect::<Vec<_>>().join("\n").replace("&#x2f;", "/")
}

/// Sends a form, and returns the page of the answer.
async fn post(browser: &mut Browser, path: &str, fields: &[(&str, &str)]) -> (u16, String) {
    let answer = browser.post(path, fields).await;
    let status = answer.status().as_u16();
    (status, answer.text().await.unwrap())
}

async fn demo() -> TestApp {
    let app = spawn_app().await;
    let fields = [
        ("name", "Biscuit"),
        ("species", "Dog"),
        ("breed", "Beagle"),
        ("sex", "female"),
        ("age", "about 3 years"),
        ("about", "Walks well on a lead."),
    ];
    assert_eq!(app.post_form("/pets", &fields).await.status(), 303);
    app
}

#[tokio::test]
async fn the_pages_of_the_demo() {
    let app = demo().await;
    for (name, path) in [
        ("demo_pets", "/pets"),
        ("demo_hello", "/hello"),
        ("demo_doctor", "/live/doctor"),
    ] {
        let mut variants = Variants::default();
        variants.add(&format!("demo: GET {path}"), &app.text(path).await);
        variants.assert(name);
    }
    let mut forms = Variants::default();
    for path in ["/pets/1", "/pets/new", "/pets/1/edit"] {
        forms.add_main(&format!("demo: GET {path}"), &app.text(path).await);
    }
    let wrong = [("name", " "), ("sex", "?"), ("species", "a dog")];
    for path in ["/pets", "/pets/1"] {
        let answer = app.post_form(path, &wrong).await;
        let title = format!("demo: POST {path} → {}", answer.status().as_u16());
        forms.add_main(&title, &answer.text().await.unwrap());
    }
    forms.assert("demo_forms");
}

#[tokio::test]
async fn the_boards_of_a_rescue() {
    let rescue = Rescue::start().await;
    let mut variants = Variants::default();
    let (mut visitor, mut boris) = (rescue.browser(), rescue.signed_in("boris").await);
    let screen = visitor.get("/board").await;
    for path in ["/pets", "/pets/1"] {
        let page = visitor.get(path).await;
        variants.add(&format!("visitor: GET {path}"), &page);
        let page = boris.get(path).await;
        variants.add(&format!("staff: GET {path}"), &page);
    }
    variants.assert("boards");
    let mut variants = Variants::default();
    variants.add("visitor: GET /board", &screen);
    variants.assert("lobby");
}

#[tokio::test]
async fn the_history_and_the_activity_log() {
    let rescue = Rescue::start().await;
    let (mut boris, mut anna) = (
        rescue.signed_in("boris").await,
        rescue.signed_in("anna").await,
    );
    let profile = [("name", "Miso"), ("species", "Cat"), ("breed", "Siamese")];
    post(&mut boris, "/pets", &profile).await;
    post(&mut boris, "/pets/2/status", &[("status", "eating")]).await;
    let profile = [("name", "Miso"), ("species", "Cat"), ("breed", "Burmese")];
    post(&mut anna, "/pets/2", &profile).await;
    let mut history = Variants::default();
    history.add_main(
        "staff: GET /pets/2/history",
        &boris.get("/pets/2/history").await,
    );
    post(&mut boris, "/pets/2/delete", &[]).await;
    history.add_main(
        "staff: GET /pets",
        &get_once(&mut boris, "pet-store-done=pet-removed~2", "/pets").await,
    );
    history.add_main(
        "staff: GET /pets/2/history",
        &boris.get("/pets/2/history").await,
    );
    history.assert("history");
    let confirmed = [("do", "make-admin"), ("confirm", "yes")];
    post(&mut anna, "/staff/boris", &confirmed).await;
    let mut log = Variants::default();
    log.add_main("admin: GET /audit", &anna.get("/audit").await);
    log.assert("audit");
}

/// Reads a page with one more cookie.
async fn get_once(browser: &mut Browser, cookie: &str, path: &str) -> String {
    let cookies = format!("{}; {cookie}", browser.cookie.clone().unwrap());
    let mut once = browser.clone();
    once.cookie = Some(cookies);
    once.get(path).await
}

#[tokio::test]
async fn the_pages_to_sign_in() {
    let rescue = Rescue::start().await;
    let mut visitor = rescue.browser();
    let mut variants = Variants::default();
    let page = visitor.get("/sign-in").await;
    variants.add_main("visitor: GET /sign-in", &page);
    let wrong = [("name", "anna"), ("password", "wrong")];
    let (status, page) = post(&mut visitor, "/sign-in", &wrong).await;
    variants.add_main(&format!("visitor: POST /sign-in → {status}"), &page);
    for _ in 0..20 {
        post(&mut visitor, "/sign-in", &wrong).await;
    }
    let (status, page) = post(&mut visitor, "/sign-in", &wrong).await;
    variants.add_main(&format!("visitor: POST /sign-in → {status}"), &page);
    let fields = [("author", "boris"), ("name", "Miso"), ("species", "Cat")];
    let (status, page) = post(&mut visitor, "/pets", &fields).await;
    variants.add_main(&format!("signed out: POST /pets → {status}"), &page);
    variants.assert("sign_in");
}

#[tokio::test]
async fn the_page_of_ones_own_account() {
    let rescue = Rescue::start().await;
    let mut anna = rescue.signed_in("anna").await;
    let mut variants = Variants::default();
    let page = anna.get("/account").await;
    variants.add_main("admin: GET /account", &page);
    let mut elsewhere = rescue.signed_in("anna").await;
    let session = link_in(&anna.get("/account").await, "/account/sessions/");
    for path in ["/account/sessions", &session] {
        let page = anna.get(path).await;
        variants.add_main(&format!("admin: GET {path}"), &page);
    }
    elsewhere.post("/sign-out", &[]).await;
    let fields = [("token-name", "Kennel camera"), ("scope", "set-status")];
    let (status, page) = post(&mut anna, "/account/tokens", &fields).await;
    variants.add_main(&format!("admin: POST /account/tokens → {status}"), &page);
    let token = link_in(&page, "/account/tokens/");
    let page = anna.get(&token).await;
    variants.add_main(&format!("admin: GET {token}"), &page);
    let (status, page) = post(&mut anna, "/account/tokens", &[("token-name", " ")]).await;
    variants.add_main(&format!("admin: POST /account/tokens → {status}"), &page);
    for fields in [
        [
            ("present", "wrong"),
            ("password", "a password of my own"),
            ("again", "a password of my own"),
        ],
        [
            ("present", PASSWORD),
            ("password", "a password of my own"),
            ("again", "another"),
        ],
        [
            ("present", PASSWORD),
            ("password", "short"),
            ("again", "short"),
        ],
    ] {
        let (status, page) = post(&mut anna, "/account/password", &fields).await;
        variants.add_main(&format!("admin: POST /account/password → {status}"), &page);
    }
    variants.assert("account");
}

/// The first link of a page that starts with `path` and goes on.
fn link_in(page: &str, path: &str) -> String {
    let page = unescape(page);
    let (_, rest) = page.split_once(&format!("href=\"{path}")).unwrap();
    format!("{path}{}", rest.split('"').next().unwrap())
}

#[tokio::test]
async fn the_pages_to_manage_staff() {
    let rescue = Rescue::start().await;
    let mut anna = rescue.signed_in("anna").await;
    let mut variants = Variants::default();
    let page = anna.get("/staff").await;
    variants.add_main("admin: GET /staff", &page);
    let fields = [("name", "cleo"), ("role", "staff")];
    let (status, page) = post(&mut anna, "/staff", &fields).await;
    variants.add_main(&format!("admin: POST /staff → {status}"), &page);
    let fields = [("name", "Not a name!"), ("role", "staff")];
    let (status, page) = post(&mut anna, "/staff", &fields).await;
    variants.add_main(&format!("admin: POST /staff → {status}"), &page);
    let fields = [("do", "make-staff"), ("confirm", "yes")];
    let (status, page) = post(&mut anna, "/staff/anna", &fields).await;
    variants.add_main(&format!("admin: POST /staff/anna → {status}"), &page);
    post(
        &mut anna,
        "/staff/boris",
        &[("do", "disable"), ("confirm", "yes")],
    )
    .await;
    let cookie = "pet-store-done=suspended~boris~1~0";
    let page = get_once(&mut anna, cookie, "/staff").await;
    variants.add_main("admin: GET /staff", &page);
    variants.assert("staff");
    let mut questions = Variants::default();
    for path in [
        "/staff/anna?do=make-staff",
        "/staff/boris?do=disable",
        "/staff/boris?do=reset",
        "/staff/boris?do=remove",
    ] {
        let page = anna.get(path).await;
        questions.add_main(&format!("admin: GET {path}"), &page);
    }
    questions.assert("staff_confirmations");
}

#[tokio::test]
async fn the_page_behind_an_invitation() {
    let rescue = Rescue::start().await;
    let mut anna = rescue.signed_in("anna").await;
    let fields = [("name", "cleo"), ("role", "staff")];
    let (_, page) = post(&mut anna, "/staff", &fields).await;
    let page = unescape(&page);
    let (_, rest) = page.split_once("/welcome/").unwrap();
    let link = format!("/welcome/{}", &rest[..64]);
    let (mut cleo, mut variants) = (rescue.browser(), Variants::default());
    let page = cleo.get(&link).await;
    variants.add_main("invited: GET /welcome", &page);
    let fields = [("password", "a password of my own"), ("again", "another")];
    let (status, page) = post(&mut cleo, &link, &fields).await;
    variants.add_main(&format!("invited: POST /welcome → {status}"), &page);
    let page = cleo.get(&format!("/welcome/{}", "0".repeat(64))).await;
    variants.add_main("visitor: GET /welcome with an old link", &page);
    variants.assert("invitation");
}

#[tokio::test]
async fn the_pages_that_say_what_went_wrong() {
    let rescue = Rescue::start().await;
    let mut boris = rescue.signed_in("boris").await;
    let visitor = rescue.browser();
    let mut variants = Variants::default();
    for path in ["/pets/99", "/nothing", "/staff"] {
        let page = boris.get(path).await;
        variants.add_main(&format!("staff: GET {path}"), &page);
    }
    let answer = visitor.ask("DELETE", "/pets").send().await.unwrap();
    variants.add_main("visitor: DELETE /pets", &answer.text().await.unwrap());
    let token = std::mem::replace(&mut boris.form_token, "of another page".to_owned());
    for (path, fields) in [
        ("/pets", &[("name", "Miso"), ("species", "Cat")][..]),
        ("/pets/1", &[("name", "Miso"), ("species", "Cat")]),
        ("/pets/1/status", &[("status", "eating")]),
        ("/account/tokens", &[("token-name", "Kennel camera")]),
        ("/sign-out", &[]),
    ] {
        let (status, page) = post(&mut boris, path, fields).await;
        variants.add_main(&format!("staff: POST {path} → {status}"), &page);
    }
    boris.form_token = token;
    post(&mut boris, "/pets/1/delete", &[]).await;
    let fields = [("name", "Miso"), ("species", "Cat")];
    let (status, page) = post(&mut boris, "/pets/1", &fields).await;
    variants.add_main(&format!("staff: POST /pets/1 → {status}"), &page);
    variants.assert("errors");
}

#[tokio::test]
async fn the_reference_of_the_api() {
    let app = spawn_app().await;
    let page = app.text("/api/docs").await;
    let (head, _) = page.split_once("<h2 id=\"schemas\">").unwrap();
    let (_, main) = head.split_once("<main").unwrap();
    let mut variants = Variants::default();
    let (contents, operations) = main.split_once("<section class=\"operation\"").unwrap();
    let (operation, _) = operations.split_once("</section>").unwrap();
    let first = format!("<main{contents}<section class=\"operation\"{operation}</section>");
    variants.add("visitor: GET /api/docs, the first operation", &first);
    variants.assert("api_docs");
}
