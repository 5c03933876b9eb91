//! The JSON API, `/api/v1`: the same pets and the same commands as the pages, for programs.
//!
//! poem-openapi reads requests and describes the API; every error is a problem document.

mod activities;
mod days;
mod document;
mod endpoint;
pub mod live;
mod photos;
mod request;
mod response;
mod schemas;
mod trash;

use std::ops::RangeInclusive;
use std::sync::Arc;

use poem_openapi::param::{Path, Query};
use poem_openapi::payload::Json;
use poem_openapi::{OpenApi, Tags};

pub use self::document::OpenApiDocument;
pub use self::endpoint::{endpoint, service};
use self::request::{JsonObject, OptionalKey, OptionalView, Preconditions, WholeNumber};
use self::response::{
    ChangeList, ChangeObject, CommittedListObject, CommittedObject, CreateResponse, EditResponse,
    ListResponse, PetJson, PetListJson, ReadResponse,
};
use super::board_view::find_pets;
use super::site::{Site, run_blocking};
use crate::auth::{MaySetStatus, MayWrite, Permit, Principal};
use crate::error::Failure;
use crate::model::{Audience, ChangeKind, Cursor, Pet, PetId, PetQuery, Rev};
use crate::serve::conditional::entity_tag;
use crate::writer::{Command, Committed, Expected, Namesakes, OnRefusal, WriteError};

/// Changes in one answer if the request has no `limit`.
const HISTORY_DEFAULT: u64 = 50;

/// Values that `limit` may have.
const HISTORY_RANGE: RangeInclusive<usize> = 1..=100;

/// The operations on pets. The doc comment of each handler is its description in the document.
pub struct Api {
    site: Arc<Site>,
}

/// Groups of operations in the document.
#[derive(Tags)]
enum Section {
    /// Pets, what they are doing, and what they have been doing.
    Pets,
}

type Answer<T> = poem::Result<Json<T>>;

/// Path of the API.
pub const ADDRESS: &str = "/api/v1";

#[OpenApi]
impl Api {
    /// Every pet, or a page of those that match
    ///
    /// Without parameters, every pet. With any of them, a page of 48 pets: `Link` has the addresses of the
    /// `first`, `prev`, `next` and `last` one, and `total` says how many pets match.
    ///
    /// With the cursor at which the list is true: join a live route with `since=` that cursor to
    /// miss nothing and see nothing twice. Staff also get private pets, which the live routes leave
    /// out, and the fields that only they may read.
    #[oai(
        path = "/pets",
        method = "get",
        operation_id = "listPets",
        tag = "Section::Pets"
    )]
    async fn list_pets(&self, caller: Principal, view: OptionalView) -> poem::Result<ListResponse> {
        let audience = caller.audience();
        let board = self.site.app.hub().board(audience);
        if let Some(query) = view.parse(&self.site.app.rescue())? {
            let page = find_pets(&query, &board.pets, audience).await?;
            let pets = PetListJson::page(board.cursor, &page, audience);
            return Ok(ListResponse::Pets(
                pets,
                Some(page_links(
                    &query,
                    page.pages,
                    self.site.app.authenticator().base_path(),
                )),
            ));
        }
        let pets = PetListJson::start(&self.site.blocks, board, audience).await?;
        Ok(ListResponse::Pets(pets, None))
    }

    /// Add a pet
    ///
    /// `name` and `species` are required.
    #[oai(
        path = "/pets",
        method = "post",
        operation_id = "createPet",
        tag = "Section::Pets"
    )]
    async fn create_pet(
        &self,
        permit: Permit<MayWrite>,
        key: OptionalKey,
        pet: JsonObject,
    ) -> poem::Result<CreateResponse> {
        let input = pet.into_profile_input()?;
        let profile = input.into_profile().map_err(Failure::from)?;
        let made = self.commit(permit, key, Command::create(profile)).await?;
        let address = format!("{ADDRESS}/pets/{}", made.pet);
        let pet = self.pet_after(&made).await?;
        let tag = entity_tag(&made.cursor);
        Ok(CreateResponse::Pet(pet, address, tag))
    }

    /// One pet
    ///
    /// Its `ETag` is the same on every node, and another one after every change of the pet, its
    /// status included. With `If-None-Match` the answer is 304 as long as the pet has not changed.
    #[oai(
        path = "/pets/:id",
        method = "get",
        operation_id = "getPet",
        tag = "Section::Pets"
    )]
    async fn get_pet(
        &self,
        caller: Principal,
        id: Path<WholeNumber>,
        preconditions: Preconditions,
    ) -> poem::Result<ReadResponse> {
        let audience = caller.audience();
        let (pet, cursor) = self.pet(PetId::new(id.0.0), audience)?;
        let tag = entity_tag(&cursor);
        if preconditions.is_not_modified(cursor) {
            return Ok(ReadResponse::NotModified(tag));
        }
        let pet = PetJson::new(cursor, &pet, audience);
        Ok(ReadResponse::Pet(pet, tag))
    }

    /// Edit a pet
    ///
    /// Fields that are left out stay as they are. With `If-Match`, the `ETag` that the edit is
    /// based on, a pet that has changed since is left as it is: 412.
    #[oai(
        path = "/pets/:id",
        method = "patch",
        operation_id = "editPet",
        tag = "Section::Pets"
    )]
    async fn edit_pet(
        &self,
        permit: Permit<MayWrite>,
        key: OptionalKey,
        id: Path<WholeNumber>,
        preconditions: Preconditions,
        pet: JsonObject,
    ) -> poem::Result<EditResponse> {
        let id = PetId::new(id.0.0);
        let input = pet.into_profile_input()?;
        let patch = input.into_patch().map_err(Failure::from)?;
        // A key is kept with the change of its request, so an edit with a key is always committed.
        let (pet, cursor) = if patch.is_empty() && key.0.is_none() {
            let (pet, cursor) = self.pet(id, Audience::Staff)?;
            if !preconditions.expected().allows(cursor) {
                return Err(Failure::from(WriteError::PreconditionFailed).into());
            }
            (PetJson::new(cursor, &pet, Audience::Staff), cursor)
        } else {
            let edit = Command::Edit {
                pet: id,
                patch,
                base: None,
                expected: preconditions.expected(),
                namesakes: Namesakes::Allowed,
            };
            let edited = self.commit(permit, key, edit).await?;
            (self.pet_after(&edited).await?, edited.cursor)
        };
        Ok(EditResponse::Pet(pet, entity_tag(&cursor)))
    }

    /// Remove a pet
    ///
    /// It is in the trash for 30 days, and can be restored from there. The id is never reused. With
    /// `If-Match`, a pet that has changed since is kept: 412.
    #[oai(
        path = "/pets/:id",
        method = "delete",
        operation_id = "removePet",
        tag = "Section::Pets"
    )]
    async fn remove_pet(
        &self,
        permit: Permit<MayWrite>,
        key: OptionalKey,
        id: Path<WholeNumber>,
        preconditions: Preconditions,
    ) -> Answer<CommittedObject> {
        let remove = Command::Remove {
            pet: PetId::new(id.0.0),
            expected: preconditions.expected(),
        };
        let removed = self.commit(permit, key, remove).await?;
        Ok(Json(CommittedObject::new(removed.cursor)))
    }

    /// Say what a pet is doing
    ///
    /// Answers once the change is durable, with its cursor: the id under which everyone who
    /// watches is given it. Between quotation marks it is also the pet's new `ETag`. With
    /// `If-Match`, a pet that has changed since is left as it is: 412.
    ///
    /// `since` restores a status with its time. With `replaces`, a pet whose status another change
    /// has set is left as it is: 409. Where both are given, `If-Match` decides.
    #[oai(
        path = "/pets/:id/status",
        method = "put",
        operation_id = "setStatus",
        tag = "Section::Pets"
    )]
    async fn set_status(
        &self,
        permit: Permit<MaySetStatus>,
        key: OptionalKey,
        id: Path<WholeNumber>,
        preconditions: Preconditions,
        fields: JsonObject,
    ) -> Answer<CommittedObject> {
        let pet = PetId::new(id.0.0);
        let app = &self.site.app;
        let mut edit = fields.into_status(&app.rescue(), app.hub().status(pet))?;
        if let if_match @ Expected::LastChange(_) = preconditions.expected() {
            edit.expected = if_match;
        }
        let set = Command::SetStatus { pet, edit };
        let set = self.commit(permit, key, set).await?;
        Ok(Json(CommittedObject::new(set.cursor)))
    }

    /// Say what several pets are doing
    ///
    /// For example all that are fed now. Either all of them are set, as one durable change of the store,
    /// or none: then the failure names the first pet that is unknown. Each pet has a change of its own,
    /// in the order of the ids, with consecutive numbers from the cursor `first` to `cursor`.
    #[oai(
        path = "/statuses",
        method = "post",
        operation_id = "setStatuses",
        tag = "Section::Pets"
    )]
    async fn set_statuses(
        &self,
        permit: Permit<MaySetStatus>,
        key: OptionalKey,
        fields: JsonObject,
    ) -> Answer<CommittedListObject> {
        let (edit, pets) = fields.into_statuses(&self.site.app.rescue())?;
        let set = Command::set_statuses(pets, edit, OnRefusal::Abort);
        let set = self.commit(permit, key, set).await?;
        Ok(Json(CommittedListObject::new(&set)))
    }

    /// Changes of a pet
    ///
    /// Newest first. For the next page, give the number behind the dash of the last cursor as
    /// `before`. Staff also get the author (`who` and `client`) and the pet's name, and may ask about
    /// a pet that was removed.
    #[oai(
        path = "/pets/:id/changes",
        method = "get",
        operation_id = "listChanges",
        tag = "Section::Pets"
    )]
    async fn list_changes(
        &self,
        caller: Principal,
        id: Path<WholeNumber>,
        /// Only changes before this number.
        before: Query<Option<WholeNumber>>,
        /// At most this many changes.
        limit: Query<Option<WholeNumber>>,
    ) -> Answer<ChangeList> {
        let limit = limit.0.map_or(HISTORY_DEFAULT, |WholeNumber(limit)| limit);
        let limit = usize::try_from(limit).ok();
        let limit = limit.filter(|limit| HISTORY_RANGE.contains(limit));
        let limit = limit.ok_or_else(request::bad_limit)?;
        let pet = PetId::new(id.0.0);
        let audience = caller.audience();
        if audience == Audience::Public {
            self.pet(pet, audience)?;
        }
        let site = Arc::clone(&self.site);
        let before = before.0.map(|WholeNumber(rev)| Rev::new(rev));
        let read = run_blocking(move || match audience {
            Audience::Public => Ok(site.public_history(pet, before, limit)?),
            Audience::Staff => {
                let known = site.subject(pet)?;
                known.ok_or_else(|| unknown(pet))?;
                Ok(site.engine.history(pet, before, limit)?)
            }
        });
        let changes = read.await?;
        let epoch = self.site.app.hub().epoch();
        let show = match audience {
            Audience::Public => ChangeObject::for_visitors,
            Audience::Staff => ChangeObject::for_staff,
        };
        let changes = changes.iter().map(|change| show(epoch, change));
        Ok(Json(ChangeList::new(changes.collect())))
    }
}

impl Api {
    async fn commit<N>(
        &self,
        permit: Permit<N>,
        key: OptionalKey,
        command: Command,
    ) -> Result<Committed, Failure> {
        let committed = self
            .site
            .app
            .writer()
            .commit_once(command, key.0, permit.api_signer());
        Ok(committed.await?)
    }

    /// Returns the pet as a command left it, for staff, who alone command. For a retry, reads the pet from
    /// the log.
    async fn pet_after(&self, committed: &Committed) -> Result<PetJson, Failure> {
        let cursor = committed.cursor;
        if let Some(pet) = &committed.after {
            return Ok(PetJson::new(cursor, pet, Audience::Staff));
        }
        let engine = Arc::clone(&self.site.engine);
        let after = Rev::new(cursor.rev.get().saturating_sub(1));
        let read = run_blocking(move || Ok(engine.changes_between(after, cursor.rev.next())?));
        let changes = read.await?;
        if let Some(ChangeKind::Pet(pet)) = changes.first().map(|change| &change.kind) {
            return Ok(PetJson::new(cursor, pet, Audience::Staff));
        }
        // The log no longer has the change.
        let (pet, cursor) = self.pet(committed.pet, Audience::Staff)?;
        Ok(PetJson::new(cursor, &pet, Audience::Staff))
    }

    /// Returns a pet that `audience` may know of, with the cursor of its last change.
    fn pet(&self, id: PetId, audience: Audience) -> Result<(Arc<Pet>, Cursor), Failure> {
        let found = self.site.app.hub().entry(id, audience);
        let (entry, epoch) = found.ok_or_else(|| unknown(id))?;
        let rev = entry.changed;
        Ok((entry.pet, Cursor { epoch, rev }))
    }
}

/// Returns the links to the other pages of a view (RFC 8288).
fn page_links(query: &PetQuery, pages: usize, base_path: &str) -> String {
    let (number, last) = (query.pages_before, pages - 1);
    let link = |rel: &str, number: usize| {
        let mut pairs = query.at_page(number).pairs();
        if number == 0 {
            // Without any parameter, the address would be that of the whole board.
            pairs.push(("page", "1".to_owned()));
        }
        let parameters = serde_urlencoded::to_string(pairs).unwrap_or_default();
        format!("<{base_path}{ADDRESS}/pets?{parameters}>; rel=\"{rel}\"")
    };
    let mut links = vec![link("first", 0)];
    if number > 0 {
        links.push(link("prev", last.min(number - 1)));
    }
    if number < last {
        links.push(link("next", number + 1));
    }
    links.push(link("last", last));
    links.join(", ")
}

fn unknown(id: PetId) -> Failure {
    Failure::not_found(format!("There is no pet {id}."))
}
