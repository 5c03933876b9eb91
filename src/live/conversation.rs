//! What a viewer's words over WebSocket mean, and what is answered at once.

use bytes::Bytes;

use super::commands::{Asked, Unreadable, failed, too_long};
use super::reader::{NORMAL, POLICY, Said, Violation, close_frame, pong_frame};
use super::senders::Viewer;
use crate::error::Failure;

/// Unreadable messages after which the connection is closed with 1008.
const STRIKES: u8 = 3;

/// What is to be done about something that was said.
pub enum Reply {
    Frame(Bytes),
    /// The last frame of the connection.
    Last {
        frame: Bytes,
        is_violation: bool,
    },
    CarryOut(Asked),
}

/// The reply to the next thing that the viewer said; `None` when there is none, or when it has to
/// wait: for its socket, or for the answer to what it asked before.
pub fn next(viewer: &mut Viewer) -> Option<Reply> {
    loop {
        if viewer.is_stalled() || viewer.is_asking || viewer.is_closing() {
            return None;
        }
        let said = viewer.reader.as_mut()?.next();
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
            Ok(Some(said)) => return Some(reply(viewer, said)),
            Err(Violation(code, reason)) => {
                return Some(Reply::Last {
                    frame: close_frame(code, reason).into(),
                    is_violation: true,
                });
            }
        }
    }
}

fn reply(viewer: &mut Viewer, said: Said) -> Reply {
    let asked = match said {
        Said::Ping(payload) => return Reply::Frame(pong_frame(&payload).into()),
        Said::Close(code) => {
            return Reply::Last {
                frame: close_frame(code.unwrap_or(NORMAL), "").into(),
                is_violation: false,
            };
        }
        Said::Text(text) => Asked::read(&text),
        Said::TooLong(bytes) => Err(Unreadable(too_long(bytes))),
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
        is_violation: true,
    }
}
