//! The lease of the one node that runs the simulator.
//!
//! It is a record that goes away by itself when it is not renewed, and it is trusted by this node's
//! own clock alone. That two nodes never tick at once does not rest on it: each tick moves a record
//! of the stream on, and only one of two can do that.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_nats::HeaderMap;
use tokio::time::{Instant, MissedTickBehavior, interval};

use super::batch::EXPECTED;
use super::layout::{LEASE, LEASE_SECONDS, LEASE_STREAM};
use super::link::{Failed, Link, read_answer};
use super::read;

const RENEW_EVERY: Duration = Duration::from_secs(3);

/// Given up this much earlier than it ends, for clocks that do not run alike.
const MARGIN: Duration = Duration::from_secs(2);

/// Whether this node has the lease.
#[derive(Clone, Default)]
pub struct Lease(Arc<Mutex<Option<Instant>>>);

impl Lease {
    pub fn is_held(&self) -> bool {
        let until = self.0.lock().expect("no holder of this lock panics");
        until.is_some_and(|until| Instant::now() < until)
    }

    fn set(&self, until: Option<Instant>) {
        *self.0.lock().expect("no holder of this lock panics") = until;
    }

    /// Tries to get it, and to keep it, until the future is dropped.
    pub async fn campaign(self, link: Link) {
        let mut renewal = interval(RENEW_EVERY);
        renewal.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut mine = None;
        loop {
            renewal.tick().await;
            let from = Instant::now();
            let held = match mine {
                Some(seq) => write(&link, seq).await,
                None => acquire(&link).await,
            };
            match held {
                Ok(seq) => {
                    mine = Some(seq);
                    self.set(Some(from + Duration::from_secs(LEASE_SECONDS) - MARGIN));
                }
                // Somebody else has it.
                Err(Failed::Refused { .. }) => {
                    mine = None;
                    self.set(None);
                }
                // Kept until it ends by the clock; whether it was renewed shows at the next try.
                Err(failed) => tracing::debug!(?failed, "the lease could not be renewed"),
            }
        }
    }
}

/// Takes the lease when nobody has it.
async fn acquire(link: &Link) -> Result<u64, Failed> {
    match read::last_in(link, LEASE_STREAM, LEASE).await {
        Ok(None) => write(link, 0).await,
        _ => Err(Failed::Refused {
            code: 0,
            words: "held by another".to_owned(),
        }),
    }
}

/// Writes the lease if its last record is still `expected`, 0 for none.
async fn write(link: &Link, expected: u64) -> Result<u64, Failed> {
    let mut headers = HeaderMap::new();
    headers.insert(EXPECTED, expected.to_string());
    let answer = link
        .ask(LEASE.to_owned(), headers, b"held".to_vec())
        .await?;
    let answer = read_answer(&answer.payload)?;
    answer["seq"]
        .as_u64()
        .ok_or_else(|| Failed::Unanswered(format!("not an answer: {answer}")))
}
