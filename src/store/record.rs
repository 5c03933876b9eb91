//! Records of changes and pets, in JSON: a field added later is absent in an old record and ignored by
//! an old reader.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::StoreError;
use crate::model::{
    Author, Change, ChangeKind, ChangeSource, Pet, PetId, Profile, RequestKey, Rev, Status,
    Timestamp, Visibility,
};

/// A change in the log, stored under its rev. Times are microseconds since the Unix epoch.
#[derive(Serialize, Deserialize)]
struct ChangeRecord {
    at: i64,
    by: ChangeSource,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    author: Option<AuthorRecord>,
    /// In hex digits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    request: Option<String>,
    /// Absent for a public change.
    #[serde(default, skip_serializing_if = "Visibility::is_public")]
    visibility: Visibility,
    pet: u64,
    #[serde(flatten)]
    kind: KindRecord,
}

#[derive(Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "kebab-case")]
enum KindRecord {
    Status {
        status: Status,
        /// Absent when the status began with the change.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        since: Option<i64>,
    },
    Pet(Box<PetRecord>),
    Gone {
        #[serde(default, skip_serializing_if = "Option::is_none")]
        name: Option<Arc<str>>,
    },
}

/// A pet without its id.
#[derive(Serialize, Deserialize)]
struct PetRecord {
    profile: Profile,
    status: Status,
    since: i64,
}

/// An author's name and client.
#[derive(Serialize, Deserialize)]
struct AuthorRecord(String, String);

/// Encodes a change without its rev, which is its key.
pub(super) fn encode_change(change: &Change) -> Vec<u8> {
    encode(&ChangeRecord {
        at: change.at.micros(),
        by: change.by,
        author: change.author.as_deref().map(AuthorRecord::from),
        request: change.request.map(RequestKey::to_text),
        visibility: change.visibility,
        pet: change.pet.get(),
        kind: match &change.kind {
            ChangeKind::Status(status) => KindRecord::Status {
                status: *status,
                since: None,
            },
            ChangeKind::StatusSince(status, since) => KindRecord::Status {
                status: *status,
                since: Some(since.micros()),
            },
            ChangeKind::Pet(pet) => KindRecord::Pet(Box::new(PetRecord::from(&**pet))),
            ChangeKind::Gone(name) => KindRecord::Gone { name: name.clone() },
        },
    })
}

/// Decodes the change that is stored under `rev`.
pub(super) fn decode_change(rev: Rev, bytes: &[u8]) -> Result<Change, StoreError> {
    let record: ChangeRecord = decode(bytes)?;
    let pet = PetId::new(record.pet);
    Ok(Change {
        rev,
        at: Timestamp::from_micros(record.at),
        by: record.by,
        author: record.author.map(AuthorRecord::into_author),
        request: record.request.as_deref().and_then(RequestKey::from_text),
        visibility: record.visibility,
        pet,
        kind: match record.kind {
            KindRecord::Status { status, since } => match since {
                Some(since) => ChangeKind::StatusSince(status, Timestamp::from_micros(since)),
                None => ChangeKind::Status(status),
            },
            KindRecord::Pet(record) => ChangeKind::Pet(Arc::new(record.into_pet(pet))),
            KindRecord::Gone { name } => ChangeKind::Gone(name),
        },
    })
}

/// Encodes a profile.
pub(super) fn encode_profile(profile: &Profile) -> Vec<u8> {
    encode(profile)
}

/// Decodes a profile.
pub(super) fn decode_profile(bytes: &[u8]) -> Result<Profile, StoreError> {
    decode(bytes)
}

/// Encodes a pet without its id, which is its key.
pub(super) fn encode_pet(pet: &Pet) -> Vec<u8> {
    encode(&PetRecord::from(pet))
}

/// Decodes the pet that is stored under `id`.
pub(super) fn decode_pet(id: PetId, bytes: &[u8]) -> Result<Pet, StoreError> {
    decode(bytes).map(|record: PetRecord| record.into_pet(id))
}

/// Decodes the word of a status.
pub(super) fn decode_status(text: &str) -> Result<Status, StoreError> {
    let status = text.parse();
    status.map_err(|error| StoreError::Record(format!("{error}, not {text:?}")))
}

/// Decodes the word of a source.
pub(super) fn decode_source(text: &str) -> Result<ChangeSource, StoreError> {
    let mut sources = ChangeSource::ALL.into_iter();
    let source = sources.find(|source| source.as_str() == text);
    source.ok_or_else(|| StoreError::Record(format!("{text:?} is not the source of a change")))
}

/// Encodes an author.
pub(super) fn encode_author(author: &Author) -> Vec<u8> {
    encode(&AuthorRecord::from(author))
}

/// Decodes an author.
pub(super) fn decode_author(bytes: &[u8]) -> Result<Arc<Author>, StoreError> {
    decode(bytes).map(AuthorRecord::into_author)
}

/// Encodes any record as JSON.
pub(super) fn encode<T: Serialize>(record: &T) -> Vec<u8> {
    serde_json::to_vec(record).expect("a record is made of text and numbers only")
}

/// Decodes any record.
///
/// # Errors
/// `Record`.
pub(super) fn decode<T: for<'a> Deserialize<'a>>(bytes: &[u8]) -> Result<T, StoreError> {
    serde_json::from_slice(bytes)
        .map_err(|error| StoreError::Record(format!("a record is damaged: {error}")))
}

impl From<&Pet> for PetRecord {
    fn from(pet: &Pet) -> Self {
        PetRecord {
            profile: pet.profile.clone(),
            status: pet.status,
            since: pet.since.micros(),
        }
    }
}

impl PetRecord {
    fn into_pet(self, id: PetId) -> Pet {
        Pet {
            id,
            profile: self.profile,
            status: self.status,
            since: Timestamp::from_micros(self.since),
        }
    }
}

impl From<&Author> for AuthorRecord {
    fn from(author: &Author) -> Self {
        AuthorRecord(author.name.clone(), author.client.clone())
    }
}

impl AuthorRecord {
    fn into_author(self) -> Arc<Author> {
        let AuthorRecord(name, client) = self;
        Arc::new(Author { name, client })
    }
}
