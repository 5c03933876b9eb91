//! A failure or a panic becomes a page for people, and a problem document for programs.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use futures_util::FutureExt;
use poem::http::{Method, StatusCode};
use poem::{Endpoint, IntoResponse, Request, Response};

use super::cors;
use crate::auth::Principal;
use crate::error::Failure;
use crate::web::Site;
use crate::web::pages::sign_in;
use crate::web::pages::unsaved_form::{SentForm, Why};

/// Turns failures into a page for people, and into a problem document for programs.
pub async fn answer<E: Endpoint>(next: Arc<E>, mut request: Request) -> poem::Result<Response> {
    let site = request.data::<Arc<Site>>().cloned();
    let caller = Principal::get(&request)?.clone();
    let (method, uri) = (request.method().clone(), request.uri().clone());
    let sent = SentForm::default();
    request.set_data(sent.clone());
    let before = sign_in::page_before(request.headers());
    let is_program = cors::is_readable(uri.path()) || uri.path() == "/metrics";
    // Nothing that a handler shares is left half changed: locks are held over no call that panics.
    let failure = match AssertUnwindSafe(next.call(request)).catch_unwind().await {
        Ok(Ok(response)) => return Ok(response.into_response()),
        Ok(Err(error)) => Failure::of_poem(&error),
        Err(_panic) => Failure::internal(),
    };
    let site = match site {
        Some(site) if !is_program => site,
        _ => return Ok(failure.into_response()),
    };
    let base = caller
        .authenticator()
        .base()
        .filter(|_| caller.is_at_another_address());
    let page = before.as_deref().unwrap_or("/pets");
    let right_address = base.map(|base| format!("{}{page}", base.origin()));
    let unsaved = sent.read(&caller, &uri);
    let unsaved = unsaved.filter(|unsaved| !unsaved.is_of_another(&caller));
    let response = match (failure.status, unsaved) {
        (StatusCode::UNAUTHORIZED, _) if method == Method::GET => Ok(sign_in::ask(&uri)),
        (_, Some(unsaved)) if uri.path() == "/sign-in" => {
            sign_in::show_refused(&site, &caller, &failure, unsaved)
        }
        (StatusCode::UNAUTHORIZED, unsaved) => sign_in::ask_again(&site, &caller, before, unsaved),
        (_, Some(unsaved)) if unsaved.is_worth_returning(&failure) => {
            unsaved.show(&site, &caller, Why::Refused(&failure, right_address))
        }
        _ => return Ok(site.show_failure(&caller, &failure, right_address)),
    };
    let mut response = response?;
    failure.add_headers(response.headers_mut());
    Ok(response)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::auth::Authenticator;
    use poem::EndpointExt;

    #[tokio::test]
    async fn a_handler_that_panics_is_a_server_error_and_the_next_request_works() {
        let endpoint = poem::endpoint::make_sync(|request: Request| {
            assert_ne!(request.uri().path(), "/api/v1/fault", "a fault, on purpose");
            Response::default()
        });
        let endpoint = endpoint.around(answer);
        let mut statuses = Vec::new();
        for path in ["/api/v1/fault", "/api/v1/pets"] {
            let mut request = Request::builder().uri(path.parse().unwrap()).finish();
            request.set_data(Authenticator::demo().identify(&request).await);
            statuses.push(endpoint.get_response(request).await.status());
        }
        let expected = [StatusCode::INTERNAL_SERVER_ERROR, StatusCode::OK];
        assert_eq!(statuses, expected);
    }
}
