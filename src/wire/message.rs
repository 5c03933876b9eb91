//! Messages from server to client, with exactly the names and fields of the interface.

use serde::Serialize;

use super::json::to_ascii;
use super::pet_fields::PetFields;
use crate::model::{
    ActivitiesVersion, AdoptionState, Audience, Change, ChangeKind, ChangeSource, Cursor, Epoch,
    Pet, PetId, Status, StatusNote, Timestamp,
};

/// A message from server to client. Serialises to the JSON object of the interface; readers ignore types
/// and fields that they do not know. A `Frame` appends `after` to a message with a change, because its value
/// depends on the viewer.
#[derive(Serialize)]
#[serde(tag = "type", rename_all = "kebab-case")]
pub enum Message<'a> {
    /// Opens every connection.
    Hello {
        /// Position of the server.
        cursor: Cursor,
        /// Transport of the connection.
        transport: &'a str,
        /// Longest time between two messages.
        heartbeat_ms: u64,
        /// Clock of the server.
        server_time: Timestamp,
        /// Version of the rescue's own activities, if it has some.
        #[serde(skip_serializing_if = "Option::is_none")]
        activities: Option<ActivitiesVersion>,
        /// Address at which the viewer follows the log, because the server has no slot for it.
        #[serde(skip_serializing_if = "Option::is_none")]
        log: Option<&'a str>,
    },
    /// Has the status of every pet that the viewer asked for, true at `cursor`.
    Snapshot {
        /// Position at which the statuses are true.
        cursor: Cursor,
        /// The pets.
        pets: Vec<SnapshotPet<'a>>,
    },
    /// Says that a status was committed.
    Status {
        /// Position after the change.
        cursor: Cursor,
        /// Pet that changed.
        pet: PetId,
        /// Status of the pet now, in one of four words.
        status: &'static str,
        /// The exact word of the status, if that is another one.
        #[serde(skip_serializing_if = "Option::is_none")]
        activity: Option<Status>,
        /// Time when the status began.
        since: Timestamp,
        /// When the change was committed, if `since` is earlier: an undo restored the status, or
        /// somebody confirmed it, or it began before it was set.
        #[serde(skip_serializing_if = "Option::is_none")]
        at: Option<Timestamp>,
        /// Note on the status, if there is one.
        #[serde(skip_serializing_if = "Option::is_none")]
        note: Option<&'a str>,
        /// Kind of principal that set the status.
        by: ChangeSource,
    },
    /// Says that a pet was created, edited or restored, and has its public fields.
    Pet {
        /// Position after the change.
        cursor: Cursor,
        /// Pet that changed.
        pet: PetId,
        /// Public fields of the pet.
        #[serde(flatten)]
        body: PetFields<'a>,
    },
    /// Says that a pet was removed, or is private now.
    Gone {
        /// Position after the change.
        cursor: Cursor,
        /// Pet that was removed.
        pet: PetId,
    },
    /// Shows that the connection works when there is nothing else to send.
    Heartbeat {
        /// Position of the viewer.
        cursor: Cursor,
        /// Clock of the server.
        server_time: Timestamp,
        /// Longest time between two messages, in the answer to a request for a heartbeat.
        #[serde(skip_serializing_if = "Option::is_none")]
        heartbeat_ms: Option<u64>,
        /// Text by which the client recognises the answer.
        #[serde(rename = "ref", skip_serializing_if = "Option::is_none")]
        reference: Option<&'a str>,
        /// Position of the last change that the viewer was sent, or at which it began.
        after: Cursor,
        /// Version of the rescue's own activities, if it has some.
        #[serde(skip_serializing_if = "Option::is_none")]
        activities: Option<ActivitiesVersion>,
    },
    /// Announces that the server closes this connection on purpose.
    Bye {
        /// Reason in one word.
        reason: &'a str,
        /// Time after which the client reconnects.
        retry_ms: u64,
    },
    /// Warns that the engine does not respond, so the board may be old. Ends with the next message.
    Stale {
        /// Time since when the engine does not respond.
        since: Timestamp,
        /// Longest time between two messages, in the answer to a request for a heartbeat.
        #[serde(skip_serializing_if = "Option::is_none")]
        heartbeat_ms: Option<u64>,
        /// Text by which the client recognises the answer.
        #[serde(rename = "ref", skip_serializing_if = "Option::is_none")]
        reference: Option<&'a str>,
    },
    /// Answers a command that was committed.
    Ack {
        /// Text by which the client recognises the answer.
        #[serde(rename = "ref", skip_serializing_if = "Option::is_none")]
        reference: Option<&'a str>,
        /// Position after the change.
        cursor: Cursor,
    },
    /// Answers a command that failed.
    Error {
        /// Text by which the client recognises the answer.
        #[serde(rename = "ref", skip_serializing_if = "Option::is_none")]
        reference: Option<&'a str>,
        /// Status of the same failure over HTTP.
        status: u16,
        /// Kind of failure.
        title: &'a str,
        /// Sentence that says what happened and what to do.
        #[serde(skip_serializing_if = "Option::is_none")]
        detail: Option<&'a str>,
    },
}

/// A pet in a snapshot.
#[derive(Serialize)]
pub struct SnapshotPet<'a> {
    id: PetId,
    name: &'a str,
    status: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    activity: Option<Status>,
    since: Timestamp,
    /// Absent for a status without a note, as most are.
    #[serde(skip_serializing_if = "Option::is_none")]
    note: Option<&'a str>,
    /// Absent for a pet that is available, as most are.
    #[serde(skip_serializing_if = "Option::is_none")]
    state: Option<AdoptionState>,
}

impl<'a> Message<'a> {
    /// Returns the message that carries `change`; `Gone` for one that is not public.
    pub fn from_change(epoch: Epoch, change: &'a Change) -> Self {
        let (rev, pet) = (change.rev, change.pet);
        let cursor = Cursor { epoch, rev };
        let note = change.kind.note().and_then(StatusNote::text);
        let status = |status: Status, since| Message::Status {
            cursor,
            pet,
            status: status.known_word(),
            activity: status.activity(),
            since,
            at: (since != change.at).then_some(change.at),
            note,
            by: change.by,
        };
        if !change.visibility.is_public() {
            return Message::Gone { cursor, pet };
        }
        match &change.kind {
            ChangeKind::Status(now) => status(*now, change.at),
            ChangeKind::StatusSince(now, since, _) => status(*now, *since),
            ChangeKind::Pet(after) if after.is_in_trash() => Message::Gone { cursor, pet },
            ChangeKind::Pet(after) => Message::Pet {
                cursor,
                pet,
                body: PetFields::new(after, Audience::Public),
            },
            ChangeKind::Gone(_) => Message::Gone { cursor, pet },
        }
    }

    /// Returns a `heartbeat` or `stale` as the answer to a request for a heartbeat. Other messages answer
    /// nothing.
    pub fn answering(mut self, interval_ms: u64, request: Option<&'a str>) -> Self {
        if let Message::Heartbeat {
            heartbeat_ms,
            reference,
            ..
        }
        | Message::Stale {
            heartbeat_ms,
            reference,
            ..
        } = &mut self
        {
            *heartbeat_ms = Some(interval_ms);
            *reference = request;
        }
        self
    }

    /// Returns a `heartbeat` with this version of the rescue's own activities.
    pub fn naming(mut self, version: Option<ActivitiesVersion>) -> Self {
        if let Message::Heartbeat { activities, .. } = &mut self {
            *activities = version;
        }
        self
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
            status: pet.status.known_word(),
            activity: pet.status.activity(),
            since: pet.since,
            note: pet.note.text(),
            state: Some(pet.profile.state).filter(|state| *state != AdoptionState::default()),
        }
    }
}
