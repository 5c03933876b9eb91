//! The form for a webhook, and the pages that list webhooks and their deliveries.

use serde::Serialize;

use super::super::choice::Choice;
use super::super::counted;
use super::super::time_text::{Now, TimeView};
use super::{FieldView, FormPage};
use crate::model::{
    DeliveryReport, DeliveryResult, FieldError, WaitingDelivery, Webhook, WebhookEvent,
    WebhookFormat, WebhookId, WebhookInput, WebhookProgress,
};

/// Deliveries that wait and are listed at most.
const WAITING_SHOWN: usize = 20;

/// Returns the form that adds a webhook, or edits the one with the id `edited`, with what was entered and its
/// errors.
pub fn webhook_form(
    edited: Option<WebhookId>,
    input: &WebhookInput,
    errors: &[FieldError],
) -> FormPage {
    let list = "/settings/webhooks";
    let is_chosen = |word: &str| input.events.iter().any(|chosen| chosen == word);
    let formats = WebhookFormat::ALL.iter();
    let events = WebhookEvent::ALL.iter();
    let fields = [
        FieldView {
            name: "name",
            label: "Name",
            hint: "For example \u{201c}Volunteers\u{2019} channel\u{201d}. Only admins see it",
            kind: "line",
            input: "text",
            limit: Some(WebhookInput::NAME_LIMIT),
            value: input.name.clone(),
            ..FieldView::default()
        },
        FieldView {
            name: "format",
            label: "Format",
            kind: "choice",
            value: input.format.clone(),
            choices: formats
                .map(|(_, word, name)| Choice::new(word, name, *word == input.format))
                .collect(),
            ..FieldView::default()
        },
        FieldView {
            name: "url",
            label: "Address",
            hint: "Copied from the program that receives the messages. Keep it private: it is often a key",
            kind: "line",
            input: "link",
            limit: Some(WebhookInput::URL_LIMIT),
            value: input.url.clone(),
            ..FieldView::default()
        },
        FieldView {
            name: "events",
            label: "Send",
            hint: "Never about a pet that is private",
            kind: "words",
            choices: events
                .map(|(_, word, _, name)| Choice::new(word, name, is_chosen(word)))
                .collect(),
            ..FieldView::default()
        },
    ];
    let (heading, submit) = match edited {
        Some(_) => ("Edit webhook", "Save"),
        None => ("Add a webhook", "Add webhook"),
    };
    let page = edited.map_or_else(|| list.to_owned(), |id| format!("{list}/{id}"));
    FormPage {
        heading: heading.to_owned(),
        action: edited.map_or_else(|| list.to_owned(), |_| format!("{page}/edit")),
        submit,
        cancel: page,
        // The address.
        has_secret: true,
        ..FormPage::with_fields(fields, errors)
    }
}

/// The list of webhooks, for admins.
#[derive(Serialize)]
pub struct WebhooksPage {
    webhooks: Vec<WebhookRow>,
    can_add: bool,
    limit: usize,
    /// Message of the last form.
    pub flash: Option<String>,
}

#[derive(Serialize)]
struct WebhookRow {
    id: String,
    name: String,
    format: &'static str,
    events: String,
    state: String,
}

impl WebhooksPage {
    /// The page with `webhooks`.
    pub fn new<'a>(webhooks: impl Iterator<Item = &'a Webhook>) -> Self {
        let webhooks: Vec<WebhookRow> = webhooks.map(WebhookRow::new).collect();
        WebhooksPage {
            can_add: webhooks.len() < Webhook::LIMIT,
            webhooks,
            limit: Webhook::LIMIT,
            flash: None,
        }
    }
}

impl WebhookRow {
    fn new(webhook: &Webhook) -> Self {
        let event = |event: &WebhookEvent| event.names().2;
        let events: Vec<&str> = webhook.events.iter().map(event).collect();
        WebhookRow {
            id: webhook.id.to_string(),
            name: webhook.name.clone(),
            format: webhook.format.names().1,
            events: events.join(", "),
            state: state(webhook),
        }
    }
}

/// A webhook with its deliveries.
#[derive(Serialize)]
pub struct WebhookPage {
    webhook: WebhookRow,
    url: String,
    /// Key of the signatures, in the format whose receivers check them.
    secret: Option<String>,
    is_paused: bool,
    /// Failure that keeps the server from sending.
    notice: Option<String>,
    waiting: Vec<WaitingView>,
    /// Deliveries that wait and are not in `waiting`.
    waiting_more: usize,
    reports: Vec<ReportView>,
    reports_kept: usize,
    /// Message of the last form.
    pub flash: Option<String>,
}

#[derive(Serialize)]
struct WaitingView {
    id: String,
    attempts: String,
    due: TimeView,
}

#[derive(Serialize)]
struct ReportView {
    id: String,
    about: String,
    at: TimeView,
    result: &'static str,
    is_problem: bool,
    attempt: u32,
    took_ms: u64,
    status: Option<u16>,
    detail: String,
    retry_at: Option<TimeView>,
}

impl WebhookPage {
    /// The page of `webhook`. `notice` is the failure that keeps the server from sending.
    pub fn new(webhook: &Webhook, notice: Option<String>, now: &Now) -> Self {
        let progress = &webhook.progress;
        let waiting = progress.waiting.iter().take(WAITING_SHOWN);
        let reports = progress.reports.iter();
        let is_signed = webhook.format == WebhookFormat::Standard;
        WebhookPage {
            webhook: WebhookRow::new(webhook),
            url: webhook.url.clone(),
            secret: is_signed.then(|| webhook.secret.to_string()),
            is_paused: webhook.is_paused,
            notice,
            waiting: waiting
                .map(|waiting| WaitingView::new(waiting, now))
                .collect(),
            waiting_more: progress.waiting.len().saturating_sub(WAITING_SHOWN),
            reports: reports.map(|report| ReportView::new(report, now)).collect(),
            reports_kept: WebhookProgress::REPORTS_KEPT,
            flash: None,
        }
    }
}

impl WaitingView {
    fn new(waiting: &WaitingDelivery, now: &Now) -> Self {
        WaitingView {
            id: waiting.id.clone(),
            attempts: counted(waiting.attempts as usize, "attempt", "attempts"),
            due: TimeView::new(waiting.due, now),
        }
    }
}

impl ReportView {
    fn new(report: &DeliveryReport, now: &Now) -> Self {
        let result = match report.result {
            DeliveryResult::Delivered => "delivered",
            DeliveryResult::Failed => "failed",
            DeliveryResult::GivenUp => "given up",
            DeliveryResult::NotSent => "not sent",
        };
        ReportView {
            id: report.id.clone(),
            about: report.about.clone(),
            at: TimeView::new(report.at, now),
            result,
            is_problem: report.result != DeliveryResult::Delivered,
            attempt: report.attempt,
            took_ms: report.took_ms,
            status: report.status,
            detail: report.detail.clone(),
            retry_at: report.retry_at.map(|at| TimeView::new(at, now)),
        }
    }
}

/// Describes how a webhook does.
fn state(webhook: &Webhook) -> String {
    let progress = &webhook.progress;
    let waiting = match progress.waiting.len() {
        0 => String::new(),
        count => format!(", {} waiting", counted(count, "delivery", "deliveries")),
    };
    let state = if webhook.is_paused {
        "paused".to_owned()
    } else if progress.failures > 0 {
        let attempts = counted(progress.failures as usize, "attempt", "attempts");
        format!("failing: the last {attempts} failed")
    } else if progress.reports.is_empty() {
        "nothing sent yet".to_owned()
    } else {
        "working".to_owned()
    };
    state + &waiting
}
