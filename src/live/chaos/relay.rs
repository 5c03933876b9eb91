//! What stands between a viewer's socket and its sender, and passes bytes on badly.
//!
//! The sender is given one end of a pair of sockets and knows no difference. The other end and the
//! viewer's own socket belong to a task of `Live::tasks`, which ends when one of them does, or when
//! the time of a stop is over. A viewer that takes nothing is ended by its socket's timeout.

use std::future::pending;
use std::io;
use std::net::TcpStream;
use std::os::fd::OwnedFd;

use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt, copy, sink};
use tokio::net::UnixStream;
use tokio::time::timeout;

use super::Trouble;
use super::delay::delay;
use super::hold::hold;
use crate::live::arrival::Arrival;
use crate::live::handoff::{Admission, Connection};
use crate::wire::Encoding;

/// Has everything that is said to the viewer from now on go through `trouble`.
pub fn relay(arrival: Arrival, connection: Connection, trouble: Trouble) {
    let (tasks, cut) = (arrival.live.tasks.clone(), arrival.live.cut.clone());
    tasks.spawn(cut.run_until_cancelled_owned(async move {
        if let Err(error) = run(arrival, connection, trouble).await {
            tracing::debug!(%error, "a disturbed connection broke");
        }
    }));
}

async fn run(arrival: Arrival, connection: Connection, trouble: Trouble) -> io::Result<()> {
    let mut viewer = tokio::net::TcpStream::from_std(connection.stream.into())?;
    let (from_viewer, to_viewer) = viewer.split();
    // Not a connection over loopback: that would be a door that others can come in by.
    let (mut near, far) = UnixStream::pair()?;
    let (from_sender, to_sender) = near.split();
    let end = end_of_message(arrival.encoding);
    let seated = async {
        seat(arrival, far, connection.admission).await?;
        pending().await
    };
    tokio::select! {
        passed = pass(from_sender, to_viewer, trouble, end) => passed,
        heard = hear(from_viewer, to_sender, trouble) => heard,
        failed = seated => failed,
    }
}

/// Gives the viewer its opening and then to a sender, both through `far`.
async fn seat(mut arrival: Arrival, mut far: UnixStream, admission: Admission) -> io::Result<()> {
    while let Some(bytes) = arrival.opening.next().await {
        far.write_all(&bytes).await?;
    }
    // A sender reads, writes and shuts down, which is the same for every kind of socket.
    let stream = TcpStream::from(OwnedFd::from(far.into_std()?));
    let stream = mio::net::TcpStream::from_std(stream);
    arrival.join(Connection { stream, admission });
    Ok(())
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
