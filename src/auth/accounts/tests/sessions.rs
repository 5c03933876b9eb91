//! What keeps a session, what ends it, and what outlives a restart.

use crate::auth::accounts::AccountsError;
use crate::auth::accounts::tests::{DAY, HASH, HOUR, TestAccounts, author, later, name, operator};
use crate::model::{MonotonicSeconds, Scope, Timestamp};
use crate::store::AccountStore;

#[test]
fn a_session_is_valid_until_it_is_unused_for_a_week() {
    let test = TestAccounts::with_two();
    let key = test.sign_in("anna");
    for _ in 0..3 {
        test.turn(7 * DAY - 1);
        assert!(test.is_in(&key), "using it keeps it");
    }
    test.turn(7 * DAY);
    assert!(!test.is_in(&key));
}

#[test]
fn a_session_is_over_after_a_month_however_it_is_used() {
    let test = TestAccounts::with_two();
    let key = test.sign_in("anna");
    for _ in 0..29 {
        test.turn(DAY);
        assert!(test.is_in(&key));
    }
    test.turn(DAY);
    assert!(!test.is_in(&key));
}

#[test]
fn a_session_outlives_a_restart_and_ages_over_it() {
    let test = TestAccounts::with_two();
    let key = test.sign_in("anna");
    let test = test.restarted(later(6 * DAY));
    assert!(test.is_in(&key));
    test.accounts.maintain().unwrap();
    let test = test.restarted(later(14 * DAY));
    assert!(!test.is_in(&key));
}

/// A clock that was set back must not give a stolen session years.
#[test]
fn a_wall_clock_that_is_set_back_makes_no_session_younger() {
    let test = TestAccounts::with_two();
    let key = test.sign_in("anna");
    test.turn(6 * DAY);
    test.accounts.maintain().unwrap();
    let back = later(6 * DAY - HOUR);
    let test = test.restarted(back);
    test.turn(DAY - 1);
    assert_eq!(test.accounts.sessions().list(&name("anna")).len(), 1);
    test.turn(1);
    assert!(
        !test.is_in(&key),
        "it was unused for a week, whatever the calendar says"
    );
}

/// A machine without a clock battery started in 1970, and a session that was unused for ten days
/// opened.
#[test]
fn while_the_clock_is_not_set_no_older_session_opens_and_none_is_removed() {
    let test = TestAccounts::with_two();
    let (old, young) = (test.sign_in("anna"), test.sign_in("boris"));
    test.turn(5 * DAY);
    assert!(test.is_in(&young));
    test.accounts.maintain().unwrap();
    let test = test.restarted(Timestamp::from_micros(1_000_000));
    assert!(!test.is_in(&old) && !test.is_in(&young));
    let new = test.sign_in("anna");
    test.turn(HOUR);
    assert!(test.is_in(&new), "people can sign in");
    test.accounts.maintain().unwrap();
    test.clock.set(later(10 * DAY));
    assert!(!test.is_in(&old), "it was unused for ten days");
    assert!(test.is_in(&young), "five days are no reason to end it");
    assert!(test.is_in(&new));
    test.accounts.maintain().unwrap();
    test.turn(7 * DAY);
    assert!(
        !test.is_in(&new),
        "the time before the clock was set gave it no longer life"
    );
}

#[test]
fn a_clock_that_was_ahead_at_a_start_ends_no_session_for_good_and_gives_none_longer_life() {
    let test = TestAccounts::with_two();
    let before = test.sign_in("anna");
    let test = test.restarted(later(400 * DAY));
    assert!(!test.is_in(&before));
    let ahead = test.sign_in("boris");
    test.accounts.maintain().unwrap();
    test.clock.set(later(DAY));
    assert!(test.is_in(&before) && test.is_in(&ahead));
    test.accounts.maintain().unwrap();
    test.turn(7 * DAY);
    assert!(!test.is_in(&before) && !test.is_in(&ahead));
}

#[test]
fn a_clock_that_was_ahead_in_the_last_run_ends_no_session() {
    let test = TestAccounts::with_two();
    let key = test.sign_in("anna");
    test.clock.jump(400 * DAY.cast_signed());
    test.accounts.maintain().unwrap();
    let test = test.restarted(later(HOUR));
    assert!(test.is_in(&key));
}

#[test]
fn what_has_expired_is_removed_from_the_store_and_the_last_use_of_the_rest_is_saved() {
    let test = TestAccounts::with_two();
    let (unused, used) = (test.sign_in("anna"), test.sign_in("anna"));
    test.turn(6 * DAY);
    assert!(test.is_in(&used));
    test.turn(DAY);
    test.accounts.maintain().unwrap();
    let saved = test.disk.account_set().unwrap().sessions;
    assert_eq!(
        saved.iter().map(|session| session.key).collect::<Vec<_>>(),
        [used]
    );
    assert_eq!(saved[0].seen, MonotonicSeconds(6 * DAY));
    assert!(!test.is_in(&unused));
}

#[test]
fn signing_in_ends_the_session_that_the_browser_had() {
    let test = TestAccounts::with_two();
    let before = test.sign_in("boris");
    let begun = test
        .accounts
        .sessions()
        .begin(&name("anna"), HASH, "Firefox", Some(before));
    let after = begun.unwrap().key();
    assert!(!test.is_in(&before) && test.is_in(&after));
}

/// A request that began before the sign-out must not bring the session back when it saves it.
#[test]
fn a_session_that_was_ended_is_not_revived_by_what_saves_its_last_use() {
    let test = TestAccounts::with_two();
    let key = test.sign_in("anna");
    test.turn(HOUR);
    assert!(test.is_in(&key));
    test.accounts.sessions().end(key, &author()).unwrap();
    test.accounts.maintain().unwrap();
    assert!(!test.is_in(&key));
    assert_eq!(test.disk.account_set().unwrap().sessions, []);
    test.accounts.sessions().end(key, &author()).unwrap();
}

#[test]
fn sessions_and_tokens_of_one_account_are_bounded() {
    let test = TestAccounts::with_two();
    let first = test.sign_in("anna");
    for _ in 0..20 {
        test.turn(1);
        test.sign_in("anna");
    }
    assert!(!test.is_in(&first), "the one unused for longest made room");
    assert_eq!(test.accounts.sessions().list(&name("anna")).len(), 20);
    let made = (0..100).take_while(|_| {
        let made = test
            .accounts
            .tokens()
            .create(&name("anna"), "x", Scope::Read, &operator());
        made.is_ok()
    });
    assert_eq!(made.count(), 50);
}

#[test]
fn nobody_ends_a_session_or_a_token_of_somebody_else() {
    let test = TestAccounts::with_two();
    let (session, token) = (test.sign_in("anna"), test.token("anna"));
    let ended =
        test.accounts
            .sessions()
            .end_by_handle(&name("boris"), &session.handle(), &operator());
    assert!(matches!(ended, Err(AccountsError::Gone)));
    let revoked = test
        .accounts
        .tokens()
        .revoke(&name("boris"), &token.handle(), &operator());
    assert!(matches!(revoked, Err(AccountsError::Gone)));
    assert!(test.is_in(&session) && test.accounts.tokens().get(&token).is_some());
}
