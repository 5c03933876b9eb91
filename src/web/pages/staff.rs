//! The page on which admins manage staff: invite, change roles, reset, suspend, remove.

use poem::http::StatusCode;
use poem::web::{Path, Query};
use poem::{Request, Response, handler};
use serde::Deserialize;

use super::account_action::{AccountAction, ActionResult};
use super::form::{self, Form};
use super::invitation::invitation_path;
use super::response::{PageResponder, redirect};
use crate::auth::{AccountsError, Administrator, Secret, SignedIn};
use crate::error::{Failure, at_field};
use crate::model::{AccountName, FieldError, Role};
use crate::views::{ConfirmPage, FieldMessages, StaffPage};

/// Path of the page.
pub const PATH: &str = "/staff";

/// Shows all accounts.
#[handler]
pub fn show_staff(
    Administrator(admin): Administrator,
    pages: PageResponder,
) -> poem::Result<Response> {
    let mut page = staff_page(&pages, &admin)?;
    page.flash = pages.flash();
    pages.show_with_flash(&page)
}

/// Query of the confirmation page.
#[derive(Deserialize)]
struct ConfirmQuery {
    /// The action to confirm.
    #[serde(default, rename = "do")]
    action: String,
}

/// Asks whether to carry out an action that ends or removes something.
#[handler]
pub fn confirm_action(
    Administrator(admin): Administrator,
    pages: PageResponder,
    Path(name): Path<String>,
    Query(query): Query<ConfirmQuery>,
) -> poem::Result<Response> {
    let action = AccountAction::parse(&query.action)?;
    match parse_name(&name).and_then(|name| question(action, &name, &admin)) {
        Ok(Some(question)) => pages.show(&question),
        Ok(None) => Ok(redirect(PATH)),
        Err(failure) => show_refused(&pages, &admin, failure),
    }
}

/// Creates an account and a link with which its owner chooses a password.
#[handler]
pub async fn invite(
    Administrator(admin): Administrator,
    pages: PageResponder,
    request: &Request,
    form: Form,
) -> poem::Result<Response> {
    let show_error = |error: &FieldError| {
        let mut page = staff_page(&pages, &admin)?;
        page.entered = form.text("name").to_owned();
        page.errors = FieldMessages::new([error]);
        pages.show_with_status(&page, StatusCode::UNPROCESSABLE_ENTITY)
    };
    let parse = || Ok((form.parse_field("name")?, form.parse_field("role")?));
    let (name, role): (AccountName, Role) = match parse() {
        Ok(parsed) => parsed,
        Err(error) => return show_error(&error),
    };
    let invited = name.clone();
    let admin = admin.clone().with_request(form.one_time_key());
    let edit = admin.edit(move |accounts, admin| {
        match accounts.invitations().invite(&invited, role, &admin.actor) {
            Err(error @ AccountsError::NameTaken(_)) => Ok(Err(error)),
            invited => invited.map(Ok),
        }
    });
    match edit.await? {
        Ok(secret) => show_link(&pages, &admin, request, &name, &secret),
        Err(taken) => show_error(&at_field("name", &taken)),
    }
}

/// Carries out an action on an account. Asks first if the form does not contain the confirmation.
#[handler]
pub async fn act(
    Administrator(admin): Administrator,
    pages: PageResponder,
    Path(name): Path<String>,
    request: &Request,
    form: Form,
) -> poem::Result<Response> {
    let action = AccountAction::parse(form.text("do"))?;
    let admin = admin.with_request(form.one_time_key());
    let acted = async {
        let name = parse_name(&name)?;
        if !form.is_confirmed()
            && let Some(question) = question(action, &name, &admin)?
        {
            return Ok(pages.show_with_status(&question, StatusCode::UNPROCESSABLE_ENTITY));
        }
        let target = name.clone();
        let edit = admin.edit(move |accounts, admin| action.apply(accounts, &target, &admin.actor));
        Ok(match edit.await? {
            ActionResult::Link(secret) => show_link(&pages, &admin, request, &name, &secret),
            ActionResult::Message(flash) => Ok(pages.redirect_with_flash(PATH, &flash)),
        })
    };
    acted
        .await
        .unwrap_or_else(|failure| show_refused(&pages, &admin, failure))
}

/// Returns the question to ask before an action; `None` if the action needs no confirmation.
///
/// # Errors
/// 404 for an unknown account.
fn question(
    action: AccountAction,
    name: &AccountName,
    admin: &SignedIn,
) -> Result<Option<ConfirmPage>, Failure> {
    let members = admin.staff()?.accounts().members().list();
    let member = members.iter().find(|member| member.account.name == *name);
    let member = member.ok_or_else(|| AccountsError::UnknownAccount(name.to_string()))?;
    Ok(action.question(member, *name == admin.account.name))
}

/// Shows on the page of staff why an action was refused.
///
/// # Errors
/// The failure itself, if the principal is no longer an admin.
fn show_refused(
    pages: &PageResponder,
    admin: &SignedIn,
    failure: Failure,
) -> poem::Result<Response> {
    if [StatusCode::UNAUTHORIZED, StatusCode::FORBIDDEN].contains(&failure.status) {
        return Err(failure.into());
    }
    let mut page = staff_page(pages, admin)?;
    page.notice = Some(("Nothing was changed", failure.detail.clone()));
    pages.show_refused(&page, &failure)
}

fn parse_name(text: &str) -> Result<AccountName, Failure> {
    text.parse()
        .map_err(|_| Failure::not_found("There is no such account."))
}

/// Shows a link to choose a password. It cannot be shown again: only its hash is stored.
fn show_link(
    pages: &PageResponder,
    admin: &SignedIn,
    request: &Request,
    name: &AccountName,
    secret: &Secret,
) -> poem::Result<Response> {
    if *name == admin.account.name {
        // An admin who resets their own password is signed out, and cannot read the page of staff.
        return Ok(redirect(&invitation_path(secret)));
    }
    let site = match pages.principal.authenticator().base() {
        Some(base) => base.site(),
        None => format!("http://{}", request.header("host").unwrap_or_default()),
    };
    let link = format!("{site}{}", invitation_path(secret));
    let mut page = staff_page(pages, admin)?;
    page.link = Some((name.to_string(), link));
    pages.show(&page)
}

fn staff_page(pages: &PageResponder, admin: &SignedIn) -> Result<StaffPage, Failure> {
    let members = admin.staff()?.accounts().members().list();
    let mut page = StaffPage::new(&members, &admin.account.name);
    page.request_key = form::new_key().1;
    page.has_unnamed_proxy = pages.site.app.limiter().suspects_unnamed_proxy();
    Ok(page)
}
