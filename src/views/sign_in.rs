//! The context of the pages with which staff come in.

use serde::Serialize;

use super::form::Messages;
use crate::model::{AccountName, FieldError};

#[derive(Serialize)]
pub struct SignInPage {
    next: String,
    entered: String,
    problem: Option<String>,
    pending: Option<PendingForm>,
}

/// A form that waits until its author has signed in.
#[derive(Serialize)]
pub struct PendingForm {
    pub action: String,
    /// The account that was signed in when the form was rendered, if any.
    pub author: String,
    /// URL-encoded.
    pub fields: String,
}

/// The page on which somebody chooses a password.
#[derive(Serialize)]
pub struct WelcomePage {
    action: String,
    /// Whom the link is for; whoever opens the first one chooses a name too.
    invited: Option<String>,
    entered: String,
    errors: Messages,
}

impl SignInPage {
    pub fn new(next: &str) -> Self {
        SignInPage {
            next: next.to_owned(),
            entered: String::new(),
            problem: None,
            pending: None,
        }
    }

    /// The page that carries a form which was refused.
    pub fn with_pending(self, pending: Option<PendingForm>) -> Self {
        SignInPage { pending, ..self }
    }

    /// The page after a try that failed.
    pub fn again(next: &str, entered: &str, problem: String) -> Self {
        SignInPage {
            entered: entered.to_owned(),
            problem: Some(problem),
            ..SignInPage::new(next)
        }
    }
}

impl WelcomePage {
    pub fn new(action: String, invited: Option<&AccountName>) -> Self {
        WelcomePage {
            action,
            invited: invited.map(AccountName::to_string),
            entered: String::new(),
            errors: Messages::default(),
        }
    }

    pub fn with_error(self, entered: &str, error: &FieldError) -> Self {
        WelcomePage {
            entered: entered.to_owned(),
            errors: Messages::of([error]),
            ..self
        }
    }
}
