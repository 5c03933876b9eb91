//! What the OpenAPI document says about failures. poem-openapi describes only what a handler
//! returns; a failure is thrown, and the same for every operation of its kind.

use poem::http::StatusCode;
use serde_json::{Value, json};

use super::{conditional, idempotency, schemas};

/// What a program shows that may write.
const SCHEME: &str = "token";

/// Adds to every operation what may be shown to it, and the answers that it fails with.
pub fn describe(spec: &mut Value) {
    spec["components"]["securitySchemes"][SCHEME] = json!({
        "type": "http",
        "scheme": "bearer",
        "description": "A token that somebody made on the page \"My account\", with the scope \
            read, set-status or write. Pages of this site show the session of who is signed in \
            instead.",
    });
    schemas::describe(spec);
    let paths = spec["paths"].as_object_mut();
    for (path, operations) in paths.into_iter().flatten() {
        for (method, operation) in operations.as_object_mut().into_iter().flatten() {
            let is_read = method == "get";
            let body = schemas::body_of(path, method);
            let has_body = body.is_some();
            if let Some(body) = body {
                operation["requestBody"] = body;
            }
            let parameters = operation.get_mut("parameters");
            let parameters = parameters.and_then(Value::as_array_mut);
            for parameter in parameters.into_iter().flatten() {
                schemas::describe_parameter(parameter);
            }
            describe_success(operation);
            operation["security"] = match is_read {
                true => json!([{}, { SCHEME: [] }]),
                false => json!([{ SCHEME: [] }]),
            };
            conditional::describe(path, method, operation);
            if !is_read {
                idempotency::describe(operation);
            }
            for (status, why) in failures(is_read, has_body, path.contains("{id}")) {
                operation["responses"][status.as_str()] = answer(status, why);
            }
        }
    }
}

/// Gives the answers of poem-openapi the words that they lack, and their headers a shape.
fn describe_success(operation: &mut Value) {
    let answers = operation["responses"].as_object_mut();
    for (_, answer) in answers.into_iter().flatten() {
        if let Some(headers) = answer.get_mut("headers").and_then(Value::as_object_mut) {
            schemas::describe_headers(headers);
        }
        if answer["description"] == "" {
            answer["description"] = "Done.".into();
        }
    }
}

/// The failures of a kind of operation, and why each is given.
fn failures(
    is_read: bool,
    has_body: bool,
    has_pet: bool,
) -> impl Iterator<Item = (StatusCode, &'static str)> {
    let table = [
        (
            true,
            StatusCode::BAD_REQUEST,
            "The request cannot be read; `detail` says what is wrong.",
        ),
        (
            !is_read,
            StatusCode::UNAUTHORIZED,
            "Missing or invalid token.",
        ),
        (
            !is_read,
            StatusCode::FORBIDDEN,
            "The token's scope is too small, or a page of another site asks.",
        ),
        (has_pet, StatusCode::NOT_FOUND, "There is no such pet."),
        (
            !is_read,
            StatusCode::CONFLICT,
            "Somebody else changed the same pet at the same time, or `replaces` no longer holds.",
        ),
        (
            has_pet && !is_read,
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
            "The body is not JSON, or does not say so.",
        ),
        (
            !is_read,
            StatusCode::UNPROCESSABLE_ENTITY,
            "A field breaks a rule (`errors` names it), or another request had this Idempotency-Key.",
        ),
        (
            !is_read,
            StatusCode::TOO_MANY_REQUESTS,
            "Too many changes from one address; Retry-After says when to ask again.",
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
    let given = table.into_iter().filter(|(is_given, ..)| *is_given);
    given.map(|(_, status, why)| (status, why))
}

fn answer(status: StatusCode, why: &str) -> Value {
    let mut answer = json!({
        "description": why,
        "content": {
            "application/problem+json": { "schema": { "$ref": "#/components/schemas/Problem" } },
        },
    });
    if let StatusCode::REQUEST_TIMEOUT | StatusCode::SERVICE_UNAVAILABLE = status {
        // What is said before the request was read is not a problem document.
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
