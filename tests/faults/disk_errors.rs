//! An error at the Nth write and at the Nth fsync, once and until healed: the change is refused, reads
//! work, and writing recovers by itself as soon as the disk does.

use std::io::ErrorKind::{self, StorageFull};
use std::sync::Arc;
use std::time::{Duration, Instant};

use pet_store::writer::WriteError;

use super::disk::{FailingDisk, Fails, Lasts};
use super::ledger::Verdict;
use super::rig::{PETS, Rig};
use super::{print_table, rounds};
use crate::support::{log_of, until};

/// Writing recovers within this time after the disk does.
const RECOVERS_WITHIN: Duration = Duration::from_secs(30);

/// The operations that fail in the short form.
const SHORT: [usize; 6] = [1, 2, 5, 9, 16, 60];

/// Changes that need more than 60 fsyncs, and many more writes.
const CHANGES: usize = 70;

#[derive(Default)]
struct Totals {
    runs: usize,
    refused: usize,
    /// Changes that were refused and are in the store.
    stored: usize,
    slowest: Duration,
}

async fn run(fails: Fails, nth: usize, lasts: Lasts, error: ErrorKind, totals: &mut Totals) {
    let folder = tempfile::tempdir().unwrap();
    let disk = Arc::new(FailingDisk::new(folder.path(), fails, nth, lasts, error));
    let mut rig = Rig::start(folder.path(), disk.clone());
    disk.arm();
    let mut turn = 0;
    let refusal = loop {
        assert!(turn < CHANGES, "{fails:?} {nth} was never reached");
        turn += 1;
        if let Err(refusal) = rig.set(turn).await {
            break refusal;
        }
    };
    assert!(disk.failures() > 0, "{refusal}");
    let is_full = error == StorageFull;
    let expected = if is_full {
        WriteError::Full
    } else {
        WriteError::Store
    };
    assert_eq!(refusal, expected, "{fails:?} {nth}");
    totals.refused += 1;
    if lasts == Lasts::UntilHealed {
        for _ in 0..3 {
            turn += 1;
            rig.set(turn).await.unwrap_err();
            assert!(rig.can_read(), "{fails:?} {nth}");
        }
        assert!(!rig.writer.is_writable());
    }
    disk.heal();
    let healed = Instant::now();
    until("writing to work again", async || rig.writer.is_writable()).await;
    totals.slowest = totals.slowest.max(healed.elapsed());
    for _ in 0..3 {
        turn += 1;
        rig.set(turn).await.unwrap();
    }
    let ledger = rig.stop().await;
    let log = log_of(folder.path());
    let Verdict { lost, ghosts, kept } = ledger.verify(&log);
    assert_eq!((lost, ghosts), (0, 0), "{fails:?} {nth} {lasts:?}");
    assert_eq!(ledger.shown(), kept, "the board and the store are the same");
    totals.stored += kept - PETS as usize - ledger.acknowledged();
    totals.runs += 1;
}

#[tokio::test]
async fn the_store_recovers_from_an_error_at_the_nth_write_or_fsync() {
    let nths: Vec<usize> = match rounds(SHORT.len(), 60) {
        60 => (1..=60).collect(),
        _ => SHORT.to_vec(),
    };
    let mut rows = Vec::new();
    for fails in [Fails::Write, Fails::Sync, Fails::SyncWithLoss] {
        for lasts in [Lasts::Once, Lasts::UntilHealed] {
            let mut totals = Totals::default();
            for &nth in &nths {
                let error = [ErrorKind::Other, StorageFull][nth % 2];
                run(fails, nth, lasts, error, &mut totals).await;
            }
            assert!(totals.slowest < RECOVERS_WITHIN);
            rows.push(vec![
                format!("{fails:?}"),
                format!("{lasts:?}"),
                totals.runs.to_string(),
                totals.refused.to_string(),
                totals.stored.to_string(),
                "0".to_owned(),
                "0".to_owned(),
                format!("{:.2} s", totals.slowest.as_secs_f32()),
            ]);
        }
    }
    let headings = [
        "fails",
        "lasts",
        "runs",
        "refused",
        "refused and stored",
        "lost",
        "ghosts",
        "slowest recovery",
    ];
    print_table(
        "an error at the Nth operation of the disk",
        &headings,
        &rows,
    );
}
