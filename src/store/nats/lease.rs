//! The lease of the one node that runs the simulator.
//!
//! It is a record that goes away by itself when it is not renewed, and it is trusted by this node's
//! own clock alone. A node that stops says so in the record, and another goes on at once. That two
//! nodes never tick at once does not rest on it: each tick moves a record of the stream on, and only
//! one of two can do that.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_nats::HeaderMap;
use tokio::time::{Instant, sleep};

use super::answer::{Failed, read_answer};
use super::batch::EXPECTED;
use super::layout::{self, LEASE_SECONDS};
use super::link::Link;
use super::read;
use super::subjects::{LEASE, LEASE_STREAM};

const RENEW_EVERY: Duration = Duration::from_secs(3);

/// How often one that another node has is asked for.
const ASK_EVERY: Duration = Duration::from_secs(1);

/// What the record says: whether somebody has it, or gave it back.
const HELD: &[u8] = b"held";
const FREE: &[u8] = b"free";

/// Given up this much earlier than it ends, for clocks that do not run alike.
const MARGIN: Duration = Duration::from_secs(2);

/// The lease, as far as this node has it.
#[derive(Clone, Default)]
pub struct Lease(Arc<Mutex<Option<Held>>>);

#[derive(Clone, Copy)]
struct Held {
    until: Instant,
    /// Of its last record.
    seq: u64,
}

impl Lease {
    pub fn is_held(&self) -> bool {
        let held = *self.0.lock().expect("no holder of this lock panics");
        held.is_some_and(|held| Instant::now() < held.until)
    }

    fn set(&self, held: Option<Held>) -> Option<Held> {
        let mut place = self.0.lock().expect("no holder of this lock panics");
        std::mem::replace(&mut place, held)
    }

    /// Gives it back, so that nobody waits for its end. Called after `campaign` was dropped.
    pub async fn release(&self, link: &Link) {
        if let Some(held) = self.set(None)
            && let Err(failed) = write(link, held.seq, FREE).await
        {
            tracing::debug!(?failed, "the lease was not given back; it ends by itself");
        }
    }

    /// Tries to get it, and to keep it, until the future is dropped.
    pub async fn campaign(self, link: Link) {
        let mut mine = None;
        loop {
            let from = Instant::now();
            let written = match mine {
                Some(seq) => write(&link, seq, HELD).await,
                None => acquire(&link).await,
            };
            match written {
                Ok(seq) => {
                    mine = Some(seq);
                    let until = from + Duration::from_secs(LEASE_SECONDS) - MARGIN;
                    self.set(Some(Held { until, seq }));
                }
                // Somebody else has it.
                Err(Failed::Refused { .. }) => {
                    mine = None;
                    self.set(None);
                }
                // Kept until it ends by the clock; whether it was renewed shows at the next try.
                Err(failed) => {
                    tracing::debug!(?failed, "the lease could not be renewed");
                    restore(&link).await;
                }
            }
            sleep(mine.map_or(ASK_EVERY, |_| RENEW_EVERY)).await;
        }
    }
}

/// Creates the lease's stream if somebody has deleted it: without it no node runs the simulator.
async fn restore(link: &Link) {
    match layout::restore_lease(link).await {
        Ok(true) => tracing::warn!(
            stream.name = LEASE_STREAM,
            "the simulator's lease was deleted from the engine; it was created again"
        ),
        Ok(false) => {}
        Err(error) => tracing::debug!(%error, "cannot check whether the simulator's lease exists"),
    }
}

/// Takes the lease when nobody has it.
async fn acquire(link: &Link) -> Result<u64, Failed> {
    match read::last_in(link, LEASE_STREAM, LEASE).await {
        Ok(None) => write(link, 0, HELD).await,
        Ok(Some(entry)) if entry.payload == FREE => write(link, entry.seq, HELD).await,
        Ok(Some(_)) => Err(Failed::Refused {
            code: 0,
            words: "held by another".to_owned(),
        }),
        Err(error) => Err(Failed::Unanswered(error.to_string())),
    }
}

/// Writes the lease if its last record is still `expected`, 0 for none.
async fn write(link: &Link, expected: u64, words: &[u8]) -> Result<u64, Failed> {
    let mut headers = HeaderMap::new();
    headers.insert(EXPECTED, expected.to_string());
    let answer = link.ask(LEASE.to_owned(), headers, words.to_vec()).await?;
    let answer = read_answer(&answer.payload)?;
    answer["seq"]
        .as_u64()
        .ok_or_else(|| Failed::Unanswered(format!("not an answer: {answer}")))
}
