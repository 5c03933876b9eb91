//! The position of an entry in the audit, beside changes that are being committed.
//!
//! The position was read before the commits in flight had ended, so changes of somebody stood
//! after the entry that removed them.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::thread;

use super::revocation::{Case, ENDS, End};
use super::support::{FlakyStore, TestAccounts, name, operator};
use crate::model::{Rev, Role, Timestamp};
#[cfg(feature = "slow-tests")]
use crate::store::contract::with_pair;
use crate::store::contract::{Desk, wait_until};
use crate::store::{AccountStore, RedbEngine};

fn rig_over(store: Arc<dyn AccountStore>) -> TestAccounts {
    TestAccounts::on(Arc::new(FlakyStore::over(store)), Timestamp::now())
}

fn case(test: &TestAccounts) -> Case {
    for text in ["root", "anna", "boris", "dora"] {
        test.add(text, Role::Admin);
    }
    Case {
        session: test.sign_in("anna"),
        other: test.sign_in("anna"),
        token: test.token("anna"),
        anna: name("anna"),
        boris: name("boris"),
        dora: name("dora"),
        mallory: name("mallory"),
    }
}

/// Ends the session of anna between the check of her change and the commit of it.
fn end_during(test: &TestAccounts, (end, ends, ends_tokens): End, commit: impl FnOnce() -> Rev) {
    let (accounts, case) = (&test.accounts, case(test));
    let guard = accounts.in_flight().enter();
    assert!(test.is_in(&case.session) && accounts.tokens().get(&case.token).is_some());
    thread::scope(|scope| {
        let ending = scope.spawn(|| ends(accounts, &case));
        wait_until(&format!("{end}: no new change"), || {
            let has_token = ends_tokens && accounts.tokens().get(&case.token).is_some();
            !test.is_in(&case.session) && !has_token
        });
        let rev = commit();
        drop(guard);
        ending.join().unwrap().unwrap();
        let (_, entry) = accounts.audit_entries(None, 1).unwrap().remove(0);
        assert_eq!(entry.after, Some(rev), "{end}: {}", entry.action);
    });
}

#[test]
fn an_entry_that_ends_somebody_comes_after_their_changes() {
    for end in ENDS {
        let test = TestAccounts::start();
        end_during(&test, end, || {
            test.disk.newest.store(7, Ordering::SeqCst);
            Rev::new(7)
        });
    }
}

#[test]
fn so_it_does_on_a_disk() {
    let folder = tempfile::tempdir().unwrap();
    let engine = Arc::new(RedbEngine::open(folder.path()).unwrap());
    let mut desk = Desk::at(&*engine);
    let test = rig_over(Arc::clone(&engine) as _);
    let [.., removal] = ENDS;
    end_during(&test, removal, || {
        let put = desk.created(1);
        desk.commit(&[put])[0].rev
    });
}

#[cfg(feature = "slow-tests")]
#[test]
fn so_it_does_on_a_node_of_a_cluster() {
    with_pair(|engine, _| {
        let mut desk = Desk::at(&*engine);
        let test = rig_over(Arc::clone(&engine) as _);
        let [.., removal] = ENDS;
        end_during(&test, removal, || {
            let put = desk.created(1);
            desk.commit(&[put])[0].rev
        });
    });
}

#[test]
fn an_account_that_the_disk_did_not_disable_keeps_its_tokens() {
    let test = TestAccounts::with_two();
    let (session, token) = (test.sign_in("boris"), test.token("boris"));
    test.disk.is_full.store(true, Ordering::Relaxed);
    let disabled = test.accounts.members().disable(&name("boris"), &operator());
    assert!(disabled.is_err());
    assert!(!test.is_in(&session), "what was ended stays so");
    assert!(test.accounts.tokens().get(&token).is_some());
}
