//! The JSON objects of the API, as requests bring them and answers show them.

use std::sync::Arc;

use poem::{Body, IntoResponse, Response};
use poem_openapi::payload::{Json, Payload};
use poem_openapi::registry::{MetaResponses, MetaSchemaRef, Registry};
use poem_openapi::types::{ToJSON, Type};
use poem_openapi::{ApiResponse, Object};
use serde::Deserialize;

use super::super::pet_blocks::{Blocks, Kind, Rendering};
use super::text::Text;
use crate::error::Failure;
use crate::hub::Board;
use crate::model::{Change, ChangeKind, Cursor, Draft, Epoch, InvalidProfile, Pet};

/// A pet's fields, as they are entered. `name` and `species` are required for a new pet.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PetFields {
    name: Option<Text>,
    species: Option<Text>,
    breed: Option<Text>,
    sex: Option<Text>,
    age: Option<Text>,
    about: Option<Text>,
}

/// What a pet is doing, from now on unless `since` says otherwise.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StatusFields {
    status: Option<Text>,
    since: Option<Text>,
    replaces: Option<Text>,
}

/// A pet.
#[derive(Object)]
#[oai(rename = "Pet", skip_serializing_if_is_none)]
pub struct PetObject {
    id: u64,
    name: String,
    species: String,
    breed: String,
    /// `female`, `male` or `unknown`.
    sex: String,
    age: String,
    about: String,
    /// `eating`, `bathing`, `sleeping` or `playing`.
    status: String,
    /// When the status was committed: RFC 3339, UTC, microseconds.
    since: String,
    /// The pet's last change: all of this is true from there on. Absent in a list, which has one
    /// cursor for all of it.
    cursor: Option<String>,
}

/// Every pet, in the order of their ids.
#[derive(Object)]
#[oai(rename = "PetList")]
pub struct PetList {
    /// Where all of this is true.
    cursor: String,
    pets: Vec<PetObject>,
}

/// A `PetList` that is encoded while it is sent.
pub struct PetListBody(Body);

impl PetListBody {
    /// # Errors
    /// When a pet could not be encoded, and nothing was sent yet.
    pub async fn of(blocks: &Arc<Blocks>, board: Board) -> Result<Self, Failure> {
        let objects = Rendering {
            kind: Some(Kind::Json),
            separator: ",",
            render: |pets: &[Arc<Pet>]| {
                let objects = pets.iter().map(|pet| PetObject::of(pet).to_json_string());
                Some(objects.collect::<Vec<_>>().join(","))
            },
        };
        let head = format!(r#"{{"cursor":"{}","pets":["#, board.cursor);
        let body = blocks.body(objects, board.pets, (&head, "]}")).await;
        Ok(PetListBody(body.map_err(|_| Failure::internal())?))
    }
}

impl Payload for PetListBody {
    const CONTENT_TYPE: &'static str = Json::<PetList>::CONTENT_TYPE;

    fn schema_ref() -> MetaSchemaRef {
        Json::<PetList>::schema_ref()
    }
}

impl IntoResponse for PetListBody {
    fn into_response(self) -> Response {
        Response::builder()
            .content_type(Self::CONTENT_TYPE)
            .body(self.0)
    }
}

impl ApiResponse for PetListBody {
    fn meta() -> MetaResponses {
        Json::<PetList>::meta()
    }

    fn register(registry: &mut Registry) {
        PetList::register(registry);
    }
}

/// Where a change is in the store's history.
#[derive(Object)]
#[oai(rename = "Committed")]
pub struct CursorObject {
    pub cursor: String,
}

/// One committed change.
#[derive(Object)]
#[oai(rename = "Change", skip_serializing_if_is_none)]
pub struct ChangeObject {
    cursor: String,
    /// `status`, `pet` (created or edited) or `gone`.
    r#type: String,
    /// What the pet was doing from then on. Absent when it was removed.
    status: Option<String>,
    /// When the change was committed: RFC 3339, UTC, microseconds.
    since: String,
    /// `simulator`, `staff` or `api`.
    by: String,
    /// The pet's name after the change, or before it was removed, where that is in the record. For
    /// staff.
    name: Option<String>,
    /// The account that made the change. For staff.
    who: Option<String>,
    /// The kind of client it came from. For staff.
    client: Option<String>,
}

/// Changes, newest first.
#[derive(Object)]
#[oai(rename = "ChangeList")]
pub struct ChangeList {
    pub changes: Vec<ChangeObject>,
}

#[derive(ApiResponse)]
pub enum Created {
    /// The new pet.
    #[oai(status = 201)]
    Pet(
        Json<PetObject>,
        #[oai(header = "Location")] String,
        /// The entity tag of the pet, for `If-Match` and `If-None-Match`.
        #[oai(header = "ETag")]
        String,
    ),
}

#[derive(ApiResponse)]
#[expect(
    clippy::large_enum_variant,
    reason = "an answer is made once and sent right away"
)]
pub enum Found {
    /// The pet.
    #[oai(status = 200)]
    Pet(
        Json<PetObject>,
        /// The entity tag of the pet, for `If-Match` and `If-None-Match`.
        #[oai(header = "ETag")]
        String,
    ),
    /// The pet has not changed.
    #[oai(status = 304)]
    NotModified(
        /// The entity tag of the pet.
        #[oai(header = "ETag")]
        String,
    ),
}

#[derive(ApiResponse)]
pub enum Edited {
    /// The pet as the edit left it.
    #[oai(status = 200)]
    Pet(
        Json<PetObject>,
        /// The entity tag of the pet, for `If-Match` and `If-None-Match`.
        #[oai(header = "ETag")]
        String,
    ),
}

impl PetFields {
    /// # Errors
    /// Every field that is no text.
    pub fn into_draft(self) -> Result<Draft, InvalidProfile> {
        let mut errors = Vec::new();
        let mut text = |given, field| Text::take(given, field, &mut errors);
        let draft = Draft {
            name: text(self.name, "name"),
            species: text(self.species, "species"),
            breed: text(self.breed, "breed"),
            sex: text(self.sex, "sex"),
            age: text(self.age, "age"),
            about: text(self.about, "about"),
        };
        match errors.is_empty() {
            true => Ok(draft),
            false => Err(InvalidProfile(errors)),
        }
    }
}

impl StatusFields {
    /// The status, `since` and `replaces` as they were given; the status is empty when nothing was
    /// that could be one.
    pub fn into_parts(self) -> (String, Option<String>, Option<String>) {
        let given = |text: Option<Text>| text.map(|text| Text::or_empty(Some(text)));
        let (since, replaces) = (given(self.since), given(self.replaces));
        (Text::or_empty(self.status), since, replaces)
    }
}

impl PetObject {
    pub fn of(pet: &Pet) -> Self {
        let profile = pet.profile.clone();
        PetObject {
            id: pet.id.get(),
            name: profile.name,
            species: profile.species,
            breed: profile.breed,
            sex: profile.sex.to_string(),
            age: profile.age,
            about: profile.about,
            status: pet.status.to_string(),
            since: pet.since.to_string(),
            cursor: None,
        }
    }

    /// The pet as it is since its last change, at `cursor`.
    pub fn at(cursor: Cursor, pet: &Pet) -> Self {
        PetObject {
            cursor: Some(cursor.to_string()),
            ..PetObject::of(pet)
        }
    }
}

impl ChangeObject {
    /// A change with who made it, for staff.
    pub fn signed(epoch: Epoch, change: &Change) -> Self {
        let author = change.author.as_deref();
        ChangeObject {
            name: change.kind.name().map(str::to_owned),
            who: author.map(|author| author.name.clone()),
            client: author.map(|author| author.client.clone()),
            ..ChangeObject::of(epoch, change)
        }
    }

    /// A change as everybody sees it.
    pub fn of(epoch: Epoch, change: &Change) -> Self {
        let rev = change.rev;
        ChangeObject {
            cursor: Cursor { epoch, rev }.to_string(),
            r#type: change.kind.as_str().to_owned(),
            status: match &change.kind {
                ChangeKind::Status(status) | ChangeKind::StatusSince(status, _) => {
                    Some(status.to_string())
                }
                ChangeKind::Pet(pet) => Some(pet.status.to_string()),
                ChangeKind::Gone(_) => None,
            },
            since: change.at.to_string(),
            by: change.by.as_str().to_owned(),
            name: None,
            who: None,
            client: None,
        }
    }
}
