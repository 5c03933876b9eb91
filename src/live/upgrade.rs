//! Moves a viewer's socket from HTTP to a delivery worker.
//!
//! With network faults, the worker gets one end of a pair of sockets and knows no difference. The
//! other end and the viewer's own socket belong to a task, which ends when one of them is closed.

use std::future::pending;
use std::io;
use std::os::fd::OwnedFd;
use std::sync::Arc;

use bytes::Bytes;
use tokio::io::AsyncWriteExt;
use tokio::net::{TcpStream, UnixStream};

use super::chaos::{Trouble, relay};
use super::initial_payload::InitialPayload;
use crate::app_state::AppState;
use crate::delivery::{MessageHandler, PendingViewer, ViewerSlot};
use crate::hub::TopicFilter;
use crate::limits::ClientAddress;
use crate::serve::{Connection, ConnectionPermit};
use crate::wire::{Encoding, SnapshotForm};

/// A viewer whose socket has not left HTTP yet, with what it is sent before it does.
pub struct Upgrade {
    pub app: Arc<AppState>,
    pub payload: InitialPayload,
    pub encoding: Encoding,
    pub filter: TopicFilter,
    pub form: SnapshotForm,
    /// Bytes that the viewer sent so far.
    pub received: Vec<u8>,
    /// Handles messages of the viewer.
    pub handler: Option<Box<dyn MessageHandler>>,
    pub visitor: ClientAddress,
    pub slot: ViewerSlot,
    /// The fault that the viewer asked for.
    pub trouble: Option<Trouble>,
}

impl Upgrade {
    /// Returns the next part that hyper sends, or `None` when the socket should leave HTTP. With a
    /// fault that is immediately, so that hello is affected too.
    pub async fn next(&mut self) -> Option<Bytes> {
        match self.trouble {
            None => self.payload.next().await,
            Some(_) => None,
        }
    }

    /// Continues with the socket, which has left HTTP.
    pub fn finish(self, connection: Connection) {
        match self.trouble {
            None => self.register(connection),
            Some(trouble) => {
                let app = Arc::clone(&self.app);
                app.spawn(async move {
                    if let Err(error) = self.disturb(connection, trouble).await {
                        tracing::debug!(%error, "a connection with a network fault broke");
                    }
                });
            }
        }
    }

    async fn disturb(self, connection: Connection, trouble: Trouble) -> io::Result<()> {
        let viewer = TcpStream::from_std(connection.stream.into())?;
        // Not a connection over loopback, which would accept connections of other programs too.
        let (near, far) = UnixStream::pair()?;
        let relayed = relay(viewer, near, self.encoding, trouble);
        let registered = async {
            self.register_at(far, connection.permit).await?;
            pending().await
        };
        tokio::select! {
            ended = relayed => ended,
            failed = registered => failed,
        }
    }

    /// Sends the initial payload through `far`, and registers the viewer with it.
    async fn register_at(
        mut self,
        mut far: UnixStream,
        permit: ConnectionPermit,
    ) -> io::Result<()> {
        while let Some(bytes) = self.payload.next().await {
            far.write_all(&bytes).await?;
        }
        // A worker reads, writes and shuts down, which is the same for every kind of socket.
        let stream = std::net::TcpStream::from(OwnedFd::from(far.into_std()?));
        let stream = mio::net::TcpStream::from_std(stream);
        self.register(Connection { stream, permit });
        Ok(())
    }

    /// Registers the viewer with a worker, after the initial payload.
    fn register(self, connection: Connection) {
        self.app.register(PendingViewer {
            connection,
            at: self.payload.reaches(),
            encoding: self.encoding,
            filter: self.filter,
            form: self.form,
            received: self.received,
            handler: self.handler,
            visitor: self.visitor,
            slot: self.slot,
        });
    }
}
