//! Corrections of Poem 3.1, and the modules that stand in for parts of Poem that do not fit.
//!
//! | Poem | corrected by |
//! |---|---|
//! | 405 has no `Allow` (RFC 9110, section 15.5.6) | `Resource` |
//! | OPTIONS is 405 | `Resource` answers 204 with `Allow` |
//! | HEAD of a GET route is 405 | `Resource` runs GET; hyper leaves the body out |
//! | `/pets/` is not found | `redirect_trailing_slash` |
//! | static files: HEAD is 405, the `ETag` is not quoted, no `Cache-Control` | not used: `assets` |
//! | request bodies have no limit; `SizeLimit` refuses chunked ones | not used: `middleware::body_limit` |
//! | `Csrf` signs with a key of zeros, `RealIp` trusts everyone | not used: `auth`, `limits` |
//! | `Compression` delays SSE and sends no `Vary` | not used |
//! | WebSocket: large buffers, no `Origin` check, 400 for a wrong version | not used: `live` |
//! | the server has no timeouts and no connection limit | not used: `serve` |

use std::sync::Arc;

use poem::http::{Method, StatusCode, header};
use poem::{Endpoint, IntoEndpoint, IntoResponse, Request, Response, RouteMethod};

use crate::error::Failure;

/// Starts a route that answers GET and HEAD.
pub fn get<E: IntoEndpoint<Endpoint: 'static>>(endpoint: E) -> Resource {
    Resource::default().add(&[Method::GET, Method::HEAD], endpoint)
}

/// Starts a route that answers GET without HEAD: long polls, and handshakes (RFC 6455, section 4.1).
pub fn get_only<E: IntoEndpoint<Endpoint: 'static>>(endpoint: E) -> Resource {
    Resource::default().add(&[Method::GET], endpoint)
}

/// Starts a route that answers POST.
pub fn post<E: IntoEndpoint<Endpoint: 'static>>(endpoint: E) -> Resource {
    Resource::default().post(endpoint)
}

/// A route that knows its methods.
#[derive(Default)]
pub struct Resource {
    methods: RouteMethod,
    allowed: Vec<Method>,
}

impl Resource {
    /// Answers POST too.
    pub fn post<E: IntoEndpoint<Endpoint: 'static>>(self, endpoint: E) -> Self {
        self.add(&[Method::POST], endpoint)
    }

    fn add<E: IntoEndpoint<Endpoint: 'static>>(mut self, methods: &[Method], endpoint: E) -> Self {
        self.allowed.extend_from_slice(methods);
        Resource {
            methods: self.methods.method(methods[0].clone(), endpoint),
            allowed: self.allowed,
        }
    }

    fn allow(&self) -> String {
        let allowed = self.allowed.iter().map(Method::as_str);
        let names: Vec<&str> = ["OPTIONS"].into_iter().chain(allowed).collect();
        names.join(", ")
    }
}

impl Endpoint for Resource {
    type Output = Response;

    async fn call(&self, mut request: Request) -> poem::Result<Response> {
        if request.method() == Method::OPTIONS {
            let response = Response::builder().status(StatusCode::NO_CONTENT);
            return Ok(response.header(header::ALLOW, self.allow()).finish());
        }
        if !self.allowed.contains(request.method()) {
            return Err(Failure::method_not_allowed(self.allow()).into());
        }
        if request.method() == Method::HEAD {
            request.set_method(Method::GET);
        }
        Ok(self.methods.call(request).await?.into_response())
    }
}

/// Redirects a path with slashes at its end to the path without them (308: the method and the body
/// stay). A path that starts with two slashes is not redirected: it would lead to another site.
pub async fn redirect_trailing_slash<E: Endpoint<Output = Response>>(
    next: Arc<E>,
    request: Request,
) -> poem::Result<Response> {
    let path = request.uri().path();
    let is_page = path.ends_with('/') && !path.starts_with("//") && path != "/";
    if !is_page || path.starts_with("/assets/") {
        return next.call(request).await;
    }
    let path = path.trim_end_matches('/');
    let query = request.uri().query().map(|query| format!("?{query}"));
    let target = format!("{path}{}", query.unwrap_or_default());
    let response = Response::builder().status(StatusCode::PERMANENT_REDIRECT);
    Ok(response.header(header::LOCATION, target).finish())
}
