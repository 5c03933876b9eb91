//! Commands over WebSocket.

use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;

use crate::support::{Ws, metric, rev, spawn_app, spawn_app_with};

fn set_status(pet: u64, status: &str, reference: &str) -> Value {
    json!({ "do": "set-status", "pet": pet, "status": status, "ref": reference })
}

#[tokio::test]
async fn a_command_is_answered_with_its_ref_and_the_cursor_of_its_change() {
    let app = spawn_app().await;
    let pet = app.add_pet("Biscuit").await;
    let mut ws = Ws::open(&app.url(""), "").await;
    let ack = ws.command(&set_status(pet, "eating", "a1")).await;
    assert_eq!(
        ack,
        json!({ "type": "ack", "ref": "a1", "cursor": app.cursor().await })
    );
    let state = app.json("/live/state").await;
    assert_eq!(state["pets"][0]["status"], "eating");
}

#[tokio::test]
async fn commands_sent_together_run_and_are_answered_in_order() {
    let app = spawn_app().await;
    let pet = app.add_pet("Biscuit").await;
    let mut ws = Ws::open(&app.url(""), "").await;
    for number in 0..20 {
        let command = set_status(pet, "eating", &number.to_string());
        ws.send(command.to_string()).await;
    }
    let first = ws.answer().await;
    assert_eq!(first["ref"], "0");
    for number in 1..20 {
        let ack = ws.answer().await;
        assert_eq!(ack["ref"], number.to_string());
        assert_eq!(rev(&ack), rev(&first) + number);
    }
}

#[tokio::test]
async fn an_invalid_command_is_answered_with_an_error_and_its_ref() {
    let app = spawn_app().await;
    let pet = app.add_pet("Biscuit").await;
    let before = app.cursor().await;
    let mut ws = Ws::open(&app.url(""), "").await;
    for (command, status) in [
        (set_status(99, "eating", "r"), 404),
        (set_status(pet, "napping", "r"), 422),
        (json!({ "do": "set-status", "pet": pet, "ref": "r" }), 422),
        (
            json!({ "do": "set-status", "status": "eating", "ref": "r" }),
            422,
        ),
        (json!({ "do": "feed", "pet": pet, "ref": "r" }), 400),
    ] {
        let error = ws.command(&command).await;
        assert_eq!(error["type"], "error", "{command}");
        assert_eq!(error["ref"], "r", "{command}");
        assert_eq!(error["status"], status, "{command}");
        assert!(!error["title"].as_str().unwrap().is_empty());
    }
    assert_eq!(app.cursor().await, before);
    let ack = ws.command(&set_status(pet, "eating", "still")).await;
    assert_eq!(ack["ref"], "still", "such errors do not end the connection");
}

#[tokio::test]
async fn three_unreadable_messages_close_the_connection_with_1008() {
    let app = spawn_app().await;
    let mut ws = Ws::open(&app.url(""), "").await;
    let too_long = format!(r#"{{"do":"set-status","pad":"{}"}}"#, "x".repeat(4 * 1024));
    for (text, status) in [
        ("eating, please", 400),
        (too_long.as_str(), 413),
        ("[]", 400),
    ] {
        ws.send(text).await;
        let error = ws.answer().await;
        assert_eq!(error["type"], "error");
        assert_eq!(error["status"], status, "{text:.30}");
    }
    assert_eq!(ws.try_next().await, None);
    assert_eq!(ws.closed, Some(CloseCode::Policy));
    let dropped = metric(&app, r#"petstore_viewers_dropped_total{reason="protocol"}"#).await;
    assert_eq!(dropped, 1);
}

/// WebSocket libraries send such texts by themselves.
#[tokio::test]
async fn keep_alive_texts_are_answered_and_never_close_the_connection() {
    let app = spawn_app().await;
    let pet = app.add_pet("Biscuit").await;
    let mut ws = Ws::open(&app.url(""), "").await;
    assert_eq!(ws.next().await["type"], "hello");
    assert_eq!(ws.next().await["type"], "snapshot");
    for text in [
        "",
        " \n",
        "ping",
        "PING",
        "\"ping\"",
        r#"{"type":"ping"}"#,
        r#"{"type": "PING", "id": 7}"#,
        r#"{"do":"ping"}"#,
        r#"{"action":"ping"}"#,
        r#"{"event":"ping"}"#,
        r#"{"op":"ping"}"#,
    ] {
        ws.send(text).await;
        let answer = ws.next().await;
        assert_eq!(answer["type"], "heartbeat", "{text}");
        assert_eq!(answer["cursor"], app.cursor().await);
    }
    // An answer to an answer would never end.
    for text in [
        "pong",
        r#"{"type":"pong"}"#,
        r#"{"type":"heartbeat"}"#,
        "heartbeat",
    ] {
        ws.send(text).await;
    }
    ws.send(set_status(pet, "eating", "a1").to_string()).await;
    let (mut status, mut ack) = (ws.next().await, ws.next().await);
    if ack["type"] == "status" {
        (status, ack) = (ack, status);
    }
    assert_eq!(
        (&status["type"], &ack["type"]),
        (&json!("status"), &json!("ack"))
    );
}

#[tokio::test]
async fn keep_alive_texts_count_against_the_rate_limit() {
    let app = spawn_app_with(|config| config.live.messages_per_second = 1).await;
    let mut ws = Ws::open(&app.url(""), "").await;
    for _ in 0..200 {
        if ws.try_send("ping".to_owned()).await.is_none() {
            break;
        }
    }
    while ws.try_next().await.is_some() {}
    assert_eq!(ws.closed, Some(CloseCode::Policy));
}

#[tokio::test]
async fn a_command_of_exactly_4_kib_is_read() {
    let app = spawn_app().await;
    let pet = app.add_pet("Biscuit").await;
    let mut ws = Ws::open(&app.url(""), "").await;
    let command = set_status(pet, "eating", "whole").to_string();
    ws.send(format!("{command}{}", " ".repeat(4096 - command.len())))
        .await;
    assert_eq!(ws.answer().await["type"], "ack");
}

#[tokio::test]
async fn a_message_over_1_mib_closes_the_connection_with_1009() {
    let app = spawn_app().await;
    let mut ws = Ws::open(&app.url(""), "").await;
    ws.send("x".repeat(1024 * 1024 + 1)).await;
    while ws.try_next().await.is_some() {}
    assert_eq!(ws.closed, Some(CloseCode::Size));
}

#[tokio::test]
async fn a_page_of_another_site_may_watch_and_may_not_send_commands() {
    let app = spawn_app().await;
    let pet = app.add_pet("Biscuit").await;
    let before = app.cursor().await;
    let mut foreign = Ws::open_from("https://elsewhere.example", &app.url("")).await;
    assert_eq!(foreign.next().await["type"], "hello");
    assert_eq!(foreign.next().await["type"], "snapshot");
    let error = foreign.command(&set_status(pet, "eating", "f")).await;
    assert_eq!(
        (&error["status"], &error["ref"]),
        (&json!(403), &json!("f"))
    );
    assert_eq!(app.cursor().await, before);
    let cursor = app.set_status(pet, "playing").await;
    assert_eq!(foreign.next().await["cursor"], cursor.as_str());
    let mut own = Ws::open_from(&app.url(""), &app.url("")).await;
    let ack = own.command(&set_status(pet, "eating", "o")).await;
    assert_eq!(ack["type"], "ack");
}
