//! The settings of the rescue: who may edit them, where they are shown, and what keeps them.

mod activities;

use pet_store::auth::BaseUrl;

use crate::support::{Browser, PASSWORD, Rescue, spawn_app, unescape};

/// Sends the form as it was rendered, with these fields changed. Returns the status and the page.
async fn save(browser: &mut Browser, fields: &[(&str, &str)]) -> (u16, String) {
    let page = browser.get("/settings").await;
    let base = base_of(&page);
    send(browser, &base, fields).await
}

/// Sends a form that was rendered with the settings `base`.
async fn send(browser: &mut Browser, base: &str, fields: &[(&str, &str)]) -> (u16, String) {
    let fields = [fields, &[("author", "anna"), ("base", base)]].concat();
    let answer = browser.post("/settings", &fields).await;
    let status = answer.status().as_u16();
    let page = answer.text().await.unwrap();
    browser.learn_form_token(&page);
    (status, page)
}

fn base_of(page: &str) -> String {
    let (_, rest) = page.split_once("name=\"base\" value=\"").unwrap();
    unescape(rest.split('"').next().unwrap())
}

#[tokio::test]
async fn only_an_admin_who_is_signed_in_edits_the_settings() {
    let rescue = Rescue::start().await;
    let mut visitor = rescue.browser();
    assert_eq!(visitor.status("/settings").await, 303);
    assert_eq!(save_blindly(&mut visitor).await, 401);
    let mut boris = rescue.signed_in("boris").await;
    assert_eq!(boris.status("/settings").await, 403);
    assert_eq!(save_blindly(&mut boris).await, 403);
    assert!(!boris.get("/pets").await.contains("href=\"/settings\""));
    let [_, _, write] = &rescue.tokens;
    let with_token = rescue.bearing(write, "POST", "/settings");
    let answer = with_token.form(&[("name", "Mallory")]).send().await;
    assert_eq!(answer.unwrap().status(), 403);

    let mut anna = rescue.signed_in("anna").await;
    assert!(anna.get("/pets").await.contains("href=\"/settings\""));
    let form_token = std::mem::replace(&mut anna.form_token, "of another page".to_owned());
    assert_eq!(save_blindly(&mut anna).await, 403, "a wrong form token");
    anna.form_token = form_token;
    let page = anna.get("/pets").await;
    assert!(page.contains("<title>Pets · Pet rescue</title>"), "{page}");
    assert_eq!(save_blindly(&mut anna).await, 303);
    assert!(anna.get("/pets").await.contains("Mallory"));
}

async fn save_blindly(browser: &mut Browser) -> u16 {
    browser.submit("/settings", &[("name", "Mallory")]).await
}

#[tokio::test]
async fn visitors_see_the_name_the_website_and_the_footer_and_no_other_program() {
    let (rescue, mut anna) = Rescue::start_as("anna").await;
    let entered = [
        ("name", "  Happy <Tails> "),
        ("website", "happytails.example"),
        ("footer", "Open on Sundays & by appointment"),
    ];
    assert_eq!(save(&mut anna, &entered).await.0, 303);
    for path in ["/pets", "/pets/1", "/pets/99", "/sign-in", "/live/doctor"] {
        let page = unescape(&rescue.app.text(path).await);
        let (_, title) = page.split_once("<title>").unwrap();
        let (title, _) = title.split_once("</title>").unwrap();
        assert!(title.ends_with(" · Happy <Tails>"), "{title}");
        assert!(page.contains("dir=\"auto\">Happy <Tails></a>"), "{page}");
        assert!(page.contains("Open on Sundays & by appointment"));
        assert!(page.contains("href=\"https://happytails.example\""));
        assert!(page.contains("data-site=\"Happy <Tails>\""), "{page}");
        let others = page.replace("Made with pet-store", "");
        assert!(!others.contains("pet-store"), "{path}: {others}");
    }
    let audit = unescape(&anna.get("/audit").await);
    let entry = "changed the settings: name set to Happy <Tails>, website set to \
                 https://happytails.example, footer set to Open on Sundays & by appointment";
    assert!(audit.contains(entry), "{audit}");
    save(&mut anna, &[("name", "Paws"), ("footer", "")]).await;
    let audit = unescape(&anna.get("/audit").await);
    let entry = "changed the settings: name from Happy <Tails> to Paws, footer removed";
    assert!(audit.contains(entry), "{audit}");
}

#[tokio::test]
async fn a_pets_page_offers_the_ways_to_ask_about_it_that_the_rescue_has() {
    let base = Some(BaseUrl::parse("https://pets.example").unwrap());
    let rescue = Rescue::start_with(|config| config.base_url = base).await;
    let mut anna = rescue.browser();
    anna.origin = "https://pets.example".to_owned();
    assert_eq!(anna.sign_in("anna", PASSWORD).await.status(), 303);
    anna.get("/settings").await;
    let plain = rescue.app.text("/pets/1").await;
    assert!(!plain.contains("Ask about"), "{plain}");
    let pet = [("name", "Mößli & <Co>"), ("species", "Cat")];
    assert_eq!(anna.submit("/pets/1", &pet).await, 303);
    let entered = [
        ("name", "Paws"),
        ("mail", "hello@paws.example"),
        ("phone", "+44 (20) 7946-0000"),
        ("contact-page", "paws.example/ask"),
    ];
    assert_eq!(save(&mut anna, &entered).await.0, 303);
    let page = unescape(&rescue.app.text("/pets/1").await);
    for part in [
        "Ask about <span data-field=\"name\" dir=\"auto\">Mößli & <Co></span>",
        "href=\"mailto:hello@paws.example?subject=Question%20about%20M%C3%B6%C3%9Fli%20%26%20%3CCo%3E\
         &body=%0D%0A%0D%0AM%C3%B6%C3%9Fli%20%26%20%3CCo%3E%3A%20\
         https%3A%2F%2Fpets%2Eexample%2Fpets%2F1%0D%0A\"",
        "href=\"tel:+442079460000\">Call +44 (20) 7946-0000</a>",
        "href=\"https://paws.example/ask\"",
    ] {
        assert!(page.contains(part), "{part}: {page}");
    }
    let board = unescape(&rescue.app.text("/pets").await);
    assert!(board.contains("href=\"mailto:hello@paws.example\">hello@paws.example</a>"));
    save(&mut anna, &[("name", "Paws"), ("mail", ""), ("phone", "")]).await;
    let page = rescue.app.text("/pets/1").await;
    assert!(
        page.contains("Contact us") && !page.contains("mailto:"),
        "{page}"
    );
}

#[tokio::test]
async fn the_colour_is_that_of_every_page_and_one_that_is_too_light_is_refused() {
    let (rescue, mut anna) = Rescue::start_as("anna").await;
    let page = anna.get("/settings").await;
    assert!(page.contains("type=\"color\" value=\"#1d5747\""), "{page}");
    let entered = [("name", "Paws"), ("accent", "#F59E0B")];
    let (status, page) = save(&mut anna, &entered).await;
    assert_eq!(status, 422);
    let proposed = page
        .split(" is a darker shade of it that works.")
        .next()
        .unwrap();
    let proposed = proposed.rsplit(' ').next().unwrap().to_owned();
    let entered = [("name", "Paws"), ("accent", proposed.as_str())];
    assert_eq!(save(&mut anna, &entered).await.0, 303);
    let path = format!("/assets/accent/{}.css", &proposed[1..]);
    for page in ["/pets", "/pets/1", "/sign-in"] {
        let page = unescape(&rescue.app.text(page).await);
        assert!(
            page.contains(&format!("<link rel=\"stylesheet\" href=\"{path}\">")),
            "{page}"
        );
    }
    let sheet = rescue.app.get(&path).await;
    assert_eq!(sheet.headers()["content-type"], "text/css; charset=utf-8");
    assert!(
        sheet.headers()["cache-control"]
            .to_str()
            .unwrap()
            .contains("immutable")
    );
    let sheet = sheet.text().await.unwrap();
    assert!(sheet.contains(&format!("--spruce:{proposed};")), "{sheet}");
    // Pages request a sheet without this mark again and again (public/app/loader.js).
    assert!(sheet.ends_with("}\n#complete{order:1}\n"), "{sheet}");
    for path in ["f59e0b.css", "1d5747", "x.css", "1d5747;}.css"] {
        let answer = rescue.app.get(&format!("/assets/accent/{path}")).await;
        assert_eq!(answer.status(), 404, "{path}");
    }
    // The built-in colour is none of the rescue's own.
    save(&mut anna, &[("name", "Paws"), ("accent", "#1d5747")]).await;
    assert!(!rescue.app.text("/pets").await.contains("/assets/accent/"));
}

#[tokio::test]
async fn a_status_is_old_after_the_hours_of_the_setting_and_confirming_it_begins_it_again() {
    let (rescue, mut anna) = Rescue::start_as("anna").await;
    let micros = pet_store::model::Timestamp::now().micros() - 13 * 3_600_000_000;
    let since = pet_store::model::Timestamp::from_micros(micros).to_string();
    let set = async |fields: serde_json::Value| {
        let request = rescue.bearing(&rescue.tokens[1], "PUT", "/api/v1/pets/1/status");
        assert_eq!(request.json(&fields).send().await.unwrap().status(), 200);
        let pet = rescue.app.json("/api/v1/pets/1").await;
        pet["since"].as_str().unwrap().to_owned()
    };
    let eating = serde_json::json!({ "status": "eating" });
    let past = serde_json::json!({ "status": "eating", "since": since });
    for (hours, is_old) in [("12", true), ("24", false), ("6", true), ("never", false)] {
        assert_eq!(set(past.clone()).await, since);
        assert_eq!(save(&mut anna, &[("status-age", hours)]).await.0, 303);
        for path in ["/pets", "/pets/1", "/board"] {
            let page = rescue.app.text(path).await;
            let (body, _) = page.split_once("<main").unwrap();
            let is_default = hours == "12";
            let setting = format!("data-status-age=\"{hours}\"");
            assert_eq!(body.contains(&setting), !is_default, "{path} {hours}");
            let is_shown = page.contains("data-status=\"eating\" data-old");
            assert_eq!(is_shown, is_old, "{path} {hours}");
        }
        let confirmed = set(eating.clone()).await;
        assert_eq!(confirmed != since, is_old, "{hours}");
    }
}

#[tokio::test]
async fn times_follow_the_time_zone_and_the_clock() {
    let (rescue, mut anna) = Rescue::start_as("anna").await;
    let page = unescape(&anna.get("/settings").await);
    assert!(
        page.contains("data-guess-time-zone"),
        "the script may guess it"
    );
    assert!(page.contains("<option value=\"Asia/Kathmandu\">"), "{page}");
    let wrong = [
        ("name", "Paws"),
        ("time-zone", "Europe/Atlantis"),
        ("clock", "13"),
    ];
    let (status, page) = save(&mut anna, &wrong).await;
    assert_eq!(status, 422);
    assert!(page.contains("Choose a time zone.") && page.contains("Choose one of the options."));
    let entered = [
        ("name", "Paws"),
        ("time-zone", "Asia/Kathmandu"),
        ("clock", "12"),
    ];
    assert_eq!(save(&mut anna, &entered).await.0, 303);
    let page = unescape(&anna.get("/settings").await);
    assert!(
        page.contains("<option value=\"Asia/Kathmandu\" selected>"),
        "{page}"
    );
    assert!(!page.contains("data-guess-time-zone"));
    for path in ["/pets", "/pets/1", "/pets/1/history", "/account", "/audit"] {
        let page = unescape(&anna.get(path).await);
        assert!(
            page.contains("data-time-zone=\"Asia/Kathmandu\" data-clock=\"12\""),
            "{path}"
        );
        let (_, main) = page.split_once("<main").unwrap();
        for time in main.split("<time").skip(1) {
            let (attributes, text) = time.split_once('>').unwrap();
            let text = text.split('<').next().unwrap();
            if attributes.contains("datetime=\"20") && !text.is_empty() {
                let is_12_hour = text.ends_with(" am") || text.ends_with(" pm");
                assert!(is_12_hour, "{text} in {path}");
            }
        }
    }
    let answer = rescue.app.json("/api/v1/pets/1").await;
    let since: jiff::Timestamp = answer["since"].as_str().unwrap().parse().unwrap();
    let local = since.in_tz("Asia/Kathmandu").unwrap();
    let shown = local.strftime("%-I:%M %P").to_string();
    assert!(rescue.app.text("/pets/1").await.contains(&shown), "{shown}");
}

#[tokio::test]
async fn a_refused_form_says_what_to_do_and_keeps_what_was_entered() {
    let (rescue, mut anna) = Rescue::start_as("anna").await;
    let entered = [
        ("name", " "),
        ("website", "javascript:alert(1)"),
        ("footer", "Kept text"),
    ];
    let (status, page) = save(&mut anna, &entered).await;
    assert_eq!(status, 422);
    for part in [
        "<title>Error: Settings",
        "Name of your rescue: enter the name of your rescue.",
        "Enter the address of a page, for example https://happytails.example.",
        "value=\"Kept text\"",
        "value=\"javascript:alert(1)\"",
        "data-entered",
    ] {
        let page = unescape(&page);
        assert!(page.contains(part), "{part}: {page}");
    }
    assert!(!rescue.app.text("/pets").await.contains("Kept text"));
    // A form that could not be saved at all is returned too.
    anna.form_token = "of another page".to_owned();
    let (status, page) = send(&mut anna, "{}", &entered).await;
    assert_eq!(status, 403);
    assert!(page.contains("value=\"Kept text\""), "{page}");
}

#[tokio::test]
async fn two_admins_keep_both_of_their_changes_and_choose_between_two_of_the_same() {
    let (rescue, mut anna) = Rescue::start_as("anna").await;
    let first = [("name", "Paws"), ("footer", "Open on Sundays")];
    assert_eq!(save(&mut anna, &first).await.0, 303);
    let base = base_of(&anna.get("/settings").await);
    let theirs = [("name", "Paws"), ("footer", "Open on Mondays")];
    let same = [("name", "Happy Paws"), ("footer", "Open on Sundays")];
    let other = [("name", "Happy Paws"), ("footer", "Closed")];
    assert_eq!(send(&mut anna, &base, &theirs).await.0, 303);
    assert_eq!(send(&mut anna, &base, &same).await.0, 303);
    assert_eq!(send(&mut anna, &base, &same).await.0, 303, "sent twice");
    let page = rescue.app.text("/pets").await;
    assert!(page.contains("Happy Paws") && page.contains("Open on Mondays"));

    let (status, page) = send(&mut anna, &base, &other).await;
    assert_eq!(status, 409);
    assert!(page.contains("Someone else saved the settings while you were editing."));
    assert!(page.contains("Open on Mondays") && page.contains("value=\"Closed\""));
    let base = base_of(&page);
    let choice = [&other[..], &[("keep-footer", "theirs")]].concat();
    assert_eq!(send(&mut anna, &base, &choice).await.0, 303);
    assert!(rescue.app.text("/pets").await.contains("Open on Mondays"));
}

#[tokio::test]
async fn the_settings_survive_restart_backup_and_export_also_without_staff() {
    let (rescue, mut anna) = Rescue::start_as("anna").await;
    save(&mut anna, &[("name", "Happy Tails")]).await;
    let rescue = rescue.restart().await;
    assert!(rescue.app.text("/pets").await.contains("Happy Tails"));

    let (_place, copies) = rescue.copies();
    for data in copies {
        let moved = Rescue::start().await.moved_to(&data).await;
        assert!(moved.app.text("/pets").await.contains("Happy Tails"));
    }
}

#[tokio::test]
async fn the_demo_has_a_sample_name_and_no_settings() {
    let app = spawn_app().await;
    let page = app.text("/pets").await;
    assert!(
        page.contains("<title>Pets · Sample Rescue</title>"),
        "{page}"
    );
    assert!(!page.contains("href=\"/settings\""));
    assert!(page.contains("mailto:hello@rescue.example"), "{page}");
    assert_eq!(app.get("/settings").await.status(), 404);
}
