//! A worker over a store that fails. The clock is paused.

use std::net::Ipv4Addr;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Mutex, Weak};

use tokio::task::JoinHandle;
use tokio::time::sleep;

use super::*;
use crate::auth::{Actor, AuthMode};
use crate::metrics::Metrics;
use crate::model::example::{change, pet};
use crate::model::{
    AuditEntry, Author, Change, ChangeKind, Epoch, Rev, Status, Timestamp, WebhookInput,
};
use crate::store::{
    AccountEdit, AccountFollower, AccountSet, AccountStore, AppliedChange, LogPart,
    MemoryAccountStore, MemoryEngine, StoreError, delegate_photos, delegate_reads,
};

/// Kinds of access that a store can refuse.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Refused {
    ReadLog,
    ReadAccounts,
    WriteAccounts,
}

/// A store on a disk that refuses one kind of access.
struct BadDisk {
    log: MemoryEngine,
    accounts: MemoryAccountStore,
    refuses: Mutex<Option<Refused>>,
    refused: AtomicUsize,
    /// Another node sends.
    is_follower: AtomicBool,
    /// A change that the log lost, as a cluster loses the old ones of a pet that changes often.
    lost: Option<Rev>,
}

impl BadDisk {
    fn refuse(&self, refused: Option<Refused>) {
        *self.refuses.lock().unwrap() = refused;
    }

    fn check(&self, access: Refused) -> Result<(), StoreError> {
        if *self.refuses.lock().unwrap() == Some(access) {
            self.refused.fetch_add(1, Ordering::Relaxed);
            return Err(StoreError::Read("bad sector".to_owned()));
        }
        Ok(())
    }
}

delegate_photos!(BadDisk, log);

impl Engine for BadDisk {
    delegate_reads!(log);

    fn commit(&self, base: Rev, changes: &[AppliedChange]) -> Result<Vec<Rev>, StoreError> {
        self.log.commit(base, changes)
    }

    fn is_leader(&self, _: Duty) -> bool {
        !self.is_follower.load(Ordering::Relaxed)
    }

    fn is_healthy(&self) -> bool {
        true
    }

    fn recover(&self) -> Result<(), StoreError> {
        Ok(())
    }

    fn end_history(&self) -> Result<(), StoreError> {
        Ok(())
    }

    fn newest(&self) -> Result<Rev, StoreError> {
        self.log.newest()
    }

    fn remaining_after(&self, after: Rev, upto: Rev, limit: usize) -> Result<LogPart, StoreError> {
        self.check(Refused::ReadLog)?;
        let mut left = self.log.remaining_after(after, upto, limit)?;
        left.changes.retain(|change| Some(change.rev) != self.lost);
        left.lost = self
            .lost
            .filter(|lost| *lost > after)
            .map(|lost| (lost, lost));
        Ok(left)
    }

    fn trim(&self, _: Timestamp, _: Duration, _: u64, _: usize) -> Result<usize, StoreError> {
        Ok(0)
    }
}

impl AccountStore for BadDisk {
    fn account_set(&self) -> Result<AccountSet, StoreError> {
        self.accounts.account_set()
    }

    fn follow_accounts(&self, follower: Weak<dyn AccountFollower>) -> Result<(), StoreError> {
        self.accounts.follow_accounts(follower)
    }

    fn catch_up_accounts(&self) -> Result<(), StoreError> {
        self.check(Refused::ReadAccounts)
    }

    fn edit_accounts(&self, version: u64, edits: &[AccountEdit]) -> Result<u64, StoreError> {
        self.check(Refused::WriteAccounts)?;
        self.accounts.edit_accounts(version, edits)
    }

    fn audit_entries(
        &self,
        before: Option<u64>,
        limit: usize,
    ) -> Result<Vec<(u64, AuditEntry)>, StoreError> {
        self.accounts.audit_entries(before, limit)
    }
}

/// Workers of one webhook, whose address refuses connections.
struct Rig {
    disk: Arc<BadDisk>,
    authenticator: Authenticator,
    stop: CancellationToken,
    running: JoinHandle<()>,
}

const WEBHOOK: WebhookId = WebhookId::new(7);

impl Rig {
    /// Starts the workers on a disk that refuses nothing yet, with changes to deliver: those with the revs 2 to 5, except
    /// one that was lost.
    fn start(lost: Option<Rev>) -> Self {
        Rig::start_refusing(lost, None)
    }

    /// As `start`, on a disk that refuses something.
    fn start_refusing(lost: Option<Rev>, refused: Option<Refused>) -> Self {
        let disk = Arc::new(BadDisk {
            log: MemoryEngine::new(Epoch::new(7)),
            accounts: MemoryAccountStore::default(),
            refuses: Mutex::default(),
            refused: AtomicUsize::default(),
            is_follower: AtomicBool::default(),
            lost,
        });
        let created = change(1, 1, ChangeKind::Pet(Arc::new(pet(1))));
        disk.log.append(&[created]).unwrap();
        let hub = Hub::open(Arc::clone(&disk) as _, Metrics::new()).unwrap();
        let (mode, accounts) = (AuthMode::Serve, Arc::clone(&disk));
        let authenticator = Authenticator::open(mode, accounts, None, None, Duration::ZERO);
        let authenticator = authenticator.unwrap();
        let input = WebhookInput {
            name: "Channel".to_owned(),
            url: format!("http://{}:1/", Ipv4Addr::LOCALHOST),
            ..WebhookInput::blank()
        };
        let actor = Actor::operator(Author {
            name: "a test".to_owned(),
            client: "a test".to_owned(),
        });
        let webhooks = authenticator.staff().unwrap().accounts().webhooks();
        let added = webhooks.add(WEBHOOK, &input, hub.cursor(), &actor);
        added.unwrap().unwrap();
        let statuses = (2..=5).map(|rev| change(rev, 1, ChangeKind::Status(Status::Eating)));
        let statuses: Vec<Change> = statuses.collect();
        disk.log.append(&statuses).unwrap();
        hub.publish(&statuses);
        disk.refuse(refused);
        let config = WebhookConfig {
            to_private_addresses: true,
            ..WebhookConfig::default()
        };
        let engine = Arc::clone(&disk) as _;
        let workers = WebhookWorkers::new(hub, engine, authenticator.clone(), config);
        let stop = CancellationToken::new();
        Rig {
            running: tokio::spawn(Arc::new(workers).run(stop.clone())),
            disk,
            authenticator,
            stop,
        }
    }

    /// Returns what the page of the webhook says about failures, and the number of its reports.
    fn page(&self) -> (Option<String>, usize) {
        let webhooks = self.authenticator.staff().unwrap().accounts().webhooks();
        let reports = webhooks.get(WEBHOOK).unwrap().progress.reports.len();
        (webhooks.notice(WEBHOOK), reports)
    }

    /// Checks that failures are shown once they last, tried again with back-off, and gone with their cause.
    async fn check(self, action: &str) {
        let error = StoreError::Read("bad sector".to_owned());
        let notice =
            format!("pet-store cannot {action}: {error}. It tries again at least once a minute.");
        sleep(Duration::from_secs(5)).await;
        assert_eq!(self.page(), (None, 0), "too early");
        sleep(Duration::from_secs(5)).await;
        assert_eq!(self.page(), (Some(notice), 0));
        sleep(Duration::from_mins(10)).await;
        // After 0, 0.5, 1.5, 3.5, 7.5, 15.5 and 31.5 s, then every minute.
        let refused = self.disk.refused.load(Ordering::Relaxed);
        assert!((14..20).contains(&refused), "{refused}");
        self.disk.refuse(None);
        sleep(Duration::from_mins(2)).await;
        let (notice, reports) = self.page();
        assert_eq!(notice, None);
        assert!(reports > 0, "nothing was sent");
        self.stop.cancel();
        self.running.await.unwrap();
    }
}

/// The webhook stood still, and only a line at the level `debug` said so.
#[tokio::test(start_paused = true)]
async fn a_log_that_cannot_be_read_is_shown_and_read_again_with_back_off() {
    let rig = Rig::start_refusing(None, Some(Refused::ReadLog));
    rig.check("read the store").await;
}

/// A node that took over asked twice a second, and nothing said so.
#[tokio::test(start_paused = true)]
async fn accounts_that_cannot_be_read_are_shown_and_read_again_with_back_off() {
    let rig = Rig::start_refusing(None, Some(Refused::ReadAccounts));
    rig.check("read the store").await;
}

#[tokio::test(start_paused = true)]
async fn a_node_that_loses_the_lease_shows_no_failure_any_more() {
    let rig = Rig::start_refusing(None, Some(Refused::ReadAccounts));
    sleep(Duration::from_secs(10)).await;
    assert!(rig.page().0.is_some());
    rig.disk.is_follower.store(true, Ordering::Relaxed);
    sleep(Duration::from_secs(30)).await;
    assert_eq!(rig.page().0, None);
    rig.stop.cancel();
    rig.running.await.unwrap();
}

/// Each attempt was logged as a warning, twice a second.
#[tokio::test(start_paused = true)]
async fn a_store_that_refuses_reports_is_shown_and_tried_again_with_back_off() {
    let rig = Rig::start_refusing(None, Some(Refused::WriteAccounts));
    rig.check("store which deliveries were sent").await;
}

/// On a cluster the changes of other pets before a gap were not sent either.
#[tokio::test(start_paused = true)]
async fn what_the_log_has_before_and_after_a_gap_is_sent() {
    let rig = Rig::start(Some(Rev::new(4)));
    sleep(Duration::from_secs(2)).await;
    rig.stop.cancel();
    rig.running.await.unwrap();
    let webhooks = rig.authenticator.staff().unwrap().accounts().webhooks();
    let progress = webhooks.get(WEBHOOK).unwrap().progress.clone();
    let sent = progress
        .reports
        .iter()
        .rev()
        .map(|report| report.id.as_str());
    let ids: Vec<&str> = sent.collect();
    assert_eq!(ids, ["", "00000007-2", "00000007-3", "00000007-5"]);
    let gap = &progress.reports.last().unwrap().detail;
    assert!(gap.contains("lacks changes from 4 to 4"), "{gap}");
}
