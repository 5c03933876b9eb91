//! Context of the page that asks for the confirmation of an edit.

use serde::Serialize;

/// A question, the consequences of the edit, and the form that confirms it.
#[derive(Default, Serialize)]
pub struct ConfirmPage {
    /// The question.
    pub heading: String,
    /// One sentence each.
    pub consequences: Vec<String>,
    /// Path that the form is sent to.
    pub action: String,
    /// Value of the field `do`, on the page of staff.
    pub account_action: Option<&'static str>,
    /// Idempotency key of the form, where its answer shows a secret.
    pub request_key: Option<String>,
    /// Text of the button.
    pub button: &'static str,
    /// Path of the page to return to.
    pub back: &'static str,
}
