//! Tests of which input becomes a profile, and of the messages about the rest.

use super::*;

fn input(texts: &[(&str, &str)]) -> ProfileInput {
    ProfileInput::collect(|field| {
        let mut texts = texts.iter().rev();
        let (_, text) = texts.find(|(name, _)| *name == field.name)?;
        Some((*text).to_owned())
    })
}

fn entered(name: &str, species: &str) -> ProfileInput {
    input(&[("name", name), ("species", species)])
}

#[test]
fn every_field_that_breaks_its_rule_is_named_at_once() {
    let input = input(&[
        ("name", "   "),
        ("species", &"x".repeat(41)),
        ("sex", "both"),
        ("about", &"x".repeat(2001)),
    ]);
    let InvalidProfile(errors) = input.into_profile().unwrap_err();
    let fields: Vec<_> = errors.iter().map(|error| error.field).collect();
    assert_eq!(fields, ["name", "species", "sex", "about"]);
    assert_eq!(errors[2].message, "Choose female, male or unknown.");
}

#[test]
fn a_name_that_nobody_can_see_is_none() {
    for name in [
        "\u{200b}",
        "\u{2060}\u{feff} ",
        "\u{3164}",
        "\u{ad}\u{0}\t",
        "\u{e0041}",
    ] {
        let InvalidProfile(errors) = entered(name, "cat").into_profile().unwrap_err();
        assert_eq!(errors[0].field, "name", "{name:?}");
    }
    for name in [
        "\u{1f469}\u{200d}\u{1f680}",
        "\u{2764}\u{fe0f}",
        "\u{645}\u{200c}\u{6cc}",
    ] {
        assert!(entered(name, "cat").into_profile().is_ok(), "{name:?}");
    }
}

#[test]
fn limits_count_characters_and_not_bytes() {
    assert!(entered(&"ü".repeat(80), "cat").into_profile().is_ok());
    assert!(entered(&"ü".repeat(81), "cat").into_profile().is_err());
}

#[test]
fn a_field_has_no_hidden_characters_and_only_about_has_lines() {
    let input = input(&[
        ("name", "A\nB"),
        ("species", "c\u{200b}at"),
        ("breed", "Tabby\u{202e}"),
        ("age", "2\u{0} years"),
        ("about", "Likes rain.\r\n\tAnd tea.\rAnd fish.\u{1b}"),
    ]);
    let InvalidProfile(errors) = input.into_profile().unwrap_err();
    let fields: Vec<_> = errors.iter().map(|error| error.field).collect();
    assert_eq!(fields, ["name", "species", "breed", "age", "about"]);
    let said = "Remove the hidden character U+000A at position 2.";
    assert_eq!(errors[0].message, said);
}

#[test]
fn text_is_kept_as_it_was_given_but_for_spaces_around_it_and_line_ends() {
    let input = input(&[
        ("name", "\tM\u{f6} \u{645}\u{200c}\u{6cc}\n"),
        ("species", "cat"),
        ("about", " A\r\nB\rC\n "),
    ]);
    let profile = input.into_profile().unwrap();
    assert_eq!(profile.name, "M\u{f6} \u{645}\u{200c}\u{6cc}");
    assert_eq!(profile.about, "A\nB\nC\n");
}

#[test]
fn a_patch_leaves_alone_what_it_does_not_name() {
    let before = entered("Biscuit", "dog").into_profile().unwrap();
    let patch = input(&[("age", "2 years")]).into_patch().unwrap();
    let after = patch.apply(&before);
    assert_eq!(
        (after.name.as_str(), after.age.as_str()),
        ("Biscuit", "2 years")
    );
}

#[test]
fn the_table_reads_and_sets_each_field_of_the_struct() {
    let mut profile = Profile::default();
    for field in Profile::FIELDS {
        let text = match field.kind {
            FieldKind::Choice(choices) | FieldKind::Words(choices) => choices[1].0,
            FieldKind::Date | FieldKind::RoughDate => "2024-05-03",
            FieldKind::Line(_) | FieldKind::Lines(_) => field.label,
        };
        (field.set)(&mut profile, text);
        assert_eq!(field.text(&profile), text, "{}", field.name);
    }
    let json = serde_json::to_value(&profile).unwrap();
    let stored = json.as_object().unwrap().iter();
    let stored: Vec<_> = stored
        .map(|(name, text)| (&**name, text.as_str().or(text[0].as_str()).unwrap()))
        .collect();
    let table = Profile::FIELDS
        .each_ref()
        .map(|field| (field.name, field.text(&profile)));
    assert_eq!(stored, table, "names and order of the JSON object");
}

#[test]
fn dates_and_tags_are_checked_and_have_one_spelling() {
    let profile = input(&[
        ("name", "Biscuit"),
        ("species", "dog"),
        ("born", " about 2024-05 "),
        ("intake", "2026-11-03"),
        ("tags", "special-needs, good-with-cats,,special-needs"),
    ]);
    let profile = profile.into_profile().unwrap();
    assert_eq!(profile.born, "about 2024-05");
    assert_eq!(profile.intake, "2026-11-03");
    assert_eq!(profile.tags.as_str(), "good-with-cats,special-needs");
    let InvalidProfile(errors) = input(&[
        ("born", "last spring"),
        ("intake", "about 2024"),
        ("tags", "good-with-cats,flies"),
        ("size", "huge"),
        ("state", ""),
    ])
    .into_patch()
    .unwrap_err();
    let fields: Vec<_> = errors.iter().map(|error| error.field).collect();
    assert_eq!(fields, ["born", "size", "state", "tags", "intake"]);
    let emptied = input(&[("born", "about"), ("tags", ""), ("intake", "")]);
    let emptied = emptied.into_patch().unwrap().apply(&profile);
    assert_eq!(
        (emptied.born.as_str(), emptied.tags, emptied.intake.as_str()),
        ("", Tags::default(), "")
    );
}
