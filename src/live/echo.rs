//! The echo: `GET /hello/ws`, a WebSocket that sends back every message.
//!
//! Not tungstenite, because an echo would then have no bound in total: tungstenite (0.30) reserves as
//! many bytes as a frame declares, holds a message until its end, and keeps the buffer of the longest
//! message for as long as the connection is open. With messages of up to 16 MiB, a thousand sockets
//! could hold 16 GiB. Here, a message is sent back in fragments as it arrives (`codec`), and what clients
//! do not read waits within one budget that all echoes share (`EchoBudget`).

mod codec;

use std::collections::VecDeque;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use bytes::{Buf, Bytes};
use poem::web::Data;
use poem::{Request, Response, Upgraded, handler};
use tokio::io::{AsyncReadExt, AsyncWriteExt, ReadHalf, WriteHalf, split};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

pub use self::codec::EchoCodec;
use super::handshake::Handshake;
use crate::app_state::AppState;
use crate::delivery::{CloseCode, close_frame};
use crate::limits::{ClientAddress, Timeouts};

/// Bytes that wait for all clients that do not read: room for the longest message, and a little. When
/// it is used up, clients that have unread bytes are not read from.
const BUDGET_BYTES: usize = 20 * 1024 * 1024;

/// Size of one read. Most messages are short, and an idle connection keeps the buffer.
const READ_BYTES: usize = 2 * 1024;

/// Most bytes of an answer beyond those that were read: the headers of a fragment and of a close.
const OVERHEAD_BYTES: usize = 128;

/// How long the other side may take to close the connection after the server did.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(2);

/// The memory of unread answers of all echoes. Clones share it.
#[derive(Clone)]
pub struct EchoBudget(Arc<Semaphore>);

impl Default for EchoBudget {
    fn default() -> Self {
        EchoBudget(Arc::new(Semaphore::new(BUDGET_BYTES)))
    }
}

impl EchoBudget {
    /// Takes the memory of the answer to one read, if there is any left.
    fn try_take(&self) -> Option<OwnedSemaphorePermit> {
        let wanted = u32::try_from(READ_BYTES + OVERHEAD_BYTES).unwrap_or(u32::MAX);
        Arc::clone(&self.0).try_acquire_many_owned(wanted).ok()
    }
}

/// Sends back every text and binary message, and does nothing else.
///
/// # Errors
/// 426 or 400 for what is no handshake, 503 when all slots are taken.
#[handler]
pub fn echo_websocket(
    Data(app): Data<&Arc<AppState>>,
    Data(budget): Data<&EchoBudget>,
    request: &Request,
) -> poem::Result<Response> {
    let handshake = Handshake::from_request(request)?;
    let slot = app
        .slots()
        .admit_uncounted(ClientAddress::from_request(request))?;
    let (response, upgraded) = handshake.accept();
    let (stop, timeouts) = (app.stop_token().clone(), app.timeouts());
    let budget = budget.clone();
    app.spawn(async move {
        let _slot = slot;
        if let Some(stream) = upgraded.await {
            EchoConnection::new(stream, budget)
                .run(&stop, timeouts)
                .await;
        }
    });
    Ok(response)
}

struct EchoConnection {
    reader: ReadHalf<Upgraded>,
    writer: WriteHalf<Upgraded>,
    codec: EchoCodec,
    unsent: VecDeque<Bytes>,
    budget: EchoBudget,
    /// Counts `unsent` against the budget.
    taken: Option<OwnedSemaphorePermit>,
}

impl EchoConnection {
    fn new(stream: Upgraded, budget: EchoBudget) -> Self {
        let (reader, writer) = split(stream);
        EchoConnection {
            reader,
            writer,
            codec: EchoCodec::default(),
            unsent: VecDeque::new(),
            budget,
            taken: None,
        }
    }

    /// Echoes until either side closes, a timeout expires, or `stop` is cancelled.
    async fn run(mut self, stop: &CancellationToken, timeouts: Timeouts) {
        if let Some(last) = self.echo_until_closed(stop, timeouts).await {
            self.unsent.push_back(last);
            // The connection is closed in any case.
            let _ = timeout(CLOSE_TIMEOUT, self.close()).await;
        }
    }

    /// Returns the close frame to send, or `None` if the connection is broken.
    async fn echo_until_closed(
        &mut self,
        stop: &CancellationToken,
        timeouts: Timeouts,
    ) -> Option<Bytes> {
        loop {
            let is_idle = self.codec.is_idle();
            let limit = match (self.unsent.is_empty(), is_idle) {
                // The socket has its own timeout for writes.
                (false, _) => Duration::MAX,
                (true, true) => timeouts.idle,
                (true, false) => timeouts.head,
            };
            let last = match stop.run_until_cancelled(timeout(limit, self.step())).await {
                Some(Ok(Ok(false))) => continue,
                Some(Ok(Ok(true))) => return Some(Bytes::new()),
                Some(Ok(Err(_broken))) => return None,
                Some(Err(_elapsed)) if is_idle => close_frame(CloseCode::NORMAL, "idle"),
                Some(Err(_elapsed)) => close_frame(CloseCode::POLICY, "half a message"),
                None => close_frame(CloseCode::RESTART, "stopping"),
            };
            return Some(last.into());
        }
    }

    /// Reads or writes once: some clients send a long message to its end before they read. Returns
    /// true if the answer contains a close frame. Cancel safe.
    async fn step(&mut self) -> io::Result<bool> {
        let mut buffer = [0; READ_BYTES];
        let mut taken = None;
        let may_read = self.unsent.is_empty() || {
            taken = self.budget.try_take();
            taken.is_some()
        };
        let unsent = self.unsent.front_mut();
        let is_unsent = unsent.is_some();
        tokio::select! {
            read = self.reader.read(&mut buffer), if may_read => match read? {
                0 => Err(io::ErrorKind::UnexpectedEof.into()),
                count => Ok(self.answer(&buffer[..count], taken)),
            },
            written = write(&mut self.writer, unsent), if is_unsent => {
                written?;
                self.unsent.pop_front_if(|bytes| bytes.is_empty());
                if self.unsent.is_empty() {
                    self.taken = None;
                }
                Ok(false)
            }
        }
    }

    /// Answers received bytes, and returns what the answer does not need of `taken`.
    fn answer(&mut self, bytes: &[u8], taken: Option<OwnedSemaphorePermit>) -> bool {
        let mut answer = Vec::new();
        let is_closed = self.codec.push(bytes, &mut answer);
        if let Some(mut taken) = taken {
            drop(taken.split(taken.num_permits().saturating_sub(answer.len())));
            match &mut self.taken {
                Some(before) => before.merge(taken),
                None => self.taken = Some(taken),
            }
        }
        if !answer.is_empty() {
            self.unsent.push_back(answer.into());
        }
        is_closed
    }

    /// Writes what waits, and reads until the other side closes: if the connection were closed with
    /// unread bytes, it would be reset and the close frame lost.
    async fn close(&mut self) -> io::Result<()> {
        for bytes in &mut self.unsent {
            self.writer.write_all_buf(bytes).await?;
        }
        self.writer.shutdown().await?;
        let mut unread = [0; 256];
        while self.reader.read(&mut unread).await? > 0 {}
        Ok(())
    }
}

/// Writes once and flushes.
async fn write(writer: &mut WriteHalf<Upgraded>, bytes: Option<&mut Bytes>) -> io::Result<()> {
    if let Some(bytes) = bytes.filter(Buf::has_remaining) {
        writer.write_buf(bytes).await?;
    }
    writer.flush().await
}
