//! Which drafts become a profile, and what is said of the others.

use super::*;

fn entered(name: &str, species: &str) -> Draft {
    Draft {
        name: Some(name.to_owned()),
        species: Some(species.to_owned()),
        ..Draft::default()
    }
}

#[test]
fn every_field_that_breaks_its_rule_is_named_at_once() {
    let draft = Draft {
        sex: Some("both".to_owned()),
        about: Some("x".repeat(2001)),
        ..entered("   ", &"x".repeat(41))
    };
    let InvalidProfile(errors) = draft.into_profile().unwrap_err();
    let fields: Vec<_> = errors.iter().map(|error| error.field).collect();
    assert_eq!(fields, ["name", "species", "sex", "about"]);
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
    let draft = Draft {
        breed: Some("Tabby\u{202e}".to_owned()),
        age: Some("2\u{0} years".to_owned()),
        about: Some("Likes rain.\r\n\tAnd tea.\rAnd fish.\u{1b}".to_owned()),
        ..entered("A\nB", "c\u{200b}at")
    };
    let InvalidProfile(errors) = draft.into_profile().unwrap_err();
    let fields: Vec<_> = errors.iter().map(|error| error.field).collect();
    assert_eq!(fields, ["name", "species", "breed", "age", "about"]);
    let said = "Remove the hidden character U+000A at position 2.";
    assert_eq!(errors[0].message, said);
}

#[test]
fn text_is_kept_as_it_was_given_but_for_spaces_around_it_and_line_ends() {
    let draft = Draft {
        about: Some(" A\r\nB\rC\n ".to_owned()),
        ..entered("\tM\u{f6} \u{645}\u{200c}\u{6cc}\n", "cat")
    };
    let profile = draft.into_profile().unwrap();
    assert_eq!(profile.name, "M\u{f6} \u{645}\u{200c}\u{6cc}");
    assert_eq!(profile.about, "A\nB\nC\n");
}

#[test]
fn a_patch_leaves_alone_what_it_does_not_name() {
    let before = entered("Biscuit", "dog").into_profile().unwrap();
    let draft = Draft {
        age: Some("2 years".to_owned()),
        ..Draft::default()
    };
    let after = draft.into_patch().unwrap().apply(&before);
    assert_eq!(
        (after.name.as_str(), after.age.as_str()),
        ("Biscuit", "2 years")
    );
}
