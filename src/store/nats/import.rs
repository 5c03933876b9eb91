//! Fills an empty cluster from an export.
//!
//! One program does so alone: each batch must directly follow the one before, and the epoch, without
//! which no node starts, comes last. The newest changes are imported, each with the whole pet after
//! it, so the log is replayed forward. If a trimmed log no longer has a pet's record, only its status
//! changed since, so it had its present profile; unless the log has a later record or a removal: then
//! the earlier profile is unknown, and the changes before that are left out.

use std::collections::{BTreeMap, VecDeque};
use std::fmt;
use std::io::BufRead;
use std::sync::Arc;

use super::batch::{self, BatchMessage, batch_error};
use super::client::NatsClient;
use super::export::new_runtime;
use super::record::encode_change;
use super::replica::Replica;
use super::subjects::{NEXT_PET, PETS, STAFF};
use super::{AccountLog, ClusterAddress, NatsEngine, epoch, layout, retry_until_led};
use crate::model::{Change, ChangeKind, ChangeSource, Pet, PetId, Rev, Timestamp, Visibility};
use crate::store::archive::{ExportedItem, read_export};
use crate::store::{
    AccountEdit, AccountStore, AppliedChange, MAX_ACCOUNT_EDITS, PhotoStore, StoreError,
};

/// Messages of one batch, and bytes of bodies after which it is full. Servers accept 1,000 messages;
/// a batch should be stored long before its ack times out.
const BATCH_MESSAGES: usize = 500;
const BATCH_BYTES: usize = 512 * 1024;

/// The newest changes of all pets that are imported, about half a kilobyte of memory each.
const MAX_CHANGES: usize = 100_000;
/// The newest changes of each pet, which are imported even if they are older than those.
const MIN_CHANGES_PER_PET: usize = 16;

/// Result of an import.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Imported {
    /// Pets that exist now.
    pub pets: u64,
    /// Changes, of removed pets too.
    pub changes: u64,
    /// Accounts.
    pub accounts: u64,
}

impl fmt::Display for Imported {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Imported {
            pets,
            changes,
            accounts,
        } = self;
        write!(
            f,
            "{pets} pets with their last {changes} changes, and {accounts} accounts,"
        )
    }
}

/// Fills an empty cluster from an export, which is checked completely before anything but photos is
/// sent: a file without photos leaves nothing behind if it has an error. The store gets a new epoch.
/// Blocks; must not be called by an async worker.
///
/// # Errors
/// `Import` with the first invalid line, `NotEmptyEngine` or `Unfinished` if the cluster is not
/// empty, and the errors of connecting: then nothing was written but photos, which a node removes later
/// if no pet has them. `ImportStopped` after that.
pub fn import(input: impl BufRead, address: &ClusterAddress) -> Result<Imported, StoreError> {
    let runtime = new_runtime(address)?;
    let connect = || runtime.block_on(connect_empty(address));
    // A file without photos is checked to its end before the streams are created.
    let mut engine = None;
    let mut builder = ImportBuilder::default();
    read_export(input, |entry| match entry {
        ExportedItem::Photo(hash, files) => {
            let connected = engine.take().map_or_else(connect, Ok)?;
            let engine = engine.insert(connected);
            engine.put_photo(hash, &files, Timestamp::now())
        }
        entry => {
            builder.add(entry);
            Ok(())
        }
    })?;
    let engine = engine.map_or_else(connect, Ok)?;
    let batch = builder.finish();
    let client = &engine.replica.client;
    let halfway = |error: StoreError| StoreError::ImportStopped(error.to_string());
    let claimed = runtime.block_on(claim(client, batch.next_pet));
    let claimed = claimed.map_err(|error| match error {
        StoreError::Conflict => StoreError::NotEmptyEngine(address.to_string()),
        error => halfway(error),
    })?;
    let sent = runtime.block_on(send_changes(client, claimed, &batch.changes));
    let last = sent.map_err(halfway)?;
    write_accounts(&engine, &batch.accounts).map_err(halfway)?;
    let begun = runtime.block_on(epoch::begin_first(client, last));
    begun.map_err(halfway)?;
    Ok(batch.counts())
}

/// Connects to a cluster that holds nothing, and creates its streams, but no epoch.
pub(super) async fn connect_empty(address: &ClusterAddress) -> Result<NatsEngine, StoreError> {
    let client = NatsClient::connect(address).await?;
    retry_until_led(async || {
        client.check_version().await?;
        let has_pets = !layout::is_empty(&client, &PETS).await?;
        if has_pets {
            // Fails if an import is unfinished.
            epoch::ensure(&client).await?;
        }
        if has_pets || !layout::is_empty(&client, &STAFF).await? {
            return Err(StoreError::NotEmptyEngine(address.to_string()));
        }
        layout::ensure_streams(&client).await
    })
    .await?;
    let accounts = AccountLog::new(client.clone());
    Ok(NatsEngine::new(Replica::new(client), accounts, None))
}

/// Writes the first message of an empty stream, after which no node takes the stream for a new one.
///
/// # Errors
/// `Conflict` if the stream is no longer empty.
pub(super) async fn claim(client: &NatsClient, next_pet: PetId) -> Result<u64, StoreError> {
    let message = BatchMessage::new(NEXT_PET, next_pet.to_string().into_bytes());
    send(client, 0, vec![message]).await
}

/// Sends `changes` in batches after the message `last`. Returns the last message then.
async fn send_changes(
    client: &NatsClient,
    mut last: u64,
    changes: &[AppliedChange],
) -> Result<u64, StoreError> {
    let (mut messages, mut size_bytes) = (Vec::new(), 0);
    for change in changes {
        let message = encode_change(change, 0);
        size_bytes += message.body.len();
        messages.push(message);
        if messages.len() >= BATCH_MESSAGES || size_bytes >= BATCH_BYTES {
            last = send(client, last, std::mem::take(&mut messages)).await?;
            size_bytes = 0;
        }
    }
    if messages.is_empty() {
        return Ok(last);
    }
    send(client, last, messages).await
}

/// Sends one batch, which is stored only directly after the message `last`.
async fn send(
    client: &NatsClient,
    last: u64,
    mut messages: Vec<BatchMessage>,
) -> Result<u64, StoreError> {
    let first = messages.remove(0).expect_stream_at(last);
    messages.insert(0, first);
    let sent = batch::send(client, &batch::new_op(), messages).await;
    sent.map_err(batch_error)
}

/// Writes accounts where there are none yet.
pub(super) fn write_accounts(engine: &NatsEngine, edits: &[AccountEdit]) -> Result<(), StoreError> {
    let mut version = 0;
    for edits in edits.chunks(MAX_ACCOUNT_EDITS) {
        version = engine.edit_accounts(version, edits)?;
    }
    Ok(())
}

/// The content of an export, checked, in the order in which it is written.
struct ImportBatch {
    next_pet: PetId,
    changes: Vec<AppliedChange>,
    accounts: Vec<AccountEdit>,
    pets: u64,
}

impl ImportBatch {
    fn counts(&self) -> Imported {
        let is_account = |edit: &&AccountEdit| matches!(edit, AccountEdit::PutAccount(_));
        Imported {
            pets: self.pets,
            changes: self.changes.len() as u64,
            accounts: self.accounts.iter().filter(is_account).count() as u64,
        }
    }
}

/// Builds an `ImportBatch` from the entries of an export. Its memory is bounded by `MAX_CHANGES`, the
/// pets and the accounts.
#[derive(Default)]
struct ImportBuilder {
    next_pet: Option<PetId>,
    pets: BTreeMap<PetId, Arc<Pet>>,
    histories: BTreeMap<PetId, PetHistory>,
    /// The pets of the changes that count towards `MAX_CHANGES`, oldest first.
    counted: VecDeque<PetId>,
    accounts: Vec<AccountEdit>,
}

/// The newest changes of one pet.
struct PetHistory {
    /// The pet after the last change so far.
    after: Option<Arc<Pet>>,
    /// True if `after` has the present profile, because the log has had no record yet.
    is_profile_assumed: bool,
    changes: VecDeque<AppliedChange>,
}

impl ImportBuilder {
    fn add(&mut self, entry: ExportedItem) {
        match entry {
            ExportedItem::Start { next_pet, .. } => self.next_pet = Some(next_pet),
            ExportedItem::Pet(pet) => drop(self.pets.insert(pet.id, Arc::from(pet))),
            ExportedItem::Change(change) => {
                let present = self.pets.get(&change.pet);
                let history = self.histories.entry(change.pet);
                let history = history.or_insert_with(|| PetHistory {
                    after: present.cloned(),
                    is_profile_assumed: true,
                    changes: VecDeque::new(),
                });
                self.counted.push_back(change.pet);
                history.add(change);
                self.drop_oldest();
            }
            ExportedItem::Staff(edit) => self.accounts.push(edit),
            // Sent while the export is read.
            ExportedItem::Photo(..) => {}
        }
    }

    fn drop_oldest(&mut self) {
        if self.counted.len() > MAX_CHANGES
            && let Some(pet) = self.counted.pop_front()
            && let Some(history) = self.histories.get_mut(&pet)
            && history.changes.len() > MIN_CHANGES_PER_PET
        {
            history.changes.pop_front();
        }
    }

    fn finish(mut self) -> ImportBatch {
        let mut changes = Vec::new();
        for (id, pet) in &self.pets {
            let history = self.histories.get(id);
            let last = history.and_then(|history| history.changes.back());
            if last.is_none_or(|last| last.after.as_ref() != Some(pet)) {
                self.histories.remove(id);
                changes.push(present_state(pet));
            }
        }
        let histories = self.histories.into_values();
        changes.extend(histories.flat_map(|history| history.changes));
        changes.sort_by_key(|applied: &AppliedChange| applied.change.rev);
        ImportBatch {
            next_pet: self.next_pet.unwrap_or(PetId::FIRST),
            changes,
            accounts: self.accounts,
            pets: self.pets.len() as u64,
        }
    }
}

impl PetHistory {
    fn add(&mut self, change: Change) {
        let is_status = change.status().is_some();
        if self.is_profile_assumed && !is_status {
            self.changes.clear();
            self.is_profile_assumed = false;
        }
        let applied = AppliedChange::new(change, self.after.take());
        self.after.clone_from(&applied.after);
        if !is_status || self.after.is_some() {
            self.changes.push_back(applied);
        }
    }
}

/// Returns the change that stands for a pet of which the log has none.
fn present_state(pet: &Arc<Pet>) -> AppliedChange {
    let change = Change {
        rev: Rev::ZERO,
        at: pet.since,
        by: ChangeSource::Staff,
        author: None,
        request: None,
        visibility: Visibility::between(None, Some(pet)),
        pet: pet.id,
        kind: ChangeKind::Pet(Arc::clone(pet)),
    };
    AppliedChange::new(change, None)
}

#[cfg(test)]
mod tests;
