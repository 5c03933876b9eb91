//! Stations: a tablet that several people share. Each taps their name and enters a PIN.

use std::time::Duration;

use pet_store::config::Config;
use reqwest::StatusCode;
use tokio::time::Instant;

use crate::support::{Browser, PASSWORD, Rescue, unescape, until};

const ANNAS_PIN: &str = "4711";
const BORIS_PIN: &str = "20071969";

/// A rescue whose admin anna and staff boris have a PIN, and the tablet that anna made a station.
struct Kennel {
    rescue: Rescue,
    anna: Browser,
    boris: Browser,
    tablet: Browser,
}

impl Kennel {
    async fn start() -> Self {
        Kennel::start_with(|_| {}).await
    }

    async fn start_with(change: impl FnOnce(&mut Config)) -> Self {
        let rescue = Rescue::start_with(change).await;
        let [mut anna, mut boris] = rescue.signed_in_both(["anna", "boris"]).await;
        for (browser, pin) in [(&mut anna, ANNAS_PIN), (&mut boris, BORIS_PIN)] {
            assert_eq!(browser.submit("/account/pin", &[("pin", pin)]).await, 303);
        }
        let mut tablet = rescue.signed_in("anna").await;
        let made = tablet.post("/account/station", &[]).await;
        assert_eq!(made.headers()["location"], "/sign-in");
        tablet.get("/sign-in").await;
        Kennel {
            rescue,
            anna,
            boris,
            tablet,
        }
    }

    async fn enter(&mut self, name: &str, pin: &str) -> u16 {
        let fields = [("name", name), ("pin", pin)];
        self.tablet.submit("/sign-in", &fields).await
    }

    /// Sets a status at the tablet.
    async fn tap(&mut self) -> u16 {
        let fields = [("status", "bathing")];
        self.tablet.submit("/pets/1/status", &fields).await
    }
}

#[tokio::test]
async fn the_audit_names_the_person_who_entered_the_pin() {
    let mut kennel = Kennel::start().await;
    let page = kennel.tablet.get("/sign-in").await;
    for shown in [
        "<h1>Who is tapping?</h1>",
        "value=\"anna\"",
        "value=\"boris\"",
    ] {
        assert!(page.contains(shown), "{shown} in {page}");
    }
    assert!(!kennel.tablet.get("/pets").await.contains("/pets/new"));
    assert_eq!(kennel.tap().await, 401, "it is nobody's turn");
    assert_eq!(kennel.enter("boris", BORIS_PIN).await, 303);
    let page = kennel.tablet.get("/pets").await;
    for shown in ["/pets/new", "Done, boris"] {
        assert!(page.contains(shown), "{shown} in {page}");
    }
    assert_eq!(kennel.tap().await, 303);
    let history = kennel.boris.get("/pets/1/history").await;
    let line = "shared device, Firefox on Android";
    assert!(history.contains(line), "{history}");
    let log = kennel.anna.get("/audit").await;
    assert!(
        log.contains("made Firefox on Android a shared device"),
        "{log}"
    );
    assert!(log.contains("entered their PIN"), "{log}");

    kennel.tablet.get("/sign-in").await;
    let left = kennel.tablet.post("/sign-out", &[]).await;
    assert_eq!(left.headers()["location"], "/sign-in");
    assert_eq!(kennel.tap().await, 401);
    assert_eq!(kennel.enter("anna", ANNAS_PIN).await, 303);
    let fields = [("status", "eating")];
    let tapped = kennel.tablet.submit("/pets/1/status", &fields).await;
    assert_eq!(tapped, 303);
    let path = "/api/v1/pets/1/changes";
    let read = kennel.rescue.bearing(&kennel.rescue.tokens[0], "GET", path);
    let changes: serde_json::Value = read.send().await.unwrap().json().await.unwrap();
    let names = changes["changes"].as_array().unwrap().iter();
    let names: Vec<&str> = names.filter_map(|change| change["who"].as_str()).collect();
    assert_eq!(names[..2], ["anna", "boris"], "{changes}");
}

#[tokio::test]
async fn an_admin_has_no_page_of_accounts_at_a_station() {
    let mut kennel = Kennel::start().await;
    assert_eq!(kennel.enter("anna", ANNAS_PIN).await, 303);
    for path in [
        "/staff",
        "/audit",
        "/settings",
        "/account",
        "/account/sessions",
    ] {
        assert_eq!(kennel.tablet.status(path).await, 403, "{path}");
    }
    for path in [
        "/staff",
        "/staff/boris",
        "/settings",
        "/account/pin",
        "/account/password",
        "/account/station",
        "/account/sessions",
        "/account/tokens",
    ] {
        let fields = [("pin", "8642"), ("do", "remove"), ("confirm", "yes")];
        assert_eq!(kennel.tablet.submit(path, &fields).await, 403, "{path}");
    }
    let page = kennel.tablet.get("/pets").await;
    for hidden in ["/settings", "/account", "/staff"] {
        assert!(!page.contains(&format!("\"{hidden}\"")), "{hidden}: {page}");
    }
    assert_eq!(kennel.tablet.status("/pets/new").await, 200);
}

#[tokio::test]
async fn a_pin_opens_nothing_outside_a_station() {
    let mut kennel = Kennel::start().await;
    let mut phone = kennel.rescue.browser();
    phone.get("/sign-in").await;
    for fields in [
        [("name", "boris"), ("pin", BORIS_PIN)],
        [("name", "boris"), ("password", BORIS_PIN)],
    ] {
        assert_eq!(phone.submit("/sign-in", &fields).await, 401, "{fields:?}");
    }
    assert!(!phone.get("/sign-in").await.contains("boris"));
    let fields = [("name", "boris"), ("pin", BORIS_PIN)];
    assert_eq!(kennel.anna.submit("/sign-in", &fields).await, 401);
    assert!(kennel.anna.get("/account").await.contains("<h1>anna</h1>"));
}

#[tokio::test]
async fn wrong_pins_are_throttled_and_lock_nobody_out_of_their_account() {
    let mut kennel = Kennel::start().await;
    for _ in 0..10 {
        assert_eq!(kennel.enter("boris", "9999").await, 401);
    }
    let fields = [("name", "boris"), ("pin", BORIS_PIN)];
    let refused = kennel.tablet.post("/sign-in", &fields).await;
    assert_eq!(refused.status(), StatusCode::TOO_MANY_REQUESTS);
    assert!(refused.headers().contains_key("retry-after"));
    let page = refused.text().await.unwrap();
    assert!(page.contains("Who is tapping?"), "{page}");
    assert_eq!(kennel.rescue.sign_in_status("boris", PASSWORD).await, 303);
    assert_eq!(kennel.enter("anna", ANNAS_PIN).await, 303);
}

#[tokio::test]
async fn a_station_ends_when_its_owner_signs_it_out_or_somebody_signs_in_on_it() {
    let mut kennel = Kennel::start().await;
    assert_eq!(kennel.enter("boris", BORIS_PIN).await, 303);
    let account = kennel.anna.get("/account").await;
    let (_, rest) = account.split_once("shared</span>").unwrap();
    let (_, rest) = rest.split_once("href=\"/account/sessions/").unwrap();
    let path = format!("/account/sessions/{}", rest.split('"').next().unwrap());
    let confirmed = kennel.anna.submit(&path, &[("confirm", "yes")]).await;
    assert_eq!(confirmed, 303);
    assert_eq!(kennel.tap().await, 401);
    assert!(
        kennel
            .tablet
            .get("/sign-in")
            .await
            .contains("<h1>Sign in</h1>")
    );

    let mut kennel = Kennel::start().await;
    let page = kennel.tablet.get("/sign-in?with=password").await;
    assert!(
        page.contains("ends the shared use of this device"),
        "{page}"
    );
    let fields = [("name", "boris"), ("password", PASSWORD)];
    assert_eq!(kennel.tablet.submit("/sign-in", &fields).await, 303);
    assert_eq!(kennel.tablet.status("/account").await, 200);
    let account = kennel.anna.get("/account").await;
    assert!(!account.contains("shared</span>"), "{account}");
}

#[tokio::test]
async fn a_turn_ends_some_time_after_the_last_change_and_reading_prolongs_nothing() {
    const IDLE: Duration = Duration::from_secs(3);
    let mut kennel = Kennel::start_with(|config| config.turn = IDLE).await;
    assert_eq!(kennel.enter("boris", BORIS_PIN).await, 303);
    let begun = Instant::now();
    while begun.elapsed() < IDLE + IDLE {
        assert_eq!(kennel.tap().await, 303, "{:?}", begun.elapsed());
        let tapped = Instant::now();
        until("a second", async || {
            tapped.elapsed() > Duration::from_secs(1)
        })
        .await;
    }
    let mut tablet = kennel.tablet.clone();
    until("the end of the turn", async || {
        !tablet.get("/pets").await.contains("Done, boris")
    })
    .await;
    assert_eq!(kennel.tap().await, 401);
    let page = kennel.tablet.get("/sign-in").await;
    assert!(
        page.contains("Who is tapping?") && !page.contains("Done, boris"),
        "{page}"
    );
}

/// What was typed when a turn ended comes back with the PIN.
#[tokio::test]
async fn text_typed_before_a_turn_ended_is_returned_after_the_pin() {
    let mut kennel = Kennel::start().await;
    let typed = [
        ("name", "Biscuit"),
        ("species", "dog"),
        ("about", "NEEDS INSULIN"),
        ("author", "boris"),
    ];
    let refused = kennel.tablet.post("/pets/1", &typed).await;
    assert_eq!(refused.status(), 401);
    let page = refused.text().await.unwrap();
    assert!(page.contains("Enter your PIN to get them back."), "{page}");
    let hidden = |name: &str| {
        let (_, rest) = page
            .split_once(&format!("name=\"{name}\" value=\""))
            .unwrap();
        unescape(rest.split('"').next().unwrap())
    };
    let [action, author, pending] = ["pending-action", "pending-author", "pending"].map(hidden);
    let fields = [
        ("name", "boris"),
        ("pin", BORIS_PIN),
        ("pending-action", &action),
        ("pending-author", &author),
        ("pending", &pending),
    ];
    let shown = kennel.tablet.post("/sign-in", &fields).await;
    assert_eq!(shown.status(), 200);
    let page = shown.text().await.unwrap();
    assert!(page.contains("NEEDS INSULIN"), "{page}");
}

#[tokio::test]
async fn a_pin_has_4_to_8_digits_and_can_be_removed() {
    let mut kennel = Kennel::start().await;
    for pin in ["", "123", "123456789", "12a4", "1111", "1234", "٤٧١١"] {
        let status = kennel.boris.submit("/account/pin", &[("pin", pin)]).await;
        assert_eq!(status, 422, "{pin}");
    }
    assert_eq!(kennel.enter("boris", BORIS_PIN).await, 303);
    let remove = [("do", "remove")];
    assert_eq!(kennel.boris.submit("/account/pin", &remove).await, 303);
    assert_eq!(kennel.tap().await, 401);
    assert!(!kennel.tablet.get("/sign-in").await.contains("boris"));
    assert_eq!(kennel.enter("boris", BORIS_PIN).await, 401);
}
