//! What a viewer's words over WebSocket mean, and what is answered at once.

use std::time::Instant;

use bytes::Bytes;
use serde_json::Value;

use super::commands::{Asked, Unreadable, failed, too_long};
use super::reader::{NORMAL, POLICY, Said, Violation, close_frame, pong_frame};
use super::senders::Viewer;
use crate::error::Failure;
use crate::limits::RateLimit;

/// Unreadable messages after which the connection is closed with 1008.
const STRIKES: u8 = 3;

/// What is to be done about something that was said.
pub enum Reply {
    Frame(Bytes),
    /// A heartbeat, in answer to a keep-alive text.
    Heartbeat,
    /// The last frame of the connection.
    Last {
        frame: Bytes,
        /// What the metrics call it, when it is the viewer's fault.
        fault: Option<&'static str>,
    },
    CarryOut(Asked),
}

/// The reply to the next thing that the viewer said; `None` when there is none, or when it has to
/// wait: for its socket, or for the answer to what it asked before. One that sends more frames than
/// `rate` allows is closed, whatever they are: pings and empty fragments cost as much as messages.
pub fn next(viewer: &mut Viewer, rate: RateLimit, now: Instant) -> Option<Reply> {
    loop {
        if viewer.is_stalled() || viewer.is_asking || viewer.is_closing() {
            return None;
        }
        let reader = viewer.reader.as_mut()?;
        let said = reader.next_said();
        let frames = reader.take_frames();
        if (0..frames).any(|_| viewer.message_bucket.try_take(rate, now).is_err()) {
            return Some(Reply::Last {
                frame: close_frame(POLICY, "too many messages a second").into(),
                fault: Some("flood"),
            });
        }
        if viewer
            .reader
            .as_ref()
            .is_some_and(|reader| reader.is_empty())
        {
            viewer.reader = None;
        }
        match said {
            Ok(None) => return None,
            Ok(Some(Said::Pong)) => {}
            Ok(Some(Said::Text(text))) => match KeepAlive::read(&text) {
                Some(KeepAlive::Ping) => return Some(Reply::Heartbeat),
                Some(KeepAlive::Pong) => {}
                None => return Some(reply(viewer, Said::Text(text))),
            },
            Ok(Some(said)) => return Some(reply(viewer, said)),
            Err(Violation(code, reason)) => {
                return Some(Reply::Last {
                    frame: close_frame(code, reason).into(),
                    fault: Some("protocol"),
                });
            }
        }
    }
}

/// A text message that only keeps the connection alive. Many libraries send these by themselves.
enum KeepAlive {
    /// Is answered.
    Ping,
    /// Is not answered: it may be an answer itself, and the two sides would answer each other forever.
    Pong,
}

impl KeepAlive {
    /// Bytes of the longest keep-alive text: it may contain a number and a time.
    const LIMIT: usize = 256;

    /// Reads an empty text, a word, or an object whose verb is that word, in any case.
    fn read(text: &str) -> Option<Self> {
        let text = text.trim();
        if text.is_empty() {
            return Some(KeepAlive::Ping);
        }
        if text.len() > KeepAlive::LIMIT {
            return None;
        }
        let json = serde_json::from_str(text).unwrap_or(Value::Null);
        let verbs = ["do", "type", "action", "event", "op"];
        let verb = verbs.iter().find_map(|name| json.get(name));
        let word = verb.unwrap_or(&json).as_str().unwrap_or(text);
        match word.to_ascii_lowercase().as_str() {
            "ping" | "keepalive" | "keep-alive" => Some(KeepAlive::Ping),
            "pong" | "heartbeat" => Some(KeepAlive::Pong),
            _ => None,
        }
    }
}

fn reply(viewer: &mut Viewer, said: Said) -> Reply {
    let asked = match said {
        Said::Ping(payload) => return Reply::Frame(pong_frame(&payload).into()),
        Said::Close(code) => {
            return Reply::Last {
                frame: close_frame(code.unwrap_or(NORMAL), "").into(),
                fault: None,
            };
        }
        Said::Text(text) => Asked::read(&text),
        Said::TooLong { bytes, most } => Err(Unreadable(too_long(bytes, most))),
        Said::Binary | Said::Pong => Err(Unreadable(Failure::bad_request(
            "A command is a text message; this was a binary one.",
        ))),
    };
    match asked {
        Ok(mut asked) => {
            if let Some(token) = asked.token.take() {
                viewer.speaker.show(&token);
            }
            Reply::CarryOut(asked)
        }
        Err(Unreadable(failure)) => strike(viewer, &failure),
    }
}

fn strike(viewer: &mut Viewer, failure: &Failure) -> Reply {
    let error = failed(None, failure);
    viewer.strikes += 1;
    if viewer.strikes < STRIKES {
        return Reply::Frame(error);
    }
    let close = close_frame(POLICY, "three unreadable messages");
    Reply::Last {
        frame: [&error[..], &close[..]].concat().into(),
        fault: Some("protocol"),
    }
}
