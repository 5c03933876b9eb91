//! The settings of the rescue: whose board this is, as visitors see it.
//!
//! Each setting is declared once in `Rescue::FIELDS`. The form, its errors, merging and the activity
//! log follow from the table. A setting that is empty has its default. The logo is edited on its own.

mod accent;
mod activities;
mod colour;
mod contact;
mod link;
mod logo;
mod sites;
mod webhook;

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};

pub use self::accent::Accent;
pub use self::activities::{
    Activities, ActivitiesVersion, Activity, ActivityIcon, ActivityInput, ActivitySheet,
};
use self::contact::{parse_mail, parse_phone};
use self::link::parse_link;
pub use self::logo::{Logo, LogoError};
pub use self::sites::EmbedSites;
use self::sites::{SITES_LIMIT, parse_sites};
pub use self::webhook::{
    DeliveryReport, DeliveryResult, WaitingDelivery, Webhook, WebhookEvent, WebhookFormat,
    WebhookId, WebhookInput, WebhookProgress, WebhookSecret, WebhookStep, WebhookTarget,
    is_public_address,
};
use super::local_time::is_time_zone;
use super::{FieldError, LocalTime, check_line, is_invisible};

/// The settings as stored records have them. A setting that is added later is missing in old records.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Rescue {
    /// Name of the rescue. Empty until an admin has saved the settings once.
    pub name: String,
    /// Accent colour of pages.
    pub accent: String,
    /// Email address for questions of visitors.
    pub mail: String,
    /// Phone number for questions of visitors.
    pub phone: String,
    /// Address of a page with which visitors ask questions.
    #[serde(rename = "contact-page")]
    pub contact_page: String,
    /// Address of the rescue's own website.
    pub website: String,
    /// IANA name of the time zone of pages.
    #[serde(rename = "time-zone")]
    pub time_zone: String,
    /// Clock of pages: `12` hours; empty for 24.
    pub clock: String,
    /// Hours after which a status is old: `3`, or `never`; empty for `DEFAULT_STATUS_HOURS`.
    #[serde(rename = "status-age")]
    pub status_age: String,
    /// Text at the end of every page.
    pub footer: String,
    /// Sites that may show pets in a frame; `none`, or empty for every site.
    #[serde(rename = "embed-sites", skip_serializing_if = "String::is_empty")]
    pub embed_sites: String,
    /// Logo on pages, on the screen in the lobby and on sheets.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub logo: Option<Logo>,
    /// Activities beside the four statuses. Edited on a page of their own, so no entry of `FIELDS`.
    #[serde(skip_serializing_if = "Activities::is_empty")]
    pub activities: Activities,
}

/// A setting: its names, its rules, and access to its text.
#[derive(Debug)]
pub struct RescueField {
    /// Name in forms and records.
    pub name: &'static str,
    /// Label on the page.
    pub label: &'static str,
    /// Hint for the person who fills in the form; may be empty.
    pub hint: &'static str,
    /// Values that the setting allows.
    pub kind: SettingKind,
    text: fn(&Rescue) -> &String,
    text_mut: fn(&mut Rescue) -> &mut String,
}

/// Values that a setting allows. Limits count characters (Unicode scalar values).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SettingKind {
    /// A name of at most this many characters, which cannot be blank.
    Name(usize),
    /// One line of at most this many characters.
    Line(usize),
    /// The IANA name of a time zone.
    TimeZone,
    /// One of these values, each with its label. The first one is stored as an empty text.
    Choice(&'static [(&'static str, &'static str)]),
    /// A colour that is readable on our pages.
    Colour,
    /// An email address.
    Mail,
    /// A phone number.
    Phone,
    /// The address of a page, with or without `https://`.
    Link,
    /// The addresses of sites, or `none`.
    Sites,
}

/// The longest address of a page.
const LINK_LIMIT: usize = 200;

/// The longest email address.
const MAIL_LIMIT: usize = 100;

/// The longest phone number.
const PHONE_LIMIT: usize = 40;

/// Hours after which a status is old, unless the rescue has set others. As in `clocks.js`.
const DEFAULT_STATUS_HOURS: &str = "12";

const FIELDS: [RescueField; 11] = [
    RescueField {
        name: "name",
        label: "Name of your rescue",
        hint: "",
        kind: SettingKind::Name(60),
        text: |rescue| &rescue.name,
        text_mut: |rescue| &mut rescue.name,
    },
    RescueField {
        name: "accent",
        label: "Colour",
        hint: "For links and buttons. It must be dark enough to read; dark pages use a lighter shade.",
        kind: SettingKind::Colour,
        text: |rescue| &rescue.accent,
        text_mut: |rescue| &mut rescue.accent,
    },
    RescueField {
        name: "mail",
        label: "Email address",
        hint: "For questions about your pets",
        kind: SettingKind::Mail,
        text: |rescue| &rescue.mail,
        text_mut: |rescue| &mut rescue.mail,
    },
    RescueField {
        name: "phone",
        label: "Phone number",
        hint: "For questions about your pets",
        kind: SettingKind::Phone,
        text: |rescue| &rescue.phone,
        text_mut: |rescue| &mut rescue.phone,
    },
    RescueField {
        name: "contact-page",
        label: "Contact page",
        hint: "The address of a contact form, or of how to adopt",
        kind: SettingKind::Link,
        text: |rescue| &rescue.contact_page,
        text_mut: |rescue| &mut rescue.contact_page,
    },
    RescueField {
        name: "time-zone",
        label: "Time zone",
        hint: "",
        kind: SettingKind::TimeZone,
        text: |rescue| &rescue.time_zone,
        text_mut: |rescue| &mut rescue.time_zone,
    },
    RescueField {
        name: "clock",
        label: "Clock",
        hint: "",
        kind: SettingKind::Choice(&[("24", "24 hours: 14:05"), ("12", "12 hours: 2:05 pm")]),
        text: |rescue| &rescue.clock,
        text_mut: |rescue| &mut rescue.clock,
    },
    RescueField {
        name: "status-age",
        label: "A status is old after",
        hint: "It is then shown as \u{201c}Last seen eating, yesterday 14:05\u{201d}",
        kind: SettingKind::Choice(&[
            (DEFAULT_STATUS_HOURS, "12 hours"),
            ("3", "3 hours"),
            ("6", "6 hours"),
            ("24", "1 day"),
            ("48", "2 days"),
            ("never", "Never"),
        ]),
        text: |rescue| &rescue.status_age,
        text_mut: |rescue| &mut rescue.status_age,
    },
    RescueField {
        name: "website",
        label: "Your website",
        hint: "At the end of every page",
        kind: SettingKind::Link,
        text: |rescue| &rescue.website,
        text_mut: |rescue| &mut rescue.website,
    },
    RescueField {
        name: "footer",
        label: "Text at the end of every page",
        hint: "For example opening hours, or a charity number",
        kind: SettingKind::Line(200),
        text: |rescue| &rescue.footer,
        text_mut: |rescue| &mut rescue.footer,
    },
    RescueField {
        name: "embed-sites",
        label: "Sites that may show your pets in a frame",
        hint: "Leave it empty for every site, write \u{201c}none\u{201d} for no site, or list their addresses",
        kind: SettingKind::Sites,
        text: |rescue| &rescue.embed_sites,
        text_mut: |rescue| &mut rescue.embed_sites,
    },
];

impl Rescue {
    /// Every setting, in the order of the form.
    pub const FIELDS: &'static [RescueField; FIELDS.len()] = &FIELDS;

    /// The settings of the demo.
    pub fn sample() -> Self {
        Rescue {
            name: "Sample Rescue".to_owned(),
            mail: "hello@rescue.example".to_owned(),
            phone: "+44 20 7946 0000".to_owned(),
            ..Rescue::default()
        }
    }

    /// Returns the name that pages show.
    pub fn shown_name(&self) -> &str {
        if self.name.is_empty() {
            "Pet rescue"
        } else {
            &self.name
        }
    }

    /// Returns how times are written: in UTC until a time zone is set.
    pub fn local_time(&self) -> LocalTime {
        LocalTime::new(&self.time_zone, self.clock == "12")
    }

    /// Returns the time after which a status is old; `None` for never.
    pub fn status_age(&self) -> Option<Duration> {
        let hours = match self.status_age.as_str() {
            "" => DEFAULT_STATUS_HOURS,
            hours => hours,
        };
        hours.parse().ok().map(Duration::from_hours)
    }

    /// Returns the accent colour; `None` if it is the built-in one.
    pub fn accent(&self) -> Option<Accent> {
        self.accent.parse().ok()
    }

    /// Returns the sites that may show pets in a frame.
    pub fn embed_sites(&self) -> EmbedSites<'_> {
        EmbedSites::new(&self.embed_sites)
    }

    /// Returns the link that calls the rescue; `None` without a phone number.
    pub fn phone_link(&self) -> Option<String> {
        let is_dialled = |letter: &char| letter.is_ascii_digit() || *letter == '+';
        let number: String = self.phone.chars().filter(is_dialled).collect();
        (!number.is_empty()).then(|| format!("tel:{number}"))
    }

    /// Returns the texts of all settings by the names of their fields.
    pub fn texts(&self) -> BTreeMap<&'static str, &str> {
        let fields = Rescue::FIELDS.iter();
        fields.map(|field| (field.name, field.text(self))).collect()
    }

    /// Validates what was entered. A field for which `entered` returns `None` keeps its text.
    ///
    /// # Errors
    /// Names every field that breaks its rule.
    pub fn with_entered<'a>(
        &self,
        entered: impl Fn(&'static RescueField) -> Option<&'a str>,
    ) -> Result<Self, Vec<FieldError>> {
        let (mut changed, mut errors) = (self.clone(), Vec::new());
        for field in Rescue::FIELDS {
            match entered(field).map(|text| field.kind.validate(text)) {
                None => {}
                Some(Ok(text)) => *(field.text_mut)(&mut changed) = text,
                Some(Err(message)) => errors.push(FieldError {
                    field: field.name,
                    message,
                }),
            }
        }
        if errors.is_empty() {
            Ok(changed)
        } else {
            Err(errors)
        }
    }

    /// Returns the settings that differ from those of `other`.
    pub fn differences(&self, other: &Rescue) -> Vec<&'static RescueField> {
        let fields = Rescue::FIELDS.iter();
        fields
            .filter(|field| field.text(self) != field.text(other))
            .collect()
    }

    /// Returns these settings with those that `edited` changed since `base`, and the settings that
    /// differ in all three: somebody else changed them too.
    pub fn merge(&self, base: &Rescue, edited: &Rescue) -> (Self, Vec<&'static RescueField>) {
        let mut merged = self.clone();
        let mut conflicts = Vec::new();
        for field in edited.differences(base) {
            let theirs = field.text(self);
            if theirs != field.text(base) && theirs != field.text(edited) {
                conflicts.push(field);
            }
            *(field.text_mut)(&mut merged) = field.text(edited).to_owned();
        }
        (merged, conflicts)
    }
}

impl RescueField {
    /// Returns the text of the setting in `rescue`.
    pub fn text<'a>(&self, rescue: &'a Rescue) -> &'a str {
        (self.text)(rescue)
    }
}

impl SettingKind {
    /// Returns the most characters that the setting allows.
    pub const fn limit(self) -> usize {
        match self {
            SettingKind::Name(limit) | SettingKind::Line(limit) => limit,
            SettingKind::Link => LINK_LIMIT,
            SettingKind::Sites => SITES_LIMIT,
            SettingKind::TimeZone | SettingKind::Choice(_) => 60,
            SettingKind::Colour => Accent::DEFAULT.len(),
            SettingKind::Mail => MAIL_LIMIT,
            SettingKind::Phone => PHONE_LIMIT,
        }
    }

    /// Returns the text to store, without blanks at either end.
    ///
    /// # Errors
    /// The rule that the text breaks, for the person who entered it.
    fn validate(self, entered: &str) -> Result<String, String> {
        let text = entered.trim();
        check_line(text, self.limit())?;
        match self {
            SettingKind::Name(_) if text.chars().all(is_invisible) => {
                Err("Enter the name of your rescue.".to_owned())
            }
            _ if text.is_empty() => Ok(String::new()),
            SettingKind::Link => parse_link(text),
            SettingKind::Sites => parse_sites(text),
            SettingKind::TimeZone if is_time_zone(text) => Ok(text.to_owned()),
            SettingKind::TimeZone => Err("Choose a time zone.".to_owned()),
            SettingKind::Choice([(first, _), ..]) if text == *first => Ok(String::new()),
            SettingKind::Choice(choices) if choices.iter().any(|(value, _)| text == *value) => {
                Ok(text.to_owned())
            }
            SettingKind::Choice(_) => Err("Choose one of the options.".to_owned()),
            // A form always has a colour.
            SettingKind::Colour if text.eq_ignore_ascii_case(Accent::DEFAULT) => Ok(String::new()),
            SettingKind::Colour => text.parse().map(|accent: Accent| accent.to_string()),
            SettingKind::Mail => parse_mail(text),
            SettingKind::Phone => parse_phone(text),
            SettingKind::Name(_) | SettingKind::Line(_) => Ok(text.to_owned()),
        }
    }
}

#[cfg(test)]
mod tests;
