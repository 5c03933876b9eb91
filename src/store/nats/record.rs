//! Encodes changes and pets as messages of the stream, and decodes them.
//!
//! A pet's message holds the whole pet, so the last message alone gives the state; its headers
//! describe the change. A removed pet is a message without a body.

use std::sync::Arc;

use async_nats::{HeaderMap, HeaderValue, Message};
use bytes::Bytes;

use super::batch::BatchMessage;
use super::subjects::{EPOCH, NEXT_PET, PET, TICK};
use crate::model::{Change, ChangeKind, Epoch, PetId, RequestKey, Rev, Timestamp, Visibility};
use crate::store::record::{
    decode, decode_author, decode_pet, decode_source, encode, encode_author, encode_pet,
};
use crate::store::{AppliedChange, StoreError};

/// Header: the kind of the change, which is the type of the message that viewers get.
const CHANGE: &str = "Ps-Change";
/// Header: when the change was decided, in microseconds since the Unix epoch.
const AT: &str = "Ps-At";
/// Header: the source of the change.
const BY: &str = "Ps-By";
/// Header: who made the change, if known, as a JSON array of a name and a client.
const AUTHOR: &str = "Ps-Author";
/// Header: the name of a removed pet, as a JSON string.
const NAME: &str = "Ps-Name";
/// Header: the idempotency key of the request that made the change, if it had one.
const REQUEST: &str = "Ps-Request";
/// Header: the visibility of the change, unless it is public.
const VISIBILITY: &str = "Ps-Visibility";
/// Header: how many messages at the start of the batch are not changes.
pub const LEADING: &str = "Ps-Leading";

/// A message as the stream holds it.
pub struct StoredMessage {
    /// Sequence number in the stream.
    pub seq: u64,
    /// Subject under which the message was stored.
    pub subject: String,
    /// Headers of the message.
    pub headers: HeaderMap,
    /// Body of the message.
    pub payload: Bytes,
}

impl StoredMessage {
    /// Converts a message whose headers give its place in the stream: one that was republished, or
    /// that answers a direct get.
    ///
    /// # Errors
    /// `Record` if the headers are missing.
    pub fn from_republished(message: Message) -> Result<Self, StoreError> {
        let headers = message.headers.unwrap_or_default();
        let header = |name: &str| headers.get(name).map(|value| value.as_str().to_owned());
        let seq = header("Nats-Sequence").and_then(|seq| seq.parse().ok());
        let (Some(seq), Some(subject)) = (seq, header("Nats-Subject")) else {
            let reason = "a message without a sequence number or subject";
            return Err(StoreError::Record(reason.to_owned()));
        };
        Ok(StoredMessage {
            seq,
            subject,
            headers,
            payload: message.payload,
        })
    }

    /// Returns the value of a header.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(HeaderValue::as_str)
    }

    /// Returns the error for a message that pet-store did not write.
    pub fn invalid(&self) -> StoreError {
        StoreError::Record(format!("a message at {}", self.subject))
    }

    /// Parses `text`, a part of this message.
    fn parse<T: std::str::FromStr>(&self, text: &str) -> Result<T, StoreError> {
        text.parse().map_err(|_| self.invalid())
    }

    fn payload_text(&self) -> &str {
        std::str::from_utf8(&self.payload).unwrap_or_default()
    }
}

/// The content of a message.
pub enum PetsRecord {
    /// A change of a pet.
    Pet(AppliedChange),
    /// The id that the next created pet gets.
    NextPet(PetId),
    /// A tick of the simulator.
    Tick,
    /// The epoch.
    Epoch(Epoch),
    /// A subject that only a newer version knows.
    Unknown,
}

/// Encodes a change as a message of a batch that begins with `leading` other messages.
pub fn encode_change(applied: &AppliedChange, leading: usize) -> BatchMessage {
    let AppliedChange { change, after } = applied;
    let body = after.as_deref().map(encode_pet).unwrap_or_default();
    let mut message = BatchMessage::new(format!("{PET}{}", change.pet), body)
        .with_header(CHANGE, change.kind.as_str())
        .with_header(AT, &change.at.micros().to_string())
        .with_header(BY, change.by.as_str())
        .with_header(LEADING, &leading.to_string());
    let mut add = |name: &'static str, record: Vec<u8>| {
        if let Ok(record) = String::from_utf8(record) {
            message.headers.insert(name, record);
        }
    };
    if !change.visibility.is_public() {
        add(VISIBILITY, change.visibility.as_str().into());
    }
    if let Some(author) = &change.author {
        add(AUTHOR, encode_author(author));
    }
    if let ChangeKind::Gone(Some(name)) = &change.kind {
        add(NAME, encode(name));
    }
    if let Some(request) = change.request {
        add(REQUEST, request.to_text().into_bytes());
    }
    message
}

/// Decodes a message of the stream of pets.
///
/// # Errors
/// `Record` if pet-store did not write the message.
pub fn decode_message(message: &StoredMessage) -> Result<PetsRecord, StoreError> {
    Ok(match message.subject.as_str() {
        NEXT_PET => PetsRecord::NextPet(PetId::new(message.parse(message.payload_text())?)),
        TICK => PetsRecord::Tick,
        EPOCH => PetsRecord::Epoch(decode_epoch(message)?),
        subject => match subject.strip_prefix(PET) {
            Some(id) => PetsRecord::Pet(decode_change(message.parse(id)?, message)?),
            None => PetsRecord::Unknown,
        },
    })
}

/// Decodes a message of the stream of pets if it is a change.
pub fn decode_if_change(message: &StoredMessage) -> Result<Option<AppliedChange>, StoreError> {
    Ok(match decode_message(message)? {
        PetsRecord::Pet(applied) => Some(applied),
        _ => None,
    })
}

/// Decodes the record of the epoch.
pub fn decode_epoch(message: &StoredMessage) -> Result<Epoch, StoreError> {
    message.parse(message.payload_text())
}

fn decode_change(pet: PetId, message: &StoredMessage) -> Result<AppliedChange, StoreError> {
    let header = |name: &str| message.header(name).ok_or_else(|| message.invalid());
    let after = if message.payload.is_empty() {
        None
    } else {
        Some(Arc::new(decode_pet(pet, &message.payload)?))
    };
    let at = Timestamp::from_micros(message.parse(header(AT)?)?);
    let kind = match (header(CHANGE)?, &after) {
        (_, None) => {
            let name = message.header(NAME).map(|name| decode(name.as_bytes()));
            ChangeKind::Gone(name.transpose()?)
        }
        ("status", Some(after)) if after.since == at && after.note.is_empty() => {
            ChangeKind::Status(after.status)
        }
        ("status", Some(after)) => {
            ChangeKind::StatusSince(after.status, after.since, after.note.clone())
        }
        (_, Some(after)) => ChangeKind::Pet(Arc::clone(after)),
    };
    let author = message
        .header(AUTHOR)
        .map(|author| decode_author(author.as_bytes()));
    let change = Change {
        rev: Rev::new(message.seq),
        at,
        by: decode_source(header(BY)?)?,
        author: author.transpose()?,
        request: message.header(REQUEST).and_then(RequestKey::from_text),
        visibility: message
            .header(VISIBILITY)
            .map_or_else(Visibility::default, Visibility::parse),
        pet,
        kind,
    };
    Ok(AppliedChange { change, after })
}
