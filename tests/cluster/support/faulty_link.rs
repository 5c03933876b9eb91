//! A TCP proxy between a node and its server that injects faults.

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::cluster::server::Servers;

/// The fault that a link injects.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum LinkFault {
    None,
    /// Forwards the next write, drops its ack, and closes the connection.
    DropAck,
    /// Drops the next write and closes the connection.
    DropWrite,
    /// Closes every connection and accepts no new one.
    Disconnect,
}

/// A link from a port of its own to a server; closed when dropped.
pub struct FaultyLink {
    pub address: String,
    pub fault: watch::Sender<LinkFault>,
    task: JoinHandle<()>,
}

impl FaultyLink {
    pub async fn open(servers: &Servers) -> Self {
        let address = servers.address();
        let server = address.strip_prefix("nats://").unwrap().to_owned();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("nats://{}", listener.local_addr().unwrap());
        let fault = watch::Sender::new(LinkFault::None);
        let shared = fault.clone();
        let task = tokio::spawn(async move {
            while let Ok((node, _)) = listener.accept().await {
                if *shared.borrow() != LinkFault::Disconnect {
                    let server = TcpStream::connect(&server).await.unwrap();
                    tokio::spawn(forward(node, server, shared.clone()));
                }
            }
        });
        FaultyLink {
            address,
            fault,
            task,
        }
    }
}

impl Drop for FaultyLink {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Forwards bytes in both directions until a side closes, or until the fault about a write was
/// injected. The next connection then has no fault.
async fn forward(mut node: TcpStream, mut server: TcpStream, fault: watch::Sender<LinkFault>) {
    let (mut requests, mut answers) = (vec![0; 64 * 1024], vec![0; 64 * 1024]);
    let mut awaits_ack = false;
    let mut disconnected = fault.subscribe();
    loop {
        tokio::select! {
            () = wait_until_disconnected(&mut disconnected) => return,
            count = node.read(&mut requests) => {
                let Ok(count @ 1..) = count else { return };
                let is_write = contains(&requests[..count], b"HPUB ps.pet.");
                if is_write && *fault.borrow() == LinkFault::DropWrite {
                    break;
                }
                awaits_ack |= is_write && *fault.borrow() == LinkFault::DropAck;
                if server.write_all(&requests[..count]).await.is_err() {
                    return;
                }
            }
            count = server.read(&mut answers) => {
                let Ok(count @ 1..) = count else { return };
                if awaits_ack && contains(&answers[..count], b"\"stream\":\"PET_STORE\"") {
                    break;
                }
                // The republished change, which precedes the ack, is dropped too: the node has to
                // find it in the stream.
                let is_change = contains(&answers[..count], b"ps-live.");
                if !(awaits_ack && is_change) && node.write_all(&answers[..count]).await.is_err() {
                    return;
                }
            }
        }
    }
    fault.send_replace(LinkFault::None);
}

async fn wait_until_disconnected(fault: &mut watch::Receiver<LinkFault>) {
    // Fails when the link is closed.
    let _ = fault
        .wait_for(|fault| *fault == LinkFault::Disconnect)
        .await;
}

fn contains(bytes: &[u8], part: &[u8]) -> bool {
    bytes.windows(part.len()).any(|window| window == part)
}
