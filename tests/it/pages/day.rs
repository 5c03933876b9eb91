//! The page and the API of a pet's day, over stores with a known history.

use pet_store::auth::AuthMode;
use pet_store::model::Timestamp;
use reqwest::Response;
use serde_json::{Value, json};
use tempfile::TempDir;

use super::photos::photo;
use crate::support::{Browser, Rescue, TestApp, fill, spawn_app_in, unescape};

/// A day on which Biscuit's status changed every minute from 00:01 UTC on.
const BUSY_DAY: &str = "/pets/1/days/2020-01-01";

/// Minutes for which the status changes: it lasts from then on.
const MINUTES: u64 = 36 * 60;

/// Starts an app in which nobody is signed in, with the history of Biscuit.
async fn start() -> (TestApp, TempDir) {
    let folder = tempfile::tempdir().unwrap();
    fill(folder.path(), MINUTES);
    let app = spawn_app_in(folder.path(), |config| config.auth = AuthMode::Serve).await;
    (app, folder)
}

fn header<'a>(answer: &'a Response, name: &str) -> &'a str {
    answer
        .headers()
        .get(name)
        .map_or("", |value| value.to_str().unwrap())
}

async fn text(app: &TestApp, path: &str) -> String {
    unescape(&app.text(path).await)
}

#[tokio::test]
async fn a_day_has_its_hours_its_sums_and_its_parts() {
    let (app, _folder) = start().await;
    let page = text(&app, BUSY_DAY).await;
    for part in [
        "<title>Biscuit on Wednesday, 1 January 2020",
        "What we know of <span dir=\"auto\">Biscuit</span> begins at 00:01 UTC.",
        // A quarter of 23 hours and 59 minutes, and one row for all of them.
        "<strong>Eating</strong> 5 h 59 min",
        "<strong>Playing</strong> 6 h",
        "<td>00:01</td><td>midnight</td><td><i class=\"day-dot\"></i> 1439 short activities <span",
        ">Eating 5 h 59 min, Bathing 6 h, ",
        "each has a row as high as its share.",
        "href=\"/pets/1/days/2020-01-02\"",
        "<meta name=\"description\" content=\"What Biscuit did on Wednesday, 1 January 2020, from hour to hour.\">",
    ] {
        assert!(page.contains(part), "no {part} in {page}");
    }
    assert!(!page.contains("Day before"), "nothing is known of it");
    let quiet = text(&app, "/pets/1/days/2020-01-03").await;
    assert!(quiet.contains("<td>00:00</td><td>midnight</td>"), "{quiet}");
    assert!(quiet.contains("Day before") && quiet.contains("Day after"));
    let long_ago = text(&app, "/pets/1/days/2019-12-31").await;
    let begin = "begins on Wednesday, 1 January 2020 at 00:01 UTC";
    assert!(long_ago.contains("Older than what is kept") && long_ago.contains(begin));
    assert!(long_ago.contains("noindex") && !page.contains("noindex"));
    assert!(
        long_ago.contains(&format!("href=\"{BUSY_DAY}\"")),
        "{long_ago}"
    );
}

#[tokio::test]
async fn the_page_of_a_pet_has_the_hours_of_today() {
    let (app, _folder) = start().await;
    let page = text(&app, "/pets/1").await;
    assert!(page.contains("<svg class=\"day-strip\""), "{page}");
    assert!(page.contains("As of "), "{page}");
    let (_, rest) = page.split_once("href=\"/pets/1/days/").unwrap();
    let today = text(&app, &format!("/pets/1/days/{}", &rest[..10])).await;
    assert!(
        today.contains("so far") && today.contains("<td>now</td>"),
        "{today}"
    );
    assert!(today.contains("Day before") && !today.contains("Day after"));
}

#[tokio::test]
async fn a_past_day_is_stored_by_caches_for_visitors_only() {
    let (app, _folder) = start().await;
    let answer = app.get(BUSY_DAY).await;
    assert_eq!(header(&answer, "cache-control"), "public, max-age=300");
    assert!(header(&answer, "vary").contains("cookie"), "{answer:?}");
    let tag = header(&answer, "etag").to_owned();
    let again = app.request("GET", BUSY_DAY).header("if-none-match", &tag);
    let again = again.send().await.unwrap();
    assert_eq!(
        (again.status().as_u16(), header(&again, "etag")),
        (304, tag.as_str())
    );
    let other = app
        .request("GET", BUSY_DAY)
        .header("if-none-match", "\"x\"");
    assert_eq!(other.send().await.unwrap().status(), 200);
    let page = text(&app, "/pets/1").await;
    let (_, today) = page.split_once("href=\"/pets/1/days/").unwrap();
    let today = app.get(&format!("/pets/1/days/{}", &today[..10])).await;
    assert_eq!(header(&today, "cache-control"), "no-cache");
}

#[tokio::test]
async fn staff_see_a_private_pets_day_and_no_cache_keeps_it() {
    let rescue = Rescue::start().await;
    let boris = rescue.signed_in("boris").await;
    let staff = ask(&boris, BUSY_DAY).await;
    assert_eq!(header(&staff, "cache-control"), "no-store");
    let token = &rescue.tokens[2];
    let private = json!({ "state": "private" });
    let edit = rescue
        .bearing(token, "PATCH", "/api/v1/pets/1")
        .json(&private);
    assert_eq!(edit.send().await.unwrap().status(), 200);
    assert_eq!(rescue.app.get(BUSY_DAY).await.status(), 404);
    let staff = ask(&boris, BUSY_DAY).await;
    assert_eq!(
        (staff.status().as_u16(), header(&staff, "cache-control")),
        (200, "no-store")
    );
    let read = rescue
        .bearing(&rescue.tokens[0], "GET", BUSY_DAY)
        .send()
        .await
        .unwrap();
    assert_eq!(
        (read.status().as_u16(), header(&read, "cache-control")),
        (200, "no-store")
    );
}

/// Returns the addresses of the photos on a page of a day, after those that the API has for a visitor were found to be the
/// same.
async fn photos_of(app: &TestApp, path: &str) -> Vec<String> {
    let page = text(app, path).await;
    let day = app.json(&format!("/api/v1{path}")).await;
    let photos = day["photos"].as_array().unwrap().iter();
    let urls: Vec<String> = photos
        .map(|photo| {
            assert!(photo["added"].is_string(), "{photo}");
            photo["url"].as_str().unwrap().to_owned()
        })
        .collect();
    assert_eq!(page.matches("<figure>").count(), urls.len(), "{page}");
    assert!(urls.iter().all(|url| page.contains(url)), "{page}");
    urls
}

#[tokio::test]
async fn a_day_shows_the_photos_that_were_added_and_not_those_that_were_removed() {
    let rescue = Rescue::start().await;
    let write = |method: &str, path: &str| rescue.bearing(&rescue.tokens[2], method, path);
    let today = &Timestamp::now().to_string()[.."2026-11-27".len()];
    let path = format!("/pets/1/days/{today}");
    let mut urls = Vec::new();
    for (side, state) in [(64, "available"), (65, "private"), (66, "available")] {
        let edit = write("PATCH", "/api/v1/pets/1").json(&json!({ "state": state }));
        assert_eq!(edit.send().await.unwrap().status(), 200);
        let added = write("POST", "/api/v1/pets/1/photos").body(photo(side, 64));
        let pet: Value = added.send().await.unwrap().json().await.unwrap();
        let newest = pet["photos"].as_array().unwrap().last().unwrap();
        assert!(newest["added"].is_string(), "{newest}");
        urls.push(newest["url"].as_str().unwrap().to_owned());
    }
    let [first, hidden, last] = &urls[..] else {
        panic!("{urls:?}");
    };
    assert_eq!(
        photos_of(&rescue.app, &path).await,
        [first.clone(), last.clone()]
    );
    let boris = rescue.signed_in("boris").await;
    let page = unescape(&ask(&boris, &path).await.text().await.unwrap());
    assert!(page.contains(hidden.as_str()), "{page}");
    let pet = rescue.app.json("/api/v1/pets/1").await;
    assert_eq!(
        pet["photos"].as_array().unwrap().len(),
        3,
        "it is public now"
    );
    assert!(
        pet["photos"]
            .as_array()
            .unwrap()
            .iter()
            .all(|photo| photo.get("added").is_none())
    );
    assert!(photos_of(&rescue.app, BUSY_DAY).await.is_empty());

    let kept = json!({ "photos": [{ "url": last }, { "url": hidden }] });
    let removed = write("PUT", "/api/v1/pets/1/photos").json(&kept);
    assert_eq!(removed.send().await.unwrap().status(), 200);
    let left = [last.clone()];
    assert_eq!(photos_of(&rescue.app, &path).await, left);
    let rescue = rescue.restart().await;
    assert_eq!(photos_of(&rescue.app, &path).await, left);
    let (_place, copies) = rescue.copies();
    for data in copies {
        let moved = Rescue::start().await.moved_to(&data).await;
        assert_eq!(photos_of(&moved.app, &path).await, left);
    }
}

/// The time in the trash counted as an activity.
#[tokio::test]
async fn a_pet_that_was_in_the_trash_was_not_on_the_board_then() {
    let rescue = Rescue::start().await;
    let today = &Timestamp::now().to_string()[.."2026-11-27".len()];
    let path = format!("/pets/1/days/{today}");
    let gap = "</i> Not on the board</td>";
    assert!(!text(&rescue.app, &path).await.contains(gap));
    for (method, path) in [("DELETE", "pets/1"), ("POST", "trash/1/restore")] {
        let request = rescue.bearing(&rescue.tokens[2], method, &format!("/api/v1/{path}"));
        assert_eq!(request.send().await.unwrap().status(), 200);
    }
    let page = text(&rescue.app, &path).await;
    assert!(page.contains(gap) && page.contains("Not on the board for under 1 min."));
    let day = rescue.app.json(&format!("/api/v1{path}")).await;
    let parts = day["parts"].as_array().unwrap();
    assert_eq!(parts.len(), 2);
    assert!(
        parts[0]["until"].as_str() < parts[1]["from"].as_str(),
        "{parts:?}"
    );
}

/// A visitor who sees the pet again does not read what was noted meanwhile.
#[tokio::test]
async fn a_note_is_in_the_table_of_the_day_unless_the_pet_was_private() {
    let rescue = Rescue::start().await;
    let write = async |method, path: &str, body: Value| {
        let request = rescue.bearing(&rescue.tokens[2], method, &format!("/api/v1/pets/1{path}"));
        assert_eq!(request.json(&body).send().await.unwrap().status(), 200);
    };
    let noted = |status, note| json!({ "status": status, "note": note });
    write("PUT", "/status", noted("eating", "<b>slowly</b>")).await;
    write("PATCH", "", json!({ "state": "private" })).await;
    write("PUT", "/status", noted("sleeping", "in secret")).await;
    write("PUT", "/status", json!({ "status": "bathing" })).await;
    write("PATCH", "", json!({ "state": "available" })).await;
    write("PUT", "/status", noted("playing", "with Miso")).await;
    let today = &Timestamp::now().to_string()[.."2026-11-27".len()];
    let path = format!("/pets/1/days/{today}");
    let page = rescue.app.text(&path).await;
    let remarks = page
        .split("<span class=\"day-remark\" dir=\"auto\">")
        .skip(1);
    let remarks: Vec<&str> = remarks
        .map(|rest| rest.split('<').next().unwrap())
        .collect();
    assert_eq!(
        remarks
            .iter()
            .map(|text| unescape(text))
            .collect::<Vec<_>>(),
        ["<b>slowly</b>", "with Miso"]
    );
    let day = rescue.app.json(&format!("/api/v1{path}")).await;
    let parts = day["parts"].as_array().unwrap().iter();
    let notes: Vec<&Value> = parts.filter_map(|part| part.get("note")).collect();
    assert_eq!(notes, ["<b>slowly</b>", "with Miso"]);
    let staff = rescue.bearing(&rescue.tokens[0], "GET", &path).send();
    assert!(
        staff
            .await
            .unwrap()
            .text()
            .await
            .unwrap()
            .contains("in secret")
    );
}

async fn ask(browser: &Browser, path: &str) -> Response {
    let request = reqwest::Client::new().get(format!("{}{path}", browser.origin));
    request
        .header("cookie", browser.cookie.clone().unwrap())
        .send()
        .await
        .unwrap()
}

#[tokio::test]
async fn what_is_no_day_of_a_pet_is_refused_in_words() {
    let (app, _folder) = start().await;
    for (path, status, words) in [
        ("/pets/2/days/2020-01-01", 404, "We can't find this pet."),
        ("/pets/2/days/today", 404, "We can't find this pet."),
        ("/pets/1/days/today", 400, "such as 2026-11-27"),
        ("/pets/1/days/2020-02-30", 400, "such as 2026-11-27"),
        (
            "/pets/1/days/2999-01-01",
            404,
            "Tuesday, 1 January 2999 has not begun yet.",
        ),
        ("/api/v1/pets/2/days/2020-01-01", 404, "There is no pet 2."),
        ("/api/v1/pets/1/days/2020-02-30", 400, "such as 2026-11-27"),
        ("/api/v1/pets/1/days/2999-01-01", 404, "has not begun yet."),
    ] {
        let answer = app.get(path).await;
        assert_eq!(answer.status(), status, "{path}");
        let body = unescape(&answer.text().await.unwrap());
        assert!(body.contains(words), "{path}: {body}");
    }
}

#[tokio::test]
async fn days_are_those_of_the_rescues_time_zone() {
    let rescue = Rescue::start().await;
    let mut anna = rescue.signed_in("anna").await;
    anna.get("/settings").await;
    let fields = [
        ("name", "Paws"),
        ("time-zone", "Europe/Berlin"),
        ("clock", "12"),
    ];
    assert_eq!(anna.post("/settings", &fields).await.status(), 303);
    let day = |date: &str| format!("/pets/1/days/{date}");
    for (date, hours) in [("2021-03-28", 23), ("2021-10-31", 25)] {
        let length = format!("{hours} h");
        let page = text(&rescue.app, &day(date)).await;
        let note = format!("The clocks changed: this day had {length}.");
        assert!(page.contains(&note), "{page}");
        assert!(
            page.contains(&format!("</strong> {length}</span>")),
            "{page}"
        );
        assert_eq!(page.matches("class=\"day-tick\"").count() + 1, hours);
    }
    let spring = text(&rescue.app, &day("2021-03-28")).await;
    // Five hours after midnight, of 23.
    assert!(
        spring.contains("<text x=\"21.74%\" y=\"86\" text-anchor=\"middle\">6 am</text>"),
        "{spring}"
    );
    let api = rescue.app.json("/api/v1/pets/1/days/2021-03-28").await;
    assert_eq!(api["time_zone"], "Europe/Berlin");
    assert_eq!(api["start"], "2021-03-27T23:00:00.000000Z");
    assert_eq!(api["end"], "2021-03-28T22:00:00.000000Z");
    assert_eq!(seconds(&api), 23 * 3600);
}

fn seconds(day: &Value) -> u64 {
    let totals = day["totals"].as_array().unwrap().iter();
    totals.map(|total| total["seconds"].as_u64().unwrap()).sum()
}

#[tokio::test]
async fn the_api_has_the_parts_of_a_day_and_their_sums() {
    let (app, _folder) = start().await;
    let day = app.json("/api/v1/pets/1/days/2020-01-01").await;
    assert_eq!(
        (&day["pet"], &day["date"]),
        (&json!(1), &json!("2020-01-01"))
    );
    assert_eq!(day["known_since"], "2020-01-01T00:01:00.000000Z");
    assert_eq!(day["parts"].as_array().unwrap().len(), 24 * 60 - 1);
    let first = json!({
        "status": "bathing",
        "from": "2020-01-01T00:01:00.000000Z",
        "until": "2020-01-01T00:02:00.000000Z",
    });
    assert_eq!(day["parts"][0], first);
    assert_eq!(seconds(&day), 24 * 3600 - 60);
    assert_eq!(day.get("time_zone"), None);
    let before = app.json("/api/v1/pets/1/days/2019-12-31").await;
    assert_eq!((&before["parts"], seconds(&before)), (&json!([]), 0));
}
