//! Returns a refused form to its author, so that no text is lost.
//!
//! `body_limit` and `rate_limit` keep the body of a form in a `SentForm`. When the request fails,
//! `error_pages` answers with the same form, filled in, or with a sign-in page that carries the form in
//! hidden fields. Nothing is stored on the server: the answer contains the whole form. Passwords are
//! never returned.
//!
//! A form carries the account that it was rendered for, its author. Nobody who is signed in to another
//! account gets the text. The name is not authenticated: whoever can change it in the form can read the
//! form, and a form that another site sent is not read at all.

use std::sync::{Arc, OnceLock};

use bytes::Bytes;
use poem::http::{StatusCode, Uri};
use poem::{Request, Response};

use super::bulk;
use super::form::{self, Form};
use super::response::PageResponder;
use super::settings;
use crate::auth::Principal;
use crate::error::Failure;
use crate::model::{Cursor, Pet, PetId, Profile, Status};
use crate::views::{ErrorPage, FormPage, PendingForm, RetryForm};
use crate::web::Site;

/// Hidden fields of the sign-in page that carry a form: its address, its fields, its author.
const PENDING_ACTION: &str = "pending-action";
const PENDING_FIELDS: &str = "pending";
const PENDING_AUTHOR: &str = "pending-author";

/// Hidden field of every form with the account that it was rendered for.
const AUTHOR: &str = "author";

/// Fields that are never returned: passwords, PINs, the token for an earlier page, and the author.
const NEVER_RETURNED: [&str; 6] = ["password", "pin", "again", "present", "form-token", AUTHOR];

/// Fields of invitations and tokens that people fill in, with their labels.
const LABELS: [(&str, &str); 4] = [
    ("name", "Name"),
    ("role", "Role"),
    ("token-name", "Token name"),
    ("scope", "Access"),
];

/// The body of the form that a request carried. Clones share it.
#[derive(Clone, Default)]
pub struct SentForm(Arc<OnceLock<Bytes>>);

impl SentForm {
    /// Keeps the body of a form for the answer. Shares the bytes of `body`.
    pub fn keep(request: &Request, body: &Bytes) {
        if Form::is_announced(request.headers())
            && let Some(sent) = request.data::<SentForm>()
        {
            // A request has one body.
            let _ = sent.0.set(body.clone());
        }
    }

    /// Returns the form, if the request had one that can be read and that no other site sent.
    pub fn read(&self, principal: &Principal, action: &Uri) -> Option<UnsavedForm> {
        let bytes = self.0.get().filter(|_| !principal.is_from_another_site())?;
        let form = Form::parse(bytes).ok()?;
        match action.path() {
            "/sign-in" => UnsavedForm::from_sign_in(&form),
            path => UnsavedForm::new(path, form),
        }
    }
}

/// Reason to show a form again.
pub enum Reason<'a> {
    /// The form was refused. With the page at the public address, if it would have been accepted there.
    Refused(&'a Failure, Option<String>),
    /// The form was refused before its author signed in.
    SignedIn,
}

/// A form that was not saved.
pub struct UnsavedForm {
    action: String,
    /// The account that the form was rendered for.
    author: Option<String>,
    form: Form,
}

impl UnsavedForm {
    /// Returns `None` unless `action` is the address of a form with text or choices.
    fn new(action: &str, form: Form) -> Option<Self> {
        let has_input = match action {
            "/pets"
            | "/staff"
            | "/account/tokens"
            | settings::PATH
            | bulk::PATH
            | bulk::UNDO_PATH => true,
            _ => {
                let is_setting = settings::filled_page(action, &form).is_some();
                is_setting || edited_pet(action).or(status_pet(action)).is_some()
            }
        };
        has_input.then(|| UnsavedForm {
            action: action.to_owned(),
            author: form.get(AUTHOR).map(str::to_owned),
            form: form.without(&NEVER_RETURNED),
        })
    }

    /// Returns the form that a sign-in page carried.
    pub fn from_sign_in(form: &Form) -> Option<Self> {
        let fields = Form::parse(form.get(PENDING_FIELDS)?.as_bytes()).ok()?;
        let unsaved = UnsavedForm::new(form.get(PENDING_ACTION)?, fields)?;
        let author = form.get(PENDING_AUTHOR).map(str::to_owned);
        Some(UnsavedForm { author, ..unsaved })
    }

    /// Returns the form for the hidden fields of a sign-in page.
    pub fn pending(&self) -> PendingForm {
        PendingForm {
            action: self.action.clone(),
            author: self.author.clone().unwrap_or_default(),
            fields: self.form.encode(),
        }
    }

    /// Returns true if `principal` is signed in to the account that wrote the form.
    pub fn is_by(&self, principal: &Principal) -> bool {
        let person = principal.person().ok();
        person.is_some_and(|(account, _)| self.author.as_deref() == Some(account.name.as_str()))
    }

    /// Returns true if `principal` is signed in to another account than the one that wrote the form.
    pub fn is_of_another(&self, principal: &Principal) -> bool {
        self.author.is_some() && principal.person().is_ok() && !self.is_by(principal)
    }

    /// Returns the page to return to after signing in, for a browser that does not carry the form.
    pub fn page(&self) -> String {
        match self.action.as_str() {
            "/pets" => "/pets/new".to_owned(),
            "/staff" => "/staff".to_owned(),
            "/account/tokens" => "/account".to_owned(),
            settings::PATH => settings::PATH.to_owned(),
            action => match edited_pet(action) {
                Some(pet) => format!("/pets/{pet}/edit"),
                None => "/pets".to_owned(),
            },
        }
    }

    /// Returns true if sending the form again can succeed, or its text is worth copying.
    pub fn is_worth_returning(&self, failure: &Failure) -> bool {
        self.is_pet_form()
            || self.action == settings::PATH
            || !matches!(failure.status.as_u16(), 400 | 404 | 405 | 413 | 415 | 422)
    }

    /// Answers with the form, filled in, under a message that says why it is shown.
    pub fn show(self, pages: &PageResponder, reason: Reason<'_>) -> poem::Result<Response> {
        let (status, title, detail, public_url) = match &reason {
            Reason::SignedIn => (
                StatusCode::OK,
                "You are signed in",
                "Your changes are not saved yet. Check them and save again.",
                None,
            ),
            Reason::Refused(failure, public_url) => {
                let detail = failure.detail.as_str();
                (failure.status, "Not saved", detail, public_url.clone())
            }
        };
        if self.is_pet_form() {
            let mut page = self.into_pet_form(pages, title, detail);
            page.is_hint = status.is_success();
            page.public_url = public_url;
            return pages.show_with_status(&page, status);
        }
        let settings_form = if self.action == settings::PATH {
            let rescue = pages.site.app.rescue();
            Some(settings::filled_form(&rescue, &self.form, &[]))
        } else {
            settings::filled_page(&self.action, &self.form)
        };
        if let Some(page) = settings_form {
            let mut page = page.with_notice(title, detail);
            page.is_hint = status.is_success();
            page.public_url = public_url;
            return pages.show_with_status(&page, status);
        }
        let page = match status_pet(&self.action) {
            Some(pet) => self.into_status_retry(pages, pet, &reason),
            None => self.into_retry(pages, &reason, detail),
        };
        let page = ErrorPage {
            status: (!status.is_success()).then(|| status.as_u16()),
            title,
            public_url,
            ..page
        };
        pages.show_with_status(&page, status)
    }

    /// Returns the form of a pet. If the pet was removed meanwhile, the form adds a new one.
    fn into_pet_form(self, pages: &PageResponder, title: &'static str, detail: &str) -> FormPage {
        let is_hidden = |name: &str| Profile::FIELDS.iter().all(|field| field.name != name);
        let hidden = self.form.hidden(is_hidden);
        let (hub, audience) = (pages.site.app.hub(), pages.principal.audience());
        let edited = edited_pet(&self.action).map(|id| hub.pet(id, audience));
        let input = self.form.into_profile_input();
        let mut page = match &edited {
            Some(Some((pet, _))) => FormPage::edit(pet, &input, &[]),
            _ => FormPage::create(&input, &[]),
        };
        if let Some(None) = edited {
            // The key of the edit may have been used.
            page.hidden = vec![form::new_key()];
            return page.with_notice(
                "This pet was removed while you were editing",
                "Your text is below. You can add it as a new pet.",
            );
        }
        page.hidden = hidden;
        page.with_notice(title, detail)
    }

    /// Returns an invitation or a token with a button to send it again. Lists what its author entered.
    fn into_retry(self, pages: &PageResponder, reason: &Reason<'_>, detail: &str) -> ErrorPage {
        let entered = LABELS.iter().filter_map(|(field, label)| {
            let text = self.form.get(field)?;
            Some((*label, text.to_owned()))
        });
        let button = match self.action.as_str() {
            "/staff" => "Create invitation".to_owned(),
            bulk::PATH => bulk::description(&self.form, &pages.site.app.rescue().activities),
            bulk::UNDO_PATH => "Set the pets back".to_owned(),
            _ => "Create token".to_owned(),
        };
        let detail = match reason {
            // There is nothing to check on these.
            Reason::SignedIn if [bulk::PATH, bulk::UNDO_PATH].contains(&self.action.as_str()) => {
                "No status is set yet."
            }
            _ => detail,
        };
        ErrorPage {
            detail: detail.to_owned(),
            retry: Some(RetryForm {
                entered: entered.collect(),
                button,
                action: self.action,
                fields: self.form.into_fields(),
            }),
            ..ErrorPage::default()
        }
    }

    /// Returns a status or an undo in words, with a button if sending the form again can succeed.
    fn into_status_retry(self, pages: &PageResponder, id: PetId, reason: &Reason<'_>) -> ErrorPage {
        let activities = &pages.site.app.rescue().activities;
        let status = activities.parse_earlier(self.form.text("status"));
        let audience = pages.principal.audience();
        let found = pages.site.app.hub().entry(id, audience);
        let (Ok(status), Some((entry, epoch))) = (status, found) else {
            let detail = match reason {
                Reason::Refused(failure, _) => failure.detail.clone(),
                Reason::SignedIn => Site::no_such_pet().detail,
            };
            return ErrorPage {
                detail,
                ..ErrorPage::default()
            };
        };
        let (pet, rev) = (entry.pet, entry.status_set);
        let (name, replaces) = (&pet.profile.name, self.form.get("replaces"));
        let back = if replaces.is_some() { "back to" } else { "to" };
        let target = format!("{back} {}", activities.text(status));
        let can_succeed = replaces.is_none_or(|cursor| cursor.parse() == Ok(Cursor { epoch, rev }));
        let detail = match reason {
            _ if !can_succeed && self.is_undone(&pet, status) => {
                format!("{name} is already set {target}.")
            }
            _ if !can_succeed => {
                format!("{name} was not set {target}: someone else changed it since.")
            }
            Reason::SignedIn => format!("{name} is not set {target} yet."),
            Reason::Refused(failure, _) => {
                format!("{name} was not set {target}. {}", failure.detail)
            }
        };
        let retry = can_succeed.then(|| RetryForm {
            action: self.action.clone(),
            entered: Vec::new(),
            fields: self
                .form
                .hidden(|name| ["status", "since", "replaces"].contains(&name)),
            button: format!("Set {name} {target}"),
        });
        ErrorPage {
            detail,
            retry,
            pet: Some((id.to_string(), name.clone())),
            ..ErrorPage::default()
        }
    }

    /// Returns true if `pet` has the status and the time that the form restores.
    fn is_undone(&self, pet: &Pet, status: Status) -> bool {
        let since = self.form.get("since").and_then(|since| since.parse().ok());
        (pet.status, Some(pet.since)) == (status, since)
    }

    fn is_pet_form(&self) -> bool {
        self.action == "/pets" || edited_pet(&self.action).is_some()
    }
}

/// Returns the pet that a form for `action` edits.
fn edited_pet(action: &str) -> Option<PetId> {
    action.strip_prefix("/pets/")?.parse().ok()
}

/// Returns the pet whose status a form for `action` sets.
fn status_pet(action: &str) -> Option<PetId> {
    action.strip_suffix("/status").and_then(edited_pet)
}
