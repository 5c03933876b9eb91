//! What keeps a session, what ends it, and what outlives a restart.

use crate::auth::directory::AccountsError;
use crate::auth::directory::tests::{DAY, HASH, HOUR, Rig, author, later, name, operator};
use crate::model::{MonotonicSeconds, Scope, Timestamp};
use crate::store::AccountStore;

#[test]
fn a_session_is_valid_until_it_is_unused_for_a_week() {
    let rig = Rig::with_two();
    let key = rig.sign_in("anna");
    for _ in 0..3 {
        rig.turn(7 * DAY - 1);
        assert!(rig.is_in(&key), "using it keeps it");
    }
    rig.turn(7 * DAY);
    assert!(!rig.is_in(&key));
}

#[test]
fn a_session_is_over_after_a_month_however_it_is_used() {
    let rig = Rig::with_two();
    let key = rig.sign_in("anna");
    for _ in 0..29 {
        rig.turn(DAY);
        assert!(rig.is_in(&key));
    }
    rig.turn(DAY);
    assert!(!rig.is_in(&key));
}

#[test]
fn a_session_outlives_a_restart_and_ages_over_it() {
    let rig = Rig::with_two();
    let key = rig.sign_in("anna");
    let rig = rig.restarted(later(6 * DAY));
    assert!(rig.is_in(&key));
    rig.directory.tidy().unwrap();
    let rig = rig.restarted(later(14 * DAY));
    assert!(!rig.is_in(&key));
}

/// A clock that was set back must not give a stolen session years.
#[test]
fn a_wall_clock_that_is_set_back_makes_no_session_younger() {
    let rig = Rig::with_two();
    let key = rig.sign_in("anna");
    rig.turn(6 * DAY);
    rig.directory.tidy().unwrap();
    let back = later(6 * DAY - HOUR);
    let rig = rig.restarted(back);
    rig.turn(DAY - 1);
    assert_eq!(rig.directory.sessions_of(&name("anna")).len(), 1);
    rig.turn(1);
    assert!(
        !rig.is_in(&key),
        "it was unused for a week, whatever the calendar says"
    );
}

/// A machine without a clock battery started in 1970, and a session that was unused for ten days
/// opened.
#[test]
fn while_the_clock_is_not_set_no_older_session_opens_and_none_is_removed() {
    let rig = Rig::with_two();
    let (old, young) = (rig.sign_in("anna"), rig.sign_in("boris"));
    rig.turn(5 * DAY);
    assert!(rig.is_in(&young));
    rig.directory.tidy().unwrap();
    let rig = rig.restarted(Timestamp::from_micros(1_000_000));
    assert!(!rig.is_in(&old) && !rig.is_in(&young));
    let new = rig.sign_in("anna");
    rig.turn(HOUR);
    assert!(rig.is_in(&new), "people can sign in");
    rig.directory.tidy().unwrap();
    rig.clock.set(later(10 * DAY));
    assert!(!rig.is_in(&old), "it was unused for ten days");
    assert!(rig.is_in(&young), "five days are no reason to end it");
    assert!(rig.is_in(&new));
    rig.directory.tidy().unwrap();
    rig.turn(7 * DAY);
    assert!(
        !rig.is_in(&new),
        "the time before the clock was set gave it no longer life"
    );
}

#[test]
fn a_clock_that_was_ahead_at_a_start_ends_no_session_for_good_and_gives_none_longer_life() {
    let rig = Rig::with_two();
    let before = rig.sign_in("anna");
    let rig = rig.restarted(later(400 * DAY));
    assert!(!rig.is_in(&before));
    let ahead = rig.sign_in("boris");
    rig.directory.tidy().unwrap();
    rig.clock.set(later(DAY));
    assert!(rig.is_in(&before) && rig.is_in(&ahead));
    rig.directory.tidy().unwrap();
    rig.turn(7 * DAY);
    assert!(!rig.is_in(&before) && !rig.is_in(&ahead));
}

#[test]
fn a_clock_that_was_ahead_in_the_last_run_ends_no_session() {
    let rig = Rig::with_two();
    let key = rig.sign_in("anna");
    rig.clock.jump(400 * DAY.cast_signed());
    rig.directory.tidy().unwrap();
    let rig = rig.restarted(later(HOUR));
    assert!(rig.is_in(&key));
}

#[test]
fn what_has_expired_is_removed_from_the_store_and_the_last_use_of_the_rest_is_saved() {
    let rig = Rig::with_two();
    let (unused, used) = (rig.sign_in("anna"), rig.sign_in("anna"));
    rig.turn(6 * DAY);
    assert!(rig.is_in(&used));
    rig.turn(DAY);
    rig.directory.tidy().unwrap();
    let saved = rig.disk.account_set().unwrap().sessions;
    assert_eq!(
        saved.iter().map(|session| session.key).collect::<Vec<_>>(),
        [used]
    );
    assert_eq!(saved[0].seen, MonotonicSeconds(6 * DAY));
    assert!(!rig.is_in(&unused));
}

#[test]
fn signing_in_ends_the_session_that_the_browser_had() {
    let rig = Rig::with_two();
    let before = rig.sign_in("boris");
    let begun = rig
        .directory
        .begin_session(&name("anna"), HASH, "Firefox", Some(before));
    let after = begun.unwrap().key();
    assert!(!rig.is_in(&before) && rig.is_in(&after));
}

/// A request that began before the sign-out must not bring the session back when it saves it.
#[test]
fn a_session_that_was_ended_is_not_revived_by_what_saves_its_last_use() {
    let rig = Rig::with_two();
    let key = rig.sign_in("anna");
    rig.turn(HOUR);
    assert!(rig.is_in(&key));
    rig.directory.end_session(key, &author()).unwrap();
    rig.directory.tidy().unwrap();
    assert!(!rig.is_in(&key));
    assert_eq!(rig.disk.account_set().unwrap().sessions, []);
    rig.directory.end_session(key, &author()).unwrap();
}

#[test]
fn sessions_and_tokens_of_one_account_are_bounded() {
    let rig = Rig::with_two();
    let first = rig.sign_in("anna");
    for _ in 0..20 {
        rig.turn(1);
        rig.sign_in("anna");
    }
    assert!(!rig.is_in(&first), "the one unused for longest made room");
    assert_eq!(rig.directory.sessions_of(&name("anna")).len(), 20);
    let made = (0..100).take_while(|_| {
        let made = rig
            .directory
            .create_token(&name("anna"), "x", Scope::Read, &operator());
        made.is_ok()
    });
    assert_eq!(made.count(), 50);
}

#[test]
fn nobody_ends_a_session_or_a_token_of_somebody_else() {
    let rig = Rig::with_two();
    let (session, token) = (rig.sign_in("anna"), rig.token("anna"));
    let ended = rig
        .directory
        .end_session_of(&name("boris"), &session.handle(), &operator());
    assert!(matches!(ended, Err(AccountsError::Gone)));
    let revoked = rig
        .directory
        .revoke_token(&name("boris"), &token.handle(), &operator());
    assert!(matches!(revoked, Err(AccountsError::Gone)));
    assert!(rig.is_in(&session) && rig.directory.token(&token).is_some());
}
