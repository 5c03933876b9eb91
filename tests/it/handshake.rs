//! The opening handshake of WebSocket, and the echo.

use futures_util::{SinkExt, StreamExt};
use tokio_tungstenite::tungstenite::Message;

use crate::support::{TestApp, Ws, ask, ask_until, spawn_app, within};

/// Where a socket can be opened.
const SOCKETS: [&str; 2] = ["/live/ws", "/hello/ws"];

/// A right handshake; a test changes one thing in it.
const RIGHT: &str = "GET PATH HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
     Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";

/// The head of the answer to a handshake in which `part` is replaced.
async fn shake(app: &TestApp, path: &str, part: &str, by: &str) -> String {
    assert!(RIGHT.contains(part), "{part}");
    let request = RIGHT.replace("PATH", path).replace(part, by);
    ask(app.address, &request).await
}

#[tokio::test]
async fn a_handshake_is_accepted_in_every_form_that_the_standard_allows() {
    let app = spawn_app().await;
    for path in SOCKETS {
        for (part, by) in [
            ("x", "x"),
            ("Upgrade: websocket", "Upgrade: WEBSOCKET"),
            ("Connection: Upgrade", "Connection: keep-alive, upgrade"),
            ("Connection: Upgrade", "connection: UPGRADE"),
        ] {
            let answer = shake(&app, path, part, by).await;
            assert!(answer.starts_with("HTTP/1.1 101 "), "{by}: {answer}");
            // The example of RFC 6455, section 1.3.
            let accepted = "\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n";
            assert!(answer.contains(accepted), "{answer}");
        }
    }
}

/// Some clients compare the names and values of the answer letter by letter.
#[tokio::test]
async fn the_headers_of_an_accepted_handshake_follow_the_standard() {
    let app = spawn_app().await;
    for path in SOCKETS {
        let answer = shake(&app, path, "x", "x").await;
        let head = answer.split_once("\r\n\r\n").unwrap().0;
        let head = head.split_once("\r\n").unwrap().1;
        for line in ["Connection: Upgrade", "Upgrade: websocket"] {
            assert!(head.lines().any(|found| found == line), "{line}: {answer}");
        }
        for line in head.lines() {
            let (name, _) = line.split_once(": ").unwrap();
            let is_capital = |word: &str| word.starts_with(|first: char| first.is_uppercase());
            assert!(name.split('-').all(is_capital), "{name}");
        }
    }
}

/// A browser that offers a subprotocol and is not given one closes the socket, and one that offers
/// none must be given none.
#[tokio::test]
async fn the_subprotocol_is_selected_only_if_it_was_offered() {
    let app = spawn_app().await;
    for (offered, is_agreed) in [
        ("petstore.v1", true),
        ("graphql-ws, petstore.v1", true),
        ("petstore.v1,mqtt", true),
        ("graphql-ws", false),
        ("petstore.v2", false),
        ("", false),
    ] {
        let by = format!("Host: x\r\nSec-WebSocket-Protocol: {offered}");
        let answer = shake(&app, "/live/ws", "Host: x", &by).await;
        let agreed = "\r\nSec-WebSocket-Protocol: petstore.v1\r\n";
        assert!(answer.starts_with("HTTP/1.1 101 "), "{answer}");
        assert_eq!(answer.contains(agreed), is_agreed, "{offered}: {answer}");
        assert!(is_agreed || !answer.to_lowercase().contains("-protocol:"));
    }
    let answer = shake(&app, "/live/ws", "x", "x").await;
    assert!(!answer.to_lowercase().contains("-protocol:"), "{answer}");
}

#[tokio::test]
async fn a_request_without_a_handshake_is_426_with_upgrade() {
    let app = spawn_app().await;
    for path in SOCKETS {
        for (part, by) in [
            ("Upgrade: websocket\r\n", ""),
            ("Upgrade: websocket", "Upgrade: h2c"),
            ("Connection: Upgrade", "Connection: close"),
            ("Sec-WebSocket-Version: 13", "Sec-WebSocket-Version: 8"),
            ("Sec-WebSocket-Version: 13\r\n", ""),
        ] {
            let answer = shake(&app, path, part, by).await;
            assert!(answer.starts_with("HTTP/1.1 426 "), "{by}: {answer}");
        }
        assert_eq!(app.get(path).await.status(), 426);
    }
}

#[tokio::test]
async fn a_426_has_upgrade_and_the_version_that_is_supported() {
    let app = spawn_app().await;
    let answer = app.get("/live/ws").await;
    assert_eq!(answer.headers()["upgrade"], "websocket");
    assert_eq!(answer.headers()["sec-websocket-version"], "13");
}

#[tokio::test]
async fn a_broken_key_is_400() {
    let app = spawn_app().await;
    for key in ["Sec-WebSocket-Key: short", "X: x"] {
        let part = "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==";
        let answer = shake(&app, "/live/ws", part, key).await;
        assert!(answer.starts_with("HTTP/1.1 400 "), "{answer}");
    }
}

#[tokio::test]
async fn http_1_0_is_answered_and_never_with_a_server_error() {
    let app = spawn_app().await;
    app.add_pet("Biscuit").await;
    for (path, status) in [
        ("/pets", 200),
        ("/live/state", 200),
        ("/live/poll?wait=0", 200),
    ] {
        let request = format!("GET {path} HTTP/1.0\r\n\r\n");
        let answer = ask_until(app.address, &request, "Biscuit").await;
        assert!(answer.contains(&format!(" {status} ")), "{path}: {answer}");
        assert!(answer.contains("Biscuit"), "{path}: {answer}");
    }
    let sse = ask_until(app.address, "GET /live/sse HTTP/1.0\r\n\r\n", "Biscuit").await;
    assert!(sse.contains("event: snapshot"), "{sse}");
    let answer = shake(&app, "/live/ws", "HTTP/1.1", "HTTP/1.0").await;
    assert!(answer.contains(" 426 "), "{answer}");
}

#[tokio::test]
async fn the_echo_returns_text_and_binary_messages_unchanged() {
    let app = spawn_app().await;
    let mut ws = Ws::try_open(&app.url(""), "/hello/ws", &[]).await.unwrap();
    let long = "x".repeat(100_000);
    for message in [
        Message::text("hello"),
        Message::text(""),
        Message::text(long),
        Message::text("\u{1f436}\r\u{2028}"),
        Message::binary(vec![0_u8, 255, 13, 10]),
        Message::binary(Vec::<u8>::new()),
    ] {
        ws.socket.send(message.clone()).await.unwrap();
        let answer = within("an echo", ws.socket.next()).await;
        assert_eq!(answer.unwrap().unwrap(), message);
    }
}
