//! A refused form, kept so that nothing typed is lost.
//!
//! `body::limit` and `writes::meter` keep the bytes of a form in a `SentForm`. When the request
//! fails, `failures::answer` reads them back and answers with the same form, filled in, or with a
//! sign-in page that carries the form in hidden fields. Nothing is stored on the server: the answer
//! holds the whole form. Passwords are never returned.
//!
//! A form carries the account that it was rendered for, its author. Nobody who is signed in to another
//! account is given the text. The name is not authenticated: whoever can change it in the form has
//! the text of the form in front of them, and a form that another site sent is not read at all.

use std::sync::{Arc, OnceLock};

use bytes::Bytes;
use poem::http::{StatusCode, Uri};
use poem::{Request, Response};

use super::form::{self, Form};
use crate::auth::Principal;
use crate::error::Failure;
use crate::model::{Cursor, Pet, PetId, Profile, Status};
use crate::views::{ErrorPage, FormPage, PendingForm, RetryForm};
use crate::web::Site;

/// The hidden fields of the sign-in page that carry a form.
pub const ACTION: &str = "pending-action";
pub const FIELDS: &str = "pending";
pub const PENDING_AUTHOR: &str = "pending-author";

/// The hidden field of every form with the account that it was rendered for.
const AUTHOR: &str = "author";

/// Fields that are never returned: passwords, and the token that was made for an earlier page.
const SECRET: [&str; 4] = ["password", "again", "present", "form-token"];

/// Where a sign-in page sends the form that it carries.
const SIGN_IN: &str = "/sign-in";

/// The bytes of the form that a request carried. Clones share them.
#[derive(Clone, Default)]
pub struct SentForm(Arc<OnceLock<Bytes>>);

impl SentForm {
    /// Keeps the body of a form for whoever answers the request. Cloning `body` shares its bytes.
    pub fn keep(request: &Request, body: &Bytes) {
        if let Some(sent) = request
            .data::<SentForm>()
            .filter(|_| Form::is_announced(request.headers()))
        {
            // A request has one body.
            let _ = sent.0.set(body.clone());
        }
    }

    /// Returns the form, if the request had one that can be read and was not sent by another site.
    pub fn read(&self, caller: &Principal, action: &Uri) -> Option<Unsaved> {
        let bytes = self.0.get().filter(|_| !caller.is_from_another_site())?;
        let form = Form::parse(bytes).ok()?;
        match action.path() {
            SIGN_IN => Unsaved::of_sign_in(&form),
            path => Unsaved::new(path, form),
        }
    }
}

/// Reason a form is shown again.
pub enum Reason<'a> {
    /// With the page at the public address, if the form would have been accepted there.
    Refused(&'a Failure, Option<String>),
    /// The form was refused before its author signed in.
    SignedIn,
}

const STILL_UNSAVED: &str = "Your changes are not saved yet. Check them and save them again.";

/// The fields of the other forms that people fill in, with their labels. The rest is hidden.
const LABELS: [(&str, &str); 4] = [
    ("name", "Name"),
    ("role", "Role"),
    ("token-name", "What is it for?"),
    ("scope", "What may it do?"),
];

/// A form that was refused.
pub struct Unsaved {
    action: String,
    /// The account that the form was rendered for; None for one that carries none.
    author: Option<String>,
    form: Form,
}

impl Unsaved {
    /// None unless `action` is the address of one of our forms with text or choices.
    fn new(action: &str, form: Form) -> Option<Self> {
        let has_text = match action {
            "/pets" | "/staff" | "/account/tokens" => true,
            _ => edited_pet(action).or(tapped_pet(action)).is_some(),
        };
        let author = form.get(AUTHOR).map(str::to_owned);
        let form = form.without(&SECRET).without(&[AUTHOR]);
        has_text.then(|| Unsaved {
            action: action.to_owned(),
            author,
            form,
        })
    }

    /// The form that a sign-in page carried.
    pub fn of_sign_in(form: &Form) -> Option<Self> {
        let fields = Form::parse(form.get(FIELDS)?.as_bytes()).ok()?;
        let unsaved = Unsaved::new(form.get(ACTION)?, fields)?;
        let author = form.get(PENDING_AUTHOR).map(str::to_owned);
        Some(Unsaved { author, ..unsaved })
    }

    /// Returns true if `caller` is signed in to the account that wrote the form.
    pub fn is_by(&self, caller: &Principal) -> bool {
        let person = caller.person().ok();
        person.is_some_and(|(account, _)| self.author.as_deref() == Some(account.name.as_str()))
    }

    /// Returns true if `caller` is signed in to another account than the one that wrote the form.
    pub fn is_of_another(&self, caller: &Principal) -> bool {
        self.author.is_some() && caller.person().is_ok() && !self.is_by(caller)
    }

    /// The form for the hidden fields of a sign-in page.
    pub fn pending(&self) -> PendingForm {
        PendingForm {
            action: self.action.clone(),
            author: self.author.clone().unwrap_or_default(),
            fields: self.form.encode(),
        }
    }

    /// The page to return to after signing in, for a browser that does not carry the form.
    pub fn page(&self) -> String {
        match self.action.as_str() {
            "/pets" => "/pets/new".to_owned(),
            "/staff" | "/account/tokens" => self.action.trim_end_matches("/tokens").to_owned(),
            action => match edited_pet(action) {
                Some(pet) => format!("/pets/{pet}/edit"),
                None => "/pets".to_owned(),
            },
        }
    }

    /// Returns true if sending the form again can succeed, or its text is worth copying.
    pub fn is_worth_returning(&self, failure: &Failure) -> bool {
        self.is_pet_form() || !matches!(failure.status.as_u16(), 400 | 404 | 405 | 413 | 415 | 422)
    }

    /// Answers with the form, filled in, under a message that says why it is shown.
    pub fn show(self, site: &Site, caller: &Principal, why: Reason<'_>) -> poem::Result<Response> {
        let (status, title, detail, right_address) = match &why {
            Reason::SignedIn => (StatusCode::OK, "You are signed in", STILL_UNSAVED, None),
            Reason::Refused(failure, address) => (
                failure.status,
                "Not saved",
                failure.detail.as_str(),
                address.clone(),
            ),
        };
        if !self.is_pet_form() {
            let page = ErrorPage {
                status: (!status.is_success()).then(|| status.as_u16()),
                title,
                right_address,
                ..match tapped_pet(&self.action) {
                    Some(pet) => self.into_status_retry(site, pet, &why),
                    None => self.into_retry(detail),
                }
            };
            return site.show_again(caller, &page, status);
        }
        let edited = edited_pet(&self.action);
        let page = match edited.map(|id| site.app.hub().pet(id)) {
            Some(None) => FormPage::create(&self.form.into_profile_input(), &[])
                .with_notice(
                    "This pet was removed while you were editing",
                    "Your text is below. You can add it as a new pet.",
                )
                // The key of the edit may have been used already.
                .carrying(vec![form::new_key()]),
            Some(Some((pet, _))) => {
                let carried = self.carried();
                FormPage::edit(&pet, &self.form.into_profile_input(), &[])
                    .with_notice(title, detail)
                    .carrying(carried)
            }
            None => {
                let carried = self.carried();
                FormPage::create(&self.form.into_profile_input(), &[])
                    .with_notice(title, detail)
                    .carrying(carried)
            }
        };
        let page = page.as_hint(status.is_success());
        site.show_again(caller, &page.with_right_address(right_address), status)
    }

    /// An invitation or a token that can be asked for again. Only what its author entered is listed.
    fn into_retry(self, detail: &str) -> ErrorPage {
        let entered = LABELS.iter().filter_map(|(field, label)| {
            let text = self.form.get(field)?;
            Some((*label, text.to_owned()))
        });
        let button = match self.action.as_str() {
            "/staff" => "Create invitation",
            _ => "Create token",
        };
        ErrorPage {
            detail: detail.to_owned(),
            retry: Some(RetryForm {
                typed: entered.collect(),
                button: button.to_owned(),
                action: self.action,
                fields: self.form.into_fields(),
            }),
            ..ErrorPage::default()
        }
    }

    /// A tap or an undo in words, with a button where the same form can still succeed.
    fn into_status_retry(self, site: &Site, id: PetId, why: &Reason<'_>) -> ErrorPage {
        let status = self.form.text("status").parse::<Status>();
        let found = site.app.hub().entry(id);
        let (Ok(status), Some((entry, epoch))) = (status, found) else {
            let failure = Site::no_such_pet();
            let detail = match why {
                Reason::Refused(failure, _) => failure.detail.clone(),
                Reason::SignedIn => failure.detail,
            };
            return ErrorPage {
                detail,
                ..ErrorPage::default()
            };
        };
        let pet = entry.pet;
        let set_at = Cursor {
            epoch,
            rev: entry.status_set,
        };
        let (name, replaces) = (&pet.profile.name, self.form.get("replaces"));
        let back = if replaces.is_some() { "back to" } else { "to" };
        let target = format!("{back} {}", status.text());
        let can_work = replaces.is_none_or(|cursor| cursor.parse() == Ok(set_at));
        let detail = match why {
            _ if !can_work && self.is_undone(&pet, status) => {
                format!("{name} is already set {target}.")
            }
            _ if !can_work => {
                format!("{name} was not set {target}: someone else changed it since.")
            }
            Reason::SignedIn => format!("{name} is not set {target} yet."),
            Reason::Refused(failure, _) => {
                format!("{name} was not set {target}. {}", failure.detail)
            }
        };
        let retry = can_work.then(|| RetryForm {
            action: self.action.clone(),
            typed: Vec::new(),
            fields: self.form.hidden(&["status", "since", "replaces"]),
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

    /// The hidden fields of a pet's form, which are sent again unchanged.
    fn carried(&self) -> Vec<(String, String)> {
        let fields = self.form.fields().iter();
        let hidden = fields.filter(|(name, _)| !Profile::has_field(name));
        hidden.cloned().collect()
    }

    fn is_pet_form(&self) -> bool {
        self.action == "/pets" || edited_pet(&self.action).is_some()
    }
}

/// The pet that a form for `action` edits.
fn edited_pet(action: &str) -> Option<PetId> {
    action.strip_prefix("/pets/")?.parse().ok()
}

/// The pet whose status a form for `action` sets.
fn tapped_pet(action: &str) -> Option<PetId> {
    action.strip_suffix("/status").and_then(edited_pet)
}
