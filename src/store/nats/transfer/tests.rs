//! Somebody else who comes to the same servers while an import is on its way.

use super::*;
use crate::store::AccountEdit;
use crate::store::nats::tests::rig::Rig;

/// A node that started after the import had looked would be given pets one by one.
#[test]
fn a_stream_that_a_node_has_begun_meanwhile_is_not_filled() {
    let rig = Rig::start(1);
    let importing = rig.runtime.block_on(connect_empty(&rig.address())).unwrap();
    rig.connect();
    let claimed = rig
        .runtime
        .block_on(claim(&importing.node.link, PetId::FIRST));
    assert_eq!(claimed.err(), Some(StoreError::Conflict));
}

/// The other way round: it would make an epoch for what is not whole.
#[test]
fn a_node_that_found_the_stream_empty_before_it_was_filled_begins_no_epoch() {
    let rig = Rig::start(1);
    let importing = rig.runtime.block_on(connect_empty(&rig.address())).unwrap();
    let link = &importing.node.link;
    let last = rig.runtime.block_on(claim(link, PetId::FIRST)).unwrap();
    let begun = rig.runtime.block_on(epoch::begin_first(link, 0));
    assert_eq!(begun.err(), Some(StoreError::Conflict));
    let refused = rig.runtime.block_on(NatsEngine::connect(&rig.address()));
    assert_eq!(refused.err(), Some(StoreError::Unfinished));
    rig.runtime
        .block_on(epoch::begin_first(link, last))
        .unwrap();
    rig.connect();
}

#[test]
fn two_imports_do_not_fill_one_stream() {
    let rig = Rig::start(1);
    let one = rig.runtime.block_on(connect_empty(&rig.address())).unwrap();
    let other = rig.runtime.block_on(connect_empty(&rig.address())).unwrap();
    let links = [&one.node.link, &other.node.link];
    let last = rig.runtime.block_on(claim(links[0], PetId::FIRST)).unwrap();
    let second = rig.runtime.block_on(claim(links[1], PetId::FIRST));
    assert_eq!(second.err(), Some(StoreError::Conflict));
    // Whatever else is written ends the import before its epoch.
    let foreign = Outgoing {
        subject: "ps.other".to_owned(),
        expected: None,
        headers: Vec::new(),
        body: b"x".to_vec(),
    };
    let sent = rig
        .runtime
        .block_on(batch::send(links[1], &batch::new_op(), vec![foreign]));
    assert!(sent.is_ok());
    let begun = rig.runtime.block_on(epoch::begin_first(links[0], last));
    assert_eq!(begun.err(), Some(StoreError::Conflict));
}

/// A trail that is longer than one batch, and numbers that go on.
#[test]
fn more_staff_than_one_batch_takes_is_kept_as_a_whole() {
    let rig = Rig::start(1);
    let importing = rig.runtime.block_on(connect_empty(&rig.address())).unwrap();
    let audit_entry = |number: usize| {
        AccountEdit::AddAuditEntry(crate::model::AuditEntry {
            at: crate::model::Timestamp::from_micros(0),
            author: crate::model::Author {
                name: "anna".to_owned(),
                client: "Firefox".to_owned(),
            },
            words: format!("did {number}"),
            after: None,
        })
    };
    let audit_entries: Vec<AccountEdit> =
        (1..=MAX_ACCOUNT_EDITS * 2 + 1).map(audit_entry).collect();
    keep(&importing, &audit_entries).unwrap();
    let kept = importing.audit_entries(None, usize::MAX).unwrap();
    assert_eq!(kept.len(), audit_entries.len());
    let last = AccountEdit::AddAuditEntry(kept[0].1.clone());
    assert_eq!(last, audit_entry(audit_entries.len()));
}
