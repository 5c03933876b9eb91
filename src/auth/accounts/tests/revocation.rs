//! Every edit that needs a session, against every way to end one, in each order in which the two
//! can meet.
//!
//! Edits checked their permit when the handler started and never again: a token made beside a
//! password change still worked, an admin who was being removed made himself a new account, and a
//! token was left behind without an account.

use std::sync::Arc;
use std::sync::mpsc::channel;
use std::thread;

use super::support::{FlakyStore, HASH, TestAccounts, author, operator};
use crate::auth::accounts::{Accounts, AccountsError, AccountsResult, Actor};
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

type AuditEntry = fn(&Accounts, &Case) -> AccountsResult<Option<Key>>;

/// Edits, each by the session of anna; they give the key of what they made. Signing out is not
/// among them: it needs no permission.
const EDITS: [(&str, AuditEntry); 12] = [
    ("create token", |accounts, case| {
        let made = accounts
            .tokens()
            .create(&case.anna, "Feeder", Scope::Write, &case.actor());
        made.map(|secret| Some(secret.key()))
    }),
    ("revoke token", |accounts, case| {
        let revoked = accounts
            .tokens()
            .revoke(&case.anna, &case.token.handle(), &case.actor());
        revoked.map(|()| None)
    }),
    ("end session", |accounts, case| {
        let ended =
            accounts
                .sessions()
                .end_by_handle(&case.anna, &case.other.handle(), &case.actor());
        ended.map(|()| None)
    }),
    ("end other sessions", |accounts, case| {
        let ended = accounts
            .sessions()
            .end_others(&case.anna, case.session, &case.actor());
        ended.map(|()| None)
    }),
    ("change password", |accounts, case| {
        let changed = accounts.members().change_password(
            case.session,
            HASH,
            "mallory's".to_owned(),
            &author(),
        );
        changed.map(|secret| Some(secret.key()))
    }),
    ("invite", |accounts, case| {
        let invited = accounts
            .invitations()
            .invite(&case.mallory, Role::Admin, &case.actor());
        invited.map(|_| None)
    }),
    ("add", |accounts, case| {
        let (hash, actor) = (HASH.to_owned(), case.actor());
        let added = accounts
            .members()
            .add(&case.mallory, Role::Admin, hash, &actor);
        added.map(|()| None)
    }),
    ("set role", |accounts, case| {
        let set = accounts
            .members()
            .set_role(&case.boris, Role::Admin, &case.actor());
        set.map(|()| None)
    }),
    ("disable", |accounts, case| {
        let disabled = accounts.members().disable(&case.boris, &case.actor());
        disabled.map(|()| None)
    }),
    ("enable", |accounts, case| {
        let enabled = accounts.members().enable(&case.dora, &case.actor());
        enabled.map(|()| None)
    }),
    ("reset", |accounts, case| {
        let reset = accounts.invitations().reset(&case.boris, &case.actor());
        reset.map(|_| None)
    }),
    ("remove", |accounts, case| {
        let removed = accounts.members().remove(&case.boris, &case.actor());
        removed.map(|()| None)
    }),
];

/// A way to end the session or the account, and whether tokens end with it.
pub type End = (
    &'static str,
    fn(&Accounts, &Case) -> AccountsResult<()>,
    bool,
);

pub const ENDS: [End; 9] = [
    (
        "sign out",
        |accounts, case| accounts.sessions().end(case.session, &author()),
        false,
    ),
    (
        "end by another browser",
        |accounts, case| {
            let (handle, actor) = (case.session.handle(), case.other_actor());
            accounts
                .sessions()
                .end_by_handle(&case.anna, &handle, &actor)
        },
        false,
    ),
    (
        "sign out everywhere else",
        |accounts, case| {
            accounts
                .sessions()
                .end_others(&case.anna, case.other, &case.other_actor())
        },
        false,
    ),
    (
        "change of the password",
        |accounts, case| {
            let changed = accounts.members().change_password(
                case.other,
                HASH,
                "another".to_owned(),
                &author(),
            );
            changed.map(drop)
        },
        true,
    ),
    (
        "reset",
        |accounts, case| {
            accounts
                .invitations()
                .reset(&case.anna, &operator())
                .map(drop)
        },
        true,
    ),
    (
        "password from the command line",
        |accounts, case| {
            accounts
                .members()
                .set_password(&case.anna, "set".to_owned(), &operator())
        },
        true,
    ),
    (
        "demotion",
        |accounts, case| {
            accounts
                .members()
                .set_role(&case.anna, Role::Staff, &operator())
        },
        false,
    ),
    (
        "disabling",
        |accounts, case| accounts.members().disable(&case.anna, &operator()),
        true,
    ),
    (
        "removal",
        |accounts, case| accounts.members().remove(&case.anna, &operator()),
        true,
    ),
];

/// Two nodes over one store.
struct Nodes {
    here: TestAccounts,
    there: Arc<TestAccounts>,
    cases: usize,
}

impl Nodes {
    fn over([here, there]: [Arc<dyn AccountStore>; 2]) -> Self {
        let [here, there] = [here, there].map(|store| {
            let disk = Arc::new(FlakyStore::over(store));
            TestAccounts::on(disk, Timestamp::now())
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
        self.here
            .accounts
            .members()
            .disable(&dora, &operator())
            .unwrap();
        let case = Case {
            session: self.here.sign_in(anna.as_str()),
            other: self.here.sign_in(anna.as_str()),
            token: self.here.token(anna.as_str()),
            mallory: name("mallory"),
            anna,
            boris,
            dora,
        };
        self.there.accounts.catch_up().unwrap();
        case
    }

    /// Checks that nothing is left that belongs to nobody, and removes the people of a case.
    fn finish(&self, case: &Case) {
        self.here.accounts.catch_up().unwrap();
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
            match self.here.accounts.members().remove(name, &operator()) {
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
            let ending = scope.spawn(|| ends(&here.accounts, &case));
            in_store.recv().unwrap();
            let making = scope.spawn(|| make(&here.accounts, &case));
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
        let happening = move || ends(&there.accounts, &same).unwrap();
        self.here.disk.meanwhile(happening);
        let made = make(&self.here.accounts, &case);
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
            let making = scope.spawn(|| make(&here.accounts, &case));
            in_store.recv().unwrap();
            let ending = scope.spawn(|| ends(&here.accounts, &case));
            open.send(()).unwrap();
            let made = making.join().unwrap().unwrap();
            // Refused where the edit ended the browser that it is asked from.
            let is_ended = ending.join().unwrap().is_ok();
            let made = made.filter(|_| is_ended && ends_tokens);
            let survives = made
                .is_some_and(|key| here.is_in(&key) || here.accounts.tokens().get(&key).is_some());
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
    let test = TestAccounts::with_two();
    let session = test.sign_in("anna");
    test.turn(super::DAY * 8);
    let actor = Actor::session(session, author());
    let made = test
        .accounts
        .invitations()
        .invite(&super::name("mallory"), Role::Admin, &actor);
    assert!(matches!(made, Err(AccountsError::SignedOut)));
}

#[test]
fn staff_make_no_edit_of_an_admin_and_none_for_somebody_else() {
    let test = TestAccounts::with_two();
    let (anna, boris) = (super::name("anna"), super::name("boris"));
    let actor = Actor::session(test.sign_in("boris"), author());
    let role = test
        .accounts
        .members()
        .set_role(&boris, Role::Admin, &actor);
    assert!(matches!(role, Err(AccountsError::NotAdmin)), "{role:?}");
    let token = test
        .accounts
        .tokens()
        .create(&anna, "Feeder", Scope::Write, &actor);
    assert!(token.is_err());
    test.accounts
        .tokens()
        .create(&boris, "Feeder", Scope::Write, &actor)
        .unwrap();
}
