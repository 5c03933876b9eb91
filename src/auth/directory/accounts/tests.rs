//! What changes an account, what that ends, and that an admin remains.

use crate::auth::directory::tests::{DAY, HASH, Rig, author, name, operator};
use crate::auth::directory::{AccountsError, Done};
use crate::model::{Role, Timestamp};
use crate::store::AccountStore;

#[test]
fn changing_the_password_ends_every_session_and_renews_the_one_it_was_changed_from() {
    let rig = Rig::with_two();
    let (here, elsewhere, boris) = (
        rig.sign_in("anna"),
        rig.sign_in("anna"),
        rig.sign_in("boris"),
    );
    let changed = rig
        .directory
        .change_password(here, HASH, "another".to_owned(), &author());
    let renewed = changed.unwrap().key();
    assert!(!rig.is_in(&here) && !rig.is_in(&elsewhere));
    assert!(rig.is_in(&renewed) && rig.is_in(&boris));
    let late = rig
        .directory
        .begin_session(&name("anna"), HASH, "Firefox", None);
    assert!(
        late.is_err(),
        "who showed the old one a moment ago is not let in"
    );
    let again = rig
        .directory
        .change_password(renewed, HASH, "third".to_owned(), &author());
    assert!(matches!(again, Err(AccountsError::Gone)));
}

#[test]
fn another_role_ends_what_was_begun_with_the_old_one() {
    let rig = Rig::with_two();
    let key = rig.sign_in("boris");
    rig.directory
        .set_role(&name("boris"), Role::Admin, &operator())
        .unwrap();
    assert!(!rig.is_in(&key));
    assert_eq!(rig.last_words(), "gave boris the role admin");
}

#[test]
fn a_disabled_account_opens_nothing_until_it_is_enabled_again() {
    let rig = Rig::with_two();
    let (session, token) = (rig.sign_in("boris"), rig.token("boris"));
    rig.directory.disable(&name("boris"), &operator()).unwrap();
    assert!(!rig.is_in(&session) && rig.directory.token(&token).is_none());
    assert!(
        rig.directory
            .begin_session(&name("boris"), HASH, "Firefox", None)
            .is_err()
    );
    rig.directory.enable(&name("boris"), &operator()).unwrap();
    assert!(!rig.is_in(&session) && rig.directory.token(&token).is_some());
}

#[test]
fn a_reset_ends_everything_and_lets_its_owner_choose_a_password_once_within_a_day() {
    let rig = Rig::with_two();
    let (session, token) = (rig.sign_in("boris"), rig.token("boris"));
    let link = rig.directory.reset(&name("boris"), &operator()).unwrap();
    assert!(!rig.is_in(&session) && rig.directory.token(&token).is_none());
    assert!(
        rig.directory
            .begin_session(&name("boris"), HASH, "Firefox", None)
            .is_err()
    );
    assert_eq!(rig.directory.invited(&link.key()), Some(name("boris")));
    rig.directory
        .accept(&link.key(), "new".to_owned(), &author())
        .unwrap();
    let again = rig
        .directory
        .accept(&link.key(), "other".to_owned(), &author());
    assert!(matches!(again, Err(AccountsError::BadInvitation)));
    let link = rig.directory.reset(&name("boris"), &operator()).unwrap();
    rig.turn(DAY);
    assert_eq!(rig.directory.invited(&link.key()), None);
    assert!(
        rig.directory
            .accept(&link.key(), "late".to_owned(), &author())
            .is_err()
    );
}

#[test]
fn a_removed_account_takes_everything_with_it_and_a_new_one_of_its_name_has_none_of_it() {
    let rig = Rig::with_two();
    let (session, token) = (rig.sign_in("boris"), rig.token("boris"));
    rig.directory.remove(&name("boris"), &operator()).unwrap();
    rig.directory
        .add(&name("boris"), Role::Staff, HASH.to_owned(), &operator())
        .unwrap();
    assert!(!rig.is_in(&session) && rig.directory.token(&token).is_none());
    let saved = rig.disk.account_set().unwrap();
    assert_eq!((saved.sessions, saved.tokens), (Vec::new(), Vec::new()));
}

#[test]
fn an_admin_who_can_sign_in_always_remains() {
    let rig = Rig::with_two();
    let (anna, boris) = (name("anna"), name("boris"));
    let cleo = name("cleo");
    rig.directory
        .invite(&cleo, Role::Admin, &operator())
        .unwrap();
    let is_refused = |done: Done<()>| matches!(done, Err(AccountsError::LastAdmin(_)));
    assert!(is_refused(rig.directory.remove(&anna, &operator())));
    assert!(is_refused(rig.directory.disable(&anna, &operator())));
    assert!(is_refused(rig.directory.set_role(
        &anna,
        Role::Staff,
        &operator()
    )));
    assert!(is_refused(
        rig.directory.reset(&anna, &operator()).map(drop)
    ));
    rig.directory.remove(&boris, &operator()).unwrap();
    rig.directory
        .add(&boris, Role::Admin, HASH.to_owned(), &operator())
        .unwrap();
    rig.directory.remove(&anna, &operator()).unwrap();
}

#[test]
fn the_first_admin_is_made_once() {
    let rig = Rig::start();
    assert!(rig.directory.is_empty());
    rig.directory
        .found(&name("anna"), HASH.to_owned(), &author())
        .unwrap();
    let second = rig
        .directory
        .found(&name("mallory"), HASH.to_owned(), &author());
    assert!(matches!(second, Err(AccountsError::BadInvitation)));
    assert_eq!(rig.directory.members().len(), 1);
    assert_eq!(
        rig.directory.account(&name("anna")).unwrap().role,
        Role::Admin
    );
}

#[test]
fn a_name_is_given_once() {
    let rig = Rig::with_two();
    let taken = rig
        .directory
        .invite(&name("anna"), Role::Staff, &operator());
    assert!(matches!(taken, Err(AccountsError::NameTaken(_))));
    assert_eq!(
        rig.directory.account(&name("anna")).unwrap().role,
        Role::Admin
    );
}

#[test]
fn a_token_knows_when_it_was_last_used_also_after_a_restart() {
    let rig = Rig::with_two();
    let key = rig.token("anna");
    let used = |rig: &Rig| rig.directory.tokens_of(&name("anna"))[0].used;
    assert_eq!(used(&rig), None);
    rig.directory.token(&key).unwrap();
    let first = used(&rig).unwrap();
    rig.directory.tidy().unwrap();
    assert_eq!(used(&rig.restarted(Timestamp::now())), Some(first));
}
