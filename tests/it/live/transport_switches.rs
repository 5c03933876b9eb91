//! The metrics of switches between transports, as pages report them.

use crate::support::{TestApp, Viewer, Ws, metric, spawn_app, spawn_app_with};

/// Returns the number of switches from one transport to another for a reason.
async fn switches(app: &TestApp, from: &str, to: &str, reason: &str) -> u64 {
    let series = format!(r#"petstore_switches_total{{from="{from}",reason="{reason}",to="{to}"}}"#);
    metric(app, &series).await
}

/// Returns the number of series of the counter, and their sum.
async fn all_switches(app: &TestApp) -> (usize, u64) {
    let text = app.text("/metrics").await;
    let lines = text.lines();
    let values = lines.filter(|line| line.starts_with("petstore_switches_total{"));
    let values = values.map(|line| line.rsplit(' ').next().unwrap().parse::<u64>().unwrap());
    let values: Vec<u64> = values.collect();
    (values.len(), values.iter().sum())
}

#[tokio::test]
async fn a_switch_is_counted_at_the_transport_that_it_leads_to() {
    let app = spawn_app().await;
    for (to, from, why) in [
        ("ws", "sse", "upgrade"),
        ("sse", "ws", "refused"),
        ("sse", "ws", "died"),
        ("poll", "sse", "lag"),
        ("poll", "sse", "silent"),
        ("poll", "short", "network"),
    ] {
        let query = format!("?from={from}&why={why}");
        let mut viewer = Viewer::open(to, &app.url(""), &query).await;
        assert_eq!(viewer.next().await["type"], "hello");
        assert_eq!(switches(&app, from, to, why).await, 1, "{from} {to} {why}");
    }
    app.get("/live/state?transport=short&from=poll&why=died")
        .await;
    assert_eq!(switches(&app, "poll", "short", "died").await, 1);
    assert_eq!(all_switches(&app).await.1, 7);
}

/// Whoever asks could otherwise fill the memory with labels.
#[tokio::test]
async fn an_incomplete_or_unknown_switch_is_ignored() {
    let app = spawn_app().await;
    let before = all_switches(&app).await;
    assert_eq!(before, (4 * 3 * 7, 0));
    for query in [
        "from=sse",
        "why=died",
        "from=poll&why=died",
        "from=carrier-pigeon&why=died",
        "from=sse&why=sunspots",
        "from=sse&why=died%22%7D%0A",
        "from=&why=",
    ] {
        let answer = app.get(&format!("/live/poll?wait=0&{query}")).await;
        assert_eq!(answer.status(), 200, "{query}");
    }
    // A state that is read once is no way to be live.
    app.get("/live/state?from=poll&why=died").await;
    app.get("/live/state?transport=ws&from=poll&why=died").await;
    assert_eq!(all_switches(&app).await, before);
}

#[tokio::test]
async fn a_refused_viewer_counts_no_switch() {
    let app = spawn_app_with(|config| config.live.max_viewers = 0).await;
    let path = "/live/ws?from=sse&why=upgrade";
    assert_eq!(
        Ws::try_open(&app.url(""), path, &[]).await.err(),
        Some(Some(503))
    );
    for path in ["/live/sse?from=ws&why=died", "/live/poll?from=ws&why=died"] {
        assert_eq!(app.get(path).await.status(), 503, "{path}");
    }
    assert_eq!(all_switches(&app).await.1, 0);
}

#[tokio::test]
async fn short_pollers_are_estimated_from_the_rate_of_requests() {
    let app = spawn_app().await;
    let short = async || metric(&app, r#"petstore_viewers{transport="short"}"#).await;
    app.get("/live/state").await;
    app.get("/live/state?transport=poll").await;
    assert_eq!(short().await, 0, "other requests do not count");
    app.get("/live/state?transport=short").await;
    assert_eq!(
        short().await,
        1,
        "a new short poller is counted immediately"
    );
    app.get("/live/poll?wait=0").await;
    for nonce in 1..8 {
        let path = format!("/live/poll?wait=0&transport=short&nonce={nonce}");
        assert_eq!(app.get(&path).await.status(), 200);
    }
    assert_eq!(
        short().await,
        2,
        "one poller sends about four requests per window"
    );
}
