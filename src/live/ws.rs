//! WebSocket: `GET /live/ws`.
//!
//! One task per viewer. It sends frames whose bytes everyone shares, answers commands, and ends
//! when the viewer leaves, stops taking bytes, breaks the protocol, or the server stops.

use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use futures_util::{SinkExt, StreamExt};

use poem::{Request, Response, Upgraded};
use tokio::time::{Instant, timeout, timeout_at};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::error::{CapacityError, Error};
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use tokio_tungstenite::tungstenite::{Message as Packet, Utf8Bytes};

use super::commands::{Asked, Unreadable, refusal};
use super::handshake::{Upgrade, socket_config};
use super::query::LiveQuery;
use super::{Live, Place, Transport, bye};
use crate::error::Failure;
use crate::hub::Feed;

/// The longest message that is read at all, in bytes. Above the limit of a command, so that one
/// that is somewhat too long gets an answer and not only an end.
const MESSAGE_LIMIT: usize = 64 * 1024;

/// Unreadable messages after which the connection is closed with 1008.
const STRIKES: u32 = 3;

/// Frames that are gathered into one write at most.
const GATHER_LIMIT: usize = 64;

/// How long the other side may take to answer a close frame.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(2);

/// One viewer's socket and what belongs to it.
struct Viewing {
    live: Arc<Live>,
    feed: Feed,
    socket: WebSocketStream<Upgraded>,
    permission: Result<(), Failure>,
    strikes: u32,
    /// A command that is being carried out. One at a time: the next is read after its answer.
    pending: Option<Pin<Box<dyn Future<Output = String> + Send>>>,
    _place: Place,
}

/// Why a viewer's task ends.
enum End {
    /// The connection is gone, or the viewer closed it.
    Gone,
    /// The server closes it, saying why.
    Close(CloseCode, &'static str),
}

/// Answers the handshake and leaves the socket to a task of its own.
///
/// # Errors
/// 426 or 400 for what is no handshake, 400 for a bad parameter, 503 when there is no place.
pub fn ws(live: &Arc<Live>, request: &Request) -> Result<Response, Failure> {
    let query = LiveQuery::of(request)?;
    let upgrade = Upgrade::of(request)?;
    let permission = live.auth.check_staff(request.headers());
    let place = live.admit(Transport::WebSocket)?;
    let (response, socket) = upgrade.accept(socket_config(MESSAGE_LIMIT));
    let owned = Arc::clone(live);
    live.tasks.spawn(async move {
        let Some(socket) = socket.await else { return };
        let viewing = Viewing {
            feed: owned.hub.join(query.filter, query.since),
            live: owned,
            socket,
            permission,
            strikes: 0,
            pending: None,
            _place: place,
        };
        viewing.run().await;
    });
    Ok(response)
}

impl Viewing {
    async fn run(mut self) {
        let end = match self.watch().await {
            Ok(end) => end,
            Err(error) => end_of(&error),
        };
        if let End::Close(code, reason) = end {
            if code == CloseCode::Protocol || code == CloseCode::Policy {
                let dropped = &self.live.hub.metrics().dropped;
                dropped.with_label_values(&["protocol"]).inc();
            }
            let _ = timeout(CLOSE_TIMEOUT, self.close(code, reason)).await;
        }
    }

    async fn watch(&mut self) -> Result<End, Error> {
        let hello = self.live.hello(Transport::WebSocket, self.feed.start());
        self.send(hello.to_json()).await?;
        let stop = self.live.stop.clone();
        let mut heartbeat_at = Instant::now() + self.live.heartbeat;
        loop {
            tokio::select! {
                () = stop.cancelled() => {
                    let bye = bye(self.live.retry_ms());
                    self.send(bye.to_json()).await?;
                    return Ok(End::Close(CloseCode::Restart, "stopping"));
                }
                next = timeout_at(heartbeat_at, self.feed.next()) => {
                    match next {
                        Ok(frame) => self.send_frames(frame.json().clone()).await?,
                        Err(_silence) => {
                            let heartbeat = self.live.heartbeat(self.feed.cursor());
                            self.send(heartbeat.to_json()).await?;
                        }
                    }
                    heartbeat_at = Instant::now() + self.live.heartbeat;
                }
                answer = answered(&mut self.pending) => {
                    self.pending = None;
                    self.send(answer).await?;
                }
                packet = self.socket.next(), if self.pending.is_none() => {
                    match packet {
                        Some(packet) => if let Some(end) = self.read(packet?).await? {
                            return Ok(end);
                        },
                        None => return Ok(End::Gone),
                    }
                }
            }
        }
    }

    /// Sends a frame and those that wait behind it, in one write where they fit.
    async fn send_frames(&mut self, first: Utf8Bytes) -> Result<(), Error> {
        self.socket.feed(Packet::Text(first)).await?;
        for _ in 1..GATHER_LIMIT {
            let Some(frame) = self.feed.next_now() else {
                break;
            };
            self.socket.feed(Packet::Text(frame.json().clone())).await?;
        }
        self.socket.flush().await
    }

    async fn send(&mut self, json: String) -> Result<(), Error> {
        self.socket.send(Packet::text(json)).await
    }

    /// Deals with what the viewer sent; pings are answered by tungstenite.
    async fn read(&mut self, packet: Packet) -> Result<Option<End>, Error> {
        let asked = match &packet {
            Packet::Text(text) => Asked::read(text),
            Packet::Binary(_) => Err(Unreadable(Failure::bad_request(
                "A command is a text message; this was a binary one.",
            ))),
            Packet::Close(_) | Packet::Ping(_) | Packet::Pong(_) | Packet::Frame(_) => {
                return Ok(None);
            }
        };
        match asked {
            Ok(asked) => {
                let (live, permission) = (Arc::clone(&self.live), self.permission.clone());
                self.pending = Some(Box::pin(
                    async move { asked.answer(&live, permission).await },
                ));
                Ok(None)
            }
            Err(Unreadable(failure)) => {
                self.send(refusal(None, &failure)).await?;
                self.strikes += 1;
                Ok((self.strikes == STRIKES)
                    .then_some(End::Close(CloseCode::Policy, "three unreadable messages")))
            }
        }
    }

    /// Says why, and waits for the other side to say that it heard.
    async fn close(&mut self, code: CloseCode, reason: &'static str) -> Result<(), Error> {
        let frame = CloseFrame {
            code,
            reason: Utf8Bytes::from_static(reason),
        };
        self.socket.close(Some(frame)).await?;
        while let Some(Ok(_)) = self.socket.next().await {}
        Ok(())
    }
}

/// The answer to the command that is being carried out; never, when there is none.
async fn answered(pending: &mut Option<Pin<Box<dyn Future<Output = String> + Send>>>) -> String {
    match pending {
        Some(pending) => pending.await,
        None => std::future::pending().await,
    }
}

/// What a broken connection is told, if it can still be told anything (RFC 6455, section 7.4.1).
fn end_of(error: &Error) -> End {
    match error {
        Error::Capacity(CapacityError::MessageTooLong { .. }) => {
            End::Close(CloseCode::Size, "at most 64 KiB a message")
        }
        Error::Utf8(_) => End::Close(CloseCode::Invalid, "text must be UTF-8"),
        Error::Protocol(_) | Error::Capacity(_) => {
            End::Close(CloseCode::Protocol, "not as RFC 6455 says")
        }
        _ => End::Gone,
    }
}
