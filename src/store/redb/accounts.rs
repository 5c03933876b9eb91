//! Accounts in the same file as the pets, in tables of their own. A store of an earlier version may
//! lack these tables; the first edit creates them.

use std::sync::Weak;

use redb::{
    ReadTransaction, ReadableTable, ReadableTableMetadata, Table, TableDefinition, WriteTransaction,
};

use super::RedbEngine;
use super::errors::{read, write};
use super::tables::open_if_present;
use crate::model::{AuditEntry, Key, MonotonicSeconds, Rev, Timestamp};
use crate::store::accounts::{
    decode_account, decode_audit_entry, decode_rescue, decode_session, decode_token,
    decode_webhook, encode_account, encode_audit_entry, encode_rescue, encode_session,
    encode_token, encode_webhook, newest_of_both,
};
use crate::store::{
    AUDIT_ENTRIES_KEPT, AccountEdit, AccountFollower, AccountSet, AccountStore, ClockReading,
    Engine, StoreError,
};

type TableByNumber = TableDefinition<'static, u64, &'static [u8]>;
type TableByKey = TableDefinition<'static, [u8; 32], &'static [u8]>;

/// Accounts by name.
pub const ACCOUNTS: TableDefinition<&str, &[u8]> = TableDefinition::new("accounts");

/// Sessions by key.
pub const SESSIONS: TableByKey = TableDefinition::new("sessions");

/// API tokens by key.
pub const TOKENS: TableByKey = TableDefinition::new("tokens");

/// Routine audit entries by number, from 1.
pub const AUDIT_ENTRIES: TableByNumber = TableDefinition::new("deeds");

/// Audit entries that are not routine, by a number of the same sequence.
pub const ADMIN_AUDIT_ENTRIES: TableByNumber = TableDefinition::new("admin_deeds");

/// The last reading of the two clocks: seconds, and microseconds since the Unix epoch.
pub const CLOCK: TableDefinition<(), (u64, i64)> = TableDefinition::new("clock");

/// The settings of the rescue, once they were saved.
pub const RESCUE: TableDefinition<(), &[u8]> = TableDefinition::new("rescue");

/// Webhooks by id.
pub const WEBHOOKS: TableDefinition<u32, &[u8]> = TableDefinition::new("webhooks");

impl AccountStore for RedbEngine {
    fn account_set(&self) -> Result<AccountSet, StoreError> {
        self.file.read(account_set)
    }

    fn follow_accounts(&self, follower: Weak<dyn AccountFollower>) -> Result<(), StoreError> {
        self.account_version.follow(follower, || self.account_set())
    }

    fn last_change(&self) -> Option<Rev> {
        self.newest().ok()
    }

    fn edit_accounts(&self, read: u64, edits: &[AccountEdit]) -> Result<u64, StoreError> {
        self.account_version.edit(read, edits, || {
            self.file
                .write(|writing| edits.iter().try_for_each(|edit| apply(writing, edit)))
        })
    }

    fn audit_entries(
        &self,
        before: Option<u64>,
        limit: usize,
    ) -> Result<Vec<(u64, AuditEntry)>, StoreError> {
        self.file
            .read(|reading| audit_entries(reading, before, limit))
    }
}

/// Reads up to `limit` audit entries before `before`, newest first.
fn audit_entries(
    reading: &ReadTransaction,
    before: Option<u64>,
    limit: usize,
) -> Result<Vec<(u64, AuditEntry)>, StoreError> {
    let newest = |table: TableByNumber| -> Result<Vec<(u64, AuditEntry)>, StoreError> {
        let Some(entries) = open_if_present(reading, table)? else {
            return Ok(Vec::new());
        };
        let rows = entries.range(..before.unwrap_or(u64::MAX)).map_err(read)?;
        let entries = rows.rev().take(limit).map(|row| {
            let (number, record) = row.map_err(read)?;
            Ok((number.value(), decode_audit_entry(record.value())?))
        });
        entries.collect()
    };
    let (routine, others) = (newest(AUDIT_ENTRIES)?, newest(ADMIN_AUDIT_ENTRIES)?);
    Ok(newest_of_both(routine, others, limit))
}

/// Reads everything but the audit entries.
///
/// # Errors
/// `Record` or `Read`.
pub fn account_set(reading: &ReadTransaction) -> Result<AccountSet, StoreError> {
    let mut set = AccountSet::default();
    for_each_row(reading, ACCOUNTS, |name, record| {
        set.accounts.push(decode_account(name, record)?);
        Ok(())
    })?;
    for_each_row(reading, SESSIONS, |key, record| {
        set.sessions.push(decode_session(Key::new(key), record)?);
        Ok(())
    })?;
    for_each_row(reading, TOKENS, |key, record| {
        set.tokens.push(decode_token(Key::new(key), record)?);
        Ok(())
    })?;
    if let Some(table) = open_if_present(reading, CLOCK)?
        && let Some(numbers) = table.get(()).map_err(read)?
    {
        let (tick, wall) = numbers.value();
        let (tick, wall) = (MonotonicSeconds(tick), Timestamp::from_micros(wall));
        set.clock = Some(ClockReading { tick, wall });
    }
    for_each_row(reading, RESCUE, |(), record| {
        set.rescue = Some(decode_rescue(record)?.into());
        Ok(())
    })?;
    for_each_row(reading, WEBHOOKS, |_, record| {
        set.webhooks.push(decode_webhook(record)?.into());
        Ok(())
    })?;
    Ok(set)
}

/// Reads every record. Logs sessions and tokens without an account, which are not an error: they
/// grant nothing, and a server removes them when it starts.
///
/// # Errors
/// `Record` or `Read`.
pub fn check(reading: &ReadTransaction) -> Result<(), StoreError> {
    let set = account_set(reading)?;
    let sessions = set.sessions.iter().map(|session| &session.account);
    let owners = sessions.chain(set.tokens.iter().map(|token| &token.account));
    let count = owners.filter(|name| !set.has_account(name)).count();
    if count > 0 {
        tracing::warn!(
            orphans.count = count,
            "the store has sessions or tokens that belong to no account"
        );
    }
    for_each_audit_entry(reading, |_| Ok(()))
}

/// Calls `visit` with every audit entry, oldest first.
///
/// # Errors
/// `Record`, `Read`, and the errors of `visit`.
pub fn for_each_audit_entry(
    reading: &ReadTransaction,
    mut visit: impl FnMut(AuditEntry) -> Result<(), StoreError>,
) -> Result<(), StoreError> {
    let newest_first = audit_entries(reading, None, usize::MAX)?;
    let mut oldest_first = newest_first.into_iter().rev();
    oldest_first.try_for_each(|(_, entry)| visit(entry))
}

/// Calls `visit` with every row, in the order of the keys.
fn for_each_row<K: redb::Key + 'static>(
    reading: &ReadTransaction,
    table: TableDefinition<K, &'static [u8]>,
    mut visit: impl FnMut(K::SelfType<'_>, &[u8]) -> Result<(), StoreError>,
) -> Result<(), StoreError> {
    let Some(table) = open_if_present(reading, table)? else {
        return Ok(());
    };
    for row in table.iter().map_err(read)? {
        let (key, record) = row.map_err(read)?;
        visit(key.value(), record.value())?;
    }
    Ok(())
}

/// Makes one edit.
///
/// # Errors
/// `Full` or `Write`.
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
        AccountEdit::PutRescue(rescue) => {
            let mut table = writing.open_table(RESCUE).map_err(write)?;
            let record = encode_rescue(rescue);
            table.insert((), record.as_slice()).map_err(write)?;
        }
        AccountEdit::PutWebhook(webhook) => {
            let mut table = writing.open_table(WEBHOOKS).map_err(write)?;
            let record = encode_webhook(webhook);
            table
                .insert(webhook.id.get(), record.as_slice())
                .map_err(write)?;
        }
        AccountEdit::RemoveWebhook(id) => {
            let mut table = writing.open_table(WEBHOOKS).map_err(write)?;
            table.remove(id.get()).map_err(write)?;
        }
        AccountEdit::SetClock(reading) => {
            let mut table = writing.open_table(CLOCK).map_err(write)?;
            let numbers = (reading.tick.0, reading.wall.micros());
            table.insert((), numbers).map_err(write)?;
        }
        AccountEdit::AddAuditEntry(entry) => add_audit_entry(writing, entry)?,
    }
    Ok(())
}

fn put(
    writing: &WriteTransaction,
    table: TableByKey,
    key: Key,
    record: &[u8],
) -> Result<(), StoreError> {
    let mut table = writing.open_table(table).map_err(write)?;
    table.insert(*key.bytes(), record).map_err(write)?;
    Ok(())
}

fn remove(writing: &WriteTransaction, table: TableByKey, key: Key) -> Result<(), StoreError> {
    let mut table = writing.open_table(table).map_err(write)?;
    table.remove(*key.bytes()).map_err(write)?;
    Ok(())
}

/// Appends an audit entry, and drops the oldest of its table if that has too many. So at most one
/// entry is ever dropped.
fn add_audit_entry(writing: &WriteTransaction, entry: &AuditEntry) -> Result<(), StoreError> {
    let mut routine = writing.open_table(AUDIT_ENTRIES).map_err(write)?;
    let mut others = writing.open_table(ADMIN_AUDIT_ENTRIES).map_err(write)?;
    let number = 1 + last_number(&routine)?.max(last_number(&others)?);
    let record = encode_audit_entry(entry);
    if !entry.is_routine() {
        others.insert(number, record.as_slice()).map_err(write)?;
        return drop_oldest(&mut others).map(drop);
    }
    routine.insert(number, record.as_slice()).map_err(write)?;
    // Earlier versions kept all entries in one table: one that is not routine moves to the other.
    if let Some((number, record)) = drop_oldest(&mut routine)?
        && !decode_audit_entry(&record)?.is_routine()
    {
        others.insert(number, record.as_slice()).map_err(write)?;
        drop_oldest(&mut others)?;
    }
    Ok(())
}

fn last_number(table: &Table<u64, &[u8]>) -> Result<u64, StoreError> {
    let last = table.last().map_err(write)?;
    Ok(last.map_or(0, |(number, _)| number.value()))
}

/// Removes and returns the oldest audit entry if there is one too many.
fn drop_oldest(table: &mut Table<u64, &[u8]>) -> Result<Option<(u64, Vec<u8>)>, StoreError> {
    if table.len().map_err(write)? <= AUDIT_ENTRIES_KEPT {
        return Ok(None);
    }
    let first = table.pop_first().map_err(write)?;
    Ok(first.map(|(number, record)| (number.value(), record.value().to_vec())))
}
