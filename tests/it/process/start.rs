//! Start: the line that scripts wait for, sample pets, flags and environment variables.

use serde_json::Value;

use super::QUIET;
use crate::support::Process;

#[tokio::test]
async fn without_a_command_it_is_a_demo_with_six_pets_in_a_new_data_folder() {
    let folder = tempfile::tempdir().unwrap();
    let process = Process::start(folder.path(), &["--listen", "127.0.0.1:0"]).await;
    let state = process.json("/live/state").await;
    assert_eq!(state["pets"].as_array().unwrap().len(), 6);
    assert!(folder.path().join("data/pet-store.redb").is_file());
    assert!(
        !process.base.ends_with(":0"),
        "the line names the port that was picked"
    );
}

#[tokio::test]
async fn sample_pets_are_added_to_a_store_without_history_only() {
    let folder = tempfile::tempdir().unwrap();
    let mut first = Process::start(folder.path(), &QUIET).await;
    let pets = first.json("/api/v1/pets").await;
    let url = format!("{}/api/v1/pets/1", first.base);
    let gone = first.client.delete(url).send().await.unwrap();
    assert_eq!(gone.status(), 200);
    first.kill().await;
    let again = Process::start(folder.path(), &QUIET).await;
    let left = again.json("/api/v1/pets").await;
    assert_eq!(
        left["pets"].as_array().unwrap()[..],
        pets["pets"].as_array().unwrap()[1..]
    );
}

#[tokio::test]
async fn serve_has_no_sample_pets() {
    let folder = tempfile::tempdir().unwrap();
    let process = Process::start(folder.path(), &["serve", "--listen", "127.0.0.1:0"]).await;
    let state = process.json("/live/state").await;
    assert_eq!(state["pets"].as_array().unwrap().len(), 0);
}

async fn heartbeat_ms(process: &Process) -> Value {
    let answer = process.json("/live/poll?wait=0").await;
    answer["messages"][0]["heartbeat_ms"].clone()
}

#[tokio::test]
async fn a_flag_wins_over_its_environment_variable() {
    let folder = tempfile::tempdir().unwrap();
    let environment = [
        ("PET_STORE_LISTEN", "127.0.0.1:0"),
        ("PET_STORE_DATA", "elsewhere"),
        ("PET_STORE_PETS", "2"),
        ("PET_STORE_HEARTBEAT", "7s"),
        ("PET_STORE_SIMULATE", "off"),
    ];
    let mut process = Process::start_with(folder.path(), &[], &environment).await;
    assert_eq!(heartbeat_ms(&process).await, 7000);
    let state = process.json("/live/state").await;
    assert_eq!(state["pets"].as_array().unwrap().len(), 2);
    assert!(folder.path().join("elsewhere/pet-store.redb").is_file());
    process.kill().await;
    let flags = ["demo", "--heartbeat", "9s"];
    let process = Process::start_with(folder.path(), &flags, &environment).await;
    assert_eq!(heartbeat_ms(&process).await, 9000);
}

#[tokio::test]
async fn every_line_of_the_json_log_is_json() {
    let folder = tempfile::tempdir().unwrap();
    let arguments = [&QUIET[..], &["--log-format", "json"]].concat();
    let process = Process::start(folder.path(), &arguments).await;
    for line in process.lines() {
        let line: Value = serde_json::from_str(&line).unwrap();
        assert!(line["message"].is_string());
    }
}
