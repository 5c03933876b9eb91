//! Style sheets, scripts and icons: part of the binary, at paths that contain a hash of the content.
//!
//! `public/built/` has the files, made by `npm run build` in `tests/page`. A file under its current hash is
//! immutable. Under an old one, which pages from before an update ask for, the current file is served and
//! must be revalidated.

use std::collections::BTreeMap;
use std::sync::Arc;

use data_encoding::HEXLOWER;
use poem::http::{StatusCode, header};
use poem::web::{Data, Path};
use poem::{Request, Response, handler};
use rust_embed::{EmbeddedFile, RustEmbed};

use super::Site;
use crate::error::Failure;
use crate::serve::conditional::{EntityTags, entity_tag};

#[derive(RustEmbed)]
#[folder = "public/built/"]
struct Built;

/// The address of each file.
pub struct Assets {
    /// Paths by the name of the file.
    paths: BTreeMap<String, String>,
}

impl Assets {
    /// Computes the hash of each file.
    pub fn load() -> Self {
        let path = |name: &str| Some(format!("/assets/{}/{name}", hash(&Built::get(name)?)));
        let files = Built::iter().filter(|name| name != "manifest.json");
        let paths = files.filter_map(|name| Some((name.to_string(), path(&name)?)));
        Assets {
            paths: paths.collect(),
        }
    }

    /// Returns the path of the file with this name.
    pub fn path(&self, name: &str) -> Option<&str> {
        self.paths.get(name).map(String::as_str)
    }
}

/// Serves a file.
#[handler]
pub fn asset(
    Data(site): Data<&Arc<Site>>,
    Path((_hash, name)): Path<(String, String)>,
    request: &Request,
) -> poem::Result<Response> {
    let path = site.assets.path(&name).ok_or_else(no_such_file)?;
    let caching = if path == request.uri().path() {
        "public, max-age=31536000, immutable"
    } else {
        "no-cache"
    };
    Ok(file(&name, caching, request)?)
}

/// Serves the icon at the path that browsers ask for without being told.
#[handler]
pub fn icon(request: &Request) -> poem::Result<Response> {
    Ok(file("icon.svg", "public, max-age=86400", request)?)
}

fn file(path: &str, caching: &str, request: &Request) -> Result<Response, Failure> {
    let file = Built::get(path).ok_or_else(no_such_file)?;
    let hash = hash(&file);
    let response = Response::builder()
        .header(header::ETAG, entity_tag(&hash))
        .header(header::CACHE_CONTROL, caching);
    if EntityTags::if_none_match(request.headers()).contains(&hash) {
        return Ok(response.status(StatusCode::NOT_MODIFIED).finish());
    }
    let response = response.content_type(content_type(path));
    Ok(match file.data {
        std::borrow::Cow::Borrowed(data) => response.body(data),
        std::borrow::Cow::Owned(data) => response.body(data),
    })
}

fn no_such_file() -> Failure {
    Failure::not_found("There is nothing at this address.")
}

/// Returns the first 16 hex digits of the SHA-256 of the content.
fn hash(file: &EmbeddedFile) -> String {
    HEXLOWER.encode(&file.metadata.sha256_hash()[..8])
}

/// Returns the content type of the kinds of files that `public/built/` contains.
fn content_type(path: &str) -> &'static str {
    match path.rsplit('.').next() {
        Some("js") => "text/javascript; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("svg") => "image/svg+xml",
        _ => "application/octet-stream",
    }
}
