//! Two people edit the same pet: different fields are merged, and conflicts are shown to the second.

use super::unescape;
use crate::support::{TestApp, spawn_app};

/// The edit form of pet 1, as a browser has it in front of somebody.
struct Tab {
    fields: Vec<(String, String)>,
}

impl Tab {
    async fn open(app: &TestApp) -> Self {
        Tab::show(&app.text("/pets/1/edit").await)
    }

    fn show(page: &str) -> Self {
        let fields = ["name", "species", "breed", "age"];
        let texts = fields.map(|name| (name.to_owned(), input(page, name)));
        let mut fields = Vec::from(texts);
        fields.push(("base".to_owned(), input(page, "base")));
        fields.push(("sex".to_owned(), "unknown".to_owned()));
        fields.push(("about".to_owned(), about(page)));
        Tab { fields }
    }

    fn text(&self, name: &str) -> &str {
        let found = self.fields.iter().find(|(field, _)| field == name);
        &found.unwrap().1
    }

    fn enter(&mut self, name: &str, text: &str) {
        self.fields.retain(|(field, _)| field != name);
        self.fields.push((name.to_owned(), text.to_owned()));
    }

    async fn save(&self, app: &TestApp) -> (u16, String) {
        let fields: Vec<(&str, &str)> = self
            .fields
            .iter()
            .map(|(name, text)| (name.as_str(), text.as_str()))
            .collect();
        let response = app.post_form("/pets/1", &fields).await;
        (response.status().as_u16(), response.text().await.unwrap())
    }
}

/// The value of an input.
fn input(page: &str, name: &str) -> String {
    let start = page.find(&format!("name=\"{name}\"")).expect(name);
    let rest = &page[start..];
    let rest = &rest[rest.find("value=\"").unwrap() + 7..];
    unescape(&rest[..rest.find('"').unwrap()])
}

fn about(page: &str) -> String {
    let start = page.find("<textarea id=\"about\"").unwrap();
    let rest = &page[start..];
    let rest = &rest[rest.find(">\n").unwrap() + 2..];
    unescape(&rest[..rest.find("</textarea>").unwrap()])
}

/// B saved what A's older form did not have; A changed another field, and it was gone.
#[tokio::test]
async fn edits_of_different_fields_are_merged() {
    let app = spawn_app().await;
    app.add_pet("Biscuit").await;
    let (mut a, mut b) = (Tab::open(&app).await, Tab::open(&app).await);
    b.enter("about", "NEEDS INSULIN\r\ntwice a day");
    assert_eq!(b.save(&app).await.0, 303);
    app.set_status(1, "eating").await;
    a.enter("breed", "Beagle");
    assert_eq!(a.save(&app).await.0, 303);
    let pet = app.json("/api/v1/pets/1").await;
    assert_eq!(pet["about"], "NEEDS INSULIN\ntwice a day");
    assert_eq!(pet["breed"], "Beagle");
    let cursor = app.cursor().await;
    assert_eq!(Tab::open(&app).await.save(&app).await.0, 303);
    assert_eq!(
        app.cursor().await,
        cursor,
        "nothing was changed, nothing is written"
    );
}

/// Both typed something about the pet.
async fn conflict(app: &TestApp) -> Tab {
    app.add_pet("Biscuit").await;
    let (mut a, mut b) = (Tab::open(app).await, Tab::open(app).await);
    b.enter("about", "NEEDS INSULIN");
    b.enter("age", "3 years");
    assert_eq!(b.save(app).await.0, 303);
    a.enter("about", "Loves <children>");
    a.enter("breed", "Beagle");
    let (status, page) = a.save(app).await;
    assert_eq!(status, 409);
    let words = "Someone else saved changes to this pet while you were editing.";
    let text = unescape(&page);
    assert!(
        text.contains(words) && text.contains("NEEDS INSULIN"),
        "{page}"
    );
    assert!(
        text.contains("<a href=\"#about\">About: someone else changed this too.</a>"),
        "{page}"
    );
    for once in ["role=\"alert\"", "autofocus"] {
        assert_eq!(page.matches(once).count(), 1, "{once} in\n{page}");
    }
    assert!(page.contains("name=\"keep-about\"") && !page.contains("name=\"keep-breed\""));
    let pet = app.json("/api/v1/pets/1").await;
    assert_eq!(
        (&pet["about"], &pet["breed"]),
        (&"NEEDS INSULIN".into(), &"".into())
    );
    let shown = Tab::show(&page);
    assert_eq!(shown.text("about"), "Loves <children>", "what was typed");
    assert_eq!(shown.text("breed"), "Beagle", "what was typed");
    assert_eq!(shown.text("age"), "3 years", "what the other one saved");
    shown
}

#[tokio::test]
async fn a_conflicting_field_is_shown_with_both_values_and_mine_can_be_kept() {
    let app = spawn_app().await;
    let mut shown = conflict(&app).await;
    shown.enter("keep-about", "mine");
    assert_eq!(shown.save(&app).await.0, 303);
    let pet = app.json("/api/v1/pets/1").await;
    assert_eq!(pet["about"], "Loves <children>");
    assert_eq!(
        (&pet["breed"], &pet["age"]),
        (&"Beagle".into(), &"3 years".into())
    );
}

#[tokio::test]
async fn theirs_can_be_kept_while_my_other_fields_are_saved() {
    let app = spawn_app().await;
    let mut shown = conflict(&app).await;
    shown.enter("keep-about", "theirs");
    let (status, _) = shown.save(&app).await;
    assert_eq!(status, 303);
    let pet = app.json("/api/v1/pets/1").await;
    assert_eq!(pet["about"], "NEEDS INSULIN");
    assert_eq!(
        (&pet["breed"], &pet["age"]),
        (&"Beagle".into(), &"3 years".into())
    );
}

#[tokio::test]
async fn another_edit_during_the_decision_is_shown_as_another_conflict() {
    let app = spawn_app().await;
    let mut shown = conflict(&app).await;
    let mut other = Tab::open(&app).await;
    other.enter("about", "Insulin at 8 and 20");
    assert_eq!(other.save(&app).await.0, 303);
    shown.enter("keep-about", "mine");
    let (status, page) = shown.save(&app).await;
    assert_eq!(status, 409);
    assert!(unescape(&page).contains("Insulin at 8 and 20"));
}

#[tokio::test]
async fn a_corrected_form_is_compared_with_the_profile_it_was_rendered_with() {
    let app = spawn_app().await;
    app.add_pet("Biscuit").await;
    let (mut a, mut b) = (Tab::open(&app).await, Tab::open(&app).await);
    a.enter("about", "kind");
    a.enter("name", " ");
    let (status, page) = a.save(&app).await;
    assert_eq!(status, 422);
    b.enter("about", "NEEDS INSULIN");
    assert_eq!(b.save(&app).await.0, 303);
    let mut corrected = Tab::show(&page);
    corrected.enter("name", "Biscuit");
    assert_eq!(corrected.save(&app).await.0, 409);
}

/// A's form was rendered before an upgrade that added fields. It was saved over what B had changed since.
#[tokio::test]
async fn a_form_that_was_open_during_an_upgrade_overwrites_nobody() {
    let app = spawn_app().await;
    app.add_pet("Biscuit").await;
    let (mut a, mut b) = (Tab::open(&app).await, Tab::open(&app).await);
    let first_fields = [0, 1, 2, 3, 5, 11];
    let digests = first_fields.map(|field| &a.text("base")[field * 16..][..16]);
    let base = digests.concat();
    a.enter("base", &base);
    b.enter("about", "NEEDS INSULIN");
    b.enter("colour", "brown");
    assert_eq!(b.save(&app).await.0, 303);
    a.enter("breed", "Beagle");
    assert_eq!(a.save(&app).await.0, 303);
    let pet = app.json("/api/v1/pets/1").await;
    let texts = ["about", "colour", "breed"].map(|field| pet[field].as_str().unwrap().to_owned());
    assert_eq!(texts, ["NEEDS INSULIN", "brown", "Beagle"]);
    a.enter("about", "Loves children");
    assert_eq!(a.save(&app).await.0, 409);
    a.enter("base", "of a later version");
    let (status, page) = a.save(&app).await;
    assert_eq!(status, 409);
    assert!(unescape(&page).contains("NEEDS INSULIN"), "{page}");
}
