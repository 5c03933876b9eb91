//! oEmbed 1.0: turns the address of a page into a frame, for `WordPress` and other programs in which people paste addresses.

use std::sync::Arc;

use poem::http::{HeaderMap, HeaderValue, StatusCode, Uri, header};
use poem::web::{Data, Query};
use poem::{Response, handler};
use serde::Deserialize;
use serde_json::{Value, json};

use super::public_base;
use crate::auth::BaseUrl;
use crate::error::Failure;
use crate::model::{Audience, EmbedSites, Pet};
use crate::views::{EmbedFrame, SharedPhoto};
use crate::web::Site;
use crate::web::pages::{make_cacheable, pet_path};

/// Path of the endpoint.
pub const PATH: &str = "/oembed";

/// A request, as the standard defines it. Other parameters are ignored.
#[derive(Deserialize)]
struct OembedQuery {
    url: Option<String>,
    #[serde(default)]
    format: String,
    #[serde(default)]
    maxwidth: String,
    #[serde(default)]
    maxheight: String,
}

/// A page that can be shown in a frame.
enum Target {
    Board,
    Pet(Arc<Pet>),
}

/// Describes the frame for the address of a pet or of the board.
///
/// # Errors
/// 400 without an address; 404 for an address of no such page, also that of a private pet, and while the rescue allows no site
/// to frame its pets; 501 for another format than JSON.
#[handler]
pub async fn show_oembed(
    Data(site): Data<&Arc<Site>>,
    Query(query): Query<OembedQuery>,
    headers: &HeaderMap,
) -> poem::Result<Response> {
    if !["", "json"].contains(&query.format.as_str()) {
        let title = "Format not supported";
        let detail = "This endpoint answers with format=json only.";
        return Err(Failure::new(StatusCode::NOT_IMPLEMENTED, title, detail).into());
    }
    let url = query.url.as_deref();
    let url = url.ok_or_else(|| Failure::bad_request("Name the address of a page in url=."))?;
    let base = public_base(site, headers)?;
    let rescue = site.app.rescue();
    let target = path_at(&base, url).and_then(|path| find(site, &path));
    let target = target.filter(|_| rescue.embed_sites() != EmbedSites::None);
    let target = target.ok_or_else(|| Failure::not_found("There is no pet at this address."))?;
    let [max_width, max_height] = [&query.maxwidth, &query.maxheight].map(|size| size.parse().ok());
    let answer = describe(&target, &base, rescue.shown_name(), max_width, max_height);
    let mut response = Response::builder().body(answer.to_string());
    let media_type = HeaderValue::from_static("application/json");
    response
        .headers_mut()
        .insert(header::CONTENT_TYPE, media_type);
    make_cacheable(response, headers, "no-cache").await
}

/// Returns the path below the base path of an address of this site, whether it has https or not: people leave that out.
fn path_at(base: &BaseUrl, url: &str) -> Option<String> {
    let (_, rest) = url.split_once("://")?;
    let (_, own) = base.origin().split_once("://")?;
    let uri: Uri = format!("http://{rest}").parse().ok()?;
    let authority = uri.authority()?.as_str().to_ascii_lowercase();
    let is_own = authority.trim_end_matches(":443").trim_end_matches(":80") == own;
    let path = uri.path().strip_prefix(base.path()).filter(|_| is_own)?;
    (path.is_empty() || path.starts_with('/')).then(|| path.to_owned())
}

/// Finds what a path shows.
fn find(site: &Site, path: &str) -> Option<Target> {
    match path.trim_end_matches('/') {
        "" | "/pets" | "/board" => Some(Target::Board),
        path => {
            let id = path.strip_prefix("/pets/")?;
            let (pet, _) = site.pet(id, Audience::Public).ok()?;
            Some(Target::Pet(pet))
        }
    }
}

fn describe(
    target: &Target,
    base: &BaseUrl,
    rescue: &str,
    max_width: Option<u32>,
    max_height: Option<u32>,
) -> Value {
    let address = |path: &str| base.address(path);
    let (frame, page, photo) = match target {
        Target::Board => {
            let frame = EmbedFrame::board(&address("/embed/board"), rescue);
            (frame, "/pets".to_owned(), None)
        }
        Target::Pet(pet) => {
            let page = pet_path(pet.id);
            let frame = EmbedFrame::pet(&address(&format!("/embed{page}")), &pet.profile.name);
            let photo = SharedPhoto::cover(pet, |path| Some(address(path)));
            (frame, page, photo)
        }
    };
    let frame = frame.within(max_width, max_height);
    let mut answer = json!({
        "version": "1.0",
        "type": "rich",
        "provider_name": rescue,
        "provider_url": address("/pets"),
        "title": frame.title(),
        "width": frame.width(),
        "height": frame.height(),
        "html": frame.html_with_link(&address(&page)),
    });
    if let Some(photo) = photo {
        photo.add_as_thumbnail(&mut answer);
    }
    answer
}
