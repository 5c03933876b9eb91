//! Signs in and out. At a station, the page asks whose turn it is, and a PIN takes the place of the password.

use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use poem::http::{HeaderMap, HeaderName, HeaderValue, Uri, header};
use poem::web::Query;
use poem::{Request, Response, handler};
use serde::Deserialize;

use super::form::Form;
use super::response::{PageResponder, redirect};
use super::unsaved_form::{Reason, UnsavedForm};
use crate::auth::{Principal, Secret, SignInError, SignInRequest, SignedIn, TurnRequest};
use crate::error::Failure;
use crate::views::SignInPage;

/// Path of the page.
pub const PATH: &str = "/sign-in";

/// The page after signing in, if no other page was asked for.
const HOME: &str = "/pets";

/// Query of the sign-in page.
#[derive(Deserialize)]
struct SignInQuery {
    /// The page to return to.
    next: Option<String>,
    /// `password` for the form with a password at a station.
    with: Option<String>,
}

/// Redirects to the sign-in page, which leads back to `uri`.
pub fn redirect_to_sign_in(uri: &Uri) -> Response {
    let page = uri.path_and_query().map_or(HOME, |page| page.as_str());
    let next = serde_urlencoded::to_string([("next", page)]).unwrap_or_default();
    redirect(&format!("/sign-in?{next}"))
}

/// Answers a form of somebody who is not signed in with a sign-in page that carries the form. Without
/// a form, the page leads back to `referring_page`.
pub fn ask_to_sign_in(
    pages: PageResponder,
    failure: &Failure,
    referring_page: Option<&str>,
    unsaved: Option<UnsavedForm>,
) -> poem::Result<Response> {
    let next = match &unsaved {
        Some(unsaved) => unsaved.page(),
        None => local_path(referring_page),
    };
    let pending = unsaved.as_ref().map(UnsavedForm::pending);
    let mut page = sign_in_page(&pages.principal, &next);
    page.pending = pending;
    pages.show_to_anonymous(|pages| pages.show_refused(&page, failure))
}

/// Answers a sign-in that failed for another reason than its name and password, and that carried a
/// form: with the form, if its author is signed in by now, else with the page that carries it.
pub fn show_failure(
    pages: PageResponder,
    failure: &Failure,
    unsaved: UnsavedForm,
) -> poem::Result<Response> {
    if unsaved.is_by(&pages.principal) {
        return unsaved.show(&pages, Reason::SignedIn);
    }
    let mut page = sign_in_page(&pages.principal, &unsaved.page());
    page.problem = Some(failure.detail.clone());
    page.pending = Some(unsaved.pending());
    pages.show_to_anonymous(|pages| pages.show_refused(&page, failure))
}

/// Returns the page that a request was sent from: path below the base path, and query of its `Referer`.
pub fn referring_page(headers: &HeaderMap, base_path: &str) -> Option<String> {
    let referer = headers.get(header::REFERER)?.to_str().ok()?;
    let page: Uri = referer.parse().ok()?;
    let page = page.path_and_query()?.as_str().strip_prefix(base_path)?;
    page.starts_with('/').then(|| page.to_owned())
}

/// Shows the form to sign in.
#[handler]
pub fn show_form(pages: PageResponder, Query(query): Query<SignInQuery>) -> poem::Result<Response> {
    let authenticator = pages.principal.authenticator();
    authenticator.staff().map_err(Failure::from)?;
    let next = local_path(query.next.as_deref());
    let mut page = sign_in_page(&pages.principal, &next);
    if query.with.as_deref() == Some("password") {
        page.people = None;
    } else if page.people.is_none() && pages.principal.person().is_ok() {
        return Ok(redirect(&next));
    }
    pages.show_to_anonymous(|pages| pages.show(&page))
}

/// Signs in. Shows the form that the sign-in page carried, if its author has signed in.
#[handler]
pub async fn sign_in(
    pages: PageResponder,
    request: &Request,
    form: Form,
) -> poem::Result<Response> {
    let principal = &pages.principal;
    let staff = principal.authenticator().staff().map_err(Failure::from)?;
    let next = local_path(form.get("next"));
    let unsaved = UnsavedForm::from_sign_in(&form);
    let station = principal.station();
    let turn = station
        .zip(form.get("pin"))
        .map(|(station, pin)| TurnRequest {
            station,
            name: form.text("name"),
            pin: pin.trim(),
            address: peer_address(request),
            client: principal.client(),
        });
    let is_turn = turn.is_some();
    let attempt = SignInRequest {
        name: form.text("name"),
        password: form.text("password"),
        address: peer_address(request),
        client: principal.client(),
        before: principal.cookie().map(Secret::key),
    };
    let metrics = pages.site.app.metrics();
    let count = |result| metrics.sign_ins.with_label_values(&[result]).inc();
    let signed_in = match turn {
        Some(turn) => {
            let begun = staff.begin_turn(turn).await;
            // The station keeps its secret.
            begun.and_then(|()| principal.cookie().cloned().ok_or(SignInError::Wrong))
        }
        None => staff.sign_in(attempt).await,
    };
    let failure = match signed_in {
        Ok(secret) => {
            count("ok");
            let signed_in = principal.with_cookie(secret.clone());
            let response = match unsaved {
                Some(unsaved) if unsaved.is_by(&signed_in) => {
                    let pages = PageResponder::new(pages.site.clone(), signed_in);
                    unsaved.show(&pages, Reason::SignedIn)?
                }
                // Neither the text nor the page it belongs to is shown to another account.
                Some(_) => redirect(HOME),
                None => redirect(&next),
            };
            return Ok(with_session(response, principal, &secret));
        }
        Err(SignInError::Wrong) => {
            count("wrong");
            Failure::unauthorized(if is_turn {
                "Wrong name or PIN."
            } else {
                "Wrong name or password."
            })
        }
        Err(SignInError::TooMany { retry_after }) => {
            count("too-many");
            too_many_attempts(retry_after)
        }
        Err(SignInError::Failed(error)) => return Err(Failure::from(error).into()),
    };
    let mut page = sign_in_page(principal, &next);
    if !is_turn {
        page.people = None;
    }
    page.entered = form.text("name").to_owned();
    page.problem = Some(failure.detail.clone());
    page.pending = unsaved.as_ref().map(UnsavedForm::pending);
    pages.show_refused(&page, &failure)
}

/// Ends the session, or at a station the turn.
#[handler]
pub async fn sign_out(pages: PageResponder, _form: Form) -> poem::Result<Response> {
    let person = SignedIn::at_any_browser(&pages.principal)?;
    let edit =
        person.edit(|accounts, person| accounts.sessions().end(person.key, &person.actor.author));
    edit.await?;
    Ok(if pages.principal.station().is_some() {
        without_account(redirect(PATH), &pages.principal)
    } else {
        without_session(redirect(HOME), &pages.principal)
    })
}

/// Returns the page for this browser: that of a station if it is one.
fn sign_in_page(principal: &Principal, next: &str) -> SignInPage {
    let mut page = SignInPage::new(next);
    let station = principal.station();
    let staff = principal.authenticator().staff().ok();
    page.people = station.zip(staff).map(|(station, staff)| {
        let people = staff.accounts().stations().people(&station);
        people.iter().map(ToString::to_string).collect()
    });
    page
}

/// Removes from the browser which account is signed in, and the pages that it cached, but not its session.
pub fn without_account(mut response: Response, principal: &Principal) -> Response {
    let headers = response.headers_mut();
    let cookie = principal.authenticator().cookies().clear_account();
    headers.append(header::SET_COOKIE, cookie);
    clear_cache(headers);
    response
}

/// Removes the session from the browser, and the pages that the browser cached: Back would show what
/// was typed. Browsers honour `Clear-Site-Data` over https and on localhost only; elsewhere the pages'
/// script compares the account.
pub fn without_session(mut response: Response, principal: &Principal) -> Response {
    let headers = response.headers_mut();
    for cookie in principal.clear_cookies() {
        headers.append(header::SET_COOKIE, cookie);
    }
    clear_cache(headers);
    response
}

fn clear_cache(headers: &mut HeaderMap) {
    let clear = HeaderName::from_static("clear-site-data");
    headers.insert(clear, HeaderValue::from_static("\"cache\""));
}

/// Stores a new session in the browser.
pub fn with_session(mut response: Response, principal: &Principal, secret: &Secret) -> Response {
    let authenticator = principal.authenticator();
    let headers = response.headers_mut();
    headers.append(header::SET_COOKIE, authenticator.session_cookie(secret));
    if let Ok((account, _)) = principal.with_cookie(secret.clone()).person() {
        let cookie = authenticator.account_cookie(account.name.as_str());
        headers.append(header::SET_COOKIE, cookie);
    }
    response
}

/// The failure for too many attempts to enter a password.
pub fn too_many_attempts(retry_after: Duration) -> Failure {
    let seconds = retry_after.as_secs() + 1;
    let detail = format!("Too many attempts. Try again in {seconds} seconds.");
    Failure::too_often(detail, seconds)
}

/// Returns the address that a request came from. It is used only to count attempts.
pub fn peer_address(request: &Request) -> IpAddr {
    let address = request.remote_addr().as_socket_addr();
    address.map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), std::net::SocketAddr::ip)
}

/// Returns `next` if it is a path of this site, and no browser can read it as the URL of another site
/// (open redirect).
fn local_path(next: Option<&str>) -> String {
    let is_plain = |letter: char| letter.is_ascii_graphic() && letter != '\\';
    let leaves = |next: &str| {
        let path = next.split(['?', '#']).next().unwrap_or_default();
        let path = path.to_ascii_lowercase().replace("%2e", ".");
        path.split('/').any(|segment| segment == "..")
    };
    let next = next.filter(|next| {
        let is_path = next.starts_with('/') && !next.starts_with("//");
        is_path && next.chars().all(is_plain) && !leaves(next)
    });
    next.unwrap_or(HOME).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signing_in_leads_to_a_page_of_this_site_and_never_to_another_site() {
        for own in ["/pets", "/pets/7/edit", "/account?x=y#z", "/"] {
            assert_eq!(local_path(Some(own)), own);
        }
        for foreign in [
            "https://evil.example/",
            "//evil.example",
            "/\\evil.example",
            "\\\\evil.example",
            "/\t/evil.example",
            "/\n/evil.example",
            "javascript:alert(1)",
            "/../x",
            "/pets/%2E./../x",
            "pets",
            " /pets",
            "",
        ] {
            assert_eq!(local_path(Some(foreign)), HOME, "{foreign:?}");
        }
        assert_eq!(local_path(None), HOME);
    }
}
