//! A soak test with every fault: viewers switch between transports, writers set statuses, many viewers
//! connect and leave, clients stall, the disk fills up, and the server freezes, stops or is killed.
//!
//! At the end everything that viewers and writers received is compared with the log. In the first
//! quarter the server is restarted repeatedly; after that one process must survive without growing.
//! The order of the faults comes from a seed; `PET_STORE_TEST_SEED` sets another.

mod injector;
mod resources;
mod small_disk;

use std::sync::Mutex;
use std::time::Duration;

use futures_util::future::join_all;
use rand::SeedableRng;
use rand::rngs::ChaCha8Rng;
use reqwest::Client;
use rustix::process::Signal;
use tokio::sync::watch;
use tokio::time::{Instant, MissedTickBehavior, interval};

use self::injector::FaultInjector;
use self::resources::Resources;
use self::small_disk::SmallDisk;
use super::ledger::{Ledger, Verdict, set};
use super::{print_table, rounds};
use crate::support::{Process, log_of, rev};
use crate::transcript::audience::watch_and_wander;
use crate::transcript::{Progress, SEED, check};

const VIEWERS: u64 = 8;

/// The viewers begin one after the other, before this many changes.
const BEGIN_BEFORE: usize = 80;

const PETS: u64 = 6;

const WRITERS: u64 = 4;

#[tokio::test]
async fn under_every_fault_no_change_is_lost_or_repeated_and_no_resource_leaks() {
    let seed = std::env::var("PET_STORE_TEST_SEED").map_or(SEED, |seed| seed.parse().unwrap());
    eprintln!("PET_STORE_TEST_SEED={seed}");
    let random = |number: u64| ChaCha8Rng::seed_from_u64(seed.wrapping_add(number));
    let lasts = Duration::from_secs(rounds(16, 1200) as u64);
    let disk = SmallDisk::mount().await;
    let server = disk.start("127.0.0.1:0").await;
    let base = server.base.clone();
    let (progress, watching) = watch::channel(Progress::default());

    let viewers = (0..VIEWERS)
        .map(|number| watch_and_wander(&base, BEGIN_BEFORE, watching.clone(), random(number)));
    let run = run(&disk, server, random(VIEWERS), &progress, lasts);
    let (transcripts, outcome) = tokio::join!(join_all(viewers), run);
    let Outcome {
        mut server,
        resources,
        injected,
        ledger,
        refused,
    } = outcome;
    resources.until_released(&server).await;
    server.signal(Signal::TERM);
    assert_eq!(server.end().await.code(), Some(0));

    let log = log_of(disk.copy().path());
    for transcript in &transcripts {
        check(transcript, &log);
    }
    let Verdict { lost, ghosts, kept } = ledger.verify(&log);
    assert_eq!((lost, ghosts), (0, 0));
    assert!(refused > 0, "the disk was full");
    resources.assert_no_growth();
    let seen: usize = transcripts
        .iter()
        .map(|transcript| transcript.seen.len())
        .sum();
    let joins: usize = transcripts.iter().map(|transcript| transcript.joins).sum();
    let rows = [
        ("lasted", format!("{} s", lasts.as_secs())),
        ("faults", injected.to_string()),
        ("changes kept", kept.to_string()),
        ("changes acknowledged", ledger.acknowledged().to_string()),
        ("changes refused", refused.to_string()),
        ("acknowledged and lost", lost.to_string()),
        ("messages seen, each once and in order", seen.to_string()),
        (
            "joins and switches of those who saw them",
            joins.to_string(),
        ),
        ("memory, first and last third", resources.memory()),
        ("descriptors, before and after", resources.descriptors()),
    ];
    let rows = rows.map(|(what, figure)| vec![what.to_owned(), figure]);
    print_table(&format!("every fault, seed {seed}"), &["", ""], &rows);
}

/// The outcome of a run.
struct Outcome {
    server: Process,
    resources: Resources,
    injected: usize,
    ledger: Ledger,
    refused: u64,
}

/// Writes while faults are injected, and reports the last rev at the end.
async fn run(
    disk: &SmallDisk,
    server: Process,
    random: ChaCha8Rng,
    progress: &watch::Sender<Progress>,
    lasts: Duration,
) -> Outcome {
    let until = Instant::now() + lasts;
    let base = &server.base.clone();
    let (attempts, attempted) = watch::channel(0);
    let mut injector = FaultInjector::new(disk, server, random, attempted);
    let mut resources = Resources::new(injector.server());
    let ledger = &Mutex::new(Ledger::default());
    // Drops `attempts` when the writers end.
    let writing = async move {
        let writers =
            (0..WRITERS).map(|number| write(base, number, ledger, progress, &attempts, until));
        join_all(writers).await
    };
    let injecting = async {
        injector.inject_all_until(until - lasts * 3 / 4).await;
        injector.inject_survived_until(until, &mut resources).await;
    };
    let (refused, ()) = tokio::join!(writing, injecting);
    let (server, injected) = injector.end();
    let last = rev(&server.json("/live/state").await);
    progress.send_modify(|progress| progress.last = Some(last));
    Outcome {
        server,
        resources,
        injected,
        ledger: std::mem::take(&mut *ledger.lock().unwrap()),
        refused: refused.into_iter().sum(),
    }
}

/// Sets one status after the other, and returns how many the server refused.
async fn write(
    base: &str,
    number: u64,
    ledger: &Mutex<Ledger>,
    progress: &watch::Sender<Progress>,
    attempts: &watch::Sender<u64>,
    until: Instant,
) -> u64 {
    let client = Client::builder().no_proxy().build().unwrap();
    // Often enough that viewers switch transports also in the short form.
    let every = Duration::from_millis(rounds(50, 200) as u64);
    let mut ticks = interval(every);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut refused = 0;
    for turn in number.. {
        ticks.tick().await;
        if Instant::now() >= until {
            break;
        }
        match set(&client, base, turn % PETS + 1, turn / 3, ledger).await {
            Some(200) => progress.send_modify(|progress| progress.made += 1),
            Some(503 | 507) => refused += 1,
            // No response: the server is being restarted.
            None => {}
            Some(other) => panic!("answered with {other}"),
        }
        attempts.send_modify(|attempts| *attempts += 1);
    }
    refused
}
