//! Commands over a WebSocket, with the session of its page or the token of a program.

use serde_json::{Value, json};

use crate::support::{Browser, Rescue, Ws};

fn set_status(status: &str) -> Value {
    json!({ "do": "set-status", "pet": 1, "status": status, "ref": "r" })
}

fn with_token(status: &str, token: &str) -> Value {
    let mut command = set_status(status);
    command["token"] = token.into();
    command
}

/// Opens a socket as a page at `origin` in this browser does.
async fn open(browser: &Browser, rescue: &Rescue, origin: &str) -> Ws {
    let cookie = browser.cookie.clone().unwrap_or_default();
    let headers = [("cookie", cookie.as_str()), ("origin", origin)];
    let ws = Ws::try_open(&rescue.app.url(""), "/live/ws", &headers).await;
    ws.expect("everybody may watch")
}

#[tokio::test]
async fn a_socket_of_a_signed_in_page_commands_as_that_person() {
    let (rescue, boris) = Rescue::start_as("boris").await;
    let mut ws = open(&boris, &rescue, &rescue.app.url("")).await;
    assert_eq!(ws.command(&set_status("eating")).await["type"], "ack");
    let answer = rescue
        .bearing(&rescue.tokens[0], "GET", "/api/v1/pets/1/changes")
        .send()
        .await;
    let changes: Value = answer.unwrap().json().await.unwrap();
    let change = &changes["changes"][0];
    assert_eq!(change["by"], "staff");
    assert_eq!(change["who"], "boris");
    assert_eq!(change["client"], "Firefox on Android");
}

#[tokio::test]
async fn a_socket_keeps_the_token_of_its_first_command() {
    let rescue = Rescue::start().await;
    let mut ws = Ws::open(&rescue.app.url(""), "").await;
    assert_eq!(ws.command(&set_status("eating")).await["status"], 403);
    let ack = ws.command(&with_token("eating", &rescue.tokens[1])).await;
    assert_eq!(ack["type"], "ack");
    assert_eq!(ws.command(&set_status("bathing")).await["type"], "ack");
    let answer = rescue
        .bearing(&rescue.tokens[0], "GET", "/api/v1/pets/1/changes")
        .send()
        .await;
    let changes: Value = answer.unwrap().json().await.unwrap();
    assert_eq!(changes["changes"][0]["by"], "api");
    assert_eq!(changes["changes"][0]["client"], "token set-status");
}

#[tokio::test]
async fn a_command_with_an_invalid_or_narrow_token_is_refused_and_the_socket_stays_open() {
    let rescue = Rescue::start().await;
    let before = rescue.app.cursor().await;
    let mut ws = Ws::open(&rescue.app.url(""), "").await;
    for token in [rescue.tokens[0].as_str(), "petstore_", "", &"0".repeat(64)] {
        let error = ws.command(&with_token("eating", token)).await;
        assert_eq!(
            (&error["status"], &error["ref"]),
            (&json!(403), &json!("r")),
            "{token}"
        );
    }
    assert_eq!(rescue.app.cursor().await, before);
    let path = format!("/live/ws?token={}", rescue.tokens[2]);
    let mut in_the_address = Ws::try_open(&rescue.app.url(""), &path, &[]).await.unwrap();
    let error = in_the_address.command(&set_status("eating")).await;
    assert_eq!(error["status"], 403, "an address is written into logs");
}

#[tokio::test]
async fn a_page_of_another_site_can_watch_but_never_command() {
    let (rescue, anna) = Rescue::start_as("anna").await;
    let before = rescue.app.cursor().await;
    let mut foreign = open(&anna, &rescue, "https://evil.example").await;
    assert_eq!(foreign.next().await["type"], "hello");
    assert_eq!(foreign.next().await["type"], "snapshot");
    for command in [
        set_status("eating"),
        with_token("eating", &rescue.tokens[2]),
    ] {
        assert_eq!(foreign.command(&command).await["status"], 403);
    }
    assert_eq!(rescue.app.cursor().await, before);
}

#[tokio::test]
async fn an_open_socket_cannot_command_after_its_session_or_token_ended() {
    let (rescue, mut boris) = Rescue::start_as("boris").await;
    let mut page = open(&boris, &rescue, &rescue.app.url("")).await;
    let mut program = Ws::open(&rescue.app.url(""), "").await;
    assert_eq!(page.command(&set_status("eating")).await["type"], "ack");
    let ack = program
        .command(&with_token("bathing", &rescue.tokens[1]))
        .await;
    assert_eq!(ack["type"], "ack");
    boris.post("/sign-out", &[]).await;
    assert_eq!(page.command(&set_status("playing")).await["status"], 403);
    assert_eq!(program.command(&set_status("playing")).await["type"], "ack");
    let mut anna = rescue.signed_in("anna").await;
    anna.post("/staff/boris", &[("do", "disable"), ("confirm", "yes")])
        .await;
    assert_eq!(program.command(&set_status("eating")).await["status"], 403);
    let state = rescue.app.json("/live/state").await;
    assert_eq!(state["pets"][0]["status"], "playing");
}
