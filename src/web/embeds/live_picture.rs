//! A picture that changes without a script: `GET /pets/ID/live.png`.
//!
//! Browsers get a series (`multipart/x-mixed-replace`): each part replaces the one before. All who watch a pet share its
//! `publisher`, which draws a picture once for each state (`drawing`), and each has a task that writes the newest one to its
//! socket (`series`). Everybody else gets one picture: image proxies wait for the end of an answer, and many programs cannot show a
//! series.

mod drawing;
mod publisher;
mod series;

use std::sync::Arc;

use poem::http::{HeaderName, HeaderValue, StatusCode, header};
use poem::web::{Data, Path};
use poem::{Request, Response, handler};

pub use self::drawing::PictureCache;
use self::drawing::draw;
pub use self::publisher::Publishers;
use self::series::Series;
use crate::delivery::Transport;
use crate::limits::ClientAddress;
use crate::model::Audience;
use crate::serve::Handoff;
use crate::views::{BadgePage, Now};
use crate::web::Site;
use crate::web::middleware::security_headers::OwnPolicy;
use crate::web::pages::make_cacheable;

/// Says what the answer is for. Every browser of today sends it, except over plain http from another machine. Image proxies
/// and scripts do not, or say that it is for a script.
const SEC_FETCH_DEST: HeaderName = HeaderName::from_static("sec-fetch-dest");
const DEST_SCRIPT: &str = "empty";

/// Pages that are isolated from other sites show the picture too.
const RESOURCE_POLICY: HeaderName = HeaderName::from_static("cross-origin-resource-policy");

/// Shows what a pet is doing, as the badge does: in a series for browsers, and in one picture for others, or when there is no
/// slot for another viewer. `?series` and `?once` ask for one or the other.
///
/// An id without a pet gets a picture that says so, with the status 404.
#[handler]
pub async fn show_live_picture(
    Data(site): Data<&Arc<Site>>,
    Path(id): Path<String>,
    request: &Request,
) -> poem::Result<Response> {
    let found = site.pet(&id, Audience::Public).ok();
    let pet = found.as_ref().map(|(pet, _)| pet);
    let handoff = Handoff::from_request(request).filter(|_| shows_series(request));
    if let (Some(pet), Some(handoff)) = (pet, handoff) {
        let visitor = ClientAddress::from_request(request);
        if let Ok(slot) = site.app.slots().admit(Transport::Picture, visitor) {
            let series = Series::new(site, pet.id, request.version(), slot);
            return Ok(finish(series.into_response(handoff)));
        }
    }
    let badge = pet.map_or_else(BadgePage::no_pet, |pet| {
        BadgePage::new(pet, &Now::new(&site.app.rescue()))
    });
    let picture = draw(site, badge, pet.map(|pet| &**pet)).await?;
    let mut response = Response::builder().content_type("image/png").body(picture);
    if pet.is_none() {
        response.set_status(StatusCode::NOT_FOUND);
        let no_cache = HeaderValue::from_static("no-cache");
        response
            .headers_mut()
            .insert(header::CACHE_CONTROL, no_cache);
        return Ok(finish(response));
    }
    let response = make_cacheable(response, request.headers(), "no-cache").await?;
    Ok(finish(response))
}

/// Returns true if the client replaces each picture of a series by the next one.
fn shows_series(request: &Request) -> bool {
    let query = request.uri().query().unwrap_or_default();
    let asks_for = |name: &str| {
        query
            .split('&')
            .any(|pair| pair.split('=').next() == Some(name))
    };
    let is_shown = || {
        let value = request.headers().get(SEC_FETCH_DEST);
        value.is_some_and(|value| value != DEST_SCRIPT)
    };
    !asks_for("once") && (asks_for("series") || is_shown())
}

/// Adds the headers of both answers.
fn finish(mut response: Response) -> Response {
    let headers = response.headers_mut();
    headers.insert(RESOURCE_POLICY, HeaderValue::from_static("cross-origin"));
    headers.append(header::VARY, HeaderValue::from_static("sec-fetch-dest"));
    response.set_data(OwnPolicy::picture());
    response
}
