//! Invalid options: one line that names the option, the value and what is allowed.

use super::QUIET;
use crate::support::{Process, refused};

#[tokio::test]
async fn an_invalid_value_is_refused_in_one_line_with_option_value_and_what_is_allowed() {
    let folder = tempfile::tempdir().unwrap();
    for (option, value, allowed) in [
        ("--listen", "localhost", "127.0.0.1:3000"),
        ("--listen", "127.0.0.1:99999", "127.0.0.1:3000"),
        ("--metrics-listen", "9090", "127.0.0.1:3000"),
        ("--simulate", "sometimes", "off or a duration"),
        ("--seed", "-1", "--seed"),
        ("--seed", "one", "--seed"),
        ("--pets", "100001", "100000"),
        ("--history", "5m", "from 1h"),
        ("--heartbeat", "0s", "10ms to 24h"),
        ("--min-heartbeat", "0s", "10ms to 24h"),
        ("--pace", "2s", "1ms to 1s"),
        ("--max-viewers", "0", "1"),
        ("--max-connections", "0", "1"),
        ("--max-connections-per-address", "-1", "1"),
        ("--max-writes-per-second", "many", "1000000"),
        ("--max-messages-per-second", "0", "1"),
        ("--max-message", "2MB", "64KiB"),
        ("--max-body", "0", "64KiB"),
        ("--max-request-buffers", "4KiB", "64MiB"),
        ("--max-head", "1KiB", "8KiB"),
        ("--max-head-fields", "5", "16"),
        ("--head-timeout", "0s", "10ms to 24h"),
        ("--body-timeout", "0s", "10ms to 24h"),
        ("--idle-timeout", "0s", "10ms to 24h"),
        ("--trusted-proxy", "10.0.0.1/8", "10.0.0.0/8"),
        ("--write-timeout", "30", "such as 15s"),
        ("--turn", "25h", "10ms to 24h"),
        ("--grace", "25h", "10ms to 24h"),
        ("--log-format", "xml", "text, json"),
    ] {
        let flag = format!("{option}={value}");
        let name = option
            .trim_start_matches('-')
            .replace('-', "_")
            .to_uppercase();
        let variable = format!("PET_STORE_{name}");
        for (arguments, environment) in [
            (vec!["demo", flag.as_str()], vec![]),
            (vec!["serve"], vec![(variable.as_str(), value)]),
        ] {
            let (code, lines) = refused(folder.path(), &arguments, &environment).await;
            assert_eq!(code, 2, "{flag}: {lines:?}");
            assert_eq!(lines.len(), 1, "{lines:?}");
            assert!(!lines[0].contains("--help"), "only the error: {lines:?}");
            for part in [option, value, allowed] {
                assert!(lines[0].contains(part), "{part:?} is not in {lines:?}");
            }
        }
    }
    assert_eq!(
        folder.path().read_dir().unwrap().count(),
        0,
        "no file was created"
    );
}

#[tokio::test]
async fn an_unknown_option_is_refused_in_one_line() {
    let folder = tempfile::tempdir().unwrap();
    for arguments in [
        &["demo", "--colour", "red"][..],
        &["dance"],
        &["serve", "extra"],
    ] {
        let (code, lines) = refused(folder.path(), arguments, &[]).await;
        assert_eq!((code, lines.len()), (2, 1), "{lines:?}");
        assert!(
            lines[0].contains(
                arguments
                    .iter()
                    .find(|word| !["demo", "serve"].contains(*word))
                    .unwrap()
            )
        );
    }
}

#[tokio::test]
async fn a_demo_that_others_could_reach_is_refused_with_a_hint_to_serve() {
    let folder = tempfile::tempdir().unwrap();
    for address in ["0.0.0.0:0", "[::]:0", "192.0.2.1:80"] {
        let (code, lines) = refused(folder.path(), &["demo", "--listen", address], &[]).await;
        assert_eq!((code, lines.len()), (2, 1), "{lines:?}");
        for part in ["--listen", address, "pet-store serve"] {
            assert!(lines[0].contains(part), "{part:?} is not in {lines:?}");
        }
    }
}

#[tokio::test]
async fn a_second_server_on_the_same_data_is_refused_and_the_first_keeps_running() {
    let folder = tempfile::tempdir().unwrap();
    let first = Process::start(folder.path(), &QUIET).await;
    let (code, lines) = refused(folder.path(), &QUIET, &[]).await;
    assert_eq!((code, lines.len()), (1, 1), "{lines:?}");
    assert!(
        lines[0].contains("in use") && lines[0].contains("data"),
        "{lines:?}"
    );
    let response = first.set_status(1, "eating").await.unwrap();
    assert_eq!(response.status(), 200);
}

#[tokio::test]
async fn an_address_in_use_is_refused_in_one_line_and_no_store_is_created() {
    let folder = tempfile::tempdir().unwrap();
    let first = Process::start(folder.path(), &QUIET).await;
    let taken = first.base.strip_prefix("http://").unwrap();
    let elsewhere = tempfile::tempdir().unwrap();
    let (code, lines) = refused(elsewhere.path(), &["demo", "--listen", taken], &[]).await;
    assert_eq!((code, lines.len()), (1, 1), "{lines:?}");
    assert!(lines[0].contains(taken));
    assert_eq!(elsewhere.path().read_dir().unwrap().count(), 0);
}
