//! Template data of the activity log and of the history of one pet.

use serde::Serialize;

use super::time_text::{Now, TimeView};
use crate::model::{AuditEntry, Change, ChangeKind, FieldKind, Pet, PetId, Profile, ProfileField};

/// The activity log: everything that somebody did, for admins.
#[derive(Serialize)]
pub struct AuditPage {
    lines: Vec<LineView>,
    older: Option<String>,
    #[serde(skip)]
    now: Now,
}

/// The history of one pet, for staff.
#[derive(Serialize)]
pub struct HistoryPage {
    pet: u64,
    pet_name: String,
    is_removed: bool,
    lines: Vec<LineView>,
    older: Option<String>,
    #[serde(skip)]
    now: Now,
}

/// One line: who did what, when, and with which kind of client.
#[derive(Serialize)]
struct LineView {
    time: TimeView,
    who: String,
    client: String,
    /// Action, such as "set" or "signed in".
    action: String,
    /// The pet that it was done to.
    pet: Option<PetLink>,
    /// Text after the name of the pet, such as " to eating".
    detail: String,
    /// Fields that an edit changed, in the history of one pet.
    edits: Vec<EditView>,
}

/// A field that an edit changed.
#[derive(Serialize)]
struct EditView {
    label: &'static str,
    /// Empty for a field that was empty.
    before: String,
    after: String,
}

/// A pet, with a link to its page, or to its history if it was removed.
#[derive(Serialize)]
struct PetLink {
    name: String,
    path: Option<String>,
    /// True if the line says that the pet was removed later.
    is_removed: bool,
}

/// The pet that a change is about: one on the board, or one that was removed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subject {
    /// Id of the pet.
    pub id: PetId,
    /// The current or last name; `None` if the log no longer has it.
    pub name: Option<String>,
    /// True if the pet is in the trash or deleted.
    pub is_removed: bool,
}

impl AuditPage {
    /// A page without lines; `older` is the path of the next page.
    pub fn new(older: Option<String>, now: Now) -> Self {
        AuditPage {
            lines: Vec::new(),
            older,
            now,
        }
    }

    /// Adds a change of a pet; `previous` is the pet before an edit.
    pub fn add_change(&mut self, change: &Change, subject: &Subject, previous: Option<&Pet>) {
        let page = if subject.is_removed { "/history" } else { "" };
        let path = format!("/pets/{}{page}", subject.id);
        self.lines.push(LineView::new(
            change,
            subject,
            Some(path),
            previous,
            &self.now,
        ));
    }

    /// Adds an action on accounts.
    pub fn add_entry(&mut self, entry: &AuditEntry) {
        self.lines.push(LineView {
            time: TimeView::new(entry.at, &self.now),
            who: entry.author.name.clone(),
            client: entry.author.client.clone(),
            action: entry.action.clone(),
            pet: None,
            detail: String::new(),
            edits: Vec::new(),
        });
    }
}

impl HistoryPage {
    /// A page without lines; `older` is the path of the next page.
    pub fn new(subject: &Subject, older: Option<String>, now: Now) -> Self {
        HistoryPage {
            pet: subject.id.get(),
            pet_name: subject.shown_name(),
            is_removed: subject.is_removed,
            lines: Vec::new(),
            older,
            now,
        }
    }

    /// Adds a change of the pet; `previous` is the pet before an edit.
    pub fn add_change(&mut self, change: &Change, subject: &Subject, previous: Option<&Pet>) {
        let edits = match (&change.kind, previous) {
            (ChangeKind::Pet(pet), Some(previous)) => {
                EditView::list(&previous.profile, &pet.profile)
            }
            _ => Vec::new(),
        };
        let mut line = LineView::new(change, subject, None, previous, &self.now);
        if !edits.is_empty() {
            line.detail.clear();
        }
        self.lines.push(LineView { edits, ..line });
    }
}

impl Subject {
    fn shown_name(&self) -> String {
        let unnamed = || format!("Pet {}", self.id);
        self.name.clone().unwrap_or_else(unnamed)
    }
}

impl LineView {
    fn new(
        change: &Change,
        subject: &Subject,
        path: Option<String>,
        previous: Option<&Pet>,
        now: &Now,
    ) -> Self {
        let author = change.author.as_deref();
        let who = author.map_or(change.by.as_str(), |author| author.name.as_str());
        let (action, detail) = describe(change, previous, now);
        LineView {
            time: TimeView::new(change.at, now),
            who: who.to_owned(),
            client: author.map_or_else(String::new, |author| author.client.clone()),
            action: action.to_owned(),
            pet: Some(PetLink {
                name: subject.shown_name(),
                is_removed: subject.is_removed && path.is_some() && !takes_away(change),
                path,
            }),
            detail,
            edits: Vec::new(),
        }
    }
}

impl EditView {
    fn list(before: &Profile, after: &Profile) -> Vec<Self> {
        let changed = Profile::FIELDS
            .iter()
            .filter(|field| field.text(before) != field.text(after));
        let shown = |field: &ProfileField, profile| field.shown(field.text(profile)).into_owned();
        let edits = changed.map(|field| EditView {
            label: field.label,
            before: shown(field, before),
            after: shown(field, after),
        });
        edits.collect()
    }
}

/// Returns true if the change took the pet from the board, or from the trash.
fn takes_away(change: &Change) -> bool {
    change.kind.is_removal() || matches!(change.kind, ChangeKind::Gone(_))
}

/// Describes a change: the words before the name of the pet, and those after it.
fn describe(change: &Change, previous: Option<&Pet>, now: &Now) -> (&'static str, String) {
    match &change.kind {
        ChangeKind::Status(status) | ChangeKind::StatusSince(status, ..) => {
            let note = change
                .kind
                .note()
                .map(|note| format!(": {}", note.as_str()));
            let status = now.activities.text(*status).to_lowercase();
            ("set", format!(" to {status}{}", note.unwrap_or_default()))
        }
        ChangeKind::Pet(pet) if pet.is_in_trash() => ("removed", String::new()),
        ChangeKind::Pet(_) if previous.is_some_and(Pet::is_in_trash) => ("restored", String::new()),
        // A status begins when the pet is added, and has begun before every edit.
        ChangeKind::Pet(pet) if pet.since == change.at => ("added", String::new()),
        ChangeKind::Pet(pet) => {
            let edits = previous.map(|previous| edits(&previous.profile, &pet.profile));
            let edits = edits.filter(|edits| !edits.is_empty());
            (
                "edited",
                edits.map_or_else(String::new, |edits| format!(": {edits}")),
            )
        }
        ChangeKind::Gone(_) => ("deleted", String::new()),
    }
}

/// Lists the fields that differ, for example "breed from Siamese to Burmese, about".
fn edits(before: &Profile, after: &Profile) -> String {
    let edit = |field: &ProfileField| {
        let (before, after) = (field.text(before), field.text(after));
        let name = field.label.to_lowercase();
        (before != after).then(|| match field.kind {
            // Several lines are too long to show.
            FieldKind::Lines(_) => name,
            _ if before.is_empty() => format!("{name} set to {}", field.shown(after)),
            _ if after.is_empty() => format!("{name} removed"),
            _ => format!(
                "{name} from {} to {}",
                field.shown(before),
                field.shown(after)
            ),
        })
    };
    let edits: Vec<String> = Profile::FIELDS.iter().filter_map(edit).collect();
    edits.join(", ")
}
