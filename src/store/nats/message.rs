//! How changes and pets are written into messages, and read out of them.
//!
//! A pet's message holds the whole pet, so that the last one alone tells what it is; its headers
//! say what the change was. A pet that is gone is a message without a body.

use std::sync::Arc;

use async_nats::HeaderMap;

use super::subjects::{EPOCH, NEXT_PET, PET, TICK};
use crate::model::{Change, ChangeKind, Epoch, Pet, PetId, RequestKey, Rev, Timestamp};
use crate::store::record::{
    decode, decode_author, decode_by, decode_pet, encode, encode_author, encode_pet,
};
use crate::store::{AppliedChange, StoreError};

/// A message of the stream.
pub struct Entry {
    pub seq: u64,
    pub subject: String,
    pub headers: HeaderMap,
    pub payload: Vec<u8>,
}

/// What a message says.
pub enum Record {
    Pet {
        change: Change,
        /// `None` when it is gone.
        after: Option<Arc<Pet>>,
    },
    NextPet(PetId),
    MonotonicSeconds,
    Epoch(Epoch),
    /// Of a program that knows more than this one.
    Other,
}

/// Says which kind of change a message is: the type of the message that viewers get.
const CHANGE: &str = "Ps-Change";
/// When the change was decided, in microseconds since the Unix epoch, and by whom.
const AT: &str = "Ps-At";
const BY: &str = "Ps-By";

/// Who made the change, where that is known: the JSON array of a name and a client.
const AUTHOR: &str = "Ps-Author";

/// The name of a pet that was removed, as a JSON string.
const NAME: &str = "Ps-Name";

/// The key of the request that made the change, if it had one.
const REQUEST: &str = "Ps-Request";

/// How many messages at the start of the batch are no changes.
pub const LEADING: &str = "Ps-Leading";

/// The headers and the body of a pet's message.
pub fn write(put: &AppliedChange) -> (Vec<(&'static str, String)>, Vec<u8>) {
    let mut headers = vec![
        (CHANGE, put.change.kind.as_str().to_owned()),
        (AT, put.change.at.micros().to_string()),
        (BY, put.change.by.as_str().to_owned()),
    ];
    let author = put.change.author.as_deref().map(encode_author);
    let author = author.and_then(|record| String::from_utf8(record).ok());
    headers.extend(author.map(|record| (AUTHOR, record)));
    if let ChangeKind::Gone(Some(name)) = &put.change.kind {
        let record = String::from_utf8(encode(name)).ok();
        headers.extend(record.map(|record| (NAME, record)));
    }
    headers.extend(
        put.change
            .request
            .map(|request| (REQUEST, request.to_text())),
    );
    let body = put.after.as_deref().map(encode_pet).unwrap_or_default();
    (headers, body)
}

/// What `entry` says.
///
/// # Errors
/// `Record` when no pet-store wrote it.
pub fn read(entry: &Entry) -> Result<Record, StoreError> {
    Ok(match entry.subject.as_str() {
        NEXT_PET => Record::NextPet(PetId::new(number(&entry.payload)?)),
        TICK => Record::MonotonicSeconds,
        EPOCH => Record::Epoch(read_epoch(&entry.payload)?),
        subject => match subject.strip_prefix(PET) {
            Some(id) => read_pet(id, entry)?,
            None => Record::Other,
        },
    })
}

fn read_pet(id: &str, entry: &Entry) -> Result<Record, StoreError> {
    let pet = id.parse().map_err(|_| foreign(&entry.subject))?;
    let header = |name: &str| {
        let value = entry.headers.get(name).map(|value| value.as_str());
        value.ok_or_else(|| foreign(&entry.subject))
    };
    let after = match entry.payload.as_slice() {
        [] => None,
        bytes => Some(Arc::new(decode_pet(pet, bytes)?)),
    };
    let at = header(AT)?.parse().map_err(|_| foreign(&entry.subject))?;
    let at = Timestamp::from_micros(at);
    let kind = match (header(CHANGE)?, &after) {
        (_, None) => ChangeKind::Gone(match header(NAME) {
            Ok(record) => Some(decode(record.as_bytes())?),
            Err(_unknown) => None,
        }),
        ("status", Some(after)) if after.since == at => ChangeKind::Status(after.status),
        ("status", Some(after)) => ChangeKind::StatusSince(after.status, after.since),
        (_, Some(after)) => ChangeKind::Pet(Arc::clone(after)),
    };
    let author = match header(AUTHOR) {
        Ok(record) => Some(decode_author(record.as_bytes())?),
        Err(_nobody) => None,
    };
    let change = Change {
        rev: Rev::new(entry.seq),
        at,
        by: decode_by(header(BY)?)?,
        author,
        request: header(REQUEST).ok().and_then(RequestKey::from_text),
        pet,
        kind,
    };
    Ok(Record::Pet { change, after })
}

pub fn read_epoch(bytes: &[u8]) -> Result<Epoch, StoreError> {
    let text = std::str::from_utf8(bytes).unwrap_or_default();
    text.parse().map_err(|_| foreign(EPOCH))
}

fn number(bytes: &[u8]) -> Result<u64, StoreError> {
    let text = std::str::from_utf8(bytes).unwrap_or_default();
    text.parse().map_err(|_| foreign(NEXT_PET))
}

fn foreign(subject: &str) -> StoreError {
    StoreError::Record(format!("a message at {subject}"))
}
