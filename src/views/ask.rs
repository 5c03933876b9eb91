//! The ways to ask the rescue about a pet. They lead away from this server, which stores nothing.

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Serialize;

use crate::model::{AdoptionState, Pet, Rescue};

/// Links to ask about a pet.
#[derive(Serialize)]
pub struct AskView {
    /// `mailto:` with a subject, and with the address of the pet's page in the text.
    mail: Option<String>,
    /// `tel:`, and the number as the rescue writes it.
    phone: Option<(String, String)>,
    /// The contact page.
    page: Option<String>,
}

impl AskView {
    /// Returns the ways to ask `rescue` about `pet`; `None` if there is none, and for a pet
    /// that nobody can adopt. `address` is the public address of the pet's page.
    pub fn new(rescue: &Rescue, pet: &Pet, address: Option<&str>) -> Option<Self> {
        let can_be_asked_for = matches!(
            pet.profile.state,
            AdoptionState::Available | AdoptionState::OnHold
        );
        if !can_be_asked_for {
            return None;
        }
        let mail = (!rescue.mail.is_empty()).then(|| mail_link(&rescue.mail, pet, address));
        let phone = rescue.phone_link().map(|link| (link, rescue.phone.clone()));
        let page = Some(&rescue.contact_page).filter(|page| !page.is_empty());
        let has_any = mail.is_some() || phone.is_some() || page.is_some();
        has_any.then(|| AskView {
            mail,
            phone,
            page: page.cloned(),
        })
    }
}

fn mail_link(mail: &str, pet: &Pet, address: Option<&str>) -> String {
    let encode = |text: &str| utf8_percent_encode(text, NON_ALPHANUMERIC).to_string();
    let name = &pet.profile.name;
    let subject = encode(&format!("Question about {name}"));
    let body = address.map(|address| {
        let body = encode(&format!("\r\n\r\n{name}: {address}\r\n"));
        format!("&body={body}")
    });
    format!(
        "mailto:{mail}?subject={subject}{}",
        body.unwrap_or_default()
    )
}
