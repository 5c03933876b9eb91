//! Changes at a steady rate, at every node that is alive, whatever becomes of them.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use reqwest::Client;
use serde_json::{Value, json};
use tokio::sync::{oneshot, watch};
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::{Instant, MissedTickBehavior, interval};

use crate::support::{rev_of, within};

pub const PETS: u64 = 48;

const WORDS: [&str; 4] = ["eating", "bathing", "playing", "sleeping"];

/// Writes under way at once; while the engine is away each may take seconds.
const UNDER_WAY: usize = 64;

/// A change that was acknowledged.
#[derive(Debug)]
pub struct Made {
    pub cursor: String,
    pub pet: u64,
    pub status: &'static str,
    pub asked: Instant,
    pub answered: Instant,
}

/// What became of all writes.
#[derive(Default)]
pub struct Written {
    pub made: Vec<Made>,
    /// Of those nobody knows whether they were made: no answer, or one that says so.
    pub unknown: usize,
    /// Certainly not made.
    pub refused: usize,
    /// The pet, the status and the words of those.
    refusals: Vec<(u64, &'static str, String)>,
}

enum Outcome {
    Made(Made),
    Unknown,
    Refused(u64, &'static str, String),
}

pub struct Writers {
    stop: oneshot::Sender<()>,
    /// How many changes were acknowledged so far.
    made: watch::Receiver<usize>,
    /// The node that is not written to.
    avoided: Arc<AtomicUsize>,
    task: JoinHandle<Written>,
}

impl Writers {
    /// Begins to write at the nodes at `bases`, one after the other, so many changes in a second.
    pub fn start(bases: Vec<String>, per_second: u32) -> Self {
        let (stop, stopped) = oneshot::channel();
        let (progress, made) = watch::channel(0);
        let avoided = Arc::new(AtomicUsize::new(usize::MAX));
        let task = tokio::spawn(write(
            bases,
            per_second,
            Arc::clone(&avoided),
            progress,
            stopped,
        ));
        Writers {
            stop,
            made,
            avoided,
            task,
        }
    }

    /// Waits until `count` more changes were acknowledged, each within the limit.
    pub async fn until_made(&self, count: usize) {
        let mut made = self.made.clone();
        let enough = *made.borrow() + count;
        let mut now = 0;
        while now < enough {
            let waiting = made.wait_for(|made| *made > now);
            now = *within("another acknowledged change", waiting)
                .await
                .unwrap();
        }
    }

    /// Writes at the other nodes only from now on.
    pub fn avoid(&self, node: usize) {
        self.avoided.store(node, Ordering::Relaxed);
    }

    /// Stops, and gives what became of everything once it was answered.
    pub async fn stop(self) -> Written {
        // Fails when the writers have ended, and then the next line says why.
        let _ = self.stop.send(());
        within("the last answers", self.task).await.unwrap()
    }
}

async fn write(
    bases: Vec<String>,
    per_second: u32,
    avoided: Arc<AtomicUsize>,
    progress: watch::Sender<usize>,
    mut stopped: oneshot::Receiver<()>,
) -> Written {
    let client = Client::builder().no_proxy().build().unwrap();
    let mut pace = interval(Duration::from_secs(1) / per_second);
    pace.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let (mut under_way, mut written) = (JoinSet::new(), Written::default());
    for turn in 0.. {
        tokio::select! {
            _ = &mut stopped => break,
            _ = pace.tick() => {}
        }
        let mut node = turn % bases.len();
        if node == avoided.load(Ordering::Relaxed) {
            node = (node + 1) % bases.len();
        }
        if under_way.len() < UNDER_WAY {
            under_way.spawn(set(client.clone(), bases[node].clone(), turn));
        }
        while let Some(outcome) = under_way.try_join_next() {
            written.note(outcome.unwrap());
        }
        progress.send_replace(written.made.len());
    }
    while let Some(outcome) = under_way.join_next().await {
        written.note(outcome.unwrap());
    }
    written
}

async fn set(client: Client, base: String, turn: usize) -> Outcome {
    let (pet, status) = (turn as u64 % PETS + 1, WORDS[turn / 7 % WORDS.len()]);
    let url = format!("{base}/api/v1/pets/{pet}/status");
    let asked = Instant::now();
    let answer = client
        .put(url)
        .json(&json!({ "status": status }))
        .send()
        .await;
    let Ok(answer) = answer else {
        return Outcome::Unknown;
    };
    let code = answer.status().as_u16();
    let Ok(answer) = answer.json::<Value>().await else {
        return Outcome::Unknown;
    };
    match code {
        200 => Outcome::Made(Made {
            cursor: answer["cursor"].as_str().unwrap().to_owned(),
            pet,
            status,
            asked,
            answered: Instant::now(),
        }),
        503 if answer["detail"]
            .as_str()
            .unwrap()
            .contains("may have been made") =>
        {
            Outcome::Unknown
        }
        409 | 503 => Outcome::Refused(pet, status, answer["detail"].to_string()),
        _ => panic!("{answer}"),
    }
}

impl Written {
    fn note(&mut self, outcome: Outcome) {
        match outcome {
            Outcome::Made(made) => self.made.push(made),
            Outcome::Unknown => self.unknown += 1,
            Outcome::Refused(pet, status, words) => {
                self.refused += 1;
                self.refusals.push((pet, status, words));
            }
        }
    }

    /// Holds what was acknowledged against the changes that were seen: each is there once, as it
    /// was asked for, and beside them at most those of which nobody knew.
    pub fn assert_kept(&self, changes: &[(u64, String)]) {
        for made in &self.made {
            let rev = rev_of(&made.cursor);
            let place = changes.binary_search_by_key(&rev, |(rev, _)| *rev);
            let place = place.unwrap_or_else(|_| panic!("lost: {made:?}"));
            let change: Value = serde_json::from_str(&changes[place].1).unwrap();
            assert_eq!(change["cursor"], made.cursor.as_str());
            assert_eq!(change["pet"], made.pet, "{made:?} is {change}");
            assert_eq!(change["status"], made.status, "{made:?} is {change}");
        }
        let mut cursors: Vec<&str> = self.made.iter().map(|made| &*made.cursor).collect();
        cursors.sort_unstable();
        cursors.dedup();
        assert_eq!(cursors.len(), self.made.len(), "a cursor was given twice");
        let others = changes.len() - cursors.len();
        assert!(
            others <= self.unknown,
            "{others} changes were not acknowledged, and of {} nobody knew: {:?}, refused were {:?}",
            self.unknown,
            self.unacknowledged(changes),
            self.refusals
        );
    }

    fn unacknowledged<'a>(&self, changes: &'a [(u64, String)]) -> Vec<&'a str> {
        let made: Vec<u64> = self.made.iter().map(|made| rev_of(&made.cursor)).collect();
        let others = changes.iter().filter(|(rev, _)| !made.contains(rev));
        others.map(|(_, message)| &**message).collect()
    }

    /// From `failure` until the first change was acknowledged that was asked for after it.
    pub fn back_after(&self, failure: Instant) -> Duration {
        let later = self.made.iter().filter(|made| made.asked >= failure);
        let answered = later.map(|made| made.answered).min();
        answered.expect("writes came back").duration_since(failure)
    }
}
