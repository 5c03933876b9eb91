//! The JSON API, `/api/v1`: the same pets and the same commands as the pages, for programs.
//!
//! poem-openapi reads requests and describes the API; every error is a problem document.

mod conditional;
mod document;
mod failures;
mod idempotency;
mod objects;
mod text;

use std::sync::Arc;

use poem::endpoint::BoxEndpoint;
use poem::http::{HeaderValue, Method, StatusCode, header};
use poem::{Endpoint, EndpointExt, IntoEndpoint, IntoResponse, Request, Response};
use poem_openapi::error::ParsePathError;
use poem_openapi::param::{Path, Query};
use poem_openapi::payload::Json;
use poem_openapi::{OpenApi, OpenApiService};

use self::conditional::{IfMatch, IfNoneMatch, entity_tag};
pub use self::document::OpenApiDocument;
use self::idempotency::RequestOnce;
use self::objects::{
    ChangeList, ChangeObject, Created, CursorObject, Edited, Found, PetFields, PetList, PetObject,
    StatusFields,
};
use super::{Site, undo};
use crate::auth::{Caller, MaySetStatus, MayWrite, Permit};
use crate::error::Failure;
use crate::model::{
    By, ChangeKind, Cursor, Pet, PetId, PetIdError, ProfilePatch, Rev, Scope, Status,
};
use crate::writer::{Command, Committed, Expected, WriteError};

/// Changes in one answer, when the request does not say.
const HISTORY_DEFAULT: u64 = 50;

/// The operations. Each handler's comment is its description in the document.
pub struct Api {
    site: Arc<Site>,
}

type Answer<T> = poem::Result<Json<T>>;

/// The address of the API, as a document names it.
pub const ADDRESS: &str = "/api/v1";

/// The API as poem serves it. 405 says what is allowed, OPTIONS too, HEAD is GET, and a bad id is
/// answered in words that do not name the parameter's place in the code.
pub fn endpoint(
    service: OpenApiService<Api, ()>,
    document: OpenApiDocument,
) -> BoxEndpoint<'static> {
    let api = service.into_endpoint();
    api.around(
        move |api: Arc<BoxEndpoint<'static>>, mut request: Request| {
            let allowed = document.allowed(request.uri().path());
            async move {
                if *request.method() == Method::OPTIONS && !allowed.is_empty() {
                    return Ok(Response::builder()
                        .status(StatusCode::NO_CONTENT)
                        .header(header::ALLOW, allowed)
                        .finish());
                }
                if *request.method() == Method::HEAD {
                    request.set_method(Method::GET);
                }
                let answer = api.call(request).await;
                let answer = answer.map(|answer| uncached(answer.into_response()));
                answer.map_err(|error| {
                    if error.status() == StatusCode::METHOD_NOT_ALLOWED {
                        Failure::method_not_allowed(allowed).into()
                    } else if error.is::<ParsePathError>() {
                        Failure::from(PetIdError).into()
                    } else {
                        error
                    }
                })
            }
        },
    )
    .boxed()
}

/// Keeps answers out of caches: staff are told more than others.
fn uncached(mut response: Response) -> Response {
    let no_store = HeaderValue::from_static("no-store");
    response
        .headers_mut()
        .insert(header::CACHE_CONTROL, no_store);
    response
}

#[OpenApi]
impl Api {
    /// Every pet
    ///
    /// With the cursor at which the list is true: join a live route with `since=` that cursor to
    /// miss nothing and see nothing twice.
    #[oai(path = "/pets", method = "get")]
    async fn list_pets(&self) -> Answer<PetList> {
        let board = self.site.live.hub.board();
        Ok(Json(PetList {
            cursor: board.cursor.to_string(),
            pets: board.pets.iter().map(|pet| PetObject::of(pet)).collect(),
        }))
    }

    /// Add a pet
    ///
    /// `name` and `species` are required.
    #[oai(path = "/pets", method = "post")]
    async fn create_pet(
        &self,
        permit: Permit<MayWrite>,
        once: RequestOnce,
        pet: Json<PetFields>,
    ) -> poem::Result<Created> {
        let draft = pet.0.into_draft().map_err(Failure::from)?;
        let profile = draft.into_profile().map_err(Failure::from)?;
        let made = self
            .carry_out(permit, once, Command::create(profile))
            .await?;
        let address = format!("{ADDRESS}/pets/{}", made.pet);
        let pet = self.committed(&made).await?;
        let tag = entity_tag(made.cursor);
        Ok(Created::Pet(Json(pet), address, tag))
    }

    /// One pet
    ///
    /// Its `ETag` is the same on every node, and another one after every change of the pet, its
    /// status included. With `If-None-Match` the answer is 304 as long as the pet has not changed.
    #[oai(path = "/pets/:id", method = "get")]
    async fn get_pet(&self, id: Path<u64>, known: IfNoneMatch) -> poem::Result<Found> {
        let (pet, cursor) = self.pet(PetId::new(id.0))?;
        let tag = entity_tag(cursor);
        if known.has(cursor) {
            return Ok(Found::NotModified(tag));
        }
        Ok(Found::Pet(Json(PetObject::at(cursor, &pet)), tag))
    }

    /// Edit a pet
    ///
    /// Fields that are left out stay as they are. With `If-Match`, the `ETag` that the edit is
    /// based on, a pet that has changed since is left as it is: 412.
    #[oai(path = "/pets/:id", method = "patch")]
    async fn edit_pet(
        &self,
        permit: Permit<MayWrite>,
        once: RequestOnce,
        id: Path<u64>,
        if_match: IfMatch,
        pet: Json<PetFields>,
    ) -> poem::Result<Edited> {
        let id = PetId::new(id.0);
        let draft = pet.0.into_draft().map_err(Failure::from)?;
        let patch = draft.into_patch().map_err(Failure::from)?;
        let (pet, cursor) = if patch == ProfilePatch::default() {
            let (pet, cursor) = self.pet(id)?;
            if !if_match.0.allows(cursor) {
                return Err(Failure::from(WriteError::PreconditionFailed).into());
            }
            (PetObject::at(cursor, &pet), cursor)
        } else {
            let edit = Command::Edit {
                pet: id,
                patch,
                base: None,
                expected: if_match.0,
            };
            let edited = self.carry_out(permit, once, edit).await?;
            (self.committed(&edited).await?, edited.cursor)
        };
        Ok(Edited::Pet(Json(pet), entity_tag(cursor)))
    }

    /// Remove a pet
    ///
    /// The id is never reused. With `If-Match`, a pet that has changed since is kept: 412.
    #[oai(path = "/pets/:id", method = "delete")]
    async fn remove_pet(
        &self,
        permit: Permit<MayWrite>,
        once: RequestOnce,
        id: Path<u64>,
        if_match: IfMatch,
    ) -> Answer<CursorObject> {
        let remove = Command::Remove {
            pet: PetId::new(id.0),
            expected: if_match.0,
        };
        let removed = self.carry_out(permit, once, remove).await?;
        Ok(Json(CursorObject::of(removed.cursor)))
    }

    /// Say what a pet is doing
    ///
    /// Answers once the change is durable, with its cursor: the id under which everyone who
    /// watches is given it. Between quotation marks it is also the pet's new `ETag`. With
    /// `If-Match`, a pet that has changed since is left as it is: 412.
    ///
    /// `since` restores a status with its time. With `replaces`, a pet whose status another change
    /// has set is left as it is: 409. Where both are given, `If-Match` decides.
    #[oai(path = "/pets/:id/status", method = "put")]
    async fn set_status(
        &self,
        permit: Permit<MaySetStatus>,
        once: RequestOnce,
        id: Path<u64>,
        if_match: IfMatch,
        fields: Json<StatusFields>,
    ) -> Answer<CursorObject> {
        let (status, since, replaces) = fields.0.into_parts();
        let status: Status = status.parse().map_err(Failure::from)?;
        let (since, unless) = undo::asked(since.as_deref(), replaces.as_deref())?;
        let expected = match if_match.0 {
            Expected::Anything => unless,
            if_match => if_match,
        };
        let set = Command::SetStatus {
            pet: PetId::new(id.0),
            status,
            since,
            expected,
        };
        let set = self.carry_out(permit, once, set).await?;
        Ok(Json(CursorObject::of(set.cursor)))
    }

    /// What a pet has been doing
    ///
    /// Newest first. For the next page, give the number behind the dash of the last cursor as
    /// `before`. Staff are also told who it was (`who` and `client`) and the pet's name, and they may
    /// ask about a pet that was removed.
    #[oai(path = "/pets/:id/changes", method = "get")]
    async fn list_changes(
        &self,
        caller: Caller,
        id: Path<u64>,
        /// Only changes with a smaller rev.
        before: Query<Option<u64>>,
        /// At most so many changes.
        #[oai(validator(minimum(value = "1"), maximum(value = "100")))]
        limit: Query<Option<u64>>,
    ) -> Answer<ChangeList> {
        let pet = PetId::new(id.0);
        let is_staff = caller.sign(Scope::Read, By::Api).is_ok();
        if !is_staff {
            self.pet(pet)?;
        }
        let site = Arc::clone(&self.site);
        let before = before.0.map(Rev::new);
        let limit = usize::try_from(limit.0.unwrap_or(HISTORY_DEFAULT)).unwrap_or(usize::MAX);
        let read = tokio::task::spawn_blocking(move || {
            let known = site.subject(pet)?;
            known.ok_or_else(|| unknown(pet))?;
            Ok::<_, Failure>(site.engine.history(pet, before, limit)?)
        });
        let changes = read.await.map_err(|_| Failure::internal())??;
        let epoch = self.site.live.hub.epoch();
        let show = match is_staff {
            true => ChangeObject::signed,
            false => ChangeObject::of,
        };
        Ok(Json(ChangeList {
            changes: changes.iter().map(|change| show(epoch, change)).collect(),
        }))
    }
}

impl Api {
    pub fn service(site: Arc<Site>) -> OpenApiService<Api, ()> {
        OpenApiService::new(Api { site }, "pet-store", env!("CARGO_PKG_VERSION"))
            .description(
                "What each pet of the rescue is doing. Errors are problem documents (RFC 9457). \
                 Anyone may read; writing needs staff: send `Authorization: Bearer` with a token \
                 of your account. Changes are announced at the moment they \
                 are committed at /live/ws, /live/sse and /live/poll.",
            )
            .server(ADDRESS)
    }

    async fn carry_out<N>(
        &self,
        permit: Permit<N>,
        once: RequestOnce,
        command: Command,
    ) -> Result<Committed, Failure> {
        let committed = self
            .site
            .live
            .writer
            .commit_once(command, once.0, permit.api_signature());
        Ok(committed.await?)
    }

    /// The pet as a command left it, also one that was carried out earlier and is asked for again.
    async fn committed(&self, committed: &Committed) -> Result<PetObject, Failure> {
        let cursor = committed.cursor;
        if let Some(pet) = &committed.after {
            return Ok(PetObject::at(cursor, pet));
        }
        let engine = Arc::clone(&self.site.engine);
        let after = Rev::new(cursor.rev.get().saturating_sub(1));
        let read = tokio::task::spawn_blocking(move || engine.kept(after, cursor.rev.next()));
        let changes = read.await.map_err(|_| Failure::internal())?;
        match changes
            .map_err(Failure::from)?
            .first()
            .map(|change| &change.kind)
        {
            Some(ChangeKind::Pet(pet)) => Ok(PetObject::at(cursor, pet)),
            // The log no longer has it.
            _ => {
                let (pet, cursor) = self.pet(committed.pet)?;
                Ok(PetObject::at(cursor, &pet))
            }
        }
    }

    /// A pet, and the cursor of its last change.
    fn pet(&self, id: PetId) -> Result<(Arc<Pet>, Cursor), Failure> {
        let found = self.site.live.hub.entry(id);
        let (entry, epoch) = found.ok_or_else(|| unknown(id))?;
        let rev = entry.changed;
        Ok((entry.pet, Cursor { epoch, rev }))
    }
}

fn unknown(id: PetId) -> Failure {
    Failure::not_found(format!("There is no pet {id}."))
}

impl CursorObject {
    fn of(cursor: Cursor) -> Self {
        CursorObject {
            cursor: cursor.to_string(),
        }
    }
}
