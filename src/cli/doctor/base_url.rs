//! Visits the public address as a visitor does, and checks what the proxy in front of the server passes on.

use std::io;
use std::net::IpAddr;
use std::time::Duration;

use http_body_util::BodyExt;
use hyper_util::rt::TokioIo;
use tokio::io::AsyncReadExt;
use tokio::time::{Instant, timeout};

use super::http::{Website, open};
use super::https::{self, is_this_machine};
use super::report::Report;
use super::server::arrived;
use crate::auth::BaseUrl;
use crate::web::{ARRIVED, ArrivedRequest};

/// The first message of a live connection is sent immediately.
const FIRST_MESSAGE: Duration = Duration::from_secs(3);

/// A piece this long after the first one was sent by itself.
const SEPARATE: Duration = Duration::from_millis(500);

/// Time beyond the heartbeat for the second piece of a stream.
const SLACK: Duration = Duration::from_secs(3);

/// Where the rules for proxies are.
const GUIDE: &str =
    "docs/networks.md has tested files for nginx, Apache, HAProxy, Caddy and Varnish.";

/// Checks the site at `base`. `local` is what the server on this machine says about a request.
pub async fn check(
    base: &BaseUrl,
    local: Option<ArrivedRequest>,
    heartbeat: Duration,
    report: &mut Report,
) {
    let Some(site) = https::check(base, report).await else {
        return;
    };
    let Some(public) = check_program(base, &site, local.as_ref(), report).await else {
        return;
    };
    check_headers(&site, &public, report);
    let (websocket, sse) = tokio::join!(try_websocket(&site), try_sse(&site, heartbeat));
    report_live(websocket, sse, report);
}

/// Checks that this program answers, and with the store of the server on this machine.
async fn check_program(
    base: &BaseUrl,
    site: &Website,
    local: Option<&ArrivedRequest>,
    report: &mut Report,
) -> Option<ArrivedRequest> {
    let address = &base.site();
    if let Err(error) = open(site, "/healthz", &[]).await {
        report.problem(
            "base URL",
            unreachable(address, &error),
            reach_advice(&error),
        );
        return None;
    }
    let Some(public) = arrived(site).await else {
        report.problem(
            "base URL",
            format!("something else answers at {address}"),
            format!("Let the proxy pass all paths to pet-store. {GUIDE}"),
        );
        return None;
    };
    match local {
        Some(local) if local.epoch != public.epoch => {
            report.problem(
                "base URL",
                format!("a server with another store answers at {address}"),
                "Let the proxy pass requests to the server on this machine, or set --listen to the one \
                 that it uses.",
            );
        }
        // Nothing else can work then.
        _ if public.base_path != base.path() => {
            let base_path = if public.base_path.is_empty() {
                "/"
            } else {
                &public.base_path
            };
            report.problem(
                "base URL",
                format!("the server was started with another path in its --base-url: {base_path}"),
                "Use the same --base-url for both.",
            );
            return None;
        }
        _ if public.path != format!("{}{ARRIVED}", base.path()) => {
            let base_path = base.path();
            report.problem(
                "base URL",
                format!("the proxy removes {base_path} from the paths of requests"),
                format!("Pass the whole path on; in nginx, with no path behind the address: location {base_path}/ {{ proxy_pass \
                     http://127.0.0.1:3000; }} {GUIDE}"),
            );
            return None;
        }
        _ => report.ok("base URL", format!("{address} is this program")),
    }
    Some(public)
}

fn unreachable(address: &str, error: &io::Error) -> String {
    format!("{address} cannot be reached from this machine: {error}")
}

fn reach_advice(error: &io::Error) -> String {
    let text = error.to_string();
    let advice = if error.kind() == io::ErrorKind::ConnectionRefused {
        "Start the proxy, and open its port in the firewall."
    } else if text.contains("lookup") {
        "Add the name to the DNS, or correct --base-url."
    } else {
        "Check DNS, firewall and proxy. Some routers do not let a machine reach its own public address: \
         then run this from another network."
    };
    advice.to_owned()
}

/// Checks `Host` and the forwarding headers.
fn check_headers(site: &Website, public: &ArrivedRequest, report: &mut Report) {
    let host = public.host.as_deref().unwrap_or_default();
    if host.eq_ignore_ascii_case(site.authority()) {
        report.ok("Host", format!("{host} arrives as it was sent"));
    } else {
        report.problem(
            "Host",
            format!("the proxy replaces {} by {host}", site.authority()),
            format!("Pass the host on; in nginx: proxy_set_header Host $http_host; {GUIDE}"),
        );
    }
    let client = public.client.as_str();
    if public.is_forwarded {
        report.ok(
            "client address",
            format!("the proxy names it, and is trusted: {client}"),
        );
    } else if public.has_forwarding_header {
        report.problem(
            "client address",
            "the proxy names it, but is not trusted, so that all visitors share the limits of one address",
            format!("Start the server with --trusted-proxy {client}"),
        );
    } else if client.parse().is_ok_and(|ip: IpAddr| ip.is_loopback())
        && !is_this_machine(site.host())
    {
        report.problem(
            "client address",
            "the proxy does not name it, so that all visitors share the limits of one address",
            format!("Let the proxy send X-Forwarded-For, and start the server with --trusted-proxy {client}"),
        );
    } else {
        report.ok(
            "client address",
            format!("direct, without a proxy: {client}"),
        );
    }
}

/// Opens a WebSocket, and waits for its first message.
async fn try_websocket(site: &Website) -> Result<(), String> {
    let fields = [
        ("connection", "Upgrade"),
        ("upgrade", "websocket"),
        ("sec-websocket-version", "13"),
        ("sec-websocket-key", "cGV0LXN0b3JlIGRvY3Rvcg=="),
    ];
    let answer = open(site, "/live/ws", &fields).await;
    let answer = answer.map_err(|error| error.to_string())?;
    let status = answer.status();
    if status.as_u16() != 101 {
        return Err(format!("the answer is {status}"));
    }
    let first = async {
        let upgraded = hyper::upgrade::on(answer).await.map_err(io::Error::other)?;
        let mut buffer = vec![0; 4096];
        TokioIo::new(upgraded).read(&mut buffer).await
    };
    match timeout(FIRST_MESSAGE, first).await {
        Ok(Ok(1..)) => Ok(()),
        Ok(_) => Err("it was closed before its first message".to_owned()),
        Err(_) => Err("no message arrives".to_owned()),
    }
}

/// Opens an event stream, and waits for two pieces that were sent at different times.
async fn try_sse(site: &Website, heartbeat: Duration) -> Result<(), String> {
    let path = format!("/live/sse?heartbeat={}", heartbeat.as_secs_f32());
    let fields = [("accept", "text/event-stream")];
    let held_back = || "messages are held back".to_owned();
    let answer = open(site, &path, &fields).await;
    let answer = answer.map_err(|error| match error.kind() {
        io::ErrorKind::TimedOut => held_back(),
        _ => error.to_string(),
    })?;
    if answer.status() != 200 {
        return Err(format!("the answer is {}", answer.status()));
    }
    if answer.headers().contains_key("content-encoding") {
        return Err("it is compressed, which may hold messages back".to_owned());
    }
    let mut body = answer.into_body();
    let ended = || "the stream ends early".to_owned();
    let first = timeout(FIRST_MESSAGE, body.frame()).await;
    first
        .map_err(|_| held_back())?
        .ok_or_else(ended)?
        .map_err(|_| ended())?;
    let started = Instant::now();
    let second = async {
        while let Some(Ok(_)) = body.frame().await {
            if started.elapsed() >= SEPARATE {
                return Ok(());
            }
        }
        Err(ended())
    };
    timeout(heartbeat + SLACK, second)
        .await
        .map_err(|_| held_back())?
}

/// Reports both transports: pages need one of them.
fn report_live(websocket: Result<(), String>, sse: Result<(), String>, report: &mut Report) {
    let has_one = websocket.is_ok() || sse.is_ok();
    let mut add = |check, fault: Option<String>, without: &str, advice: &str| match fault {
        None => report.ok(check, "passes"),
        Some(fault) if has_one => {
            report.warning(
                check,
                format!("{fault}; {without}"),
                format!("{advice} {GUIDE}"),
            );
        }
        Some(fault) => report.problem(
            check,
            format!("{fault}; pages have to poll"),
            format!("{advice} {GUIDE}"),
        ),
    };
    add(
        "WebSocket",
        websocket.err(),
        "pages use event streams",
        "Let the proxy pass Upgrade on; in nginx: proxy_set_header Upgrade $http_upgrade;",
    );
    add(
        "event streams",
        sse.err(),
        "visitors whose network blocks WebSocket have to poll",
        "Let the proxy neither buffer nor compress text/event-stream; in nginx: proxy_buffering off;",
    );
}
