//! Sessions: what keeps them valid, what ends them, and what survives a restart.

use super::support::{DAY, HASH, HOUR, TestAccounts, author, later, name, operator};
use crate::auth::accounts::AccountsError;
use crate::model::{MonotonicSeconds, Scope, Timestamp};
use crate::store::AccountStore;

#[test]
fn a_session_expires_after_a_week_without_use() {
    let test = TestAccounts::with_two();
    let key = test.sign_in("anna");
    for _ in 0..3 {
        test.pass(7 * DAY - 1);
        assert!(test.has_session(&key), "using it keeps it");
    }
    test.pass(7 * DAY);
    assert!(!test.has_session(&key));
}

#[test]
fn a_session_expires_after_a_month_however_it_is_used() {
    let test = TestAccounts::with_two();
    let key = test.sign_in("anna");
    for _ in 0..29 {
        test.pass(DAY);
        assert!(test.has_session(&key));
    }
    test.pass(DAY);
    assert!(!test.has_session(&key));
}

#[test]
fn a_session_survives_a_restart_and_ages_between_two_runs() {
    let test = TestAccounts::with_two();
    let key = test.sign_in("anna");
    let test = test.restarted(later(6 * DAY));
    assert!(test.has_session(&key));
    test.maintain().unwrap();
    let test = test.restarted(later(14 * DAY));
    assert!(!test.has_session(&key));
}

/// A clock that is set back must not make a stolen session last for years.
#[test]
fn setting_the_wall_clock_back_makes_no_session_younger() {
    let test = TestAccounts::with_two();
    let key = test.sign_in("anna");
    test.pass(6 * DAY);
    test.maintain().unwrap();
    let test = test.restarted(later(6 * DAY - HOUR));
    test.pass(DAY - 1);
    assert_eq!(test.sessions().list(&name("anna")).len(), 1);
    test.pass(1);
    assert!(
        !test.has_session(&key),
        "unused for a week, whatever the calendar says"
    );
}

/// A machine without a clock battery started in 1970, and accepted a session that was unused for ten
/// days.
#[test]
fn until_the_clock_is_set_older_sessions_are_refused_and_kept() {
    let test = TestAccounts::with_two();
    let (old, young) = (test.sign_in("anna"), test.sign_in("boris"));
    test.pass(5 * DAY);
    assert!(test.has_session(&young));
    test.maintain().unwrap();
    let test = test.restarted(Timestamp::from_micros(1_000_000));
    assert!(!test.has_session(&old) && !test.has_session(&young));
    let new = test.sign_in("anna");
    test.pass(HOUR);
    assert!(test.has_session(&new), "people can sign in");
    test.maintain().unwrap();
    test.clock.set(later(10 * DAY));
    assert!(!test.has_session(&old), "unused for ten days");
    assert!(test.has_session(&young), "unused for five days");
    assert!(test.has_session(&new));
    test.maintain().unwrap();
    test.pass(7 * DAY);
    assert!(
        !test.has_session(&new),
        "the time with the wrong clock counts"
    );
}

#[test]
fn a_clock_that_is_ahead_at_the_start_and_set_back_neither_ends_nor_prolongs_sessions() {
    let test = TestAccounts::with_two();
    let before = test.sign_in("anna");
    let test = test.restarted(later(400 * DAY));
    assert!(!test.has_session(&before));
    let ahead = test.sign_in("boris");
    test.maintain().unwrap();
    test.clock.set(later(DAY));
    assert!(test.has_session(&before) && test.has_session(&ahead));
    test.maintain().unwrap();
    test.pass(7 * DAY);
    assert!(!test.has_session(&before) && !test.has_session(&ahead));
}

#[test]
fn a_clock_that_was_ahead_in_the_last_run_ends_no_session() {
    let test = TestAccounts::with_two();
    let key = test.sign_in("anna");
    test.clock.jump(400 * DAY.cast_signed());
    test.maintain().unwrap();
    let test = test.restarted(later(HOUR));
    assert!(test.has_session(&key));
}

#[test]
fn maintenance_removes_expired_sessions_and_saves_the_last_use_of_the_others() {
    let test = TestAccounts::with_two();
    let (unused, used) = (test.sign_in("anna"), test.sign_in("anna"));
    test.pass(6 * DAY);
    assert!(test.has_session(&used));
    test.pass(DAY);
    test.maintain().unwrap();
    let saved = test.store.account_set().unwrap().sessions;
    let saved: Vec<_> = saved
        .iter()
        .map(|session| (session.key, session.seen))
        .collect();
    assert_eq!(saved, [(used, MonotonicSeconds(6 * DAY))]);
    assert!(!test.has_session(&unused));
}

#[test]
fn signing_in_ends_the_session_that_the_browser_had() {
    let test = TestAccounts::with_two();
    let before = test.sign_in("boris");
    let begun = test
        .sessions()
        .begin(&name("anna"), HASH, "Firefox", Some(before));
    let after = begun.unwrap().key();
    assert!(!test.has_session(&before) && test.has_session(&after));
}

/// A request that began before the sign-out must not revive the session when its use is saved.
#[test]
fn saving_the_last_use_does_not_revive_an_ended_session() {
    let test = TestAccounts::with_two();
    let key = test.sign_in("anna");
    test.pass(HOUR);
    assert!(test.has_session(&key));
    test.sessions().end(key, &author()).unwrap();
    test.maintain().unwrap();
    assert!(!test.has_session(&key));
    assert_eq!(test.store.account_set().unwrap().sessions, []);
    test.sessions().end(key, &author()).unwrap();
}

#[test]
fn an_account_has_a_bounded_number_of_sessions_and_tokens() {
    let test = TestAccounts::with_two();
    let first = test.sign_in("anna");
    for _ in 0..20 {
        test.pass(1);
        test.sign_in("anna");
    }
    assert!(
        !test.has_session(&first),
        "the one that was unused for longest"
    );
    assert_eq!(test.sessions().list(&name("anna")).len(), 20);
    let create = || {
        test.tokens()
            .create(&name("anna"), "x", Scope::Read, &operator())
    };
    assert_eq!((0..100).take_while(|_| create().is_ok()).count(), 50);
}

#[test]
fn nobody_ends_a_session_or_a_token_of_another_account() {
    let (test, boris) = (TestAccounts::with_two(), name("boris"));
    let (session, token) = (test.sign_in("anna"), test.create_token("anna"));
    let ended = test
        .sessions()
        .end_by_handle(&boris, &session.handle(), &operator());
    let revoked = test.tokens().revoke(&boris, &token.handle(), &operator());
    for done in [ended, revoked] {
        assert!(matches!(done, Err(AccountsError::Gone)));
    }
    assert!(test.has_session(&session) && test.has_token(&token));
}
