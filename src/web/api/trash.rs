//! The operations on the trash, and pets in the trash as JSON.

use std::sync::Arc;

use poem::{IntoResponse, Response};
use poem_openapi::param::Path;
use poem_openapi::payload::{Json, Payload};
use poem_openapi::registry::{MetaSchema, MetaSchemaRef, Registry};
use poem_openapi::{ApiResponse, OpenApi};
use serde::Serialize;
use serde_json::{Value, json};

use super::request::{OptionalKey, WholeNumber};
use super::response::{CommittedObject, EditResponse, json_response};
use super::{Answer, Api, Section};
use crate::auth::{MayRead, MayWrite, Permit};
use crate::model::{Audience, Pet, PetId};
use crate::serve::conditional::entity_tag;
use crate::wire::PetFields;
use crate::writer::Command;

/// Answer to `listTrash`.
#[derive(ApiResponse)]
pub enum TrashResponse {
    #[oai(status = 200)]
    Pets(TrashJson),
}

/// The operations on the trash.
pub struct TrashApi(pub(super) Api);

#[OpenApi]
impl TrashApi {
    /// The trash
    ///
    /// Pets that were removed in the last 30 days, in the order of their ids. For staff: a token with the
    /// scope `read` is needed.
    #[oai(
        path = "/trash",
        method = "get",
        operation_id = "listTrash",
        tag = "Section::Pets"
    )]
    async fn list_trash(&self, _permit: Permit<MayRead>) -> poem::Result<TrashResponse> {
        Ok(TrashResponse::Pets(TrashJson::new(
            &self.0.site.app.hub().trash(),
        )))
    }

    /// Restore a pet
    ///
    /// The pet is on the board again as it was, with its status. A pet that is not in the trash is 404.
    #[oai(
        path = "/trash/:id/restore",
        method = "post",
        operation_id = "restorePet",
        tag = "Section::Pets"
    )]
    async fn restore_pet(
        &self,
        permit: Permit<MayWrite>,
        key: OptionalKey,
        id: Path<WholeNumber>,
    ) -> poem::Result<EditResponse> {
        let restore = Command::Restore(PetId::new(id.0.0));
        let restored = self.0.commit(permit, key, restore).await?;
        let pet = self.0.pet_after(&restored).await?;
        Ok(EditResponse::Pet(pet, entity_tag(&restored.cursor)))
    }

    /// Delete a pet for good
    ///
    /// Deletes a pet in the trash before its 30 days are over. A pet that is not in the trash is 404.
    #[oai(
        path = "/trash/:id",
        method = "delete",
        operation_id = "deletePet",
        tag = "Section::Pets"
    )]
    async fn delete_pet(
        &self,
        permit: Permit<MayWrite>,
        key: OptionalKey,
        id: Path<WholeNumber>,
    ) -> Answer<CommittedObject> {
        let delete = Command::Delete(PetId::new(id.0.0));
        let deleted = self.0.commit(permit, key, delete).await?;
        Ok(Json(CommittedObject::new(deleted.cursor)))
    }
}

/// The pets in the trash as JSON.
pub struct TrashJson(String);

#[derive(Serialize)]
struct TrashObject<'a> {
    pets: Vec<TrashedPet<'a>>,
}

/// A pet in the trash, as staff read it.
#[derive(Serialize)]
struct TrashedPet<'a> {
    id: u64,
    #[serde(flatten)]
    pet: PetFields<'a>,
    removed: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    removed_by: Option<&'a str>,
    kept_until: String,
}

impl TrashJson {
    /// Lists pets in the order given.
    pub fn new(pets: &[Arc<Pet>]) -> Self {
        let removed = pets.iter().filter_map(|pet| {
            let removal = pet.removed.as_ref()?;
            Some(TrashedPet {
                id: pet.id.get(),
                pet: PetFields::new(pet, Audience::Staff),
                removed: removal.at.to_string(),
                removed_by: removal.by.as_deref(),
                kept_until: removal.ends().to_string(),
            })
        });
        let pets = removed.collect();
        let object = TrashObject { pets };
        TrashJson(serde_json::to_string(&object).expect("a pet is made of text and numbers only"))
    }
}

impl Payload for TrashJson {
    const CONTENT_TYPE: &'static str = Json::<String>::CONTENT_TYPE;

    fn schema_ref() -> MetaSchemaRef {
        MetaSchemaRef::Reference("Trash".to_owned())
    }

    fn register(registry: &mut Registry) {
        registry.create_schema::<Self, _>("Trash".to_owned(), |_| MetaSchema::new("object"));
    }
}

impl IntoResponse for TrashJson {
    fn into_response(self) -> Response {
        json_response(self.0.into())
    }
}

/// Returns the schema of the trash, in which `pet` is the schema of a pet.
pub fn schema(mut pet: Value) -> Value {
    let time =
        |meaning: &str| json!({ "type": "string", "format": "date-time", "description": meaning });
    let properties = &mut pet["properties"];
    properties["removed"] = time("When the pet was removed.");
    properties["removed_by"] = json!({
        "type": "string",
        "description": "The account that removed the pet. Absent if it has none.",
    });
    properties["kept_until"] = time("When the pet is deleted for good.");
    if let Some(properties) = properties.as_object_mut() {
        properties.remove("cursor");
    }
    if let Some(required) = pet["required"].as_array_mut() {
        required.extend(["removed", "kept_until"].map(Value::from));
    }
    pet["title"] = "TrashedPet".into();
    pet["description"] = "A pet in the trash.".into();
    json!({
        "type": "object",
        "title": "Trash",
        "description": "The pets in the trash, in the order of their ids.",
        "required": ["pets"],
        "properties": { "pets": { "type": "array", "items": pet } },
    })
}
