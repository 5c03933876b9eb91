//! Moves a viewer's socket from HTTP to a delivery worker.
//!
//! When the head of the response is sent, the bare socket leaves HTTP. A short task writes hello and
//! the changes since the viewer's cursor to the socket, and then registers the viewer.

use std::io::{self, ErrorKind, Write};
use std::sync::Arc;
use std::time::Duration;

use mio::net::TcpStream;
use tokio::time::timeout;

use super::initial_payload::InitialPayload;
use crate::app_state::AppState;
use crate::delivery::{MessageHandler, PendingViewer, ViewerSlot};
use crate::hub::TopicFilter;
use crate::limits::ClientAddress;
use crate::serve::{Connection, Handoff};
use crate::wire::{Encoding, SnapshotForm};

/// A viewer whose socket has not left HTTP yet.
pub struct Upgrade {
    /// Registers the viewer.
    pub app: Arc<AppState>,
    /// What the viewer is sent first.
    pub payload: InitialPayload,
    /// How everything is encoded for the viewer.
    pub encoding: Encoding,
    /// The topics that the viewer subscribes to.
    pub filter: TopicFilter,
    /// The form in which the viewer receives snapshots.
    pub form: SnapshotForm,
    /// Bytes that the viewer sent so far.
    pub received: Vec<u8>,
    /// Handles messages of the viewer.
    pub handler: Option<Box<dyn MessageHandler>>,
    /// Where the viewer comes from.
    pub visitor: ClientAddress,
    /// Held for as long as the viewer is connected.
    pub slot: ViewerSlot,
}

impl Upgrade {
    /// Takes over the socket as soon as `handoff` releases it.
    pub fn arm(self, handoff: &Handoff) {
        handoff.arm(move |connection| {
            let app = Arc::clone(&self.app);
            app.spawn(async move {
                if let Err(error) = self.finish(connection).await {
                    tracing::debug!(%error, "a viewer left before it was registered");
                }
            });
        });
    }

    async fn finish(mut self, connection: Connection) -> io::Result<()> {
        let Connection { mut stream, permit } = connection;
        let write_timeout = self.app.timeouts().write;
        while let Some(part) = self.payload.next().await {
            stream = write_all(stream, &part, write_timeout)
                .await
                .inspect_err(|error| {
                    if error.kind() == ErrorKind::TimedOut {
                        let dropped = &self.app.metrics().dropped;
                        dropped.with_label_values(&["write-timeout"]).inc();
                    }
                })?;
        }
        self.app.register(PendingViewer {
            connection: Connection { stream, permit },
            at: self.payload.reaches(),
            encoding: self.encoding,
            filter: self.filter,
            form: self.form,
            received: self.received,
            handler: self.handler,
            visitor: self.visitor,
            slot: self.slot,
        });
        Ok(())
    }
}

/// Writes `bytes`, and returns the stream. Usually the socket's buffer takes them all, so the stream is
/// registered with the runtime only if it has to wait.
async fn write_all(
    mut stream: TcpStream,
    mut bytes: &[u8],
    write_timeout: Duration,
) -> io::Result<TcpStream> {
    while !bytes.is_empty() {
        match stream.write(bytes) {
            Ok(0) => return Err(ErrorKind::WriteZero.into()),
            Ok(written) => bytes = &bytes[written..],
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) if error.kind() == ErrorKind::WouldBlock => {
                let waiting = tokio::net::TcpStream::from_std(stream.into())?;
                timeout(write_timeout, waiting.writable()).await??;
                stream = TcpStream::from_std(waiting.into_std()?);
            }
            Err(error) => return Err(error),
        }
    }
    Ok(stream)
}
