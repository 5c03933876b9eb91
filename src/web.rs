//! The whole URL table, and what holds for every answer.
//!
//! The order around a request, from outside in: the answer gets its security headers; the request
//! gets its caller; a failure or a panic becomes a page or a problem document, depending on who
//! asked; what is no right request, or one write too many, is refused; a body is read up to its
//! limit; what another site's page sent is refused; then the table below, where each handler takes
//! what it needs.

mod account;
mod api;
mod assets;
mod audit;
mod body;
mod doctor;
mod form;
mod headers;
mod hello;
mod pages;
mod probes;
mod request;
mod resource;
mod sign_in;
mod staff;
mod tokens;
mod welcome;
mod writes;

use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use futures_util::FutureExt;
use poem::endpoint::BoxEndpoint;
use poem::http::{HeaderValue, Method, StatusCode, header};
use poem::web::Data;
use poem::{Endpoint, EndpointExt, IntoResponse, Request, Response, Route, handler};

use self::assets::Assets;
pub use self::body::BodyLimits;
use self::resource::resource;
pub use self::welcome::welcome_path;
use crate::auth::{Caller, Rights};
use crate::error::Failure;
use crate::live::{self, Live};
use crate::store::Engine;
use crate::views::{ErrorPage, Page, Views};

/// What the handlers share.
pub struct Site {
    live: Arc<Live>,
    engine: Arc<dyn Engine>,
    views: Views,
    assets: Assets,
    echo_room: hello::Room,
}

/// The endpoint that answers every request.
pub fn site(live: Arc<Live>, engine: Arc<dyn Engine>, bodies: BodyLimits) -> BoxEndpoint<'static> {
    let assets = Assets::load();
    let views = Views::new(assets.address().to_owned());
    let site = Arc::new(Site {
        live: Arc::clone(&live),
        engine,
        views,
        assets,
        echo_room: hello::Room::new(),
    });
    table(&site)
        .around(refuse_other_sites)
        .around(move |next, request| body::limit(next, request, bodies))
        .around(writes::meter)
        .around(request::check)
        .around(answer_failures)
        .around(identify)
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
        .at("/account/sessions", resource().post(account::end_others))
        .at(
            "/account/sessions/:handle",
            resource().post(account::end_one),
        )
        .at("/account/tokens", resource().post(tokens::create))
        .at("/account/tokens/:handle", resource().post(tokens::revoke))
        .at(
            "/staff",
            resource().get(staff::show_staff).post(staff::invite),
        )
        .at("/staff/:name", resource().post(staff::edit))
        .at("/audit", resource().get(audit::show_audit))
        .at("/hello", resource().get(hello::page))
        .at("/hello/ws", resource().get_only(hello::echo))
        .at("/live/ws", resource().get_only(watch_over_ws))
        .at("/live/sse", resource().get(watch_over_sse))
        .at("/live/poll", resource().get_only(watch_by_polling))
        .at("/live/state", resource().get(read_state))
        .at(doctor::ADDRESS, resource().get(doctor::page))
        .nest("/api/v1", api::endpoint(api, openapi.clone()))
        .at(
            "/api/openapi.json",
            resource().get(openapi.clone().into_json()),
        )
        .at("/api/docs", resource().get(openapi.into_page()))
        .at("/healthz", resource().get(probes::health))
        .at("/readyz", resource().get(probes::readiness))
        .at("/metrics", resource().get(probes::metrics))
        .at("/assets/:fingerprint/*path", resource().get(assets::asset))
        .at("/favicon.ico", resource().get(assets::icon))
}

#[handler]
fn watch_over_ws(Data(live): Data<&Arc<Live>>, request: &Request) -> poem::Result<Response> {
    Ok(live::ws(live, request)?)
}

#[handler]
async fn watch_over_sse(Data(live): Data<&Arc<Live>>, request: &Request) -> poem::Result<Response> {
    Ok(live::sse(live, request).await?)
}

#[handler]
async fn watch_by_polling(
    Data(live): Data<&Arc<Live>>,
    request: &Request,
) -> poem::Result<Response> {
    Ok(live::poll(live, request).await?)
}

#[handler]
fn read_state(Data(live): Data<&Arc<Live>>, request: &Request) -> poem::Result<Response> {
    Ok(live::state(live, request)?)
}

/// Tells who asks, once for each request.
async fn identify<E: Endpoint>(next: Arc<E>, mut request: Request) -> poem::Result<E::Output> {
    if let Some(live) = request.data::<Arc<Live>>() {
        let caller = live.gate.identify(&request).await;
        request.set_data(caller);
    }
    next.call(request).await
}

/// Nothing is changed by what a page of another site had a browser send.
async fn refuse_other_sites<E: Endpoint>(
    next: Arc<E>,
    request: Request,
) -> poem::Result<E::Output> {
    let caller = Caller::of(&request)?;
    caller
        .check_origin(request.method())
        .map_err(Failure::from)?;
    next.call(request).await
}

/// Turns failures into a page for people, and into a problem document for programs.
async fn answer_failures<E: Endpoint>(next: Arc<E>, request: Request) -> poem::Result<Response> {
    let site = request.data::<Arc<Site>>().cloned();
    let caller = Caller::of(&request)?.clone();
    let asked_for = (request.method() == Method::GET).then(|| request.uri().clone());
    let path = request.uri().path();
    let is_live = path.starts_with("/live/") && path != doctor::ADDRESS;
    let is_program = is_live || path.starts_with("/api/v1");
    // Nothing that a handler shares is left half changed: locks are held over no call that panics.
    let failure = match AssertUnwindSafe(next.call(request)).catch_unwind().await {
        Ok(Ok(response)) => return Ok(response.into_response()),
        Ok(Err(error)) => Failure::of_poem(&error),
        Err(_panic) => Failure::internal(),
    };
    Ok(match (site, asked_for) {
        (Some(_), Some(uri)) if !is_program && failure.status == StatusCode::UNAUTHORIZED => {
            sign_in::ask(&uri)
        }
        (Some(site), _) if !is_program => site.show_failure(&caller, &failure),
        _ if is_live => readable_from_anywhere(failure.into_response()),
        _ => failure.into_response(),
    })
}

/// Anyone may read the live routes from any origin, also why they were turned away and for how
/// long.
fn readable_from_anywhere(mut response: Response) -> Response {
    let headers = response.headers_mut();
    headers.insert(
        header::ACCESS_CONTROL_ALLOW_ORIGIN,
        HeaderValue::from_static("*"),
    );
    let exposed = HeaderValue::from_static("Retry-After");
    headers.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, exposed);
    response
}

impl Site {
    /// Answers with a page. Pages are read anew each time: they say what is true now. One that
    /// was made for this browser is kept nowhere. On what everybody may read, `no-store` would
    /// only keep it out of the browser's back/forward cache, out of which a page comes back as it
    /// was left and goes on from its cursor.
    fn show<P: Page>(&self, caller: &Caller, page: &P) -> poem::Result<Response> {
        let rights = Rights::of(caller);
        let html = self.views.render(&rights, page);
        let html = html.ok_or_else(Failure::internal)?;
        let caching = match rights.form_token {
            Some(_) => "no-store",
            None => "no-cache",
        };
        Ok(Response::builder()
            .content_type("text/html; charset=utf-8")
            .header(header::CACHE_CONTROL, caching)
            .body(html))
    }

    /// The page of a form that was not accepted, with what is wrong on it.
    fn show_again<P: Page>(
        &self,
        caller: &Caller,
        page: &P,
        status: StatusCode,
    ) -> poem::Result<Response> {
        let mut response = self.show(caller, page)?;
        response.set_status(status);
        Ok(response)
    }

    fn show_failure(&self, caller: &Caller, failure: &Failure) -> Response {
        let page = ErrorPage {
            status: failure.status.as_u16(),
            title: failure.title,
            detail: failure.detail.clone(),
        };
        match self.views.render(&Rights::of(caller), &page) {
            Some(html) => failure.respond("text/html; charset=utf-8", html),
            None => failure.clone().into_response(),
        }
    }
}

/// Sends a browser on to another page of this site.
fn see_other(address: &str) -> Response {
    Response::builder()
        .status(StatusCode::SEE_OTHER)
        .header(header::LOCATION, address)
        .header(header::CACHE_CONTROL, "no-store")
        .finish()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::auth::Gate;

    #[tokio::test]
    async fn a_handler_that_panics_is_a_server_error_and_the_next_request_works() {
        let endpoint = poem::endpoint::make_sync(|request: Request| {
            assert_ne!(request.uri().path(), "/api/v1/fault", "a fault, on purpose");
            Response::default()
        });
        let endpoint = endpoint.around(answer_failures);
        let mut statuses = Vec::new();
        for path in ["/api/v1/fault", "/api/v1/pets"] {
            let mut request = Request::builder().uri(path.parse().unwrap()).finish();
            request.set_data(Gate::demo().identify(&request).await);
            statuses.push(endpoint.get_response(request).await.status());
        }
        let expected = [StatusCode::INTERNAL_SERVER_ERROR, StatusCode::OK];
        assert_eq!(statuses, expected);
    }
}
