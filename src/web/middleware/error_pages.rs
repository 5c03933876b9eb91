//! Answers failures and panics: with a page for people, with a problem document for programs.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use futures_util::FutureExt;
use poem::http::{Method, StatusCode, Uri};
use poem::{Endpoint, IntoResponse, PathPattern, Request, Response};

use super::cors;
use crate::auth::Principal;
use crate::error::Failure;
use crate::web::Site;
use crate::web::pages::unsaved_form::{Reason, SentForm};
use crate::web::pages::{PageResponder, sign_in};

/// Runs the rest, and answers its failure or panic.
pub async fn answer<E: Endpoint>(next: Arc<E>, mut request: Request) -> poem::Result<Response> {
    let site = request.data::<Arc<Site>>().cloned();
    let principal = Principal::get(&request)?.clone();
    let base_path = principal.authenticator().base_path();
    let failed = FailedRequest {
        referring_page: sign_in::referring_page(request.headers(), base_path),
        principal,
        method: request.method().clone(),
        uri: request.uri().clone(),
        form: SentForm::default(),
    };
    request.set_data(failed.form.clone());
    // No state is left half changed: no lock is held over a call that can panic.
    let (failure, route) = match AssertUnwindSafe(next.call(request)).catch_unwind().await {
        Ok(Ok(response)) => return Ok(response.into_response()),
        Ok(Err(error)) => (
            Failure::from_poem(&error),
            error.data::<PathPattern>().cloned(),
        ),
        Err(_panic) => (Failure::internal(), None),
    };
    let mut response = match site {
        Some(site) if !failed.is_of_program() => failed.page(site, &failure)?,
        _ => failure.clone().into_response(),
    };
    failure.add_headers(response.headers_mut());
    if let Some(route) = route {
        response.set_data(route);
    }
    Ok(response)
}

/// A request that failed, as far as its answer depends on it.
struct FailedRequest {
    principal: Principal,
    method: Method,
    uri: Uri,
    /// The page of this site that it was sent from.
    referring_page: Option<String>,
    form: SentForm,
}

impl FailedRequest {
    /// Returns true if the route is for programs.
    fn is_of_program(&self) -> bool {
        let path = self.uri.path();
        cors::is_readable(path) || path == "/metrics"
    }

    /// Answers with a page: the form that was sent, filled in, if there is one worth returning.
    fn page(&self, site: Arc<Site>, failure: &Failure) -> poem::Result<Response> {
        let pages = PageResponder::new(site, self.principal.clone());
        let unsaved = self.form.read(&self.principal, &self.uri);
        let unsaved = unsaved.filter(|unsaved| !unsaved.is_of_another(&self.principal));
        match (failure.status, unsaved) {
            (StatusCode::UNAUTHORIZED, _) if self.method == Method::GET => {
                Ok(sign_in::redirect_to_sign_in(&self.uri))
            }
            (_, Some(unsaved)) if self.uri.path() == "/sign-in" => {
                sign_in::show_failure(pages, failure, unsaved)
            }
            (StatusCode::UNAUTHORIZED, unsaved) => {
                let referring_page = self.referring_page.as_deref();
                sign_in::ask_to_sign_in(pages, failure, referring_page, unsaved)
            }
            (_, Some(unsaved)) if unsaved.is_worth_returning(failure) => {
                unsaved.show(&pages, Reason::Refused(failure, self.public_url()))
            }
            _ => Ok(pages.show_failure(failure, self.public_url())),
        }
    }

    /// Returns the page at the public URL, if the request was sent to another address.
    fn public_url(&self) -> Option<String> {
        let base = self.principal.authenticator().base()?;
        let page = self.referring_page.as_deref().unwrap_or("/pets");
        let is_elsewhere = self.principal.is_at_another_address();
        is_elsewhere.then(|| base.address(page))
    }
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
