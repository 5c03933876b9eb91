//! Answers of the API.

use std::sync::Arc;

use poem::{Body, IntoResponse, Response};
use poem_openapi::payload::{Json, Payload};
use poem_openapi::registry::{MetaSchema, MetaSchemaRef, Registry};
use poem_openapi::{ApiResponse, Object};
use serde::Serialize;

use super::super::pet_blocks::{BlockKind, Blocks, Rendering};
use crate::error::Failure;
use crate::hub::Board;
use crate::model::{Audience, Change, ChangeKind, Cursor, Epoch, Pet, PetPage, Status};
use crate::wire::PetFields;
use crate::writer::Committed;

/// A pet as JSON. The schema is `schemas::pet`.
pub struct PetJson(String);

/// A pet with its id, and with the cursor of its last change where the answer is about one pet.
#[derive(Serialize)]
struct PetObject<'a> {
    id: u64,
    #[serde(flatten)]
    pet: PetFields<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cursor: Option<String>,
}

impl PetJson {
    /// Encodes what `audience` may read of a pet whose last change is at `cursor`.
    pub fn new(cursor: Cursor, pet: &Pet, audience: Audience) -> Self {
        PetJson(PetObject::encode(pet, audience, Some(cursor)))
    }
}

impl PetObject<'_> {
    fn encode(pet: &Pet, audience: Audience, cursor: Option<Cursor>) -> String {
        let object = PetObject {
            id: pet.id.get(),
            pet: PetFields::new(pet, audience),
            cursor: cursor.map(|cursor| cursor.to_string()),
        };
        serde_json::to_string(&object).expect("a pet is made of text and numbers only")
    }
}

impl Payload for PetJson {
    const CONTENT_TYPE: &'static str = Json::<String>::CONTENT_TYPE;

    fn schema_ref() -> MetaSchemaRef {
        MetaSchemaRef::Reference("Pet".to_owned())
    }

    fn register(registry: &mut Registry) {
        registry.create_schema::<Self, _>("Pet".to_owned(), |_| MetaSchema::new("object"));
    }
}

impl IntoResponse for PetJson {
    fn into_response(self) -> Response {
        json_response(self.0.into())
    }
}

/// Every pet as JSON, encoded while it is sent. The schema is `schemas::pet_list`.
pub struct PetListJson(Body);

impl PetListJson {
    /// Starts to encode the pets of `board` for `audience`, in blocks that are shared between answers.
    ///
    /// # Errors
    /// 500 if a pet cannot be encoded; nothing was sent yet.
    pub async fn start(
        blocks: &Arc<Blocks>,
        board: Board,
        audience: Audience,
    ) -> Result<Self, Failure> {
        let objects = Rendering {
            kind: BlockKind::Json(audience),
            variant: 0,
            separator: ",",
            render: move |pets: &[Arc<Pet>]| {
                let objects = pets
                    .iter()
                    .map(|pet| PetObject::encode(pet, audience, None));
                Some(objects.collect::<Vec<_>>().join(","))
            },
        };
        let head = format!(r#"{{"cursor":"{}","pets":["#, board.cursor);
        let body = blocks.body(objects, board.pets, (&head, "]}")).await;
        Ok(PetListJson(body.map_err(|_| Failure::internal())?))
    }

    /// Encodes a page of a view, with the number of pets on all of its pages, and of those with each status.
    pub fn page(cursor: Cursor, page: &PetPage, audience: Audience) -> Self {
        let objects = page.pets.iter();
        let objects = objects.map(|pet| PetObject::encode(pet, audience, None));
        let objects = objects.collect::<Vec<_>>().join(",");
        let total = page.matching;
        let statuses = page.doing.iter();
        let statuses = statuses.map(|(status, count)| format!(r#""{status}":{count}"#));
        let statuses = statuses.collect::<Vec<_>>().join(",");
        let json = format!(
            r#"{{"cursor":"{cursor}","total":{total},"statuses":{{{statuses}}},"pets":[{objects}]}}"#
        );
        PetListJson(json.into())
    }
}

impl Payload for PetListJson {
    const CONTENT_TYPE: &'static str = PetJson::CONTENT_TYPE;

    fn schema_ref() -> MetaSchemaRef {
        MetaSchemaRef::Reference("PetList".to_owned())
    }

    fn register(registry: &mut Registry) {
        registry.create_schema::<Self, _>("PetList".to_owned(), |_| MetaSchema::new("object"));
    }
}

impl IntoResponse for PetListJson {
    fn into_response(self) -> Response {
        json_response(self.0)
    }
}

/// Answers with a body of JSON.
pub fn json_response(body: Body) -> Response {
    Response::builder()
        .content_type(PetJson::CONTENT_TYPE)
        .body(body)
}

/// Answer to `listPets`.
#[derive(ApiResponse)]
pub enum ListResponse {
    /// The pets.
    #[oai(status = 200)]
    Pets(PetListJson, #[oai(header = "Link")] Option<String>),
}

/// Answer to `createPet`.
#[derive(ApiResponse)]
pub enum CreateResponse {
    /// The new pet.
    #[oai(status = 201)]
    Pet(
        PetJson,
        #[oai(header = "Location")] String,
        #[oai(header = "ETag")] String,
    ),
}

/// Answer to `getPet`.
#[derive(ApiResponse)]
pub enum ReadResponse {
    /// The pet.
    #[oai(status = 200)]
    Pet(PetJson, #[oai(header = "ETag")] String),
    /// The pet has not changed.
    #[oai(status = 304)]
    NotModified(#[oai(header = "ETag")] String),
}

/// Answer to `editPet`.
#[derive(ApiResponse)]
pub enum EditResponse {
    /// The pet as the edit left it.
    #[oai(status = 200)]
    Pet(PetJson, #[oai(header = "ETag")] String),
}

/// Answer to `addPhoto`.
#[derive(ApiResponse)]
pub enum AddPhotoResponse {
    /// The pet with its new photo.
    #[oai(status = 201)]
    Pet(
        PetJson,
        #[oai(header = "Location")] String,
        #[oai(header = "ETag")] String,
    ),
}

/// Where a change is in the store's history.
#[derive(Object)]
#[oai(rename = "Committed")]
pub struct CommittedObject {
    cursor: String,
}

impl CommittedObject {
    /// Names the change at `cursor`.
    pub fn new(cursor: Cursor) -> Self {
        CommittedObject {
            cursor: cursor.to_string(),
        }
    }
}

/// Where the changes of several pets are in the store's history.
#[derive(Object)]
#[oai(rename = "CommittedList")]
pub struct CommittedListObject {
    /// The first change.
    first: String,
    /// The last change.
    cursor: String,
}

impl CommittedListObject {
    /// Names the first and the last change of `committed`.
    pub fn new(committed: &Committed) -> Self {
        CommittedListObject {
            first: committed.first.to_string(),
            cursor: committed.cursor.to_string(),
        }
    }
}

/// One committed change.
#[derive(Object)]
#[oai(rename = "Change", skip_serializing_if_is_none)]
pub struct ChangeObject {
    cursor: String,
    /// `status`, `pet` (created, edited or restored) or `gone`.
    r#type: String,
    /// Status of the pet from then on. Absent when it was removed.
    status: Option<String>,
    /// The exact status, if it is none of the four words of `status`: `not-set-yet`, or the word of an
    /// activity of the rescue's own.
    activity: Option<String>,
    /// Since when the pet has this status, if that is not when the change was committed.
    began: Option<String>,
    /// Note on the status, if there is one.
    note: Option<String>,
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
    changes: Vec<ChangeObject>,
}

impl ChangeList {
    /// Lists changes in the order given.
    pub fn new(changes: Vec<ChangeObject>) -> Self {
        ChangeList { changes }
    }
}

impl ChangeObject {
    /// Describes a change to visitors, who do not see who made it. For them, a pet that became private is
    /// gone.
    pub fn for_visitors(epoch: Epoch, change: &Change) -> Self {
        if change.visibility.is_public() {
            return ChangeObject::new(epoch, change);
        }
        ChangeObject {
            r#type: ChangeKind::Gone(None).as_str().to_owned(),
            status: None,
            activity: None,
            began: None,
            note: None,
            ..ChangeObject::new(epoch, change)
        }
    }

    fn new(epoch: Epoch, change: &Change) -> Self {
        let rev = change.rev;
        let status = match &change.kind {
            ChangeKind::Status(status) | ChangeKind::StatusSince(status, ..) => Some(*status),
            ChangeKind::Pet(pet) if !pet.is_in_trash() => Some(pet.status),
            ChangeKind::Pet(_) | ChangeKind::Gone(_) => None,
        };
        ChangeObject {
            cursor: Cursor { epoch, rev }.to_string(),
            r#type: change.kind.as_str().to_owned(),
            status: status.map(|status| status.known_word().to_owned()),
            activity: status
                .and_then(Status::activity)
                .map(|activity| activity.to_string()),
            began: change
                .status()
                .filter(|(_, began)| *began != change.at)
                .map(|(_, began)| began.to_string()),
            note: change.kind.note().map(|note| note.as_str().to_owned()),
            since: change.at.to_string(),
            by: change.by.as_str().to_owned(),
            name: None,
            who: None,
            client: None,
        }
    }

    /// Describes a change to staff, who see who made it.
    pub fn for_staff(epoch: Epoch, change: &Change) -> Self {
        let author = change.author.as_deref();
        ChangeObject {
            name: change.kind.name().map(str::to_owned),
            who: author.map(|author| author.name.clone()),
            client: author.map(|author| author.client.clone()),
            ..ChangeObject::new(epoch, change)
        }
    }
}
