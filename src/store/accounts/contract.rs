//! Contract tests of accounts, which every engine passes.

use std::sync::{Arc, Mutex};

use bytes::Bytes;

use super::*;
use crate::model::example::webhook;
use crate::model::{AuditKind, Author, Invitation, Logo, Role, Scope};
use crate::store::RedbEngine;
#[cfg(feature = "slow-tests")]
use crate::store::contract::with_clusters;

/// Runs `check` against a new store of every engine.
fn with_every_engine(check: impl Fn(&dyn AccountStore)) {
    check(&MemoryAccountStore::default());
    let folder = tempfile::tempdir().unwrap();
    check(&RedbEngine::open(folder.path()).unwrap());
    #[cfg(feature = "slow-tests")]
    with_clusters(|engine| check(engine));
}

/// A follower that records its calls.
#[derive(Default)]
pub struct RecordingFollower(Mutex<Vec<(Vec<AccountEdit>, u64)>>);

#[cfg(feature = "slow-tests")]
impl RecordingFollower {
    pub fn last_version(&self) -> Option<u64> {
        let calls = self.0.lock().unwrap();
        calls.last().map(|(_, version)| *version)
    }

    /// The names of the accounts that were put, in order.
    pub fn accounts(&self) -> Vec<AccountName> {
        let calls = self.0.lock().unwrap();
        let edits = calls.iter().flat_map(|(edits, _)| edits);
        let names = edits.filter_map(|edit| match edit {
            AccountEdit::PutAccount(account) => Some(account.name.clone()),
            _ => None,
        });
        names.collect()
    }
}

impl AccountFollower for RecordingFollower {
    fn reset(&self, accounts: AccountSet, version: u64) {
        self.0.lock().unwrap().push((edits(accounts), version));
    }

    fn apply(&self, edits: &[AccountEdit], version: u64) {
        self.0.lock().unwrap().push((edits.to_vec(), version));
    }
}

fn name(text: &str) -> AccountName {
    text.parse().unwrap()
}

fn account(text: &str) -> Account {
    Account {
        name: name(text),
        role: Role::Staff,
        is_disabled: false,
        password: Some("$argon2id$…".to_owned()),
        pin: None,
        invitation: None,
        created: Timestamp::from_micros(7),
    }
}

fn session(key: u8, account: &str) -> Session {
    Session {
        key: Key::new([key; 32]),
        account: name(account),
        client: "Firefox \"on\" \u{2028}<b>".to_owned(),
        began_at: Timestamp::from_micros(8),
        began: MonotonicSeconds(100),
        seen: MonotonicSeconds(200),
        station: None,
    }
}

fn token(key: u8, account: &str) -> Token {
    Token {
        key: Key::new([key; 32]),
        account: name(account),
        name: "Feeder <script>".to_owned(),
        scope: Scope::SetStatus,
        created: Timestamp::from_micros(9),
        used: None,
    }
}

fn audit_entry(number: u64) -> AuditEntry {
    AuditEntry {
        at: Timestamp::from_micros(number.cast_signed()),
        author: Author {
            name: "anna".to_owned(),
            client: "command line".to_owned(),
        },
        kind: AuditKind::Administrative,
        action: format!("did {number}"),
        after: (number > 1).then(|| Rev::new(number)),
    }
}

/// One of everything.
fn account_set() -> AccountSet {
    let invited = Account {
        role: Role::Admin,
        is_disabled: true,
        password: None,
        invitation: Some(Invitation {
            key: Key::new([0xAB; 32]),
            expires: MonotonicSeconds(300),
        }),
        ..account("boris.a..b.")
    };
    let used = Token {
        used: Some(Timestamp::from_micros(10)),
        ..token(4, "anna")
    };
    AccountSet {
        accounts: vec![account("anna"), invited],
        sessions: vec![session(1, "anna"), session(2, "anna")],
        tokens: vec![token(3, "anna"), used],
        clock: Some(ClockReading {
            tick: MonotonicSeconds(250),
            wall: Timestamp::from_micros(-5),
        }),
        rescue: Some(Arc::new(Rescue {
            name: "Happy \"Paws\" <b>".to_owned(),
            logo: Some(Logo::new(Bytes::from_static(b"\xff\xd8\xff"), 400, 100).unwrap()),
            ..Rescue::default()
        })),
        webhooks: vec![Arc::new(webhook())],
    }
}

fn edits(set: AccountSet) -> Vec<AccountEdit> {
    let accounts = set.accounts.into_iter().map(AccountEdit::PutAccount);
    let sessions = set.sessions.into_iter().map(AccountEdit::PutSession);
    let tokens = set.tokens.into_iter().map(AccountEdit::PutToken);
    let clock = set.clock.into_iter().map(AccountEdit::SetClock);
    let rescue = set.rescue.into_iter().map(AccountEdit::PutRescue);
    accounts
        .chain(sessions)
        .chain(tokens)
        .chain(clock)
        .chain(rescue)
        .chain(set.webhooks.into_iter().map(AccountEdit::PutWebhook))
        .collect()
}

#[test]
fn a_webhook_is_replaced_and_removed_with_its_progress() {
    with_every_engine(|engine| {
        let version = engine.edit_accounts(0, &edits(account_set())).unwrap();
        let mut later = webhook();
        let position = "9f2c41aa-1042".parse().unwrap();
        later.progress.position = Some(position);
        later
            .progress
            .enqueue("test-1".to_owned(), Timestamp::from_micros(7));
        let edit = AccountEdit::PutWebhook(Arc::new(later.clone()));
        let version = engine.edit_accounts(version, &[edit]).unwrap();
        assert_eq!(engine.account_set().unwrap().webhooks, [Arc::new(later)]);
        let edit = AccountEdit::RemoveWebhook(webhook().id);
        engine.edit_accounts(version, &[edit]).unwrap();
        assert_eq!(engine.account_set().unwrap().webhooks, []);
    });
}

#[test]
fn a_new_store_has_no_accounts() {
    with_every_engine(|engine| {
        assert_eq!(engine.account_set().unwrap(), AccountSet::default());
        assert_eq!(engine.audit_entries(None, 10).unwrap(), []);
    });
}

#[test]
fn accounts_read_back_as_they_were_edited() {
    with_every_engine(|engine| {
        engine.edit_accounts(0, &edits(account_set())).unwrap();
        assert_eq!(engine.account_set().unwrap(), account_set());
    });
}

#[test]
fn a_later_edit_of_the_same_name_or_key_replaces_and_a_removal_leaves_the_others() {
    with_every_engine(|engine| {
        let version = engine.edit_accounts(0, &edits(account_set())).unwrap();
        let seen = Session {
            seen: MonotonicSeconds(999),
            ..session(2, "anna")
        };
        let changes = [
            AccountEdit::PutSession(seen.clone()),
            AccountEdit::RemoveSession(Key::new([1; 32])),
            AccountEdit::RemoveToken(Key::new([3; 32])),
            AccountEdit::RemoveAccount(name("boris.a..b.")),
            AccountEdit::RemoveAccount(name("nobody")),
        ];
        engine.edit_accounts(version, &changes).unwrap();
        let left = engine.account_set().unwrap();
        assert_eq!(left.accounts, [account("anna")]);
        assert_eq!(left.sessions, [seen]);
        assert_eq!(left.tokens, account_set().tokens[1..]);
    });
}

#[test]
fn edits_apply_in_their_order() {
    with_every_engine(|engine| {
        let put = AccountEdit::PutSession(session(1, "anna"));
        let remove = AccountEdit::RemoveSession(Key::new([1; 32]));
        let version = engine.edit_accounts(0, &[remove.clone(), put.clone()]);
        assert_eq!(engine.account_set().unwrap().sessions.len(), 1);
        engine
            .edit_accounts(version.unwrap(), &[put, remove])
            .unwrap();
        assert_eq!(engine.account_set().unwrap().sessions, []);
    });
}

#[test]
fn an_edit_with_an_old_version_is_a_conflict() {
    with_every_engine(|engine| {
        let follower: Arc<RecordingFollower> = Arc::default();
        let first = engine.edit_accounts(0, &edits(account_set())).unwrap();
        engine
            .follow_accounts(Arc::downgrade(&follower) as _)
            .unwrap();
        let later = [AccountEdit::RemoveSession(Key::new([1; 32]))];
        let second = engine.edit_accounts(first, &later).unwrap();
        let late = [AccountEdit::PutAccount(account("late"))];
        for read in [0, first] {
            assert_eq!(engine.edit_accounts(read, &late), Err(StoreError::Conflict));
        }
        assert_eq!(
            engine.account_set().unwrap().accounts,
            account_set().accounts
        );
        let calls = follower.0.lock().unwrap();
        assert_eq!(
            *calls,
            [(edits(account_set()), first), (later.to_vec(), second)]
        );
    });
}

#[test]
fn audit_entries_are_read_newest_first_and_in_pages() {
    with_every_engine(|engine| {
        let entries: Vec<_> = (1..=5)
            .map(|number| AccountEdit::AddAuditEntry(audit_entry(number)))
            .collect();
        engine.edit_accounts(0, &entries).unwrap();
        let page = engine.audit_entries(None, 2).unwrap();
        assert_eq!(page, [(5, audit_entry(5)), (4, audit_entry(4))]);
        let rest = engine.audit_entries(Some(4), 10).unwrap();
        assert_eq!(
            rest,
            [
                (3, audit_entry(3)),
                (2, audit_entry(2)),
                (1, audit_entry(1))
            ]
        );
    });
}

#[test]
fn the_oldest_audit_entries_are_dropped_and_numbers_continue() {
    with_every_engine(|engine| {
        let entries: Vec<_> = (1..=AUDIT_ENTRIES_KEPT + 3)
            .map(|number| AccountEdit::AddAuditEntry(audit_entry(number)))
            .collect();
        let mut version = 0;
        for some in entries.chunks(MAX_ACCOUNT_EDITS) {
            version = engine.edit_accounts(version, some).unwrap();
        }
        let all = engine.audit_entries(None, usize::MAX).unwrap();
        assert_eq!(all.len() as u64, AUDIT_ENTRIES_KEPT);
        assert_eq!(
            all[0],
            (AUDIT_ENTRIES_KEPT + 3, audit_entry(AUDIT_ENTRIES_KEPT + 3))
        );
        assert_eq!(all.last().unwrap().0, 4);
    });
}

/// A member of staff pushed "gave mallory the role admin" out by creating tokens.
#[test]
fn routine_entries_do_not_push_out_administrative_ones() {
    with_every_engine(|engine| {
        let entry = |kind, action: &str| {
            AccountEdit::AddAuditEntry(AuditEntry {
                kind,
                action: action.to_owned(),
                ..audit_entry(1)
            })
        };
        let admin = |action| [entry(AuditKind::Administrative, action)];
        let first = admin("gave mallory the role admin");
        let mut version = engine.edit_accounts(0, &first).unwrap();
        let routine = vec![entry(AuditKind::Routine, "created a token"); MAX_ACCOUNT_EDITS];
        for _ in 0..=AUDIT_ENTRIES_KEPT / MAX_ACCOUNT_EDITS as u64 {
            version = engine.edit_accounts(version, &routine).unwrap();
        }
        engine
            .edit_accounts(version, &admin("removed boris"))
            .unwrap();
        let all = engine.audit_entries(None, usize::MAX).unwrap();
        assert_eq!(all.len() as u64, AUDIT_ENTRIES_KEPT + 2);
        assert_eq!(all[0].1.action, "removed boris");
        let (number, oldest) = all.last().unwrap();
        assert_eq!(
            (*number, oldest.action.as_str()),
            (1, "gave mallory the role admin")
        );
        assert!(all.windows(2).all(|pair| pair[0].0 > pair[1].0));
        let page = engine.audit_entries(Some(all[1].0), 2).unwrap();
        assert_eq!(page, all[2..4]);
    });
}

#[test]
fn redb_keeps_accounts_over_a_restart_also_in_a_store_without_account_tables() {
    let folder = tempfile::tempdir().unwrap();
    drop(RedbEngine::open(folder.path()).unwrap());
    let engine = RedbEngine::open(folder.path()).unwrap();
    let version = engine.edit_accounts(0, &edits(account_set())).unwrap();
    let note = [AccountEdit::AddAuditEntry(audit_entry(1))];
    engine.edit_accounts(version, &note).unwrap();
    drop(engine);
    let engine = RedbEngine::open(folder.path()).unwrap();
    assert_eq!(engine.account_set().unwrap(), account_set());
    assert_eq!(
        engine.audit_entries(None, 10).unwrap(),
        [(1, audit_entry(1))]
    );
}
