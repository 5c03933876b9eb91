//! Sessions and tokens without an account, which a store of an earlier version can have.

use std::sync::Arc;

use super::support::{DAY, HASH, TestAccounts, author, name, operator};
use crate::auth::accounts::Accounts;
use crate::model::{Key, MonotonicSeconds, Role, Scope, Session, Timestamp, Token};
#[cfg(feature = "slow-tests")]
use crate::store::contract::with_pair;
use crate::store::{AccountEdit, AccountStore, MemoryAccountStore, RedbEngine};

const KEY: Key = Key::new([7; 32]);

fn put_orphans(store: &dyn AccountStore) {
    let session = Session {
        key: KEY,
        account: name("anna"),
        client: "Firefox".to_owned(),
        began_at: Timestamp::now(),
        began: MonotonicSeconds(0),
        seen: MonotonicSeconds(0),
        station: None,
    };
    let token = Token {
        key: KEY,
        account: name("anna"),
        name: "Feeder".to_owned(),
        scope: Scope::Write,
        created: Timestamp::now(),
        used: None,
    };
    let edits = [
        AccountEdit::PutSession(session),
        AccountEdit::PutToken(token),
    ];
    store.edit_accounts(0, &edits).unwrap();
}

fn assert_none_left(store: &dyn AccountStore) {
    let left = store.account_set().unwrap();
    assert_eq!((left.sessions, left.tokens), (Vec::new(), Vec::new()));
}

fn check_start(store: Arc<dyn AccountStore>) {
    put_orphans(&*store);
    let accounts = Accounts::open(Arc::clone(&store)).unwrap();
    assert_none_left(&*store);
    let action = &accounts.audit_entries(None, 1).unwrap()[0].1.action;
    assert_eq!(action, "removed 2 sessions and tokens without an account");
    drop(Accounts::open(Arc::clone(&store)).unwrap());
    assert_eq!(accounts.audit_entries(None, 9).unwrap().len(), 1, "once");
}

#[test]
fn orphans_are_removed_at_start() {
    check_start(Arc::new(MemoryAccountStore::default()));
    let folder = tempfile::tempdir().unwrap();
    check_start(Arc::new(RedbEngine::open(folder.path()).unwrap()));
    #[cfg(feature = "slow-tests")]
    with_pair(|here, _| check_start(here));
}

/// The disk was full at the start, so the token is still in the store.
#[test]
fn a_new_account_does_not_inherit_orphans_of_its_name() {
    let test = TestAccounts::new();
    put_orphans(&*test.store);
    let invited = test
        .invitations()
        .invite(&name("anna"), Role::Staff, &operator());
    let accepted = test
        .invitations()
        .accept(&invited.unwrap().key(), HASH.to_owned(), &author());
    assert!(accepted.is_ok() && !test.has_session(&KEY) && !test.has_token(&KEY));
    assert_none_left(&*test.store);
}

#[test]
fn orphans_that_could_not_be_removed_at_start_are_removed_by_maintenance() {
    let test = TestAccounts::new();
    put_orphans(&*test.store);
    test.pass(DAY);
    test.maintain().unwrap();
    assert_none_left(&*test.store);
}
