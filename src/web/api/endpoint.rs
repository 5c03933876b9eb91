//! The endpoint of the API: its operations, with what corrects poem-openapi.

use std::sync::Arc;

use poem::endpoint::BoxEndpoint;
use poem::http::{HeaderValue, Method, StatusCode, header};
use poem::{Endpoint, EndpointExt, IntoEndpoint, IntoResponse, Request, Response};
use poem_openapi::{ContactObject, LicenseObject, OpenApiService};

use super::activities::ActivityApi;
use super::days::DayApi;
use super::photos::PhotoApi;
use super::trash::TrashApi;
use super::{ADDRESS, Api, OpenApiDocument, request};
use crate::error::Failure;
use crate::web::Site;

/// All operations.
pub type Operations = (Api, ActivityApi, DayApi, PhotoApi, TrashApi);

/// Returns the operations with the general part of the document.
pub fn service(site: &Arc<Site>) -> OpenApiService<Operations, ()> {
    let pets = Api {
        site: Arc::clone(site),
    };
    let activities = ActivityApi::new(Arc::clone(site));
    let days = DayApi::new(Arc::clone(site));
    let photos = PhotoApi::new(Arc::clone(site));
    let trash = TrashApi(Api {
        site: Arc::clone(site),
    });
    let operations = (pets, activities, days, photos, trash);
    OpenApiService::new(operations, "pet-store", env!("CARGO_PKG_VERSION"))
        .description(
            "What each pet of the rescue is doing. Errors are problem documents (RFC 9457). \
             Anyone may read; writing needs staff: send `Authorization: Bearer` with a token \
             of your account. Changes are announced at the moment they \
             are committed at /live/ws (described in /api/asyncapi.json), /live/sse and /live/poll; \
             /api/live.schema.json is the JSON Schema of the messages.",
        )
        .contact(ContactObject::new().name("The people who run this rescue"))
        .license(LicenseObject::new("MIT").url("https://opensource.org/license/mit"))
        .server(ADDRESS)
}

/// Returns the endpoint of the API. Corrects poem-openapi: answers OPTIONS and HEAD, adds `Allow` to a
/// 405, and answers a bad id or number without naming types of the program.
pub fn endpoint(
    service: OpenApiService<Operations, ()>,
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
                    } else {
                        request::failure(&error).map_or(error, Into::into)
                    }
                })
            }
        },
    )
    .boxed()
}

/// Keeps answers out of caches: staff get more fields than others.
fn uncached(mut response: Response) -> Response {
    let no_store = HeaderValue::from_static("no-store");
    response
        .headers_mut()
        .insert(header::CACHE_CONTROL, no_store);
    response
}
