//! What changes an account, what that ends, and that an admin remains.

use crate::auth::accounts::tests::{DAY, HASH, TestAccounts, author, name, operator};
use crate::auth::accounts::{AccountsError, AccountsResult};
use crate::model::{Role, Timestamp};
use crate::store::AccountStore;

#[test]
fn changing_the_password_ends_every_session_and_renews_the_one_it_was_changed_from() {
    let test = TestAccounts::with_two();
    let (here, elsewhere, boris) = (
        test.sign_in("anna"),
        test.sign_in("anna"),
        test.sign_in("boris"),
    );
    let changed =
        test.accounts
            .members()
            .change_password(here, HASH, "another".to_owned(), &author());
    let renewed = changed.unwrap().key();
    assert!(!test.is_in(&here) && !test.is_in(&elsewhere));
    assert!(test.is_in(&renewed) && test.is_in(&boris));
    let late = test
        .accounts
        .sessions()
        .begin(&name("anna"), HASH, "Firefox", None);
    assert!(
        late.is_err(),
        "who showed the old one a moment ago is not let in"
    );
    let again =
        test.accounts
            .members()
            .change_password(renewed, HASH, "third".to_owned(), &author());
    assert!(matches!(again, Err(AccountsError::Gone)));
}

#[test]
fn another_role_ends_what_was_begun_with_the_old_one() {
    let test = TestAccounts::with_two();
    let key = test.sign_in("boris");
    test.accounts
        .members()
        .set_role(&name("boris"), Role::Admin, &operator())
        .unwrap();
    assert!(!test.is_in(&key));
    assert_eq!(test.last_action(), "gave boris the role admin");
}

#[test]
fn a_disabled_account_opens_nothing_until_it_is_enabled_again() {
    let test = TestAccounts::with_two();
    let (session, token) = (test.sign_in("boris"), test.token("boris"));
    test.accounts
        .members()
        .disable(&name("boris"), &operator())
        .unwrap();
    assert!(!test.is_in(&session) && test.accounts.tokens().get(&token).is_none());
    assert!(
        test.accounts
            .sessions()
            .begin(&name("boris"), HASH, "Firefox", None)
            .is_err()
    );
    test.accounts
        .members()
        .enable(&name("boris"), &operator())
        .unwrap();
    assert!(!test.is_in(&session) && test.accounts.tokens().get(&token).is_some());
}

#[test]
fn a_reset_ends_everything_and_lets_its_owner_choose_a_password_once_within_a_day() {
    let test = TestAccounts::with_two();
    let (session, token) = (test.sign_in("boris"), test.token("boris"));
    let link = test
        .accounts
        .invitations()
        .reset(&name("boris"), &operator())
        .unwrap();
    assert!(!test.is_in(&session) && test.accounts.tokens().get(&token).is_none());
    assert!(
        test.accounts
            .sessions()
            .begin(&name("boris"), HASH, "Firefox", None)
            .is_err()
    );
    assert_eq!(
        test.accounts.invitations().find(&link.key()),
        Some(name("boris"))
    );
    test.accounts
        .invitations()
        .accept(&link.key(), "new".to_owned(), &author())
        .unwrap();
    let again = test
        .accounts
        .invitations()
        .accept(&link.key(), "other".to_owned(), &author());
    assert!(matches!(again, Err(AccountsError::BadInvitation)));
    let link = test
        .accounts
        .invitations()
        .reset(&name("boris"), &operator())
        .unwrap();
    test.turn(DAY);
    assert_eq!(test.accounts.invitations().find(&link.key()), None);
    assert!(
        test.accounts
            .invitations()
            .accept(&link.key(), "late".to_owned(), &author())
            .is_err()
    );
}

#[test]
fn a_removed_account_takes_everything_with_it_and_a_new_one_of_its_name_has_none_of_it() {
    let test = TestAccounts::with_two();
    let (session, token) = (test.sign_in("boris"), test.token("boris"));
    test.accounts
        .members()
        .remove(&name("boris"), &operator())
        .unwrap();
    test.accounts
        .members()
        .add(&name("boris"), Role::Staff, HASH.to_owned(), &operator())
        .unwrap();
    assert!(!test.is_in(&session) && test.accounts.tokens().get(&token).is_none());
    let saved = test.disk.account_set().unwrap();
    assert_eq!((saved.sessions, saved.tokens), (Vec::new(), Vec::new()));
}

#[test]
fn an_admin_who_can_sign_in_always_remains() {
    let test = TestAccounts::with_two();
    let (anna, boris) = (name("anna"), name("boris"));
    let cleo = name("cleo");
    test.accounts
        .invitations()
        .invite(&cleo, Role::Admin, &operator())
        .unwrap();
    let is_refused = |done: AccountsResult<()>| matches!(done, Err(AccountsError::LastAdmin(_)));
    assert!(is_refused(
        test.accounts.members().remove(&anna, &operator())
    ));
    assert!(is_refused(
        test.accounts.members().disable(&anna, &operator())
    ));
    assert!(is_refused(test.accounts.members().set_role(
        &anna,
        Role::Staff,
        &operator()
    )));
    assert!(is_refused(
        test.accounts
            .invitations()
            .reset(&anna, &operator())
            .map(drop)
    ));
    test.accounts.members().remove(&boris, &operator()).unwrap();
    test.accounts
        .members()
        .add(&boris, Role::Admin, HASH.to_owned(), &operator())
        .unwrap();
    test.accounts.members().remove(&anna, &operator()).unwrap();
}

#[test]
fn the_first_admin_is_made_once() {
    let test = TestAccounts::start();
    assert!(test.accounts.is_empty());
    test.accounts
        .members()
        .create_first_admin(&name("anna"), HASH.to_owned(), &author())
        .unwrap();
    let second =
        test.accounts
            .members()
            .create_first_admin(&name("mallory"), HASH.to_owned(), &author());
    assert!(matches!(second, Err(AccountsError::BadInvitation)));
    assert_eq!(test.accounts.members().list().len(), 1);
    assert_eq!(
        test.accounts.account(&name("anna")).unwrap().role,
        Role::Admin
    );
}

#[test]
fn a_name_is_given_once() {
    let test = TestAccounts::with_two();
    let taken = test
        .accounts
        .invitations()
        .invite(&name("anna"), Role::Staff, &operator());
    assert!(matches!(taken, Err(AccountsError::NameTaken(_))));
    assert_eq!(
        test.accounts.account(&name("anna")).unwrap().role,
        Role::Admin
    );
}

#[test]
fn a_token_knows_when_it_was_last_used_also_after_a_restart() {
    let test = TestAccounts::with_two();
    let key = test.token("anna");
    let used = |test: &TestAccounts| test.accounts.tokens().list(&name("anna"))[0].used;
    assert_eq!(used(&test), None);
    test.accounts.tokens().get(&key).unwrap();
    let first = used(&test).unwrap();
    test.accounts.maintain().unwrap();
    assert_eq!(used(&test.restarted(Timestamp::now())), Some(first));
}
