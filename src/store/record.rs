//! Records of changes and pets, in JSON: a field added later is absent in an old record and ignored by
//! an old reader.

use std::borrow::Cow;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::StoreError;
use crate::model::{
    Author, Change, ChangeKind, ChangeSource, Pet, PetId, Photo, Profile, Removal, RequestKey, Rev,
    Status, StatusNote, Timestamp, Visibility,
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
        #[serde(flatten)]
        status: StatusRecord,
        /// Absent when the status began with the change.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        since: Option<i64>,
        #[serde(default, skip_serializing_if = "StatusNote::is_empty")]
        note: StatusNote,
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
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    photos: Vec<Photo>,
    #[serde(flatten)]
    status: StatusRecord,
    since: i64,
    /// Present for a pet in the trash.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    removed: Option<RemovalRecord>,
    #[serde(default, skip_serializing_if = "StatusNote::is_empty")]
    note: StatusNote,
}

/// A status, in a word that earlier versions know, and the exact word if that is another one.
#[derive(Serialize, Deserialize)]
struct StatusRecord {
    status: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    activity: Option<String>,
}

/// Time and author of a removal. Exports have it too.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct RemovalRecord(i64, Option<String>);

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
                status: (*status).into(),
                since: None,
                note: StatusNote::default(),
            },
            ChangeKind::StatusSince(status, since, note) => KindRecord::Status {
                status: (*status).into(),
                since: Some(since.micros()),
                note: note.clone(),
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
            KindRecord::Status {
                status,
                since,
                note,
            } => match (status.decode()?, since) {
                (status, Some(since)) => {
                    ChangeKind::StatusSince(status, Timestamp::from_micros(since), note)
                }
                (status, None) => ChangeKind::Status(status),
            },
            KindRecord::Pet(record) => ChangeKind::Pet(Arc::new(record.into_pet(pet)?)),
            KindRecord::Gone { name } => ChangeKind::Gone(name),
        },
    })
}

/// The part of a pet that changes seldom: its profile, with the photos as one more field.
#[derive(Serialize, Deserialize)]
struct DetailsRecord<P> {
    #[serde(flatten)]
    profile: P,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    photos: Vec<Photo>,
}

/// Encodes the profile and the photos of a pet.
pub(super) fn encode_details(pet: &Pet) -> Vec<u8> {
    encode(&DetailsRecord {
        profile: &pet.profile,
        photos: pet.photos.clone(),
    })
}

/// Decodes a profile and the photos.
pub(super) fn decode_details(bytes: &[u8]) -> Result<(Profile, Vec<Photo>), StoreError> {
    decode(bytes).map(|record: DetailsRecord<Profile>| (record.profile, record.photos))
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
    let record: PetRecord = decode(bytes)?;
    record.into_pet(id)
}

/// Encodes a status as one text: its exact word, after the one that stands in for it: `playing/at-the-vet`.
pub(super) fn encode_status(status: &Status) -> Cow<'_, str> {
    match status {
        Status::Own(own) => format!("{}/{}", own.stand_in(), own.as_str()).into(),
        status => status.as_str().into(),
    }
}

/// Decodes the text of `encode_status`.
pub(super) fn decode_status(text: &str) -> Result<Status, StoreError> {
    let status = match text.split_once('/') {
        Some((stand_in, word)) => Status::from_fields(stand_in, Some(word)),
        None => text.parse(),
    };
    status.map_err(|error| StoreError::Record(format!("{error}, not {text:?}")))
}

/// Decodes the text of a note; empty for none.
pub(super) fn decode_note(text: &str) -> Result<StatusNote, StoreError> {
    let note = text.parse();
    note.map_err(|error| StoreError::Record(format!("a note: {error}")))
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
            photos: pet.photos.clone(),
            status: pet.status.into(),
            since: pet.since.micros(),
            removed: pet.removed.as_ref().map(RemovalRecord::from),
            note: pet.note.clone(),
        }
    }
}

impl From<Status> for StatusRecord {
    fn from(status: Status) -> Self {
        StatusRecord {
            status: status.known_word().to_owned(),
            activity: status.activity().map(|activity| activity.to_string()),
        }
    }
}

impl StatusRecord {
    fn decode(&self) -> Result<Status, StoreError> {
        let StatusRecord { status, activity } = self;
        let decoded = Status::from_fields(status, activity.as_deref());
        decoded.map_err(|error| StoreError::Record(format!("{error}, not {status:?}")))
    }
}

impl PetRecord {
    fn into_pet(self, id: PetId) -> Result<Pet, StoreError> {
        Ok(Pet {
            id,
            status: self.status.decode()?,
            profile: self.profile,
            photos: self.photos,
            since: Timestamp::from_micros(self.since),
            removed: self.removed.map(Removal::from),
            note: self.note,
        })
    }
}

impl From<&Removal> for RemovalRecord {
    fn from(removal: &Removal) -> Self {
        RemovalRecord(removal.at.micros(), removal.by.clone())
    }
}

impl From<RemovalRecord> for Removal {
    fn from(RemovalRecord(at, by): RemovalRecord) -> Self {
        let at = Timestamp::from_micros(at);
        Removal { at, by }
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

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;
    use crate::model::example;

    #[test]
    fn earlier_versions_read_a_known_word_and_their_records_are_read() {
        let pet = Pet {
            status: Status::NotSetYet,
            ..example::pet(7)
        };
        let record: Value = decode(&encode_pet(&pet)).unwrap();
        assert_eq!(record["status"], "sleeping");
        assert_eq!(record["activity"], "not-set-yet");
        assert_eq!(decode_pet(pet.id, &encode_pet(&pet)), Ok(pet));

        let sleeping = example::pet(7);
        let record: Value = decode(&encode_pet(&sleeping)).unwrap();
        assert_eq!(record.get("activity"), None);
        assert_eq!(decode_pet(sleeping.id, &encode(&record)), Ok(sleeping));
        let status = br#"{"at":5,"by":"api","pet":7,"type":"status","status":"eating","since":3}"#;
        let since = Timestamp::from_micros(3);
        assert_eq!(
            decode_change(Rev::new(1), status).unwrap().kind,
            ChangeKind::StatusSince(Status::Eating, since, StatusNote::default())
        );
    }
}
