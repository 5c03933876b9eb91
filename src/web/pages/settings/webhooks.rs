//! The pages on which admins manage webhooks and read their delivery logs.

use std::sync::Arc;
use std::time::Duration;

use poem::http::StatusCode;
use poem::web::{Path, Query};
use poem::{Response, handler};
use serde::Deserialize;
use tokio::time::{Instant, sleep};

use super::super::flash::Flash;
use super::super::form::{self, Form};
use super::super::response::{PageResponder, redirect};
use crate::auth::{Administrator, SignedIn};
use crate::error::Failure;
use crate::model::{DeliveryResult, Webhook, WebhookId, WebhookInput};
use crate::views::{ConfirmPage, FormPage, Now, WebhookPage, WebhooksPage, webhook_form};

/// Path of the list, to which the form for a new webhook is sent.
pub const PATH: &str = "/settings/webhooks";

/// How long the answer to a test waits for the receiver, which has 15 s.
const TEST_TIMEOUT: Duration = Duration::from_secs(17);

/// Interval at which the result of a test is looked up in memory.
const TEST_INTERVAL: Duration = Duration::from_millis(100);

/// Shows the list.
#[handler]
pub fn show_list(
    Administrator(admin): Administrator,
    pages: PageResponder,
) -> poem::Result<Response> {
    let staff = admin.staff().map_err(Failure::from)?;
    let webhooks = staff.accounts().webhooks().list();
    let mut page = WebhooksPage::new(webhooks.iter().map(AsRef::as_ref));
    page.flash = pages.flash();
    pages.show_with_flash(&page)
}

/// Shows the form for a new webhook.
#[handler]
pub fn show_new(_admin: Administrator, pages: PageResponder) -> poem::Result<Response> {
    let mut page = webhook_form(None, &WebhookInput::blank(), &[]);
    page.hidden.push(form::new_key());
    pages.show(&page)
}

/// Adds a webhook. A form that is sent twice succeeds twice, and adds one.
#[handler]
pub async fn add(
    Administrator(admin): Administrator,
    pages: PageResponder,
    form: Form,
) -> poem::Result<Response> {
    let input = read_input(&form);
    let key = form.one_time_key().and_then(|key| key.get(..8));
    let key = key.and_then(|digits| digits.parse().ok());
    let id = key.unwrap_or_else(|| WebhookId::new(rand::random()));
    let (own, position) = (input.clone(), pages.site.app.hub().cursor());
    let added = admin.edit(move |accounts, admin| {
        let webhooks = accounts.webhooks();
        webhooks.add(id, &own, position, &admin.actor)
    });
    match added.await? {
        Ok(()) => Ok(redirect(&address(id))),
        Err(errors) => {
            let mut page = webhook_form(None, &input, &errors);
            page.hidden = form.hidden(|name| name == form::KEY);
            pages.show_with_status(&page, StatusCode::UNPROCESSABLE_ENTITY)
        }
    }
}

/// Query of the page of a webhook.
#[derive(Deserialize)]
struct ActionQuery {
    /// The action to confirm.
    #[serde(default, rename = "do")]
    action: String,
}

/// Shows a webhook, or asks whether to remove it.
#[handler]
pub fn show(
    Administrator(admin): Administrator,
    pages: PageResponder,
    Path(id): Path<String>,
    Query(query): Query<ActionQuery>,
) -> poem::Result<Response> {
    let webhook = find(&admin, &id)?;
    if query.action == "remove" {
        return pages.show(&removal(&webhook));
    }
    let now = Now::new(&pages.site.app.rescue());
    let staff = admin.staff().map_err(Failure::from)?;
    let notice = staff.accounts().webhooks().notice(webhook.id);
    let mut page = WebhookPage::new(&webhook, notice, &now);
    page.flash = pages.flash();
    pages.show_with_flash(&page)
}

/// Shows the form of a webhook.
#[handler]
pub fn show_edit(
    Administrator(admin): Administrator,
    pages: PageResponder,
    Path(id): Path<String>,
) -> poem::Result<Response> {
    let webhook = find(&admin, &id)?;
    let input = WebhookInput::from_webhook(&webhook);
    pages.show(&webhook_form(Some(webhook.id), &input, &[]))
}

/// Edits a webhook.
#[handler]
pub async fn save(
    Administrator(admin): Administrator,
    pages: PageResponder,
    Path(id): Path<String>,
    form: Form,
) -> poem::Result<Response> {
    let id = find(&admin, &id)?.id;
    let input = read_input(&form);
    let own = input.clone();
    let edited =
        admin.edit(move |accounts, admin| accounts.webhooks().edit(id, &own, &admin.actor));
    match edited.await? {
        Ok(()) => Ok(redirect(&address(id))),
        Err(errors) => {
            let page = webhook_form(Some(id), &input, &errors);
            pages.show_with_status(&page, StatusCode::UNPROCESSABLE_ENTITY)
        }
    }
}

/// Sends a test or a delivery again, pauses, resumes or removes a webhook. Asks before the last.
#[handler]
pub async fn act(
    Administrator(admin): Administrator,
    pages: PageResponder,
    Path(id): Path<String>,
    form: Form,
) -> poem::Result<Response> {
    let webhook = find(&admin, &id)?;
    let id = webhook.id;
    let position = pages.site.app.hub().cursor();
    let done = match form.text("do") {
        "test" => {
            let delivery = format!("test-{:016x}", rand::random::<u64>());
            return send(&admin, &pages, id, delivery).await;
        }
        "again" => {
            let delivery = form.text("delivery").to_owned();
            let progress = &webhook.progress;
            let mut reported = progress.reports.iter().map(|report| &report.id);
            let mut waiting = progress.waiting.iter().map(|waiting| &waiting.id);
            let is_known = reported.any(|id| *id == delivery) || waiting.any(|id| *id == delivery);
            if !is_known || delivery.is_empty() {
                return Err(Failure::not_found("The log has no such delivery any more.").into());
            }
            return send(&admin, &pages, id, delivery).await;
        }
        "remove" if !form.is_confirmed() => {
            let page = removal(&webhook);
            return pages.show_with_status(&page, StatusCode::UNPROCESSABLE_ENTITY);
        }
        "remove" => {
            let edit =
                admin.edit(move |accounts, admin| accounts.webhooks().remove(id, &admin.actor));
            edit.await?;
            return Ok(redirect(PATH));
        }
        "pause" => true,
        "resume" => false,
        _ => {
            let detail = "do must be test, again, pause, resume or remove.";
            return Err(Failure::invalid(detail).into());
        }
    };
    let edit = admin.edit(move |accounts, admin| {
        let webhooks = accounts.webhooks();
        webhooks.set_paused(id, done, position, &admin.actor)
    });
    edit.await?;
    Ok(redirect(&address(id)))
}

/// Makes a delivery due, and waits for its next report, from whichever node sends it.
async fn send(
    admin: &SignedIn,
    pages: &PageResponder,
    id: WebhookId,
    delivery: String,
) -> poem::Result<Response> {
    let staff = admin.staff().map_err(Failure::from)?;
    let webhook = || staff.accounts().webhooks().get(id);
    let last_report = || {
        let webhook = webhook()?;
        let mut reports = webhook.progress.reports.iter();
        let found = reports.find(|report| report.id == delivery)?;
        Some((found.at, found.result))
    };
    let before = last_report();
    let sent = delivery.clone();
    let edit =
        admin.edit(move |accounts, admin| accounts.webhooks().enqueue(id, &sent, &admin.actor));
    edit.await?;
    let deadline = Instant::now() + TEST_TIMEOUT;
    while last_report() == before && Instant::now() < deadline {
        if pages.site.app.stop_token().is_cancelled() {
            break;
        }
        sleep(TEST_INTERVAL).await;
    }
    let result = last_report().filter(|report| Some(report) != before.as_ref());
    let is_delivered = result.map(|(_, result)| result == DeliveryResult::Delivered);
    Ok(pages.redirect_with_flash(&address(id), &Flash::WebhookSent(is_delivered)))
}

/// Returns the form with what was entered, to be sent again to `action`; `None` if that is the address of
/// another form.
pub fn filled_form(action: &str, form: &Form) -> Option<FormPage> {
    let rest = action.strip_prefix(PATH)?;
    let edited = if rest.is_empty() {
        None
    } else {
        let id = rest.strip_prefix('/')?.strip_suffix("/edit")?;
        Some(id.parse().ok()?)
    };
    let mut page = webhook_form(edited, &read_input(form), &[]);
    page.hidden = form.hidden(|name| name == form::KEY);
    Some(page)
}

fn read_input(form: &Form) -> WebhookInput {
    let text = |name| form.text(name).trim().to_owned();
    let events = form.values("events").filter(|word| !word.is_empty());
    WebhookInput {
        name: text("name"),
        url: text("url"),
        format: text("format"),
        events: events.map(str::to_owned).collect(),
    }
}

fn removal(webhook: &Webhook) -> ConfirmPage {
    ConfirmPage {
        heading: format!("Remove the webhook {}?", webhook.name),
        consequences: vec![
            "Nothing more is sent, and what waits is dropped.".to_owned(),
            "The secret and the delivery log are deleted.".to_owned(),
        ],
        action: address(webhook.id),
        account_action: Some("remove"),
        button: "Remove webhook",
        back: PATH,
        ..ConfirmPage::default()
    }
}

fn address(id: WebhookId) -> String {
    format!("{PATH}/{id}")
}

fn find(admin: &SignedIn, id: &str) -> Result<Arc<Webhook>, Failure> {
    let id: Option<WebhookId> = id.parse().ok();
    let staff = admin.staff().map_err(Failure::from)?;
    let found = id.and_then(|id| staff.accounts().webhooks().get(id));
    found.ok_or_else(|| Failure::not_found("There is no such webhook."))
}
