//! A check finds inconsistent records, and a backup refuses them.

use redb::{Database, ReadOnlyDatabase, TableDefinition, TableHandle};
use tempfile::TempDir;

use super::*;
use crate::store::redb::accounts::{ACCOUNTS, TOKENS};
use crate::store::redb::tables::NEXT_PET;
use crate::store::redb::tests::{closed_store, file_of};
use crate::store::{backup, check};

/// Changes one table without the program.
fn tamper(folder: &TempDir, tamper: impl FnOnce(&redb::WriteTransaction)) {
    let database = Database::open(file_of(folder)).unwrap();
    let writing = database.begin_write().unwrap();
    tamper(&writing);
    writing.commit().unwrap();
}

type Tamper = fn(&redb::WriteTransaction);

#[test]
fn a_check_finds_inconsistent_records() {
    let tampers: [(&str, Tamper); 8] = [
        ("has no status", |writing| {
            let mut statuses = writing.open_table(STATUSES).unwrap();
            statuses.remove(1).unwrap();
        }),
        ("belongs to no pet", |writing| {
            let mut statuses = writing.open_table(STATUSES).unwrap();
            statuses.insert(9, ("eating", 1)).unwrap();
        }),
        ("change 3 is missing", |writing| {
            writing.open_table(LOG).unwrap().remove(3).unwrap();
            let mut history = writing.open_table(HISTORY).unwrap();
            history.remove((1, 3)).unwrap();
        }),
        ("not in its pet's history", |writing| {
            let mut history = writing.open_table(HISTORY).unwrap();
            history.remove((1, 3)).unwrap();
            history.insert((2, 3), ()).unwrap();
        }),
        ("not what the log says", |writing| {
            let mut statuses = writing.open_table(STATUSES).unwrap();
            statuses.insert(1, ("eating", 1)).unwrap();
        }),
        ("yet to be given", |writing| {
            let mut meta = writing.open_table(META).unwrap();
            meta.insert(NEXT_PET, 1).unwrap();
        }),
        ("damaged", |writing| {
            let mut log = writing.open_table(LOG).unwrap();
            log.insert(3, b"{".as_slice()).unwrap();
        }),
        ("record of an account is damaged", |writing| {
            let mut accounts = writing.open_table(ACCOUNTS).unwrap();
            let record = br#"{"role":"queen","created":1}"#;
            accounts.insert("anna", record.as_slice()).unwrap();
        }),
    ];
    for (reason, change) in tampers {
        let (folder, ..) = closed_store(5);
        check(folder.path()).unwrap();
        tamper(&folder, change);
        let error = check(folder.path()).unwrap_err();
        assert!(matches!(error, StoreError::Damaged { .. }), "{error}");
        assert!(error.to_string().contains(reason), "{error}");
        let target = folder.path().join("copy.redb");
        assert!(backup(folder.path(), &target).is_err(), "{reason}");
        assert!(!target.exists(), "{reason}: there is no backup");
    }
}

#[test]
fn a_backup_fails_if_a_table_is_not_listed_for_copying() {
    let (folder, ..) = closed_store(5);
    tamper(&folder, |writing| {
        let table = TableDefinition::<u64, u64>::new("forgotten");
        writing.open_table(table).unwrap();
    });
    let error = backup(folder.path(), &folder.path().join("copy.redb")).unwrap_err();
    assert!(error.to_string().contains("forgotten"), "{error}");
}

#[test]
fn a_backup_has_no_sessions() {
    let (folder, ..) = closed_store(5);
    tamper(&folder, |writing| {
        let table = TableDefinition::<u64, u64>::new("sessions");
        writing.open_table(table).unwrap();
    });
    let target = folder.path().join("copy.redb");
    backup(folder.path(), &target).unwrap();
    let copied = ReadOnlyDatabase::open(&target).unwrap();
    let reading = copied.begin_read().unwrap();
    let tables = reading.list_tables().unwrap();
    let names: Vec<String> = tables.map(|table| table.name().to_owned()).collect();
    let without = [
        "history", "log", "meta", "notes", "pets", "statuses", "trash", "trimmed",
    ];
    assert_eq!(names, without);
}

/// One request to create a token beside a removal left such a token, and every backup failed.
#[test]
fn a_token_without_an_account_is_not_damage() {
    let (folder, ..) = closed_store(5);
    tamper(&folder, |writing| {
        let mut tokens = writing.open_table(TOKENS).unwrap();
        let record = br#"{"account":"anna","name":"x","scope":"read","created":1}"#;
        tokens.insert([7; 32], record.as_slice()).unwrap();
    });
    check(folder.path()).unwrap();
    backup(folder.path(), &folder.path().join("copy.redb")).unwrap();
}
