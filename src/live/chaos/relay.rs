//! What stands between a viewer's socket and its sender, and passes bytes on badly.
//!
//! It ends when one of the two does. A viewer that takes nothing is ended by its socket's timeout.

use std::io;

use tokio::io::{AsyncRead, AsyncWrite, copy, sink};
use tokio::net::{TcpStream, UnixStream};
use tokio::time::timeout;

use super::Trouble;
use super::delay::delay;
use super::hold::hold;
use crate::wire::Encoding;

/// Passes on what the sender at the other end of `near` says to `viewer` in `encoding`, and what it
/// hears, through `trouble`.
pub async fn relay(
    mut viewer: TcpStream,
    mut near: UnixStream,
    encoding: Encoding,
    trouble: Trouble,
) -> io::Result<()> {
    let (from_viewer, to_viewer) = viewer.split();
    let (from_sender, to_sender) = near.split();
    tokio::select! {
        passed = pass(from_sender, to_viewer, trouble, end_of_message(encoding)) => passed,
        heard = hear(from_viewer, to_sender, trouble) => heard,
    }
}

/// Passes on what is said to the viewer, until it is cut or there is no more.
async fn pass(
    mut from: impl AsyncRead + Unpin,
    mut to: impl AsyncWrite + Unpin,
    trouble: Trouble,
    end: &[u8],
) -> io::Result<()> {
    match trouble {
        Trouble::CutAfter(limit) => match timeout(limit, copy(&mut from, &mut to)).await {
            Ok(copied) => copied.map(drop),
            Err(_cut) => Ok(()),
        },
        Trouble::Eat => copy(&mut from, &mut sink()).await.map(drop),
        Trouble::Hold => hold(from, to, end).await,
        Trouble::Delay(by) => delay(from, to, by).await,
    }
}

/// Passes on what the viewer says, until it leaves.
async fn hear(
    mut from: impl AsyncRead + Unpin,
    mut to: impl AsyncWrite + Unpin,
    trouble: Trouble,
) -> io::Result<()> {
    let heard = match trouble {
        Trouble::Eat => copy(&mut from, &mut sink()).await,
        _ => copy(&mut from, &mut to).await,
    };
    heard.map(drop)
}

/// The bytes that end an event, and with it a chunk.
const fn end_of_message(encoding: Encoding) -> &'static [u8] {
    match encoding {
        Encoding::SseChunked => b"\n\n\r\n",
        Encoding::Sse | Encoding::WebSocket => b"\n\n",
    }
}
