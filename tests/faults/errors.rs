//! An error at the Nth write and at the Nth sync, once and for good: the change is refused, reads
//! go on, and writing works again by itself as soon as the disk does.

use std::io::ErrorKind::{self, StorageFull};
use std::sync::Arc;
use std::time::{Duration, Instant};

use pet_store::writer::WriteError;

use super::disk::{FailingDisk, Kind, Lasts};
use super::rig::Rig;
use super::{ledger::Verdict, rounds, table};
use crate::support::{log_of, until};

/// Writing works again at most so long after the disk does.
const RECOVERS_WITHIN: Duration = Duration::from_secs(30);

/// The Nth operations that are tried in the short form.
const SHORT: [usize; 6] = [1, 2, 5, 9, 16, 60];

/// Changes that lead to more than 60 syncs, and to many more writes.
const CHANGES: usize = 70;

#[derive(Default)]
struct Sum {
    runs: usize,
    refused: usize,
    landed: usize,
    slowest: Duration,
}

async fn run(kind: Kind, nth: usize, lasts: Lasts, error: ErrorKind, sum: &mut Sum) {
    let folder = tempfile::tempdir().unwrap();
    let disk = Arc::new(FailingDisk::new(folder.path(), kind, nth, lasts, error));
    let mut rig = Rig::start(folder.path(), disk.clone());
    disk.arm();
    let mut turn = 0;
    let refusal = loop {
        assert!(turn < CHANGES, "{kind:?} {nth} was never reached");
        turn += 1;
        if let Err(refusal) = rig.set(turn).await {
            break refusal;
        }
    };
    assert!(disk.refused() > 0, "{refusal}");
    let is_full = error == StorageFull;
    let expected = if is_full {
        WriteError::Full
    } else {
        WriteError::Store
    };
    assert_eq!(refusal, expected, "{kind:?} {nth}");
    sum.refused += 1;
    if lasts == Lasts::ForGood {
        for _ in 0..3 {
            turn += 1;
            rig.set(turn).await.unwrap_err();
            assert!(rig.reads(), "{kind:?} {nth}");
        }
        assert!(!rig.writer.is_writable());
    }
    disk.heal();
    let healed = Instant::now();
    until("writing to work again", async || rig.writer.is_writable()).await;
    sum.slowest = sum.slowest.max(healed.elapsed());
    for _ in 0..3 {
        turn += 1;
        rig.set(turn).await.unwrap();
    }
    let ledger = rig.stop().await;
    let log = log_of(folder.path());
    let Verdict { lost, ghosts, kept } = ledger.verify(&log);
    assert_eq!((lost, ghosts), (0, 0), "{kind:?} {nth} {lasts:?}");
    assert_eq!(ledger.shown(), kept, "the board and the store agree");
    sum.landed += kept - super::rig::PETS as usize - ledger.acknowledged();
    sum.runs += 1;
}

#[tokio::test]
async fn an_error_at_the_nth_write_or_sync_is_answered_and_got_over() {
    let nths: Vec<usize> = match rounds(SHORT.len(), 60) {
        60 => (1..=60).collect(),
        _ => SHORT.to_vec(),
    };
    let mut rows = Vec::new();
    for kind in [Kind::Write, Kind::Sync, Kind::Loss] {
        for lasts in [Lasts::Once, Lasts::ForGood] {
            let mut sum = Sum::default();
            for &nth in &nths {
                let error = [ErrorKind::Other, StorageFull][nth % 2];
                run(kind, nth, lasts, error, &mut sum).await;
            }
            assert!(sum.slowest < RECOVERS_WITHIN);
            rows.push(vec![
                format!("{kind:?}"),
                format!("{lasts:?}"),
                sum.runs.to_string(),
                sum.refused.to_string(),
                sum.landed.to_string(),
                "0".to_owned(),
                "0".to_owned(),
                format!("{:.2} s", sum.slowest.as_secs_f32()),
            ]);
        }
    }
    let headings = [
        "fails",
        "lasts",
        "runs",
        "refused",
        "there all the same",
        "lost",
        "ghosts",
        "slowest recovery",
    ];
    table::print(
        "an error at the Nth operation of the disk",
        &headings,
        &rows,
    );
}
