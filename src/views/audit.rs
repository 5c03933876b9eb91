//! The context of the pages that say who did what.

use std::sync::Arc;

use serde::Serialize;

use crate::model::{Change, ChangeKind, Cursor, Deed, Moment, Pet};

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
    lines: Vec<LineView>,
    older: Option<String>,
}

#[derive(Serialize)]
struct LineView {
    at: String,
    at_minute: String,
    who: String,
    /// The kind of client.
    client: String,
    words: String,
    /// The pet that it is about, where that is still there.
    pet: Option<(u64, String)>,
}

impl AuditPage {
    /// `pet` is what the change is about, as it is now.
    pub fn add_change(&mut self, change: &Change, pet: Option<(Arc<Pet>, Cursor)>) {
        let pet = pet.map(|(pet, _)| (pet.id.get(), pet.profile.name.clone()));
        let gone = pet
            .is_none()
            .then(|| format!(" (pet {}, removed)", change.pet));
        let words = format!("{}{}", words(change), gone.unwrap_or_default());
        self.lines.push(LineView {
            pet,
            words,
            ..LineView::of(change)
        });
    }

    pub fn add_deed(&mut self, deed: &Deed) {
        self.lines.push(LineView {
            who: deed.author.name.clone(),
            client: deed.author.client.clone(),
            words: deed.words.clone(),
            pet: None,
            ..LineView::at(deed.at)
        });
    }
}

impl HistoryPage {
    pub fn new(pet: &Pet, changes: &[Change], older: Option<String>) -> Self {
        HistoryPage {
            pet: pet.id.get(),
            pet_name: pet.profile.name.clone(),
            lines: changes.iter().map(LineView::of).collect(),
            older,
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

    fn at(at: Moment) -> Self {
        LineView {
            at: at.to_string(),
            at_minute: at.minute(),
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
        ChangeKind::Gone => "removed the pet".to_owned(),
    }
}
