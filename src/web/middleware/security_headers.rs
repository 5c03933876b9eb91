//! Security headers of every answer.

use std::sync::Arc;

use data_encoding::BASE64;
use poem::http::{HeaderName, HeaderValue, StatusCode, header};
use poem::{Endpoint, IntoResponse, Request, Response};
use sha2::{Digest, Sha256};

use crate::model::EmbedSites;
use crate::web::Site;

/// Allows only what this server itself serves, one inline script, icons inside of style sheets, and no frames.
/// Trusted Types keep scripts from turning text into markup; their one policy allows the address of the service worker, and
/// nothing else (`public/app/on-demand/install-worker.js`).
const POLICY_OF_SCRIPTS: &str = "default-src 'none'; script-src 'self'";
const POLICY_OF_OTHERS: &str = "; style-src 'self'; img-src 'self' data:; connect-src 'self'; \
     manifest-src 'self'; worker-src 'self'; \
     form-action 'self'; base-uri 'none'; frame-ancestors 'none'; \
     require-trusted-types-for 'script'; trusted-types service-worker";

/// Policy of answers that are no page, such as JSON. If a browser shows one as a page, nothing in it loads or runs.
const POLICY_OF_DATA: &str = "default-src 'none'; frame-ancestors 'none'";

/// Policy of pages in a frame on another site. Whatever the frame allows, such a page has no origin: no cookie, no storage, and
/// nothing of this site that a script could read with the rights of its reader.
const POLICY_OF_EMBEDS: &str = "default-src 'none'; script-src 'self'; style-src 'self'; \
     img-src 'self' data:; connect-src 'self'; form-action 'none'; base-uri 'none'; \
     require-trusted-types-for 'script'; trusted-types 'none'; \
     sandbox allow-scripts allow-popups allow-popups-to-escape-sandbox";

/// Policy of the service worker: it requests what the pages of this site do.
const POLICY_OF_WORKERS: &str = "default-src 'none'; connect-src 'self'; \
     require-trusted-types-for 'script'; trusted-types 'none'; frame-ancestors 'none'";

/// Policy of a picture that is text. Shown as a page, it has no script, and no origin.
const POLICY_OF_PICTURES: &str = "default-src 'none'; frame-ancestors 'none'; sandbox";

/// The policy of an answer that needs another one than its kind. A handler attaches it.
#[derive(Clone)]
pub struct OwnPolicy {
    policy: HeaderValue,
    /// True if other sites may show the answer in a frame.
    is_framable: bool,
}

impl OwnPolicy {
    /// The policy of a picture.
    pub fn picture() -> Self {
        OwnPolicy {
            policy: HeaderValue::from_static(POLICY_OF_PICTURES),
            is_framable: false,
        }
    }

    /// The policy of the service worker: it requests what the pages of this site do.
    pub fn worker() -> Self {
        OwnPolicy {
            policy: HeaderValue::from_static(POLICY_OF_WORKERS),
            is_framable: false,
        }
    }

    /// The policy of a page of this site, `policy`, with frames of this site in it.
    pub fn with_frames(policy: &HeaderValue) -> Self {
        let policy = [policy.as_bytes(), b"; frame-src 'self'"].concat();
        OwnPolicy {
            policy: HeaderValue::try_from(policy).expect("a policy is visible ASCII"),
            is_framable: false,
        }
    }

    /// The policy of a page that `sites` may show in a frame, and this site too.
    pub fn embed(sites: EmbedSites) -> Self {
        let ancestors = match sites {
            // Without the directive, also files on a disk and sandboxed pages, which `*` leaves out.
            EmbedSites::All => String::new(),
            EmbedSites::None => "; frame-ancestors 'self'".to_owned(),
            EmbedSites::Only(origins) => format!("; frame-ancestors 'self' {origins}"),
        };
        let policy = format!("{POLICY_OF_EMBEDS}{ancestors}");
        OwnPolicy {
            policy: HeaderValue::try_from(policy).expect("origins are visible ASCII"),
            is_framable: true,
        }
    }
}

const HEADERS_OF_PAGES: [(HeaderName, &str); 4] = [
    (header::REFERRER_POLICY, "same-origin"),
    // For browsers that do not support frame-ancestors.
    (header::X_FRAME_OPTIONS, "DENY"),
    // Another site's window that opened a page cannot access it.
    (
        HeaderName::from_static("cross-origin-opener-policy"),
        "same-origin",
    ),
    // Features that no page uses.
    (
        HeaderName::from_static("permissions-policy"),
        "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    ),
];

/// Returns the `Content-Security-Policy` for pages that contain this script.
pub fn policy(inline_script: Option<&str>) -> HeaderValue {
    let hash = inline_script.map(|script| {
        let hash = BASE64.encode(&Sha256::digest(script));
        format!(" 'sha256-{hash}'")
    });
    let hash = hash.unwrap_or_default();
    let policy = format!("{POLICY_OF_SCRIPTS}{hash}{POLICY_OF_OTHERS}");
    HeaderValue::try_from(policy).expect("a policy is visible ASCII")
}

/// Adds the headers. Those of pages cost each poll 400 bytes, so other answers have only what matters for them.
pub async fn add<E: Endpoint>(next: Arc<E>, request: Request) -> poem::Result<Response> {
    let is_file = is_file(request.uri().path());
    let site = request.data::<Arc<Site>>();
    let policy = site.map_or_else(|| policy(None), |site| site.policy.clone());
    let mut response = next.call(request).await?.into_response();
    let is_page = is_page(&response);
    let own = response.extensions_mut().remove::<OwnPolicy>();
    let headers = response.headers_mut();
    headers.insert(
        header::X_CONTENT_TYPE_OPTIONS,
        HeaderValue::from_static("nosniff"),
    );
    if is_file {
        return Ok(response);
    }
    if is_page {
        for (name, value) in HEADERS_OF_PAGES {
            headers.insert(name, HeaderValue::from_static(value));
        }
    }
    let policy = match own {
        Some(own) => {
            if own.is_framable {
                headers.remove(header::X_FRAME_OPTIONS);
            }
            own.policy
        }
        None if is_page => policy,
        None => HeaderValue::from_static(POLICY_OF_DATA),
    };
    headers.insert(header::CONTENT_SECURITY_POLICY, policy);
    Ok(response)
}

fn is_file(path: &str) -> bool {
    path.starts_with("/assets/")
        || path.starts_with("/photos/")
        || path.starts_with("/live/client.")
        || path == "/live/follow.js"
        || path == "/favicon.ico"
}

/// Returns true if the response may be a page. The type of a 304 is that of what the browser has.
fn is_page(response: &Response) -> bool {
    let content_type = response.headers().get(header::CONTENT_TYPE);
    content_type.is_none_or(|value| value.as_bytes().starts_with(b"text/html"))
        && response.status() != StatusCode::SWITCHING_PROTOCOLS
}
