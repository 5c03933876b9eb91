//! The API's `OpenAPI` document: as JSON for programs, as a page for people, and as the source of the
//! methods that an address allows.
//!
//! poem-openapi describes only what a handler takes and returns. The failures, which are the same for
//! every operation of a kind, the headers and the bodies are added here.

use std::sync::Arc;

use poem::http::{StatusCode, header};
use poem::web::Data;
use poem::{Endpoint, Response, handler};
use poem_openapi::OpenApiService;
use serde_json::{Map, Value, json};

use super::endpoint::Operations;
use super::request::idempotency_key_pattern;
use super::{live, schemas};
use crate::views::ApiDocsPage;
use crate::web::pages::PageResponder;

/// Name of the security scheme.
const SCHEME: &str = "token";

/// The document, made once at the start.
#[derive(Clone)]
pub struct OpenApiDocument(Arc<Rendered>);

struct Rendered {
    json: String,
    spec: Value,
}

impl OpenApiDocument {
    /// Describes the operations of `service`, which is below `base_path`.
    pub fn new(service: &OpenApiService<Operations, ()>, base_path: &str) -> Self {
        let spec = service.spec();
        let mut spec = serde_json::from_str(&spec).expect("poem-openapi writes JSON");
        complete(&mut spec, base_path);
        let json = spec.to_string();
        OpenApiDocument(Arc::new(Rendered { json, spec }))
    }

    /// Returns the methods of the operations at `path` (below the API's address), as `Allow` lists them.
    pub fn allowed(&self, path: &str) -> String {
        let paths = self.0.spec["paths"].as_object();
        // A path with servers of its own is not below the API's address.
        let described = paths.into_iter().flatten();
        let mut described = described.filter(|(_, methods)| methods.get("servers").is_none());
        let methods = described.find(|(template, _)| is_at(template, path));
        let methods = methods.and_then(|(_, methods)| methods.as_object());
        let names = methods.into_iter().flat_map(|methods| methods.keys());
        let mut names: Vec<String> = names.map(|name| name.to_uppercase()).collect();
        if names.iter().any(|name| name == "GET") {
            names.push("HEAD".to_owned());
        }
        if !names.is_empty() {
            names.push("OPTIONS".to_owned());
        }
        names.join(", ")
    }

    /// Returns the endpoint that answers with the document.
    pub fn into_json(self) -> impl Endpoint {
        poem::endpoint::make_sync(move |_| {
            Response::builder()
                .content_type("application/json")
                .header(header::CACHE_CONTROL, "no-cache")
                .body(self.0.json.clone())
        })
    }

    /// Returns the endpoint that answers with the page.
    pub fn into_page(self) -> impl Endpoint {
        poem::EndpointExt::data(docs_page, self)
    }
}

#[handler]
fn docs_page(
    Data(document): Data<&OpenApiDocument>,
    pages: PageResponder,
) -> poem::Result<Response> {
    let spec = document.0.spec.clone();
    pages.show(&ApiDocsPage { spec })
}

/// Returns true if `path` is an address of `template`, in which `{name}` stands for one segment.
fn is_at(template: &str, path: &str) -> bool {
    let (mut template, mut path) = (template.split('/'), path.split('/'));
    loop {
        match (template.next(), path.next()) {
            (None, None) => return true,
            (Some(pattern), Some(segment)) if pattern == segment || pattern.starts_with('{') => {}
            _ => return false,
        }
    }
}

/// Adds to every operation what poem-openapi does not know about it.
fn complete(spec: &mut Value, base_path: &str) {
    spec["servers"] = json!([{ "url": format!("{base_path}{}", super::ADDRESS) }]);
    spec["components"]["securitySchemes"][SCHEME] = json!({
        "type": "http",
        "scheme": "bearer",
        "description": "An API token, made on the page \"My account\" with the scope read, \
            set-status or write. Pages of this site send the cookie of their session instead.",
    });
    schemas::complete(spec);
    let paths = spec["paths"].as_object_mut();
    for (path, operations) in paths.into_iter().flatten() {
        for (method, operation) in operations.as_object_mut().into_iter().flatten() {
            complete_operation(path, method, operation);
        }
    }
    live::add_routes(spec, base_path);
}

fn complete_operation(path: &str, method: &str, operation: &mut Value) {
    let is_read = method == "get";
    let body = schemas::body_of(path, method);
    let has_body = body.is_some();
    if let Some(body) = body {
        operation["requestBody"] = body;
    }
    let parameters = operation.get_mut("parameters").map(Value::take);
    let mut parameters = match parameters {
        Some(Value::Array(parameters)) => parameters,
        _ => Vec::new(),
    };
    parameters.iter_mut().for_each(schemas::complete_parameter);
    parameters.extend(condition(path, method));
    if (path, method) == ("/pets", "get") {
        parameters.extend(schemas::view_parameters());
    }
    if !is_read {
        parameters.push(idempotency_key());
    }
    if !parameters.is_empty() {
        operation["parameters"] = parameters.into();
    }
    complete_success(operation);
    let is_for_staff = !is_read || path == "/trash";
    operation["security"] = if is_for_staff {
        json!([{ SCHEME: [] }])
    } else {
        json!([{}, { SCHEME: [] }])
    };
    for (status, reason) in failures(is_read, has_body, path) {
        operation["responses"][status.as_str()] = failure(status, reason);
    }
}

/// Returns the header with which an operation on a pet is conditional.
fn condition(path: &str, method: &str) -> Option<Value> {
    let (name, meaning) = match (path, method) {
        ("/pets/{id}", "get") => (
            "If-None-Match",
            "Entity tags that the client has, or `*`: 304 if the pet's is one of them. What is no \
             entity tag of a pet is none of them.",
        ),
        ("/pets/{id}", "patch" | "delete") | ("/pets/{id}/status" | "/pets/{id}/photos", "put") => {
            (
                "If-Match",
                "Entity tags of the pet, or `*`: 412 if its present one is none of them. What is no \
             entity tag of a pet, or a weak one, is none of them.",
            )
        }
        _ => return None,
    };
    Some(header_parameter(name, meaning, json!({ "type": "string" })))
}

fn idempotency_key() -> Value {
    let meaning = "Makes a retry safe: within 24 hours the same request with the same key is \
        carried out once, on whichever node, and gets the same answer; another request with \
        this key is 422. Each account has keys of its own; its newest 10,000 are kept.";
    let schema = json!({ "type": "string", "pattern": idempotency_key_pattern() });
    header_parameter("Idempotency-Key", meaning, schema)
}

fn header_parameter(name: &str, meaning: &str, schema: Value) -> Value {
    json!({
        "name": name,
        "in": "header",
        "required": false,
        "schema": schema,
        "description": meaning,
    })
}

/// Completes the answers of poem-openapi, which writes the names of headers in capitals.
fn complete_success(operation: &mut Value) {
    let answers = operation["responses"].as_object_mut();
    for (_, answer) in answers.into_iter().flatten() {
        if let Some(headers) = answer.get_mut("headers").and_then(Value::as_object_mut) {
            complete_headers(headers);
        }
        if answer["description"] == "" {
            answer["description"] = "Done.".into();
        }
    }
}

fn complete_headers(headers: &mut Map<String, Value>) {
    for (name, is_required, pattern, meaning) in [
        (
            "ETag",
            true,
            schemas::ENTITY_TAG,
            "The entity tag of the pet.",
        ),
        (
            "Location",
            true,
            schemas::ADDRESS,
            "The address of the new pet or photo.",
        ),
        (
            "Link",
            false,
            "^<.+>; rel=\".+\"$",
            "Addresses of the pages `first`, `prev`, `next` and `last` (RFC 8288), if there are pages.",
        ),
    ] {
        if headers.remove(&name.to_uppercase()).is_some() {
            let header = json!({
                "description": meaning,
                "required": is_required,
                "schema": { "type": "string", "pattern": pattern },
            });
            headers.insert(name.to_owned(), header);
        }
    }
}

/// Returns the failures of a kind of operation, with the reason of each.
fn failures(
    is_read: bool,
    has_body: bool,
    path: &str,
) -> impl Iterator<Item = (StatusCode, &'static str)> {
    let has_pet = path.contains("{id}");
    let is_for_staff = !is_read || path == "/trash";
    let table = [
        (
            true,
            StatusCode::BAD_REQUEST,
            "The request cannot be read; `detail` says what is wrong.",
        ),
        (
            is_for_staff,
            StatusCode::UNAUTHORIZED,
            "Missing or invalid token.",
        ),
        (
            is_for_staff,
            StatusCode::FORBIDDEN,
            "The token's scope does not allow this, or the request came from a page of another site.",
        ),
        (
            has_pet || path == "/statuses",
            StatusCode::NOT_FOUND,
            "There is no such pet.",
        ),
        (
            !is_read,
            StatusCode::CONFLICT,
            "Someone else changed the same pet at the same time, `replaces` no longer holds, or the pet has no such photo or no room for one.",
        ),
        (
            path.starts_with("/pets/{id}") && !is_read,
            StatusCode::PRECONDITION_FAILED,
            "The pet has changed: its entity tag is not in If-Match.",
        ),
        (
            !is_read,
            StatusCode::PAYLOAD_TOO_LARGE,
            "The body is too large.",
        ),
        (
            has_body,
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "The body is not JSON, or does not say so; or the file is not JPEG, PNG or WebP.",
        ),
        (
            !is_read,
            StatusCode::UNPROCESSABLE_ENTITY,
            "A field breaks a rule (`errors` names it), or another request had this Idempotency-Key.",
        ),
        (
            !is_read,
            StatusCode::TOO_MANY_REQUESTS,
            "Too many changes by your account (without one: from your address); Retry-After says when to ask again.",
        ),
        (
            !is_read,
            StatusCode::REQUEST_TIMEOUT,
            "The request did not arrive in time.",
        ),
        (
            true,
            StatusCode::INTERNAL_SERVER_ERROR,
            "Something went wrong on our side.",
        ),
        (
            true,
            StatusCode::SERVICE_UNAVAILABLE,
            "Not possible right now; Retry-After says when to ask again.",
        ),
        (
            !is_read,
            StatusCode::INSUFFICIENT_STORAGE,
            "The disk is full; Retry-After says when to ask again.",
        ),
    ];
    let applicable = table.into_iter().filter(|(applies, ..)| *applies);
    applicable.map(|(_, status, reason)| (status, reason))
}

/// Returns the description of a failure.
pub fn failure(status: StatusCode, reason: &str) -> Value {
    let mut answer = json!({
        "description": reason,
        "content": {
            "application/problem+json": { "schema": { "$ref": "#/components/schemas/Problem" } },
        },
    });
    if let StatusCode::REQUEST_TIMEOUT | StatusCode::SERVICE_UNAVAILABLE = status {
        // An answer before the request was read is not a problem document.
        answer["content"]["text/plain"] = json!({ "schema": { "type": "string" } });
    }
    if let StatusCode::TOO_MANY_REQUESTS
    | StatusCode::SERVICE_UNAVAILABLE
    | StatusCode::INSUFFICIENT_STORAGE = status
    {
        answer["headers"] = json!({ "Retry-After": {
            "description": "Seconds after which it is worth asking again.",
            "required": true,
            "schema": { "type": "integer", "minimum": 0 },
        } });
    }
    answer
}

#[cfg(test)]
mod tests {
    use super::is_at;

    #[test]
    fn a_parameter_stands_for_one_segment() {
        assert!(is_at("/pets/{id}/status", "/pets/7/status"));
        assert!(!is_at("/pets/{id}", "/pets/7/status"));
        assert!(!is_at("/pets/{id}/status", "/pets/7"));
    }
}
