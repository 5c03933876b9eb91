//! The context of the pages that say who did what.

use serde::Serialize;

use super::time_text::TimeView;
use crate::model::{AuditEntry, Change, ChangeKind, PetId, Timestamp};

/// Everything that anybody did, for admins.
#[derive(Default, Serialize)]
pub struct AuditPage {
    lines: Vec<LineView>,
    /// The address of the page with what was before.
    pub older: Option<String>,
}

/// What was done with one pet, for staff.
#[derive(Serialize)]
pub struct HistoryPage {
    pet: u64,
    pet_name: String,
    is_removed: bool,
    lines: Vec<LineView>,
    older: Option<String>,
}

#[derive(Serialize)]
struct LineView {
    time: TimeView,
    who: String,
    /// The kind of client.
    client: String,
    words: String,
    /// The pet that it is about; None on the history of one pet.
    pet: Option<PetLink>,
}

/// A link to a pet, or to the history of one that was removed.
#[derive(Serialize)]
struct PetLink {
    name: String,
    address: String,
    is_removed: bool,
}

/// The pet that a change is about: one on the board, or one that was removed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subject {
    pub id: PetId,
    /// The present or last name; `None` if the log no longer has it.
    pub name: Option<String>,
    pub is_removed: bool,
}

impl AuditPage {
    pub fn add_change(&mut self, change: &Change, subject: &Subject) {
        self.lines.push(LineView {
            pet: Some(PetLink::to(subject)),
            ..LineView::of(change)
        });
    }

    pub fn add_deed(&mut self, audit_entry: &AuditEntry) {
        self.lines.push(LineView {
            who: audit_entry.author.name.clone(),
            client: audit_entry.author.client.clone(),
            words: audit_entry.action.clone(),
            pet: None,
            ..LineView::at(audit_entry.at)
        });
    }
}

impl HistoryPage {
    pub fn new(subject: &Subject, changes: &[Change], older: Option<String>) -> Self {
        HistoryPage {
            pet: subject.id.get(),
            pet_name: subject.shown_name(),
            is_removed: subject.is_removed,
            lines: changes.iter().map(LineView::of).collect(),
            older,
        }
    }
}

impl Subject {
    fn shown_name(&self) -> String {
        let unnamed = || format!("Pet {}", self.id);
        self.name.clone().unwrap_or_else(unnamed)
    }
}

impl PetLink {
    fn to(subject: &Subject) -> Self {
        let page = if subject.is_removed { "/history" } else { "" };
        PetLink {
            name: subject.shown_name(),
            address: format!("/pets/{}{page}", subject.id),
            is_removed: subject.is_removed,
        }
    }
}

impl LineView {
    fn of(change: &Change) -> Self {
        let author = change.author.as_deref();
        let who = author.map_or(change.by.as_str(), |author| author.name.as_str());
        LineView {
            who: who.to_owned(),
            client: author
                .map(|author| author.client.clone())
                .unwrap_or_default(),
            words: words(change),
            ..LineView::at(change.at)
        }
    }

    fn at(at: Timestamp) -> Self {
        LineView {
            time: TimeView::new(at, Timestamp::now()),
            who: String::new(),
            client: String::new(),
            words: String::new(),
            pet: None,
        }
    }
}

/// What a change did, without its subject.
fn words(change: &Change) -> String {
    match &change.kind {
        ChangeKind::Status(status) | ChangeKind::StatusSince(status, _) => {
            format!("set the status to {status}")
        }
        ChangeKind::Pet(_) => "added or edited the details".to_owned(),
        ChangeKind::Gone(_) => "removed the pet".to_owned(),
    }
}
