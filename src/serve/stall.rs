//! A socket that fails when the other side takes no byte for too long.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Sleep, sleep};

use crate::metrics::Metrics;

/// Wraps a socket. The clock runs only while bytes wait to be taken, so an idle connection costs
/// nothing and is never dropped for being idle.
pub struct Stall<S> {
    socket: S,
    timeout: Duration,
    /// Set while the socket is full.
    deadline: Option<Pin<Box<Sleep>>>,
    metrics: Metrics,
}

impl<S> Stall<S> {
    pub fn new(socket: S, timeout: Duration, metrics: Metrics) -> Self {
        Stall {
            socket,
            timeout,
            deadline: None,
            metrics,
        }
    }

    /// Passes on how a write went, or fails with `TimedOut` when it waited for too long.
    fn watch<T>(
        &mut self,
        context: &mut Context<'_>,
        written: Poll<io::Result<T>>,
    ) -> Poll<io::Result<T>> {
        if written.is_ready() {
            self.deadline = None;
            return written;
        }
        let timeout = self.timeout;
        let deadline = self
            .deadline
            .get_or_insert_with(|| Box::pin(sleep(timeout)));
        ready!(deadline.as_mut().poll(context));
        self.deadline = None;
        let dropped = &self.metrics.dropped;
        dropped.with_label_values(&["write-timeout"]).inc();
        Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Stall<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.socket).poll_read(context, buffer)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Stall<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.socket).poll_write(context, bytes);
        self.watch(context, written)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.socket).poll_write_vectored(context, slices);
        self.watch(context, written)
    }

    fn is_write_vectored(&self) -> bool {
        self.socket.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.socket).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.socket).poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex};

    #[tokio::test(start_paused = true)]
    async fn a_peer_that_takes_nothing_is_given_up_and_one_that_reads_slowly_is_not() {
        let limit = Duration::from_secs(30);
        let (mut peer, socket) = duplex(8);
        let metrics = Metrics::new();
        let mut socket = Stall::new(socket, limit, metrics.clone());
        let slow = tokio::spawn(async move {
            let mut bytes = [0; 8];
            for _ in 0..4 {
                sleep(limit - Duration::from_secs(1)).await;
                peer.read_exact(&mut bytes).await.unwrap();
            }
            peer
        });
        socket.write_all(&[0; 32]).await.unwrap();
        let _peer = slow.await.unwrap();
        let error = socket.write_all(&[0; 32]).await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
        let dropped = metrics.dropped.with_label_values(&["write-timeout"]);
        assert_eq!(dropped.get(), 1);
    }
}
