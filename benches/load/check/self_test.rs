//! Shows that this bench finds losses (`--prove`).
//!
//! A faulty server mistreats one viewer of three in every way that we know of, over WebSocket and SSE,
//! and the check has to name the loss. The server also treats a viewer that is behind as it may, and the
//! check has to accept that.

use std::collections::HashMap;
use std::time::Duration;

use anyhow::ensure;

use super::faulty_server::{self, CHANGES, Fault, FaultyServer, PETS};
use super::loss::{self, LossReport};
use crate::board::Board;
use crate::client::pool::{NewViewer, ViewerPool};
use crate::client::progress::Progress;
use crate::client::{Target, Transport};

/// Long enough for all changes of the server, which stops by itself.
const RUN: Duration = Duration::from_millis(600);

const SETTLE_LIMIT: Duration = Duration::from_secs(1);

/// What is done to the viewer, and a part of the loss that must be reported; `None` for no loss.
const CASES: [(Fault, Option<&str>); 10] = [
    (Fault::Nothing, None),
    (Fault::InPieces, None),
    (Fault::NewestOfEachAfterPause, None),
    (Fault::SnapshotAfterPause, None),
    (Fault::DropOne, Some("nothing had replaced it")),
    (Fault::DropLast, Some("reached rev")),
    (Fault::Repeat, Some("after")),
    (Fault::Swap, Some("after")),
    (Fault::Alter, Some("two versions")),
    (Fault::Leave, Some("a viewer was lost")),
];

/// Runs all cases.
///
/// # Errors
/// If a loss was not found, or one was reported where there is none.
pub fn run() -> anyhow::Result<()> {
    for transport in [Transport::Ws, Transport::Sse] {
        for (fault, expected) in CASES {
            let report = watch(transport, fault)?;
            let losses = report.losses.join("; ");
            let is_right = match expected {
                Some(part) => losses.contains(part),
                None => losses.is_empty(),
            };
            ensure!(is_right, "{transport:?} {fault:?}: reported {losses:?}");
            let is_behind = matches!(
                fault,
                Fault::NewestOfEachAfterPause | Fault::SnapshotAfterPause
            );
            ensure!(
                !is_behind || report.behind == 1,
                "{fault:?}: no viewer was reported as behind"
            );
            let losses = if losses.is_empty() {
                "no loss"
            } else {
                &losses
            };
            println!("{:<4} {fault:?}: {losses}", transport.name());
        }
    }
    Ok(())
}

/// Connects three viewers to a faulty server, of which the last is treated as `fault` says.
fn watch(transport: Transport, fault: Fault) -> anyhow::Result<LossReport> {
    let server = FaultyServer::start(fault)?;
    let target = Target {
        address: server.address,
        epoch: faulty_server::EPOCH.to_owned(),
        says_hello: true,
        follows_log: false,
        sse_path: "",
        receive_buffer: None,
    };
    let mut pool = ViewerPool::new(target, 0, Progress::new("prove"))?;
    pool.max_connecting = 1;
    for _ in 0..3 {
        pool.add(NewViewer {
            transport,
            pet: None,
            is_counted: true,
        });
    }
    pool.run_for(RUN)?;
    let board = board(&pool);
    loss::settle(&mut pool, &board, SETTLE_LIMIT)
}

/// Returns the board of the server, from what the viewers that it treats well received.
fn board(pool: &ViewerPool) -> Board {
    let since = |pet| {
        let rev = CHANGES - PETS + pet;
        pool.measurements
            .change_log
            .get(rev)
            .map(|change| change.since)
    };
    let since: HashMap<u64, i64> = (1..=PETS)
        .filter_map(|pet| Some((pet, since(pet)?)))
        .collect();
    Board {
        epoch: faulty_server::EPOCH.to_owned(),
        rev: CHANGES,
        since,
    }
}
