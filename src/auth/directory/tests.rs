//! What the roster promises when its disk is full, and when other nodes edit it too; and the rig of
//! the tests beside its parts.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use super::*;
use crate::model::{AccountName, Key, Moment, Role, Scope, Tick};
use crate::store::{MemoryAccounts, Roster};

pub const HOUR: u64 = 3600;
pub const DAY: u64 = 24 * HOUR;
pub const HASH: &str = "the hash of a password";

/// A store that refuses to write when it is told to, and in which something can happen right before
/// an edit.
#[derive(Default)]
pub struct Disk {
    inner: MemoryAccounts,
    is_full: AtomicBool,
    meanwhile: Mutex<Option<Box<dyn FnOnce() + Send>>>,
}

impl Disk {
    fn meanwhile(&self, happening: impl FnOnce() + Send + 'static) {
        *self.meanwhile.lock().unwrap() = Some(Box::new(happening));
    }
}

impl Accounts for Disk {
    fn roster(&self) -> Result<Roster, StoreError> {
        self.inner.roster()
    }

    fn follow_roster(&self, follower: Weak<dyn RosterFollower>) -> Result<(), StoreError> {
        self.inner.follow_roster(follower)
    }

    fn edit_roster(&self, read: u64, edits: &[RosterEdit]) -> Result<u64, StoreError> {
        let happening = self.meanwhile.lock().unwrap().take();
        if let Some(happening) = happening {
            happening();
        }
        match self.is_full.load(Ordering::Relaxed) {
            true => Err(StoreError::Write("no space".to_owned())),
            false => self.inner.edit_roster(read, edits),
        }
    }

    fn deeds(&self, before: Option<u64>, limit: usize) -> Result<Vec<(u64, Deed)>, StoreError> {
        self.inner.deeds(before, limit)
    }
}

/// A directory whose clock a test turns.
pub struct Rig {
    pub disk: Arc<Disk>,
    pub seconds: Arc<AtomicU64>,
    pub directory: Directory,
}

impl Rig {
    pub fn start() -> Self {
        Rig::on(Arc::default(), Moment::now())
    }

    pub fn on(disk: Arc<Disk>, wall: Moment) -> Self {
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
    pub fn with_two() -> Self {
        let rig = Rig::start();
        for (text, role) in [("anna", Role::Admin), ("boris", Role::Staff)] {
            rig.directory
                .add(&name(text), role, HASH.to_owned(), &author())
                .unwrap();
        }
        rig
    }

    /// The same store after a restart, at which the wall clock says `wall`.
    pub fn restarted(self, wall: Moment) -> Self {
        Rig::on(self.disk, wall)
    }

    pub fn turn(&self, seconds: u64) {
        self.seconds.fetch_add(seconds, Ordering::Relaxed);
    }

    pub fn sign_in(&self, text: &str) -> Key {
        let begun = self
            .directory
            .begin_session(&name(text), HASH, "Firefox", None);
        begun.unwrap().key()
    }

    pub fn is_in(&self, key: &Key) -> bool {
        self.directory.session(key).is_some()
    }

    pub fn token(&self, text: &str) -> Key {
        let made = self
            .directory
            .create_token(&name(text), "Feeder", Scope::Write, &author());
        made.unwrap().key()
    }

    pub fn last_words(&self) -> String {
        self.directory.deeds(None, 1).unwrap()[0].1.words.clone()
    }
}

pub fn name(text: &str) -> AccountName {
    text.parse().unwrap()
}

pub fn author() -> Author {
    Author {
        name: "anna".to_owned(),
        client: "a test".to_owned(),
    }
}

pub fn later(seconds: u64) -> Moment {
    Moment::from_micros(Moment::now().micros() + seconds.cast_signed() * 1_000_000)
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
            .revoke_token(&name("anna"), &token.handle(), &author())
            .is_err()
    );
    assert!(rig.directory.tidy().is_err() && rig.directory.is_owing());
    rig.disk.is_full.store(false, Ordering::Relaxed);
    rig.directory.tidy().unwrap();
    assert!(!rig.directory.is_owing());
    let rig = rig.restarted(Moment::now());
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
            .invite(&name("cleo"), Role::Staff, &author())
            .is_err()
    );
    assert_eq!(rig.directory.sessions_of(&name("anna")).len(), 0);
    assert!(rig.directory.account(&name("cleo")).is_none());
}

#[test]
fn what_one_node_does_is_true_on_the_other_at_once() {
    let here = Rig::with_two();
    let there = Rig::on(Arc::clone(&here.disk), Moment::now());
    let (session, token) = (here.sign_in("anna"), here.token("boris"));
    assert!(there.is_in(&session) && there.directory.token(&token).is_some());
    there.directory.end_session(session, &author()).unwrap();
    there.directory.remove(&name("boris"), &author()).unwrap();
    assert!(!here.is_in(&session) && here.directory.token(&token).is_none());
    assert!(here.directory.account(&name("boris")).is_none());
}

/// Each of two admins sends the other away, at the same moment, on two nodes.
#[test]
fn an_edit_that_another_node_was_faster_than_is_decided_anew() {
    let here = Rig::with_two();
    let role = here
        .directory
        .set_role(&name("boris"), Role::Admin, &author());
    role.unwrap();
    let there = Rig::on(Arc::clone(&here.disk), Moment::now());
    here.disk.meanwhile(move || {
        let disabled = there.directory.disable(&name("anna"), &author());
        disabled.unwrap();
    });
    let disabled = here.directory.disable(&name("boris"), &author());
    assert!(matches!(disabled, Err(DirectoryError::LastAdmin(_))));
    let is_disabled = |text| here.directory.account(&name(text)).unwrap().is_disabled;
    assert!(is_disabled("anna") && !is_disabled("boris"));
}

/// What an edit ends is ended before the store has it, and must still be found when the edit is
/// decided anew.
#[test]
fn ending_a_session_works_also_when_another_node_was_faster_with_something_else() {
    let here = Rig::with_two();
    let (session, stays) = (here.sign_in("anna"), here.sign_in("anna"));
    let there = Rig::on(Arc::clone(&here.disk), Moment::now());
    here.disk.meanwhile(move || {
        there.token("boris");
    });
    let ended = here
        .directory
        .end_session_of(&name("anna"), &session.handle(), &author());
    ended.unwrap();
    assert!(!here.is_in(&session) && here.is_in(&stays));
    assert!(!here.directory.is_owing());
    assert!(here.last_words().starts_with("signed out"));
}

/// Two nodes see the same session used, and the one that saw it earlier saves that later.
#[test]
fn the_later_use_counts_whichever_node_saw_it() {
    let here = Rig::with_two();
    let session = here.sign_in("anna");
    let there = Rig::on(Arc::clone(&here.disk), Moment::now());
    here.turn(DAY);
    there.turn(2 * DAY);
    assert!(here.is_in(&session) && there.is_in(&session));
    here.directory.tidy().unwrap();
    there.directory.tidy().unwrap();
    assert_eq!(here.disk.roster().unwrap().sessions[0].seen, Tick(2 * DAY));
}

#[test]
fn saving_the_last_use_brings_no_session_back_that_another_node_ended_meanwhile() {
    let here = Rig::with_two();
    let session = here.sign_in("anna");
    let there = Rig::on(Arc::clone(&here.disk), Moment::now());
    here.turn(DAY);
    assert!(here.is_in(&session));
    let end = move || there.directory.end_session(session, &author()).unwrap();
    here.disk.meanwhile(end);
    here.directory.tidy().unwrap();
    assert!(!here.is_in(&session));
    assert_eq!(here.disk.roster().unwrap().sessions, []);
}
