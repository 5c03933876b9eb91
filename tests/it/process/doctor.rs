//! `pet-store doctor`: what it finds in a sound installation, and in broken ones.

mod https;

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use serde_json::Value;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use super::QUIET;
use crate::support::{Process, printed, printed_with};

/// Runs the doctor on the store in `folder/data`. Returns its exit code and the findings: level, message and
/// advice by check.
async fn examined(folder: &Path, arguments: &[&str]) -> (i32, Vec<(String, String, String)>) {
    examined_with(folder, arguments, &[]).await
}

/// As `examined`, with environment variables.
async fn examined_with(
    folder: &Path,
    arguments: &[&str],
    environment: &[(&str, &str)],
) -> (i32, Vec<(String, String, String)>) {
    let arguments = [&["doctor", "--json"], arguments].concat();
    let (code, text) = printed_with(folder, &arguments, environment).await;
    let findings: Vec<Value> = serde_json::from_str(&text).unwrap();
    let field = |finding: &Value, name: &str| finding[name].as_str().unwrap_or_default().to_owned();
    let found = findings.iter().map(|finding| {
        let level = format!("{} {}", field(finding, "check"), field(finding, "level"));
        (level, field(finding, "message"), field(finding, "advice"))
    });
    (code, found.collect())
}

/// Asserts that there is a finding with this check and level, whose message has `message` and its advice `advice`.
fn assert_found(findings: &[(String, String, String)], level: &str, message: &str, advice: &str) {
    let found = findings
        .iter()
        .any(|found| found.0 == level && found.1.contains(message) && found.2.contains(advice));
    assert!(found, "{level}, {message}, {advice}: {findings:#?}");
}

fn address(process: &Process) -> &str {
    process.base.strip_prefix("http://").unwrap()
}

#[tokio::test]
async fn a_sound_installation_has_no_problem() {
    let folder = tempfile::tempdir().unwrap();
    let process = Process::start(folder.path(), &QUIET).await;
    let arguments = ["--listen", address(&process), "--base-url", &process.base];
    let (code, findings) = examined(folder.path(), &arguments).await;
    assert_eq!(code, 0, "{findings:#?}");
    for (level, message) in [
        ("data folder ok", "private"),
        ("store ok", "all records are intact: 6 pets"),
        ("server ok", "ready at 127.0.0.1:"),
        ("https ok", &process.base),
        ("base URL ok", "is this program"),
        ("Host ok", "arrives as it was sent"),
        ("client address ok", "127.0.0.1"),
        ("WebSocket ok", "passes"),
        ("event streams ok", "passes"),
    ] {
        assert_found(&findings, level, message, "");
    }
    // The limit of the server, which is not this test's.
    assert!(
        findings
            .iter()
            .any(|found| found.1.contains("of the server, enough")),
        "{findings:#?}"
    );
    let (_, text) = printed(folder.path(), &["doctor"]).await;
    assert!(text.contains("ok       store: all records"), "{text}");
    assert!(
        text.trim_end().ends_with("warnings") || text.trim_end().ends_with("warning"),
        "{text}"
    );
}

#[tokio::test]
async fn faults_of_the_data_folder_are_named_with_the_command_that_fixes_them() {
    let folder = tempfile::tempdir().unwrap();
    Process::start(folder.path(), &QUIET).await.kill().await;
    let data = folder.path().join("data");
    let store = data.join("pet-store.redb");
    let set_mode = |path: &Path, mode| {
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    };
    set_mode(&store, 0o644);
    set_mode(&data, 0o777);
    let future = std::time::SystemTime::now() + std::time::Duration::from_hours(1);
    fs::File::options()
        .write(true)
        .open(&store)
        .unwrap()
        .set_modified(future)
        .unwrap();
    let (code, findings) = examined(folder.path(), &["--max-viewers", "1000000"]).await;
    assert_eq!(code, 1);
    assert_found(
        &findings,
        "data folder problem",
        "other users can replace files",
        "chmod 700",
    );
    assert_found(
        &findings,
        "data folder problem",
        "other users can read pet-store.redb",
        "chmod 600",
    );
    assert_found(
        &findings,
        "open files problem",
        "ask for more",
        "LimitNOFILE=",
    );
    assert_found(
        &findings,
        "clock problem",
        "ahead of this machine's clock",
        "Set the clock",
    );
    assert_found(
        &findings,
        "server warning",
        "no server answers",
        "systemctl start",
    );
    fs::write(&store, "no store").unwrap();
    let (code, findings) = examined(folder.path(), &[]).await;
    assert_eq!(code, 1);
    assert_found(&findings, "store problem", "pet-store.redb", "restore");
    let (_, findings) = examined(folder.path(), &["--data", "nowhere"]).await;
    assert_found(
        &findings,
        "data folder warning",
        "nowhere cannot be read",
        "--data",
    );
}

#[tokio::test]
async fn a_program_that_is_not_pet_store_is_recognised() {
    let folder = tempfile::tempdir().unwrap();
    let other = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = other.local_addr().unwrap().to_string();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = other.accept().await {
            let _ = stream.read(&mut [0; 4096]).await;
            let answer = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: close\r\n\r\nhello";
            let _ = stream.write_all(answer).await;
        }
    });
    let base = format!("http://{address}");
    let (code, findings) =
        examined(folder.path(), &["--listen", &address, "--base-url", &base]).await;
    assert_eq!(code, 1);
    assert_found(
        &findings,
        "server problem",
        "another program answers",
        "Stop that program",
    );
    assert_found(
        &findings,
        "base URL problem",
        "something else answers",
        "pass all paths",
    );
    let (code, findings) = examined(folder.path(), &["--base-url", "http://127.0.0.1:1"]).await;
    assert_eq!(code, 1);
    assert_found(
        &findings,
        "base URL problem",
        "cannot be reached",
        "Start the proxy",
    );
}

/// A proxy that edits the head of each request and holds back what a stream sends after its head.
async fn bad_proxy(upstream: String, edit: fn(&str) -> String, holds_streams: bool) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        while let Ok((client, _)) = listener.accept().await {
            let upstream = TcpStream::connect(&upstream).await.unwrap();
            tokio::spawn(relay(client, upstream, edit, holds_streams));
        }
    });
    base
}

async fn relay(
    mut client: impl AsyncRead + AsyncWrite + Unpin,
    mut upstream: TcpStream,
    edit: fn(&str) -> String,
    holds_streams: bool,
) -> std::io::Result<()> {
    let mut buffer = vec![0; 8192];
    let length = client.read(&mut buffer).await?;
    let head = String::from_utf8_lossy(&buffer[..length]).into_owned();
    upstream.write_all(edit(&head).as_bytes()).await?;
    if holds_streams && head.starts_with("GET /live/sse") {
        let mut all = Vec::new();
        upstream.read_to_end(&mut all).await?;
        return client.write_all(&all).await;
    }
    tokio::io::copy_bidirectional(&mut client, &mut upstream).await?;
    Ok(())
}

#[tokio::test]
async fn faults_of_a_proxy_are_named_with_their_cure() {
    let folder = tempfile::tempdir().unwrap();
    let arguments = [&QUIET[..], &["--min-heartbeat", "1s"]].concat();
    let process = Process::start(folder.path(), &arguments).await;
    let upstream = address(&process).to_owned();
    let without_upgrade = |head: &str| {
        let lines = head.split("\r\n").map(|line| match line.split_once(": ") {
            Some((name, _)) if name.eq_ignore_ascii_case("host") => "host: upstream".to_owned(),
            Some((name, _)) if name.eq_ignore_ascii_case("upgrade") => "x-a: b".to_owned(),
            Some((name, _)) if name.eq_ignore_ascii_case("connection") => {
                "X-Forwarded-For: 192.0.2.9".to_owned()
            }
            _ => line.to_owned(),
        });
        let lines: Vec<String> = lines.collect();
        lines.join("\r\n")
    };
    let base = bad_proxy(upstream.clone(), without_upgrade, true).await;
    let doctor = [
        "--listen",
        &upstream,
        "--min-heartbeat",
        "1s",
        "--base-url",
        &base,
    ];
    let (code, findings) = examined(folder.path(), &doctor).await;
    assert_eq!(code, 1);
    assert_found(
        &findings,
        "Host problem",
        "by upstream",
        "proxy_set_header Host",
    );
    assert_found(
        &findings,
        "WebSocket problem",
        "pages have to poll",
        "Upgrade",
    );
    assert_found(
        &findings,
        "event streams problem",
        "held back",
        "proxy_buffering off",
    );
}

#[tokio::test]
async fn a_proxy_that_is_not_trusted_and_a_server_with_another_store_are_named() {
    let (folder, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let process = Process::start(folder.path(), &QUIET).await;
    let second = Process::start(other.path(), &QUIET).await;
    let adds_client = |head: &str| head.replacen("\r\n", "\r\nX-Forwarded-For: 192.0.2.9\r\n", 1);
    let base = bad_proxy(address(&second).to_owned(), adds_client, false).await;
    let doctor = ["--listen", address(&process), "--base-url", &base];
    let (code, findings) = examined(folder.path(), &doctor).await;
    assert_eq!(code, 1);
    assert_found(
        &findings,
        "client address problem",
        "is not trusted",
        "--trusted-proxy 127.0.0.1",
    );
    assert_found(&findings, "base URL problem", "another store", "--listen");
    assert_found(&findings, "WebSocket ok", "passes", "");
}

#[tokio::test]
async fn a_proxy_that_removes_the_base_path_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let base_url = ["--base-url", "http://127.0.0.1:1/our/pets"];
    let process = Process::start(folder.path(), &[&QUIET[..], &base_url].concat()).await;
    let upstream = address(&process).to_owned();
    let unchanged = bad_proxy(upstream.clone(), str::to_owned, false).await;
    let removes = |head: &str| head.replacen(" /our/pets/", " /", 1);
    let removing = bad_proxy(upstream.clone(), removes, false).await;
    for (proxy, level, message) in [
        (unchanged, "base URL ok", "/our/pets is this program"),
        (
            removing,
            "base URL problem",
            "removes /our/pets from the paths",
        ),
    ] {
        let base = format!("{proxy}/our/pets");
        let doctor = ["--listen", &upstream, "--base-url", &base];
        let (_, findings) = examined(folder.path(), &doctor).await;
        assert_found(&findings, level, message, "");
        let has_problem = findings
            .iter()
            .any(|found| found.0.starts_with("WebSocket problem"));
        assert!(!has_problem, "it follows from the path: {findings:#?}");
    }
    let base = format!("http://{upstream}");
    let (_, findings) =
        examined(folder.path(), &["--listen", &upstream, "--base-url", &base]).await;
    assert_found(
        &findings,
        "base URL problem",
        "another path in its --base-url: /our/pets",
        "",
    );
}
