//! What the roster promises when its disk is full, and when other nodes edit it too.

mod commands;
mod members;
mod order;
mod orphans;
mod revocation;
mod sessions;
mod support;

use std::sync::Arc;
use std::sync::atomic::Ordering;

pub use self::revocation::{Case, ENDS};
pub use self::support::{DAY, HASH, HOUR, TestAccounts, author, later, name, operator};
use super::AccountsError;
use crate::model::{MonotonicSeconds, Role, Timestamp};
use crate::store::AccountStore;

#[test]
fn what_is_ended_is_ended_also_when_the_disk_is_full() {
    let test = TestAccounts::with_two();
    let (session, token) = (test.sign_in("anna"), test.token("anna"));
    test.disk.is_full.store(true, Ordering::Relaxed);
    assert!(test.accounts.sessions().end(session, &author()).is_err());
    assert!(!test.is_in(&session));
    let revoked = test
        .accounts
        .tokens()
        .revoke(&name("anna"), &token.handle(), &operator());
    assert!(revoked.is_err());
    assert!(test.accounts.tokens().get(&token).is_none());
}

/// The store still has what was ended while it could not be written, and a restart would believe
/// it.
#[test]
fn what_was_ended_on_a_full_disk_is_told_to_it_as_soon_as_there_is_room() {
    let test = TestAccounts::with_two();
    let (ended, token) = (test.sign_in("anna"), test.token("anna"));
    let stays = test.sign_in("boris");
    test.disk.is_full.store(true, Ordering::Relaxed);
    assert!(test.accounts.sessions().end(ended, &author()).is_err());
    assert!(
        test.accounts
            .tokens()
            .revoke(&name("anna"), &token.handle(), &operator())
            .is_err()
    );
    assert!(test.accounts.maintain().is_err() && test.accounts.has_pending_revocations());
    test.disk.is_full.store(false, Ordering::Relaxed);
    test.accounts.maintain().unwrap();
    assert!(!test.accounts.has_pending_revocations());
    let test = test.restarted(Timestamp::now());
    assert!(!test.is_in(&ended) && test.is_in(&stays));
    assert!(test.accounts.tokens().get(&token).is_none());
}

#[test]
fn nothing_is_true_that_the_disk_did_not_take() {
    let test = TestAccounts::with_two();
    test.disk.is_full.store(true, Ordering::Relaxed);
    assert!(
        test.accounts
            .sessions()
            .begin(&name("anna"), HASH, "Firefox", None)
            .is_err()
    );
    assert!(
        test.accounts
            .invitations()
            .invite(&name("cleo"), Role::Staff, &operator())
            .is_err()
    );
    assert_eq!(test.accounts.sessions().list(&name("anna")).len(), 0);
    assert!(test.accounts.account(&name("cleo")).is_none());
}

#[test]
fn what_one_node_does_is_true_on_the_other_at_once() {
    let here = TestAccounts::with_two();
    let there = TestAccounts::on(Arc::clone(&here.disk), Timestamp::now());
    let (session, token) = (here.sign_in("anna"), here.token("boris"));
    assert!(there.is_in(&session) && there.accounts.tokens().get(&token).is_some());
    there.accounts.sessions().end(session, &author()).unwrap();
    there
        .accounts
        .members()
        .remove(&name("boris"), &operator())
        .unwrap();
    assert!(!here.is_in(&session) && here.accounts.tokens().get(&token).is_none());
    assert!(here.accounts.account(&name("boris")).is_none());
}

/// Each of two admins sends the other away, at the same moment, on two nodes.
#[test]
fn an_edit_that_another_node_was_faster_than_is_decided_anew() {
    let here = TestAccounts::with_two();
    let role = here
        .accounts
        .members()
        .set_role(&name("boris"), Role::Admin, &operator());
    role.unwrap();
    let there = TestAccounts::on(Arc::clone(&here.disk), Timestamp::now());
    here.disk.meanwhile(move || {
        let disabled = there.accounts.members().disable(&name("anna"), &operator());
        disabled.unwrap();
    });
    let disabled = here.accounts.members().disable(&name("boris"), &operator());
    assert!(matches!(disabled, Err(AccountsError::LastAdmin(_))));
    let is_disabled = |text| here.accounts.account(&name(text)).unwrap().is_disabled;
    assert!(is_disabled("anna") && !is_disabled("boris"));
}

/// What an edit ends is ended before the store has it, and must still be found when the edit is
/// decided anew.
#[test]
fn ending_a_session_works_also_when_another_node_was_faster_with_something_else() {
    let here = TestAccounts::with_two();
    let (session, stays) = (here.sign_in("anna"), here.sign_in("anna"));
    let there = TestAccounts::on(Arc::clone(&here.disk), Timestamp::now());
    here.disk.meanwhile(move || {
        there.token("boris");
    });
    let ended =
        here.accounts
            .sessions()
            .end_by_handle(&name("anna"), &session.handle(), &operator());
    ended.unwrap();
    assert!(!here.is_in(&session) && here.is_in(&stays));
    assert!(!here.accounts.has_pending_revocations());
    assert!(here.last_action().starts_with("signed out"));
}

/// Two nodes see the same session used, and the one that saw it earlier saves that later.
#[test]
fn the_later_use_counts_whichever_node_saw_it() {
    let here = TestAccounts::with_two();
    let session = here.sign_in("anna");
    let there = TestAccounts::on(Arc::clone(&here.disk), Timestamp::now());
    here.turn(DAY);
    there.turn(2 * DAY);
    assert!(here.is_in(&session) && there.is_in(&session));
    here.accounts.maintain().unwrap();
    there.accounts.maintain().unwrap();
    assert_eq!(
        here.disk.account_set().unwrap().sessions[0].seen,
        MonotonicSeconds(2 * DAY)
    );
}

#[test]
fn saving_the_last_use_brings_no_session_back_that_another_node_ended_meanwhile() {
    let here = TestAccounts::with_two();
    let session = here.sign_in("anna");
    let there = TestAccounts::on(Arc::clone(&here.disk), Timestamp::now());
    here.turn(DAY);
    assert!(here.is_in(&session));
    let end = move || there.accounts.sessions().end(session, &author()).unwrap();
    here.disk.meanwhile(end);
    here.accounts.maintain().unwrap();
    assert!(!here.is_in(&session));
    assert_eq!(here.disk.account_set().unwrap().sessions, []);
}

/// The audit keeps the two kinds apart by their words.
#[test]
fn what_everyone_can_do_alone_is_routine_in_the_audit_and_nothing_else_is() {
    let test = TestAccounts::with_two();
    let (accounts, boris) = (&test.accounts, name("boris"));
    let session = test.sign_in("boris");
    let token = test.token("boris");
    accounts
        .tokens()
        .revoke(&boris, &token.handle(), &operator())
        .unwrap();
    let other = test.sign_in("boris");
    accounts
        .sessions()
        .end_by_handle(&boris, &other.handle(), &operator())
        .unwrap();
    test.sign_in("boris");
    accounts
        .sessions()
        .end_others(&boris, session, &operator())
        .unwrap();
    let renewed =
        accounts
            .members()
            .change_password(session, HASH, "another".to_owned(), &author());
    accounts
        .sessions()
        .end(renewed.unwrap().key(), &author())
        .unwrap();
    let audit_entries = |count| accounts.audit_entries(None, count).unwrap();
    assert_eq!(audit_entries(usize::MAX).len(), 2 + 9);
    assert!(
        audit_entries(9)
            .iter()
            .all(|(_, audit_entry)| audit_entry.is_routine())
    );

    accounts
        .members()
        .set_role(&boris, Role::Admin, &operator())
        .unwrap();
    let link = accounts.invitations().reset(&boris, &operator()).unwrap();
    accounts
        .invitations()
        .accept(&link.key(), HASH.to_owned(), &author())
        .unwrap();
    accounts
        .members()
        .set_password(&boris, HASH.to_owned(), &operator())
        .unwrap();
    accounts.members().disable(&boris, &operator()).unwrap();
    accounts.members().enable(&boris, &operator()).unwrap();
    accounts
        .invitations()
        .invite(&name("cleo"), Role::Staff, &operator())
        .unwrap();
    accounts.members().remove(&boris, &operator()).unwrap();
    assert!(
        audit_entries(8)
            .iter()
            .all(|(_, audit_entry)| !audit_entry.is_routine())
    );
}
