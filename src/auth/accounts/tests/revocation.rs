//! Every edit that needs a session, against every way to end one, in each order in which the two can
//! meet.
//!
//! Edits checked their permit when the handler started and never again: a token that was created during
//! a password change stayed valid, an admin who was being removed created a new account, and a token was
//! left without an account.

use std::sync::Arc;
use std::sync::mpsc::channel;
use std::thread;

use super::support::{DAY, HASH, TestAccounts, author, name, operator};
use crate::auth::accounts::{Accounts, AccountsError, AccountsResult, Actor};
use crate::auth::secret::Secret;
use crate::model::{AccountName, Key, Role, Scope};
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
    /// The session of anna that makes the edit.
    pub session: Key,
    /// Another session of hers.
    pub other: Key,
    pub token: Key,
}

impl Case {
    /// Creates the admin anna, the staff boris and dora, and suspends dora.
    pub fn create(accounts: &Accounts, number: &str) -> Self {
        let name = |text: &str| name(&format!("{text}{number}"));
        let (anna, boris, dora) = (name("anna"), name("boris"), name("dora"));
        for (name, role) in [
            (&anna, Role::Admin),
            (&boris, Role::Staff),
            (&dora, Role::Staff),
        ] {
            let added = accounts
                .members()
                .add(name, role, HASH.to_owned(), &operator());
            added.unwrap();
        }
        accounts.members().disable(&dora, &operator()).unwrap();
        let sign_in = || accounts.sessions().begin(&anna, HASH, "Firefox", None);
        let token = accounts
            .tokens()
            .create(&anna, "Feeder", Scope::Write, &operator());
        Case {
            session: sign_in().unwrap().key(),
            other: sign_in().unwrap().key(),
            token: token.unwrap().key(),
            mallory: name("mallory"),
            anna,
            boris,
            dora,
        }
    }

    fn actor(&self) -> Actor {
        Actor::session(self.session, author())
    }

    fn other_actor(&self) -> Actor {
        Actor::session(self.other, author())
    }
}

/// An edit by the session of anna. Returns the key of what it created.
type Edit = (
    &'static str,
    fn(&Accounts, &Case) -> AccountsResult<Option<Key>>,
);

fn created(created: AccountsResult<Secret>) -> AccountsResult<Option<Key>> {
    created.map(|secret| Some(secret.key()))
}

fn done<T>(done: AccountsResult<T>) -> AccountsResult<Option<Key>> {
    done.map(|_| None)
}

/// All edits that need a permission, which signing out does not.
const EDITS: [Edit; 12] = [
    ("create token", |on, c| {
        created(
            on.tokens()
                .create(&c.anna, "Feeder", Scope::Write, &c.actor()),
        )
    }),
    ("revoke token", |on, c| {
        done(on.tokens().revoke(&c.anna, &c.token.handle(), &c.actor()))
    }),
    ("end session", |on, c| {
        done(
            on.sessions()
                .end_by_handle(&c.anna, &c.other.handle(), &c.actor()),
        )
    }),
    ("end other sessions", |on, c| {
        done(on.sessions().end_others(&c.anna, c.session, &c.actor()))
    }),
    ("change password", |on, c| {
        let hash = "mallory's".to_owned();
        created(
            on.members()
                .change_password(c.session, HASH, hash, &author()),
        )
    }),
    ("invite", |on, c| {
        done(on.invitations().invite(&c.mallory, Role::Admin, &c.actor()))
    }),
    ("add", |on, c| {
        done(
            on.members()
                .add(&c.mallory, Role::Admin, HASH.to_owned(), &c.actor()),
        )
    }),
    ("set role", |on, c| {
        done(on.members().set_role(&c.boris, Role::Admin, &c.actor()))
    }),
    ("disable", |on, c| {
        done(on.members().disable(&c.boris, &c.actor()))
    }),
    ("enable", |on, c| {
        done(on.members().enable(&c.dora, &c.actor()))
    }),
    ("reset", |on, c| {
        done(on.invitations().reset(&c.boris, &c.actor()))
    }),
    ("remove", |on, c| {
        done(on.members().remove(&c.boris, &c.actor()))
    }),
];

/// A way to end the session or the account, and whether it revokes tokens.
pub type End = (
    &'static str,
    fn(&Accounts, &Case) -> AccountsResult<()>,
    bool,
);

pub const ENDS: [End; 9] = [
    (
        "sign out",
        |on, c| on.sessions().end(c.session, &author()),
        false,
    ),
    (
        "end by another session",
        |on, c| {
            on.sessions()
                .end_by_handle(&c.anna, &c.session.handle(), &c.other_actor())
        },
        false,
    ),
    (
        "sign out everywhere else",
        |on, c| on.sessions().end_others(&c.anna, c.other, &c.other_actor()),
        false,
    ),
    (
        "change of the password",
        |on, c| {
            let hash = "another".to_owned();
            let members = on.members();
            members
                .change_password(c.other, HASH, hash, &author())
                .map(drop)
        },
        true,
    ),
    (
        "reset",
        |on, c| on.invitations().reset(&c.anna, &operator()).map(drop),
        true,
    ),
    (
        "password from the command line",
        |on, c| {
            on.members()
                .set_password(&c.anna, "set".to_owned(), &operator())
        },
        true,
    ),
    (
        "demotion",
        |on, c| on.members().set_role(&c.anna, Role::Staff, &operator()),
        false,
    ),
    (
        "suspension",
        |on, c| on.members().disable(&c.anna, &operator()),
        true,
    ),
    (
        "removal",
        |on, c| on.members().remove(&c.anna, &operator()),
        true,
    ),
];

/// Two nodes over one store.
struct TwoNodes {
    here: TestAccounts,
    there: Arc<TestAccounts>,
    cases: usize,
}

impl TwoNodes {
    fn over([here, there]: [Arc<dyn AccountStore>; 2]) -> Self {
        let here = TestAccounts::over(here);
        here.add("root", Role::Admin);
        TwoNodes {
            here,
            there: Arc::new(TestAccounts::over(there)),
            cases: 0,
        }
    }

    fn start(&mut self) -> Case {
        self.cases += 1;
        let case = Case::create(&self.here, &self.cases.to_string());
        self.there.catch_up().unwrap();
        case
    }

    /// Checks that no session or token is without an account, and removes the people of a case.
    fn finish(&self, case: &Case) {
        self.here.catch_up().unwrap();
        let left = self.here.store.account_set().unwrap();
        let sessions = left.sessions.iter().map(|session| &session.account);
        let mut owners = sessions.chain(left.tokens.iter().map(|token| &token.account));
        assert!(owners.all(|name| left.has_account(name)));
        for name in [&case.anna, &case.boris, &case.dora, &case.mallory] {
            match self.here.members().remove(name, &operator()) {
                Ok(()) | Err(AccountsError::UnknownAccount(_)) => {}
                Err(error) => panic!("{error}"),
            }
        }
    }

    /// Runs `first`; while its edit is on its way to the store, starts `second`.
    fn overlap<A: Send, B: Send>(
        &self,
        first: impl FnOnce(&Accounts) -> A + Send,
        second: impl FnOnce(&Accounts) -> B + Send,
    ) -> (A, B) {
        let (here, (entered, in_store), (open, opened)) = (&self.here, channel(), channel::<()>());
        here.store.interrupt(move || {
            entered.send(()).unwrap();
            opened.recv().unwrap();
        });
        thread::scope(|scope| {
            let first = scope.spawn(|| first(here));
            in_store.recv().unwrap();
            let second = scope.spawn(|| second(here));
            open.send(()).unwrap();
            (first.join().unwrap(), second.join().unwrap())
        })
    }

    /// The edit waits while the session is being ended.
    fn end_first(&mut self, (edit, make): Edit, (end, ends, _): End) {
        let case = self.start();
        let (ended, made) = self.overlap(|on| ends(on, &case), |on| make(on, &case));
        ended.unwrap();
        let is_refused = matches!(made, Err(AccountsError::SignedOut));
        assert!(is_refused, "{edit} after {end}: {made:?}");
        self.finish(&case);
    }

    /// The edit was decided, and is not in the store, when another node ends the session.
    fn end_elsewhere(&mut self, (edit, make): Edit, (end, ends, _): End) {
        let case = self.start();
        let (there, same) = (Arc::clone(&self.there), case.clone());
        self.here
            .store
            .interrupt(move || ends(&there, &same).unwrap());
        let made = make(&self.here, &case);
        let is_refused = matches!(made, Err(AccountsError::SignedOut));
        assert!(is_refused, "{edit}, and elsewhere {end}: {made:?}");
        self.finish(&case);
    }

    /// The edit is on its way to the store when the session is ended.
    fn edit_first(&mut self, (edit, make): Edit, (end, ends, ends_tokens): End) {
        let case = self.start();
        let (made, ended) = self.overlap(|on| make(on, &case), |on| ends(on, &case));
        // Ending fails if the edit ended the session that it is requested with.
        let made = made.unwrap().filter(|_| ended.is_ok() && ends_tokens);
        let is_valid = |key| self.here.has_session(&key) || self.here.has_token(&key);
        assert!(!made.is_some_and(is_valid), "made by {edit} before {end}");
        self.finish(&case);
    }
}

fn check(stores: [Arc<dyn AccountStore>; 2], pairs: impl IntoIterator<Item = (Edit, End)>) {
    let mut nodes = TwoNodes::over(stores);
    for (edit, end) in pairs {
        nodes.end_first(edit, end);
        nodes.end_elsewhere(edit, end);
        nodes.edit_first(edit, end);
    }
}

fn all_pairs() -> impl Iterator<Item = (Edit, End)> {
    ENDS.into_iter()
        .flat_map(|end| EDITS.map(|edit| (edit, end)))
}

/// Each edit once, and each way to end a session at least once: all pairs take minutes on a disk.
fn some_pairs() -> impl Iterator<Item = (Edit, End)> {
    EDITS.into_iter().zip(ENDS.into_iter().cycle())
}

#[test]
fn no_edit_is_made_by_a_session_that_was_ended_while_it_waited() {
    let store: Arc<dyn AccountStore> = Arc::new(MemoryAccountStore::default());
    check([Arc::clone(&store), store], all_pairs());
}

#[test]
fn nor_is_one_on_a_disk() {
    let folder = tempfile::tempdir().unwrap();
    let store: Arc<dyn AccountStore> = Arc::new(RedbEngine::open(folder.path()).unwrap());
    let is_slow = cfg!(feature = "slow-tests");
    let pairs: Vec<_> = if is_slow {
        all_pairs().collect()
    } else {
        some_pairs().collect()
    };
    check([Arc::clone(&store), store], pairs);
}

#[cfg(feature = "slow-tests")]
#[test]
fn nor_is_one_on_two_nodes_of_a_cluster() {
    with_pair(|here, there| check([here, there], some_pairs()));
}

#[test]
fn an_expired_session_makes_no_edit() {
    let test = TestAccounts::with_two();
    let actor = Actor::session(test.sign_in("anna"), author());
    test.pass(DAY * 8);
    let made = test
        .invitations()
        .invite(&name("mallory"), Role::Admin, &actor);
    assert!(matches!(made, Err(AccountsError::SignedOut)));
}

#[test]
fn staff_make_no_edit_of_an_admin_and_none_for_somebody_else() {
    let test = TestAccounts::with_two();
    let (anna, boris) = (name("anna"), name("boris"));
    let actor = Actor::session(test.sign_in("boris"), author());
    let role = test.members().set_role(&boris, Role::Admin, &actor);
    assert!(matches!(role, Err(AccountsError::NotAdmin)), "{role:?}");
    let create = |account| {
        test.tokens()
            .create(account, "Feeder", Scope::Write, &actor)
    };
    assert!(create(&anna).is_err() && create(&boris).is_ok());
}
