//! Corrects Poem.
//!
//! One address and the methods it has.
//!
//! As poem's `RouteMethod`, which it builds on, and three things more: 405 says what is allowed,
//! OPTIONS too, and HEAD is GET unless said otherwise (hyper leaves the body out).

use std::sync::Arc;

use poem::http::{Method, StatusCode, header};
use poem::{Endpoint, IntoEndpoint, IntoResponse, Request, Response, RouteMethod};

use crate::error::Failure;

/// An address under construction. Starts with no method.
pub fn resource() -> Resource {
    Resource {
        methods: RouteMethod::new(),
        allowed: vec![Method::OPTIONS],
    }
}

/// An endpoint that knows its methods.
pub struct Resource {
    methods: RouteMethod,
    allowed: Vec<Method>,
}

impl Resource {
    pub fn get<E>(self, endpoint: E) -> Self
    where
        E: IntoEndpoint,
        E::Endpoint: 'static,
    {
        self.add(&[Method::GET, Method::HEAD], endpoint)
    }

    /// GET without HEAD: an answer that is waited for, or changes the protocol, has no head of its
    /// own (RFC 6455, section 4.1: the method of a handshake is GET).
    pub fn get_only<E>(self, endpoint: E) -> Self
    where
        E: IntoEndpoint,
        E::Endpoint: 'static,
    {
        self.add(&[Method::GET], endpoint)
    }

    pub fn post<E>(self, endpoint: E) -> Self
    where
        E: IntoEndpoint,
        E::Endpoint: 'static,
    {
        self.add(&[Method::POST], endpoint)
    }

    fn add<E>(mut self, methods: &[Method], endpoint: E) -> Self
    where
        E: IntoEndpoint,
        E::Endpoint: 'static,
    {
        self.allowed.extend_from_slice(methods);
        Resource {
            methods: self.methods.method(methods[0].clone(), endpoint),
            allowed: self.allowed,
        }
    }

    fn allow(&self) -> String {
        let names: Vec<&str> = self.allowed.iter().map(Method::as_str).collect();
        names.join(", ")
    }
}

impl Endpoint for Resource {
    type Output = Response;

    async fn call(&self, mut request: Request) -> poem::Result<Response> {
        if !self.allowed.contains(request.method()) {
            return Err(Failure::method_not_allowed(self.allow()).into());
        }
        if request.method() == Method::OPTIONS {
            return Ok(Response::builder()
                .status(StatusCode::NO_CONTENT)
                .header(header::ALLOW, self.allow())
                .finish());
        }
        if request.method() == Method::HEAD {
            request.set_method(Method::GET);
        }
        Ok(self.methods.call(request).await?.into_response())
    }
}

/// Leads a request for an address with slashes at its end to the address without them, with its
/// method, body and query. A path that starts with two slashes would lead to another site.
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
    let address = format!("{path}{}", query.unwrap_or_default());
    Ok(Response::builder()
        .status(StatusCode::PERMANENT_REDIRECT)
        .header(header::LOCATION, address)
        .finish())
}
