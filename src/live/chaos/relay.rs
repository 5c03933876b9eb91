//! Passes bytes between a viewer's socket and its delivery worker, with a fault.

use std::io;

use tokio::io::{AsyncRead, AsyncWrite, copy, sink};
use tokio::net::{TcpStream, UnixStream};
use tokio::time::timeout;

use super::InjectedFault;
use super::delay::delay;
use super::hold::hold;

/// Relays between `viewer` and the worker at the other end of `near`, until one of them closes the
/// connection. A viewer that reads nothing is dropped by its worker.
///
/// # Errors
/// When either side is broken.
pub async fn relay(
    mut viewer: TcpStream,
    mut near: UnixStream,
    fault: InjectedFault,
    end_of_message: &[u8],
) -> io::Result<()> {
    let (from_viewer, to_viewer) = viewer.split();
    let (from_worker, to_worker) = near.split();
    tokio::select! {
        ended = relay_to_viewer(from_worker, to_viewer, fault, end_of_message) => ended,
        ended = relay_to_worker(from_viewer, to_worker, fault) => ended,
    }
}

async fn relay_to_viewer(
    mut from: impl AsyncRead + Unpin,
    mut to: impl AsyncWrite + Unpin,
    fault: InjectedFault,
    end_of_message: &[u8],
) -> io::Result<()> {
    match fault {
        InjectedFault::CutAfter(limit) => match timeout(limit, copy(&mut from, &mut to)).await {
            Ok(copied) => copied.map(drop),
            Err(_cut) => Ok(()),
        },
        InjectedFault::Eat => copy(&mut from, &mut sink()).await.map(drop),
        InjectedFault::Hold => hold(from, to, end_of_message).await,
        InjectedFault::Delay(by) => delay(from, to, by).await,
    }
}

async fn relay_to_worker(
    mut from: impl AsyncRead + Unpin,
    mut to: impl AsyncWrite + Unpin,
    fault: InjectedFault,
) -> io::Result<()> {
    let copied = match fault {
        InjectedFault::Eat => copy(&mut from, &mut sink()).await,
        _ => copy(&mut from, &mut to).await,
    };
    copied.map(drop)
}
