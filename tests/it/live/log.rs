//! `GET /live/log` and `/live/state/CURSOR`: answers that caches share.

mod cache;
mod full;
mod private;

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use futures_util::future::join_all;
use reqwest::Response;
use serde_json::Value;

use crate::support::{TestApp, metric, rev, rev_of, spawn_app, spawn_app_with, until, within};

/// A full segment ends at a multiple of this.
const ALIGNMENT: u64 = 256;

const IMMUTABLE: &str = "public, max-age=3600, immutable";
const NEWEST: &str = "public, max-age=1, stale-while-revalidate=1";
const SHORT_LIVED: &str = "public, max-age=1";

/// Returns the address for a reader at `since` that does not wait.
fn now(since: &str) -> String {
    format!("/live/log?since={since}&slice=0&wait=0")
}

/// Waits until a time of 750 ms has just begun, through which requests collect changes.
async fn until_collecting_begins() {
    until("the collecting time to begin", async || {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
        now.as_millis() % 750 < 100
    })
    .await;
}

fn header<'a>(response: &'a Response, name: &str) -> &'a str {
    response.headers()[name].to_str().unwrap()
}

fn next(answer: &Value) -> &str {
    answer["next"].as_str().unwrap()
}

fn cursor(answer: &Value) -> &str {
    answer["cursor"].as_str().unwrap()
}

fn revs(answer: &Value) -> Vec<u64> {
    answer["messages"]
        .as_array()
        .unwrap()
        .iter()
        .map(rev)
        .collect()
}

/// Sets the status of `pet` so often. Returns the cursor of the last change.
async fn change(app: &TestApp, pet: u64, times: usize) -> String {
    let mut last = String::new();
    for status in ["eating", "playing"].iter().cycle().take(times) {
        last = app.set_status(pet, status).await;
    }
    last
}

/// Waits until so many requests wait.
async fn until_waiting(app: &TestApp, count: u64) {
    until("requests to wait", async || {
        metric(app, "petstore_log_waiting").await == count
    })
    .await;
}

#[tokio::test]
async fn a_full_segment_stays_the_same_and_all_readers_continue_at_its_end() {
    let app = spawn_app().await;
    let (biscuit, miso) = (app.add_pet("Biscuit").await, app.add_pet("Miso").await);
    let start = app.cursor().await;
    change(&app, biscuit, 300).await;
    let response = app.get(&now(&start)).await;
    assert_eq!(header(&response, "cache-control"), IMMUTABLE);
    let segment = response.text().await.unwrap();
    let answer: Value = serde_json::from_str(&segment).unwrap();
    assert_eq!(rev_of(cursor(&answer)), ALIGNMENT);
    let expected: Vec<u64> = (rev_of(&start) + 1..=ALIGNMENT).collect();
    assert_eq!(revs(&answer), expected);
    // One that came later continues at the same place.
    let later = now(answer["messages"][90]["cursor"].as_str().unwrap());
    assert_eq!(cursor(&app.json(&later).await), cursor(&answer));
    let rest = app.json(next(&answer)).await;
    assert_eq!(revs(&rest), (ALIGNMENT + 1..=302).collect::<Vec<_>>());
    change(&app, miso, 300).await;
    assert_eq!(app.text(&now(&start)).await, segment);
    assert_eq!(
        revs(&app.json(next(&answer)).await),
        (ALIGNMENT + 1..=512).collect::<Vec<_>>()
    );
    // A reader of one pet gets the same number of changes in one answer, not one answer for each part of the log.
    let of_miso = format!("/live/log?pet={miso}&since={start}&slice=0&wait=0");
    let response = app.get(&of_miso).await;
    assert_eq!(header(&response, "cache-control"), IMMUTABLE);
    let answer: Value = response.json().await.unwrap();
    assert_eq!(revs(&answer), (303..=512).collect::<Vec<_>>());
    assert_eq!(rev_of(cursor(&answer)), 512);
    assert!(next(&answer).starts_with(&format!("/live/log?pet={miso}&since=")));
}

/// Two readers, of which one sends everything that could make its answer a different one.
#[tokio::test]
async fn an_answer_has_nothing_of_the_request_that_made_it() {
    let app = spawn_app().await;
    let pet = app.add_pet("Biscuit").await;
    let start = app.cursor().await;
    change(&app, pet, 20).await;
    let state = header(&app.get("/live/log").await, "location").to_owned();
    let unknown = now("00000000-1");
    let empty = now(&app.cursor().await);
    for path in [now(&start), state, unknown, empty] {
        let plain = app.get(&path).await;
        let personal = app
            .request("GET", &path)
            .header("cookie", "pet-store-session=x; pet-store-done=y")
            .header("authorization", "Bearer nothing")
            .header("accept-encoding", "br, gzip")
            .header("accept-language", "fr")
            .header("origin", "https://elsewhere.example")
            .header("x-request-id", "mine")
            .send()
            .await
            .unwrap();
        let names = |response: &Response| {
            let headers = response.headers().iter();
            let headers = headers.filter(|(name, _)| *name != "date");
            headers
                .map(|(name, value)| format!("{name}: {value:?}"))
                .collect::<Vec<_>>()
        };
        assert_eq!(names(&plain), names(&personal), "{path}");
        for name in ["set-cookie", "vary", "x-request-id", "content-encoding"] {
            assert!(!plain.headers().contains_key(name), "{name} of {path}");
        }
        assert_eq!(header(&plain, "access-control-allow-origin"), "*");
        let (plain, personal) = (plain.text().await.unwrap(), personal.text().await.unwrap());
        // The number of the next slice counts seconds here.
        let stable = |body: &str| body.split("&slice=").next().unwrap().to_owned();
        assert_eq!(stable(&plain), stable(&personal), "{path}");
    }
}

#[tokio::test]
async fn an_answer_that_reaches_the_newest_change_is_kept_for_a_second_and_revalidated() {
    let app = spawn_app().await;
    let pet = app.add_pet("Biscuit").await;
    let start = app.cursor().await;
    let newest = change(&app, pet, 2).await;
    let response = app.get(&now(&start)).await;
    assert_eq!(header(&response, "cache-control"), NEWEST);
    let tag = header(&response, "etag").to_owned();
    let answer: Value = response.json().await.unwrap();
    assert_eq!(
        (cursor(&answer), next(&answer)),
        (newest.as_str(), now(&newest).as_str())
    );
    let revalidate = || {
        app.request("GET", &now(&start))
            .header("if-none-match", &tag)
            .send()
    };
    let response = revalidate().await.unwrap();
    assert_eq!(
        (response.status().as_u16(), header(&response, "etag")),
        (304, tag.as_str())
    );
    assert_eq!(header(&response, "cache-control"), NEWEST);
    assert!(!response.headers().contains_key("vary"));
    change(&app, pet, 1).await;
    assert_eq!(revalidate().await.unwrap().status(), 200);
}

#[tokio::test]
async fn a_request_waits_for_a_change_and_an_empty_answer_leads_to_another_address() {
    let app = spawn_app_with(|config| config.live.max_viewers = 1).await;
    let pet = app.add_pet("Biscuit").await;
    let newest = app.cursor().await;
    let first = format!("/live/log?since={newest}&slice=0&wait=1");
    let begun = Instant::now();
    let response = app.get(&first).await;
    assert!(begun.elapsed() <= Duration::from_secs(3));
    assert_eq!(header(&response, "cache-control"), SHORT_LIVED);
    let empty: Value = response.json().await.unwrap();
    assert_eq!(
        (cursor(&empty), empty["messages"].as_array().unwrap().len()),
        (newest.as_str(), 0)
    );
    assert_ne!(next(&empty), first);
    // The next address waits for its whole slice, and readers of it take no viewer's slot.
    let path = next(&empty).replace("wait=1", "wait=20");
    until_collecting_begins().await;
    let waiting = join_all((0..20).map(|_| app.text(&path)));
    let changing = async {
        until_waiting(&app, 20).await;
        change(&app, pet, 3).await
    };
    let (answers, newest) = within("the answers", async { tokio::join!(waiting, changing) }).await;
    for answer in answers {
        let answer: Value = serde_json::from_str(&answer).unwrap();
        assert_eq!(revs(&answer).len(), 3, "changes were collected");
        assert_eq!(cursor(&answer), newest);
    }
}

#[tokio::test]
async fn a_request_that_waits_is_answered_when_the_program_stops() {
    let app = spawn_app().await;
    app.add_pet("Biscuit").await;
    let path = format!(
        "/live/log?since={}&slice=99999999999&wait=25",
        app.cursor().await
    );
    let (client, url) = (app.client.clone(), app.url(&path));
    let asking =
        tokio::spawn(async move { client.get(url).send().await.unwrap().json::<Value>().await });
    until_waiting(&app, 1).await;
    assert!(within("the stop", app.stop()).await);
    let answer = within("the answer", asking).await.unwrap().unwrap();
    assert!(answer["retry_ms"].as_u64().unwrap() >= 1000, "{answer}");
}

#[tokio::test]
async fn any_other_spelling_is_refused_with_the_order_of_the_parameters() {
    let app = spawn_app().await;
    let since = app.cursor().await;
    for query in [
        format!("slice=0&since={since}&wait=20"),
        format!("since={since}&slice=0&wait=20&pet=1"),
        format!("pet=2&pet=1&since={since}&slice=0&wait=20"),
        format!("since={since}&slice=0&wait=20&chaos=kill"),
        format!("since={since}&slice=0"),
    ] {
        let response = app.get(&format!("/live/log?{query}")).await;
        assert_eq!(response.status(), 400, "{query}");
        let problem: Value = response.json().await.unwrap();
        let detail = problem["detail"].as_str().unwrap();
        assert!(
            detail.contains("then since=CURSOR, slice=NUMBER and wait=SECONDS"),
            "{detail}"
        );
    }
    for path in [
        format!("/live/state/{since}?wait=1"),
        "/live/state/nothing".to_owned(),
    ] {
        assert_eq!(app.get(&path).await.status(), 400, "{path}");
    }
}

#[tokio::test]
async fn a_cursor_that_cannot_be_served_leads_to_a_state_from_which_the_log_continues() {
    let app = spawn_app().await;
    let pet = app.add_pet("Biscuit").await;
    app.add_pet("Miso").await;
    let newest = app.cursor().await;
    let (epoch, _) = newest.split_once('-').unwrap();
    let mut led_to = Vec::new();
    for since in ["00000000-7", &format!("{epoch}-99999")] {
        let response = app.get(&now(since)).await;
        assert_eq!(response.status(), 307, "{since}");
        assert_eq!(header(&response, "cache-control"), SHORT_LIVED);
        led_to.push(header(&response, "location").to_owned());
        change(&app, pet, 3).await;
    }
    // Readers that come a little later are led to the same state, which caches have.
    assert_eq!(led_to, vec![format!("/live/state/{newest}"); 2]);
    let response = app.get(&led_to[0]).await;
    assert_eq!(header(&response, "cache-control"), IMMUTABLE);
    let tag = header(&response, "etag").to_owned();
    let state: Value = response.json().await.unwrap();
    assert_eq!(state["messages"][0]["type"], "snapshot");
    assert_eq!(state["messages"][0]["cursor"], newest);
    assert_eq!(state["messages"][0]["pets"].as_array().unwrap().len(), 2);
    assert_eq!(
        revs(
            &app.json(next(&state).replace("wait=20", "wait=0").as_str())
                .await
        )
        .len(),
        6
    );
    let again = app.request("GET", &led_to[0]).header("if-none-match", tag);
    assert_eq!(again.send().await.unwrap().status(), 304);
    change(&app, pet, 100).await;
    let newer = header(&app.get("/live/log?pet=1").await, "location").to_owned();
    assert_eq!(newer, format!("/live/state/{}?pet=1", app.cursor().await));
    assert_eq!(
        app.json(&newer).await["messages"][0]["pets"]
            .as_array()
            .unwrap()
            .len(),
        1
    );
    // One that the node does not have.
    let response = app.get(&format!("/live/state/{epoch}-3")).await;
    assert_eq!(
        (
            response.status().as_u16(),
            header(&response, "cache-control")
        ),
        (307, SHORT_LIVED)
    );
}
