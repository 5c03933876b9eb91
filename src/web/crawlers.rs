//! Files for search engines: the addresses that they may ask for, and the list of public pages.

use std::fmt::Write;
use std::sync::Arc;

use poem::http::header;
use poem::web::Data;
use poem::{Response, handler};

use super::Site;
use crate::auth::BaseUrl;
use crate::error::Failure;
use crate::model::Audience;

/// The most addresses that one sitemap may have (sitemaps.org).
const SITEMAP_ADDRESSES: usize = 50_000;

/// Paths of addresses that are no pages. Pages that are not public say so themselves (`noindex`), which a search
/// engine can only read if it may ask for them.
const NO_PAGES: [&str; 8] = [
    "/api/v1/",
    "/hello/ws",
    "/live/poll",
    "/live/sse",
    "/live/state",
    "/live/ws",
    "/metrics",
    "/pets/*/live.png",
];

/// Says which addresses are no pages, and where the sitemap is. A search engine reads only the rules at the root of a host: for a
/// site below a path, the other website has these in its own.
#[handler]
pub fn show_robots(Data(site): Data<&Arc<Site>>) -> Response {
    let base = site.app.authenticator().base();
    let base_path = base.map_or("", BaseUrl::path);
    let mut rules = String::from("User-agent: *\n");
    for path in NO_PAGES {
        let _ = writeln!(rules, "Disallow: {base_path}{path}");
    }
    if let Some(base) = base {
        let _ = write!(rules, "\nSitemap: {}\n", base.address("/sitemap.xml"));
    }
    text("text/plain; charset=utf-8", rules)
}

/// Lists the board and the page of every pet that visitors see.
///
/// # Errors
/// 404 without a public URL: a sitemap has complete addresses.
#[handler]
pub fn show_sitemap(Data(site): Data<&Arc<Site>>) -> poem::Result<Response> {
    let base = site.app.authenticator().base();
    let base = base.ok_or_else(|| {
        Failure::not_found("There is a sitemap only with --base-url, the public address.")
    })?;
    let board = base.address("/pets");
    let pets = site.app.hub().board(Audience::Public).pets;
    let mut list = String::from(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
         <urlset xmlns=\"http://www.sitemaps.org/schemas/sitemap/0.9\">\n",
    );
    let _ = writeln!(list, "<url><loc>{board}</loc></url>");
    for pet in pets.iter().take(SITEMAP_ADDRESSES - 1) {
        let _ = writeln!(list, "<url><loc>{board}/{}</loc></url>", pet.id);
    }
    list.push_str("</urlset>\n");
    Ok(text("application/xml", list))
}

fn text(content_type: &str, body: String) -> Response {
    Response::builder()
        .content_type(content_type)
        .header(header::CACHE_CONTROL, "no-cache")
        .body(body)
}
