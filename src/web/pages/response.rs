//! Answers with a page, or with a redirect to one.

use std::sync::Arc;

use data_encoding::HEXLOWER;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use poem::http::{HeaderMap, HeaderValue, StatusCode, header};
use poem::{FromRequest, IntoResponse, Request, RequestBody, Response};

use sha2::{Digest, Sha256};

use super::flash::Flash;
use crate::auth::{Principal, Rights, Secret};
use crate::error::Failure;
use crate::model::{Audience, EmbedSites, Pet};
use crate::serve::conditional::{EntityTags, entity_tag};
use crate::views::{ErrorPage, Page, SharedPhoto};
use crate::web::Site;
use crate::web::embeds::oembed;
use crate::web::middleware::ContainsSecret;

/// Answers one request with pages. Handlers take it as a parameter.
pub struct PageResponder {
    /// The state that the handlers share.
    pub site: Arc<Site>,
    /// Reader of the page.
    pub principal: Principal,
    /// The message that the browser brought from the last form.
    flash: Option<Flash>,
}

impl<'a> FromRequest<'a> for PageResponder {
    async fn from_request(request: &'a Request, _body: &mut RequestBody) -> poem::Result<Self> {
        let site = request.data::<Arc<Site>>().ok_or_else(Failure::internal)?;
        let principal = Principal::get(request)?;
        let flash = Flash::from_cookie(request.headers(), principal.authenticator());
        Ok(PageResponder {
            flash,
            ..PageResponder::new(Arc::clone(site), principal.clone())
        })
    }
}

impl PageResponder {
    /// Answers `principal`, without a message of an earlier form.
    pub fn new(site: Arc<Site>, principal: Principal) -> Self {
        PageResponder {
            site,
            principal,
            flash: None,
        }
    }

    /// Answers with a page.
    ///
    /// Browsers must revalidate every page. One that was made for this browser is not stored. A page
    /// that everyone may read has no `no-store`, which would keep it out of the back/forward cache.
    ///
    /// # Errors
    /// 500 when the page cannot be rendered.
    pub fn show<P: Page>(&self, page: &P) -> poem::Result<Response> {
        let rights = Rights::new(&self.principal);
        let html = self.render(&rights, page);
        let html = html.ok_or_else(Failure::internal)?;
        let caching = match rights.form_token {
            // Back shows the form as it was left, without sending it again.
            Some(_) if P::HAS_TEXT_INPUT && !page.has_secret() => "private, no-cache",
            Some(_) => "no-store",
            None => "no-cache",
        };
        let mut response = Response::builder()
            .content_type("text/html; charset=utf-8")
            .header(header::CACHE_CONTROL, caching)
            .body(html);
        if page.has_secret() {
            response.set_data(ContainsSecret);
        }
        if let Some(name) = rights.name.filter(|_| P::HAS_TEXT_INPUT) {
            let cookie = self.principal.authenticator().account_cookie(&name);
            response.headers_mut().append(header::SET_COOKIE, cookie);
        }
        Ok(response)
    }

    /// Returns the address of a page at the public URL, if one was configured.
    pub fn public_address(&self, path: &str) -> Option<String> {
        let base = self.principal.authenticator().base()?;
        Some(base.address(path))
    }

    /// Returns the public address that describes a frame with the page at `address` (oEmbed), unless the rescue allows no site
    /// to frame its pets.
    pub fn oembed_address(&self, address: Option<&str>) -> Option<String> {
        if self.site.app.rescue().embed_sites() == EmbedSites::None {
            return None;
        }
        let address = utf8_percent_encode(address?, NON_ALPHANUMERIC);
        self.public_address(&format!("{}?url={address}&format=json", oembed::PATH))
    }

    /// Returns the cover of a pet at the public URL, if one was configured.
    pub fn shared_photo(&self, pet: &Pet) -> Option<SharedPhoto> {
        SharedPhoto::cover(pet, |path| self.public_address(path))
    }

    fn render<P: Page>(&self, rights: &Rights, page: &P) -> Option<String> {
        let rescue = self.site.app.rescue();
        self.site.views.render(&rescue, rights, page)
    }

    /// Answers with a page and another status than 200: a form with its errors, or a question.
    ///
    /// # Errors
    /// As for `show`.
    pub fn show_with_status<P: Page>(
        &self,
        page: &P,
        status: StatusCode,
    ) -> poem::Result<Response> {
        let mut response = self.show(page)?;
        response.set_status(status);
        Ok(response)
    }

    /// Answers with the page that a refused form came from. The page says why.
    ///
    /// # Errors
    /// As for `show`.
    pub fn show_refused<P: Page>(&self, page: &P, failure: &Failure) -> poem::Result<Response> {
        let mut response = self.show_with_status(page, failure.status)?;
        failure.add_headers(response.headers_mut());
        Ok(response)
    }

    /// Answers with an error page. `public_url` is the page at the public address, if the request
    /// would have worked there.
    pub fn show_failure(&self, failure: &Failure, public_url: Option<String>) -> Response {
        let page = ErrorPage {
            status: Some(failure.status.as_u16()),
            title: failure.title,
            detail: failure.detail.clone(),
            public_url,
            ..ErrorPage::default()
        };
        match self.render(&Rights::new(&self.principal), &page) {
            Some(html) => failure.respond("text/html; charset=utf-8", html),
            None => failure.clone().into_response(),
        }
    }

    /// Returns the message of the last form, for a page that `show_with_flash` answers with.
    pub fn flash(&self) -> Option<String> {
        let (hub, audience) = (self.site.app.hub(), self.principal.audience());
        let name_of = |pet| Some(hub.pet(pet, audience)?.0.profile.name.clone());
        self.flash.as_ref().map(|flash| flash.sentence(name_of))
    }

    /// Returns id and name of the pet that the last form removed, for staff, who can restore it.
    pub fn removed_pet(&self) -> Option<(u64, String)> {
        let Some(Flash::PetRemoved(id)) = self.flash else {
            return None;
        };
        if self.principal.audience() != Audience::Staff {
            return None;
        }
        let pet = self.site.app.hub().stored(id)?.0.pet;
        let name = pet.is_in_trash().then(|| pet.profile.name.clone())?;
        Some((id.get(), name))
    }

    /// Answers with a page that contains the message of the last form, and removes the message from
    /// the browser.
    ///
    /// # Errors
    /// As for `show`.
    pub fn show_with_flash<P: Page>(&self, page: &P) -> poem::Result<Response> {
        let mut response = self.show(page)?;
        if self.flash.is_some() {
            let cookie = Flash::removal(self.principal.authenticator());
            let headers = response.headers_mut();
            headers.append(header::SET_COOKIE, cookie);
            // The message is for this browser's reader alone: the service worker stores what everyone may read.
            if headers
                .get(header::CACHE_CONTROL)
                .is_some_and(|caching| caching == "no-cache")
            {
                let private = HeaderValue::from_static("private, no-cache");
                headers.insert(header::CACHE_CONTROL, private);
            }
        }
        Ok(response)
    }

    /// Redirects to a page that shows `flash`.
    pub fn redirect_with_flash(&self, path: &str, flash: &Flash) -> Response {
        let mut response = redirect(path);
        let cookie = flash.to_cookie(self.principal.authenticator());
        response.headers_mut().append(header::SET_COOKIE, cookie);
        response
    }

    /// Answers with a form for somebody who is not signed in. A browser without a cookie gets one
    /// that ties the form to it and grants nothing.
    ///
    /// # Errors
    /// As for `show`.
    pub fn show_to_anonymous(
        mut self,
        show: impl FnOnce(&PageResponder) -> poem::Result<Response>,
    ) -> poem::Result<Response> {
        if self.principal.cookie().is_some() {
            return show(&self);
        }
        let secret = Secret::random();
        let cookie = self.principal.authenticator().form_cookie(&secret);
        self.principal = self.principal.with_cookie(secret);
        let mut response = show(&self)?;
        response.headers_mut().insert(header::SET_COOKIE, cookie);
        Ok(response)
    }
}

/// Adds an entity tag to an answer and lets caches store it as `caching` says. Answers 304 to a reader that has it.
///
/// # Errors
/// 500 when the answer has no complete body.
pub async fn make_cacheable(
    mut response: Response,
    request: &HeaderMap,
    caching: &'static str,
) -> poem::Result<Response> {
    let body = response.take_body().into_bytes().await;
    let body = body.map_err(|_| Failure::internal())?;
    let hash = HEXLOWER.encode(&Sha256::digest(&body)[..16]);
    let headers = response.headers_mut();
    let tag = HeaderValue::try_from(entity_tag(&hash)).map_err(|_| Failure::internal())?;
    headers.insert(header::ETAG, tag);
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(caching));
    if EntityTags::if_none_match(request).contains(&hash) {
        headers.remove(header::CONTENT_TYPE);
        response.set_status(StatusCode::NOT_MODIFIED);
    } else {
        response.set_body(body);
    }
    Ok(response)
}

/// Redirects to another page of this site with GET (303).
pub fn redirect(path: &str) -> Response {
    Response::builder()
        .status(StatusCode::SEE_OTHER)
        .header(header::LOCATION, path)
        .header(header::CACHE_CONTROL, "no-store")
        .finish()
}
