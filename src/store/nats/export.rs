//! Exports a cluster as text while its nodes run.
//!
//! The last message of each pet is read first and gives the state at one moment. Older messages are
//! read after that, while the stream drops some of them: where a change alone no longer leads from
//! the change before it to the pet after it, the export holds the whole pet instead.

use std::collections::BTreeMap;
use std::io::Write;
use std::sync::Arc;

use tokio::runtime::Runtime;

use super::client::NatsClient;
use super::record::decode_if_change;
use super::replica::ReplicaState;
use super::subjects::{PET, PETS};
use super::{ClusterAddress, NatsEngine, layout, read, retry_until_led};
use crate::model::{Change, ChangeKind, Epoch, Pet, PetId, Rev};
use crate::store::archive::{ExportWriter, StaffData};
use crate::store::{AccountStore, AppliedChange, PhotoStore, Snapshot, StoreError};

/// Messages per read.
const MESSAGES_PER_READ: usize = 512;

/// Writes the store of a cluster as text: pets and changes as of one moment, accounts as of a moment
/// later. Blocks; must not be called by an async worker.
///
/// # Errors
/// `NoStore`, the errors of connecting and reading, and `Write` or `Full` if `out` fails.
pub fn export(
    address: &ClusterAddress,
    staff: StaffData,
    out: impl Write,
) -> Result<(), StoreError> {
    let runtime = new_runtime(address)?;
    let engine = runtime.block_on(connect_existing(address))?;
    let export = runtime.block_on(read_export(&engine.replica.client))?;
    let snapshot = &export.snapshot;
    let mut archive = ExportWriter::start(out, export.epoch, snapshot.rev, snapshot.next_pet)?;
    snapshot.pets.iter().try_for_each(|pet| archive.pet(pet))?;
    let mut changes = export.changes.iter();
    changes.try_for_each(|change| archive.change(change))?;
    archive.photos(&snapshot.pets, |hash, width_px| {
        engine.photo(hash, width_px)
    })?;
    let accounts = engine.account_set()?;
    archive.rescue(accounts.rescue.as_deref())?;
    if staff == StaffData::Included {
        archive.accounts(&accounts)?;
        let audit_entries = engine.audit_entries(None, usize::MAX)?;
        let mut oldest_first = audit_entries.iter().rev();
        oldest_first.try_for_each(|(_, audit_entry)| archive.audit_entry(audit_entry))?;
    }
    archive.end()
}

/// Creates a runtime for a command.
pub(super) fn new_runtime(address: &ClusterAddress) -> Result<Runtime, StoreError> {
    Runtime::new().map_err(|error| StoreError::NoEngine {
        address: address.to_string(),
        reason: error.to_string(),
    })
}

/// Connects as a node does, but only to a cluster that holds a store.
async fn connect_existing(address: &ClusterAddress) -> Result<NatsEngine, StoreError> {
    let client = NatsClient::connect(address).await?;
    retry_until_led(async || {
        client.check_version().await?;
        if layout::is_empty(&client, &PETS).await? {
            return Err(StoreError::NoStore(address.to_string()));
        }
        Ok(())
    })
    .await?;
    NatsEngine::connect(address).await
}

/// A store at one moment, with its log.
struct ExportSnapshot {
    epoch: Epoch,
    snapshot: Snapshot,
    /// Oldest first; the revs have no gap up to the snapshot's.
    changes: Vec<Change>,
}

/// Reads everything that the stream still has.
///
/// # Errors
/// `Unfinished`, `Record`, or `Unavailable` if the servers do not answer.
async fn read_export(client: &NatsClient) -> Result<ExportSnapshot, StoreError> {
    let empty = || {
        (
            ReplicaState::default(),
            BTreeMap::<PetId, AppliedChange>::new(),
        )
    };
    let read = read::read_snapshot(client, &PETS, empty, |(state, newest), message| {
        let applied = state.apply(&message)?;
        newest.extend(applied.map(|applied| (applied.change.pet, applied)));
        Ok(())
    });
    let (_, (state, newest)) = read.await?;
    let epoch = state.epoch.ok_or(StoreError::Unfinished)?;
    let mut log = ExportLog::default();
    let (filter, mut next) = (format!("{PET}*"), 1);
    while next <= state.newest.get() {
        let read = read::existing_messages_from(client, &PETS, &filter, next, MESSAGES_PER_READ);
        for message in read.await? {
            next = message.seq + 1;
            if message.seq <= state.newest.get()
                && let Some(applied) = decode_if_change(&message)?
            {
                log.add(applied);
            }
        }
    }
    let existing = newest.values().filter(|applied| applied.after.is_some());
    let revs = existing.clone().map(|applied| applied.change.rev).collect();
    let pets = existing.filter_map(|applied| applied.after.clone());
    let snapshot = Snapshot {
        rev: state.newest,
        next_pet: state.next_pet(),
        pets: pets.map(Arc::unwrap_or_clone).collect(),
        revs,
    };
    Ok(ExportSnapshot {
        epoch,
        snapshot,
        changes: log.finish(newest.into_values()),
    })
}

/// The changes read so far.
#[derive(Default)]
struct ExportLog {
    changes: Vec<Change>,
    /// The last change of each pet, and the pet after it.
    pets: BTreeMap<PetId, (Rev, Option<Arc<Pet>>)>,
}

impl ExportLog {
    fn add(&mut self, applied: AppliedChange) {
        let AppliedChange { mut change, after } = applied;
        // The pet before the first change that the stream still has is not known.
        let before = self.pets.insert(change.pet, (change.rev, after.clone()));
        if before.is_some_and(|(_, before)| change.apply_to(before) != after) {
            change.kind = match after {
                Some(pet) => ChangeKind::Pet(pet),
                None => ChangeKind::Gone(change.kind.name().map(Arc::from)),
            };
        }
        self.changes.push(change);
    }

    /// Adds those of the last messages that were dropped before they were read, and renumbers all
    /// changes so that their revs have no gap. The newest change keeps its rev.
    fn finish(mut self, newest: impl Iterator<Item = AppliedChange>) -> Vec<Change> {
        for applied in newest {
            let added = self.pets.get(&applied.change.pet);
            if added.is_none_or(|(rev, _)| *rev < applied.change.rev) {
                self.add(applied);
            }
        }
        self.changes.sort_by_key(|change| change.rev);
        let mut rev = self.changes.last().map_or(0, |last| last.rev.get());
        for change in self.changes.iter_mut().rev() {
            change.rev = Rev::new(rev);
            rev -= 1;
        }
        self.changes
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{ChangeSource, Profile, Status, StatusNote, Timestamp};

    fn applied(rev: u64, name: &str, status: Status) -> AppliedChange {
        let at = Timestamp::from_micros(rev.cast_signed());
        let pet = Pet {
            id: PetId::FIRST,
            profile: Profile {
                name: name.to_owned(),
                ..Profile::default()
            },
            photos: Vec::new(),
            status,
            since: at,
            removed: None,
            note: StatusNote::default(),
        };
        let change = Change {
            rev: Rev::new(rev),
            at,
            by: ChangeSource::Api,
            author: None,
            request: None,
            visibility: crate::model::Visibility::Public,
            pet: PetId::FIRST,
            kind: ChangeKind::Status(status),
        };
        let after = Some(Arc::new(pet));
        AppliedChange { change, after }
    }

    fn exported(read: Vec<AppliedChange>, newest: AppliedChange) -> Vec<(u64, &'static str)> {
        let mut log = ExportLog::default();
        for applied in read {
            log.add(applied);
        }
        let changes = log.finish(std::iter::once(newest));
        let exported = changes
            .iter()
            .map(|change| (change.rev.get(), change.kind.as_str()));
        exported.collect()
    }

    #[test]
    fn the_newest_change_keeps_its_rev_and_those_before_it_have_no_gap() {
        let read = [
            (3, Status::Eating),
            (7, Status::Playing),
            (9, Status::Eating),
        ];
        let read = read.map(|(rev, status)| applied(rev, "Miso", status));
        let newest = applied(9, "Miso", Status::Eating);
        let expected = [(7, "status"), (8, "status"), (9, "status")];
        assert_eq!(exported(read.into(), newest), expected);
    }

    /// While it was read, the stream dropped a change of the name and then the last change.
    #[test]
    fn a_change_that_does_not_lead_to_the_pet_after_it_is_exported_as_the_whole_pet() {
        let read = vec![applied(3, "Miso", Status::Eating)];
        let newest = applied(9, "Mo", Status::Playing);
        assert_eq!(exported(read, newest), [(8, "status"), (9, "pet")]);
    }
}
