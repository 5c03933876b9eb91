//! The state that the handlers share.

use std::sync::Arc;

use poem::http::HeaderValue;
use tracing::Span;

use super::assets::{self, Assets};
use super::embeds::{PictureCache, Publishers};
use super::middleware::security_headers;
use super::offline::ServiceWorker;
use super::pet_blocks::Blocks;
use super::photos::UploadSlots;
use crate::app_state::AppState;
use crate::error::Failure;
use crate::model::{Audience, Change, Cursor, Pet, PetId, Rev};
use crate::store::{Engine, StoreError};
use crate::views::{AssetSource, Subject, Views};

/// Changes that are read to find the name of a removed pet in a log of an earlier version.
const MAX_CHANGES_READ_FOR_NAME: usize = 1000;

/// The state that the handlers share. Lives as long as the endpoint.
pub struct Site {
    /// The board, the writer, the limits and the shutdown signal.
    pub app: Arc<AppState>,
    /// Read by pages about the past. The board is in memory.
    pub engine: Arc<dyn Engine>,
    /// Renders pages.
    pub views: Views,
    /// Style sheets, scripts and icons.
    pub assets: Arc<Assets>,
    /// The `Content-Security-Policy` of all answers.
    pub policy: HeaderValue,
    /// Rendered pets that readers share.
    pub blocks: Arc<Blocks>,
    /// The service worker of browsers.
    pub worker: ServiceWorker,
    /// Bounds of the photos that are sent.
    pub uploads: UploadSlots,
    /// Pictures that readers share.
    pub pictures: PictureCache,
    /// Pets whose pictures are watched.
    pub publishers: Publishers,
}

impl Site {
    /// Loads templates and assets.
    pub fn new(app: Arc<AppState>, engine: Arc<dyn Engine>, worker: ServiceWorker) -> Self {
        let assets = Arc::new(Assets::load());
        let worker = worker.in_mode(app.auth());
        let base_path = app.authenticator().base_path();
        let views = Views::new(Arc::clone(&assets), base_path, worker == ServiceWorker::On);
        Site {
            app,
            engine,
            views,
            policy: security_headers::policy(assets.content(assets::INLINE_SCRIPT)),
            assets,
            blocks: Arc::new(Blocks::new()),
            worker,
            uploads: UploadSlots::new(),
            pictures: PictureCache::default(),
            publishers: Publishers::default(),
        }
    }

    /// Returns the pet that a path names, if `audience` may know of it, and the cursor at which it was
    /// read.
    ///
    /// # Errors
    /// 404, also for text that is not an id.
    pub fn pet(&self, id: &str, audience: Audience) -> Result<(Arc<Pet>, Cursor), Failure> {
        let id: Option<PetId> = id.parse().ok();
        let found = id.and_then(|id| self.app.hub().pet(id, audience));
        found.ok_or_else(Site::no_such_pet)
    }

    /// The failure for a pet that is not on the board.
    pub fn no_such_pet() -> Failure {
        Failure::not_found("We can't find this pet. It may have been adopted and removed.")
    }

    /// Finds the name of a pet on the board, or of a removed pet that is still in the log, for staff.
    /// Blocks on the disk.
    ///
    /// # Errors
    /// The engine cannot be read.
    pub fn subject(&self, id: PetId) -> Result<Option<Subject>, StoreError> {
        if let Some((pet, _)) = self.app.hub().pet(id, Audience::Staff) {
            return Ok(Some(Subject {
                id,
                name: Some(pet.profile.name.clone()),
                is_removed: false,
            }));
        }
        let mut last = self.engine.history(id, None, 1)?;
        if last.iter().all(|change| change.kind.name().is_none()) && !last.is_empty() {
            // Earlier versions did not record the name with the removal.
            last = self.engine.history(id, None, MAX_CHANGES_READ_FOR_NAME)?;
        }
        let name = last.iter().find_map(|change| change.kind.name());
        Ok((!last.is_empty()).then(|| Subject {
            id,
            name: name.map(str::to_owned),
            is_removed: true,
        }))
    }

    /// Reads up to `limit` changes of a pet before `before` that visitors learned of, newest first. Blocks
    /// on the disk.
    ///
    /// # Errors
    /// The engine cannot be read.
    pub fn public_history(
        &self,
        pet: PetId,
        mut before: Option<Rev>,
        limit: usize,
    ) -> Result<Vec<Change>, StoreError> {
        let mut announced = Vec::new();
        loop {
            let read = self.engine.history(pet, before, limit)?;
            let is_end = read.len() < limit;
            before = read.last().map(|oldest| oldest.rev);
            let changes = read.into_iter();
            announced.extend(changes.filter(|change| change.visibility.is_announced()));
            if is_end || announced.len() >= limit {
                announced.truncate(limit);
                return Ok(announced);
            }
        }
    }
}

/// Runs `task`, which blocks on the disk, outside of the async workers, in the span of the request.
///
/// # Errors
/// The failure of the task, and 500 if it panics.
pub async fn run_blocking<T: Send + 'static>(
    task: impl FnOnce() -> Result<T, Failure> + Send + 'static,
) -> Result<T, Failure> {
    let span = Span::current();
    let task = tokio::task::spawn_blocking(move || span.in_scope(task));
    task.await.unwrap_or_else(|_panic| Err(Failure::internal()))
}
