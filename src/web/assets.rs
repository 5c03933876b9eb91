//! Style sheets, scripts and icons, at paths that contain a hash of the content; and the library for
//! pages of other sites.
//!
//! `public/built/` has the files, made by `npm run build` in `tests/page`. A file under its current hash is
//! immutable. Under an old one, which pages from before an update ask for, the current file is served and
//! must be revalidated.

mod files;

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;
use data_encoding::HEXLOWER;
use poem::http::{HeaderName, StatusCode, Uri, header};
use poem::web::{Data, Path, Query};
use poem::{Request, Response, handler};
use serde::Deserialize;
use sha2::{Digest, Sha256};

use super::Site;
use super::middleware::Precompressed;
use crate::error::Failure;
use crate::model::{Accent, ActivitySheet};
use crate::serve::conditional::{EntityTags, entity_tag};
use crate::views::{AssetSource, Theme, logo_path};

/// Name of the library for pages of other sites.
const LIBRARY: &str = "client.js";

/// Name of the module that follows the log.
const LOG_FOLLOWER: &str = "follow.js";

/// Name of the script that every page contains itself.
pub const INLINE_SCRIPT: &str = "loader.js";

const ICON: &str = "icon.svg";

const IMMUTABLE: &str = "public, max-age=31536000, immutable";
const REVALIDATED: &str = "no-cache";

/// All files.
pub struct Assets {
    files: BTreeMap<String, AssetFile>,
}

struct AssetFile {
    /// The first 16 hex digits of the SHA-256 of the content.
    hash: String,
    path: String,
    content: Bytes,
    compressed: Option<Precompressed>,
}

impl Assets {
    /// Computes the hash of each file.
    pub fn load() -> Self {
        let files = files::read().into_iter().map(|file| {
            let hash = HEXLOWER.encode(&Sha256::digest(&file.content)[..8]);
            let compressed = file.compressed;
            let loaded = AssetFile {
                path: format!("/assets/{hash}/{}", file.name),
                hash,
                content: file.content,
                compressed: compressed.map(|(brotli, gzip)| Precompressed { brotli, gzip }),
            };
            (file.name, loaded)
        });
        Assets {
            files: files.collect(),
        }
    }

    /// Answers with a file.
    fn respond(
        &self,
        name: &str,
        caching: impl FnOnce(&AssetFile) -> &'static str,
        request: &Request,
    ) -> Result<Response, Failure> {
        let file = self.files.get(name);
        let file = file.ok_or_else(|| Failure::not_found("There is nothing at this address."))?;
        let response = Response::builder()
            .header(header::ETAG, entity_tag(&file.hash))
            .header(header::CACHE_CONTROL, caching(file));
        if EntityTags::if_none_match(request.headers()).contains(&file.hash) {
            return Ok(response.status(StatusCode::NOT_MODIFIED).finish());
        }
        let response = response.content_type(content_type(name));
        let mut response = response.body(file.content.clone());
        if let Some(compressed) = file.compressed.clone() {
            response.set_data(compressed);
        }
        Ok(response)
    }
}

/// Query of a style sheet: the colours that a page in a frame has, whatever the reader's device prefers.
#[derive(Deserialize)]
struct ThemeQuery {
    #[serde(default)]
    theme: Theme,
}

impl AssetSource for Assets {
    fn path(&self, name: &str) -> Option<&str> {
        self.files.get(name).map(|file| file.path.as_str())
    }

    fn content(&self, name: &str) -> Option<&str> {
        let file = self.files.get(name)?;
        std::str::from_utf8(&file.content).ok()
    }
}

/// Serves a file.
#[handler]
pub fn asset(
    Data(site): Data<&Arc<Site>>,
    Path((_hash, name)): Path<(String, String)>,
    Query(query): Query<ThemeQuery>,
    request: &Request,
) -> poem::Result<Response> {
    let path = request.uri().path();
    let caching = |file: &AssetFile| {
        if file.path == path {
            IMMUTABLE
        } else {
            REVALIDATED
        }
    };
    if query.theme == Theme::Auto || name.strip_suffix(".css").is_none() {
        return Ok(site.assets.respond(&name, caching, request)?);
    }
    let file = site.assets.files.get(&name);
    let file = file.ok_or_else(|| Failure::not_found("There is nothing at this address."))?;
    let sheet = site.assets.content(&name).unwrap_or_default();
    Ok(style_sheet(query.theme.apply(sheet), caching(file)))
}

/// Serves the style sheet for the accent colour with these digits. It depends on nothing else.
#[handler]
pub fn accent(Path(name): Path<String>, Query(query): Query<ThemeQuery>) -> poem::Result<Response> {
    let digits = name.strip_suffix(".css").unwrap_or_default();
    let accent = format!("#{digits}").parse::<Accent>();
    let accent = accent.map_err(|_| Failure::not_found("There is nothing at this address."))?;
    let sheet = query.theme.apply(&accent.style_sheet());
    Ok(style_sheet(sheet, IMMUTABLE))
}

/// Serves the logo of the rescue, as long as it has this one.
#[handler]
pub fn logo(Data(site): Data<&Arc<Site>>, uri: &Uri) -> poem::Result<Response> {
    let rescue = site.app.rescue();
    let logo = rescue.logo.as_ref();
    let logo = logo.filter(|logo| logo_path(logo.hash()) == uri.path());
    let logo = logo.ok_or_else(|| Failure::not_found("There is nothing at this address."))?;
    Ok(Response::builder()
        .content_type("image/jpeg")
        .header(header::CACHE_CONTROL, IMMUTABLE)
        .body(logo.jpeg().clone()))
}

/// Serves the style sheet of activities with this name. It depends on nothing else.
#[handler]
pub fn activities(
    Path(name): Path<String>,
    Query(query): Query<ThemeQuery>,
) -> poem::Result<Response> {
    let sheet = name.strip_suffix(".css").and_then(ActivitySheet::render);
    let sheet = sheet.ok_or_else(|| Failure::not_found("There is nothing at this address."))?;
    Ok(style_sheet(query.theme.apply(&sheet), IMMUTABLE))
}

fn style_sheet(text: String, caching: &'static str) -> Response {
    Response::builder()
        .content_type(content_type("style.css"))
        .header(header::CACHE_CONTROL, caching)
        .body(text)
}

/// Serves the icon at the path that browsers ask for on their own.
#[handler]
pub fn icon(Data(site): Data<&Arc<Site>>, request: &Request) -> poem::Result<Response> {
    let caching = |_: &AssetFile| "public, max-age=86400";
    Ok(site.assets.respond(ICON, caching, request)?)
}

/// Answers with a file at an address without a hash.
///
/// # Errors
/// 404 if there is no such file.
pub fn revalidated(site: &Site, name: &str, request: &Request) -> Result<Response, Failure> {
    site.assets.respond(name, |_| REVALIDATED, request)
}

/// Serves the module that pages import when the server is full. Those of other sites too.
#[handler]
pub fn log_follower(Data(site): Data<&Arc<Site>>, request: &Request) -> poem::Result<Response> {
    share(revalidated(site, LOG_FOLLOWER, request))
}

/// Serves the library for pages of other sites.
#[handler]
pub fn library(Data(site): Data<&Arc<Site>>, request: &Request) -> poem::Result<Response> {
    share(revalidated(site, LIBRARY, request))
}

/// Serves the library at a path that contains its version, which is the hash. Under another version the
/// current library is served and must be revalidated: a page keeps working when the server is updated.
#[handler]
pub fn library_version(
    Data(site): Data<&Arc<Site>>,
    Path(name): Path<String>,
    request: &Request,
) -> poem::Result<Response> {
    let caching = |file: &AssetFile| {
        let is_current = name == format!("client.{}.js", file.hash);
        if is_current { IMMUTABLE } else { REVALIDATED }
    };
    share(site.assets.respond(LIBRARY, caching, request))
}

/// Lets pages of other sites load the file, also under a policy that isolates them, and measure how
/// long that took. CORS is added by the middleware, as for all live routes.
fn share(response: Result<Response, Failure>) -> poem::Result<Response> {
    let mut response = response?;
    for (name, value) in [
        ("cross-origin-resource-policy", "cross-origin"),
        ("timing-allow-origin", "*"),
    ] {
        let value = poem::http::HeaderValue::from_static(value);
        response
            .headers_mut()
            .insert(HeaderName::from_static(name), value);
    }
    Ok(response)
}

/// Returns the content type of the kinds of files that `public/built/` contains.
fn content_type(name: &str) -> &'static str {
    match name.rsplit('.').next() {
        Some("js") => "text/javascript; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("svg") => "image/svg+xml",
        Some("png") => "image/png",
        _ => "application/octet-stream",
    }
}
