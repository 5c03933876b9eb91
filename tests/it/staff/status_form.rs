//! The form on the page of a pet that sets a status with a note, or one that began earlier, without scripts.

use serde_json::{Value, json};

use crate::support::{Browser, Rescue, unescape};

const PATH: &str = "/pets/1/status";

/// The fields of the form, as a browser sends them.
fn fields<'a>(
    status: &'a str,
    (note_before, note): (&'a str, &'a str),
    (minutes_ago, began): (&'a str, &'a str),
) -> [(&'a str, &'a str); 5] {
    [
        ("status", status),
        ("note", note),
        ("note_before", note_before),
        ("minutes_ago", minutes_ago),
        ("began", began),
    ]
}

async fn pet(rescue: &Rescue) -> Value {
    rescue.app.json("/api/v1/pets/1").await
}

fn minutes_since(pet: &Value) -> i64 {
    let since: jiff::Timestamp = pet["since"].as_str().unwrap().parse().unwrap();
    jiff::Timestamp::now().duration_since(since).as_mins()
}

/// Sends the form. Returns the cookie with the offer to undo it.
async fn save(browser: &mut Browser, fields: &[(&str, &str)]) -> String {
    let answer = browser.post(PATH, fields).await;
    assert_eq!(answer.status(), 303);
    let cookies = answer.headers().get_all("set-cookie").iter();
    let mut cookies = cookies.filter_map(|cookie| cookie.to_str().unwrap().split(';').next());
    let offer = cookies.find(|cookie| cookie.starts_with("pet-store-undo="));
    offer.unwrap().to_owned()
}

/// Gives the rescue a time zone, with which its pages have times of day.
async fn set_time_zone(admin: &mut Browser) {
    let settings = [("name", "Paws"), ("time-zone", "Europe/Berlin")];
    admin.get("/settings").await;
    assert_eq!(admin.submit("/settings", &settings).await, 303);
}

#[tokio::test]
async fn a_status_is_set_with_a_note_and_an_earlier_start_and_undo_restores_both() {
    let (rescue, mut boris) = Rescue::start_as("boris").await;
    let visitor = rescue.app.text("/pets/1").await;
    assert!(!visitor.contains("name=\"minutes_ago\""), "staff only");
    save(
        &mut boris,
        &fields("sleeping", ("", "under the bench"), ("60", "")),
    )
    .await;
    let before = pet(&rescue).await;
    assert_eq!(
        (&before["status"], &before["note"], minutes_since(&before)),
        (&json!("sleeping"), &json!("under the bench"), 60)
    );
    let offer = save(
        &mut boris,
        &fields("playing", ("under the bench", "with Miso"), ("20", "")),
    )
    .await;
    let after = pet(&rescue).await;
    assert_eq!(
        (&after["status"], &after["note"], minutes_since(&after)),
        (&json!("playing"), &json!("with Miso"), 20)
    );
    // The pet has played for longer than an undo is offered, but it was said just now.
    let mut next = boris.clone();
    next.cookie = Some(format!("{}; {offer}", boris.cookie.clone().unwrap()));
    let page = next.get("/pets/1").await;
    let (_, undo) = page
        .split_once("class=\"notice undo\"")
        .expect("an undo is offered");
    let value = |name: &str| {
        let (_, rest) = undo
            .split_once(&format!("name=\"{name}\" value=\""))
            .unwrap();
        unescape(rest.split('"').next().unwrap())
    };
    let [since, note, replaces, status] = ["since", "note", "replaces", "status"].map(value);
    let undo = [
        ("since", since.as_str()),
        ("note", &note),
        ("replaces", &replaces),
        ("status", &status),
    ];
    assert_eq!(boris.submit(PATH, &undo).await, 303);
    let restored = pet(&rescue).await;
    for field in ["status", "since", "note"] {
        assert_eq!(restored[field], before[field], "{field}");
    }
}

/// The page had shown no note yet.
#[tokio::test]
async fn a_form_with_a_note_that_was_not_edited_keeps_the_note_of_another_author() {
    let (rescue, mut boris) = Rescue::start_as("boris").await;
    save(
        &mut boris,
        &fields("sleeping", ("", "under the bench"), ("60", "")),
    )
    .await;
    save(&mut boris, &fields("sleeping", ("", ""), ("20", ""))).await;
    let moved = pet(&rescue).await;
    assert_eq!(
        (&moved["note"], minutes_since(&moved)),
        (&json!("under the bench"), 20)
    );
    save(
        &mut boris,
        &fields("sleeping", ("under the bench", ""), ("", "")),
    )
    .await;
    let removed = pet(&rescue).await;
    assert_eq!(
        (&removed["note"], &removed["since"]),
        (&json!(""), &moved["since"])
    );
    // A note belongs to the status that it is saved with.
    save(
        &mut boris,
        &fields("playing", ("with Miso", "with Miso"), ("", "")),
    )
    .await;
    assert_eq!(pet(&rescue).await["note"], "with Miso");
}

#[tokio::test]
async fn a_refused_form_keeps_what_was_entered_and_says_what_is_wrong() {
    let rescue = Rescue::start().await;
    let [mut anna, mut boris] = rescue.signed_in_both(["anna", "boris"]).await;
    set_time_zone(&mut anna).await;
    save(&mut boris, &fields("eating", ("", ""), ("30", ""))).await;
    let cursor = rescue.app.cursor().await;
    let long = "x".repeat(81);
    for (note, start, field, message) in [
        (
            long.as_str(),
            ("", ""),
            "note",
            "Use at most 80 characters; this has 81.",
        ),
        ("a\u{202e}b", ("", ""), "note", "hidden"),
        ("at the vet", ("60", ""), "minutes_ago", "Eating began at "),
        (
            "at the vet",
            ("", "soon"),
            "began",
            "Enter a time within the last 12 hours, such as 14:05.",
        ),
        (
            "at the vet",
            ("20", "10:00"),
            "began",
            "Enter a time, or choose how long ago, not both.",
        ),
        (
            "at the vet",
            ("1441", ""),
            "minutes_ago",
            "Use a whole number of minutes",
        ),
    ] {
        let answer = boris
            .post(PATH, &fields("bathing", ("", note), start))
            .await;
        assert_eq!(answer.status(), 422, "{field}: {message}");
        assert_eq!(answer.headers()["cache-control"], "private, no-cache");
        let page = unescape(&answer.text().await.unwrap());
        assert!(
            page.contains("<details class=\"status-more\" open>"),
            "{field}"
        );
        assert!(
            page.contains("<option value=\"bathing\" selected>"),
            "{field}"
        );
        assert!(
            page.contains(&format!("name=\"note\" type=\"text\" value=\"{note}\"")),
            "{note}"
        );
        assert!(page.contains("<title>Error: "), "{field}");
        let (_, error) = page
            .split_once(&format!("id=\"{field}-error\">"))
            .expect(field);
        assert!(
            error.split('<').next().unwrap().contains(message),
            "{message}"
        );
    }
    assert_eq!(rescue.app.cursor().await, cursor, "nothing was changed");
}

#[tokio::test]
async fn a_time_of_day_is_one_of_the_time_zone_of_the_rescue() {
    let rescue = Rescue::start().await;
    let [mut anna, mut boris] = rescue.signed_in_both(["anna", "boris"]).await;
    let field = "name=\"began\"";
    let page = boris.get("/pets/1").await;
    assert!(
        !page.contains(field),
        "each reader has a time zone of their own"
    );
    set_time_zone(&mut anna).await;
    assert!(boris.get("/pets/1").await.contains(field));
    let began = jiff::Timestamp::now() - jiff::SignedDuration::from_mins(90);
    let clock = began
        .in_tz("Europe/Berlin")
        .unwrap()
        .strftime("%H:%M")
        .to_string();
    save(&mut boris, &fields("sleeping", ("", ""), ("", &clock))).await;
    assert!([90, 91].contains(&minutes_since(&pet(&rescue).await)));
}
