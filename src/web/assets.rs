//! The pages' styles, modules and icons: part of the binary, at addresses that change with them.
//!
//! One fingerprint stands for the whole tree, so modules and styles find each other by relative
//! paths. What is served under the current one never changes and may be kept for ever; under an
//! old one (a page from before an update asks for it) it is the current file, to be asked for
//! again.

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

/// Where the files are.
pub struct Assets {
    fingerprint: String,
    address: String,
}

impl Assets {
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
        let fingerprint = format!("{:016x}", hasher.finish());
        Assets {
            address: format!("/assets/{fingerprint}"),
            fingerprint,
        }
    }

    /// What the addresses of all files start with, without a slash at the end.
    pub fn address(&self) -> &str {
        &self.address
    }
}

#[handler]
pub fn asset(
    Data(site): Data<&Arc<Site>>,
    Path((fingerprint, path)): Path<(String, String)>,
    request: &Request,
) -> poem::Result<Response> {
    let is_current = fingerprint == site.assets.fingerprint;
    let keep = if is_current {
        "public, max-age=31536000, immutable"
    } else {
        "no-cache"
    };
    Ok(file(&path, keep, request)?)
}

/// Browsers ask for this address whatever the page says.
#[handler]
pub fn icon(request: &Request) -> poem::Result<Response> {
    Ok(file("icon.svg", "public, max-age=86400", request)?)
}

fn file(path: &str, keep: &str, request: &Request) -> Result<Response, Failure> {
    let file =
        Public::get(path).ok_or_else(|| Failure::not_found("There is nothing at this address."))?;
    let hash = HEXLOWER.encode(&file.metadata.sha256_hash()[..8]);
    let response = Response::builder()
        .header(header::ETAG, entity_tag(&hash))
        .header(header::CACHE_CONTROL, keep);
    if EntityTags::if_none_match(request.headers()).contains(&hash) {
        return Ok(response.status(StatusCode::NOT_MODIFIED).finish());
    }
    let response = response.content_type(content_type(path));
    Ok(match file.data {
        std::borrow::Cow::Borrowed(data) => response.body(data),
        std::borrow::Cow::Owned(data) => response.body(data),
    })
}

/// What the tree holds, and nothing else.
fn content_type(path: &str) -> &'static str {
    match path.rsplit('.').next() {
        Some("js") => "text/javascript; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("svg") => "image/svg+xml",
        _ => "application/octet-stream",
    }
}
