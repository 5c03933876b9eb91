//! Finds changes that a viewer lost.
//!
//! At the end of a run the server is asked for its board: the newest rev, and when each pet got its
//! status. Every viewer that is still connected must then have reached that rev, with every change on
//! the way. There is one exception, for a viewer that was behind: a change may be skipped if a newer
//! status of its pet was committed before the viewer received what follows.

use std::collections::HashMap;
use std::time::Duration;

use super::change_log::ChangeLog;
use super::viewer_record::ViewerRecord;
use crate::board::Board;
use crate::client::Stage;
use crate::client::pool::ViewerPool;

/// How long viewers may take to reach the board's rev after the end of the measurement.
pub const SETTLE_LIMIT: Duration = Duration::from_secs(30);

/// How long to wait for the changes that replace skipped ones.
const STRAGGLERS: Duration = Duration::from_secs(2);

/// A status may wait this long for a viewer of one pet before the next status replaces it, in
/// microseconds.
const REPLACE_LIMIT: i64 = 5_000_000;

#[derive(Default)]
pub struct LossReport {
    /// One sentence per kind of loss; empty if nothing was lost.
    pub losses: Vec<String>,
    /// Viewers that were behind at some time.
    pub behind: usize,
    /// Changes that they skipped.
    pub skipped: u64,
}

/// The change log up to the board's rev, also sorted by pet.
struct ExpectedChanges<'a> {
    change_log: &'a ChangeLog,
    end: u64,
    by_pet: HashMap<u64, Vec<u64>>,
}

/// Waits until every viewer has reached the board's rev, at most for `limit`, and checks.
pub fn settle(pool: &mut ViewerPool, board: &Board, limit: Duration) -> anyhow::Result<LossReport> {
    let mut done = 0;
    pool.run_while(limit, |pool| {
        let is_done = |record: &ViewerRecord| record.pet.is_some() || record.last >= board.rev;
        while let Some(viewer) = pool.viewers.get(done)
            && (viewer.stage != Stage::Live || is_done(&viewer.record))
        {
            done += 1;
        }
        done < pool.viewers.len()
    })?;
    let is_open = |record: &ViewerRecord| record.pet.is_some() || !record.gaps.is_empty();
    if pool.viewers.iter().any(|viewer| is_open(&viewer.record)) {
        pool.run_for(STRAGGLERS)?;
    }
    Ok(check(pool, board))
}

fn check(pool: &ViewerPool, board: &Board) -> LossReport {
    let measurements = &pool.measurements;
    let expected = ExpectedChanges {
        change_log: &measurements.change_log,
        end: board.rev,
        by_pet: measurements.change_log.by_pet(u64::MAX),
    };
    let mut losses = expected.check_board(board);
    losses.extend(measurements.faults.iter().cloned());
    let (mut behind, mut skipped, mut with_loss) = (0, 0, 0);
    for viewer in &pool.viewers {
        let record = &viewer.record;
        let (viewer_skipped, loss) = match record.pet {
            _ if record.start.is_none() => continue,
            None if viewer.stage == Stage::Closed => {
                (record.skipped, expected.loss_of_closed_viewer(record))
            }
            _ if viewer.stage != Stage::Live => continue,
            None => (record.skipped, expected.loss_of_all_pets_viewer(record)),
            Some(pet) => expected.loss_of_one_pet_viewer(record, pet),
        };
        behind += usize::from(viewer_skipped > 0);
        skipped += viewer_skipped;
        if let Some(loss) = loss {
            with_loss += 1;
            if with_loss == 1 {
                losses.push(format!("a viewer {loss}"));
            }
        }
    }
    if with_loss > 1 {
        losses.push(format!("and {} more viewers lost something", with_loss - 1));
    }
    let more_faults = measurements.faults_count - measurements.faults.len() as u64;
    if more_faults > 0 {
        losses.push(format!("and {more_faults} more faults"));
    }
    LossReport {
        losses,
        behind,
        skipped,
    }
}

impl ExpectedChanges<'_> {
    /// Checks that at least one viewer received the newest status of each pet.
    fn check_board(&self, board: &Board) -> Vec<String> {
        let oldest = (1..=self.end).find_map(|rev| self.change_log.get(rev));
        let Some(oldest) = oldest.map(|change| change.since) else {
            return Vec::new();
        };
        let is_known = |pet: &u64, since: i64| {
            let revs = self.by_pet.get(pet).map_or(&[][..], Vec::as_slice);
            let newest = revs.iter().rev().find(|rev| **rev <= self.end);
            let newest = newest.and_then(|rev| self.change_log.get(*rev));
            newest.map_or(since <= oldest, |change| change.since >= since)
        };
        let unknown = board
            .since
            .iter()
            .filter(|(pet, since)| !is_known(pet, **since));
        let losses =
            unknown.map(|(pet, _)| format!("no viewer received the newest status of pet {pet}"));
        losses.take(3).collect()
    }

    fn loss_of_all_pets_viewer(&self, record: &ViewerRecord) -> Option<String> {
        if record.last < self.end {
            let (last, end) = (record.last, self.end);
            return Some(format!("reached rev {last} and not {end}"));
        }
        let has_newer = |rev: u64| {
            let pet = self.change_log.get(rev).map(|change| change.pet);
            pet.is_none_or(|pet| {
                let mut later = self.later(pet, rev).iter();
                later.any(|rev| record.has_received(*rev))
            })
        };
        self.loss_in_gaps(record, has_newer)
    }

    /// A viewer that was closed may have missed the newest changes.
    fn loss_of_closed_viewer(&self, record: &ViewerRecord) -> Option<String> {
        self.loss_in_gaps(record, |_| true)
    }

    /// Finds a skipped change that was not replaced in time, or whose replacement was not received.
    fn loss_in_gaps(
        &self,
        record: &ViewerRecord,
        has_newer: impl Fn(u64) -> bool,
    ) -> Option<String> {
        record.gaps.iter().find_map(|gap| {
            let mut revs = gap.revs.clone();
            let lost = revs.find(|rev| !self.is_replaced(*rev, gap.seen_at) || !has_newer(*rev))?;
            Some(format!(
                "did not receive {lost}, and nothing had replaced it"
            ))
        })
    }

    /// Returns true if a newer status of the same pet was committed by `seen_at`.
    fn is_replaced(&self, rev: u64, seen_at: i64) -> bool {
        let Some(change) = self.change_log.get(rev) else {
            // No viewer received the change. `check_board` finds out if it was the newest of its pet.
            return true;
        };
        let later = self.later(change.pet, rev);
        let next = later.first().and_then(|rev| self.change_log.get(*rev));
        next.is_some_and(|next| next.since <= seen_at)
    }

    /// Returns the number of changes that a viewer of one pet skipped, and a loss among them.
    fn loss_of_one_pet_viewer(&self, record: &ViewerRecord, pet: u64) -> (u64, Option<String>) {
        let start = record.start.unwrap_or(0);
        let due = self.later(pet, start).iter();
        let due = due.copied().filter(|rev| *rev <= self.end);
        let missing: Vec<u64> = due.filter(|rev| !record.has_received(*rev)).collect();
        let time = |rev: u64| self.change_log.get(rev).map(|change| change.since);
        let lost = missing.iter().find(|rev| {
            let later = self.later(pet, **rev);
            let next = later.first().and_then(|next| time(*next));
            let waited = next.zip(time(**rev)).map(|(next, since)| next - since);
            waited.is_none_or(|waited| waited > REPLACE_LIMIT)
                || !later.iter().any(|rev| record.has_received(*rev))
        });
        let lost = lost.map(|rev| format!("of pet {pet} did not receive {rev}"));
        (missing.len() as u64, lost)
    }

    /// Returns the revs of `pet` after `rev`.
    fn later(&self, pet: u64, rev: u64) -> &[u64] {
        let revs = self.by_pet.get(&pet).map_or(&[][..], Vec::as_slice);
        &revs[revs.partition_point(|other| *other <= rev)..]
    }
}
