//! The HTTP side of the program: the URL table, the middleware around it, pages, API and probes.
//!
//! A request passes through `middleware` from the outside in, then `router` finds its handler. A
//! handler takes what it needs as parameters: the state (`Site`), the principal, a permit, a form.
//! `poem_fixes` corrects faults of Poem; no other module does.

mod api;
mod assets;
mod board_view;
mod compressor;
mod content_coding;
mod crawlers;
mod embeds;
mod feeds;
mod lobby;
mod middleware;
mod offline;
mod pages;
mod pet_blocks;
mod photos;
mod poem_fixes;
mod print;
mod probes;
mod router;
mod site;
mod spreadsheet;

use std::sync::Arc;

use poem::EndpointExt;
use poem::endpoint::BoxEndpoint;

pub use self::api::live::live_schema;
pub use self::middleware::BodyLimits;
pub use self::offline::ServiceWorker;
pub use self::pages::invitation_path;
pub use self::probes::{ARRIVED, ArrivedRequest, metrics_endpoint};
use self::site::Site;
use crate::app_state::AppState;
use crate::live::{EchoBudget, LogWaits};
use crate::store::Engine;

/// Returns the endpoint that answers every request.
pub fn endpoint(
    app: Arc<AppState>,
    engine: Arc<dyn Engine>,
    bodies: BodyLimits,
    worker: ServiceWorker,
) -> BoxEndpoint<'static> {
    let metrics = app.metrics().clone();
    let site = Arc::new(Site::new(Arc::clone(&app), engine, worker));
    let base_path = app.authenticator().base_path();
    middleware::wrap(router::routes(&site), bodies, metrics, base_path)
        .data(site)
        .data(app)
        .data(Arc::new(LogWaits::default()))
        .data(EchoBudget::default())
        .boxed()
}
