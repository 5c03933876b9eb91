//! Contexts of the pages to sign in and to choose a password.

use serde::Serialize;

use super::form::FieldMessages;
use crate::model::AccountName;

/// The page to sign in.
#[derive(Default, Serialize)]
pub struct SignInPage {
    /// Path to go to after signing in.
    next: String,
    /// The name that was entered.
    pub entered: String,
    /// Reason that the last attempt failed.
    pub problem: Option<String>,
    /// The names to choose from at a station; `None` at another browser.
    pub people: Option<Vec<String>>,
    /// The form that the page carries.
    pub pending: Option<PendingForm>,
}

/// A form that waits until its author has signed in.
#[derive(Serialize)]
pub struct PendingForm {
    /// Path that the form is sent to.
    pub action: String,
    /// The account that the form was rendered for, or empty.
    pub author: String,
    /// All fields, URL-encoded.
    pub fields: String,
}

/// The page behind an invitation: choose a password, and as the first admin a name.
#[derive(Default, Serialize)]
pub struct InvitationPage {
    action: String,
    /// The invited account; `None` for the first admin.
    invited: Option<String>,
    /// The name that was entered.
    pub entered: String,
    /// Errors of the last form.
    pub errors: FieldMessages,
}

impl SignInPage {
    /// The page before the first attempt.
    pub fn new(next: &str) -> Self {
        SignInPage {
            next: next.to_owned(),
            ..SignInPage::default()
        }
    }
}

impl InvitationPage {
    /// The page for the account `invited`, or for the first admin.
    pub fn new(action: String, invited: Option<&AccountName>) -> Self {
        InvitationPage {
            action,
            invited: invited.map(AccountName::to_string),
            ..InvitationPage::default()
        }
    }
}
