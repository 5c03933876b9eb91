//! What a power cut can leave on the disk: every write that was not synced may be there, not
//! there, there before an older one, or there in part. Every such image opens, with everything
//! that was acknowledged and nothing that was never asked.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use pet_store::model::{
    Change, ChangeKind, ChangeSource, Pet, PetId, Profile, Rev, Status, Timestamp,
};
use pet_store::store::{Engine, RedbEngine};
use rand::rngs::ChaCha8Rng;
use rand::seq::SliceRandom;
use rand::{RngExt, SeedableRng};

use super::disk::{AuditEntry, RecordingDisk};
use super::{rounds, table};

const SEED: u64 = 20_261_122;

/// What a disk writes at once.
const SECTOR: usize = 512;

/// What becomes of writes that were not synced.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Fate {
    /// All of them are there.
    Kept,
    /// Some of them are missing.
    Dropped,
    /// Some are missing, and older ones lie over newer ones.
    Reordered,
    /// Some are missing, and of others there are only some sectors.
    Torn,
}

const FATES: [Fate; 4] = [Fate::Kept, Fate::Dropped, Fate::Reordered, Fate::Torn];

/// The change with `rev`: pets 1 to 5 are created, and then do one thing after the other.
fn change(rev: u64) -> Change {
    let at = Timestamp::from_micros(rev.cast_signed());
    let pet = PetId::new((rev - 1) % 5 + 1);
    let status = Status::ALL[rev as usize % Status::ALL.len()];
    let profile = Profile {
        about: "x".repeat(rev as usize * 37 % 900),
        ..Profile::default()
    };
    let record = Pet {
        id: pet,
        profile,
        status,
        since: at,
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
        pet,
        kind,
    }
}

/// Everything that is done to the disk in a run: a first start, changes in batches, a stop in the
/// middle and a second start.
fn record() -> Vec<AuditEntry> {
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

/// A file while it is written: what a sync has made safe, and what came after.
#[derive(Clone, Default)]
struct Unsafe {
    safe: Vec<u8>,
    since: Vec<AuditEntry>,
}

/// The disk at one moment.
#[derive(Default)]
struct Disk {
    files: Vec<Unsafe>,
    names: BTreeMap<String, usize>,
    /// The names after each change to the folder that is not yet safe; the first is safe.
    folders: Vec<BTreeMap<String, usize>>,
    acknowledged: u64,
}

impl Disk {
    /// The disk after `audit_entries`.
    fn after(audit_entries: &[AuditEntry]) -> Self {
        let mut disk = Disk {
            folders: vec![BTreeMap::new()],
            ..Disk::default()
        };
        for audit_entry in audit_entries {
            disk.carry_out(audit_entry);
        }
        disk
    }

    fn carry_out(&mut self, audit_entry: &AuditEntry) {
        match audit_entry {
            AuditEntry::Create { file } => {
                self.names.insert(file.clone(), self.files.len());
                self.files.push(Unsafe::default());
                self.folders.push(self.names.clone());
            }
            AuditEntry::Rename { from, to } => {
                let file = self.names.remove(from).unwrap();
                self.names.insert(to.clone(), file);
                self.folders.push(self.names.clone());
            }
            AuditEntry::Remove { file } => {
                self.names.remove(file);
                self.folders.push(self.names.clone());
            }
            AuditEntry::SyncFolder => self.folders = vec![self.names.clone()],
            AuditEntry::Acknowledged(rev) => self.acknowledged = *rev,
            AuditEntry::Write { file, .. } | AuditEntry::SetLength { file, .. } => {
                self.files[self.names[file]].since.push(audit_entry.clone());
            }
            AuditEntry::Sync { file } => {
                let file = &mut self.files[self.names[file]];
                for audit_entry in std::mem::take(&mut file.since) {
                    apply(&mut file.safe, &audit_entry);
                }
            }
        }
    }

    /// Leaves in `folder` what a power cut at this moment may leave.
    fn cut(&self, fate: Fate, random: &mut ChaCha8Rng, folder: &Path) {
        let names = &self.folders[random.random_range(0..self.folders.len())];
        for (name, &file) in names {
            let file = &self.files[file];
            let mut left = file.safe.clone();
            for audit_entry in left_over(&file.since, fate, random) {
                apply(&mut left, &audit_entry);
            }
            std::fs::write(folder.join(name), left).unwrap();
        }
    }
}

/// The audit_entries that reached the disk, in the order in which they did.
fn left_over(audit_entries: &[AuditEntry], fate: Fate, random: &mut ChaCha8Rng) -> Vec<AuditEntry> {
    if fate == Fate::Kept {
        return audit_entries.to_vec();
    }
    let kept = audit_entries.iter().filter(|_| random.random_bool(0.6));
    let mut kept: Vec<AuditEntry> = kept.cloned().collect();
    match fate {
        Fate::Kept | Fate::Dropped => kept,
        Fate::Reordered => {
            kept.shuffle(random);
            kept
        }
        Fate::Torn => kept
            .into_iter()
            .flat_map(|audit_entry| tear(audit_entry, random))
            .collect(),
    }
}

/// A write as some of its sectors.
fn tear(audit_entry: AuditEntry, random: &mut ChaCha8Rng) -> Vec<AuditEntry> {
    let AuditEntry::Write { file, offset, data } = audit_entry else {
        return vec![audit_entry];
    };
    let sectors = data.chunks(SECTOR).enumerate();
    let kept: Vec<_> = sectors.filter(|_| random.random_bool(0.7)).collect();
    let write = |(number, sector): (usize, &[u8])| AuditEntry::Write {
        file: file.clone(),
        offset: offset + (number * SECTOR) as u64,
        data: sector.to_owned(),
    };
    kept.into_iter().map(write).collect()
}

fn apply(content: &mut Vec<u8>, audit_entry: &AuditEntry) {
    match audit_entry {
        AuditEntry::Write { offset, data, .. } => {
            let start = usize::try_from(*offset).unwrap();
            let end = start + data.len();
            content.resize(content.len().max(end), 0);
            content[start..end].copy_from_slice(data);
        }
        AuditEntry::SetLength { length, .. } => {
            content.resize(usize::try_from(*length).unwrap(), 0)
        }
        other => panic!("{other:?} does not change the content of a file"),
    }
}

/// Opens what is left and holds it against what was acknowledged; how many changes are there.
fn verify(folder: &Path, acknowledged: u64, story: &str) -> u64 {
    let opened = RedbEngine::open(folder);
    let engine = opened.unwrap_or_else(|error| panic!("{story}: {error}"));
    let log = engine.tail(Rev::ZERO, usize::MAX).unwrap();
    let newest = engine.newest().unwrap().get();
    assert_eq!(log.len() as u64, newest, "{story}");
    assert!(
        newest >= acknowledged,
        "{story}: {newest} of {acknowledged}"
    );
    for (found, rev) in log.iter().zip(1..) {
        assert_eq!(*found, change(rev), "{story}");
    }
    let mut pets: BTreeMap<PetId, Arc<Pet>> = BTreeMap::new();
    for change in &log {
        let before = pets.remove(&change.pet);
        pets.extend(change.apply_to(before).map(|pet| (change.pet, pet)));
    }
    let folded: Vec<Pet> = pets.into_values().map(|pet| Pet::clone(&pet)).collect();
    assert_eq!(engine.snapshot().unwrap().pets, folded, "{story}");
    engine.append(&[change(newest + 1)]).unwrap();
    newest
}

#[test]
fn a_power_cut_at_any_moment_loses_nothing_acknowledged_the_first_start_included() {
    let audit_entries = record();
    let is_acknowledgement =
        |audit_entry: &AuditEntry| matches!(audit_entry, AuditEntry::Acknowledged(_));
    let first = audit_entries.iter().position(is_acknowledgement).unwrap();
    let mut random = ChaCha8Rng::seed_from_u64(SEED);
    let mut rows: BTreeMap<(Fate, bool), (usize, u64)> = BTreeMap::new();
    for image in 0..rounds(24, 240) {
        let fate = FATES[image % FATES.len()];
        // Every second image is one of the first start, which is short.
        let is_first_start = (image / FATES.len()).is_multiple_of(2);
        let range = if is_first_start {
            0..first
        } else {
            first..audit_entries.len()
        };
        let moment = random.random_range(range);
        let disk = Disk::after(&audit_entries[..moment]);
        let folder = tempfile::tempdir().unwrap();
        disk.cut(fate, &mut random, folder.path());
        let story = format!(
            "image {image}, {fate:?}, after {moment} of {} audit_entries",
            audit_entries.len()
        );
        let newest = verify(folder.path(), disk.acknowledged, &story);
        let row = rows.entry((fate, is_first_start)).or_default();
        row.0 += 1;
        row.1 += newest - disk.acknowledged;
    }
    let rows = rows
        .into_iter()
        .map(|((fate, is_first_start), (images, more))| {
            let when = if is_first_start {
                "first start"
            } else {
                "changes"
            };
            let cells = [format!("{fate:?}"), when.to_owned(), images.to_string()];
            let zero = ["0".to_owned(), more.to_string()];
            cells.into_iter().chain(zero).collect()
        });
    let headings = [
        "not synced",
        "cut during",
        "images",
        "lost",
        "there unacknowledged",
    ];
    table::print(
        "images of a power cut",
        &headings,
        &rows.collect::<Vec<_>>(),
    );
}
