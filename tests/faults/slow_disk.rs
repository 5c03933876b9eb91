//! A disk that takes long for an fsync delays the changes that wait for it, and no reader.

use std::sync::Arc;
use std::time::{Duration, Instant};

use pet_store::model::{Audience, PetId, Rev};
use pet_store::store::Engine;

use super::disk::BlockingDisk;
use super::print_table;
use super::rig::{PETS, Rig};
use crate::support::until;

/// Reads while the fsync is blocked.
const READS: usize = 100;

/// The longest that one of them may take.
const READ: Duration = Duration::from_secs(1);

#[tokio::test]
async fn a_slow_disk_delays_writers_and_no_readers() {
    let folder = tempfile::tempdir().unwrap();
    let disk = Arc::new(BlockingDisk::default());
    let mut rig = Rig::start(folder.path(), disk.clone());
    let (engine, hub) = (Arc::clone(&rig.engine), Arc::clone(&rig.hub));
    disk.arm();
    let writing = tokio::spawn(async move {
        rig.set(1).await.unwrap();
        rig
    });
    until("an fsync", async || disk.is_syncing()).await;
    let mut slowest = Duration::ZERO;
    for _ in 0..READS {
        let began = Instant::now();
        engine.history(PetId::FIRST, None, 50).unwrap();
        engine.tail(Rev::ZERO, 50).unwrap();
        assert_eq!(hub.board(Audience::Public).pets.len() as u64, PETS);
        slowest = slowest.max(began.elapsed());
    }
    assert!(disk.is_syncing() && !writing.is_finished());
    assert!(slowest < READ, "a read took {slowest:?}");
    disk.release();
    let rig = writing.await.unwrap();
    drop((engine, hub));
    rig.stop().await;
    let row = format!("{:.1} ms", slowest.as_secs_f32() * 1000.0);
    let headings = ["reads during an fsync", "slowest"];
    print_table(
        "a blocked fsync",
        &headings,
        &[vec![READS.to_string(), row]],
    );
}
