//! Would this bench see a loss?
//!
//! A server made for it wrongs one viewer of three in every way we could think of, over each kind
//! of stream, and the verdict has to name it; and it treats a viewer that is behind as a good
//! server may, and the verdict has to let it pass.

mod impostor;

use std::collections::HashMap;
use std::time::Duration;

use anyhow::ensure;

use self::impostor::{CHANGES, Deed, Impostor, PETS};
use crate::board::Board;
use crate::client::{Target, Transport};
use crate::fleet::{Fleet, Guest};
use crate::progress::Progress;
use crate::verdict::{self, Verdict};

/// Long enough for all changes of the impostor; it stops by itself.
const RUN: Duration = Duration::from_millis(600);

const SETTLE_LIMIT: Duration = Duration::from_secs(1);

/// What is done to the viewer, and words of the loss that has to be seen; none, where it is fair.
const CASES: [(Deed, Option<&str>); 10] = [
    (Deed::Nothing, None),
    (Deed::InPieces, None),
    (Deed::NewestOfEachAfterPause, None),
    (Deed::SnapshotAfterPause, None),
    (Deed::DropOne, Some("nothing had replaced it")),
    (Deed::DropLast, Some("was brought to")),
    (Deed::Repeat, Some("after")),
    (Deed::Swap, Some("after")),
    (Deed::Alter, Some("two versions")),
    (Deed::Leave, Some("a viewer was lost")),
];

/// # Errors
/// When a wrong was not seen, or a fair deed was taken for one.
pub fn prove() -> anyhow::Result<()> {
    for transport in [Transport::Ws, Transport::Sse] {
        for (deed, expected) in CASES {
            let verdict = watch(transport, deed)?;
            let seen = verdict.losses.join("; ");
            let is_right = match expected {
                Some(words) => seen.contains(words),
                None => seen.is_empty(),
            };
            ensure!(
                is_right,
                "{transport:?} {deed:?}: the verdict was: {seen:?}"
            );
            let is_behind = matches!(
                deed,
                Deed::NewestOfEachAfterPause | Deed::SnapshotAfterPause
            );
            ensure!(!is_behind || verdict.behind == 1, "{deed:?} spared nobody");
            let seen = if seen.is_empty() { "let pass" } else { &seen };
            println!("{:<4} {deed:?}: {seen}", transport.name());
        }
    }
    Ok(())
}

/// Three viewers of an impostor, of whom the last is treated as `deed` says.
fn watch(transport: Transport, deed: Deed) -> anyhow::Result<Verdict> {
    let impostor = Impostor::start(deed)?;
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
