//! Handles the messages that a WebSocket viewer sends: commands, requests for a heartbeat, and texts that
//! keep the connection alive.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use serde::Deserialize;
use serde_json::Value;

use crate::app_state::AppState;
use crate::auth::{Refusal, SocketPrincipal};
use crate::delivery::{CloseCode, IncomingMessage, MessageHandler, Reply, close_frame};
use crate::error::Failure;
use crate::limits::ClientAddress;
use crate::model::{PetId, Scope, StatusNote, StatusStart};
use crate::wire::{Encoding, Message};
use crate::writer::{Command, Committed, Expected, StatusEdit, WriteError};

/// Unreadable messages after which the connection is closed with 1008.
const MAX_STRIKES: u8 = 3;

/// The longest `ref`, in bytes. It is sent back.
pub const REFERENCE_LIMIT: usize = 100;

/// Handles the messages of one viewer.
pub struct CommandHandler {
    app: Arc<AppState>,
    /// Signs the commands.
    speaker: SocketPrincipal,
    /// Unreadable messages so far.
    strikes: u8,
}

impl CommandHandler {
    /// Creates the handler of a viewer that commands as `speaker`.
    pub fn new(app: Arc<AppState>, speaker: SocketPrincipal) -> Self {
        CommandHandler {
            app,
            speaker,
            strikes: 0,
        }
    }

    /// Runs a command, unless the account or address has used up its rate of writes.
    fn run(&mut self, mut request: CommandRequest, visitor: ClientAddress) -> Reply {
        if let Some(token) = request.token.take() {
            self.speaker.set_token(&token);
        }
        let account = self.speaker.account(self.app.authenticator());
        let name = account.as_ref().map(|account| account.name.as_str());
        if let Err(wait) = self.app.limiter().admit_write(name, visitor) {
            self.app.count_refused_write();
            let failure = too_many_writes(wait);
            return Reply::Frame(error_frame(request.reference(), &failure));
        }
        let (app, speaker) = (Arc::clone(&self.app), self.speaker.clone());
        Reply::Later(Box::pin(async move { request.run(&app, &speaker).await }))
    }

    /// Answers an unreadable message, and closes the connection after too many.
    fn strike(&mut self, failure: &Failure) -> Reply {
        let error = error_frame(None, failure);
        self.strikes += 1;
        if self.strikes < MAX_STRIKES {
            return Reply::Frame(error);
        }
        let close = close_frame(CloseCode::POLICY, "three unreadable messages");
        Reply::Close {
            frame: [&error[..], &close[..]].concat().into(),
            fault: Some("protocol"),
        }
    }
}

impl MessageHandler for CommandHandler {
    fn handle(&mut self, message: IncomingMessage, visitor: ClientAddress) -> Reply {
        let parsed = match message {
            IncomingMessage::Text(text) => match KeepAlive::parse(&text) {
                Some(KeepAlive::Ping) => return Reply::Heartbeat,
                Some(KeepAlive::Pong) => return Reply::Ignore,
                None => CommandRequest::parse(&text),
            },
            IncomingMessage::TooLong { bytes, limit } => Err(Failure::too_large(format!(
                "A command has at most {limit} bytes; this has {bytes}."
            ))),
            IncomingMessage::Binary => Err(Failure::bad_request(
                "A command is a text message; this was a binary one.",
            )),
        };
        match parsed {
            Ok(request) if request.verb == "heartbeat" => request.into_heartbeat(),
            Ok(request) => self.run(request, visitor),
            Err(failure) => self.strike(&failure),
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

    /// Parses an empty text, a word, or an object whose verb is that word, in any case.
    fn parse(text: &str) -> Option<Self> {
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
            // A command, not a message of another protocol.
            "heartbeat" if json.get("do").is_some() => None,
            "pong" | "heartbeat" => Some(KeepAlive::Pong),
            _ => None,
        }
    }
}

/// A command as the viewer sends it: a JSON object.
#[derive(Deserialize)]
struct CommandRequest {
    #[serde(rename = "do")]
    verb: String,
    pet: Option<u64>,
    status: Option<String>,
    /// When the status began, in RFC 3339.
    began: Option<String>,
    /// When the status began, in minutes before now.
    minutes_ago: Option<serde_json::Number>,
    /// The note on the status. Empty for none.
    note: Option<String>,
    /// The cursor of the change that set the present status. The command is refused if another change
    /// has set or confirmed the status since.
    expected: Option<String>,
    #[serde(rename = "ref")]
    reference: Option<String>,
    /// The credential for this command and those that follow.
    token: Option<String>,
    /// The longest time between two messages that the viewer asks for.
    heartbeat_ms: Option<f64>,
}

impl CommandRequest {
    /// # Errors
    /// 400 for a text that is not a JSON object with a `do`.
    fn parse(text: &str) -> Result<Self, Failure> {
        serde_json::from_str(text).map_err(|_| {
            Failure::bad_request(
                r#"A command is a JSON object such as {"do":"set-status","pet":7,"status":"eating","ref":"a1"}."#,
            )
        })
    }

    /// Runs the command if `speaker` may at this moment, and returns the answer as a frame.
    async fn run(self, app: &AppState, speaker: &SocketPrincipal) -> Bytes {
        let reference = self.reference().map(str::to_owned);
        let command = self.into_command(app);
        let signer = speaker.sign(app.authenticator(), Scope::SetStatus);
        let signer = signer.map_err(|refusal| match refusal {
            Refusal::NotSignedIn => Refusal::SocketNotSignedIn.into(),
            refusal => Failure::from(refusal),
        });
        let outcome = match signer.and_then(|signer| Ok((command?, signer))) {
            Ok((command, signer)) => {
                let committed = app.writer().commit(command, signer).await;
                committed.map_err(|error| match error {
                    WriteError::SignedOut => Refusal::SocketNotSignedIn.into(),
                    error => error.into(),
                })
            }
            Err(failure) => Err(failure),
        };
        let reference = reference.as_deref();
        match outcome {
            Ok(Committed { cursor, .. }) => {
                Encoding::WebSocket.encode(&Message::Ack { reference, cursor })
            }
            Err(failure) => error_frame(reference, &failure),
        }
    }

    /// Returns the reply to a request for a heartbeat, which is not a write and needs no permission.
    fn into_heartbeat(self) -> Reply {
        if let Err(failure) = self.check_reference() {
            return Reply::Frame(error_frame(None, &failure));
        }
        let wish = self.heartbeat_ms.map(|wish_ms| {
            let seconds = wish_ms.max(0.0) / 1000.0;
            Duration::try_from_secs_f64(seconds).unwrap_or(Duration::MAX)
        });
        Reply::AnswerHeartbeat {
            wish,
            reference: self.reference,
        }
    }

    fn check_reference(&self) -> Result<(), Failure> {
        if self.reference.is_some() && self.reference().is_none() {
            return Err(Failure::bad_request("ref has at most 100 bytes."));
        }
        Ok(())
    }

    /// Returns the `ref` to send back, unless it is too long.
    fn reference(&self) -> Option<&str> {
        let reference = self.reference.as_deref();
        reference.filter(|reference| reference.len() <= REFERENCE_LIMIT)
    }

    fn into_command(self, app: &AppState) -> Result<Command, Failure> {
        self.check_reference()?;
        if self.verb != "set-status" {
            return Err(Failure::bad_request(
                "The commands are set-status and heartbeat.",
            ));
        }
        let pet = self
            .pet
            .ok_or_else(|| Failure::invalid("set-status needs pet, a whole number such as 7."))?;
        let word = self.status.as_deref().unwrap_or_default();
        let (rescue, pet) = (app.rescue(), PetId::new(pet));
        let status = match &self.expected {
            Some(_) => rescue.activities.parse_earlier(word),
            None => rescue.activities.parse_beside(app.hub().status(pet), word),
        }?;
        let expected = match self.expected.as_deref() {
            Some(cursor) => Expected::StatusSetAt(cursor.parse()?),
            None => Expected::Anything,
        };
        let minutes_ago = self.minutes_ago.map(|minutes| minutes.to_string());
        let start = StatusStart::parse(self.began.as_deref(), minutes_ago.as_deref())?;
        let note = self.note.map(|note| note.parse::<StatusNote>());
        Ok(Command::SetStatus {
            pet,
            edit: StatusEdit {
                status,
                start,
                note: note.transpose()?,
                expected,
            },
        })
    }
}

/// The failure of a change over the rate limit on writes, which may be repeated after `wait`.
pub fn too_many_writes(wait: Duration) -> Failure {
    let seconds = wait.as_secs() + 1;
    Failure::too_often(
        "Too many changes in a short time. Try again in a moment.",
        seconds,
    )
}

/// Encodes the answer to a message that was not carried out.
fn error_frame(reference: Option<&str>, failure: &Failure) -> Bytes {
    Encoding::WebSocket.encode(&Message::Error {
        reference,
        status: failure.status.as_u16(),
        title: failure.title,
        detail: Some(&failure.detail),
    })
}
