//! Two nodes that edit the roster of one cluster.

use super::*;
use crate::model::{Account, AccountName, Author, Role, Timestamp};
use crate::store::accounts::contract::RecordingFollower;
use crate::store::contract::server::{OLDEST, Servers};
use crate::store::contract::wait_until;
use crate::store::nats::subjects::STAFF;
use crate::store::nats::tests::rig::Rig;
use crate::store::{AccountEdit, AccountStore, Engine, NatsEngine};

struct Pair {
    here: Arc<NatsEngine>,
    there: Arc<NatsEngine>,
    rig: Rig,
}

impl Pair {
    fn start() -> Self {
        let rig = Rig::start(1);
        Pair {
            here: rig.connect(),
            there: rig.connect(),
            rig,
        }
    }
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
        words: words.to_owned(),
        after: None,
    })
}

fn follow(engine: &NatsEngine) -> Arc<RecordingFollower> {
    let told: Arc<RecordingFollower> = Arc::default();
    engine.follow_accounts(Arc::downgrade(&told) as _).unwrap();
    told
}

/// Nothing keeps up the node there, so only the stream can know that it is behind.
#[test]
fn the_stream_refuses_an_edit_by_a_node_that_is_behind_which_has_then_caught_up() {
    let pair = Pair::start();
    let version = pair.here.edit_accounts(0, &[put("anna")]).unwrap();
    let late = [put("anna"), put("boris")];
    assert_eq!(
        pair.there.edit_accounts(0, &late),
        Err(StoreError::Conflict)
    );
    assert_eq!(
        pair.there.account_set().unwrap(),
        pair.here.account_set().unwrap()
    );
    pair.there.edit_accounts(version, &late).unwrap();
    assert_eq!(pair.there.account_set().unwrap().accounts.len(), 2);
}

#[test]
fn what_one_node_edits_the_other_hears_of() {
    let pair = Pair::start();
    let told = follow(&pair.there);
    let first = pair
        .here
        .edit_accounts(0, &[put("anna"), put("boris")])
        .unwrap();
    let removed = [
        AccountEdit::RemoveAccount(name("anna")),
        note("removed anna"),
    ];
    let second = pair.here.edit_accounts(first, &removed).unwrap();
    wait_until("the removal", || told.last_version() == Some(second));
    assert_eq!(
        pair.there.account_set().unwrap(),
        pair.here.account_set().unwrap()
    );
    let audit_entries = pair.there.audit_entries(None, 10).unwrap();
    assert_eq!(audit_entries, pair.here.audit_entries(None, 10).unwrap());
    assert_eq!(audit_entries.len(), 1);
}

/// A stream that was deleted, and is as long as the old one before this node looks again.
#[test]
fn a_stream_that_is_another_one_is_read_anew() {
    let pair = Pair::start();
    let told = follow(&pair.here);
    pair.here.edit_accounts(0, &[put("anna")]).unwrap();
    pair.rig
        .servers
        .ask("$JS.API.STREAM.DELETE.PET_STORE_STAFF");
    let there = pair.rig.connect();
    let version = there
        .edit_accounts(0, &[put("boris"), put("cleo")])
        .unwrap();
    wait_until("the new roster", || told.last_version() == Some(version));
    assert_eq!(
        pair.here.account_set().unwrap(),
        there.account_set().unwrap()
    );
}

/// Whoever was signed out just before stayed signed in at the other nodes.
#[test]
fn what_no_pet_store_wrote_is_passed_over_and_edits_around_it_are_shown() {
    let pair = Pair::start();
    let told = follow(&pair.there);
    // So that all of it is read at once.
    let reading = pair.rig.runtime.block_on(pair.there.staff.mirror.lock());
    let first = pair.here.edit_accounts(0, &[put("anna")]).unwrap();
    pair.rig.servers.ask_with("ps-staff.account.x", "not ours");
    follow(&pair.here);
    wait_until("the message", || {
        let mirror = pair.rig.runtime.block_on(pair.here.staff.mirror.lock());
        mirror.seq == first + 1
    });
    let second = pair.here.edit_accounts(first + 1, &[put("boris")]).unwrap();
    drop(reading);
    wait_until("the edits", || told.last_version() == Some(second));
    let accounts: Vec<String> = told.accounts().iter().map(ToString::to_string).collect();
    assert_eq!(accounts, ["anna", "boris"]);
}

/// As for pets: the oldest server refuses with the same words what it keeps a part of.
#[test]
fn an_edit_that_a_full_server_may_have_kept_is_not_told_as_refused() {
    let mut rig = Rig::over(Servers::start(1, OLDEST));
    rig.servers.set_room("300KB");
    let engine = rig.connect();
    let audit_entries: Vec<AccountEdit> = (0..200).map(|_| note("did something")).collect();
    let mut refused = Vec::new();
    for _ in 0..100 {
        let version = rig.runtime.block_on(engine.staff.mirror.lock()).seq;
        refused.extend(engine.edit_accounts(version, &audit_entries).err());
        if refused.len() == 2 {
            break;
        }
    }
    assert!(matches!(refused[0], StoreError::Unknown(_)), "{refused:?}");
    assert!(matches!(refused[1], StoreError::Full(_)), "{refused:?}");
}

#[test]
fn an_edit_that_cannot_be_sent_is_not_made() {
    let mut pair = Pair::start();
    pair.rig.servers.kill(0);
    wait_until("the loss", || !pair.here.is_healthy());
    let refused = pair.here.edit_accounts(0, &[put("anna")]);
    assert!(
        matches!(refused, Err(StoreError::Unavailable(_))),
        "{refused:?}"
    );
    pair.rig.servers.begin(0);
    wait_until("the connection", || pair.here.is_healthy());
    assert_eq!(pair.here.account_set().unwrap(), AccountSet::default());
    pair.here.edit_accounts(0, &[put("anna")]).unwrap();
}

/// As for changes of pets: an edit that was refused by a server that no longer leads is made.
#[test]
fn a_refusal_by_a_server_that_no_longer_leads_is_not_believed() {
    let rig = Rig::start(3);
    let engine = rig.connect();
    let mut version = 0;
    for code in [10071, 10008] {
        let refusing = rig.refuse_everything(&engine, &STAFF, code);
        for text in ["anna", "boris", "cleo"] {
            version = engine.edit_accounts(version, &[put(text)]).unwrap();
        }
        refusing.abort();
    }
    assert_eq!(engine.account_set().unwrap().accounts.len(), 3);
}
