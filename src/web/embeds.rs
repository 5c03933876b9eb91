//! Pets on other sites: pages for a frame, badges, pictures that change, oEmbed, and the pages that explain them.
//!
//! Every answer has what visitors see, and nothing about its reader: no cookie is read or set here, so a frame is the same for
//! staff. `middleware::security_headers` says which sites may frame a page.

mod badge;
mod live_picture;
pub mod oembed;
mod share;

use std::sync::Arc;

use poem::http::{HeaderMap, StatusCode, header};
use poem::web::{Data, Path, Query};
use poem::{Body, Response, handler};
use serde::Deserialize;

pub use self::badge::show_badge;
pub use self::live_picture::{PictureCache, Publishers, show_live_picture};
pub use self::share::{share_board, share_pet};
use super::Site;
use super::middleware::security_headers::OwnPolicy;
use super::pages::pets::cards;
use crate::auth::{BaseUrl, Rights};
use crate::error::Failure;
use crate::model::Audience;
use crate::views::{BoardLayout, EmbedPage, Now, Theme};

/// Query of a page for a frame.
#[derive(Deserialize)]
struct EmbedQuery {
    #[serde(default)]
    theme: Theme,
}

/// Shows all pets in a frame.
#[handler]
pub async fn show_board(
    Data(site): Data<&Arc<Site>>,
    Query(query): Query<EmbedQuery>,
) -> poem::Result<Response> {
    let board = site.app.hub().board(Audience::Public);
    let page = EmbedPage::board(&board, query.theme, &Now::new(&site.app.rescue()));
    let html = render(site, &page)?;
    let cards = cards(site, visitor(site), BoardLayout::Cards);
    let body = site
        .blocks
        .body(cards, Arc::clone(&board.pets), halves(&html)?);
    Ok(frame(site, body.await.map_err(|_| Failure::internal())?))
}

/// Shows a pet in a frame. An id without a pet gets a page that says so, with the status 404.
#[handler]
pub async fn show_pet(
    Data(site): Data<&Arc<Site>>,
    Path(id): Path<String>,
    Query(query): Query<EmbedQuery>,
) -> poem::Result<Response> {
    let now = Now::new(&site.app.rescue());
    let Ok((pet, cursor)) = site.pet(&id, Audience::Public) else {
        let html = render(site, &EmbedPage::no_pet(query.theme, &now))?;
        let mut response = frame(site, Body::from(html));
        response.set_status(StatusCode::NOT_FOUND);
        return Ok(response);
    };
    let html = render(site, &EmbedPage::pet(&pet, cursor, query.theme, &now))?;
    let cards = cards(site, visitor(site), BoardLayout::Cards);
    let pets = [pet];
    let body = site.blocks.page(cards, &pets, halves(&html)?);
    Ok(frame(site, body.await.map_err(|_| Failure::internal())?))
}

/// Returns the rights of every reader of a frame.
fn visitor(site: &Site) -> Rights {
    Rights::shared(site.app.auth(), false)
}

fn render(site: &Site, page: &EmbedPage) -> Result<String, Failure> {
    let rescue = site.app.rescue();
    let html = site.views.render(&rescue, &visitor(site), page);
    html.ok_or_else(Failure::internal)
}

fn halves(html: &str) -> Result<(&str, &str), Failure> {
    html.split_once(EmbedPage::CARDS)
        .ok_or_else(Failure::internal)
}

/// Answers with a page that the sites of the rescue's settings may frame.
fn frame(site: &Site, body: Body) -> Response {
    let mut response = Response::builder()
        .content_type("text/html; charset=utf-8")
        .header(header::CACHE_CONTROL, "no-cache")
        .body(body);
    let policy = OwnPolicy::embed(site.app.rescue().embed_sites());
    response.set_data(policy);
    response
}

/// Returns the public address, or the one that the request was sent to.
fn public_base(site: &Site, headers: &HeaderMap) -> Result<BaseUrl, Failure> {
    if let Some(base) = site.app.authenticator().base() {
        return Ok(base.clone());
    }
    let host = headers
        .get(header::HOST)
        .and_then(|host| host.to_str().ok());
    let base = host.and_then(|host| BaseUrl::parse(&format!("http://{host}")).ok());
    base.ok_or_else(|| Failure::bad_request("The request has no Host."))
}
