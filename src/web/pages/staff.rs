//! Who is staff, for admins: invite, change roles, reset, disable, remove.

use std::sync::Arc;

use poem::http::{HeaderMap, StatusCode};
use poem::web::{Data, Path, Query};
use poem::{Request, Response, handler};
use serde::Deserialize;

use super::account_action::Order;
use super::confirmation::{ask_first, is_confirmed};
use super::flash::{Done, Ended};
use super::form::{self, Form};
use super::invitation::invitation_path;
use super::response::see_done;
use super::response::see_other;
use crate::auth::{AccountsError, Administrator, Principal, Secret, SignedIn};
use crate::error::{Failure, at_field};
use crate::model::{AccountName, AccountNameError, FieldError, Role};
use crate::views::{ConfirmPage, StaffPage};
use crate::web::Site;

pub const ADDRESS: &str = "/staff";

#[handler]
pub fn show_staff(
    Administrator(admin): Administrator,
    Data(site): Data<&Arc<Site>>,
    caller: Principal,
    headers: &HeaderMap,
) -> poem::Result<Response> {
    site.show_after(&caller, headers, |done| {
        Ok(staff_page(site, &admin)?.with_done(done))
    })
}

/// The query of the confirmation page: the order to confirm.
#[derive(Deserialize)]
struct Asked {
    #[serde(default, rename = "do")]
    order: String,
}

/// Asks for the confirmation of an order that revokes or removes something.
#[handler]
pub fn confirm(
    Administrator(admin): Administrator,
    Data(site): Data<&Arc<Site>>,
    Path(name): Path<String>,
    Query(asked): Query<Asked>,
    caller: Principal,
) -> poem::Result<Response> {
    let order = Order::read(&asked.order)?;
    let asking = name
        .parse()
        .map_err(unknown)
        .and_then(|name| question(order, &name, &admin));
    match asking {
        Ok(Some(question)) => site.show(&caller, &question),
        Ok(None) => Ok(see_other(ADDRESS)),
        Err(failure) => show_refused(site, &caller, &admin, failure),
    }
}

#[handler]
pub async fn invite(
    Administrator(admin): Administrator,
    Data(site): Data<&Arc<Site>>,
    caller: Principal,
    request: &Request,
    form: Form,
) -> poem::Result<Response> {
    let again = |error: &FieldError| {
        let page = staff_page(site, &admin)?.with_error(form.text("name"), error);
        site.show_again(&caller, &page, StatusCode::UNPROCESSABLE_ENTITY)
    };
    let read = |form: &Form| Ok((form.read("name")?, form.read("role")?));
    let (name, role): (AccountName, Role) = match read(&form) {
        Ok(read) => read,
        Err(error) => return again(&error),
    };
    let invited = name.clone();
    let admin = admin.clone().with_request(form.one_time_key());
    let inviting = admin.edit(move |directory, admin| {
        let made = directory.invitations().invite(&invited, role, &admin.actor);
        match made {
            Err(error @ AccountsError::NameTaken(_)) => Ok(Err(error)),
            made => made.map(Ok),
        }
    });
    match inviting.await? {
        Ok(secret) => show_link(site, &caller, &admin, request, (&name, &secret)),
        Err(taken) => again(&at_field("name", &taken)),
    }
}

#[handler]
pub async fn edit(
    Administrator(admin): Administrator,
    Data(site): Data<&Arc<Site>>,
    Path(name): Path<String>,
    caller: Principal,
    request: &Request,
    form: Form,
) -> poem::Result<Response> {
    let order = Order::read(form.text("do"))?;
    let admin = admin.with_request(form.one_time_key());
    match carry_out(order, &name, &admin, is_confirmed(&form)).await {
        Ok(Outcome::Asked(question)) => ask_first(site, &caller, &question),
        Ok(Outcome::Made(name, secret)) => {
            show_link(site, &caller, &admin, request, (&name, &secret))
        }
        Ok(Outcome::Done(done)) => Ok(see_done(ADDRESS, &done, &caller)),
        Err(failure) => show_refused(site, &caller, &admin, failure),
    }
}

/// The outcome of an order.
enum Outcome {
    Asked(Box<ConfirmPage>),
    /// A link was made for somebody.
    Made(AccountName, Secret),
    Done(Done),
}

async fn carry_out(
    order: Order,
    name: &str,
    admin: &SignedIn,
    is_confirmed: bool,
) -> Result<Outcome, Failure> {
    let name: AccountName = name.parse().map_err(unknown)?;
    if !is_confirmed && let Some(question) = question(order, &name, admin)? {
        return Ok(Outcome::Asked(Box::new(question)));
    }
    let of = name.clone();
    let editing = admin.edit(move |directory, admin| {
        let ended = Ended::of(directory, &of);
        let made = order.carry_out(directory, &of, &admin.actor)?;
        Ok((made, ended))
    });
    let (made, ended) = editing.await?;
    if let Some(secret) = made {
        return Ok(Outcome::Made(name, secret));
    }
    let done = order.done(name, ended).ok_or_else(Failure::internal)?;
    Ok(Outcome::Done(done))
}

/// Returns the question before an order; None if the order needs no confirmation.
///
/// # Errors
/// 404 for an account that is not there.
fn question(
    order: Order,
    name: &AccountName,
    admin: &SignedIn,
) -> Result<Option<ConfirmPage>, Failure> {
    let members = admin.staff()?.accounts().members().list();
    let member = members.iter().find(|member| member.account.name == *name);
    let member = member.ok_or_else(|| AccountsError::UnknownAccount(name.to_string()))?;
    Ok(order.question(member, *name == admin.account.name))
}

/// Shows why an order was refused, on the page of staff, unless the caller is no longer an admin.
fn show_refused(
    site: &Site,
    caller: &Principal,
    admin: &SignedIn,
    failure: Failure,
) -> poem::Result<Response> {
    if [StatusCode::UNAUTHORIZED, StatusCode::FORBIDDEN].contains(&failure.status) {
        return Err(failure.into());
    }
    let page = staff_page(site, admin)?.with_notice(&failure.detail);
    let mut response = site.show_again(caller, &page, failure.status)?;
    failure.add_headers(response.headers_mut());
    Ok(response)
}

fn unknown(_: AccountNameError) -> Failure {
    Failure::not_found("There is no such account.")
}

/// Shows the link that somebody chooses a password with. Only this once: the store has its hash.
fn show_link(
    site: &Site,
    caller: &Principal,
    admin: &SignedIn,
    request: &Request,
    (name, secret): (&AccountName, &Secret),
) -> poem::Result<Response> {
    if *name == admin.account.name {
        // Whoever resets their own password has no page of staff any more.
        return Ok(see_other(&invitation_path(secret)));
    }
    let origin = match caller.authenticator().base() {
        Some(base) => base.origin().to_owned(),
        None => {
            let host = request.header("host").unwrap_or_default();
            format!("http://{host}")
        }
    };
    let link = format!("{origin}{}", invitation_path(secret));
    site.show(caller, &staff_page(site, admin)?.with_link(name, link))
}

fn staff_page(site: &Site, admin: &SignedIn) -> Result<StaffPage, Failure> {
    let members = admin.staff()?.accounts().members().list();
    let page = StaffPage::new(&members, &admin.account.name);
    let page = page.with_request_key(form::new_key().1);
    Ok(page.with_unnamed_proxy(site.app.limiter().suspects_unnamed_proxy()))
}
