//! Delays all bytes, like a very slow network, or a proxy that scans everything.

use std::collections::VecDeque;
use std::io;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::time::{Instant, sleep_until};

/// Bytes that are delayed simultaneously. At the limit nothing more is read, as on a slow line.
const DELAYED_BYTES: usize = 256 * 1024;

/// Size of one read.
const READ_BYTES: usize = 16 * 1024;

/// Copies `from` to `to`, each piece with a delay of `by`.
///
/// # Errors
/// When either side is broken.
pub async fn delay(
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
}
