//! Changes of pets, against every way to end a session or an account.

use std::sync::Arc;

use tokio::time::timeout;

use super::revocation::{Case, ENDS};
use super::support::{HASH, name, operator};
use crate::auth::accounts::Accounts;
use crate::auth::authenticator::Authenticator;
use crate::auth::grant::Credential;
use crate::model::{Role, Scope, Status, Turn};
use crate::store::MemoryAccountStore;
use crate::writer::tests::{Disk, LIMIT, Rig, until};
use crate::writer::{Signer, WriteError};

/// A writer whose disk waits, and the accounts of a case.
struct CommandTest {
    authenticator: Authenticator,
    case: Case,
    rig: Rig,
}

impl CommandTest {
    fn new() -> Self {
        let store = Arc::new(MemoryAccountStore::default());
        let authenticator = Authenticator::new(store, None, None, Turn::IDLE).unwrap();
        let accounts = authenticator.staff().unwrap().accounts();
        let root = accounts
            .members()
            .add(&name("root"), Role::Admin, HASH.to_owned(), &operator());
        root.unwrap();
        CommandTest {
            case: Case::create(accounts, ""),
            authenticator,
            rig: Rig::start(),
        }
    }

    fn accounts(&self) -> &Accounts {
        self.authenticator.staff().unwrap().accounts()
    }

    fn signers(&self, ends_tokens: bool) -> Vec<Signer> {
        let token = ends_tokens.then_some(Credential::Token(self.case.token));
        let credentials = [Credential::Session(self.case.session)];
        let credentials = credentials.into_iter().chain(token);
        let signer = |credential| self.authenticator.signer(credential, Scope::SetStatus);
        credentials
            .map(|credential| signer(credential).ok().unwrap())
            .collect()
    }
}

#[tokio::test]
async fn no_change_is_committed_whose_session_ended_while_it_waited_for_the_writer() {
    for (end, ends, ends_tokens) in ENDS {
        let test = CommandTest::new();
        let busy = test.rig.set(Status::Sleeping);
        test.rig.begun().await;
        let signers = test.signers(ends_tokens).into_iter();
        let set = |signer| test.rig.set_by(Status::Eating, signer);
        let waiting: Vec<_> = signers.map(set).collect();
        until(|| test.rig.waiting() == waiting.len()).await;
        ends(test.accounts(), &test.case).unwrap();
        test.rig.decide(Disk::Writes);
        busy.await.unwrap().unwrap();
        for answer in waiting {
            let answer = timeout(LIMIT, answer)
                .await
                .expect("it is refused immediately");
            assert_eq!(answer.unwrap(), Err(WriteError::SignedOut), "after {end}");
        }
    }
}

#[tokio::test]
async fn no_revocation_is_answered_before_a_change_that_is_being_committed() {
    for (end, ends, ends_tokens) in ENDS {
        let test = CommandTest::new();
        let signer = test.signers(ends_tokens).pop().unwrap();
        let answer = test.rig.set_by(Status::Eating, signer);
        test.rig.begun().await;
        let (authenticator, case) = (test.authenticator.clone(), test.case.clone());
        let hub = Arc::clone(&test.rig.hub);
        let ending = std::thread::spawn(move || {
            ends(authenticator.staff().unwrap().accounts(), &case).unwrap();
            hub.newest().0
        });
        until(|| test.accounts().sessions().get(&test.case.session).is_none()).await;
        test.rig.decide(Disk::Writes);
        let committed = answer.await.unwrap().unwrap().cursor.rev;
        let shown = tokio::task::spawn_blocking(|| ending.join().unwrap());
        assert_eq!(shown.await.unwrap(), committed, "{end}");
    }
}
