//! Was anything lost?
//!
//! At the end of a run the server is asked for its board: the newest rev, and when each pet got
//! its status. Then every viewer that is still there must have been brought to that rev, or past
//! it, with every change on the way. The one excuse is to have been behind: a change may be left
//! out when a newer status of its pet had been committed by the time the viewer was given what
//! comes after. A server that drops a message for any other reason does not get past this.

use std::collections::HashMap;
use std::time::Duration;

use crate::board::Board;
use crate::client::Stage;
use crate::fleet::Fleet;
use crate::ledger::Ledger;
use crate::seat::AddressPermit;

/// How long viewers may take to be brought to the board's rev, after the end of the measurement.
pub const SETTLE_LIMIT: Duration = Duration::from_secs(30);

/// For what replaces a change that was left out to arrive as well.
const STRAGGLERS: Duration = Duration::from_secs(2);

/// How long a status may have waited for a viewer of one pet before the next replaced it.
const REPLACE_LIMIT: i64 = 5_000_000;

#[derive(Default)]
pub struct Verdict {
    /// One sentence for each kind of loss; empty when nothing was lost.
    pub losses: Vec<String>,
    /// Viewers that were behind at some time, and the changes they were spared.
    pub behind: usize,
    pub skipped: u64,
}

/// The ledger up to the board's rev, in the order of pets.
struct Truth<'a> {
    ledger: &'a Ledger,
    end: u64,
    by_pet: HashMap<u64, Vec<u64>>,
}

/// Waits until every viewer has what the board has, for `limit` at most, and judges.
pub fn settle(fleet: &mut Fleet, board: &Board, limit: Duration) -> anyhow::Result<Verdict> {
    let mut done = 0;
    fleet.run_while(limit, |fleet| {
        let is_done = |seat: &AddressPermit| seat.pet.is_some() || seat.last >= board.rev;
        while let Some(viewer) = fleet.viewers.get(done)
            && (viewer.stage != Stage::Live || is_done(&viewer.seat))
        {
            done += 1;
        }
        done < fleet.viewers.len()
    })?;
    let is_open = |seat: &AddressPermit| seat.pet.is_some() || !seat.holes.is_empty();
    if fleet.viewers.iter().any(|viewer| is_open(&viewer.seat)) {
        fleet.run_for(STRAGGLERS)?;
    }
    Ok(judge(fleet, board))
}

fn judge(fleet: &Fleet, board: &Board) -> Verdict {
    let truth = Truth {
        ledger: &fleet.book.ledger,
        end: board.rev,
        by_pet: fleet.book.ledger.by_pet(u64::MAX),
    };
    let mut losses = truth.compare(board);
    losses.extend(fleet.book.faults.iter().cloned());
    let (mut behind, mut skipped, mut wronged) = (0, 0, 0);
    for viewer in &fleet.viewers {
        let seat = &viewer.seat;
        let (spared, loss) = match seat.pet {
            _ if seat.start.is_none() => continue,
            None if viewer.stage == Stage::Left => (seat.skipped, truth.lost_by_one_who_left(seat)),
            _ if viewer.stage != Stage::Live => continue,
            None => (seat.skipped, truth.lost_by_one_of_all(seat)),
            Some(pet) => truth.lost_by_one_of_pet(seat, pet),
        };
        behind += usize::from(spared > 0);
        skipped += spared;
        if let Some(loss) = loss {
            wronged += 1;
            if wronged == 1 {
                losses.push(format!("a viewer {loss}"));
            }
        }
    }
    if wronged > 1 {
        losses.push(format!("and {} more viewers lost something", wronged - 1));
    }
    let unshown = fleet.book.faults_count - fleet.book.faults.len() as u64;
    if unshown > 0 {
        losses.push(format!("and {unshown} more faults"));
    }
    Verdict {
        losses,
        behind,
        skipped,
    }
}

impl Truth<'_> {
    /// Whether somebody was given the newest status of each pet.
    fn compare(&self, board: &Board) -> Vec<String> {
        let oldest = (1..=self.end).find_map(|rev| self.ledger.get(rev));
        let Some(oldest) = oldest.map(|change| change.since) else {
            return Vec::new();
        };
        let is_known = |pet: &u64, since: i64| {
            let revs = self.by_pet.get(pet).map_or(&[][..], Vec::as_slice);
            let newest = revs.iter().rev().find(|rev| **rev <= self.end);
            let newest = newest.and_then(|rev| self.ledger.get(*rev));
            newest.map_or(since <= oldest, |change| change.since >= since)
        };
        let unknown = board
            .since
            .iter()
            .filter(|(pet, since)| !is_known(pet, **since));
        let losses =
            unknown.map(|(pet, _)| format!("nobody was given the newest status of pet {pet}"));
        losses.take(3).collect()
    }

    fn lost_by_one_of_all(&self, seat: &AddressPermit) -> Option<String> {
        if seat.last < self.end {
            return Some(format!(
                "was brought to {} and not to {}",
                seat.last, self.end
            ));
        }
        let has_newer = |rev: u64| {
            let pet = self.ledger.get(rev).map(|change| change.pet);
            pet.is_none_or(|pet| self.later(pet, rev).iter().any(|rev| seat.is_given(*rev)))
        };
        self.unexcused(seat, has_newer)
    }

    /// One who left may have gone before the newest came.
    fn lost_by_one_who_left(&self, seat: &AddressPermit) -> Option<String> {
        self.unexcused(seat, |_| true)
    }

    /// A change that was left out although it was not old, or for which nothing newer came.
    fn unexcused(&self, seat: &AddressPermit, has_newer: impl Fn(u64) -> bool) -> Option<String> {
        seat.holes.iter().find_map(|hole| {
            let mut revs = hole.revs.clone();
            let lost =
                revs.find(|rev| !self.is_replaced(*rev, hole.seen_at) || !has_newer(*rev))?;
            Some(format!("was not given {lost}, and nothing had replaced it"))
        })
    }

    /// Whether the change of `rev` was old by `seen_at`.
    fn is_replaced(&self, rev: u64, seen_at: i64) -> bool {
        let Some(change) = self.ledger.get(rev) else {
            // Nobody was given it. That each pet's newest was given to somebody is seen to in
            // `compare`, so this was not its pet's newest.
            return true;
        };
        let later = self.later(change.pet, rev);
        let next = later.first().and_then(|rev| self.ledger.get(*rev));
        next.is_some_and(|next| next.since <= seen_at)
    }

    /// The changes of its pet that a viewer was not given, and what is wrong with that.
    fn lost_by_one_of_pet(&self, seat: &AddressPermit, pet: u64) -> (u64, Option<String>) {
        let start = seat.start.unwrap_or(0);
        let due = self
            .later(pet, start)
            .iter()
            .filter(|rev| **rev <= self.end);
        let missing: Vec<u64> = due.copied().filter(|rev| !seat.is_given(*rev)).collect();
        let time = |rev: u64| self.ledger.get(rev).map(|change| change.since);
        let lost = missing.iter().find(|rev| {
            let later = self.later(pet, **rev);
            let next = later.first().and_then(|next| time(*next));
            let waited = next.zip(time(**rev)).map(|(next, since)| next - since);
            waited.is_none_or(|waited| waited > REPLACE_LIMIT)
                || !later.iter().any(|rev| seat.is_given(*rev))
        });
        let lost = lost.map(|rev| format!("of pet {pet} was not given {rev}"));
        (missing.len() as u64, lost)
    }

    /// The revs of `pet` after `rev`.
    fn later(&self, pet: u64, rev: u64) -> &[u64] {
        let revs = self.by_pet.get(&pet).map_or(&[][..], Vec::as_slice);
        &revs[revs.partition_point(|other| *other <= rev)..]
    }
}
