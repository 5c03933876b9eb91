//! Both directions of an echo at once: what was said back and is not taken yet waits, in a room that
//! all echoes share.
//!
//! Some clients send a long message to its end before they read. One that never reads is not read
//! from either, once the room is full.

use std::collections::VecDeque;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use bytes::{Buf, Bytes};
use poem::Upgraded;
use tokio::io::{AsyncReadExt, AsyncWriteExt, ReadHalf, WriteHalf, split};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use crate::delivery::{CloseCode, close_frame};
use crate::live::{Echo, Next};

/// Bytes that wait for all who do not read: room for the longest message, and a little.
const ROOM_BYTES: usize = 20 * 1024 * 1024;

/// Bytes that are read at once. What a visitor types is short, and an idle socket keeps the room.
const READ_BYTES: usize = 2 * 1024;

/// What an answer has at most beyond what was heard: the head of a fragment, and of a close.
const OVERHEAD_BYTES: usize = 128;

/// How long an echo may wait for what is said next.
#[derive(Clone, Copy, Debug)]
pub struct Times {
    /// Between two messages.
    pub idle: Duration,
    /// Within one.
    pub pause: Duration,
}

/// How long the other side may take to close, after it was told to.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(2);

/// Where answers wait. Clones share it.
#[derive(Clone)]
pub struct Room(Arc<Semaphore>);

impl Room {
    pub fn new() -> Self {
        Room(Arc::new(Semaphore::new(ROOM_BYTES)))
    }
}

/// One echo.
pub struct Pump {
    reader: ReadHalf<Upgraded>,
    writer: WriteHalf<Upgraded>,
    echo: Echo,
    room: Room,
    unsent: VecDeque<Bytes>,
    /// The room that `unsent` takes.
    taken: Option<OwnedSemaphorePermit>,
}

impl Pump {
    pub fn new(stream: Upgraded, room: Room) -> Self {
        let (reader, writer) = split(stream);
        Pump {
            reader,
            writer,
            echo: Echo::default(),
            room,
            unsent: VecDeque::new(),
            taken: None,
        }
    }

    /// Echoes until either side has enough, or nothing was said for too long.
    pub async fn run(mut self, stop: &CancellationToken, times: Times) {
        if let Some(last) = self.echo_until_over(stop, times).await {
            self.unsent.push_back(last);
            // Gone, or too slow: closed either way.
            let _ = timeout(CLOSE_TIMEOUT, self.say_last()).await;
        }
    }

    /// Gives the last words, if the other side can still hear them.
    async fn echo_until_over(&mut self, stop: &CancellationToken, times: Times) -> Option<Bytes> {
        loop {
            let is_idle = self.echo.is_idle();
            let time = match (self.unsent.is_empty(), is_idle) {
                // The socket itself ends one that takes nothing.
                (false, _) => Duration::MAX,
                (true, true) => times.idle,
                (true, false) => times.pause,
            };
            let last = match stop.run_until_cancelled(timeout(time, self.step())).await {
                Some(Ok(Ok(Next::GoOn))) => continue,
                Some(Ok(Ok(Next::Close))) => return Some(Bytes::new()),
                Some(Ok(Err(_gone))) => return None,
                Some(Err(_late)) if is_idle => close_frame(CloseCode::NORMAL, "idle"),
                Some(Err(_late)) => close_frame(CloseCode::POLICY, "half a message"),
                None => close_frame(CloseCode::RESTART, "stopping"),
            };
            return Some(last.into());
        }
    }

    /// Reads or writes once. Cancel safe.
    async fn step(&mut self) -> io::Result<Next> {
        let mut buffer = [0; READ_BYTES];
        let mut room = None;
        let may_read = self.unsent.is_empty() || {
            let wanted = u32::try_from(READ_BYTES + OVERHEAD_BYTES).unwrap_or(u32::MAX);
            room = Arc::clone(&self.room.0).try_acquire_many_owned(wanted).ok();
            room.is_some()
        };
        let unsent = self.unsent.front_mut();
        let is_unsent = unsent.is_some();
        tokio::select! {
            read = self.reader.read(&mut buffer), if may_read => match read? {
                0 => Err(io::ErrorKind::UnexpectedEof.into()),
                count => Ok(self.hear(&buffer[..count], room)),
            },
            written = write(&mut self.writer, unsent), if is_unsent => {
                written?;
                self.unsent.pop_front_if(|bytes| bytes.is_empty());
                if self.unsent.is_empty() {
                    self.taken = None;
                }
                Ok(Next::GoOn)
            }
        }
    }

    /// Takes in what was said, and of `room` what the answer needs.
    fn hear(&mut self, heard: &[u8], room: Option<OwnedSemaphorePermit>) -> Next {
        let mut answer = Vec::new();
        let next = self.echo.hear(heard, &mut answer);
        if let Some(mut room) = room {
            drop(room.split(room.num_permits().saturating_sub(answer.len())));
            match &mut self.taken {
                Some(taken) => taken.merge(room),
                None => self.taken = Some(room),
            }
        }
        if !answer.is_empty() {
            self.unsent.push_back(answer.into());
        }
        next
    }

    /// Writes what waits, and waits for the other side to close: closed while something is unread,
    /// the connection would be reset and the last words lost.
    async fn say_last(&mut self) -> io::Result<()> {
        for bytes in &mut self.unsent {
            self.writer.write_all_buf(bytes).await?;
        }
        self.writer.shutdown().await?;
        let mut unread = [0; 256];
        while self.reader.read(&mut unread).await? > 0 {}
        Ok(())
    }
}

/// Writes once, and sends it.
async fn write(writer: &mut WriteHalf<Upgraded>, bytes: Option<&mut Bytes>) -> io::Result<()> {
    if let Some(bytes) = bytes.filter(|bytes| bytes.has_remaining()) {
        writer.write_buf(bytes).await?;
    }
    writer.flush().await
}
