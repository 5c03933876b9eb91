//! The rules of the settings as a whole.

use super::*;

fn rescue(name: &str, website: &str) -> Rescue {
    Rescue {
        name: name.to_owned(),
        website: website.to_owned(),
        ..Rescue::default()
    }
}

#[test]
fn a_merge_keeps_what_others_changed_and_names_what_both_changed() {
    let base = rescue("Paws", "https://old.example");
    let theirs = rescue("Paws", "https://theirs.example");
    let mine = rescue("Happy Paws", "https://old.example");
    let (merged, conflicts) = theirs.merge(&base, &mine);
    assert_eq!(merged, rescue("Happy Paws", "https://theirs.example"));
    assert!(conflicts.is_empty());
    let mine = rescue("Happy Paws", "https://mine.example");
    let (_, conflicts) = theirs.merge(&base, &mine);
    let names: Vec<_> = conflicts.iter().map(|field| field.name).collect();
    assert_eq!(names, ["website"]);
    assert!(theirs.merge(&base, &theirs).1.is_empty());
}

#[test]
fn a_status_is_old_after_half_a_day_unless_the_rescue_says_otherwise() {
    let age = |text: &'static str| {
        let set = |field: &'static RescueField| (field.name == "status-age").then_some(text);
        rescue("Paws", "").with_entered(set).unwrap().status_age()
    };
    let hours = |hours| Some(Duration::from_hours(hours));
    assert_eq!(Rescue::default().status_age(), hours(12));
    assert_eq!(
        [age("12"), age("48"), age("never")],
        [hours(12), hours(48), None]
    );
}

#[test]
fn every_wrong_field_is_named_and_one_that_was_not_entered_keeps_its_text() {
    let before = rescue("Paws", "https://old.example");
    let entered = |field: &'static RescueField| match field.name {
        "name" => Some(" \u{200d} "),
        "footer" => Some("a\u{202e}b"),
        _ => None,
    };
    let errors = before.with_entered(entered).unwrap_err();
    let fields: Vec<_> = errors.iter().map(|error| error.field).collect();
    assert_eq!(fields, ["name", "footer"]);
    let name = |field: &'static RescueField| (field.name == "name").then_some(" Happy Paws ");
    let after = before.with_entered(name).unwrap();
    assert_eq!(after, rescue("Happy Paws", "https://old.example"));
}
