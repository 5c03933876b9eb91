//! How changes and profiles are written down: JSON, so that a field added later is absent in an
//! old record and ignored by an old reader, instead of shifting what follows it.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::StoreError;
use crate::model::{
    Author, Change, ChangeKind, ChangeSource, Pet, PetId, Profile, RequestKey, Rev, Status,
    Timestamp,
};

/// A change in the log, under its rev.
#[derive(Serialize, Deserialize)]
struct ChangeRecord {
    /// Microseconds since the Unix epoch.
    at: i64,
    by: String,
    /// By name, and the kind of client.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    author: Option<AuthorRecord>,
    /// In hex digits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    request: Option<String>,
    pet: u64,
    #[serde(flatten)]
    kind: KindRecord,
}

#[derive(Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "kebab-case")]
enum KindRecord {
    Status {
        status: String,
        /// Absent when the status began with the change. Microseconds since the Unix epoch.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        since: Option<i64>,
    },
    Pet {
        profile: Profile,
        status: String,
        since: i64,
    },
    Gone {
        #[serde(default, skip_serializing_if = "Option::is_none")]
        name: Option<Arc<str>>,
    },
}

pub(super) fn encode_change(change: &Change) -> Vec<u8> {
    encode(&ChangeRecord {
        at: change.at.micros(),
        by: change.by.as_str().to_owned(),
        author: change.author.as_deref().map(AuthorRecord::of),
        request: change.request.map(RequestKey::to_text),
        pet: change.pet.get(),
        kind: match &change.kind {
            ChangeKind::Status(status) => KindRecord::Status {
                status: status.as_str().to_owned(),
                since: None,
            },
            ChangeKind::StatusSince(status, since) => KindRecord::Status {
                status: status.as_str().to_owned(),
                since: Some(since.micros()),
            },
            ChangeKind::Pet(pet) => KindRecord::Pet {
                profile: pet.profile.clone(),
                status: pet.status.as_str().to_owned(),
                since: pet.since.micros(),
            },
            ChangeKind::Gone(name) => KindRecord::Gone { name: name.clone() },
        },
    })
}

pub(super) fn decode_change(rev: Rev, bytes: &[u8]) -> Result<Change, StoreError> {
    let record: ChangeRecord = decode(bytes)?;
    let pet = PetId::new(record.pet);
    Ok(Change {
        rev,
        at: Timestamp::from_micros(record.at),
        by: decode_by(&record.by)?,
        author: record.author.map(AuthorRecord::into_author),
        request: record.request.as_deref().and_then(RequestKey::from_text),
        pet,
        kind: match record.kind {
            KindRecord::Status { status, since } => {
                let status = decode_status(&status)?;
                since.map_or(ChangeKind::Status(status), |since| {
                    ChangeKind::StatusSince(status, Timestamp::from_micros(since))
                })
            }
            KindRecord::Pet {
                profile,
                status,
                since,
            } => ChangeKind::Pet(Arc::new(Pet {
                id: pet,
                profile,
                status: decode_status(&status)?,
                since: Timestamp::from_micros(since),
            })),
            KindRecord::Gone { name } => ChangeKind::Gone(name),
        },
    })
}

pub(super) fn encode_profile(profile: &Profile) -> Vec<u8> {
    encode(profile)
}

pub(super) fn decode_profile(bytes: &[u8]) -> Result<Profile, StoreError> {
    decode(bytes)
}

/// A pet as a whole, without its id.
#[derive(Serialize, Deserialize)]
struct PetRecord {
    profile: Profile,
    status: String,
    since: i64,
}

pub(super) fn encode_pet(pet: &Pet) -> Vec<u8> {
    encode(&PetRecord {
        profile: pet.profile.clone(),
        status: pet.status.as_str().to_owned(),
        since: pet.since.micros(),
    })
}

pub(super) fn decode_pet(id: PetId, bytes: &[u8]) -> Result<Pet, StoreError> {
    let record: PetRecord = decode(bytes)?;
    Ok(Pet {
        id,
        profile: record.profile,
        status: decode_status(&record.status)?,
        since: Timestamp::from_micros(record.since),
    })
}

pub(super) fn decode_status(text: &str) -> Result<Status, StoreError> {
    text.parse()
        .map_err(|error| StoreError::Record(format!("{error}, and a record says {text:?}")))
}

/// A name and a client.
#[derive(Serialize, Deserialize)]
struct AuthorRecord(String, String);

impl AuthorRecord {
    fn of(author: &Author) -> Self {
        AuthorRecord(author.name.clone(), author.client.clone())
    }

    fn into_author(self) -> Arc<Author> {
        let AuthorRecord(name, client) = self;
        Arc::new(Author { name, client })
    }
}

pub(super) fn encode_author(author: &Author) -> Vec<u8> {
    encode(&AuthorRecord::of(author))
}

pub(super) fn decode_author(bytes: &[u8]) -> Result<Arc<Author>, StoreError> {
    decode(bytes).map(AuthorRecord::into_author)
}

pub(super) fn decode_by(text: &str) -> Result<ChangeSource, StoreError> {
    [
        ChangeSource::Simulator,
        ChangeSource::Staff,
        ChangeSource::Api,
    ]
    .into_iter()
    .find(|by| by.as_str() == text)
    .ok_or_else(|| StoreError::Record(format!("nobody is called {text:?}, as a record says")))
}

pub(super) fn encode<T: Serialize>(record: &T) -> Vec<u8> {
    serde_json::to_vec(record).expect("a record is made of text and numbers only")
}

pub(super) fn decode<T: for<'a> Deserialize<'a>>(bytes: &[u8]) -> Result<T, StoreError> {
    serde_json::from_slice(bytes)
        .map_err(|error| StoreError::Record(format!("a record is damaged: {error}")))
}
