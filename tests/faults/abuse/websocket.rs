//! Violations of the WebSocket protocol are closed with the right code, and a frame that only declares
//! a length takes no memory.

use std::net::SocketAddr;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::server::Server;
use super::watch::Watch;
use super::{is_long, print};
use crate::support::within;

/// The most that the process may grow, in KiB, while 200 sockets declare long frames.
const GROWTH_KIB: u64 = 8 * 1024;

/// A client's frame, masked with zeros, that declares `length` and has `payload`.
fn frame(first: u8, length: u64, payload: &[u8]) -> Vec<u8> {
    let mut frame = vec![first];
    match length {
        0..=125 => frame.push(0x80 | u8::try_from(length).unwrap()),
        126..=65_535 => {
            frame.push(0x80 | 0x7e);
            frame.extend(u16::try_from(length).unwrap().to_be_bytes());
        }
        _ => {
            frame.push(0x80 | 0x7f);
            frame.extend(length.to_be_bytes());
        }
    }
    frame.extend([0; 4]);
    frame.extend_from_slice(payload);
    frame
}

fn text(payload: &[u8]) -> Vec<u8> {
    frame(0x81, payload.len() as u64, payload)
}

async fn open(address: SocketAddr, path: &str) -> TcpStream {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let shake = format!(
        "GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
    );
    stream.write_all(shake.as_bytes()).await.unwrap();
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(within("the handshake", stream.read_u8()).await.unwrap());
    }
    stream
}

/// Sends `sent`, and returns the code with which the server closes.
async fn close_code(address: SocketAddr, path: &str, sent: &[u8]) -> Option<u16> {
    let stream = open(address, path).await;
    let (mut reader, mut writer) = stream.into_split();
    let mut received = Vec::new();
    let writing = async {
        // Fails when the server closes the connection.
        let _ = writer.write_all(sent).await;
    };
    let reading = async { reader.read_to_end(&mut received).await };
    let ((), _read) = within("a close", async { tokio::join!(writing, reading) }).await;
    let mut rest = &received[..];
    while let [first, length, left @ ..] = rest {
        let wide = match length {
            126 => 2,
            127 => 8,
            _ => 0,
        };
        let length = match wide {
            0 => usize::from(*length),
            _ => left[..wide]
                .iter()
                .fold(0, |sum, byte| sum * 256 + usize::from(*byte)),
        };
        let payload = &left[wide..wide + length];
        if first & 0x0F == 8 {
            return Some(u16::from_be_bytes([payload[0], payload[1]]));
        }
        rest = &left[wide + length..];
    }
    None
}

fn violations() -> Vec<(&'static str, Vec<u8>, u16)> {
    let mut unmasked = text(b"");
    unmasked[1] = 0;
    vec![
        ("not masked", unmasked, 1002),
        ("a reserved bit", frame(0xC1, 0, b""), 1002),
        ("an unknown opcode", frame(0x83, 0, b""), 1002),
        ("an unknown control opcode", frame(0x8B, 0, b""), 1002),
        ("a continuation of nothing", frame(0x80, 1, b"x"), 1002),
        (
            "a message inside a message",
            [frame(0x01, 1, b"x"), text(b"y")].concat(),
            1002,
        ),
        ("a ping in two parts", frame(0x09, 0, b""), 1002),
        ("a ping of 126 bytes", frame(0x89, 126, &[0; 126]), 1002),
        ("half a close code", frame(0x88, 1, &[3]), 1002),
        (
            "a close code that must not be sent",
            frame(0x88, 2, &1005_u16.to_be_bytes()),
            1002,
        ),
        (
            "a reason that is no text",
            frame(0x88, 3, &[3, 232, 0xFF]),
            1007,
        ),
        ("text that is none", text(&[0xC3, 0x28]), 1007),
        ("a length of 2^63", frame(0x82, 1 << 63, b""), 1002),
        ("a length of 2^62", frame(0x82, 1 << 62, b""), 1009),
    ]
}

#[tokio::test]
async fn a_protocol_violation_is_closed_with_its_code() {
    let mut server = Server::start(1024, &[]).await;
    let mut rows = Vec::new();
    for (name, sent, code) in violations() {
        for path in ["/live/ws", "/hello/ws"] {
            let closed = close_code(server.address, path, &sent).await;
            assert_eq!(closed, Some(code), "{name} on {path}");
        }
        rows.push(vec![name.to_owned(), code.to_string()]);
    }
    let floods = [
        ("1,000 pings", frame(0x89, 0, b"").repeat(1000), 1008),
        (
            "a message in fragments of a byte",
            frame(0x00, 1, b"x").repeat(4000),
            1008,
        ),
        (
            "empty fragments for ever",
            frame(0x00, 0, b"").repeat(4000),
            1008,
        ),
        ("1,000 pongs", frame(0x8A, 0, b"").repeat(1000), 1008),
        (
            "three messages that are no commands",
            text(b"x").repeat(3),
            1008,
        ),
        (
            "three that are too long",
            text(&[b'x'; 5000]).repeat(3),
            1008,
        ),
        (
            "one of more than 1 MiB",
            text(&vec![b'x'; (1 << 20) + 1]),
            1009,
        ),
    ];
    for (name, sent, code) in floods {
        let sent = if name.contains("fragments") {
            [frame(0x01, 0, b""), sent].concat()
        } else {
            sent
        };
        assert_eq!(
            close_code(server.address, "/live/ws", &sent).await,
            Some(code),
            "{name}"
        );
        rows.push(vec![name.to_owned(), code.to_string()]);
    }
    server.assert_alive();
    print("WebSocket violations and their close codes", &rows);
}

/// The echo answers a flood frame by frame, and viewers miss no change.
#[tokio::test]
async fn frames_that_declare_a_length_and_floods_of_small_ones_take_no_memory() {
    let sockets = if is_long() { 200 } else { 50 };
    let mut server = Server::start(1024, &[]).await;
    let mut held = Vec::new();
    for path in ["/live/ws", "/hello/ws"] {
        held.push(open(server.address, path).await);
    }
    let before = server.memory_kib();
    let watch = Watch::start(&server.base).await;
    for turn in 0..sockets {
        let path = ["/live/ws", "/hello/ws"][turn % 2];
        let mut socket = open(server.address, path).await;
        let bits = [20, 24, 26, 31, 32, 40, 62, 63][turn / 2 % 8];
        let sent = frame(0x82, 1 << bits, &[0; 3000]);
        socket.write_all(&sent).await.unwrap();
        held.push(socket);
    }
    let declared = server.memory_kib();
    let mut flood = open(server.address, "/hello/ws").await;
    let sent = [
        frame(0x01, 0, b""),
        frame(0x00, 1, b"x").repeat(3000),
        frame(0x80, 0, b""),
    ]
    .concat();
    let sent = [frame(0x89, 0, b"").repeat(3000), sent].concat();
    flood.write_all(&sent).await.unwrap();
    // 3,000 pongs of 2 bytes, as many fragments of 3, and an end of 2.
    let mut echoed = vec![0; 3000 * 2 + 3000 * 3 + 2];
    within("the echo of all", flood.read_exact(&mut echoed))
        .await
        .unwrap();
    let seen = watch.end().await;
    let after = server.memory_kib();
    println!(
        "\n{sockets} sockets that declare 1 MiB to 2^63 bytes: {before} KiB before, {declared} KiB \
         after; and after a flood {after} KiB; {} changes, none missed",
        seen.count()
    );
    server.assert_alive();
    assert!(
        declared.max(after) < before + GROWTH_KIB,
        "{before} {declared} {after}"
    );
}
