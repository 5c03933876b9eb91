//! Passes bytes between a viewer's socket and its delivery worker, with a fault.

use std::collections::VecDeque;
use std::io;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, copy, sink};
use tokio::net::{TcpStream, UnixStream};
use tokio::time::{Instant, sleep_until, timeout};

use super::InjectedFault;

/// Size of one read.
const READ_BYTES: usize = 16 * 1024;

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

/// Bytes that are delayed simultaneously. At the limit nothing more is read, as on a slow line.
const DELAYED_BYTES: usize = 256 * 1024;

/// Copies `from` to `to`, each piece with a delay of `by`.
async fn delay(
    mut from: impl AsyncRead + Unpin,
    mut to: impl AsyncWrite + Unpin,
    by: Duration,
) -> io::Result<()> {
    let mut delayed: VecDeque<(Instant, Bytes)> = VecDeque::new();
    let mut bytes = 0;
    let mut is_over = false;
    loop {
        let due = delayed.front().map(|(due, _)| *due);
        if is_over && due.is_none() {
            return Ok(());
        }
        let mut piece = BytesMut::with_capacity(READ_BYTES);
        tokio::select! {
            read = from.read_buf(&mut piece), if !is_over && bytes < DELAYED_BYTES => {
                is_over = read? == 0;
                bytes += piece.len();
                if !piece.is_empty() {
                    delayed.push_back((Instant::now() + by, piece.freeze()));
                }
            }
            () = sleep_until(due.unwrap_or_else(Instant::now)), if due.is_some() => {
                if let Some((_, piece)) = delayed.pop_front() {
                    bytes -= piece.len();
                    to.write_all(&piece).await?;
                }
            }
        }
    }
}

/// Bytes that are held back. A longer message is passed on as it arrives.
const HELD_BYTES: usize = 256 * 1024;

/// Copies `from` to `to`, except the last message; `end` ends each message. The last message is passed
/// on when `from` ends.
async fn hold(
    mut from: impl AsyncRead + Unpin,
    mut to: impl AsyncWrite + Unpin,
    end: &[u8],
) -> io::Result<()> {
    let mut held = BytesMut::new();
    loop {
        held.reserve(READ_BYTES);
        if from.read_buf(&mut held).await? == 0 {
            return to.write_all(&held).await;
        }
        let passed = held.split_to(released(&held, end));
        to.write_all(&passed).await?;
    }
}

/// Returns the length of the messages in `held` that are followed by another one.
fn released(held: &[u8], end: &[u8]) -> usize {
    if held.len() >= HELD_BYTES {
        return held.len();
    }
    // Without its last byte: an end with nothing after it belongs to the message to hold.
    let before_last = &held[..held.len().saturating_sub(1)];
    let found = before_last.windows(end.len()).rposition(|part| part == end);
    found.map_or(0, |at| at + end.len())
}

#[cfg(test)]
mod tests {
    use tokio::io::duplex;
    use tokio::time::sleep;

    use super::*;

    const BY: Duration = Duration::from_secs(4);

    #[tokio::test(start_paused = true)]
    async fn everything_arrives_in_order_after_the_delay_and_the_end_comes_last() {
        let (mut server, from) = duplex(1024);
        let (to, mut viewer) = duplex(1024);
        let delaying = tokio::spawn(delay(from, to, BY));
        let began = Instant::now();
        let mut read = String::new();
        server.write_all(b"one ").await.unwrap();
        sleep(Duration::from_secs(1)).await;
        server.write_all(b"two").await.unwrap();
        drop(server);
        let mut first = [0; 4];
        viewer.read_exact(&mut first).await.unwrap();
        assert_eq!((&first, began.elapsed().as_secs()), (b"one ", 4));
        viewer.read_to_string(&mut read).await.unwrap();
        assert_eq!((read.as_str(), began.elapsed().as_secs()), ("two", 5));
        delaying.await.unwrap().unwrap();
    }

    #[tokio::test(start_paused = true)]
    async fn no_more_is_delayed_than_the_limit_allows() {
        let (mut server, from) = duplex(1024);
        let (to, mut viewer) = duplex(2 * DELAYED_BYTES);
        let delaying = tokio::spawn(delay(from, to, BY));
        let began = Instant::now();
        let long = vec![b'x'; DELAYED_BYTES + READ_BYTES + 2 * 1024];
        server.write_all(&long).await.unwrap();
        assert!(began.elapsed() >= BY, "the rest waits until there is room");
        drop(server);
        let mut read = Vec::new();
        viewer.read_to_end(&mut read).await.unwrap();
        assert!(read == long);
        delaying.await.unwrap().unwrap();
    }

    #[test]
    fn a_message_is_passed_on_when_the_next_one_begins() {
        for (held, passed) in [
            ("", ""),
            ("data: 1", ""),
            ("data: 1\n\n", ""),
            ("data: 1\n\nd", "data: 1\n\n"),
            ("data: 1\n\ndata: 2\n\n", "data: 1\n\n"),
            ("data: 1\n\ndata: 2\n\nda", "data: 1\n\ndata: 2\n\n"),
        ] {
            let count = released(held.as_bytes(), b"\n\n");
            assert_eq!(&held[..count], passed, "{held:?}");
        }
    }

    #[test]
    fn no_more_is_held_than_the_limit_allows() {
        let long = vec![b'x'; HELD_BYTES];
        assert_eq!(released(&long[1..], b"\n\n"), 0);
        assert_eq!(released(&long, b"\n\n"), HELD_BYTES);
    }

    #[tokio::test]
    async fn the_last_message_is_passed_on_at_the_end_of_the_stream() {
        let (mut server, from) = duplex(64);
        let (to, mut viewer) = duplex(64);
        let holding = tokio::spawn(hold(from, to, b"\n\n"));
        server.write_all(b"data: 1\n\ndata: 2\n\n").await.unwrap();
        let mut first = [0; 9];
        viewer.read_exact(&mut first).await.unwrap();
        drop(server);
        let mut rest = String::new();
        viewer.read_to_string(&mut rest).await.unwrap();
        assert_eq!(
            (&first[..], rest.as_str()),
            (&b"data: 1\n\n"[..], "data: 2\n\n")
        );
        holding.await.unwrap().unwrap();
    }
}
