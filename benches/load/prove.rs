//! Would this bench see a loss?
//!
//! A server made for it wrongs one viewer of three in every way we could think of, over each kind
//! of stream, and the verdict has to name it; and it treats a viewer that is behind as a good
//! server may, and the verdict has to let it pass.

mod impostor;

use std::collections::HashMap;
use std::time::Duration;

use anyhow::ensure;

use self::impostor::{AuditEntry, CHANGES, Impostor, PETS};
use crate::board::Board;
use crate::client::{Target, Transport};
use crate::fleet::{Fleet, Guest};
use crate::progress::Progress;
use crate::verdict::{self, Verdict};

/// Long enough for all changes of the impostor; it stops by itself.
const RUN: Duration = Duration::from_millis(600);

const SETTLE_LIMIT: Duration = Duration::from_secs(1);

/// What is done to the viewer, and words of the loss that has to be seen; none, where it is fair.
const CASES: [(AuditEntry, Option<&str>); 10] = [
    (AuditEntry::Nothing, None),
    (AuditEntry::InPieces, None),
    (AuditEntry::NewestOfEachAfterPause, None),
    (AuditEntry::SnapshotAfterPause, None),
    (AuditEntry::DropOne, Some("nothing had replaced it")),
    (AuditEntry::DropLast, Some("was brought to")),
    (AuditEntry::Repeat, Some("after")),
    (AuditEntry::Swap, Some("after")),
    (AuditEntry::Alter, Some("two versions")),
    (AuditEntry::Leave, Some("a viewer was lost")),
];

/// # Errors
/// When a wrong was not seen, or a fair audit_entry was taken for one.
pub fn prove() -> anyhow::Result<()> {
    for transport in [Transport::Ws, Transport::Sse] {
        for (audit_entry, expected) in CASES {
            let verdict = watch(transport, audit_entry)?;
            let seen = verdict.losses.join("; ");
            let is_right = match expected {
                Some(words) => seen.contains(words),
                None => seen.is_empty(),
            };
            ensure!(
                is_right,
                "{transport:?} {audit_entry:?}: the verdict was: {seen:?}"
            );
            let is_behind = matches!(
                audit_entry,
                AuditEntry::NewestOfEachAfterPause | AuditEntry::SnapshotAfterPause
            );
            ensure!(
                !is_behind || verdict.behind == 1,
                "{audit_entry:?} spared nobody"
            );
            let seen = if seen.is_empty() { "let pass" } else { &seen };
            println!("{:<4} {audit_entry:?}: {seen}", transport.name());
        }
    }
    Ok(())
}

/// Three viewers of an impostor, of whom the last is treated as `audit_entry` says.
fn watch(transport: Transport, audit_entry: AuditEntry) -> anyhow::Result<Verdict> {
    let impostor = Impostor::start(audit_entry)?;
    let target = Target {
        address: impostor.address,
        epoch: impostor::EPOCH.to_owned(),
        says_hello: true,
        receive_buffer: None,
    };
    let mut fleet = Fleet::new(target, 0, Progress::new("prove"))?;
    fleet.opening_limit = 1;
    for _ in 0..3 {
        fleet.enlist(Guest {
            transport,
            pet: None,
            is_counted: true,
        });
    }
    fleet.run_for(RUN)?;
    let board = board(&fleet);
    verdict::settle(&mut fleet, &board, SETTLE_LIMIT)
}

/// The board as the impostor would have it, told by those it treats well.
fn board(fleet: &Fleet) -> Board {
    let since = |pet| {
        let rev = CHANGES - PETS + pet;
        fleet.book.ledger.get(rev).map(|change| change.since)
    };
    let since: HashMap<u64, i64> = (1..=PETS)
        .filter_map(|pet| Some((pet, since(pet)?)))
        .collect();
    Board {
        epoch: impostor::EPOCH.to_owned(),
        rev: CHANGES,
        since,
    }
}
