//! Images of the disk after a power cut: a write that was not synced can be there, missing, there
//! before an older one, or there in part. Every such image opens, with every acknowledged change and
//! no other than the requested ones.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use pet_store::model::{
    Change, ChangeKind, ChangeSource, Pet, PetId, Profile, Rev, Status, StatusNote, Timestamp,
};
use pet_store::store::{Engine, RedbEngine};
use rand::rngs::ChaCha8Rng;
use rand::seq::SliceRandom;
use rand::{RngExt, SeedableRng};

use super::disk::{DiskOperation, RecordingDisk};
use super::{print_table, rounds};

const SEED: u64 = 20_261_122;

/// The bytes that a disk writes atomically.
const SECTOR: usize = 512;

/// The effect of a power cut on writes that were not synced.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum CutEffect {
    /// All of them are there.
    Kept,
    /// Some of them are missing.
    Dropped,
    /// Some are missing, and older ones lie over newer ones.
    Reordered,
    /// Some are missing, and of others there are only some sectors.
    Torn,
}

const EFFECTS: [CutEffect; 4] = [
    CutEffect::Kept,
    CutEffect::Dropped,
    CutEffect::Reordered,
    CutEffect::Torn,
];

/// The change with `rev`: pets 1 to 5 are created, and then change their status.
fn change(rev: u64) -> Change {
    let at = Timestamp::from_micros(rev.cast_signed());
    let pet = PetId::new((rev - 1) % 5 + 1);
    let status = Status::FOUR[rev as usize % Status::FOUR.len()];
    let profile = Profile {
        about: "x".repeat(rev as usize * 37 % 900),
        ..Profile::default()
    };
    let record = Pet {
        id: pet,
        profile,
        photos: Vec::new(),
        status,
        since: at,
        removed: None,
        note: StatusNote::default(),
    };
    let kind = match rev {
        1..=5 => ChangeKind::Pet(Arc::new(record)),
        _ if rev.is_multiple_of(7) => ChangeKind::Pet(Arc::new(record)),
        _ => ChangeKind::Status(status),
    };
    Change {
        rev: Rev::new(rev),
        at,
        by: ChangeSource::Staff,
        author: None,
        request: None,
        visibility: pet_store::model::Visibility::Public,
        pet,
        kind,
    }
}

/// Records every disk operation of a run: a first start, changes in batches, a stop, a second start
/// and more changes.
fn record() -> Vec<DiskOperation> {
    let folder = tempfile::tempdir().unwrap();
    let disk = Arc::new(RecordingDisk::default());
    let mut random = ChaCha8Rng::seed_from_u64(SEED);
    let mut rev = 0;
    for _start in 0..2 {
        let engine = RedbEngine::open_observed(folder.path(), disk.clone()).unwrap();
        for _batch in 0..30 {
            let size = random.random_range(1..6);
            let batch: Vec<Change> = (1..=size).map(|next| change(rev + next)).collect();
            engine.append(&batch).unwrap();
            rev += size;
            disk.acknowledge(rev);
        }
    }
    disk.take()
}

/// A file: its content at the last sync, and the operations since.
#[derive(Clone, Default)]
struct FileImage {
    synced: Vec<u8>,
    unsynced: Vec<DiskOperation>,
}

/// The disk after some operations.
#[derive(Default)]
struct DiskImage {
    files: Vec<FileImage>,
    names: BTreeMap<String, usize>,
    /// The names at the last sync of the folder, and after each change since.
    folders: Vec<BTreeMap<String, usize>>,
    acknowledged: u64,
}

impl DiskImage {
    /// The disk after `operations`.
    fn after(operations: &[DiskOperation]) -> Self {
        let mut disk = DiskImage {
            folders: vec![BTreeMap::new()],
            ..DiskImage::default()
        };
        for operation in operations {
            disk.apply(operation);
        }
        disk
    }

    fn apply(&mut self, operation: &DiskOperation) {
        match operation {
            DiskOperation::Create { file } => {
                self.names.insert(file.clone(), self.files.len());
                self.files.push(FileImage::default());
                self.folders.push(self.names.clone());
            }
            DiskOperation::Rename { from, to } => {
                let file = self.names.remove(from).unwrap();
                self.names.insert(to.clone(), file);
                self.folders.push(self.names.clone());
            }
            DiskOperation::Remove { file } => {
                self.names.remove(file);
                self.folders.push(self.names.clone());
            }
            DiskOperation::SyncFolder => self.folders = vec![self.names.clone()],
            DiskOperation::Acknowledged(rev) => self.acknowledged = *rev,
            DiskOperation::Write { file, .. } | DiskOperation::SetLength { file, .. } => {
                self.files[self.names[file]]
                    .unsynced
                    .push(operation.clone());
            }
            DiskOperation::Sync { file } => {
                let file = &mut self.files[self.names[file]];
                for operation in std::mem::take(&mut file.unsynced) {
                    apply_to(&mut file.synced, &operation);
                }
            }
        }
    }

    /// Writes into `folder` what a power cut can leave.
    fn cut(&self, effect: CutEffect, random: &mut ChaCha8Rng, folder: &Path) {
        let names = &self.folders[random.random_range(0..self.folders.len())];
        for (name, &file) in names {
            let file = &self.files[file];
            let mut left = file.synced.clone();
            for operation in surviving(&file.unsynced, effect, random) {
                apply_to(&mut left, &operation);
            }
            std::fs::write(folder.join(name), left).unwrap();
        }
    }
}

/// Returns the operations that reached the disk, in the order in which they did.
fn surviving(
    operations: &[DiskOperation],
    effect: CutEffect,
    random: &mut ChaCha8Rng,
) -> Vec<DiskOperation> {
    if effect == CutEffect::Kept {
        return operations.to_vec();
    }
    let kept = operations.iter().filter(|_| random.random_bool(0.6));
    let mut kept: Vec<DiskOperation> = kept.cloned().collect();
    match effect {
        CutEffect::Kept | CutEffect::Dropped => kept,
        CutEffect::Reordered => {
            kept.shuffle(random);
            kept
        }
        CutEffect::Torn => kept
            .into_iter()
            .flat_map(|operation| tear(operation, random))
            .collect(),
    }
}

/// Splits a write into sectors, of which some are missing.
fn tear(operation: DiskOperation, random: &mut ChaCha8Rng) -> Vec<DiskOperation> {
    let DiskOperation::Write { file, offset, data } = operation else {
        return vec![operation];
    };
    let sectors = data.chunks(SECTOR).enumerate();
    let kept: Vec<_> = sectors.filter(|_| random.random_bool(0.7)).collect();
    let write = |(number, sector): (usize, &[u8])| DiskOperation::Write {
        file: file.clone(),
        offset: offset + (number * SECTOR) as u64,
        data: sector.to_owned(),
    };
    kept.into_iter().map(write).collect()
}

fn apply_to(content: &mut Vec<u8>, operation: &DiskOperation) {
    match operation {
        DiskOperation::Write { offset, data, .. } => {
            let start = usize::try_from(*offset).unwrap();
            let end = start + data.len();
            content.resize(content.len().max(end), 0);
            content[start..end].copy_from_slice(data);
        }
        DiskOperation::SetLength { length, .. } => {
            content.resize(usize::try_from(*length).unwrap(), 0);
        }
        other => panic!("{other:?} does not change the content of a file"),
    }
}

/// Opens the image and checks that every acknowledged change is there. Returns the number of changes.
fn verify(folder: &Path, acknowledged: u64, case: &str) -> u64 {
    let opened = RedbEngine::open(folder);
    let engine = opened.unwrap_or_else(|error| panic!("{case}: {error}"));
    let log = engine.tail(Rev::ZERO, usize::MAX).unwrap();
    let newest = engine.newest().unwrap().get();
    assert_eq!(log.len() as u64, newest, "{case}");
    assert!(newest >= acknowledged, "{case}: {newest} of {acknowledged}");
    for (found, rev) in log.iter().zip(1..) {
        assert_eq!(*found, change(rev), "{case}");
    }
    let mut pets: BTreeMap<PetId, Arc<Pet>> = BTreeMap::new();
    for change in &log {
        let before = pets.remove(&change.pet);
        pets.extend(change.apply_to(before).map(|pet| (change.pet, pet)));
    }
    let folded: Vec<Pet> = pets.into_values().map(|pet| Pet::clone(&pet)).collect();
    assert_eq!(engine.snapshot().unwrap().pets, folded, "{case}");
    engine.append(&[change(newest + 1)]).unwrap();
    newest
}

#[test]
fn a_power_cut_at_any_time_loses_no_acknowledged_change() {
    let operations = record();
    let is_acknowledgement =
        |operation: &DiskOperation| matches!(operation, DiskOperation::Acknowledged(_));
    let first = operations.iter().position(is_acknowledgement).unwrap();
    let mut random = ChaCha8Rng::seed_from_u64(SEED);
    let mut rows: BTreeMap<(CutEffect, bool), (usize, u64)> = BTreeMap::new();
    for image in 0..rounds(24, 240) {
        let effect = EFFECTS[image % EFFECTS.len()];
        // Every second image is one of the first start, which is short.
        let is_first_start = (image / EFFECTS.len()).is_multiple_of(2);
        let range = if is_first_start {
            0..first
        } else {
            first..operations.len()
        };
        let moment = random.random_range(range);
        let disk = DiskImage::after(&operations[..moment]);
        let folder = tempfile::tempdir().unwrap();
        disk.cut(effect, &mut random, folder.path());
        let case = format!(
            "image {image}, {effect:?}, after {moment} of {} operations",
            operations.len()
        );
        let newest = verify(folder.path(), disk.acknowledged, &case);
        let row = rows.entry((effect, is_first_start)).or_default();
        row.0 += 1;
        row.1 += newest - disk.acknowledged;
    }
    let rows = rows
        .into_iter()
        .map(|((effect, is_first_start), (images, more))| {
            let when = if is_first_start {
                "first start"
            } else {
                "changes"
            };
            let cells = [format!("{effect:?}"), when.to_owned(), images.to_string()];
            let counts = ["0".to_owned(), more.to_string()];
            cells.into_iter().chain(counts).collect()
        });
    let headings = [
        "not synced",
        "cut during",
        "images",
        "lost",
        "stored and not acknowledged",
    ];
    print_table(
        "images of a power cut",
        &headings,
        &rows.collect::<Vec<_>>(),
    );
}
