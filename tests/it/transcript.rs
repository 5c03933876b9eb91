//! Compares what each viewer received with what was committed.
//!
//! A thousand changes are made by form, API and socket. Meanwhile viewers connect, disconnect and
//! reconnect with their cursor over another transport, and the server is stopped once and killed once.
//! Each viewer has received exactly the log from its first cursor on.
//!
//! All choices are derived from a seed, which is printed. `PET_STORE_TEST_SEED` sets another.

pub mod audience;
mod traffic;

use std::path::Path;
use std::time::Duration;

use futures_util::future::join_all;
use rand::rngs::ChaCha8Rng;
use rand::{RngExt, SeedableRng};
use rustix::process::Signal;
use serde_json::Value;
use tokio::sync::watch;
use tokio::time::timeout;

use self::audience::{Transcript, watch_and_wander};
use self::traffic::make_changes;
use crate::support::{Process, log_of, rev, until};

/// Changes that are requested and confirmed.
const CHANGES: usize = 1000;

/// Changes after which the server is stopped, and after which it is killed.
const STOP_AFTER: usize = 350;
const KILL_AFTER: usize = 700;

const VIEWERS: u64 = 8;

/// Limit on the whole test: far above its duration, even on a slow disk with a thousand syncs.
const LIMIT: Duration = Duration::from_mins(10);

pub const SEED: u64 = 20_261_122;

/// Progress of the changes, for the viewers.
#[derive(Clone, Copy, Default)]
pub struct Progress {
    /// Changes confirmed so far.
    pub made: usize,
    /// The rev of the last change, once it was made.
    pub last: Option<u64>,
}

#[tokio::test]
async fn every_viewer_sees_exactly_the_log_through_reconnects_switches_a_stop_and_a_kill() {
    let seed = std::env::var("PET_STORE_TEST_SEED").map_or(SEED, |seed| seed.parse().unwrap());
    eprintln!("PET_STORE_TEST_SEED={seed}");
    let folder = tempfile::tempdir().unwrap();
    let mut server = start(folder.path(), "127.0.0.1:0").await;
    let base = server.base.clone();
    let (progress, watching) = watch::channel(Progress::default());
    let viewers = join_all((0..VIEWERS).map(|number| {
        let random = ChaCha8Rng::seed_from_u64(seed.wrapping_add(number));
        watch_and_wander(&base, CHANGES / 2, watching.clone(), random)
    }));
    let events = async {
        let changes = make_changes(&base, &progress, ChaCha8Rng::seed_from_u64(!seed));
        let restarts = restart_twice(&mut server, folder.path(), watching.clone());
        tokio::join!(changes, restarts);
        let state = server.json("/live/state").await;
        progress.send_modify(|progress| progress.last = Some(rev(&state)));
    };
    let everything = timeout(LIMIT, async { tokio::join!(viewers, events) });
    let (transcripts, ()) = everything.await.expect("all viewers reach the last change");
    server.signal(Signal::TERM);
    assert_eq!(server.end().await.code(), Some(0));
    let log = log_of(&folder.path().join("data"));
    assert!(log.len() >= CHANGES);
    for transcript in &transcripts {
        check(transcript, &log);
    }
}

async fn start(folder: &Path, listen: &str) -> Process {
    let arguments = [
        "--listen",
        listen,
        "--simulate",
        "off",
        "--heartbeat",
        "200ms",
        "--grace",
        "3s",
    ];
    Process::start(folder, &arguments).await
}

/// Stops the server once and kills it once, and restarts it each time on the same port.
async fn restart_twice(
    server: &mut Process,
    folder: &Path,
    mut progress: watch::Receiver<Progress>,
) {
    for (after, signal) in [(STOP_AFTER, Signal::TERM), (KILL_AFTER, Signal::KILL)] {
        progress
            .wait_for(|progress| progress.made >= after)
            .await
            .unwrap();
        server.signal(signal);
        server.end().await;
        let listen = server.base.strip_prefix("http://").unwrap().to_owned();
        *server = start(folder, &listen).await;
    }
}

/// Asserts that a viewer received exactly the log: each change once, in order.
pub fn check(transcript: &Transcript, log: &[Value]) {
    let Transcript {
        first,
        pets,
        seen,
        joins,
    } = transcript;
    let is_wanted = |message: &&Value| {
        rev(message) > *first
            && (pets.is_empty() || pets.contains(&message["pet"].as_u64().unwrap()))
    };
    let expected: Vec<&Value> = log.iter().filter(is_wanted).collect();
    for (seen, expected) in seen.iter().zip(&expected) {
        assert_eq!(&seen, expected, "a viewer of {pets:?} from {first} on");
    }
    assert_eq!(
        seen.len(),
        expected.len(),
        "a viewer of {pets:?} from {first} on"
    );
    assert!(
        *joins > 3 && !seen.is_empty(),
        "a viewer that did not reconnect proves little"
    );
}

/// Returns a random number below `end`.
fn below(random: &mut ChaCha8Rng, end: usize) -> usize {
    random.random_range(0..end)
}

/// Waits until a server listens at `base`.
async fn until_served(base: &str) {
    let address = base.strip_prefix("http://").unwrap();
    until("the server to restart", async || {
        tokio::net::TcpStream::connect(address).await.is_ok()
    })
    .await;
}
