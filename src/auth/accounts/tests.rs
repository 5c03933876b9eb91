//! Accounts on a full disk, with several nodes on one store, and the kinds of audit entries.

mod commands;
mod members;
mod order;
mod orphans;
mod revocation;
mod sessions;
mod stations;
mod support;

use self::support::{DAY, HASH, TestAccounts, author, name, operator};
use super::AccountsError;
use crate::model::{MonotonicSeconds, Role, Timestamp};
use crate::store::AccountStore;

#[test]
fn a_revocation_applies_also_if_the_disk_is_full() {
    let test = TestAccounts::with_two();
    let (session, token) = (test.sign_in("anna"), test.create_token("anna"));
    test.store.fill(true);
    assert!(test.sessions().end(session, &author()).is_err());
    let revoked = test
        .tokens()
        .revoke(&name("anna"), &token.handle(), &operator());
    assert!(revoked.is_err());
    assert!(!test.has_session(&session) && !test.has_token(&token));
}

/// The store still has what was revoked while it could not be written, and a restart would accept it.
#[test]
fn revocations_on_a_full_disk_are_written_as_soon_as_there_is_space() {
    let test = TestAccounts::with_two();
    let (ended, token) = (test.sign_in("anna"), test.create_token("anna"));
    let valid = test.sign_in("boris");
    test.store.fill(true);
    assert!(test.sessions().end(ended, &author()).is_err());
    let revoked = test
        .tokens()
        .revoke(&name("anna"), &token.handle(), &operator());
    assert!(revoked.is_err());
    assert!(test.maintain().is_err() && test.has_pending_revocations());
    test.store.fill(false);
    test.maintain().unwrap();
    assert!(!test.has_pending_revocations());
    let test = test.restarted(Timestamp::now());
    assert!(!test.has_session(&ended) && test.has_session(&valid) && !test.has_token(&token));
}

#[test]
fn nothing_is_added_that_the_disk_did_not_take() {
    let test = TestAccounts::with_two();
    test.store.fill(true);
    let begun = test.sessions().begin(&name("anna"), HASH, "Firefox", None);
    let invited = test
        .invitations()
        .invite(&name("cleo"), Role::Staff, &operator());
    assert!(begun.is_err() && invited.is_err());
    assert_eq!(test.sessions().list(&name("anna")).len(), 0);
    assert!(test.account(&name("cleo")).is_none());
}

#[test]
fn an_edit_on_one_node_applies_on_the_others_immediately() {
    let here = TestAccounts::with_two();
    let there = here.other_node();
    let (session, token) = (here.sign_in("anna"), here.create_token("boris"));
    assert!(there.has_session(&session) && there.has_token(&token));
    there.sessions().end(session, &author()).unwrap();
    there.members().remove(&name("boris"), &operator()).unwrap();
    assert!(!here.has_session(&session) && !here.has_token(&token));
    assert!(here.account(&name("boris")).is_none());
}

/// Two admins suspended each other at the same time on two nodes.
#[test]
fn an_edit_is_decided_again_if_another_node_commits_first() {
    let here = TestAccounts::with_two();
    here.members()
        .set_role(&name("boris"), Role::Admin, &operator())
        .unwrap();
    let there = here.other_node();
    here.store.interrupt(move || {
        there.members().disable(&name("anna"), &operator()).unwrap();
    });
    let disabled = here.members().disable(&name("boris"), &operator());
    assert!(matches!(disabled, Err(AccountsError::LastAdmin(_))));
    let is_disabled = |text| here.account(&name(text)).unwrap().is_disabled;
    assert!(is_disabled("anna") && !is_disabled("boris"));
}

/// A revocation applies before the store has it, and must be undone before the edit is decided again.
#[test]
fn a_session_is_ended_also_if_another_node_commits_something_else_first() {
    let here = TestAccounts::with_two();
    let (session, valid) = (here.sign_in("anna"), here.sign_in("anna"));
    let there = here.other_node();
    here.store.interrupt(move || {
        there.create_token("boris");
    });
    let sessions = here.sessions();
    sessions
        .end_by_handle(&name("anna"), &session.handle(), &operator())
        .unwrap();
    assert!(!here.has_session(&session) && here.has_session(&valid));
    assert!(!here.has_pending_revocations());
    assert!(here.last_entry().action.starts_with("signed out"));
}

/// Two nodes saw the same session used, and the one that saw the earlier use saved it later.
#[test]
fn the_latest_use_of_a_session_is_kept_whichever_node_saw_it() {
    let here = TestAccounts::with_two();
    let session = here.sign_in("anna");
    let there = here.other_node();
    here.pass(DAY);
    there.pass(2 * DAY);
    assert!(here.has_session(&session) && there.has_session(&session));
    here.maintain().unwrap();
    there.maintain().unwrap();
    let saved = here.store.account_set().unwrap();
    assert_eq!(saved.sessions[0].seen, MonotonicSeconds(2 * DAY));
}

#[test]
fn saving_the_last_use_does_not_revive_a_session_that_another_node_ended() {
    let here = TestAccounts::with_two();
    let session = here.sign_in("anna");
    let there = here.other_node();
    here.pass(DAY);
    assert!(here.has_session(&session));
    here.store
        .interrupt(move || there.sessions().end(session, &author()).unwrap());
    here.maintain().unwrap();
    assert!(!here.has_session(&session));
    assert_eq!(here.store.account_set().unwrap().sessions, []);
}

#[test]
fn edits_of_ones_own_account_are_routine_in_the_audit_and_others_are_not() {
    let test = TestAccounts::with_two();
    let (boris, hash, actor) = (name("boris"), || HASH.to_owned(), operator());
    let (members, sessions) = (test.members(), test.sessions());
    let session = test.sign_in("boris");
    let token = test.create_token("boris").handle();
    test.tokens().revoke(&boris, &token, &actor).unwrap();
    let other = test.sign_in("boris").handle();
    sessions.end_by_handle(&boris, &other, &actor).unwrap();
    test.sign_in("boris");
    sessions.end_others(&boris, session, &actor).unwrap();
    let renewed = members.change_password(session, HASH, hash(), &author());
    sessions.end(renewed.unwrap().key(), &author()).unwrap();
    let kinds = |count| {
        let entries = test.audit_entries(None, count).unwrap().into_iter();
        entries
            .map(|(_, entry)| entry.is_routine())
            .collect::<Vec<_>>()
    };
    assert_eq!(kinds(usize::MAX).len(), 2 + 9);
    assert_eq!(kinds(9), [true; 9]);

    members.set_role(&boris, Role::Admin, &actor).unwrap();
    let link = test.invitations().reset(&boris, &actor).unwrap().key();
    test.invitations().accept(&link, hash(), &author()).unwrap();
    members.set_password(&boris, hash(), &actor).unwrap();
    members.disable(&boris, &actor).unwrap();
    members.enable(&boris, &actor).unwrap();
    test.invitations()
        .invite(&name("cleo"), Role::Staff, &actor)
        .unwrap();
    members.remove(&boris, &actor).unwrap();
    assert_eq!(kinds(8), [false; 8]);
}
