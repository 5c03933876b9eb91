//! Changes of pets against every way to end a session or an account.

use std::sync::Arc;

use tokio::time::timeout;

use crate::auth::accounts::Accounts;
use crate::auth::accounts::tests::{Case, ENDS, HASH, operator};
use crate::auth::authenticator::Authenticator;
use crate::auth::grant::Credential;
use crate::model::{Role, Scope, Status};
use crate::store::{AccountStore, MemoryAccountStore};
use crate::writer::tests::{Disk, LIMIT, Rig, until};
use crate::writer::{Signer, WriteError};

/// A rescue of which anna is an admin, with a session and a token, and a writer whose disk waits.
struct Stage {
    authenticator: Authenticator,
    case: Case,
    rig: Rig,
}

impl Stage {
    fn build() -> Self {
        let store: Arc<dyn AccountStore> = Arc::new(MemoryAccountStore::default());
        let authenticator = Authenticator::new(store, None, None).unwrap();
        let accounts = authenticator.staff().unwrap().accounts();
        let name = |text: &str| text.parse().unwrap();
        for text in ["anna", "boris", "dora", "root"] {
            let hash = HASH.to_owned();
            accounts
                .members()
                .add(&name(text), Role::Admin, hash, &operator())
                .unwrap();
        }
        let begin = || {
            accounts
                .sessions()
                .begin(&name("anna"), HASH, "Firefox", None)
        };
        let token = accounts
            .tokens()
            .create(&name("anna"), "Feeder", Scope::Write, &operator());
        let case = Case {
            session: begin().unwrap().key(),
            other: begin().unwrap().key(),
            token: token.unwrap().key(),
            anna: name("anna"),
            boris: name("boris"),
            dora: name("dora"),
            mallory: name("mallory"),
        };
        let rig = Rig::start();
        Stage {
            authenticator,
            case,
            rig,
        }
    }

    fn accounts(&self) -> &Accounts {
        self.authenticator.staff().unwrap().accounts()
    }

    fn signers(&self, ends_tokens: bool) -> Vec<Signer> {
        let token = ends_tokens.then_some(Credential::Token(self.case.token));
        let credentials = [Credential::Session(self.case.session)];
        let credentials = credentials.into_iter().chain(token);
        let signers = credentials.map(|shown| self.authenticator.signer(shown, Scope::SetStatus));
        signers.map(|signer| signer.ok().unwrap()).collect()
    }
}

#[tokio::test]
async fn no_change_is_committed_whose_session_ended_while_it_waited_for_the_writer() {
    for (end, ends, ends_tokens) in ENDS {
        let stage = Stage::build();
        let busy = stage.rig.set(Status::Sleeping);
        stage.rig.begun().await;
        let signers = stage.signers(ends_tokens).into_iter();
        let waiting: Vec<_> = signers
            .map(|signer| stage.rig.set_by(Status::Eating, signer))
            .collect();
        until(|| stage.rig.waiting() == waiting.len()).await;
        ends(stage.accounts(), &stage.case).unwrap();
        stage.rig.decide(Disk::Writes);
        busy.await.unwrap().unwrap();
        for answer in waiting {
            let answer = timeout(LIMIT, answer).await.expect("it is refused at once");
            let answer = answer.unwrap();
            assert_eq!(answer, Err(WriteError::SignedOut), "after {end}");
        }
    }
}

#[tokio::test]
async fn no_way_to_end_a_session_is_answered_before_a_change_of_it_that_is_being_committed() {
    for (end, ends, ends_tokens) in ENDS {
        let stage = Stage::build();
        let signer = stage.signers(ends_tokens).pop().unwrap();
        let answer = stage.rig.set_by(Status::Eating, signer);
        stage.rig.begun().await;
        let (authenticator, case, hub) = (
            stage.authenticator.clone(),
            stage.case.clone(),
            Arc::clone(&stage.rig.hub),
        );
        let ending = std::thread::spawn(move || {
            ends(authenticator.staff().unwrap().accounts(), &case).unwrap();
            hub.newest().0
        });
        let is_over = || {
            stage
                .accounts()
                .sessions()
                .get(&stage.case.session)
                .is_none()
        };
        until(is_over).await;
        stage.rig.decide(Disk::Writes);
        let committed = answer.await.unwrap().unwrap().cursor.rev;
        let shown = tokio::task::spawn_blocking(|| ending.join().unwrap());
        assert_eq!(shown.await.unwrap(), committed, "{end}");
    }
}
