//! The context of the page that asks for the confirmation of an edit.

use serde::Serialize;

/// A question, the consequences of the edit, and the form that confirms it.
#[derive(Serialize)]
pub struct ConfirmPage {
    pub heading: String,
    /// One sentence each.
    pub consequences: Vec<String>,
    /// Where the form is sent.
    pub action: String,
    /// The order of the form, if its address takes several orders.
    pub order: Option<&'static str>,
    /// The one-time key of the form, where what it makes is shown in the answer.
    pub request_key: Option<String>,
    pub button: &'static str,
    /// The page to return to.
    pub back: &'static str,
}
