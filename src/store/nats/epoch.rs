//! The record of the epoch: whichever node comes first begins one, and whoever finds that the stream
//! has forgotten something begins another.

use rand::RngExt;

use super::batch::{self, FOLLOWED, Outgoing};
use super::link::Link;
use super::message::read_epoch;
use super::read;
use super::state::StreamState;
use super::subjects::{EPOCH, PETS};
use crate::model::Epoch;
use crate::store::StoreError;

/// An epoch, and where its record is in the stream.
pub struct Begun {
    pub epoch: Epoch,
    pub seq: u64,
}

/// The epoch that the stream has; `None` may also mean that the server that answered is behind.
pub async fn last(link: &Link) -> Result<Option<Begun>, StoreError> {
    let entry = read::last_of(link, EPOCH).await?;
    let begun = entry.map(|entry| {
        Ok(Begun {
            epoch: read_epoch(&entry.payload)?,
            seq: entry.seq,
        })
    });
    begun.transpose()
}

/// Makes sure that the stream has an epoch: one in which nothing ever happened gets one.
///
/// # Errors
/// `Unfinished` when there are records and no epoch, which is written last.
pub async fn ensure(link: &Link) -> Result<(), StoreError> {
    for _ in 0..2 {
        if last(link).await?.is_some() {
            return Ok(());
        }
        let state = StreamState::ask(link, &PETS).await?;
        if state.last_seq > 0 {
            return Err(StoreError::Unfinished);
        }
        match begin_first(link, 0).await {
            // Another node did so in the same moment.
            Err(StoreError::Conflict) => {}
            begun => return begun,
        }
    }
    Err(StoreError::Conflict)
}

/// Begins the epoch of a stream that has none, unless its last message is another than `last`: what
/// is not whole yet is then not taken for a store.
pub async fn begin_first(link: &Link, last: u64) -> Result<(), StoreError> {
    send(link, 0, vec![(FOLLOWED, last.to_string())]).await
}

/// Begins another epoch than `ended`, unless somebody else has done so.
///
/// # Errors
/// `Conflict` when somebody did so at the same moment, or a copy that is behind was read: then
/// the next try finds out.
pub async fn end(link: &Link, ended: Epoch) -> Result<(), StoreError> {
    let last = last(link).await?;
    if last.as_ref().is_some_and(|begun| begun.epoch != ended) {
        return Ok(());
    }
    send(link, last.map_or(0, |begun| begun.seq), Vec::new()).await
}

/// Writes a new epoch, unless the record has moved on from `expected`.
async fn send(
    link: &Link,
    expected: u64,
    headers: Vec<(&'static str, String)>,
) -> Result<(), StoreError> {
    let epoch = Epoch::new(rand::rng().random());
    let record = Outgoing {
        subject: EPOCH.to_owned(),
        expected: Some(expected),
        headers,
        body: epoch.to_string().into_bytes(),
    };
    let sent = batch::send(link, &batch::new_op(), vec![record]).await;
    sent.map(drop).map_err(batch::explain)
}
