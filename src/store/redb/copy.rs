//! Copying a store record by record: what a backup, a restore and a compaction are made of.

use redb::{
    Key, ReadTransaction, ReadableTable, TableDefinition, TableHandle, Value, WriteTransaction,
};

use super::accounts::{ACCOUNTS, ADMIN_DEEDS, CLOCK, DEEDS, TOKENS};
use super::tables::{HISTORY, LOG, META, PETS, STATUSES, TRIMMED};
use super::{read, write};
use crate::store::StoreError;

/// Tables that no copy has: what a recovery was proved with, and sessions, because one that was
/// ended after the copy must not come alive again with it.
const LEFT_OUT: [&str; 2] = ["proof", "sessions"];

/// Copies every table. Each table of a store has its line here.
///
/// # Errors
/// `Record` when there is a table without a line: a copy without it would not be one.
pub fn copy(from: &ReadTransaction, to: &WriteTransaction) -> Result<(), StoreError> {
    let copied = [
        copy_table(from, to, META)?,
        copy_table(from, to, PETS)?,
        copy_table(from, to, STATUSES)?,
        copy_table(from, to, LOG)?,
        copy_table(from, to, HISTORY)?,
        copy_table(from, to, TRIMMED)?,
        copy_table(from, to, ACCOUNTS)?,
        copy_table(from, to, TOKENS)?,
        copy_table(from, to, DEEDS)?,
        copy_table(from, to, ADMIN_DEEDS)?,
        copy_table(from, to, CLOCK)?,
    ];
    let is_known =
        |name: &str| LEFT_OUT.contains(&name) || copied.iter().any(|copied| copied == name);
    let mut tables = from.list_tables().map_err(read)?;
    match tables.find(|table| !is_known(table.name())) {
        Some(table) => Err(StoreError::Record(format!("the table {:?}", table.name()))),
        None => Ok(()),
    }
}

/// Copies one table if it is there; its name.
fn copy_table<K: Key + 'static, V: Value + 'static>(
    from: &ReadTransaction,
    to: &WriteTransaction,
    table: TableDefinition<'static, K, V>,
) -> Result<String, StoreError> {
    let source = match from.open_table(table) {
        Ok(source) => source,
        Err(redb::TableError::TableDoesNotExist(_)) => return Ok(table.name().to_owned()),
        Err(error) => return Err(read(error)),
    };
    let mut target = to.open_table(table).map_err(write)?;
    for row in source.iter().map_err(read)? {
        let (key, value) = row.map_err(read)?;
        target.insert(key.value(), value.value()).map_err(write)?;
    }
    Ok(table.name().to_owned())
}
