//! The position of an audit entry among changes of pets that are being committed.
//!
//! The position was read before the commits in flight had ended, so changes of a person were listed
//! after the entry that removed the person.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::thread;

use super::revocation::{Case, ENDS, End};
use super::support::{TestAccounts, name, operator};
use crate::model::{Rev, Role};
#[cfg(feature = "slow-tests")]
use crate::store::contract::with_pair;
use crate::store::contract::{TestWriter, wait_until};
use crate::store::{AccountStore, Engine, RedbEngine};

/// Ends the session of anna between the check of her change and its commit.
fn end_during(test: &TestAccounts, (end, ends, ends_tokens): End, commit: impl FnOnce() -> Rev) {
    test.add("root", Role::Admin);
    let case = Case::create(test, "");
    let guard = test.in_flight().enter();
    assert!(test.has_session(&case.session) && test.has_token(&case.token));
    thread::scope(|scope| {
        let ending = scope.spawn(|| ends(test, &case));
        wait_until(&format!("{end}: no new change"), || {
            let has_token = ends_tokens && test.has_token(&case.token);
            !test.has_session(&case.session) && !has_token
        });
        let rev = commit();
        drop(guard);
        ending.join().unwrap().unwrap();
        let entry = test.last_entry();
        assert_eq!(entry.after, Some(rev), "{end}: {}", entry.action);
    });
}

fn remove_during_a_commit<E: Engine + AccountStore>(engine: Arc<E>) {
    let mut writer = TestWriter::new(&*engine);
    let test = TestAccounts::over(Arc::clone(&engine) as _);
    let [.., removal] = ENDS;
    end_during(&test, removal, || {
        let put = writer.created(1);
        writer.commit(&[put])[0].rev
    });
}

#[test]
fn a_revocation_is_listed_after_the_changes_it_waited_for() {
    for end in ENDS {
        let test = TestAccounts::new();
        end_during(&test, end, || {
            test.store.newest.store(7, Ordering::SeqCst);
            Rev::new(7)
        });
    }
    let folder = tempfile::tempdir().unwrap();
    remove_during_a_commit(Arc::new(RedbEngine::open(folder.path()).unwrap()));
    #[cfg(feature = "slow-tests")]
    with_pair(|engine, _| remove_during_a_commit(engine));
}

#[test]
fn an_account_that_the_disk_did_not_disable_keeps_its_tokens() {
    let test = TestAccounts::with_two();
    let (session, token) = (test.sign_in("boris"), test.create_token("boris"));
    test.store.fill(true);
    assert!(test.members().disable(&name("boris"), &operator()).is_err());
    assert!(!test.has_session(&session), "a revocation stays");
    assert!(test.has_token(&token));
}
