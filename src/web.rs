//! The whole URL table, and what holds for every answer.
//!
//! The order around a request, from outside in: the answer gets its security headers; a preflight is
//! answered, and what any origin may read is marked (`cors`); the request gets its caller; slashes at
//! the end of an address are removed by a redirect; a failure or a panic becomes a page or a problem
//! document, depending on who asked; the request's memory is taken out of the budget of all requests; what is no right request, or one write too many, is refused; a body is read up to its
//! limit; what another site's page sent is refused; then the table below, where each handler takes
//! what it needs.

mod account;
mod answer;
mod api;
mod assets;
mod audit;
mod blocks;
mod body;
mod confirm;
mod cors;
mod doctor;
mod done;
mod failures;
mod form;
mod headers;
mod hello;
mod pages;
mod probes;
mod request;
mod resource;
mod sign_in;
mod site;
mod staff;
mod tokens;
mod undo;
mod unsaved;
mod watch;
mod welcome;
mod writes;

use std::sync::Arc;

use poem::endpoint::BoxEndpoint;
use poem::{Endpoint, EndpointExt, Request, Route};

pub use self::body::BodyLimits;
pub use self::probes::metrics_site;
use self::resource::resource;
use self::site::{Site, see_other};
pub use self::welcome::welcome_path;
use crate::auth::Principal;
use crate::live::Live;
use crate::store::Engine;

/// The endpoint that answers every request.
pub fn site(live: Arc<Live>, engine: Arc<dyn Engine>, bodies: BodyLimits) -> BoxEndpoint<'static> {
    let site = Arc::new(Site::new(Arc::clone(&live), engine));
    table(&site)
        .around(refuse_other_sites)
        .around(move |next, request| body::limit(next, request, bodies))
        .around(move |next, request| writes::meter(next, request, bodies))
        .around(request::check)
        .around(request::hold)
        .around(failures::answer)
        .around(request::without_trailing_slash)
        .around(identify)
        .around(cors::share_reads)
        .after(headers::secure)
        .data(site)
        .data(live)
        .boxed()
}

fn table(site: &Arc<Site>) -> Route {
    let api = api::Api::service(Arc::clone(site));
    let openapi = api::OpenApiDocument::of(&api);
    Route::new()
        .at("/", resource().get(pages::to_index))
        .at(
            "/pets",
            resource().get(pages::index).post(pages::create_pet),
        )
        .at("/pets/new", resource().get(pages::new_pet))
        .at(
            "/pets/:id",
            resource().get(pages::show_pet).post(pages::edit_pet),
        )
        .at("/pets/:id/edit", resource().get(pages::edit_form))
        .at("/pets/:id/status", resource().post(pages::set_status))
        .at("/pets/:id/delete", resource().post(pages::remove_pet))
        .at("/pets/:id/history", resource().get(audit::show_history))
        .at(
            "/sign-in",
            resource().get(sign_in::show_form).post(sign_in::sign_in),
        )
        .at("/sign-out", resource().post(sign_in::sign_out))
        .at(
            "/welcome/:secret",
            resource().get(welcome::show_form).post(welcome::accept),
        )
        .at("/account", resource().get(account::show_account))
        .at(
            "/account/password",
            resource().post(account::change_password),
        )
        .at(
            "/account/sessions",
            resource()
                .get(account::confirm_end_others)
                .post(account::end_others),
        )
        .at(
            "/account/sessions/:handle",
            resource().get(account::confirm_end).post(account::end_one),
        )
        .at("/account/tokens", resource().post(tokens::create))
        .at(
            "/account/tokens/:handle",
            resource().get(tokens::confirm).post(tokens::revoke),
        )
        .at(
            "/staff",
            resource().get(staff::show_staff).post(staff::invite),
        )
        .at(
            "/staff/:name",
            resource().get(staff::confirm).post(staff::edit),
        )
        .at("/audit", resource().get(audit::show_audit))
        .at("/hello", resource().get(hello::page))
        .at("/hello/ws", resource().get_only(hello::echo))
        .at("/live/ws", resource().get_only(watch::over_ws))
        .at("/live/sse", resource().get(watch::over_sse))
        .at("/live/poll", resource().get_only(watch::by_polling))
        .at("/live/state", resource().get(watch::read_state))
        .at(doctor::ADDRESS, resource().get(doctor::page))
        .nest("/api/v1", api::endpoint(api, openapi.clone()))
        .at(
            "/api/openapi.json",
            resource().get(openapi.clone().into_json()),
        )
        .at("/api/docs", resource().get(openapi.into_page()))
        .at("/healthz", resource().get(probes::health))
        .at("/readyz", resource().get(probes::readiness))
        .at("/metrics", resource().get(probes::show_metrics))
        .at("/assets/:fingerprint/*path", resource().get(assets::asset))
        .at("/favicon.ico", resource().get(assets::icon))
}

/// Tells who asks, once for each request.
async fn identify<E: Endpoint>(next: Arc<E>, mut request: Request) -> poem::Result<E::Output> {
    if let Some(live) = request.data::<Arc<Live>>() {
        let caller = live.authenticator.identify(&request).await;
        request.set_data(caller);
    }
    next.call(request).await
}

/// Nothing is changed by what a page of another site had a browser send.
async fn refuse_other_sites<E: Endpoint>(
    next: Arc<E>,
    request: Request,
) -> poem::Result<E::Output> {
    Principal::of(&request)?.check_origin(request.method())?;
    next.call(request).await
}
