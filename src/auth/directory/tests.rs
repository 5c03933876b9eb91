//! What the roster promises: what is valid, what ends it, and what outlives a restart.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use super::*;
use crate::model::{AccountName, Key, Moment, Role, Scope};
use crate::store::{MemoryAccounts, Roster};

const HOUR: u64 = 3600;
const DAY: u64 = 24 * HOUR;
const HASH: &str = "the hash of a password";

/// A store that refuses to write when it is told to.
#[derive(Default)]
struct Disk {
    inner: MemoryAccounts,
    is_full: AtomicBool,
}

impl Accounts for Disk {
    fn roster(&self) -> Result<Roster, StoreError> {
        self.inner.roster()
    }

    fn edit_roster(&self, edits: &[RosterEdit]) -> Result<(), StoreError> {
        match self.is_full.load(Ordering::Relaxed) {
            true => Err(StoreError::Write("no space".to_owned())),
            false => self.inner.edit_roster(edits),
        }
    }

    fn deeds(&self, before: Option<u64>, limit: usize) -> Result<Vec<(u64, Deed)>, StoreError> {
        self.inner.deeds(before, limit)
    }
}

/// A directory whose clock a test turns.
struct Rig {
    disk: Arc<Disk>,
    seconds: Arc<AtomicU64>,
    directory: Directory,
}

impl Rig {
    fn start() -> Self {
        Rig::on(Arc::default(), Moment::now())
    }

    fn on(disk: Arc<Disk>, wall: Moment) -> Self {
        let seconds = Arc::new(AtomicU64::new(0));
        let read = Arc::clone(&seconds);
        let source = Arc::new(move || Duration::from_secs(read.load(Ordering::Relaxed)));
        let saved = disk.roster().unwrap().clock;
        let clock = Clock::resume_by(source, saved, wall);
        let directory = Directory::of(Arc::clone(&disk) as Arc<dyn Accounts>, clock).unwrap();
        Rig {
            disk,
            seconds,
            directory,
        }
    }

    /// With the admin anna and the staff boris, who know the same password.
    fn with_two() -> Self {
        let rig = Rig::start();
        for (text, role) in [("anna", Role::Admin), ("boris", Role::Staff)] {
            rig.directory
                .add(&name(text), role, HASH.to_owned(), &author())
                .unwrap();
        }
        rig
    }

    /// The same store after a restart, at which the wall clock says `wall`.
    fn restarted(self, wall: Moment) -> Self {
        Rig::on(self.disk, wall)
    }

    fn turn(&self, seconds: u64) {
        self.seconds.fetch_add(seconds, Ordering::Relaxed);
    }

    fn sign_in(&self, text: &str) -> Key {
        let begun = self
            .directory
            .begin_session(&name(text), HASH, "Firefox", None);
        begun.unwrap().key()
    }

    fn is_in(&self, key: &Key) -> bool {
        self.directory.session(key).is_some()
    }

    fn token(&self, text: &str) -> Key {
        let made = self
            .directory
            .create_token(&name(text), "Feeder", Scope::Write, &author());
        made.unwrap().key()
    }

    fn last_words(&self) -> String {
        self.directory.deeds(None, 1).unwrap()[0].1.words.clone()
    }
}

fn name(text: &str) -> AccountName {
    text.parse().unwrap()
}

fn author() -> Author {
    Author {
        name: "anna".to_owned(),
        client: "a test".to_owned(),
    }
}

fn later(seconds: u64) -> Moment {
    Moment::from_micros(Moment::now().micros() + seconds.cast_signed() * 1_000_000)
}

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
    rig.sign_in("boris");
    let rig = rig.restarted(Moment::from_micros(0));
    assert!(rig.is_in(&key));
    rig.directory.tidy().unwrap();
    rig.turn(6 * DAY + 23 * HOUR);
    assert!(rig.is_in(&key), "it was used after the restart");
    rig.turn(18 * DAY);
    assert!(!rig.is_in(&key));
}

#[test]
fn what_has_expired_is_removed_from_the_store_and_the_last_use_of_the_rest_is_saved() {
    let rig = Rig::with_two();
    let (unused, used) = (rig.sign_in("anna"), rig.sign_in("anna"));
    rig.turn(6 * DAY);
    assert!(rig.is_in(&used));
    rig.turn(DAY);
    rig.directory.tidy().unwrap();
    let saved = rig.disk.roster().unwrap().sessions;
    assert_eq!(
        saved.iter().map(|session| session.key).collect::<Vec<_>>(),
        [used]
    );
    assert_eq!(saved[0].seen, Tick(6 * DAY));
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
    assert_eq!(rig.disk.roster().unwrap().sessions, []);
    rig.directory.end_session(key, &author()).unwrap();
}

#[test]
fn what_is_ended_is_ended_also_when_the_disk_is_full() {
    let rig = Rig::with_two();
    let (session, token) = (rig.sign_in("anna"), rig.token("anna"));
    rig.disk.is_full.store(true, Ordering::Relaxed);
    assert!(rig.directory.end_session(session, &author()).is_err());
    assert!(!rig.is_in(&session));
    let revoked = rig
        .directory
        .revoke_token(&name("anna"), &token.handle(), &author());
    assert!(revoked.is_err());
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
            .invite(&name("cleo"), Role::Staff, &author())
            .is_err()
    );
    assert_eq!(rig.directory.sessions_of(&name("anna")).len(), 0);
    assert!(rig.directory.account(&name("cleo")).is_none());
}

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
    assert!(matches!(again, Err(DirectoryError::Gone)));
}

#[test]
fn another_role_ends_what_was_begun_with_the_old_one() {
    let rig = Rig::with_two();
    let key = rig.sign_in("boris");
    rig.directory
        .set_role(&name("boris"), Role::Admin, &author())
        .unwrap();
    assert!(!rig.is_in(&key));
    assert_eq!(rig.last_words(), "gave boris the role admin");
}

#[test]
fn a_disabled_account_opens_nothing_until_it_is_enabled_again() {
    let rig = Rig::with_two();
    let (session, token) = (rig.sign_in("boris"), rig.token("boris"));
    rig.directory.disable(&name("boris"), &author()).unwrap();
    assert!(!rig.is_in(&session) && rig.directory.token(&token).is_none());
    assert!(
        rig.directory
            .begin_session(&name("boris"), HASH, "Firefox", None)
            .is_err()
    );
    rig.directory.enable(&name("boris"), &author()).unwrap();
    assert!(!rig.is_in(&session) && rig.directory.token(&token).is_some());
}

#[test]
fn a_reset_ends_everything_and_lets_its_owner_choose_a_password_once_within_a_day() {
    let rig = Rig::with_two();
    let (session, token) = (rig.sign_in("boris"), rig.token("boris"));
    let link = rig.directory.reset(&name("boris"), &author()).unwrap();
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
    assert!(matches!(again, Err(DirectoryError::BadInvitation)));
    let link = rig.directory.reset(&name("boris"), &author()).unwrap();
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
    rig.directory.remove(&name("boris"), &author()).unwrap();
    rig.directory
        .add(&name("boris"), Role::Staff, HASH.to_owned(), &author())
        .unwrap();
    assert!(!rig.is_in(&session) && rig.directory.token(&token).is_none());
    let saved = rig.disk.roster().unwrap();
    assert_eq!((saved.sessions, saved.tokens), (Vec::new(), Vec::new()));
}

#[test]
fn an_admin_who_can_sign_in_always_remains() {
    let rig = Rig::with_two();
    let (anna, boris) = (name("anna"), name("boris"));
    let cleo = name("cleo");
    rig.directory.invite(&cleo, Role::Admin, &author()).unwrap();
    let is_refused = |done: Done<()>| matches!(done, Err(DirectoryError::LastAdmin(_)));
    assert!(is_refused(rig.directory.remove(&anna, &author())));
    assert!(is_refused(rig.directory.disable(&anna, &author())));
    assert!(is_refused(rig.directory.set_role(
        &anna,
        Role::Staff,
        &author()
    )));
    assert!(is_refused(rig.directory.reset(&anna, &author()).map(drop)));
    rig.directory.remove(&boris, &author()).unwrap();
    rig.directory
        .add(&boris, Role::Admin, HASH.to_owned(), &author())
        .unwrap();
    rig.directory.remove(&anna, &author()).unwrap();
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
    assert!(matches!(second, Err(DirectoryError::BadInvitation)));
    assert_eq!(rig.directory.members().len(), 1);
    assert_eq!(
        rig.directory.account(&name("anna")).unwrap().role,
        Role::Admin
    );
}

#[test]
fn a_name_is_given_once() {
    let rig = Rig::with_two();
    let taken = rig.directory.invite(&name("anna"), Role::Staff, &author());
    assert!(matches!(taken, Err(DirectoryError::NameTaken(_))));
    assert_eq!(
        rig.directory.account(&name("anna")).unwrap().role,
        Role::Admin
    );
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
            .create_token(&name("anna"), "x", Scope::Read, &author());
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
        .end_session_of(&name("boris"), &session.handle(), &author());
    assert!(matches!(ended, Err(DirectoryError::Gone)));
    let revoked = rig
        .directory
        .revoke_token(&name("boris"), &token.handle(), &author());
    assert!(matches!(revoked, Err(DirectoryError::Gone)));
    assert!(rig.is_in(&session) && rig.directory.token(&token).is_some());
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
    assert_eq!(used(&rig.restarted(Moment::now())), Some(first));
}
