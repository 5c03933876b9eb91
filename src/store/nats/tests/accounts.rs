//! Two nodes that edit the accounts of one cluster.

use std::sync::Arc;

use super::cluster::TestCluster;
use crate::model::{Account, AccountName, AuditEntry, Author, Role, Timestamp};
use crate::store::accounts::contract::RecordingFollower;
use crate::store::contract::server::{OLDEST, Servers};
use crate::store::contract::wait_until;
use crate::store::nats::NatsEngine;
use crate::store::nats::subjects::STAFF;
use crate::store::{AccountEdit, AccountSet, AccountStore, Engine, StoreError};

fn start_pair() -> (TestCluster, Arc<NatsEngine>, Arc<NatsEngine>) {
    let cluster = TestCluster::start(1);
    let (here, there) = (cluster.connect(), cluster.connect());
    (cluster, here, there)
}

fn name(text: &str) -> AccountName {
    text.parse().unwrap()
}

fn put(text: &str) -> AccountEdit {
    AccountEdit::PutAccount(Account {
        name: name(text),
        role: Role::Admin,
        is_disabled: false,
        password: Some("$argon2id$…".to_owned()),
        pin: None,
        invitation: None,
        created: Timestamp::from_micros(7),
    })
}

fn note(words: &str) -> AccountEdit {
    AccountEdit::AddAuditEntry(AuditEntry {
        at: Timestamp::from_micros(8),
        author: Author {
            name: "anna".to_owned(),
            client: "a test".to_owned(),
        },
        kind: crate::model::AuditKind::Administrative,
        action: words.to_owned(),
        after: None,
    })
}

fn follow(engine: &NatsEngine) -> Arc<RecordingFollower> {
    let follower: Arc<RecordingFollower> = Arc::default();
    engine
        .follow_accounts(Arc::downgrade(&follower) as _)
        .unwrap();
    follower
}

/// No task keeps the other node current, so only the stream can know that the node is behind.
#[test]
fn the_stream_refuses_an_edit_by_a_node_that_is_behind_which_has_then_caught_up() {
    let (_cluster, here, there) = start_pair();
    let version = here.edit_accounts(0, &[put("anna")]).unwrap();
    let late = [put("anna"), put("boris")];
    assert_eq!(there.edit_accounts(0, &late), Err(StoreError::Conflict));
    assert_eq!(there.account_set().unwrap(), here.account_set().unwrap());
    there.edit_accounts(version, &late).unwrap();
    assert_eq!(there.account_set().unwrap().accounts.len(), 2);
}

#[test]
fn an_edit_of_one_node_is_shown_at_the_other() {
    let (_cluster, here, there) = start_pair();
    let follower = follow(&there);
    let first = here.edit_accounts(0, &[put("anna"), put("boris")]).unwrap();
    let removed = [
        AccountEdit::RemoveAccount(name("anna")),
        note("removed anna"),
    ];
    let second = here.edit_accounts(first, &removed).unwrap();
    wait_until("the removal", || follower.last_version() == Some(second));
    assert_eq!(there.account_set().unwrap(), here.account_set().unwrap());
    let audit_entries = there.audit_entries(None, 10).unwrap();
    assert_eq!(audit_entries, here.audit_entries(None, 10).unwrap());
    assert_eq!(audit_entries.len(), 1);
}

/// The stream was deleted, and the new one is as long before this node polls again.
#[test]
fn a_stream_that_was_replaced_is_read_again() {
    let (cluster, here, _) = start_pair();
    let follower = follow(&here);
    here.edit_accounts(0, &[put("anna")]).unwrap();
    cluster.servers.ask("$JS.API.STREAM.DELETE.PET_STORE_STAFF");
    let there = cluster.connect();
    let version = there
        .edit_accounts(0, &[put("boris"), put("cleo")])
        .unwrap();
    wait_until("the new accounts", || {
        follower.last_version() == Some(version)
    });
    assert_eq!(here.account_set().unwrap(), there.account_set().unwrap());
}

/// A user who had just been signed out stayed signed in at the other nodes.
#[test]
fn an_invalid_message_is_skipped_and_the_edits_around_it_are_shown() {
    let (cluster, here, there) = start_pair();
    let follower = follow(&there);
    // Then all messages are read together.
    let locked = cluster.runtime.block_on(there.accounts.replica());
    let first = here.edit_accounts(0, &[put("anna")]).unwrap();
    cluster
        .servers
        .ask_with("ps-staff.account.x", "not an account");
    follow(&here);
    wait_until("the message", || {
        let replica = cluster.runtime.block_on(here.accounts.replica());
        replica.seq == first + 1
    });
    let second = here.edit_accounts(first + 1, &[put("boris")]).unwrap();
    drop(locked);
    wait_until("the edits", || follower.last_version() == Some(second));
    let accounts: Vec<String> = follower
        .accounts()
        .iter()
        .map(ToString::to_string)
        .collect();
    assert_eq!(accounts, ["anna", "boris"]);
}

/// As for pets: the oldest server reports the same error whether it stored nothing or a part.
#[test]
fn an_edit_that_a_full_server_may_have_stored_is_not_reported_as_refused() {
    let mut cluster = TestCluster::new(Servers::start(1, OLDEST));
    cluster.servers.set_max_store("300KB");
    let engine = cluster.connect();
    let entries: Vec<AccountEdit> = (0..200).map(|_| note("did something")).collect();
    let mut refused = Vec::new();
    for _ in 0..100 {
        let version = cluster.runtime.block_on(engine.accounts.replica()).seq;
        refused.extend(engine.edit_accounts(version, &entries).err());
        if refused.len() == 2 {
            break;
        }
    }
    assert!(matches!(refused[0], StoreError::Unknown(_)), "{refused:?}");
    assert!(matches!(refused[1], StoreError::Full(_)), "{refused:?}");
}

#[test]
fn an_edit_that_cannot_be_sent_is_not_made() {
    let (mut cluster, here, _there) = start_pair();
    cluster.servers.kill(0);
    wait_until("the loss", || !here.is_healthy());
    let refused = here.edit_accounts(0, &[put("anna")]);
    assert!(
        matches!(refused, Err(StoreError::Unavailable(_))),
        "{refused:?}"
    );
    cluster.servers.begin(0);
    wait_until("the connection", || here.is_healthy());
    assert_eq!(here.account_set().unwrap(), AccountSet::default());
    here.edit_accounts(0, &[put("anna")]).unwrap();
}

/// As for pets.
#[test]
fn a_refusal_of_an_edit_by_a_former_leader_is_not_believed() {
    let cluster = TestCluster::start(3);
    let engine = cluster.connect();
    let mut version = 0;
    for code in [10071, 10008] {
        let refusing = cluster.refuse_writes(&engine, &STAFF, code);
        for text in ["anna", "boris", "cleo"] {
            version = engine.edit_accounts(version, &[put(text)]).unwrap();
        }
        refusing.abort();
    }
    assert_eq!(engine.account_set().unwrap().accounts.len(), 3);
}
