//! Everything at once, for as long as it takes: viewers who wander between transports, people who
//! write, a crowd that comes and goes, clients that take nothing, a disk that fills up, a server
//! that stands still, stops, or is killed.
//!
//! What everyone saw and was told is held against the log in the end. In the first quarter the
//! server is started again and again; after that one process has to last, and to stay as small as
//! it was. The order of things comes from a seed; `PET_STORE_TEST_SEED` sets another.

mod mishaps;
mod place;
mod vitals;

use std::sync::Mutex;
use std::time::Duration;

use futures_util::future::join_all;
use rand::SeedableRng;
use rand::rngs::ChaCha8Rng;
use reqwest::Client;
use rustix::process::Signal;
use tokio::sync::watch;
use tokio::time::{Instant, MissedTickBehavior, interval};

use self::mishaps::Mishaps;
use self::place::Place;
use self::vitals::Vitals;
use super::ledger::{Ledger, Verdict};
use super::writing::set;
use super::{rounds, table};
use crate::support::{Process, log_of, rev};
use crate::transcript::audience::watch_and_wander;
use crate::transcript::{Progress, SEED, check};

const VIEWERS: u64 = 8;

/// They begin one after the other, before so many changes were made.
const BEGIN_BEFORE: usize = 80;

const PETS: u64 = 6;

const WRITERS: u64 = 4;

#[tokio::test]
async fn everything_at_once_loses_nothing_repeats_nothing_and_leaves_nothing_behind() {
    let seed = std::env::var("PET_STORE_TEST_SEED").map_or(SEED, |seed| seed.parse().unwrap());
    eprintln!("PET_STORE_TEST_SEED={seed}");
    let random = |number: u64| ChaCha8Rng::seed_from_u64(seed.wrapping_add(number));
    let lasts = Duration::from_secs(rounds(16, 1200) as u64);
    let place = Place::make().await;
    let server = place.start("127.0.0.1:0").await;
    let base = server.base.clone();
    let (progress, watching) = watch::channel(Progress::default());

    let viewers = (0..VIEWERS)
        .map(|number| watch_and_wander(&base, BEGIN_BEFORE, watching.clone(), random(number)));
    let events = live(
        Mishaps::new(&place, server, random(VIEWERS)),
        &base,
        &progress,
        lasts,
    );
    let (transcripts, life) = tokio::join!(join_all(viewers), events);
    let Life {
        mut server,
        vitals,
        happened,
        ledger,
        refused,
    } = life;
    vitals.until_all_left(&server).await;
    server.signal(Signal::TERM);
    assert_eq!(server.end().await.code(), Some(0));

    let log = log_of(place.copy().path());
    for transcript in &transcripts {
        check(transcript, &log);
    }
    let Verdict { lost, ghosts, kept } = ledger.verify(&log);
    assert_eq!((lost, ghosts), (0, 0));
    assert!(refused > 0, "the disk was full");
    vitals.assert_flat();
    let seen: usize = transcripts
        .iter()
        .map(|transcript| transcript.seen.len())
        .sum();
    let joins: usize = transcripts.iter().map(|transcript| transcript.joins).sum();
    let rows = [
        ("lasted", format!("{} s", lasts.as_secs())),
        ("mishaps", happened.to_string()),
        ("changes kept", kept.to_string()),
        ("changes acknowledged", ledger.acknowledged().to_string()),
        ("changes refused", refused.to_string()),
        ("acknowledged and lost", lost.to_string()),
        ("messages seen, each once and in order", seen.to_string()),
        (
            "joins and switches of those who saw them",
            joins.to_string(),
        ),
        ("memory, first and last third", vitals.memory()),
        ("descriptors, before and after", vitals.descriptors()),
    ];
    let rows = rows.map(|(what, figure)| vec![what.to_owned(), figure]);
    table::print(
        &format!("everything at once, seed {seed}"),
        &["", ""],
        &rows,
    );
}

/// What became of a server that everything happened to.
struct Life {
    server: Process,
    vitals: Vitals,
    happened: usize,
    ledger: Ledger,
    refused: u64,
}

/// Has people write while things happen to the server, and says when nothing more will come.
async fn live(
    mut mishaps: Mishaps<'_>,
    base: &str,
    progress: &watch::Sender<Progress>,
    lasts: Duration,
) -> Life {
    let until = Instant::now() + lasts;
    let mut vitals = Vitals::of(mishaps.server());
    let ledger = Mutex::new(Ledger::default());
    let writers = (0..WRITERS).map(|number| write(base, number, &ledger, progress, until));
    let things = async {
        mishaps.end_until(until - lasts * 3 / 4).await;
        mishaps.survive_until(until, &mut vitals).await;
    };
    let (refused, ()) = tokio::join!(join_all(writers), things);
    let (server, happened) = mishaps.end();
    let last = rev(&server.json("/live/state").await);
    progress.send_modify(|progress| progress.last = Some(last));
    let refused = refused.into_iter().sum();
    Life {
        server,
        vitals,
        happened,
        ledger: ledger.into_inner().unwrap(),
        refused,
    }
}

/// Sets one status after the other; how many the server said it could not keep.
async fn write(
    base: &str,
    number: u64,
    ledger: &Mutex<Ledger>,
    progress: &watch::Sender<Progress>,
    until: Instant,
) -> u64 {
    let client = Client::builder().no_proxy().build().unwrap();
    // Often enough that viewers wander also in the short form.
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
            // Nobody answered: the server is being started again.
            None => {}
            Some(other) => panic!("answered with {other}"),
        }
    }
    refused
}
