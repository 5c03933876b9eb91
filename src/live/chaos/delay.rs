//! Everything arrives late: a network that is very slow, or a proxy that scans what passes.

use std::collections::VecDeque;
use std::io;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::time::{Instant, sleep_until};

/// Bytes that are under way at once. When it is full nothing more is taken, as on a slow line.
const UNDER_WAY_BYTES: usize = 256 * 1024;

/// Bytes that are taken at once.
const READ_BYTES: usize = 16 * 1024;

/// Passes everything on, each piece `by` after it came, until the end of `from`.
///
/// # Errors
/// When either side is broken.
pub async fn delay(
    mut from: impl AsyncRead + Unpin,
    mut to: impl AsyncWrite + Unpin,
    by: Duration,
) -> io::Result<()> {
    let mut under_way: VecDeque<(Instant, Bytes)> = VecDeque::new();
    let mut bytes = 0;
    let mut is_over = false;
    loop {
        let due = under_way.front().map(|(due, _)| *due);
        if is_over && due.is_none() {
            return Ok(());
        }
        let mut piece = BytesMut::with_capacity(READ_BYTES);
        tokio::select! {
            read = from.read_buf(&mut piece), if !is_over && bytes < UNDER_WAY_BYTES => {
                is_over = read? == 0;
                bytes += piece.len();
                if !piece.is_empty() {
                    under_way.push_back((Instant::now() + by, piece.freeze()));
                }
            }
            () = sleep_until(due.unwrap_or_else(Instant::now)), if due.is_some() => {
                if let Some((_, piece)) = under_way.pop_front() {
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
    async fn everything_arrives_in_order_and_so_much_later_and_the_end_comes_last() {
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
    async fn no_more_is_under_way_than_there_is_room_for() {
        let (mut server, from) = duplex(1024);
        let (to, mut viewer) = duplex(2 * UNDER_WAY_BYTES);
        let delaying = tokio::spawn(delay(from, to, BY));
        let began = Instant::now();
        let much = vec![b'x'; UNDER_WAY_BYTES + READ_BYTES + 2 * 1024];
        server.write_all(&much).await.unwrap();
        assert!(began.elapsed() >= BY, "the rest waits until there is room");
        drop(server);
        let mut read = Vec::new();
        viewer.read_to_end(&mut read).await.unwrap();
        assert!(read == much);
        delaying.await.unwrap().unwrap();
    }
}
