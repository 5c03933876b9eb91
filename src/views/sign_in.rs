//! Contexts of the pages to sign in and to choose a password.

use serde::Serialize;

use super::form::FieldMessages;
use crate::model::{AccountName, FieldError};

/// The page to sign in.
#[derive(Serialize)]
pub struct SignInPage {
    /// Path to go to after signing in.
    next: String,
    /// The name that was entered.
    entered: String,
    problem: Option<String>,
    pending: Option<PendingForm>,
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
#[derive(Serialize)]
pub struct InvitationPage {
    action: String,
    /// The invited account; `None` for the first admin.
    invited: Option<String>,
    entered: String,
    errors: FieldMessages,
}

impl SignInPage {
    /// The page before the first attempt.
    pub fn new(next: &str) -> Self {
        SignInPage {
            next: next.to_owned(),
            entered: String::new(),
            problem: None,
            pending: None,
        }
    }

    /// Shows why an attempt failed, with the name that was entered.
    pub fn with_problem(self, entered: &str, problem: &str) -> Self {
        SignInPage {
            entered: entered.to_owned(),
            problem: Some(problem.to_owned()),
            ..self
        }
    }

    /// Carries a form.
    pub fn with_pending(self, pending: Option<PendingForm>) -> Self {
        SignInPage { pending, ..self }
    }
}

impl InvitationPage {
    /// The page for the account `invited`, or for the first admin.
    pub fn new(action: String, invited: Option<&AccountName>) -> Self {
        InvitationPage {
            action,
            invited: invited.map(AccountName::to_string),
            entered: String::new(),
            errors: FieldMessages::default(),
        }
    }

    /// Shows an error, with the name that was entered.
    pub fn with_error(self, entered: &str, error: &FieldError) -> Self {
        InvitationPage {
            entered: entered.to_owned(),
            errors: FieldMessages::new([error]),
            ..self
        }
    }
}
