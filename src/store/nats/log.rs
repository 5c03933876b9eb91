//! Reads of the log: the changes that the stream still has, which are the newest of each pet.

use super::client::NatsClient;
use super::gap_fill::follows_without_gap;
use super::read;
use super::record::decode_if_change;
use super::subjects::{PET, PETS};
use crate::model::{Change, PetId, Rev};
use crate::store::{LogPart, Recent, StoreError};

/// Messages per read.
const MESSAGES_PER_READ: usize = 512;

/// Factor by which each range of a backward search is wider than the last one.
const RANGE_GROWTH: u64 = 4;

/// Returns up to `limit` changes after `after`. See `Engine::tail`.
///
/// # Errors
/// `Trimmed` if there is a gap; `Unavailable` if the servers do not answer.
pub async fn tail(
    client: &NatsClient,
    after: Rev,
    limit: usize,
) -> Result<Vec<Change>, StoreError> {
    let mut next = after.next().get();
    let mut changes = Vec::new();
    while changes.len() < limit {
        let read = read::messages_from(client, &PETS, PETS.subjects, next, MESSAGES_PER_READ);
        let messages = read.await?;
        if messages.is_empty() {
            break;
        }
        for message in &messages {
            if !follows_without_gap(next, message) {
                return Err(StoreError::Trimmed);
            }
            changes.extend(decode_if_change(message)?.map(|applied| applied.change));
            next = message.seq + 1;
        }
    }
    changes.truncate(limit);
    Ok(changes)
}

/// Returns up to `limit` changes after `after` that the stream still has. See `Engine::remaining_after`.
///
/// # Errors
/// `Unavailable` if the replica that answers does not have `upto` in time: what it has would look like the whole.
pub async fn remaining_after(
    client: &NatsClient,
    after: Rev,
    upto: Rev,
    limit: usize,
) -> Result<LogPart, StoreError> {
    let mut part = LogPart {
        changes: Vec::new(),
        reaches: after,
        lost: None,
    };
    while part.reaches < upto && part.changes.len() < limit {
        let start = part.reaches.next().get();
        let count = (limit - part.changes.len()).min(MESSAGES_PER_READ);
        let read = read::existing_messages_from(client, &PETS, PETS.subjects, start, count);
        for message in read.await? {
            let next = part.reaches.next();
            if !follows_without_gap(next.get(), &message) {
                let first = part.lost.map_or(next, |(first, _)| first);
                part.lost = Some((first, Rev::new(message.seq - 1).min(upto)));
            }
            part.reaches = Rev::new(message.seq).min(upto);
            if message.seq > upto.get() {
                break;
            }
            let change = decode_if_change(&message)?.map(|applied| applied.change);
            part.changes.extend(change);
        }
    }
    Ok(part)
}

/// Returns the newest changes up to `upto`, back to the last gap. See `Engine::recent`.
pub async fn recent(client: &NatsClient, upto: Rev, limit: usize) -> Result<Recent, StoreError> {
    let mut next = upto.next().get().saturating_sub(limit as u64).max(1);
    let mut recent = Recent {
        after: Rev::new(next - 1),
        changes: Vec::new(),
    };
    while next <= upto.get() {
        let subjects = PETS.subjects;
        let read = read::existing_messages_from(client, &PETS, subjects, next, MESSAGES_PER_READ);
        for message in read.await? {
            if !follows_without_gap(next, &message) {
                // Other nodes may be so busy that `upto` itself was dropped.
                recent.after = Rev::new(message.seq - 1).min(upto);
                recent.changes.clear();
            }
            next = message.seq + 1;
            if message.seq > upto.get() {
                break;
            }
            let change = decode_if_change(&message)?.map(|applied| applied.change);
            recent.changes.extend(change);
        }
    }
    Ok(recent)
}

/// Returns up to `limit` changes of one pet, newest first. See `Engine::history`.
pub async fn history(
    client: &NatsClient,
    pet: PetId,
    before: Option<Rev>,
    limit: usize,
) -> Result<Vec<Change>, StoreError> {
    let subject = format!("{PET}{pet}");
    let last = read::last_message(client, PETS.name, &subject).await?;
    let mut end = last.map_or(0, |last| last.seq + 1);
    end = before.map_or(end, |before| end.min(before.get()));
    // Direct gets only read forward, so ever wider ranges are read, the newest first.
    let mut width = limit.max(1) as u64;
    let mut changes = Vec::new();
    while end > 1 && changes.len() < limit {
        let start = end.saturating_sub(width).max(1);
        let older = changes_between(client, &subject, start, end).await?;
        changes.extend(older.into_iter().rev());
        (end, width) = (start, width.saturating_mul(RANGE_GROWTH));
    }
    changes.truncate(limit);
    Ok(changes)
}

/// Reads the changes that match `filter`, from the sequence number `next` up to and without `end`.
pub async fn changes_between(
    client: &NatsClient,
    filter: &str,
    mut next: u64,
    end: u64,
) -> Result<Vec<Change>, StoreError> {
    let mut changes = Vec::new();
    while next < end {
        let limit = usize::try_from(end - next).unwrap_or(MESSAGES_PER_READ);
        let limit = limit.min(MESSAGES_PER_READ);
        let messages = read::messages_from(client, &PETS, filter, next, limit).await?;
        let Some(last) = messages.last() else { break };
        next = last.seq + 1;
        for message in messages.iter().filter(|message| message.seq < end) {
            changes.extend(decode_if_change(message)?.map(|applied| applied.change));
        }
    }
    Ok(changes)
}
