//! Sessions and tokens without an account, which a store of an earlier version can have.

use std::sync::Arc;

use super::{DAY, HASH, TestAccounts, name, operator};
use crate::auth::accounts::Accounts;
use crate::model::{Key, MonotonicSeconds, Role, Scope, Session, Timestamp, Token};
#[cfg(feature = "slow-tests")]
use crate::store::contract::with_pair;
use crate::store::{AccountEdit, AccountStore, MemoryAccountStore, RedbEngine};

const KEY: Key = Key::new([7; 32]);

fn orphans() -> [AccountEdit; 2] {
    let session = Session {
        key: KEY,
        account: name("anna"),
        client: "Firefox".to_owned(),
        began_at: Timestamp::now(),
        began: MonotonicSeconds(0),
        seen: MonotonicSeconds(0),
    };
    let token = Token {
        key: KEY,
        account: name("anna"),
        name: "Feeder".to_owned(),
        scope: Scope::Write,
        created: Timestamp::now(),
        used: None,
    };
    [
        AccountEdit::PutSession(session),
        AccountEdit::PutToken(token),
    ]
}

fn check(store: Arc<dyn AccountStore>) {
    store.edit_accounts(0, &orphans()).unwrap();
    let accounts = Accounts::open(Arc::clone(&store)).unwrap();
    let roster = store.account_set().unwrap();
    assert_eq!((roster.sessions, roster.tokens), (Vec::new(), Vec::new()));
    let words = &accounts.audit_entries(None, 1).unwrap()[0].1.action;
    assert_eq!(words, "removed 2 sessions and tokens without an account");
    drop(Accounts::open(Arc::clone(&store)).unwrap());
    assert_eq!(accounts.audit_entries(None, 9).unwrap().len(), 1, "once");
}

#[test]
fn what_belongs_to_no_account_is_removed_at_start() {
    check(Arc::new(MemoryAccountStore::default()));
    let folder = tempfile::tempdir().unwrap();
    check(Arc::new(RedbEngine::open(folder.path()).unwrap()));
    #[cfg(feature = "slow-tests")]
    with_pair(|here, _| check(here));
}

/// The disk was full at the start, so the token is still in the store.
#[test]
fn a_new_account_inherits_nothing_that_was_left_under_its_name() {
    let test = TestAccounts::start();
    let version = test.disk.edit_accounts(0, &orphans()).unwrap();
    assert_eq!(version, 1);
    let invited = test
        .accounts
        .invitations()
        .invite(&name("anna"), Role::Staff, &operator())
        .unwrap();
    test.accounts
        .invitations()
        .accept(&invited.key(), HASH.to_owned(), &super::author())
        .unwrap();
    assert!(!test.is_in(&KEY) && test.accounts.tokens().get(&KEY).is_none());
    let roster = test.disk.account_set().unwrap();
    assert_eq!((roster.sessions, roster.tokens), (Vec::new(), Vec::new()));
}

#[test]
fn what_could_not_be_removed_at_start_is_removed_later() {
    let test = TestAccounts::start();
    test.disk.edit_accounts(0, &orphans()).unwrap();
    test.turn(DAY);
    test.accounts.maintain().unwrap();
    let roster = test.disk.account_set().unwrap();
    assert_eq!((roster.sessions, roster.tokens), (Vec::new(), Vec::new()));
}
