//! Probes for operators: health, readiness and metrics.

use pet_store::limits::parse_network;

use crate::support::{Process, Rescue, Sse, metric, spawn_app};

#[tokio::test]
async fn a_running_server_is_alive_and_ready() {
    let app = spawn_app().await;
    assert_eq!(app.text("/healthz").await, "ok\n");
    assert_eq!(app.text("/readyz").await, "ready\n");
}

/// A rate over a series that does not exist yet is empty, and an alert on it never fires.
#[tokio::test]
async fn every_series_exists_from_the_start() {
    let app = spawn_app().await;
    for series in [
        r#"petstore_viewers{transport="ws"}"#,
        r#"petstore_viewers{transport="sse"}"#,
        r#"petstore_viewers{transport="poll"}"#,
        r#"petstore_viewers{transport="short"}"#,
        r#"petstore_switches_total{from="ws",reason="died",to="sse"}"#,
        r#"petstore_changes_total{type="status"}"#,
        r#"petstore_changes_total{type="pet"}"#,
        r#"petstore_changes_total{type="gone"}"#,
        "petstore_commits_total",
        "petstore_commit_failures_total",
        "petstore_resyncs_total",
        "petstore_commit_duration_seconds_count",
        "petstore_fan_out_pass_duration_seconds_count",
        "petstore_change_age_seconds_count",
        r#"petstore_viewers_dropped_total{reason="write-timeout"}"#,
        r#"petstore_viewers_dropped_total{reason="protocol"}"#,
        r#"petstore_connections_refused_total{reason="connections"}"#,
        r#"petstore_connections_refused_total{reason="viewers"}"#,
        r#"petstore_connections_refused_total{reason="address"}"#,
        r#"petstore_connections_refused_total{reason="writes"}"#,
        r#"petstore_connections_refused_total{reason="buffers"}"#,
    ] {
        assert_eq!(metric(&app, series).await, 0, "{series}");
    }
}

#[tokio::test]
async fn events_are_counted() {
    let app = spawn_app().await;
    let pet = app.add_pet("Biscuit").await;
    app.set_status(pet, "eating").await;
    app.set_status(pet, "playing").await;
    let mut sse = Sse::open(&app.url(""), "").await;
    sse.next().await;
    for (series, expected) in [
        (r#"petstore_viewers{transport="sse"}"#, 1),
        (r#"petstore_changes_total{type="pet"}"#, 1),
        (r#"petstore_changes_total{type="status"}"#, 2),
        ("petstore_commits_total", 3),
    ] {
        assert_eq!(metric(&app, series).await, expected, "{series}");
    }
    let answer = app.get("/metrics").await;
    let kind = answer.headers()["content-type"].to_str().unwrap();
    assert!(kind.starts_with("text/plain; version=0.0.4"), "{kind}");
}

/// Returns the status of `/metrics` for a request with these headers.
async fn metrics_status(rescue: &Rescue, headers: &[(&str, &str)]) -> u16 {
    let mut request = rescue.app.request("GET", "/metrics");
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    request.send().await.unwrap().status().as_u16()
}

/// Metrics count failed sign-ins and refused clients, which is nothing for the public.
#[tokio::test]
async fn metrics_are_for_this_machine_and_for_api_tokens() {
    let rescue = Rescue::start().await;
    assert_eq!(metrics_status(&rescue, &[]).await, 200);
    assert_eq!(
        metrics_status(&rescue, &[("host", "localhost:3000")]).await,
        200
    );
    // A proxy on this machine asks for another client, whether it is trusted or not.
    for relayed in [
        ("x-forwarded-for", "203.0.113.9"),
        ("x-forwarded-for", "127.0.0.1"),
        ("forwarded", "for=203.0.113.9"),
        ("x-real-ip", "203.0.113.9"),
        ("x-forwarded-proto", "https"),
        ("via", "1.1 proxy"),
        ("host", "pets.example"),
    ] {
        assert_eq!(
            metrics_status(&rescue, &[relayed]).await,
            401,
            "{relayed:?}"
        );
        for token in &rescue.tokens {
            let bearer = format!("Bearer {token}");
            let headers = [relayed, ("authorization", bearer.as_str())];
            assert_eq!(metrics_status(&rescue, &headers).await, 200, "{relayed:?}");
        }
        let headers = [relayed, ("authorization", "Bearer petstore_none")];
        assert_eq!(metrics_status(&rescue, &headers).await, 401, "{relayed:?}");
    }
    let answer = rescue.app.request("GET", "/metrics");
    let answer = answer.header("x-forwarded-for", "203.0.113.9").send();
    let answer = answer.await.unwrap();
    assert_eq!(answer.headers()["content-type"], "application/problem+json");
    assert!(answer.headers().contains_key("www-authenticate"));
}

#[tokio::test]
async fn a_trusted_proxy_on_this_machine_does_not_open_the_metrics() {
    let own = parse_network("::ffff:127.0.0.1").unwrap();
    let rescue =
        Rescue::start_with(|config| config.client_limits.trusted_proxies = vec![own]).await;
    let relayed = ("x-forwarded-for", "203.0.113.9");
    assert_eq!(metrics_status(&rescue, &[relayed]).await, 401);
    assert_eq!(metrics_status(&rescue, &[]).await, 200);
}

#[tokio::test]
async fn metrics_listen_serves_the_metrics_and_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    let arguments = [
        "serve",
        "--listen",
        "127.0.0.1:0",
        "--metrics-listen",
        "127.0.0.1:0",
    ];
    let mut process = Process::start(folder.path(), &arguments).await;
    process.wait_for_line("metrics are at http://").await;
    let lines = process.lines();
    let line = lines.iter().find(|line| line.contains("metrics are at "));
    let (_, url) = line.unwrap().split_once("metrics are at ").unwrap();
    let url = url.split('"').next().unwrap();
    let relayed = process
        .client
        .get(url)
        .header("x-forwarded-for", "203.0.113.9");
    let answer = relayed.send().await.unwrap();
    assert_eq!(answer.status(), 200);
    assert!(
        answer
            .text()
            .await
            .unwrap()
            .contains("petstore_commits_total")
    );
    for path in ["/pets", "/live/state", "/"] {
        let other = url.replace("/metrics", path);
        let answer = process.client.get(other).send().await.unwrap();
        assert_eq!(answer.status(), 404, "{path}");
    }
    process.signal(rustix::process::Signal::TERM);
    assert_eq!(process.end().await.code(), Some(0));
}

/// Behind a proxy that --trusted-proxy does not name, 30 wrong passwords of one client locked everyone
/// out, and nothing said why.
#[tokio::test]
async fn an_unnamed_proxy_is_reported_to_operators_and_admins() {
    for is_named in [true, false] {
        let rescue = Rescue::start_with(|config| {
            let own = parse_network("127.0.0.1").unwrap();
            config.client_limits.trusted_proxies = if is_named { vec![own] } else { Vec::new() };
        })
        .await;
        let mut anna = rescue.signed_in("anna").await;
        assert!(!anna.get("/staff").await.contains("--trusted-proxy"));
        assert_eq!(rescue.app.text("/readyz").await, "ready\n");
        let request = rescue.app.request("GET", "/pets");
        let forwarded = request.header("x-forwarded-for", "203.0.113.9").send();
        assert_eq!(forwarded.await.unwrap().status(), 200);
        let ready = rescue.app.request("GET", "/readyz").send().await.unwrap();
        assert_eq!(ready.status(), 200);
        let ready = ready.text().await.unwrap();
        assert_eq!(ready.contains("--trusted-proxy"), !is_named, "{ready}");
        let page = anna.get("/staff").await;
        assert_eq!(page.contains("--trusted-proxy"), !is_named);
    }
}
