//! A cluster out into an export, and an empty one filled out of one.
//!
//! Reading happens beside nodes that write. Filling is done by one program alone: each batch must
//! follow the one before, and the epoch, without which no node starts, comes last.

mod cargo;
mod story;
#[cfg(test)]
mod tests;

use std::io::{BufRead, Write};

use tokio::runtime::Runtime;

use self::cargo::Cargo;
use super::batch::{self, FOLLOWED, Outgoing};
use super::link::Link;
use super::message::{self, LEADING};
use super::node::Node;
use super::subjects::{NEXT_PET, PET, PETS, STAFF};
use super::{Address, NatsEngine, epoch, layout, staff, until_led};
use crate::model::PetId;
use crate::store::archive::{Staff, Writer};
use crate::store::{AccountEdit, AccountStore, AppliedChange, MAX_ACCOUNT_EDITS, StoreError};

/// Messages of one batch, and bytes of their bodies after which it is full. Servers take 1,000 and
/// as many bytes as there is room for; a batch should be stored long before an answer is missed.
const BATCH_MESSAGES: usize = 500;
const BATCH_BYTES: usize = 512 * 1024;

/// What was put into a cluster.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Imported {
    pub pets: u64,
    /// Messages about pets, of removed ones too: the last few changes of each.
    pub changes: u64,
    pub accounts: u64,
}

/// Writes the store of a cluster as text: pets and changes as they are at one moment, and staff as
/// they are a moment later. Nodes may run. Not to be called by an async worker.
///
/// # Errors
/// `NoStore`, whatever connecting and reading can fail with, and `Write` or `Full` when `out`
/// refuses.
pub fn export(address: &Address, staff: Staff, out: impl Write) -> Result<(), StoreError> {
    let runtime = start(address)?;
    let engine = runtime.block_on(connect_existing(address))?;
    let told = runtime.block_on(story::read(&engine.node.link))?;
    let now = &told.snapshot;
    let mut archive = Writer::start(out, told.epoch, now.rev, now.next_pet)?;
    now.pets.iter().try_for_each(|pet| archive.pet(pet))?;
    let mut changes = told.changes.iter();
    changes.try_for_each(|change| archive.change(change))?;
    if staff == Staff::Included {
        archive.roster(&engine.account_set()?)?;
        let audit_entries = engine.audit_entries(None, usize::MAX)?;
        let mut oldest_first = audit_entries.iter().rev();
        oldest_first.try_for_each(|(_, audit_entry)| archive.audit_entry(audit_entry))?;
    }
    archive.end()
}

/// Fills an empty cluster out of an export, all of which is checked before anything is sent. The
/// store gets an epoch of its own, at the end. Not to be called by an async worker.
///
/// # Errors
/// `Import` with the first line that is wrong, `NotEmptyEngine` or `Unfinished` when something is
/// there, and whatever connecting can fail with: then nothing was written. `Halfway` from then on.
pub fn import(input: impl BufRead, address: &Address) -> Result<Imported, StoreError> {
    let cargo = Cargo::read(input)?;
    let runtime = start(address)?;
    let engine = runtime.block_on(connect_empty(address))?;
    let link = &engine.node.link;
    let halfway = |error: StoreError| StoreError::Halfway(error.to_string());
    let claimed = runtime.block_on(claim(link, cargo.next_pet));
    let claimed = claimed.map_err(|error| match error {
        StoreError::Conflict => StoreError::NotEmptyEngine(address.to_string()),
        error => halfway(error),
    })?;
    let last = runtime.block_on(send_all(link, claimed, &cargo.proposed));
    let last = last.map_err(halfway)?;
    keep(&engine, &cargo.staff).map_err(halfway)?;
    let begun = runtime.block_on(epoch::begin_first(link, last));
    begun.map_err(halfway)?;
    Ok(cargo.contents())
}

/// A runtime of the command's own.
fn start(address: &Address) -> Result<Runtime, StoreError> {
    Runtime::new().map_err(|error| StoreError::NoEngine {
        address: address.to_string(),
        reason: error.to_string(),
    })
}

/// Puts staff where there are none yet.
fn keep(engine: &NatsEngine, edits: &[AccountEdit]) -> Result<(), StoreError> {
    let mut version = 0;
    for some in edits.chunks(MAX_ACCOUNT_EDITS) {
        version = engine.edit_accounts(version, some)?;
    }
    Ok(())
}

/// Connects to a cluster that holds a store, as a node does.
async fn connect_existing(address: &Address) -> Result<NatsEngine, StoreError> {
    let link = Link::open(address).await?;
    until_led(async || {
        layout::check_servers(&link).await?;
        match layout::is_empty(&link, &PETS).await? {
            true => Err(StoreError::NoStore(address.to_string())),
            false => Ok(()),
        }
    })
    .await?;
    NatsEngine::connect(address).await
}

/// Connects to a cluster that holds nothing, and makes what is to hold it, but no epoch.
async fn connect_empty(address: &Address) -> Result<NatsEngine, StoreError> {
    let node = Node::new(Link::open(address).await?);
    until_led(async || {
        layout::check_servers(&node.link).await?;
        let holds_pets = !layout::is_empty(&node.link, &PETS).await?;
        if holds_pets {
            // Fails where the epoch is missing.
            epoch::ensure(&node.link).await?;
        }
        if holds_pets || !layout::is_empty(&node.link, &STAFF).await? {
            return Err(StoreError::NotEmptyEngine(address.to_string()));
        }
        layout::make(&node.link, address.replicas()).await
    })
    .await?;
    let staff = staff::Staff::new(node.link.clone());
    Ok(NatsEngine::over(node, staff, None))
}

/// Writes the first message of an empty stream; `Conflict` when it is not empty any more. From then
/// on no node takes it for a new one.
async fn claim(link: &Link, next_pet: PetId) -> Result<u64, StoreError> {
    let message = Outgoing {
        subject: NEXT_PET.to_owned(),
        expected: None,
        headers: Vec::new(),
        body: next_pet.to_string().into_bytes(),
    };
    send(link, 0, vec![message]).await
}

/// Sends `puts` after the message `last`, in batches; the last message then.
async fn send_all(
    link: &Link,
    mut last: u64,
    proposed: &[AppliedChange],
) -> Result<u64, StoreError> {
    let (mut messages, mut size_bytes) = (Vec::new(), 0);
    for put in proposed {
        let (mut headers, body) = message::write(put);
        headers.push((LEADING, "0".to_owned()));
        size_bytes += body.len();
        messages.push(Outgoing {
            subject: format!("{PET}{}", put.change.pet),
            expected: None,
            headers,
            body,
        });
        if messages.len() >= BATCH_MESSAGES || size_bytes >= BATCH_BYTES {
            last = send(link, last, std::mem::take(&mut messages)).await?;
            size_bytes = 0;
        }
    }
    match messages.is_empty() {
        true => Ok(last),
        false => send(link, last, messages).await,
    }
}

/// Sends one batch, which is stored only right after the message `last`.
async fn send(link: &Link, last: u64, mut messages: Vec<Outgoing>) -> Result<u64, StoreError> {
    if let Some(first) = messages.first_mut() {
        first.headers.push((FOLLOWED, last.to_string()));
    }
    let sent = batch::send(link, &batch::new_op(), messages).await;
    sent.map_err(batch::explain)
}
