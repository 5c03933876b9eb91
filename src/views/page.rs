//! The context of each page, and pets as pages show them.

use std::time::Duration;

use serde::Serialize;
use serde_json::{Map, Value};

use super::Page;
use crate::hub::Board;
use crate::model::{Cursor, Draft, FieldError, LIMITS, Moment, Pet, Sex, Status};

/// A pet in words.
#[derive(Serialize)]
pub struct PetView {
    id: u64,
    name: String,
    species: String,
    breed: String,
    sex: &'static str,
    sex_text: &'static str,
    age: String,
    about: String,
    status: &'static str,
    status_text: &'static str,
    since: String,
    since_clock: String,
    since_ago: String,
}

/// The moment and the cursor at which a live page is true.
#[derive(Serialize)]
struct AsOf {
    cursor: String,
    as_of: String,
    as_of_clock: String,
}

#[derive(Serialize)]
pub struct IndexPage {
    #[serde(flatten)]
    as_of: AsOf,
    pets: Vec<PetView>,
    /// A pet without anything, from which the page makes cards for pets that arrive later.
    blank: PetView,
    statuses: Vec<Choice>,
    undo: Option<UndoView>,
}

/// The offer to take back a status that was set a moment ago.
#[derive(Serialize)]
pub struct UndoView {
    pet: u64,
    name: String,
    status_text: &'static str,
    was: &'static str,
    /// When it was set: it is taken back only if nobody has set another meanwhile.
    since: String,
}

#[derive(Serialize)]
pub struct ShowPage {
    #[serde(flatten)]
    as_of: AsOf,
    pet: PetView,
    statuses: Vec<Choice>,
    undo: Option<UndoView>,
}

/// The form for a new pet, and for an edit.
#[derive(Serialize)]
pub struct FormPage {
    heading: String,
    action: String,
    submit: &'static str,
    cancel: String,
    fields: Value,
    sexes: Vec<Choice>,
    /// Messages by field, in the order of the fields.
    errors: Map<String, Value>,
    limits: Value,
}

#[derive(Serialize)]
pub struct HelloPage {}

#[derive(Serialize)]
pub struct DoctorPage {
    /// Where to watch from, so that nothing but heartbeats is heard.
    cursor: String,
    heartbeat_ms: u128,
    /// The same in words: "15 s".
    heartbeat: String,
}

#[derive(Serialize)]
pub struct ErrorPage {
    pub status: u16,
    pub title: &'static str,
    pub detail: String,
}

#[derive(Serialize)]
pub struct ApiDocsPage {
    /// The OpenAPI document.
    pub spec: Value,
}

/// One of several values to choose from.
#[derive(Serialize)]
struct Choice {
    value: &'static str,
    text: &'static str,
    #[serde(rename = "current")]
    is_current: bool,
    #[serde(rename = "selected")]
    is_selected: bool,
}

impl Page for IndexPage {
    const TEMPLATE: &'static str = "pages/index.html";
}

impl Page for ShowPage {
    const TEMPLATE: &'static str = "pages/show.html";
}

impl Page for FormPage {
    const TEMPLATE: &'static str = "pages/form.html";
}

impl Page for HelloPage {
    const TEMPLATE: &'static str = "pages/hello.html";
}

impl Page for DoctorPage {
    const TEMPLATE: &'static str = "pages/doctor.html";
}

impl Page for ErrorPage {
    const TEMPLATE: &'static str = "pages/error.html";
}

impl Page for ApiDocsPage {
    const TEMPLATE: &'static str = "pages/api_docs.html";
}

impl IndexPage {
    pub fn new(board: &Board, now: Moment, undo: Option<UndoView>) -> Self {
        IndexPage {
            as_of: AsOf::new(board.cursor, now),
            pets: board
                .pets
                .iter()
                .map(|pet| PetView::new(pet, now))
                .collect(),
            blank: PetView::blank(now),
            statuses: choices(None),
            undo,
        }
    }
}

impl ShowPage {
    pub fn new(pet: &Pet, cursor: Cursor, now: Moment, undo: Option<UndoView>) -> Self {
        ShowPage {
            as_of: AsOf::new(cursor, now),
            pet: PetView::new(pet, now),
            statuses: choices(Some(pet.status)),
            undo,
        }
    }
}

impl UndoView {
    /// Of what `pet` does now, which was `was` before.
    pub fn new(pet: &Pet, was: Status) -> Self {
        UndoView {
            pet: pet.id.get(),
            name: pet.profile.name.clone(),
            status_text: pet.status.text(),
            was: was.as_str(),
            since: pet.since.to_string(),
        }
    }
}

/// Every status, the present one marked.
fn choices(present: Option<Status>) -> Vec<Choice> {
    let choice =
        |status: Status| Choice::new(status.as_str(), status.text(), Some(status) == present);
    Status::ALL.map(choice).into()
}

impl FormPage {
    /// The form for a new pet, with what was entered and what is wrong with it.
    pub fn create(draft: &Draft, errors: &[FieldError]) -> Self {
        FormPage {
            heading: "Add a pet".to_owned(),
            action: "/pets".to_owned(),
            submit: "Add pet",
            cancel: "/pets".to_owned(),
            ..FormPage::of(draft, errors)
        }
    }

    /// The form for `pet`, with what was entered and what is wrong with it.
    pub fn edit(pet: &Pet, draft: &Draft, errors: &[FieldError]) -> Self {
        let address = format!("/pets/{}", pet.id);
        FormPage {
            heading: format!("Edit {}", pet.profile.name),
            action: address.clone(),
            submit: "Save",
            cancel: address,
            ..FormPage::of(draft, errors)
        }
    }

    fn of(draft: &Draft, errors: &[FieldError]) -> Self {
        let entered = |text: &Option<String>| text.clone().unwrap_or_default();
        let sex = draft.sex.as_deref().unwrap_or(Sex::default().as_str());
        let message = |error: &FieldError| (error.field.to_owned(), error.message.clone().into());
        FormPage {
            heading: String::new(),
            action: String::new(),
            submit: "",
            cancel: String::new(),
            fields: serde_json::json!({
                "name": entered(&draft.name),
                "species": entered(&draft.species),
                "breed": entered(&draft.breed),
                "sex": sex,
                "age": entered(&draft.age),
                "about": entered(&draft.about),
            }),
            sexes: Sex::ALL
                .into_iter()
                .map(|choice| Choice::new(choice.as_str(), choice.text(), choice.as_str() == sex))
                .collect(),
            errors: errors.iter().map(message).collect(),
            limits: serde_json::json!({
                "name": LIMITS.name,
                "species": LIMITS.species,
                "breed": LIMITS.breed,
                "age": LIMITS.age,
                "about": LIMITS.about,
            }),
        }
    }
}

impl DoctorPage {
    pub fn new(cursor: Cursor, heartbeat: Duration) -> Self {
        DoctorPage {
            cursor: cursor.to_string(),
            heartbeat_ms: heartbeat.as_millis(),
            heartbeat: format!("{} s", heartbeat.as_secs_f64().ceil()),
        }
    }
}

impl Choice {
    fn new(value: &'static str, text: &'static str, is_chosen: bool) -> Self {
        Choice {
            value,
            text,
            is_current: is_chosen,
            is_selected: is_chosen,
        }
    }
}

impl AsOf {
    fn new(cursor: Cursor, now: Moment) -> Self {
        AsOf {
            cursor: cursor.to_string(),
            as_of: now.to_string(),
            as_of_clock: format!("{} UTC", now.clock()),
        }
    }
}

impl PetView {
    pub fn new(pet: &Pet, now: Moment) -> Self {
        let profile = &pet.profile;
        PetView {
            id: pet.id.get(),
            name: profile.name.clone(),
            species: profile.species.clone(),
            breed: profile.breed.clone(),
            sex: profile.sex.as_str(),
            sex_text: profile.sex.text(),
            age: profile.age.clone(),
            about: profile.about.clone(),
            status: pet.status.as_str(),
            status_text: pet.status.text(),
            since: pet.since.to_string(),
            since_clock: format!("{} UTC", pet.since.clock()),
            since_ago: ago(now.since(pet.since)),
        }
    }

    fn blank(now: Moment) -> Self {
        PetView {
            id: 0,
            name: String::new(),
            species: String::new(),
            breed: String::new(),
            sex: Sex::Unknown.as_str(),
            sex_text: Sex::Unknown.text(),
            age: String::new(),
            about: String::new(),
            status: Status::Sleeping.as_str(),
            status_text: Status::Sleeping.text(),
            since: now.to_string(),
            since_clock: String::new(),
            since_ago: String::new(),
        }
    }
}

/// How long something has lasted, in the largest unit that fits. The page's `time-text.js` keeps
/// it true with the same words.
pub fn ago(duration: Duration) -> String {
    let minutes = duration.as_secs() / 60;
    match minutes {
        0 => "just now".to_owned(),
        1..60 => format!("{minutes} min"),
        60..1440 => format!("{} h", minutes / 60),
        _ => format!("{} d", minutes / 1440),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duration_is_told_in_the_largest_unit_that_fits() {
        for (seconds, words) in [
            (0, "just now"),
            (59, "just now"),
            (60, "1 min"),
            (3599, "59 min"),
            (3600, "1 h"),
            (86_399, "23 h"),
            (86_400, "1 d"),
            (864_000, "10 d"),
        ] {
            assert_eq!(ago(Duration::from_secs(seconds)), words);
        }
    }
}
