//! Imports while another program writes to the same servers.

use super::cluster::TestCluster;
use crate::model::{AuditEntry, Author, PetId, Timestamp};
use crate::store::nats::batch::{self, BatchMessage};
use crate::store::nats::import::{claim, connect_empty, write_accounts};
use crate::store::nats::{NatsEngine, epoch};
use crate::store::{AccountEdit, AccountStore, MAX_ACCOUNT_EDITS, StoreError};

impl TestCluster {
    fn connect_import(&self) -> NatsEngine {
        self.runtime
            .block_on(connect_empty(&self.address()))
            .unwrap()
    }

    fn claim(&self, import: &NatsEngine) -> Result<u64, StoreError> {
        self.runtime
            .block_on(claim(&import.replica.client, PetId::FIRST))
    }

    fn begin_epoch(&self, import: &NatsEngine, last: u64) -> Result<(), StoreError> {
        let begun = epoch::begin_first(&import.replica.client, last);
        self.runtime.block_on(begun)
    }
}

/// A node that started after the import had found the stream empty would show pets one by one.
#[test]
fn a_stream_in_which_a_node_has_begun_an_epoch_is_not_imported_into() {
    let cluster = TestCluster::start(1);
    let import = cluster.connect_import();
    cluster.connect();
    assert_eq!(cluster.claim(&import), Err(StoreError::Conflict));
}

/// A node would begin an epoch for an import that is not complete.
#[test]
fn a_node_that_found_the_stream_empty_begins_no_epoch_after_an_import_has_started() {
    let cluster = TestCluster::start(1);
    let import = cluster.connect_import();
    let last = cluster.claim(&import).unwrap();
    assert_eq!(cluster.begin_epoch(&import, 0), Err(StoreError::Conflict));
    let address = cluster.address();
    let refused = cluster.runtime.block_on(NatsEngine::connect(&address));
    assert_eq!(refused.err(), Some(StoreError::Unfinished));
    cluster.begin_epoch(&import, last).unwrap();
    cluster.connect();
}

#[test]
fn two_imports_do_not_fill_one_stream() {
    let cluster = TestCluster::start(1);
    let (one, other) = (cluster.connect_import(), cluster.connect_import());
    let last = cluster.claim(&one).unwrap();
    assert_eq!(cluster.claim(&other), Err(StoreError::Conflict));
    // Any other message makes the import fail before its epoch.
    let foreign = vec![BatchMessage::new("ps.other", b"x".to_vec())];
    let sent = batch::send(&other.replica.client, "foreign", foreign);
    assert!(cluster.runtime.block_on(sent).is_ok());
    assert_eq!(cluster.begin_epoch(&one, last), Err(StoreError::Conflict));
}

#[test]
fn more_audit_entries_than_one_batch_takes_are_imported_completely() {
    let cluster = TestCluster::start(1);
    let import = cluster.connect_import();
    let audit_entry = |number: usize| {
        AccountEdit::AddAuditEntry(AuditEntry {
            at: Timestamp::from_micros(0),
            author: Author {
                name: "anna".to_owned(),
                client: "Firefox".to_owned(),
            },
            kind: crate::model::AuditKind::Administrative,
            action: format!("did {number}"),
            after: None,
        })
    };
    let entries: Vec<AccountEdit> = (1..=MAX_ACCOUNT_EDITS * 2 + 1).map(audit_entry).collect();
    write_accounts(&import, &entries).unwrap();
    let imported = import.audit_entries(None, usize::MAX).unwrap();
    assert_eq!(imported.len(), entries.len());
    let last = AccountEdit::AddAuditEntry(imported[0].1.clone());
    assert_eq!(last, audit_entry(entries.len()));
}
