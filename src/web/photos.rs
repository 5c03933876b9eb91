//! Photos over HTTP: their files for everybody, and what both ways of sending one share.
//!
//! An upload passes three bounds: `UploadSlots` limits the memory of the files that arrive or wait, the
//! decoders work on two pictures at a time, and pictures that need much memory alone. Who waits too long
//! is answered 503.

mod logo;
mod slots;

use std::sync::Arc;

use bytes::Bytes;
use poem::http::{HeaderName, HeaderValue, StatusCode, header};
use poem::web::{Data, Path};
use poem::{Request, Response, handler};

pub use self::logo::{PATH as LOGO_PATH, save_logo, show_logo};
pub use self::slots::UploadSlots;
use super::Site;
use super::site::run_blocking;
use crate::auth::Principal;
use crate::error::Failure;
use crate::model::picture::{CheckedFile, MAX_FILE_BYTES, PreparedPhoto};
use crate::model::{Audience, Photo, PhotoHash, Timestamp};
use crate::serve::conditional::{EntityTags, entity_tag};

/// Largest body of an upload: a file, and the fields of a form around it.
pub const UPLOAD_BYTES: usize = MAX_FILE_BYTES + 64 * 1024;

/// A file never changes under its name.
const IMMUTABLE: &str = "public, max-age=31536000, immutable";

/// A photo that only staff may see stays in no cache.
const STAFF_ONLY: &str = "private, no-store";

/// The file is a picture and nothing else, whatever a browser takes it for.
const POLICY: &str = "default-src 'none'; sandbox";

/// Returns true for a request that sends a photo.
pub fn is_upload(request: &Request) -> bool {
    let path = request.uri().path();
    if path == LOGO_PATH {
        return *request.method() == poem::http::Method::POST;
    }
    let pet = path.strip_prefix(super::api::ADDRESS).unwrap_or(path);
    let pet = pet.strip_prefix("/pets/");
    let id = pet.and_then(|pet| pet.strip_suffix("/photos"));
    *request.method() == poem::http::Method::POST && id.is_some_and(|id| !id.contains('/'))
}

/// Makes the files of a photo.
///
/// # Errors
/// The reason why the file cannot become a photo; 503 if too many are waiting.
pub async fn prepare_photo(site: &Arc<Site>, file: Bytes) -> Result<PreparedPhoto, Failure> {
    let header = file.clone();
    let decode_bytes = run_blocking(move || Ok(CheckedFile::new(&header)?.decode_bytes())).await?;
    let _decoder = site.uploads.decoder(decode_bytes).await?;
    run_blocking(move || Ok(CheckedFile::new(&file)?.prepare()?)).await
}

/// Stores the files of a photo, for a command that gives it to a pet.
///
/// # Errors
/// As for `prepare_photo`, and the errors of the engine.
pub async fn store_photo(site: &Arc<Site>, file: Bytes, alt: String) -> Result<Photo, Failure> {
    let photo = prepare_photo(site, file).await?;
    let engine = Arc::clone(&site.engine);
    run_blocking(move || {
        engine.put_photo(photo.hash, &photo.files, Timestamp::now())?;
        Ok(Photo {
            hash: photo.hash,
            alt,
            width_px: photo.width_px,
            height_px: photo.height_px,
            added: None,
        })
    })
    .await
}

/// Serves a file of a photo, as long as a pet that the reader may know of has the photo.
#[handler]
pub async fn show_photo(
    Data(site): Data<&Arc<Site>>,
    principal: Principal,
    Path(name): Path<String>,
    request: &Request,
) -> poem::Result<Response> {
    let unknown = || Failure::not_found("There is no such photo.");
    let (hash, width_px) = parse_name(&name).ok_or_else(unknown)?;
    let hub = site.app.hub();
    let is_public = hub.is_public_photo(hash);
    let is_staff = || principal.audience() == Audience::Staff;
    let is_shown = is_public || (is_staff() && hub.used_photos().contains(&hash));
    if !is_shown {
        return Err(unknown().into());
    }
    let caching = if is_public { IMMUTABLE } else { STAFF_ONLY };
    let tag = format!("{hash}-{width_px}");
    let mut response = if EntityTags::if_none_match(request.headers()).contains(&tag) {
        Response::builder()
            .status(StatusCode::NOT_MODIFIED)
            .finish()
    } else {
        let engine = Arc::clone(&site.engine);
        let file = run_blocking(move || Ok(engine.photo(hash, width_px)?)).await?;
        let file = file.ok_or_else(unknown)?;
        Response::builder().content_type("image/jpeg").body(file)
    };
    let headers = response.headers_mut();
    let tag = HeaderValue::try_from(entity_tag(&tag)).map_err(|_| Failure::internal())?;
    headers.insert(header::ETAG, tag);
    for (name, value) in [
        (header::CACHE_CONTROL, caching),
        (header::CONTENT_SECURITY_POLICY, POLICY),
        // Pages of other sites may show the board.
        (
            HeaderName::from_static("cross-origin-resource-policy"),
            "cross-origin",
        ),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    Ok(response)
}

/// Returns the hash of the photo whose file is at `path`.
pub fn photo_hash(path: &str) -> Option<PhotoHash> {
    let name = path.rsplit_once("/photos/")?.1;
    parse_name(name).map(|(hash, _)| hash)
}

/// Parses `HASH-WIDTH.jpg`.
fn parse_name(name: &str) -> Option<(PhotoHash, u32)> {
    let (hash, width) = name.strip_suffix(".jpg")?.split_once('-')?;
    let width_px: u32 = width.parse().ok()?;
    let is_plain = width == width_px.to_string();
    Some((hash.parse().ok()?, width_px)).filter(|_| is_plain)
}

#[cfg(test)]
mod tests {
    use poem::http::{Method, Uri};

    use super::*;

    #[test]
    fn a_photo_has_one_name() {
        let hash = PhotoHash::from_bits(7);
        assert_eq!(parse_name(&format!("{hash}-400.jpg")), Some((hash, 400)));
        for name in ["", "-400.jpg", "7-400.jpg"] {
            assert_eq!(parse_name(name), None, "{name}");
        }
        for width in ["0400", "+400", "-400", "", "400.5", "99999999999"] {
            assert_eq!(parse_name(&format!("{hash}-{width}.jpg")), None, "{width}");
        }
        assert_eq!(parse_name(&format!("{hash}-400.png")), None);
    }

    #[test]
    fn only_a_post_of_photos_may_have_a_large_body() {
        let is_upload = |method, path| {
            let uri = Uri::from_static(path);
            is_upload(&Request::builder().method(method).uri(uri).finish())
        };
        assert!(is_upload(Method::POST, "/pets/7/photos"));
        assert!(is_upload(Method::POST, "/api/v1/pets/7/photos"));
        assert!(is_upload(Method::POST, "/settings/logo"));
        assert!(!is_upload(Method::POST, "/settings"));
        assert!(!is_upload(Method::PUT, "/api/v1/pets/7/photos"));
        for path in [
            "/pets",
            "/pets/7",
            "/pets/7/8/photos",
            "/pets/7/photos/order",
            "/photos",
        ] {
            assert!(!is_upload(Method::POST, path), "{path}");
        }
    }
}
