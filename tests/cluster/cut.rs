//! A write whose answer is cut off on its way: between the node and its server stands a wire that
//! takes the write, drops what comes back, and breaks.

use reqwest::StatusCode;
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinHandle;

use super::Nodes;
use super::server::{NEWEST, Servers};
use crate::support::{Viewer, until};

/// What becomes of the bytes on the wire.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Wire {
    Carries,
    /// What a node sends gets there; the answer is dropped, and then the connection breaks.
    CutsAnswers,
    /// What a node sends is dropped, and then the connection breaks.
    CutsQuestions,
}

/// A wire from a port of its own to a server; gone when dropped.
struct Cable {
    address: String,
    wire: watch::Sender<Wire>,
    task: JoinHandle<()>,
}

impl Cable {
    async fn lay(servers: &Servers) -> Self {
        let address = servers.address();
        let server = address.strip_prefix("nats://").unwrap().to_owned();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("nats://{}", listener.local_addr().unwrap());
        let (wire, watching) = watch::channel(Wire::Carries);
        let broken = wire.clone();
        let task = tokio::spawn(async move {
            while let Ok((node, _)) = listener.accept().await {
                let server = TcpStream::connect(&server).await.unwrap();
                tokio::spawn(carry(node, server, watching.clone(), broken.clone()));
            }
        });
        Cable {
            address,
            wire,
            task,
        }
    }
}

impl Drop for Cable {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Carries bytes both ways until one side ends, or until the wire has cut a write; after that it
/// carries the next connection.
async fn carry(
    mut node: TcpStream,
    mut server: TcpStream,
    wire: watch::Receiver<Wire>,
    broken: watch::Sender<Wire>,
) {
    let (mut asked, mut answered) = (vec![0; 64 * 1024], vec![0; 64 * 1024]);
    let mut is_under_way = false;
    loop {
        tokio::select! {
            count = node.read(&mut asked) => {
                let Ok(count @ 1..) = count else { return };
                let is_write = contains(&asked[..count], b"HPUB ps.pet.");
                if is_write && *wire.borrow() == Wire::CutsQuestions {
                    break;
                }
                is_under_way |= is_write && *wire.borrow() == Wire::CutsAnswers;
                if server.write_all(&asked[..count]).await.is_err() {
                    return;
                }
            }
            count = server.read(&mut answered) => {
                let Ok(count @ 1..) = count else { return };
                if is_under_way && contains(&answered[..count], b"\"stream\":\"PET_STORE\"") {
                    break;
                }
                // Not the change either, which comes before the answer to it: the node is to
                // find out by itself.
                let is_news = contains(&answered[..count], b"ps-live.");
                if !(is_under_way && is_news) && node.write_all(&answered[..count]).await.is_err() {
                    return;
                }
            }
        }
    }
    broken.send_replace(Wire::Carries);
}

fn contains(bytes: &[u8], part: &[u8]) -> bool {
    bytes.windows(part.len()).any(|window| window == part)
}

/// A node at the end of a cable, a viewer of it, and a change that both know of.
async fn wired() -> (Servers, Cable, Nodes, Viewer) {
    let servers = Servers::start(1, NEWEST);
    let cable = Cable::lay(&servers).await;
    let mut nodes = Nodes::start(&servers, 0).await;
    nodes.add_at(&cable.address, &["--simulate", "off"]).await;
    let before = nodes.set(0, 1, "eating").await;
    let viewer = Viewer::open("ws", nodes.base(0), &format!("?since={before}")).await;
    (servers, cable, nodes, viewer)
}

#[tokio::test]
async fn a_write_whose_answer_was_cut_off_is_found_by_its_name_and_is_there_once() {
    let (_servers, cable, nodes, mut viewer) = wired().await;
    cable.wire.send_replace(Wire::CutsAnswers);
    let answer = nodes.nodes[0].set_status(1, "bathing").await.unwrap();
    assert!(*cable.wire.borrow() == Wire::Carries, "it was cut");
    assert_eq!(answer.status(), StatusCode::OK);
    let answer: Value = answer.json().await.unwrap();
    nodes.nodes[0].wait_for_line("is looked for").await;
    let shown = viewer.next_news().await;
    assert_eq!(shown["cursor"], answer["cursor"]);
    assert_eq!(shown["status"], "bathing");
    let after = nodes.set(0, 1, "playing").await;
    let next = viewer.next_news().await;
    assert_eq!(next["cursor"], after.as_str(), "nothing in between");
}

#[tokio::test]
async fn a_write_that_was_cut_off_itself_is_said_to_be_unknown_and_never_comes() {
    let (_servers, cable, nodes, mut viewer) = wired().await;
    cable.wire.send_replace(Wire::CutsQuestions);
    let answer = nodes.nodes[0].set_status(1, "bathing").await.unwrap();
    assert!(*cable.wire.borrow() == Wire::Carries, "it was cut");
    assert_eq!(answer.status(), StatusCode::SERVICE_UNAVAILABLE);
    let problem: Value = answer.json().await.unwrap();
    let detail = problem["detail"].as_str().unwrap();
    assert!(detail.contains("may have been made"), "{detail}");
    until("a write", async || {
        let answer = nodes.nodes[0].set_status(1, "playing").await.unwrap();
        answer.status() == StatusCode::OK
    })
    .await;
    assert_eq!(viewer.next_news().await["status"], "playing");
}
