//! Signing in and out.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

use poem::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, Uri, header};
use poem::web::{Data, Query};
use poem::{Request, Response, handler};
use serde::Deserialize;

use super::form::Form;
use super::response::see_other;
use super::unsaved_form::{Reason, Unsaved};
use crate::auth::{Principal, Secret, SignInError, SignInRequest, SignedIn};
use crate::error::Failure;
use crate::views::SignInPage;
use crate::web::Site;

/// Where staff work, and where whoever signs in goes when nothing else was asked for.
const HOME: &str = "/pets";

/// What the address of the page may say.
#[derive(Deserialize)]
struct Asked {
    next: Option<String>,
}

/// Sends a browser that asked for a page of staff to sign in first, and back afterwards.
pub fn redirect_to_sign_in(uri: &Uri) -> Response {
    let page = uri.path_and_query().map_or(HOME, |page| page.as_str());
    let next = serde_urlencoded::to_string([("next", page)]).unwrap_or_default();
    see_other(&format!("/sign-in?{next}"))
}

/// Answers a form of somebody who is not signed in with a sign-in page that carries the form; without a
/// form to carry, the page leads back to `page`.
pub fn ask_to_sign_in(
    site: &Site,
    caller: &Principal,
    page: Option<String>,
    unsaved: Option<Unsaved>,
) -> poem::Result<Response> {
    let next = match &unsaved {
        Some(unsaved) => unsaved.page(),
        None => local(page.as_deref()),
    };
    let pending = unsaved.as_ref().map(Unsaved::pending);
    let page = SignInPage::new(&next).with_pending(pending);
    site.show_to_stranger(caller, |site, caller| {
        site.show_again(caller, &page, StatusCode::UNAUTHORIZED)
    })
}

/// Answers a sign-in that failed for another reason than its name and password, and that carried a
/// form: with the form for its author, who may be signed in by now, else with the page that carries it.
pub fn show_failure(
    site: &Site,
    caller: &Principal,
    failure: &Failure,
    unsaved: Unsaved,
) -> poem::Result<Response> {
    if unsaved.is_by(caller) {
        return unsaved.show(site, caller, Reason::SignedIn);
    }
    let page = SignInPage::again(&unsaved.page(), "", failure.detail.clone())
        .with_pending(Some(unsaved.pending()));
    site.show_to_stranger(caller, |site, caller| {
        site.show_again(caller, &page, failure.status)
    })
}

/// The page of this site that a request was sent from: path and query of its `Referer`.
pub fn referring_page(headers: &HeaderMap) -> Option<String> {
    let referer = headers.get(header::REFERER)?.to_str().ok()?;
    let page: Uri = referer.parse().ok()?;
    Some(page.path_and_query()?.as_str().to_owned())
}

#[handler]
pub fn show_form(
    Data(site): Data<&Arc<Site>>,
    Query(asked): Query<Asked>,
    caller: Principal,
) -> poem::Result<Response> {
    caller.authenticator().staff().map_err(Failure::from)?;
    let next = local(asked.next.as_deref());
    if caller.person().is_ok() {
        return Ok(see_other(&next));
    }
    site.show_to_stranger(&caller, |site, caller| {
        site.show(caller, &SignInPage::new(&next))
    })
}

#[handler]
pub async fn sign_in(
    Data(site): Data<&Arc<Site>>,
    caller: Principal,
    request: &Request,
    form: Form,
) -> poem::Result<Response> {
    let staff = caller.authenticator().staff().map_err(Failure::from)?;
    let next = local(form.get("next"));
    let unsaved = Unsaved::of_sign_in(&form);
    let asked = SignInRequest {
        name: form.text("name"),
        password: form.text("password"),
        address: address_of(request),
        client: caller.client(),
        before: caller.cookie().map(Secret::key),
    };
    let metrics = site.app.metrics();
    let counted = |result| metrics.sign_ins.with_label_values(&[result]).inc();
    let (problem, status, retry_after) = match staff.sign_in(asked).await {
        Ok(secret) => {
            counted("ok");
            let signed_in = caller.with_cookie(secret.clone());
            let response = match unsaved {
                Some(unsaved) if unsaved.is_by(&signed_in) => {
                    unsaved.show(site, &signed_in, Reason::SignedIn)?
                }
                // The text is its author's alone; where it leads to is theirs too.
                Some(_) => see_other(HOME),
                None => see_other(&next),
            };
            return Ok(keep_session(response, &caller, &secret));
        }
        Err(SignInError::Wrong) => {
            counted("wrong");
            let problem = "Wrong name or password.".to_owned();
            (problem, StatusCode::UNAUTHORIZED, None)
        }
        Err(SignInError::TooMany { retry_after }) => {
            counted("too-many");
            let (problem, seconds) = too_many(retry_after);
            (problem, StatusCode::TOO_MANY_REQUESTS, Some(seconds))
        }
        Err(SignInError::Failed(failure)) => return Err(failure.into()),
    };
    let page = SignInPage::again(&next, form.text("name"), problem)
        .with_pending(unsaved.as_ref().map(Unsaved::pending));
    let mut response = site.show_again(&caller, &page, status)?;
    let headers = response.headers_mut();
    match retry_after {
        Some(seconds) => headers.insert(header::RETRY_AFTER, seconds.into()),
        None => headers.insert(header::WWW_AUTHENTICATE, Failure::challenge()),
    };
    Ok(response)
}

#[handler]
pub async fn sign_out(person: SignedIn, caller: Principal, _form: Form) -> poem::Result<Response> {
    let ending =
        person.edit(|directory, person| directory.sessions().end(person.key, &person.actor.author));
    ending.await?;
    Ok(forget_session(see_other(HOME), &caller))
}

/// Has the browser forget its session, and the pages that it keeps: Back would show what was typed.
/// Browsers follow `Clear-Site-Data` over https and on this machine only; elsewhere the pages'
/// script compares the account.
pub fn forget_session(mut response: Response, caller: &Principal) -> Response {
    let headers = response.headers_mut();
    for forget in caller.clear_cookies() {
        headers.append(header::SET_COOKIE, forget);
    }
    let clear = HeaderName::from_static("clear-site-data");
    headers.insert(clear, HeaderValue::from_static("\"cache\""));
    response
}

/// Has the browser keep its new session.
pub fn keep_session(mut response: Response, caller: &Principal, secret: &Secret) -> Response {
    let keep = caller.authenticator().session_cookie(secret);
    response.headers_mut().append(header::SET_COOKIE, keep);
    if let Ok((account, _)) = caller.with_cookie(secret.clone()).person() {
        let keep = caller.authenticator().account_cookie(account.name.as_str());
        response.headers_mut().append(header::SET_COOKIE, keep);
    }
    response
}

/// What somebody who tried too often is told, and the seconds to wait.
pub fn too_many(retry_after: std::time::Duration) -> (String, u64) {
    let seconds = retry_after.as_secs() + 1;
    let problem = format!("Too many attempts. Try again in {seconds} seconds.");
    (problem, seconds)
}

/// The address that a request came from, which is only used to count tries.
pub fn address_of(request: &Request) -> IpAddr {
    let address = request.remote_addr().as_socket_addr();
    address.map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |address| address.ip())
}

/// A page of this site to go on to, whatever was asked for: a path that no browser reads as the
/// address of another site.
fn local(next: Option<&str>) -> String {
    let is_plain = |letter: char| letter.is_ascii_graphic() && letter != '\\';
    let next = next.filter(|next| {
        next.starts_with('/') && !next.starts_with("//") && next.chars().all(is_plain)
    });
    next.unwrap_or(HOME).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whoever_signs_in_goes_on_to_a_page_of_this_site_and_never_to_another() {
        for own in ["/pets", "/pets/7/edit", "/account?x=y#z", "/"] {
            assert_eq!(local(Some(own)), own);
        }
        for foreign in [
            "https://evil.example/",
            "//evil.example",
            "/\\evil.example",
            "\\\\evil.example",
            "/\t/evil.example",
            "/\n/evil.example",
            "javascript:alert(1)",
            "pets",
            " /pets",
            "",
        ] {
            assert_eq!(local(Some(foreign)), HOME, "{foreign:?}");
        }
        assert_eq!(local(None), HOME);
    }
}
