//! Staff in the same file as the pets, in tables of their own. A store from before there was staff
//! has none of these tables; the first edit makes them.

use std::sync::Weak;

use redb::WriteTransaction;
use redb::{
    ReadOnlyTable, ReadTransaction, ReadableTable, ReadableTableMetadata, Table, TableDefinition,
    TableError,
};

use super::{RedbEngine, read, write};
use crate::model::{AuditEntry, Key, MonotonicSeconds, Rev, Timestamp};
use crate::store::accounts::{
    decode_account, decode_audit_entry, decode_session, decode_token, encode_account,
    encode_audit_entry, encode_session, encode_token, newest_of_both,
};
use crate::store::{
    AUDIT_ENTRIES_KEPT, AccountEdit, AccountFollower, AccountSet, AccountStore, ClockReading,
    Engine, StoreError,
};

/// Accounts by name.
pub const ACCOUNTS: TableDefinition<&str, &[u8]> = TableDefinition::new("accounts");
/// Sessions by key.
pub const SESSIONS: TableDefinition<[u8; 32], &[u8]> = TableDefinition::new("sessions");
/// API tokens by key.
pub const TOKENS: TableDefinition<[u8; 32], &[u8]> = TableDefinition::new("tokens");
/// Routine audit_entries by number, from 1.
pub const DEEDS: ByNumber = TableDefinition::new("deeds");
/// Deeds that are not routine, by a number of the same sequence.
pub const ADMIN_DEEDS: ByNumber = TableDefinition::new("admin_deeds");
/// The last reading of the two clocks: seconds, and microseconds since the Unix epoch.
pub const CLOCK: TableDefinition<(), (u64, i64)> = TableDefinition::new("clock");

impl AccountStore for RedbEngine {
    fn account_set(&self) -> Result<AccountSet, StoreError> {
        self.file.read(roster)
    }

    fn follow_accounts(&self, follower: Weak<dyn AccountFollower>) -> Result<(), StoreError> {
        self.roster_version.follow(follower, || self.account_set())
    }

    fn last_change(&self) -> Option<Rev> {
        self.newest().ok()
    }

    fn edit_accounts(&self, read: u64, edits: &[AccountEdit]) -> Result<u64, StoreError> {
        self.roster_version.edit(read, edits, || {
            self.file
                .write(|writing| edits.iter().try_for_each(|edit| apply(writing, edit)))
        })
    }

    fn audit_entries(
        &self,
        before: Option<u64>,
        limit: usize,
    ) -> Result<Vec<(u64, AuditEntry)>, StoreError> {
        self.file.read(|reading| {
            let routine = newest(reading, DEEDS, before, limit)?;
            let others = newest(reading, ADMIN_DEEDS, before, limit)?;
            Ok(newest_of_both(routine, others, limit))
        })
    }
}

/// Up to `limit` audit_entries of one table, newest first.
fn newest(
    reading: &ReadTransaction,
    table: ByNumber,
    before: Option<u64>,
    limit: usize,
) -> Result<Vec<(u64, AuditEntry)>, StoreError> {
    let Some(audit_entries) = open(reading, table)? else {
        return Ok(Vec::new());
    };
    let rows = audit_entries
        .range(..before.unwrap_or(u64::MAX))
        .map_err(read)?;
    rows.rev()
        .take(limit)
        .map(|row| {
            let (number, record) = row.map_err(read)?;
            Ok((number.value(), decode_audit_entry(record.value())?))
        })
        .collect()
}

/// Everything but the audit_entries, at one moment.
pub fn roster(reading: &ReadTransaction) -> Result<AccountSet, StoreError> {
    let mut roster = AccountSet::default();
    each(reading, ACCOUNTS, |name, record| {
        roster.accounts.push(decode_account(name, record)?);
        Ok(())
    })?;
    each(reading, SESSIONS, |key, record| {
        roster.sessions.push(decode_session(Key::new(key), record)?);
        Ok(())
    })?;
    each(reading, TOKENS, |key, record| {
        roster.tokens.push(decode_token(Key::new(key), record)?);
        Ok(())
    })?;
    if let Some(table) = open(reading, CLOCK)?
        && let Some(numbers) = table.get(()).map_err(read)?
    {
        let (tick, wall) = numbers.value();
        let (tick, wall) = (MonotonicSeconds(tick), Timestamp::from_micros(wall));
        roster.clock = Some(ClockReading { tick, wall });
    }
    Ok(roster)
}

/// Reads every record. Sessions and tokens without an account are logged and not an error: they open
/// nothing, and a server removes them when it starts.
pub fn check(reading: &ReadTransaction) -> Result<(), StoreError> {
    let roster = roster(reading)?;
    let sessions = roster.sessions.iter().map(|session| &session.account);
    let owners = sessions.chain(roster.tokens.iter().map(|token| &token.account));
    let count = owners.filter(|name| !roster.has_account(name)).count();
    if count > 0 {
        tracing::warn!(
            orphans.count = count,
            "the store has sessions or tokens that belong to no account"
        );
    }
    each_deed(reading, |_| Ok(()))
}

/// Calls `take` with every audit_entry, oldest first.
pub fn each_deed(
    reading: &ReadTransaction,
    take: impl FnMut(AuditEntry) -> Result<(), StoreError>,
) -> Result<(), StoreError> {
    let routine = newest(reading, DEEDS, None, usize::MAX)?;
    let others = newest(reading, ADMIN_DEEDS, None, usize::MAX)?;
    let audit_entries = newest_of_both(routine, others, usize::MAX);
    let mut oldest_first = audit_entries
        .into_iter()
        .rev()
        .map(|(_, audit_entry)| audit_entry);
    oldest_first.try_for_each(take)
}

/// A table for reading; none where nobody has written to it yet.
fn open<K: redb::Key + 'static, V: redb::Value + 'static>(
    reading: &ReadTransaction,
    table: TableDefinition<K, V>,
) -> Result<Option<ReadOnlyTable<K, V>>, StoreError> {
    match reading.open_table(table) {
        Ok(table) => Ok(Some(table)),
        Err(TableError::TableDoesNotExist(_)) => Ok(None),
        Err(error) => Err(read(error)),
    }
}

/// Calls `take` with every row, in the order of the keys.
fn each<K: redb::Key + 'static>(
    reading: &ReadTransaction,
    table: TableDefinition<K, &'static [u8]>,
    mut take: impl FnMut(K::SelfType<'_>, &[u8]) -> Result<(), StoreError>,
) -> Result<(), StoreError> {
    let Some(table) = open(reading, table)? else {
        return Ok(());
    };
    for row in table.iter().map_err(read)? {
        let (key, record) = row.map_err(read)?;
        take(key.value(), record.value())?;
    }
    Ok(())
}

/// Makes one edit.
pub fn apply(writing: &WriteTransaction, edit: &AccountEdit) -> Result<(), StoreError> {
    match edit {
        AccountEdit::PutAccount(account) => {
            let (name, record) = (account.name.as_str(), encode_account(account));
            let mut table = writing.open_table(ACCOUNTS).map_err(write)?;
            table.insert(name, record.as_slice()).map_err(write)?;
        }
        AccountEdit::RemoveAccount(name) => {
            let mut table = writing.open_table(ACCOUNTS).map_err(write)?;
            table.remove(name.as_str()).map_err(write)?;
        }
        AccountEdit::PutSession(session) => {
            put(writing, SESSIONS, session.key, &encode_session(session))?;
        }
        AccountEdit::RemoveSession(key) => remove(writing, SESSIONS, *key)?,
        AccountEdit::PutToken(token) => put(writing, TOKENS, token.key, &encode_token(token))?,
        AccountEdit::RemoveToken(key) => remove(writing, TOKENS, *key)?,
        AccountEdit::SetClock(reading) => {
            let mut table = writing.open_table(CLOCK).map_err(write)?;
            let numbers = (reading.tick.0, reading.wall.micros());
            table.insert((), numbers).map_err(write)?;
        }
        AccountEdit::AddAuditEntry(audit_entry) => note(writing, audit_entry)?,
    }
    Ok(())
}

type ByNumber = TableDefinition<'static, u64, &'static [u8]>;
type ByKey = TableDefinition<'static, [u8; 32], &'static [u8]>;

fn put(
    writing: &WriteTransaction,
    table: ByKey,
    key: Key,
    record: &[u8],
) -> Result<(), StoreError> {
    let mut table = writing.open_table(table).map_err(write)?;
    table.insert(*key.bytes(), record).map_err(write)?;
    Ok(())
}

fn remove(writing: &WriteTransaction, table: ByKey, key: Key) -> Result<(), StoreError> {
    let mut table = writing.open_table(table).map_err(write)?;
    table.remove(*key.bytes()).map_err(write)?;
    Ok(())
}

/// Appends a audit_entry, and drops the oldest of its kind if that is one too many, so that a table never has
/// to be trimmed by many.
fn note(writing: &WriteTransaction, audit_entry: &AuditEntry) -> Result<(), StoreError> {
    let mut routine = writing.open_table(DEEDS).map_err(write)?;
    let mut others = writing.open_table(ADMIN_DEEDS).map_err(write)?;
    let number = 1 + last(&routine)?.max(last(&others)?);
    let record = encode_audit_entry(audit_entry);
    if !audit_entry.is_routine() {
        others.insert(number, record.as_slice()).map_err(write)?;
        return trim(&mut others).map(drop);
    }
    routine.insert(number, record.as_slice()).map_err(write)?;
    // Earlier versions kept all audit_entries in one table: one that is not routine moves to the other.
    if let Some((number, record)) = trim(&mut routine)?
        && !decode_audit_entry(&record)?.is_routine()
    {
        others.insert(number, record.as_slice()).map_err(write)?;
        trim(&mut others)?;
    }
    Ok(())
}

fn last(table: &Table<u64, &[u8]>) -> Result<u64, StoreError> {
    let last = table.last().map_err(write)?;
    Ok(last.map_or(0, |(number, _)| number.value()))
}

/// Removes and returns the oldest audit_entry if there is one too many.
fn trim(table: &mut Table<u64, &[u8]>) -> Result<Option<(u64, Vec<u8>)>, StoreError> {
    if table.len().map_err(write)? <= AUDIT_ENTRIES_KEPT {
        return Ok(None);
    }
    let first = table.pop_first().map_err(write)?;
    Ok(first.map(|(number, record)| (number.value(), record.value().to_vec())))
}
