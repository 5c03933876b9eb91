//! A disk that takes two seconds over every sync delays those who write, and nobody else.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use pet_store::model::{PetId, Rev};
use pet_store::store::Engine;

use super::disk::SlowDisk;
use super::rig::Rig;
use super::table;
use crate::support::until;

const SYNC: Duration = Duration::from_secs(2);
/// What a read may take beside it.
const READ: Duration = Duration::from_secs(1);

#[tokio::test]
async fn a_slow_disk_delays_those_who_write_and_nobody_else() {
    let folder = tempfile::tempdir().unwrap();
    let disk = Arc::new(SlowDisk {
        pause: SYNC,
        is_armed: AtomicBool::new(false),
        is_syncing: AtomicBool::new(false),
    });
    let mut rig = Rig::start(folder.path(), disk.clone());
    let (engine, hub) = (Arc::clone(&rig.engine), Arc::clone(&rig.hub));
    disk.is_armed.store(true, Ordering::SeqCst);
    let asked = Instant::now();
    let writing = tokio::spawn(async move {
        rig.set(1).await.unwrap();
        rig
    });
    until("the disk to be busy", async || {
        disk.is_syncing.load(Ordering::SeqCst)
    })
    .await;
    let mut slowest = Duration::ZERO;
    let mut reads = 0;
    while disk.is_syncing.load(Ordering::SeqCst) {
        let began = Instant::now();
        engine.history(PetId::FIRST, None, 50).unwrap();
        engine.tail(Rev::ZERO, 50).unwrap();
        assert_eq!(hub.board().pets.len() as u64, super::rig::PETS);
        slowest = slowest.max(began.elapsed());
        reads += 1;
    }
    let rig = writing.await.unwrap();
    let written = asked.elapsed();
    assert!(written >= SYNC, "the disk was slow: {written:?}");
    assert!(reads > 10, "only {reads} reads in {written:?}");
    assert!(slowest < READ, "a read took {slowest:?}");
    disk.is_armed.store(false, Ordering::SeqCst);
    drop((engine, hub));
    rig.stop().await;
    let row = [
        format!("{:.2} s", written.as_secs_f32()),
        reads.to_string(),
        format!("{:.1} ms", slowest.as_secs_f32() * 1000.0),
    ];
    let headings = ["one write", "reads beside it", "slowest of them"];
    table::print(
        "a disk that takes 2 s over a sync",
        &headings,
        &[row.to_vec()],
    );
}
