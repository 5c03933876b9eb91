//! Operations on the photos of a pet.

use std::sync::Arc;

use bytes::Bytes;
use poem::{FromRequest, Request, RequestBody};
use poem_openapi::OpenApi;
use poem_openapi::param::{Path, Query};

use super::request::{JsonObject, OptionalKey, Preconditions, WholeNumber};
use super::response::{AddPhotoResponse, EditResponse};
use super::{Api, Section};
use crate::auth::{MayWrite, Permit};
use crate::error::Failure;
use crate::model::{Audience, FieldError, PetId, Photo, PhotoEdit, PhotoHash, UnlistedPhotos};
use crate::serve::conditional::entity_tag;
use crate::web::Site;
use crate::web::photos::{photo_hash, store_photo};
use crate::wire::photo_path;
use crate::writer::Command;

/// The operations on photos. The doc comment of each handler is its description in the document.
pub struct PhotoApi(Api);

impl PhotoApi {
    /// Creates the operations.
    pub fn new(site: Arc<Site>) -> Self {
        PhotoApi(Api { site })
    }
}

/// The file in the body of a request, whatever its content type: its content says what it is.
pub struct FileBody(Bytes);

impl<'a> FromRequest<'a> for FileBody {
    /// # Errors
    /// 415 for a form, which would be stored with its boundaries.
    async fn from_request(request: &'a Request, body: &mut RequestBody) -> poem::Result<Self> {
        let kind = request.content_type().unwrap_or_default();
        if kind.starts_with("multipart/") || kind.starts_with("application/x-www-form-urlencoded") {
            let detail = "Send the file itself as the body, with Content-Type: image/jpeg, image/png or image/webp.";
            return Err(Failure::unsupported_media_type(detail).into());
        }
        Ok(FileBody(Bytes::from_request(request, body).await?))
    }
}

#[OpenApi]
impl PhotoApi {
    /// Add a photo
    ///
    /// The body is a JPEG, PNG or WebP file of at most 20 MB and 60 megapixels. The photo is turned
    /// upright, all metadata is removed, and it is stored as JPEG in up to three widths. A pet has at
    /// most 8 photos; the first one is on its card.
    #[oai(
        path = "/pets/:id/photos",
        method = "post",
        operation_id = "addPhoto",
        tag = "Section::Pets"
    )]
    async fn add_photo(
        &self,
        permit: Permit<MayWrite>,
        key: OptionalKey,
        id: Path<WholeNumber>,
        /// Text for those who do not see the photo. The default names the pet.
        alt: Query<Option<String>>,
        file: FileBody,
    ) -> poem::Result<AddPhotoResponse> {
        let api = &self.0;
        let pet = PetId::new(id.0.0);
        api.pet(pet, Audience::Staff)?;
        let alt = Photo::check_alt(&alt.0.unwrap_or_default());
        let alt = alt.map_err(Failure::from)?;
        let photo = store_photo(&api.site, file.0, alt).await?;
        let address = photo_path(photo.hash, photo.width_px);
        let added = api
            .commit(permit, key, Command::AddPhoto { pet, photo })
            .await?;
        let tag = entity_tag(&added.cursor);
        Ok(AddPhotoResponse::Pet(
            api.pet_after(&added).await?,
            address,
            tag,
        ))
    }

    /// Arrange the photos
    ///
    /// The list is complete: photos that are left out are removed. Each photo is named by its `url`; an
    /// `alt` that is left out stays as it is. With `If-Match`, a pet that has changed since is left as it is:
    /// 412.
    #[oai(
        path = "/pets/:id/photos",
        method = "put",
        operation_id = "arrangePhotos",
        tag = "Section::Pets"
    )]
    async fn arrange_photos(
        &self,
        permit: Permit<MayWrite>,
        key: OptionalKey,
        id: Path<WholeNumber>,
        preconditions: Preconditions,
        photos: JsonObject,
    ) -> poem::Result<EditResponse> {
        let api = &self.0;
        let arrange = Command::EditPhotos {
            pet: PetId::new(id.0.0),
            edit: photos.into_photo_edit()?,
            expected: preconditions.expected(),
        };
        let edited = api.commit(permit, key, arrange).await?;
        let tag = entity_tag(&edited.cursor);
        Ok(EditResponse::Pet(api.pet_after(&edited).await?, tag))
    }
}

impl JsonObject {
    /// Reads the complete list of a pet's photos.
    ///
    /// # Errors
    /// 400 for an unknown field or one that is there twice, 422 for a value that is not what the field
    /// allows.
    fn into_photo_edit(self) -> Result<PhotoEdit, Failure> {
        const FIELD: &str = "photos";
        self.check_names(&[FIELD])?;
        let invalid = |message: String| Failure::from(FieldError::new(FIELD, message));
        let list = self.value(FIELD).and_then(|photos| photos.as_array());
        let list = list.ok_or_else(|| invalid("List the photos in their order.".to_owned()))?;
        if list.len() > Photo::MAX_PER_PET {
            let limit = Photo::MAX_PER_PET;
            return Err(invalid(format!("A pet has at most {limit} photos.")));
        }
        let listed = list.iter().map(|photo| {
            let hash = photo["url"].as_str().and_then(photo_hash);
            let hash: PhotoHash = hash.ok_or_else(|| {
                invalid("Each photo has the `url` with which the pet shows it.".to_owned())
            })?;
            let alt = match &photo["alt"] {
                serde_json::Value::Null => None,
                alt => {
                    let alt = alt.as_str().ok_or_else(|| {
                        invalid("Use text for `alt`, in quotation marks.".to_owned())
                    })?;
                    Some(Photo::check_alt(alt).map_err(|error| invalid(error.message))?)
                }
            };
            Ok((hash, alt))
        });
        Ok(PhotoEdit {
            listed: listed.collect::<Result<_, Failure>>()?,
            unlisted: UnlistedPhotos::Remove,
        })
    }
}
