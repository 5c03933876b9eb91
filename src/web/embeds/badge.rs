//! The badge of a pet: a picture for pages that allow nothing but pictures.

use std::sync::Arc;

use poem::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use poem::web::{Data, Path};
use poem::{Response, handler};

use super::visitor;
use crate::error::Failure;
use crate::model::Audience;
use crate::views::{BadgePage, Now};
use crate::web::Site;
use crate::web::middleware::security_headers::OwnPolicy;
use crate::web::pages::make_cacheable;

/// Shows what a pet is doing as a picture. An id without a pet gets a picture that says so, with the status 404.
///
/// Proxies of pictures, such as that of GitHub, keep one as long as it says: they ask each time, and get 304 for the same.
#[handler]
pub async fn show_badge(
    Data(site): Data<&Arc<Site>>,
    Path(id): Path<String>,
    headers: &HeaderMap,
) -> poem::Result<Response> {
    let rescue = site.app.rescue();
    let found = site.pet(&id, Audience::Public).ok();
    let badge = found.as_ref().map_or_else(BadgePage::no_pet, |(pet, _)| {
        BadgePage::new(pet, &Now::new(&rescue))
    });
    let picture = site.views.render(&rescue, &visitor(site), &badge);
    let mut response = Response::builder()
        .content_type("image/svg+xml")
        .body(picture.ok_or_else(Failure::internal)?);
    response.set_data(OwnPolicy::picture());
    // Pages that are isolated from other sites show it too.
    response.headers_mut().insert(
        HeaderName::from_static("cross-origin-resource-policy"),
        HeaderValue::from_static("cross-origin"),
    );
    if found.is_none() {
        response.set_status(StatusCode::NOT_FOUND);
        response
            .headers_mut()
            .insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
        return Ok(response);
    }
    make_cacheable(response, headers, "no-cache").await
}
