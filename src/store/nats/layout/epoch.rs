//! The record of the epoch. The first node begins an epoch, and a node that finds that the stream has
//! lost changes begins another.

use rand::RngExt;

use super::StreamState;
use super::subjects::{EPOCH, PETS};
use crate::model::Epoch;
use crate::store::StoreError;
use crate::store::nats::batch::{self, BatchMessage, batch_error};
use crate::store::nats::client::NatsClient;
use crate::store::nats::read;
use crate::store::nats::record::decode_epoch;

/// An epoch, and where the stream has its record.
pub struct EpochRecord {
    /// The epoch.
    pub epoch: Epoch,
    /// Sequence number of the record.
    pub seq: u64,
}

/// Reads the epoch of the stream; `None` may also mean that the replica lags.
///
/// # Errors
/// `Unavailable` if no server answers; `Record` if pet-store did not write the record.
pub async fn last(client: &NatsClient) -> Result<Option<EpochRecord>, StoreError> {
    let message = read::last_message(client, PETS.name, EPOCH).await?;
    let record = message.map(|message| {
        Ok(EpochRecord {
            epoch: decode_epoch(&message)?,
            seq: message.seq,
        })
    });
    record.transpose()
}

/// Begins the first epoch of a stream that is empty.
///
/// # Errors
/// `Unfinished` if the stream has records and no epoch, which an import writes last.
pub async fn ensure(client: &NatsClient) -> Result<(), StoreError> {
    for _ in 0..2 {
        if last(client).await?.is_some() {
            return Ok(());
        }
        let state = StreamState::request(client, &PETS).await?;
        if state.last_seq > 0 {
            return Err(StoreError::Unfinished);
        }
        match begin_first(client, 0).await {
            // Another node began one at the same time.
            Err(StoreError::Conflict) => {}
            begun => return begun,
        }
    }
    Err(StoreError::Conflict)
}

/// Begins the first epoch if the last message of the stream is `last`. An unfinished import is then
/// never taken for a store.
///
/// # Errors
/// `Conflict` if the stream has another last message or an epoch; otherwise as for a commit.
pub async fn begin_first(client: &NatsClient, last: u64) -> Result<(), StoreError> {
    send(client, new_record(0).expect_stream_at(last)).await
}

/// Begins another epoch than `ended`, unless another node did so.
///
/// # Errors
/// `Conflict` if another node did so at the same moment, or a replica that lags was read: the next
/// attempt finds out.
pub async fn end(client: &NatsClient, ended: Epoch) -> Result<(), StoreError> {
    let last = last(client).await?;
    if last.as_ref().is_some_and(|last| last.epoch != ended) {
        return Ok(());
    }
    send(client, new_record(last.map_or(0, |last| last.seq))).await
}

/// Returns the record of a new epoch, for a stream whose last such record is `seq`.
fn new_record(seq: u64) -> BatchMessage {
    let epoch = Epoch::new(rand::rng().random());
    BatchMessage::new(EPOCH, epoch.to_string().into_bytes()).expect_subject_at(seq)
}

async fn send(client: &NatsClient, record: BatchMessage) -> Result<(), StoreError> {
    let sent = batch::send(client, &batch::new_op(), vec![record]).await;
    sent.map(drop).map_err(batch_error)
}
