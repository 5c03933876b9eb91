//! Answers with a page, or with a redirect to one.

use poem::http::{HeaderMap, StatusCode, header};
use poem::{IntoResponse, Response};

use super::flash::{self, Done};
use crate::auth::{Principal, Rights, Secret};
use crate::error::Failure;
use crate::views::{ErrorPage, Page};
use crate::web::Site;

impl Site {
    /// Answers with a page. Pages are read anew each time: they say what is true now. One that
    /// was made for this browser is kept nowhere. On what everybody may read, `no-store` would
    /// only keep it out of the browser's back/forward cache, out of which a page comes back as it
    /// was left and goes on from its cursor.
    pub fn show<P: Page>(&self, caller: &Principal, page: &P) -> poem::Result<Response> {
        let rights = Rights::new(caller);
        let html = self.views.render(&rights, page);
        let html = html.ok_or_else(Failure::internal)?;
        let caching = match rights.form_token {
            // The browser's own Back shows the form as it was left, and does not send it again.
            Some(_) if P::IS_TYPED_INTO => "private, no-cache",
            Some(_) => "no-store",
            None => "no-cache",
        };
        let mut response = Response::builder()
            .content_type("text/html; charset=utf-8")
            .header(header::CACHE_CONTROL, caching)
            .body(html);
        if let Some(name) = rights.name.filter(|_| P::IS_TYPED_INTO) {
            let keep = caller.authenticator().account_cookie(&name);
            response.headers_mut().append(header::SET_COOKIE, keep);
        }
        Ok(response)
    }

    /// Answers with a page that shows the message of the last form once.
    pub fn show_after<P: Page>(
        &self,
        caller: &Principal,
        headers: &HeaderMap,
        page: impl FnOnce(Option<String>) -> Result<P, Failure>,
    ) -> poem::Result<Response> {
        let done = Done::read(headers, caller.authenticator());
        let forget = done
            .is_some()
            .then(|| flash::forget(caller.authenticator()));
        let mut response = self.show(caller, &page(done)?)?;
        if let Some(forget) = forget {
            response.headers_mut().append(header::SET_COOKIE, forget);
        }
        Ok(response)
    }

    /// The page of a form that was not accepted, with what is wrong on it.
    pub fn show_again<P: Page>(
        &self,
        caller: &Principal,
        page: &P,
        status: StatusCode,
    ) -> poem::Result<Response> {
        let mut response = self.show(caller, page)?;
        response.set_status(status);
        Ok(response)
    }

    /// Answers with an error page. `right_address` is the page at the public address, if the request
    /// would have worked there.
    pub fn show_failure(
        &self,
        caller: &Principal,
        failure: &Failure,
        right_address: Option<String>,
    ) -> Response {
        let page = ErrorPage {
            status: Some(failure.status.as_u16()),
            title: failure.title,
            detail: failure.detail.clone(),
            right_address,
            ..ErrorPage::default()
        };
        match self.views.render(&Rights::new(caller), &page) {
            Some(html) => failure.respond("text/html; charset=utf-8", html),
            None => failure.clone().into_response(),
        }
    }

    /// A page with a form for somebody who is not signed in: a browser without a cookie is given
    /// one that opens nothing, to which the form is tied.
    pub fn show_to_stranger(
        &self,
        caller: &Principal,
        show: impl FnOnce(&Site, &Principal) -> poem::Result<Response>,
    ) -> poem::Result<Response> {
        if caller.cookie().is_some() {
            return show(self, caller);
        }
        let secret = Secret::random();
        let keep = caller.authenticator().form_cookie(&secret);
        let mut response = show(self, &caller.with_cookie(secret))?;
        response.headers_mut().insert(header::SET_COOKIE, keep);
        Ok(response)
    }
}

/// Redirects a browser to a page that confirms the edit.
pub fn see_done(address: &str, done: &Done, caller: &Principal) -> Response {
    let mut response = see_other(address);
    let keep = done.keep(caller.authenticator());
    response.headers_mut().append(header::SET_COOKIE, keep);
    response
}

/// Sends a browser on to another page of this site.
pub fn see_other(address: &str) -> Response {
    Response::builder()
        .status(StatusCode::SEE_OTHER)
        .header(header::LOCATION, address)
        .header(header::CACHE_CONTROL, "no-store")
        .finish()
}
