//! Serves the URL table below the path of `--base-url`.
//!
//! The handlers, and every layer between them and this one, know only paths of the URL table. Templates write the
//! base path before such a path, as does `Location`.

use std::sync::Arc;

use poem::http::{HeaderValue, Uri, header};
use poem::{Endpoint, Request, Response};

use crate::error::Failure;
use crate::web::Site;

/// Routes that also work without the base path, for a monitor or a service manager that asks the program itself.
const UNPREFIXED_PATHS: [&str; 4] = ["/healthz", "/healthz/request", "/readyz", "/metrics"];

/// Marks a request for a path that is not below the base path.
#[derive(Clone)]
struct OutsideBasePath;

/// Removes `base_path`, which is not empty, from the path of the request, and adds it to the `Location` of the answer.
pub async fn strip<E: Endpoint>(
    next: Arc<E>,
    mut request: Request,
    base_path: Arc<str>,
) -> poem::Result<Response> {
    let path = request.uri().path();
    let rest = path.strip_prefix(&*base_path);
    let rest = rest.filter(|rest| rest.is_empty() || rest.starts_with('/'));
    let is_below = rest.is_some();
    if let Some(rest) = rest {
        *request.uri_mut() = with_path(request.uri(), rest);
    } else if !UNPREFIXED_PATHS.contains(&path) {
        // Without a slash at its end, so that no layer redirects it.
        *request.uri_mut() = with_path(request.uri(), path.trim_end_matches('/'));
        request.set_data(OutsideBasePath);
    }
    let mut response = next.get_response(request).await;
    let location = response.headers_mut().get_mut(header::LOCATION);
    let location = location.filter(|location| is_below && location.as_bytes().starts_with(b"/"));
    if let Some(location) = location {
        let address = [base_path.as_bytes(), location.as_bytes()].concat();
        *location = HeaderValue::from_bytes(&address).expect("both parts are visible ASCII");
    }
    Ok(response)
}

/// Refuses a request for a path that is not below the base path.
///
/// # Errors
/// 404 with the address of the site.
pub fn check(request: &Request) -> Result<(), Failure> {
    if request.data::<OutsideBasePath>().is_none() {
        return Ok(());
    }
    let site = request.data::<Arc<Site>>();
    let base = site.and_then(|site| site.app.authenticator().base());
    let address = base.map(|base| base.address("/")).unwrap_or_default();
    let detail = format!("There is nothing at this address. This site is at {address}");
    Err(Failure::not_found(detail))
}

/// Returns the address with another path. The path of the site itself may lack its slash.
fn with_path(uri: &Uri, path: &str) -> Uri {
    let path = if path.is_empty() { "/" } else { path };
    let target = match uri.query() {
        Some(query) => format!("{path}?{query}"),
        None => path.to_owned(),
    };
    let mut parts = uri.clone().into_parts();
    parts.path_and_query = Some(
        target
            .parse()
            .expect("the end of a valid path, and its query"),
    );
    Uri::from_parts(parts).expect("only the path is another")
}
