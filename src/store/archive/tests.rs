//! An export is what was written, or it is refused.

use std::sync::Arc;

use super::*;
use crate::model::{Author, By, ChangeKind, Moment, Profile, Status};

fn change(rev: u64) -> Change {
    Change {
        rev: Rev::new(rev),
        at: Moment::from_micros(1000),
        by: By::Staff,
        author: Some(Arc::new(Author {
            name: "anna".to_owned(),
            client: "Firefox".to_owned(),
        })),
        pet: PetId::FIRST,
        kind: ChangeKind::Status(Status::Eating),
    }
}

/// An export of one pet and three changes, and what it says.
fn export() -> (Vec<u8>, Vec<Entry>) {
    let (rev, next_pet) = (Rev::new(3), PetId::new(2));
    let pet = Pet {
        id: PetId::FIRST,
        profile: Profile {
            name: "M\u{f6}\u{df}li \"the\"\n\u{2028}cat".to_owned(),
            ..Profile::default()
        },
        status: Status::Eating,
        since: Moment::from_micros(1000),
    };
    let mut text = Vec::new();
    let mut writer = Writer::start(&mut text, Epoch::new(7), rev, next_pet).unwrap();
    writer.pet(&pet).unwrap();
    let changes = [1, 2, 3].map(change);
    for change in &changes {
        writer.change(change).unwrap();
    }
    writer.end().unwrap();
    let start = [Entry::Start { rev, next_pet }, Entry::Pet(pet)];
    let said = start.into_iter().chain(changes.map(Entry::Change));
    (text, said.collect())
}

fn parsed(text: &[u8]) -> Result<Vec<Entry>, StoreError> {
    let mut entries = Vec::new();
    parse(text, |entry| {
        entries.push(entry);
        Ok(())
    })?;
    Ok(entries)
}

#[test]
fn an_export_says_what_was_written_into_it() {
    let (text, said) = export();
    assert_eq!(parsed(&text).unwrap(), said);
}

#[test]
fn an_export_with_a_byte_too_few_too_many_or_another_is_refused_at_a_line() {
    let (text, _) = export();
    let refused = |text: &[u8], story: &str| {
        let error = parsed(text).expect_err(story);
        assert!(matches!(error, StoreError::Import { .. }), "{error}");
    };
    for at in 0..text.len() {
        refused(&text[..at], "cut short");
        let mut changed = text.clone();
        changed[at] ^= 1;
        refused(&changed, "a flipped bit");
    }
    refused(&[&text[..], b"\n"].concat(), "something after the end");
}

#[test]
fn what_the_taker_does_not_believe_is_wrong_at_its_line() {
    let (text, _) = export();
    let mut before = 3;
    let error = parse(&text[..], |_| {
        before -= 1;
        match before {
            0 => Err(StoreError::Record("no".to_owned())),
            _ => Ok(()),
        }
    });
    let expected = StoreError::Import {
        line: 3,
        reason: "no".to_owned(),
    };
    assert_eq!(error, Err(expected));
}
