//! The context of the page that asks before an edit that cannot be taken back.

use serde::Serialize;

/// A question, its consequence in words, and the form that says yes.
#[derive(Serialize)]
pub struct ConfirmPage {
    pub heading: String,
    /// One sentence each.
    pub consequences: Vec<String>,
    /// Where the form is sent.
    pub action: String,
    /// What the form orders, where its address takes several orders.
    pub order: Option<&'static str>,
    /// The one-time key of the form, where what it makes is shown in the answer.
    pub request_key: Option<String>,
    pub button: &'static str,
    /// The page that asked.
    pub back: &'static str,
}
