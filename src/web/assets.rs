//! Style sheets, scripts and icons: part of the binary, at paths that contain a fingerprint.
//!
//! One fingerprint covers all files, so scripts and styles find each other by relative paths. Files
//! under the current fingerprint are immutable. Under an old one, which pages from before an update
//! ask for, the current file is served and must be revalidated.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

use data_encoding::HEXLOWER;
use poem::http::{StatusCode, header};
use poem::web::{Data, Path};
use poem::{Request, Response, handler};
use rust_embed::RustEmbed;

use super::Site;
use crate::error::Failure;
use crate::serve::conditional::{EntityTags, entity_tag};

#[derive(RustEmbed)]
#[folder = "public/"]
struct Public;

/// The fingerprint of all files.
pub struct Assets {
    fingerprint: String,
}

impl Assets {
    /// Computes the fingerprint.
    pub fn load() -> Self {
        let mut names: Vec<_> = Public::iter().collect();
        names.sort_unstable();
        let mut hasher = DefaultHasher::new();
        for name in &names {
            name.hash(&mut hasher);
            Public::get(name)
                .map(|file| file.metadata.sha256_hash())
                .hash(&mut hasher);
        }
        Assets {
            fingerprint: format!("{:016x}", hasher.finish()),
        }
    }

    /// Returns the path below which the files are, without a slash at its end.
    pub fn path(&self) -> String {
        format!("/assets/{}", self.fingerprint)
    }
}

/// Serves a file.
#[handler]
pub fn asset(
    Data(site): Data<&Arc<Site>>,
    Path((fingerprint, path)): Path<(String, String)>,
    request: &Request,
) -> poem::Result<Response> {
    let is_current = fingerprint == site.assets.fingerprint;
    let caching = if is_current {
        "public, max-age=31536000, immutable"
    } else {
        "no-cache"
    };
    Ok(file(&path, caching, request)?)
}

/// Serves the icon at the path that browsers ask for without being told.
#[handler]
pub fn icon(request: &Request) -> poem::Result<Response> {
    Ok(file("icon.svg", "public, max-age=86400", request)?)
}

fn file(path: &str, caching: &str, request: &Request) -> Result<Response, Failure> {
    let file =
        Public::get(path).ok_or_else(|| Failure::not_found("There is nothing at this address."))?;
    let hash = HEXLOWER.encode(&file.metadata.sha256_hash()[..8]);
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

/// Returns the content type of the kinds of files that `public/` contains.
fn content_type(path: &str) -> &'static str {
    match path.rsplit('.').next() {
        Some("js") => "text/javascript; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("svg") => "image/svg+xml",
        _ => "application/octet-stream",
    }
}
