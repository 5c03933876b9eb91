//! The shapes of the messages, exactly as the interface names them.

use serde::{Serialize, Serializer};

use super::json::to_ascii;
use crate::model::{
    Change, ChangeKind, ChangeSource, Cursor, Epoch, Pet, PetId, Profile, Status, Timestamp,
};

/// One message, server to client. Serialises to the JSON object of the interface; a reader
/// ignores types and fields it does not know.
#[derive(Serialize)]
#[serde(tag = "type", rename_all = "kebab-case")]
pub enum Message<'a> {
    /// First on every connection.
    Hello {
        #[serde(serialize_with = "as_text")]
        cursor: Cursor,
        transport: &'a str,
        heartbeat_ms: u64,
        #[serde(serialize_with = "as_text")]
        server_time: Timestamp,
    },
    /// The status of every pet the viewer asked for, true at `cursor`.
    Snapshot {
        #[serde(serialize_with = "as_text")]
        cursor: Cursor,
        pets: Vec<Entry<'a>>,
    },
    Status {
        #[serde(serialize_with = "as_text")]
        cursor: Cursor,
        #[serde(serialize_with = "as_number")]
        pet: PetId,
        #[serde(serialize_with = "as_text")]
        status: Status,
        #[serde(serialize_with = "as_text")]
        since: Timestamp,
        /// When the change was committed, if `since` is earlier: an undo restored the status, or
        /// somebody confirmed it.
        #[serde(
            serialize_with = "as_optional_text",
            skip_serializing_if = "Option::is_none"
        )]
        at: Option<Timestamp>,
        #[serde(serialize_with = "as_word")]
        by: ChangeSource,
    },
    /// Created or edited: the pet's id and public fields as they are now.
    Pet {
        #[serde(serialize_with = "as_text")]
        cursor: Cursor,
        #[serde(serialize_with = "as_number")]
        pet: PetId,
        #[serde(flatten)]
        body: PublicPet<'a>,
    },
    Gone {
        #[serde(serialize_with = "as_text")]
        cursor: Cursor,
        #[serde(serialize_with = "as_number")]
        pet: PetId,
    },
    Heartbeat {
        #[serde(serialize_with = "as_text")]
        cursor: Cursor,
        #[serde(serialize_with = "as_text")]
        server_time: Timestamp,
    },
    /// The server ends this connection on purpose; come back after `retry_ms`.
    Bye { reason: &'a str, retry_ms: u64 },
    /// The engine is out of reach, so what is shown may be old. Ends with the next message.
    Stale {
        #[serde(serialize_with = "as_text")]
        since: Timestamp,
    },
    /// Answer to a command that was committed.
    Ack {
        #[serde(rename = "ref", skip_serializing_if = "Option::is_none")]
        reference: Option<&'a str>,
        #[serde(serialize_with = "as_text")]
        cursor: Cursor,
    },
    /// Answer to a command that was not; `status` is what HTTP would have said.
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
pub struct Entry<'a> {
    #[serde(serialize_with = "as_number")]
    pub id: PetId,
    pub name: &'a str,
    #[serde(serialize_with = "as_text")]
    pub status: Status,
    #[serde(serialize_with = "as_text")]
    pub since: Timestamp,
}

/// A pet's public fields, as messages and the API show them.
#[derive(Serialize)]
pub struct PublicPet<'a> {
    #[serde(flatten)]
    profile: &'a Profile,
    #[serde(serialize_with = "as_text")]
    status: Status,
    #[serde(serialize_with = "as_text")]
    since: Timestamp,
}

impl<'a> Message<'a> {
    /// The message that carries `change`.
    pub fn of(epoch: Epoch, change: &'a Change) -> Self {
        let cursor = Cursor {
            epoch,
            rev: change.rev,
        };
        let pet = change.pet;
        if let Some((status, since)) = change.status() {
            return Message::Status {
                cursor,
                pet,
                status,
                since,
                at: (since != change.at).then_some(change.at),
                by: change.by,
            };
        }
        match &change.kind {
            ChangeKind::Pet(record) => Message::Pet {
                cursor,
                pet,
                body: PublicPet::new(record),
            },
            _ => Message::Gone { cursor, pet },
        }
    }

    /// The message as one line of JSON in ASCII.
    pub fn to_json(&self) -> String {
        to_ascii(self)
    }

    /// The `type` of the object, which is also the SSE event's name.
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

impl<'a> Entry<'a> {
    pub fn of(pet: &'a Pet) -> Self {
        Entry {
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

fn as_optional_text<T: std::fmt::Display, S: Serializer>(
    value: &Option<T>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    serializer.collect_str(&value.as_ref().map_or_else(String::new, T::to_string))
}

fn as_text<T: std::fmt::Display, S: Serializer>(
    value: &T,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    serializer.collect_str(value)
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde passes fields by reference"
)]
fn as_number<S: Serializer>(id: &PetId, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_u64(id.get())
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde passes fields by reference"
)]
fn as_word<S: Serializer>(by: &ChangeSource, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(by.as_str())
}
