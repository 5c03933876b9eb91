//! An export is read as it was written, or it is refused.

mod rules;

use std::sync::Arc;

use super::*;
use crate::model::example::webhook;
use crate::model::{
    Account, AdoptionState, Author, ChangeKind, ChangeSource, Invitation, Key, MonotonicSeconds,
    Profile, Role, Scope, Session, Status, Timestamp, Token, Visibility,
};
use crate::store::{AccountEdit, ClockReading};

fn author() -> Author {
    Author {
        name: "anna".to_owned(),
        client: "Firefox \u{fc}ber \u{1f63a}".to_owned(),
    }
}

fn pet() -> Pet {
    Pet {
        id: PetId::FIRST,
        profile: Profile {
            name: "M\u{f6}\u{df}li \"the\" cat".to_owned(),
            species: "cat".to_owned(),
            about: "Likes\n<b>rain</b>.".to_owned(),
            born: "about 2024".to_owned(),
            state: AdoptionState::Private,
            location: "Kennel 4".to_owned(),
            ..Profile::default()
        },
        photos: Vec::new(),
        status: Status::NotSetYet,
        since: Timestamp::from_micros(1000),
        removed: None,
        note: "at the vet until 3".parse().unwrap(),
    }
}

/// The status of `pet`, with its note.
fn noted() -> ChangeKind {
    ChangeKind::StatusSince(pet().status, pet().since, pet().note)
}

fn change(rev: u64, kind: ChangeKind) -> Change {
    Change {
        rev: Rev::new(rev),
        at: Timestamp::from_micros(1000),
        by: ChangeSource::Staff,
        author: Some(Arc::new(author())),
        request: None,
        visibility: if rev == 2 {
            Visibility::Hidden
        } else {
            Visibility::Public
        },
        pet: PetId::FIRST,
        kind,
    }
}

/// One account, token and session, and the clock.
fn account_set() -> AccountSet {
    let (name, key): (crate::model::AccountName, _) = ("anna".parse().unwrap(), Key::new([7; 32]));
    let account = Account {
        name: name.clone(),
        role: Role::Admin,
        is_disabled: true,
        password: Some("$argon2id$v=19$\u{2026}".to_owned()),
        pin: Some("$argon2id$v=19$\u{2027}".to_owned()),
        invitation: Some(Invitation {
            key,
            expires: MonotonicSeconds(300),
        }),
        created: Timestamp::from_micros(7),
    };
    let token = Token {
        key,
        account: name.clone(),
        name: "Feeder".to_owned(),
        scope: Scope::SetStatus,
        created: Timestamp::from_micros(8),
        used: None,
    };
    let session = Session {
        key,
        account: name,
        client: "Firefox".to_owned(),
        began_at: Timestamp::from_micros(9),
        began: MonotonicSeconds(1),
        seen: MonotonicSeconds(2),
        station: None,
    };
    AccountSet {
        accounts: vec![account],
        sessions: vec![session],
        tokens: vec![token],
        clock: Some(ClockReading {
            tick: MonotonicSeconds(250),
            wall: Timestamp::from_micros(-5),
        }),
        rescue: Some(Arc::new(Rescue {
            name: "Happy Paws".to_owned(),
            ..Rescue::default()
        })),
        webhooks: vec![Arc::new(webhook())],
    }
}

fn audit_entry() -> AuditEntry {
    AuditEntry {
        at: Timestamp::from_micros(10),
        author: author(),
        kind: crate::model::AuditKind::Administrative,
        action: "added boris".to_owned(),
        after: Some(Rev::new(2)),
    }
}

/// An export of one pet, three changes, accounts and settings, and its items.
fn export() -> (Vec<u8>, Vec<ExportedItem>) {
    let (rev, next_pet) = (Rev::new(3), PetId::new(2));
    let changes = [
        change(1, ChangeKind::Pet(Arc::new(pet()))),
        change(2, ChangeKind::Status(Status::Playing)),
        change(3, noted()),
    ];
    let mut text = Vec::new();
    let mut writer = ExportWriter::start(&mut text, Epoch::new(7), rev, next_pet).unwrap();
    writer.pet(&pet()).unwrap();
    for change in &changes {
        writer.change(change).unwrap();
    }
    let staff = account_set();
    let mut with_progress = staff.clone();
    let progress = &mut Arc::make_mut(&mut with_progress.webhooks[0]).progress;
    progress.enqueue("test-1".to_owned(), Timestamp::from_micros(7));
    writer.accounts(&with_progress).unwrap();
    writer.audit_entry(&audit_entry()).unwrap();
    writer.rescue(staff.rescue.as_deref()).unwrap();
    writer.end().unwrap();
    let start = [
        ExportedItem::Start { rev, next_pet },
        ExportedItem::Pet(Box::new(pet())),
    ];
    let items = start.into_iter().chain(changes.map(ExportedItem::Change));
    let accounts = staff.accounts.into_iter().map(AccountEdit::PutAccount);
    let tokens = staff.tokens.into_iter().map(AccountEdit::PutToken);
    let clock = staff.clock.into_iter().map(AccountEdit::SetClock);
    let rescue = staff.rescue.into_iter().map(AccountEdit::PutRescue);
    let webhooks = staff.webhooks.into_iter().map(AccountEdit::PutWebhook);
    let staff = accounts.chain(tokens).chain(webhooks).chain(clock);
    let staff = staff.chain([AccountEdit::AddAuditEntry(audit_entry())]);
    let staff = staff.chain(rescue);
    (text, items.chain(staff.map(ExportedItem::Staff)).collect())
}

fn parsed(text: &[u8]) -> Result<Vec<ExportedItem>, StoreError> {
    let mut entries = Vec::new();
    read_export(text, |entry| {
        entries.push(entry);
        Ok(())
    })?;
    Ok(entries)
}

#[test]
fn an_export_is_read_as_it_was_written() {
    let (text, items) = export();
    assert_eq!(parsed(&text).unwrap(), items);
}

#[test]
fn a_truncated_extended_or_changed_export_is_refused_with_a_line() {
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
fn an_item_that_the_importer_refuses_is_reported_with_its_line() {
    let (text, _) = export();
    let mut before = 3;
    let error = read_export(&text[..], |_| {
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

/// A program wrote it that did not export accounts yet.
#[test]
fn an_export_of_the_first_format_is_read() {
    let old = include_bytes!("../../../fuzz/corpus/import/whole");
    let entries = parsed(old).unwrap();
    let changes = entries
        .iter()
        .filter(|entry| matches!(entry, ExportedItem::Change(_)));
    assert_eq!(changes.count(), 13);
}

/// An export of `pets` and `changes` with a valid hash.
fn export_of(rev: u64, next_pet: u64, pets: &[Pet], changes: &[Change]) -> Vec<u8> {
    let mut text = Vec::new();
    let (epoch, rev) = (Epoch::new(7), Rev::new(rev));
    let mut writer = ExportWriter::start(&mut text, epoch, rev, PetId::new(next_pet)).unwrap();
    for pet in pets {
        writer.pet(pet).unwrap();
    }
    for change in changes {
        writer.change(change).unwrap();
    }
    writer.end().unwrap();
    text
}

#[test]
fn inconsistent_lines_are_refused_even_with_a_valid_hash() {
    let record = || ChangeKind::Pet(Arc::new(pet()));
    let two = [change(1, record()), change(2, noted())];
    assert!(parsed(&export_of(2, 2, &[pet()], &two)).is_ok());
    let trimmed = [change(5, noted()), change(6, noted())];
    assert!(parsed(&export_of(6, 2, &[pet()], &trimmed)).is_ok());
    let other = Pet {
        photos: Vec::new(),
        status: Status::Playing,
        ..pet()
    };
    let inconsistent = [
        (
            "missing",
            export_of(3, 2, &[pet()], &[two[0].clone(), change(3, noted())]),
        ),
        ("does not end at rev 3", export_of(3, 2, &[pet()], &two)),
        ("not what the log says", export_of(2, 2, &[other], &two)),
        ("not what the log says", export_of(2, 2, &[], &two)),
        (
            "not in the log",
            export_of(1, 2, &[pet()], &[change(1, noted())]),
        ),
        ("yet to be given", export_of(2, 1, &[pet()], &two)),
        (
            "yet to be given",
            export_of(1, 1, &[], &[change(1, ChangeKind::Gone(None))]),
        ),
        ("not in its order", export_of(2, 2, &[pet(), pet()], &two)),
    ];
    for (reason, text) in inconsistent {
        let error = parsed(&text).expect_err(reason);
        assert!(matches!(error, StoreError::Import { .. }), "{error}");
        assert!(error.to_string().contains(reason), "{reason}: {error}");
    }
}

#[test]
fn a_pet_after_a_change_is_refused() {
    let mut text = Vec::new();
    let (rev, next) = (Rev::new(1), PetId::new(2));
    let mut writer = ExportWriter::start(&mut text, Epoch::new(7), rev, next).unwrap();
    writer.change(&change(1, ChangeKind::Gone(None))).unwrap();
    writer.pet(&pet()).unwrap();
    writer.end().unwrap();
    let error = parsed(&text).unwrap_err().to_string();
    assert!(error.contains("a pet follows a change"), "{error}");
}

/// A token without an account could be written and not be read again.
#[test]
fn a_token_without_an_account_is_neither_exported_nor_imported() {
    let (rev, next) = (Rev::ZERO, PetId::FIRST);
    let without_accounts = AccountSet {
        accounts: Vec::new(),
        clock: None,
        webhooks: Vec::new(),
        ..account_set()
    };
    let mut text = Vec::new();
    let mut writer = ExportWriter::start(&mut text, Epoch::new(7), rev, next).unwrap();
    writer.accounts(&without_accounts).unwrap();
    assert_eq!(writer.lines, 1, "nothing but the first line");
    let token = &without_accounts.tokens[0];
    let written = writer.write_line(&ExportLine::Token {
        key: encode_key(&token.key),
        record: json_value(&encode_token(token)),
    });
    written.unwrap();
    writer.end().unwrap();
    let start = ExportedItem::Start {
        rev,
        next_pet: next,
    };
    assert_eq!(parsed(&text).unwrap(), [start]);
}
