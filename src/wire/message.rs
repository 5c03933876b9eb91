//! Messages from server to client, with exactly the names and fields of the interface.

use serde::Serialize;

use super::json::to_ascii;
use crate::model::{
    Change, ChangeKind, ChangeSource, Cursor, Epoch, Pet, PetId, Profile, Status, Timestamp,
};

/// A message from server to client. Serialises to the JSON object of the interface; readers ignore types
/// and fields that they do not know.
#[derive(Serialize)]
#[serde(tag = "type", rename_all = "kebab-case")]
pub enum Message<'a> {
    /// Opens every connection.
    Hello {
        cursor: Cursor,
        transport: &'a str,
        heartbeat_ms: u64,
        server_time: Timestamp,
    },
    /// Has the status of every pet that the viewer asked for, true at `cursor`.
    Snapshot {
        cursor: Cursor,
        pets: Vec<SnapshotPet<'a>>,
    },
    /// Says that a status was committed.
    Status {
        cursor: Cursor,
        pet: PetId,
        status: Status,
        since: Timestamp,
        /// When the change was committed, if `since` is earlier: an undo restored the status, or
        /// somebody confirmed it.
        #[serde(skip_serializing_if = "Option::is_none")]
        at: Option<Timestamp>,
        by: ChangeSource,
    },
    /// Says that a pet was created or edited, and has its public fields.
    Pet {
        cursor: Cursor,
        pet: PetId,
        #[serde(flatten)]
        body: PublicPet<'a>,
    },
    /// Says that a pet was removed.
    Gone { cursor: Cursor, pet: PetId },
    /// Shows that the connection works when there is nothing else to send.
    Heartbeat {
        cursor: Cursor,
        server_time: Timestamp,
    },
    /// Announces that the server closes this connection on purpose; the client reconnects after
    /// `retry_ms`.
    Bye { reason: &'a str, retry_ms: u64 },
    /// Warns that the engine does not respond, so the board may be old. Ends with the next message.
    Stale { since: Timestamp },
    /// Answers a command that was committed.
    Ack {
        #[serde(rename = "ref", skip_serializing_if = "Option::is_none")]
        reference: Option<&'a str>,
        cursor: Cursor,
    },
    /// Answers a command that failed; `status` is the status of the same failure over HTTP.
    Error {
        #[serde(rename = "ref", skip_serializing_if = "Option::is_none")]
        reference: Option<&'a str>,
        status: u16,
        title: &'a str,
        #[serde(skip_serializing_if = "Option::is_none")]
        detail: Option<&'a str>,
    },
}

/// A pet in a snapshot.
#[derive(Serialize)]
pub struct SnapshotPet<'a> {
    id: PetId,
    name: &'a str,
    status: Status,
    since: Timestamp,
}

/// A pet's public fields, as messages and the API show them.
#[derive(Serialize)]
pub struct PublicPet<'a> {
    #[serde(flatten)]
    profile: &'a Profile,
    status: Status,
    since: Timestamp,
}

impl<'a> Message<'a> {
    /// Returns the message that carries `change`.
    pub fn from_change(epoch: Epoch, change: &'a Change) -> Self {
        let (rev, pet) = (change.rev, change.pet);
        let cursor = Cursor { epoch, rev };
        let status = |status, since| Message::Status {
            cursor,
            pet,
            status,
            since,
            at: (since != change.at).then_some(change.at),
            by: change.by,
        };
        match &change.kind {
            ChangeKind::Status(now) => status(*now, change.at),
            ChangeKind::StatusSince(now, since) => status(*now, *since),
            ChangeKind::Pet(after) => Message::Pet {
                cursor,
                pet,
                body: PublicPet::new(after),
            },
            ChangeKind::Gone(_) => Message::Gone { cursor, pet },
        }
    }

    /// Returns the message as one line of JSON in ASCII.
    pub fn to_json(&self) -> String {
        to_ascii(self)
    }

    /// Returns the `type` of the object, which is also the SSE event's name.
    pub const fn name(&self) -> &'static str {
        match self {
            Message::Hello { .. } => "hello",
            Message::Snapshot { .. } => "snapshot",
            Message::Status { .. } => "status",
            Message::Pet { .. } => "pet",
            Message::Gone { .. } => "gone",
            Message::Heartbeat { .. } => "heartbeat",
            Message::Bye { .. } => "bye",
            Message::Stale { .. } => "stale",
            Message::Ack { .. } => "ack",
            Message::Error { .. } => "error",
        }
    }
}

impl<'a> SnapshotPet<'a> {
    /// Borrows what a snapshot has of `pet`.
    pub fn new(pet: &'a Pet) -> Self {
        SnapshotPet {
            id: pet.id,
            name: &pet.profile.name,
            status: pet.status,
            since: pet.since,
        }
    }
}

impl<'a> PublicPet<'a> {
    /// Borrows the public fields of `pet`.
    pub fn new(pet: &'a Pet) -> Self {
        PublicPet {
            profile: &pet.profile,
            status: pet.status,
            since: pet.since,
        }
    }
}
