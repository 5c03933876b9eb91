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
use super::query::LiveQuery;
use crate::app_state::AppState;
use crate::delivery::{MessageHandler, PendingViewer, Transport, ViewerSlot, hello};
use crate::limits::ClientAddress;
use crate::serve::{Connection, Handoff};
use crate::wire::Encoding;

/// A viewer whose socket has not left HTTP yet.
pub struct Upgrade {
    app: Arc<AppState>,
    query: LiveQuery,
    encoding: Encoding,
    payload: InitialPayload,
    heartbeat: Duration,
    visitor: ClientAddress,
    slot: ViewerSlot,
    /// Bytes that the viewer sent so far.
    pub received: Vec<u8>,
    /// Handles messages of the viewer.
    pub handler: Option<Box<dyn MessageHandler>>,
}

impl Upgrade {
    /// Prepares the initial payload. Waits until this node has caught up with the viewer's cursor, if
    /// that is of another node.
    pub async fn new(
        app: Arc<AppState>,
        query: LiveQuery,
        (transport, encoding): (Transport, Encoding),
        (visitor, slot): (ClientAddress, ViewerSlot),
    ) -> Self {
        let since = app.hub().wait_for_cursor(query.since).await;
        let catch_up = app.hub().catch_up(query.filter.clone(), since);
        let catch_up = catch_up.in_form(query.form);
        let heartbeat = app.heartbeats().choose(query.heartbeat);
        let hello = hello(app.hub(), transport, catch_up.start(), heartbeat);
        let hello = encoding.encode_first(&hello, app.slots().retry_ms());
        Upgrade {
            payload: InitialPayload::new(hello, encoding, catch_up),
            heartbeat,
            app,
            query,
            encoding,
            visitor,
            slot,
            received: Vec::new(),
            handler: None,
        }
    }

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
        let Connection {
            mut stream, permit, ..
        } = connection;
        let write_timeout = self.app.timeouts().write;
        while let Some(part) = self.payload.next().await {
            // A client that reads nothing holds the part, so the part is in the budget like a response.
            let reserved = self.app.limiter().reserve_response(self.visitor, part);
            let part = reserved.map_err(|_| {
                self.app.count_refused_memory();
                io::Error::other("the memory of requests is used up")
            })?;
            let written = write_all(stream, &part, write_timeout).await;
            stream = written.inspect_err(|error| {
                if error.kind() == ErrorKind::TimedOut {
                    let dropped = &self.app.metrics().dropped;
                    dropped.with_label_values(&["write-timeout"]).inc();
                }
            })?;
        }
        self.app.register(PendingViewer {
            connection: Connection {
                stream,
                permit,
                read_ahead: Vec::new(),
                last_head: Vec::new(),
            },
            at: self.payload.reaches(),
            encoding: self.encoding,
            chain: self.payload.chain().clone(),
            form: self.query.form,
            heartbeat: self.heartbeat,
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
