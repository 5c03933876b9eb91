//! Holds back each message until the next begins, as some virus scanners do with event streams.

use std::io;

use bytes::BytesMut;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

/// Bytes that are held back. A longer message is passed on as it arrives.
const HELD_BYTES: usize = 256 * 1024;

/// Size of one read.
const READ_BYTES: usize = 16 * 1024;

/// Copies `from` to `to`, except the last message; `end` ends each message. The last message is passed
/// on when `from` ends.
///
/// # Errors
/// When either side is broken.
pub async fn hold(
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

    use super::*;

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
