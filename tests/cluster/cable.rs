//! A wire between a node and its server, which a test cuts.

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinHandle;

use super::server::Servers;

/// What becomes of the bytes on the wire.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Wire {
    Carries,
    /// What a node sends gets there; the answer is dropped, and then the connection breaks.
    CutsAnswers,
    /// What a node sends is dropped, and then the connection breaks.
    CutsQuestions,
    /// Every connection breaks, and no new one comes about.
    Cut,
}

/// A wire from a port of its own to a server; gone when dropped.
pub struct Cable {
    pub address: String,
    pub wire: watch::Sender<Wire>,
    task: JoinHandle<()>,
}

impl Cable {
    pub async fn lay(servers: &Servers) -> Self {
        let address = servers.address();
        let server = address.strip_prefix("nats://").unwrap().to_owned();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("nats://{}", listener.local_addr().unwrap());
        let (wire, watching) = watch::channel(Wire::Carries);
        let broken = wire.clone();
        let task = tokio::spawn(async move {
            while let Ok((node, _)) = listener.accept().await {
                if *watching.borrow() == Wire::Cut {
                    continue;
                }
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
    let mut cutting = wire.clone();
    loop {
        tokio::select! {
            () = until_cut(&mut cutting) => return,
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

async fn until_cut(wire: &mut watch::Receiver<Wire>) {
    // Fails when the cable is gone.
    let _ = wire.wait_for(|wire| *wire == Wire::Cut).await;
}

fn contains(bytes: &[u8], part: &[u8]) -> bool {
    bytes.windows(part.len()).any(|window| window == part)
}
