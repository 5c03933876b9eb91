//! Stations: what a turn lasts, and what ends it.

use super::support::{HASH, HOUR, TestAccounts, author, later, name, operator};
use crate::auth::accounts::{AccountsError, Actor};
use crate::model::{Key, Scope, Turn};

const PIN: &str = "the hash of a PIN";
const IDLE: u64 = Turn::IDLE.as_secs();

/// Accounts with a station of anna, at which boris can have a turn.
struct Rig {
    test: TestAccounts,
    station: Key,
}

impl Rig {
    fn new() -> Self {
        let test = TestAccounts::with_two();
        let (session, anna) = (test.sign_in("anna"), name("anna"));
        let actor = Actor::session(session, author());
        let station = test.stations().set_up(&anna, session, &actor).unwrap();
        assert!(!test.has_session(&session), "anna is signed out");
        let pin = Some(PIN.to_owned());
        test.members()
            .set_pin(&name("boris"), pin, &operator())
            .unwrap();
        Rig {
            test,
            station: station.key(),
        }
    }

    fn begin(&self, pin: &str) -> Result<(), AccountsError> {
        let stations = self.test.stations();
        stations.begin_turn(self.station, &author(), &name("boris"), pin)
    }

    /// Returns the name of the person whose turn it is.
    fn person(&self) -> Option<String> {
        let (account, _) = self.test.sessions().get(&self.station)?;
        Some(account.name.to_string())
    }
}

fn boris() -> Option<String> {
    Some("boris".to_owned())
}

#[test]
fn a_station_gives_no_rights_but_to_the_person_whose_turn_it_is() {
    let rig = Rig::new();
    assert!(rig.test.stations().contains(&rig.station));
    assert_eq!(rig.test.stations().people(&rig.station), [name("boris")]);
    assert_eq!(rig.person(), None, "not even to its owner");
    rig.begin(PIN).unwrap();
    assert_eq!(rig.person(), boris());
    rig.test.sessions().end(rig.station, &author()).unwrap();
    assert_eq!(rig.person(), None);
    assert!(rig.test.stations().contains(&rig.station));
}

#[test]
fn a_turn_ends_some_minutes_after_the_last_tap_and_reading_is_none() {
    let rig = Rig::new();
    rig.begin(PIN).unwrap();
    for _ in 0..20 {
        rig.test.pass(IDLE - 1);
        assert_eq!(rig.person(), boris());
        rig.test.stations().tap(&rig.station);
    }
    for _ in 0..IDLE / 10 {
        assert_eq!(rig.person(), boris());
        rig.test.pass(10);
    }
    assert_eq!(rig.person(), None);
    rig.test.stations().tap(&rig.station);
    assert_eq!(rig.person(), None, "a turn that has ended stays ended");
}

#[test]
fn a_turn_ends_with_its_station_its_pin_and_its_account() {
    type End = fn(&Rig);
    let ends: [End; 7] = [
        |rig| {
            let (sessions, anna) = (rig.test.sessions(), name("anna"));
            let handle = rig.station.handle();
            sessions.end_by_handle(&anna, &handle, &operator()).unwrap();
        },
        |rig| {
            let members = rig.test.members();
            let anna = name("anna");
            members
                .set_password(&anna, HASH.to_owned(), &operator())
                .unwrap();
        },
        |rig| {
            let members = rig.test.members();
            members.set_pin(&name("boris"), None, &operator()).unwrap();
        },
        |rig| {
            let members = rig.test.members();
            members.disable(&name("boris"), &operator()).unwrap();
        },
        |rig| {
            let members = rig.test.members();
            members.remove(&name("boris"), &operator()).unwrap();
        },
        |rig| {
            let invitations = rig.test.invitations();
            invitations.reset(&name("boris"), &operator()).unwrap();
        },
        |rig| rig.test.pass(7 * 24 * HOUR),
    ];
    for (number, end) in ends.iter().enumerate() {
        let rig = Rig::new();
        rig.begin(PIN).unwrap();
        assert_eq!(rig.person(), boris());
        end(&rig);
        assert_eq!(rig.person(), None, "end {number}");
        assert!(rig.begin(PIN).is_err(), "end {number}");
    }
}

#[test]
fn a_turn_needs_the_pin_that_the_account_has_and_a_station() {
    let rig = Rig::new();
    let begun = rig.begin("the hash of an earlier PIN");
    assert!(matches!(begun, Err(AccountsError::UnknownAccount(_))));
    let session = rig.test.sign_in("anna");
    let stations = rig.test.stations();
    let begun = stations.begin_turn(session, &author(), &name("boris"), PIN);
    assert!(matches!(begun, Err(AccountsError::SignedOut)));
    assert!(!stations.contains(&session));
}

#[test]
fn nobody_edits_accounts_at_a_station() {
    let rig = Rig::new();
    rig.begin(PIN).unwrap();
    let (test, boris) = (&rig.test, name("boris"));
    let actor = || Actor::session(rig.station, author());
    let hash = HASH.to_owned();
    let members = test.members();
    let password = members.change_password(rig.station, HASH, hash, &author());
    let again = test.stations().set_up(&boris, rig.station, &actor());
    let token = test.tokens().create(&boris, "x", Scope::Write, &actor());
    for refused in [
        password.err(),
        again.err(),
        token.err(),
        members.set_pin(&boris, None, &actor()).err(),
    ] {
        assert!(
            matches!(refused, Some(AccountsError::SignedOut)),
            "{refused:?}"
        );
    }
}

#[test]
fn a_station_and_the_end_of_a_turn_survive_a_restart() {
    let rig = Rig::new();
    rig.begin(PIN).unwrap();
    let station = rig.station;
    rig.test.maintain().unwrap();
    let test = rig.test.restarted(later(IDLE));
    let rig = Rig { test, station };
    assert!(rig.test.stations().contains(&station));
    assert_eq!(rig.person(), None);
    rig.begin(PIN).unwrap();
    assert_eq!(rig.person(), boris());
}

#[test]
fn a_tap_prolongs_a_turn_also_after_a_restart() {
    let rig = Rig::new();
    rig.begin(PIN).unwrap();
    let station = rig.station;
    rig.test.pass(IDLE - 1);
    assert!(!rig.test.stations().have_unsaved_taps());
    rig.test.stations().tap(&station);
    assert!(rig.test.stations().have_unsaved_taps());
    rig.test.maintain().unwrap();
    assert!(!rig.test.stations().have_unsaved_taps());
    let test = rig.test.restarted(later(IDLE - 1));
    let rig = Rig { test, station };
    assert_eq!(rig.person(), boris());
}

#[test]
fn a_turn_lasts_from_the_last_tap_at_any_node() {
    let rig = Rig::new();
    rig.begin(PIN).unwrap();
    let there = Rig {
        test: rig.test.other_node(),
        station: rig.station,
    };
    let pass = |seconds| [&rig, &there].map(|rig| rig.test.pass(seconds));
    pass(IDLE - 2);
    rig.test.stations().tap(&rig.station);
    rig.test.maintain().unwrap();
    pass(2);
    assert_eq!(there.person(), boris(), "it has learned of the tap");
    there.test.stations().tap(&rig.station);
    // A save with the earlier tap of its node.
    rig.test.sessions().get(&rig.station);
    rig.test.maintain().unwrap();
    pass(IDLE - 2);
    assert_eq!(there.person(), boris(), "its own tap was later");
    assert_eq!(rig.person(), None, "a tap that was not saved yet");
    there.test.maintain().unwrap();
    assert_eq!(rig.person(), boris());
    pass(2);
    assert_eq!([rig.person(), there.person()], [None, None]);
}
