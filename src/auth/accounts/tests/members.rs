//! Changes of an account, and what they end; one admin always remains.

use super::support::{DAY, HASH, TestAccounts, author, name, operator};
use crate::auth::accounts::{AccountsError, AccountsResult};
use crate::model::{Role, Timestamp};
use crate::store::AccountStore;

#[test]
fn changing_the_password_ends_every_session_and_renews_the_present_one() {
    let test = TestAccounts::with_two();
    let (here, elsewhere) = (test.sign_in("anna"), test.sign_in("anna"));
    let boris = test.sign_in("boris");
    let change = |session, hash: &str| {
        let members = test.members();
        members.change_password(session, HASH, hash.to_owned(), &author())
    };
    let renewed = change(here, "another").unwrap().key();
    assert!(!test.has_session(&here) && !test.has_session(&elsewhere));
    assert!(test.has_session(&renewed) && test.has_session(&boris));
    let late = test.sessions().begin(&name("anna"), HASH, "Firefox", None);
    assert!(late.is_err(), "a sign-in with the old password is refused");
    assert!(matches!(change(renewed, "third"), Err(AccountsError::Gone)));
}

#[test]
fn another_role_ends_the_sessions_with_the_old_one() {
    let test = TestAccounts::with_two();
    let key = test.sign_in("boris");
    let members = test.members();
    members
        .set_role(&name("boris"), Role::Admin, &operator())
        .unwrap();
    assert!(!test.has_session(&key));
    assert_eq!(test.last_entry().action, "gave boris the role admin");
}

#[test]
fn a_suspended_account_has_no_rights_until_it_is_reactivated() {
    let (test, boris) = (TestAccounts::with_two(), name("boris"));
    let (session, token) = (test.sign_in("boris"), test.create_token("boris"));
    test.members().disable(&boris, &operator()).unwrap();
    assert!(!test.has_session(&session) && !test.has_token(&token));
    assert!(
        test.sessions()
            .begin(&boris, HASH, "Firefox", None)
            .is_err()
    );
    test.members().enable(&boris, &operator()).unwrap();
    assert!(!test.has_session(&session) && test.has_token(&token));
}

#[test]
fn a_reset_ends_everything_and_its_invitation_works_once_within_a_day() {
    let (test, boris) = (TestAccounts::with_two(), name("boris"));
    let (session, token) = (test.sign_in("boris"), test.create_token("boris"));
    let reset = || test.invitations().reset(&boris, &operator()).unwrap().key();
    let accept = |key, hash: &str| test.invitations().accept(key, hash.to_owned(), &author());
    let invitation = reset();
    assert!(!test.has_session(&session) && !test.has_token(&token));
    assert!(
        test.sessions()
            .begin(&boris, HASH, "Firefox", None)
            .is_err()
    );
    assert_eq!(test.invitations().find(&invitation), Some(boris.clone()));
    accept(&invitation, "new").unwrap();
    let again = accept(&invitation, "other");
    assert!(matches!(again, Err(AccountsError::BadInvitation)));
    let invitation = reset();
    test.pass(DAY);
    assert_eq!(test.invitations().find(&invitation), None);
    assert!(accept(&invitation, "late").is_err());
}

#[test]
fn a_removed_account_loses_everything_and_a_new_one_of_its_name_has_none_of_it() {
    let test = TestAccounts::with_two();
    let (session, token) = (test.sign_in("boris"), test.create_token("boris"));
    test.members().remove(&name("boris"), &operator()).unwrap();
    test.add("boris", Role::Staff);
    assert!(!test.has_session(&session) && !test.has_token(&token));
    let saved = test.store.account_set().unwrap();
    assert_eq!((saved.sessions, saved.tokens), (Vec::new(), Vec::new()));
}

#[test]
fn an_admin_who_can_sign_in_always_remains() {
    let (test, anna, actor) = (TestAccounts::with_two(), name("anna"), operator());
    let (members, invitations) = (test.members(), test.invitations());
    invitations
        .invite(&name("cleo"), Role::Admin, &actor)
        .unwrap();
    let is_refused = |done: AccountsResult<()>| matches!(done, Err(AccountsError::LastAdmin(_)));
    assert!(is_refused(members.remove(&anna, &actor)));
    assert!(is_refused(members.disable(&anna, &actor)));
    assert!(is_refused(members.set_role(&anna, Role::Staff, &actor)));
    assert!(is_refused(invitations.reset(&anna, &actor).map(drop)));
    members.remove(&name("boris"), &actor).unwrap();
    test.add("boris", Role::Admin);
    members.remove(&anna, &actor).unwrap();
}

#[test]
fn the_first_admin_is_created_once() {
    let test = TestAccounts::new();
    assert!(test.is_empty());
    let create = |text| {
        let members = test.members();
        members.create_first_admin(&name(text), HASH.to_owned(), &author())
    };
    create("anna").unwrap();
    assert!(matches!(
        create("mallory"),
        Err(AccountsError::BadInvitation)
    ));
    assert_eq!(test.members().list().len(), 1);
    assert_eq!(test.account(&name("anna")).unwrap().role, Role::Admin);
}

#[test]
fn a_name_is_used_once() {
    let (test, anna) = (TestAccounts::with_two(), name("anna"));
    let taken = test.invitations().invite(&anna, Role::Staff, &operator());
    assert!(matches!(taken, Err(AccountsError::NameTaken(_))));
    assert_eq!(test.account(&anna).unwrap().role, Role::Admin);
}

#[test]
fn the_last_use_of_a_token_survives_a_restart() {
    let test = TestAccounts::with_two();
    let key = test.create_token("anna");
    let used = |test: &TestAccounts| test.tokens().list(&name("anna"))[0].used;
    assert_eq!(used(&test), None);
    assert!(test.has_token(&key));
    let first = used(&test).unwrap();
    test.maintain().unwrap();
    assert_eq!(used(&test.restarted(Timestamp::now())), Some(first));
}
