//! Every edit that needs a session, against every way to end one, in each order in which the two
//! can meet.
//!
//! Edits checked their permit when the handler started and never again: a token made beside a
//! password change still worked, an admin who was being removed made himself a new account, and a
//! token was left behind without an account.

use std::sync::Arc;
use std::sync::mpsc::channel;
use std::thread;

use super::rig::{Disk, HASH, Rig, author, operator};
use crate::auth::directory::{Accounts, AccountsError, Actor, Done};
use crate::model::{AccountName, Key, Role, Scope, Timestamp};
#[cfg(feature = "slow-tests")]
use crate::store::contract::with_pair;
use crate::store::{AccountStore, MemoryAccountStore, RedbEngine};

/// The people of one case; every case has its own.
#[derive(Clone)]
pub struct Case {
    pub anna: AccountName,
    pub boris: AccountName,
    pub dora: AccountName,
    pub mallory: AccountName,
    /// The browser of anna that makes the edit.
    pub session: Key,
    /// Another browser of hers.
    pub other: Key,
    pub token: Key,
}

impl Case {
    fn actor(&self) -> Actor {
        Actor::session(self.session, author())
    }

    fn other_actor(&self) -> Actor {
        Actor::session(self.other, author())
    }
}

type AuditEntry = fn(&Accounts, &Case) -> Done<Option<Key>>;

/// Edits, each by the session of anna; they give the key of what they made. Signing out is not
/// among them: it needs no permission.
const EDITS: [(&str, AuditEntry); 12] = [
    ("create token", |directory, case| {
        let made = directory.create_token(&case.anna, "Feeder", Scope::Write, &case.actor());
        made.map(|secret| Some(secret.key()))
    }),
    ("revoke token", |directory, case| {
        let revoked = directory.revoke_token(&case.anna, &case.token.handle(), &case.actor());
        revoked.map(|()| None)
    }),
    ("end session", |directory, case| {
        let ended = directory.end_session_of(&case.anna, &case.other.handle(), &case.actor());
        ended.map(|()| None)
    }),
    ("end other sessions", |directory, case| {
        let ended = directory.end_other_sessions(&case.anna, case.session, &case.actor());
        ended.map(|()| None)
    }),
    ("change password", |directory, case| {
        let changed =
            directory.change_password(case.session, HASH, "mallory's".to_owned(), &author());
        changed.map(|secret| Some(secret.key()))
    }),
    ("invite", |directory, case| {
        let invited = directory.invite(&case.mallory, Role::Admin, &case.actor());
        invited.map(|_| None)
    }),
    ("add", |directory, case| {
        let (hash, actor) = (HASH.to_owned(), case.actor());
        let added = directory.add(&case.mallory, Role::Admin, hash, &actor);
        added.map(|()| None)
    }),
    ("set role", |directory, case| {
        let set = directory.set_role(&case.boris, Role::Admin, &case.actor());
        set.map(|()| None)
    }),
    ("disable", |directory, case| {
        let disabled = directory.disable(&case.boris, &case.actor());
        disabled.map(|()| None)
    }),
    ("enable", |directory, case| {
        let enabled = directory.enable(&case.dora, &case.actor());
        enabled.map(|()| None)
    }),
    ("reset", |directory, case| {
        let reset = directory.reset(&case.boris, &case.actor());
        reset.map(|_| None)
    }),
    ("remove", |directory, case| {
        let removed = directory.remove(&case.boris, &case.actor());
        removed.map(|()| None)
    }),
];

/// A way to end the session or the account, and whether tokens end with it.
pub type End = (&'static str, fn(&Accounts, &Case) -> Done<()>, bool);

pub const ENDS: [End; 9] = [
    (
        "sign out",
        |directory, case| directory.end_session(case.session, &author()),
        false,
    ),
    (
        "end by another browser",
        |directory, case| {
            let (handle, actor) = (case.session.handle(), case.other_actor());
            directory.end_session_of(&case.anna, &handle, &actor)
        },
        false,
    ),
    (
        "sign out everywhere else",
        |directory, case| directory.end_other_sessions(&case.anna, case.other, &case.other_actor()),
        false,
    ),
    (
        "change of the password",
        |directory, case| {
            let changed =
                directory.change_password(case.other, HASH, "another".to_owned(), &author());
            changed.map(drop)
        },
        true,
    ),
    (
        "reset",
        |directory, case| directory.reset(&case.anna, &operator()).map(drop),
        true,
    ),
    (
        "password from the command line",
        |directory, case| directory.set_password(&case.anna, "set".to_owned(), &operator()),
        true,
    ),
    (
        "demotion",
        |directory, case| directory.set_role(&case.anna, Role::Staff, &operator()),
        false,
    ),
    (
        "disabling",
        |directory, case| directory.disable(&case.anna, &operator()),
        true,
    ),
    (
        "removal",
        |directory, case| directory.remove(&case.anna, &operator()),
        true,
    ),
];

/// Two nodes over one store.
struct Nodes {
    here: Rig,
    there: Arc<Rig>,
    cases: usize,
}

impl Nodes {
    fn over([here, there]: [Arc<dyn AccountStore>; 2]) -> Self {
        let [here, there] = [here, there].map(|store| {
            let disk = Arc::new(Disk::over(store));
            Rig::on(disk, Timestamp::now())
        });
        here.add("root", Role::Admin);
        Nodes {
            here,
            there: Arc::new(there),
            cases: 0,
        }
    }

    fn case(&mut self) -> Case {
        self.cases += 1;
        let number = self.cases;
        let name = |text: &str| -> AccountName { format!("{text}{number}").parse().unwrap() };
        let (anna, boris, dora) = (name("anna"), name("boris"), name("dora"));
        self.here.add(anna.as_str(), Role::Admin);
        self.here.add(boris.as_str(), Role::Staff);
        self.here.add(dora.as_str(), Role::Staff);
        self.here.directory.disable(&dora, &operator()).unwrap();
        let case = Case {
            session: self.here.sign_in(anna.as_str()),
            other: self.here.sign_in(anna.as_str()),
            token: self.here.token(anna.as_str()),
            mallory: name("mallory"),
            anna,
            boris,
            dora,
        };
        self.there.directory.catch_up().unwrap();
        case
    }

    /// Checks that nothing is left that belongs to nobody, and removes the people of a case.
    fn finish(&self, case: &Case) {
        self.here.directory.catch_up().unwrap();
        let roster = self.here.disk.account_set().unwrap();
        let has_account =
            |name: &AccountName| roster.accounts.iter().any(|account| account.name == *name);
        assert!(
            roster
                .sessions
                .iter()
                .all(|found| has_account(&found.account))
        );
        assert!(
            roster
                .tokens
                .iter()
                .all(|found| has_account(&found.account))
        );
        for name in [&case.anna, &case.boris, &case.dora, &case.mallory] {
            match self.here.directory.remove(name, &operator()) {
                Ok(()) | Err(AccountsError::UnknownAccount(_)) => {}
                Err(error) => panic!("{error}"),
            }
        }
    }

    /// The edit waits while the session is being ended.
    fn ends_first(&mut self, (edit, make): (&str, AuditEntry), (end, ends, _): End) {
        let case = self.case();
        let (here, (entered, in_store)) = (&self.here, channel());
        let (open, opened) = channel::<()>();
        here.disk.meanwhile(move || {
            entered.send(()).unwrap();
            opened.recv().unwrap();
        });
        thread::scope(|scope| {
            let ending = scope.spawn(|| ends(&here.directory, &case));
            in_store.recv().unwrap();
            let making = scope.spawn(|| make(&here.directory, &case));
            open.send(()).unwrap();
            ending.join().unwrap().unwrap();
            let made = making.join().unwrap();
            let is_refused = matches!(made, Err(AccountsError::SignedOut));
            assert!(is_refused, "{edit} after {end}: {made:?}");
        });
        self.finish(&case);
    }

    /// The edit was decided, and is not in the store, when another node ends the session.
    fn ends_elsewhere(&mut self, (edit, make): (&str, AuditEntry), (end, ends, _): End) {
        let case = self.case();
        let (there, same) = (Arc::clone(&self.there), case.clone());
        let happening = move || ends(&there.directory, &same).unwrap();
        self.here.disk.meanwhile(happening);
        let made = make(&self.here.directory, &case);
        let is_refused = matches!(made, Err(AccountsError::SignedOut));
        assert!(is_refused, "{edit}, and elsewhere {end}: {made:?}");
        self.finish(&case);
    }

    /// The edit is on its way into the store when the session is ended.
    fn edit_first(&mut self, (edit, make): (&str, AuditEntry), (end, ends, ends_tokens): End) {
        let case = self.case();
        let (here, (entered, in_store)) = (&self.here, channel());
        let (open, opened) = channel::<()>();
        here.disk.meanwhile(move || {
            entered.send(()).unwrap();
            opened.recv().unwrap();
        });
        thread::scope(|scope| {
            let making = scope.spawn(|| make(&here.directory, &case));
            in_store.recv().unwrap();
            let ending = scope.spawn(|| ends(&here.directory, &case));
            open.send(()).unwrap();
            let made = making.join().unwrap().unwrap();
            // Refused where the edit ended the browser that it is asked from.
            let is_ended = ending.join().unwrap().is_ok();
            let made = made.filter(|_| is_ended && ends_tokens);
            let survives =
                made.is_some_and(|key| here.is_in(&key) || here.directory.token(&key).is_some());
            assert!(!survives, "made by {edit} before {end}");
        });
        self.finish(&case);
    }
}

fn check(
    stores: [Arc<dyn AccountStore>; 2],
    pairs: impl IntoIterator<Item = ((&'static str, AuditEntry), End)>,
) {
    let mut nodes = Nodes::over(stores);
    for (edit, end) in pairs {
        nodes.ends_first(edit, end);
        nodes.ends_elsewhere(edit, end);
        nodes.edit_first(edit, end);
    }
}

fn check_all(store: Arc<dyn AccountStore>) {
    let pairs = ENDS
        .into_iter()
        .flat_map(|end| EDITS.map(|edit| (edit, end)));
    check([Arc::clone(&store), store], pairs);
}

#[test]
fn no_edit_is_made_by_a_session_that_was_ended_while_it_waited() {
    check_all(Arc::new(MemoryAccountStore::default()));
}

#[test]
fn nor_on_a_disk() {
    let folder = tempfile::tempdir().unwrap();
    check_all(Arc::new(RedbEngine::open(folder.path()).unwrap()));
}

/// Each edit once and each end at least once: all pairs take minutes there.
#[cfg(feature = "slow-tests")]
#[test]
fn nor_on_two_nodes_of_a_cluster() {
    let pairs = EDITS.into_iter().zip(ENDS.into_iter().cycle());
    with_pair(|here, there| check([here, there], pairs));
}

#[test]
fn a_session_that_has_expired_makes_no_edit() {
    let rig = Rig::with_two();
    let session = rig.sign_in("anna");
    rig.turn(super::DAY * 8);
    let actor = Actor::session(session, author());
    let made = rig
        .directory
        .invite(&super::name("mallory"), Role::Admin, &actor);
    assert!(matches!(made, Err(AccountsError::SignedOut)));
}

#[test]
fn staff_make_no_edit_of_an_admin_and_none_for_somebody_else() {
    let rig = Rig::with_two();
    let (anna, boris) = (super::name("anna"), super::name("boris"));
    let actor = Actor::session(rig.sign_in("boris"), author());
    let role = rig.directory.set_role(&boris, Role::Admin, &actor);
    assert!(matches!(role, Err(AccountsError::NotAdmin)), "{role:?}");
    let token = rig
        .directory
        .create_token(&anna, "Feeder", Scope::Write, &actor);
    assert!(token.is_err());
    rig.directory
        .create_token(&boris, "Feeder", Scope::Write, &actor)
        .unwrap();
}
