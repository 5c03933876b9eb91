//! What the roster promises when its disk is full, and when other nodes edit it too.

mod order;
mod orphans;
mod revocation;
mod rig;

use std::sync::Arc;
use std::sync::atomic::Ordering;

pub use self::revocation::{Case, ENDS};
pub use self::rig::{DAY, HASH, HOUR, Rig, author, later, name, operator};
use super::AccountsError;
use crate::model::{MonotonicSeconds, Role, Timestamp};
use crate::store::AccountStore;

#[test]
fn what_is_ended_is_ended_also_when_the_disk_is_full() {
    let rig = Rig::with_two();
    let (session, token) = (rig.sign_in("anna"), rig.token("anna"));
    rig.disk.is_full.store(true, Ordering::Relaxed);
    assert!(rig.directory.end_session(session, &author()).is_err());
    assert!(!rig.is_in(&session));
    let revoked = rig
        .directory
        .revoke_token(&name("anna"), &token.handle(), &operator());
    assert!(revoked.is_err());
    assert!(rig.directory.token(&token).is_none());
}

/// The store still has what was ended while it could not be written, and a restart would believe
/// it.
#[test]
fn what_was_ended_on_a_full_disk_is_told_to_it_as_soon_as_there_is_room() {
    let rig = Rig::with_two();
    let (ended, token) = (rig.sign_in("anna"), rig.token("anna"));
    let stays = rig.sign_in("boris");
    rig.disk.is_full.store(true, Ordering::Relaxed);
    assert!(rig.directory.end_session(ended, &author()).is_err());
    assert!(
        rig.directory
            .revoke_token(&name("anna"), &token.handle(), &operator())
            .is_err()
    );
    assert!(rig.directory.tidy().is_err() && rig.directory.has_pending_revocations());
    rig.disk.is_full.store(false, Ordering::Relaxed);
    rig.directory.tidy().unwrap();
    assert!(!rig.directory.has_pending_revocations());
    let rig = rig.restarted(Timestamp::now());
    assert!(!rig.is_in(&ended) && rig.is_in(&stays));
    assert!(rig.directory.token(&token).is_none());
}

#[test]
fn nothing_is_true_that_the_disk_did_not_take() {
    let rig = Rig::with_two();
    rig.disk.is_full.store(true, Ordering::Relaxed);
    assert!(
        rig.directory
            .begin_session(&name("anna"), HASH, "Firefox", None)
            .is_err()
    );
    assert!(
        rig.directory
            .invite(&name("cleo"), Role::Staff, &operator())
            .is_err()
    );
    assert_eq!(rig.directory.sessions_of(&name("anna")).len(), 0);
    assert!(rig.directory.account(&name("cleo")).is_none());
}

#[test]
fn what_one_node_does_is_true_on_the_other_at_once() {
    let here = Rig::with_two();
    let there = Rig::on(Arc::clone(&here.disk), Timestamp::now());
    let (session, token) = (here.sign_in("anna"), here.token("boris"));
    assert!(there.is_in(&session) && there.directory.token(&token).is_some());
    there.directory.end_session(session, &author()).unwrap();
    there.directory.remove(&name("boris"), &operator()).unwrap();
    assert!(!here.is_in(&session) && here.directory.token(&token).is_none());
    assert!(here.directory.account(&name("boris")).is_none());
}

/// Each of two admins sends the other away, at the same moment, on two nodes.
#[test]
fn an_edit_that_another_node_was_faster_than_is_decided_anew() {
    let here = Rig::with_two();
    let role = here
        .directory
        .set_role(&name("boris"), Role::Admin, &operator());
    role.unwrap();
    let there = Rig::on(Arc::clone(&here.disk), Timestamp::now());
    here.disk.meanwhile(move || {
        let disabled = there.directory.disable(&name("anna"), &operator());
        disabled.unwrap();
    });
    let disabled = here.directory.disable(&name("boris"), &operator());
    assert!(matches!(disabled, Err(AccountsError::LastAdmin(_))));
    let is_disabled = |text| here.directory.account(&name(text)).unwrap().is_disabled;
    assert!(is_disabled("anna") && !is_disabled("boris"));
}

/// What an edit ends is ended before the store has it, and must still be found when the edit is
/// decided anew.
#[test]
fn ending_a_session_works_also_when_another_node_was_faster_with_something_else() {
    let here = Rig::with_two();
    let (session, stays) = (here.sign_in("anna"), here.sign_in("anna"));
    let there = Rig::on(Arc::clone(&here.disk), Timestamp::now());
    here.disk.meanwhile(move || {
        there.token("boris");
    });
    let ended = here
        .directory
        .end_session_of(&name("anna"), &session.handle(), &operator());
    ended.unwrap();
    assert!(!here.is_in(&session) && here.is_in(&stays));
    assert!(!here.directory.has_pending_revocations());
    assert!(here.last_words().starts_with("signed out"));
}

/// Two nodes see the same session used, and the one that saw it earlier saves that later.
#[test]
fn the_later_use_counts_whichever_node_saw_it() {
    let here = Rig::with_two();
    let session = here.sign_in("anna");
    let there = Rig::on(Arc::clone(&here.disk), Timestamp::now());
    here.turn(DAY);
    there.turn(2 * DAY);
    assert!(here.is_in(&session) && there.is_in(&session));
    here.directory.tidy().unwrap();
    there.directory.tidy().unwrap();
    assert_eq!(
        here.disk.account_set().unwrap().sessions[0].seen,
        MonotonicSeconds(2 * DAY)
    );
}

#[test]
fn saving_the_last_use_brings_no_session_back_that_another_node_ended_meanwhile() {
    let here = Rig::with_two();
    let session = here.sign_in("anna");
    let there = Rig::on(Arc::clone(&here.disk), Timestamp::now());
    here.turn(DAY);
    assert!(here.is_in(&session));
    let end = move || there.directory.end_session(session, &author()).unwrap();
    here.disk.meanwhile(end);
    here.directory.tidy().unwrap();
    assert!(!here.is_in(&session));
    assert_eq!(here.disk.account_set().unwrap().sessions, []);
}

/// The audit keeps the two kinds apart by their words.
#[test]
fn what_everyone_can_do_alone_is_routine_in_the_audit_and_nothing_else_is() {
    let rig = Rig::with_two();
    let (directory, boris) = (&rig.directory, name("boris"));
    let session = rig.sign_in("boris");
    let token = rig.token("boris");
    directory
        .revoke_token(&boris, &token.handle(), &operator())
        .unwrap();
    let other = rig.sign_in("boris");
    directory
        .end_session_of(&boris, &other.handle(), &operator())
        .unwrap();
    rig.sign_in("boris");
    directory
        .end_other_sessions(&boris, session, &operator())
        .unwrap();
    let renewed = directory.change_password(session, HASH, "another".to_owned(), &author());
    directory
        .end_session(renewed.unwrap().key(), &author())
        .unwrap();
    let audit_entries = |count| directory.audit_entries(None, count).unwrap();
    assert_eq!(audit_entries(usize::MAX).len(), 2 + 9);
    assert!(
        audit_entries(9)
            .iter()
            .all(|(_, audit_entry)| audit_entry.is_routine())
    );

    directory
        .set_role(&boris, Role::Admin, &operator())
        .unwrap();
    let link = directory.reset(&boris, &operator()).unwrap();
    directory
        .accept(&link.key(), HASH.to_owned(), &author())
        .unwrap();
    directory
        .set_password(&boris, HASH.to_owned(), &operator())
        .unwrap();
    directory.disable(&boris, &operator()).unwrap();
    directory.enable(&boris, &operator()).unwrap();
    directory
        .invite(&name("cleo"), Role::Staff, &operator())
        .unwrap();
    directory.remove(&boris, &operator()).unwrap();
    assert!(
        audit_entries(8)
            .iter()
            .all(|(_, audit_entry)| !audit_entry.is_routine())
    );
}
