//! Commands that arrive over a viewer's socket.

use std::time::Duration;

use bytes::Bytes;
use serde::Deserialize;

use crate::auth::{Authenticator, Refusal, SocketPrincipal};
use crate::error::Failure;
use crate::model::{PetId, Scope, Status};
use crate::wire::{Encoding, Message};
use crate::writer::{Command, Committed, Expected, WriteError, Writer};

/// The longest `ref`, in bytes: it is sent back.
const REFERENCE_LIMIT: usize = 100;

/// A JSON object that asks for something.
#[derive(Deserialize)]
struct Request {
    #[serde(rename = "do")]
    verb: String,
    pet: Option<u64>,
    status: Option<String>,
    /// The cursor of the change that set the present status. The command is refused if another change
    /// has set or confirmed the status since.
    expected: Option<String>,
    #[serde(rename = "ref")]
    reference: Option<String>,
    /// With the first command of a program: what it may. Kept for those that follow.
    token: Option<String>,
}

/// A command that was read, ready to be carried out.
pub struct Asked {
    reference: Option<String>,
    command: Result<Command, Failure>,
    /// What was shown with it.
    pub token: Option<String>,
}

/// The text is no command at all: the sender is confused or hostile.
pub struct Unreadable(pub Failure);

impl Asked {
    /// # Errors
    /// `Unreadable` for what is not a JSON object with a `do`.
    pub fn read(text: &str) -> Result<Self, Unreadable> {
        let mut request: Request = serde_json::from_str(text).map_err(|_| {
            Unreadable(Failure::bad_request(
                r#"A command is a JSON object such as {"do":"set-status","pet":7,"status":"eating","ref":"a1"}."#,
            ))
        })?;
        let reference = request.reference.take();
        let token = request.token.take();
        let is_too_long = |reference: &String| reference.len() > REFERENCE_LIMIT;
        if reference.as_ref().is_some_and(is_too_long) {
            return Ok(Asked {
                reference: None,
                command: Err(Failure::bad_request("ref has at most 100 bytes.")),
                token,
            });
        }
        Ok(Asked {
            reference,
            command: request.into_command(),
            token,
        })
    }

    /// The answer to a command of one who has written too often.
    pub fn put_off(&self, wait: Duration) -> Bytes {
        failed(self.reference.as_deref(), &too_many_writes(wait))
    }

    /// Carries the command out if `speaker` may at this moment, and gives the answer as a frame.
    pub async fn answer(
        self,
        writer: &Writer,
        authenticator: &Authenticator,
        speaker: &SocketPrincipal,
    ) -> Bytes {
        let signer = speaker.sign(authenticator, Scope::SetStatus);
        let signer = signer.map_err(Refusal::into_socket_failure);
        let outcome = match signer.and_then(|signer| Ok((self.command?, signer))) {
            Ok((command, signer)) => {
                let committed = writer.commit(command, signer).await;
                committed.map_err(|error| match error {
                    WriteError::SignedOut => Refusal::NotSignedIn.into_socket_failure(),
                    error => error.into(),
                })
            }
            Err(failure) => Err(failure),
        };
        match outcome {
            Ok(Committed { cursor, .. }) => Encoding::WebSocket.encode(&Message::Ack {
                reference: self.reference.as_deref(),
                cursor,
            }),
            Err(failure) => failed(self.reference.as_deref(), &failure),
        }
    }
}

impl Request {
    fn into_command(self) -> Result<Command, Failure> {
        if self.verb != "set-status" {
            return Err(Failure::bad_request("The only command is set-status."));
        }
        let pet = self
            .pet
            .ok_or_else(|| Failure::invalid("set-status needs pet, a whole number such as 7."))?;
        let status: Status = self.status.as_deref().unwrap_or_default().parse()?;
        let expected = match self.expected.as_deref() {
            Some(cursor) => Expected::StatusSetAt(cursor.parse()?),
            None => Expected::Anything,
        };
        Ok(Command::SetStatus {
            pet: PetId::new(pet),
            status,
            since: None,
            expected,
        })
    }
}

/// What one is told who has written too often, over whatever it came.
pub fn too_many_writes(wait: Duration) -> Failure {
    let seconds = wait.as_secs() + 1;
    Failure::too_often("Too many changes at once. Try again in a moment.", seconds)
}

/// What a message is told that is longer than any command.
pub fn too_long(bytes: usize, most: usize) -> Failure {
    Failure::too_large(format!(
        "A command has at most {most} bytes; this has {bytes}."
    ))
}

/// The answer to what was not carried out.
pub fn failed(reference: Option<&str>, failure: &Failure) -> Bytes {
    Encoding::WebSocket.encode(&Message::Error {
        reference,
        status: failure.status.as_u16(),
        title: failure.title,
        detail: Some(&failure.detail),
    })
}
