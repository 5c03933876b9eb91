//! The leases of the nodes that run the simulator and send to webhooks.
//!
//! The lease is a record that expires unless it is renewed. A node trusts it by its own clock only. A
//! node that stops marks the record as free, and another takes it over without waiting. That two
//! nodes never tick concurrently does not rest on the lease: each tick moves a record of the stream
//! by compare-and-set.
//!
//! The record is an entry of a key-value bucket, but it is not accessed through `kv::Store`, which
//! queues a write while there is no connection (a lease could be renewed long after it was given
//! up), waits for one replica only, and does not distinguish a refusal from an unknown outcome.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_nats::HeaderMap;
use async_nats::header::NATS_EXPECTED_LAST_SUBJECT_SEQUENCE;
use async_nats::jetstream::ErrorCode;
use async_nats::jetstream::publish::PublishAck;
use tokio::time::{Instant, sleep};

use super::client::{NatsClient, RequestFailure, parse_answer};
use super::layout::{self, LEASE_DURATION};
use super::read;
use super::subjects::LEASE_STREAM;

/// Interval at which the holder renews the lease.
const RENEW_INTERVAL: Duration = Duration::from_secs(3);

/// Interval at which other nodes try to take the lease.
const ACQUIRE_INTERVAL: Duration = Duration::from_secs(1);

/// Values of the record.
const HELD: &[u8] = b"held";
const FREE: &[u8] = b"free";

/// Safety margin for clocks that run at different speeds: the holder gives up this much earlier.
const MARGIN: Duration = Duration::from_secs(2);

/// The lease as far as this node holds it. Clones share it.
#[derive(Clone)]
pub struct Lease {
    /// Subject of the record.
    subject: &'static str,
    term: Arc<Mutex<Option<LeaseTerm>>>,
}

#[derive(Clone, Copy)]
struct LeaseTerm {
    until: Instant,
    /// Sequence number of the record.
    seq: u64,
}

impl Lease {
    /// Creates a lease that this node does not hold.
    pub fn new(subject: &'static str) -> Self {
        Lease {
            subject,
            term: Arc::default(),
        }
    }

    /// Returns true if this node holds the lease.
    pub fn is_held(&self) -> bool {
        let term = *self.term.lock().expect("no holder of this lock panics");
        term.is_some_and(|term| Instant::now() < term.until)
    }

    fn set(&self, term: Option<LeaseTerm>) -> Option<LeaseTerm> {
        let mut current = self.term.lock().expect("no holder of this lock panics");
        std::mem::replace(&mut current, term)
    }

    /// Marks the lease as free, so that another node can take it immediately. Called after the future
    /// of `campaign` was dropped.
    pub async fn release(&self, client: &NatsClient) {
        if let Some(term) = self.set(None)
            && let Err(failure) = write(client, self.subject, term.seq, FREE).await
        {
            tracing::debug!(?failure, "the lease was not released; it will expire");
        }
    }

    /// Acquires and renews the lease until the future is dropped.
    pub async fn campaign(self, client: NatsClient) {
        let mut held_seq = None;
        loop {
            let sent = Instant::now();
            let written = match held_seq {
                Some(seq) => write(&client, self.subject, seq, HELD).await,
                None => acquire(&client, self.subject).await,
            };
            match written {
                Ok(seq) => {
                    held_seq = Some(seq);
                    let until = sent + LEASE_DURATION - MARGIN;
                    self.set(Some(LeaseTerm { until, seq }));
                }
                // Another node holds it.
                Err(RequestFailure::Refused { .. }) => {
                    held_seq = None;
                    self.set(None);
                }
                // The lease stays held until it expires; the next attempt shows whether this one
                // renewed it.
                Err(failure) => {
                    tracing::debug!(?failure, "the lease could not be renewed");
                    restore_stream(&client).await;
                }
            }
            sleep(held_seq.map_or(ACQUIRE_INTERVAL, |_| RENEW_INTERVAL)).await;
        }
    }
}

/// Creates the lease's stream if an operator has deleted it: without it no node has a duty.
async fn restore_stream(client: &NatsClient) {
    match layout::restore_lease(client).await {
        Ok(true) => tracing::warn!(
            stream.name = LEASE_STREAM,
            "the lease was deleted from the engine; it was created again"
        ),
        Ok(false) => {}
        Err(error) => tracing::debug!(%error, "cannot check whether the lease exists"),
    }
}

/// Takes the lease if no node holds it.
async fn acquire(client: &NatsClient, subject: &'static str) -> Result<u64, RequestFailure> {
    match read::last_message(client, LEASE_STREAM, subject).await {
        Ok(None) => write(client, subject, 0, HELD).await,
        Ok(Some(record)) if *record.payload == *FREE => {
            write(client, subject, record.seq, HELD).await
        }
        Ok(Some(_)) => Err(RequestFailure::Refused {
            code: ErrorCode(0),
            reason: "another node holds the lease".to_owned(),
        }),
        Err(error) => Err(RequestFailure::NoAnswer(error.to_string())),
    }
}

/// Writes the record if its last sequence number is `expected`; 0 for none.
async fn write(
    client: &NatsClient,
    subject: &'static str,
    expected: u64,
    value: &[u8],
) -> Result<u64, RequestFailure> {
    let mut headers = HeaderMap::new();
    headers.insert(NATS_EXPECTED_LAST_SUBJECT_SEQUENCE, expected.to_string());
    let answer = client
        .request(subject.to_owned(), headers, value.to_vec())
        .await?;
    let ack: PublishAck = parse_answer(&answer.payload)?;
    Ok(ack.sequence)
}
