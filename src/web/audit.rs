//! Who did what, when, and from which kind of client: of everything for admins, and of one pet for
//! staff.

use std::sync::Arc;

use poem::web::{Data, Path, Query};
use poem::{Response, handler};
use serde::Deserialize;

use super::Site;
use crate::auth::{Administrator, Caller, MayRead, Permit};
use crate::error::Failure;
use crate::model::{By, Change, Deed, Moment, Rev};
use crate::store::{Engine, StoreError};
use crate::views::{AuditPage, HistoryPage};

/// Lines of one page.
const LINES: usize = 50;

/// Changes that are looked through for one page: the simulator's are left out, and there may be
/// many of them.
const LOOKED_THROUGH: u64 = 10_000;

/// Where each of the two lists goes on: all before these numbers.
#[derive(Clone, Copy, Default, Deserialize)]
struct Before {
    change: Option<u64>,
    deed: Option<u64>,
}

/// One line of the audit.
enum Line {
    Change(Change),
    Deed(u64, Deed),
}

#[handler]
pub async fn show_audit(
    _admin: Administrator,
    Data(site): Data<&Arc<Site>>,
    Query(before): Query<Before>,
    caller: Caller,
) -> poem::Result<Response> {
    let newest = site.live.hub.newest().0;
    let (owned, gate) = (Arc::clone(site), caller.gate().clone());
    let reading = tokio::task::spawn_blocking(move || {
        let changes = signed_changes(
            &*owned.engine,
            before.change.map_or(newest.next(), Rev::new),
        )?;
        let deeds = gate.staff().map_err(Failure::from)?;
        let deeds = deeds.directory().deeds(before.deed, LINES)?;
        Ok::<_, Failure>((changes, deeds))
    });
    let (changes, deeds) = reading.await.map_err(|_| Failure::internal())??;
    let (lines, next) = merged(changes, deeds, before);
    let mut page = AuditPage::default();
    for line in &lines {
        match line {
            Line::Change(change) => page.add_change(change, site.live.hub.pet(change.pet)),
            Line::Deed(_, deed) => page.add_deed(deed),
        }
    }
    page.older = next.map(|next| next.address());
    site.show(&caller, &page)
}

/// Where the history of a pet goes on: before this rev.
#[derive(Deserialize)]
struct Asked {
    before: Option<u64>,
}

#[handler]
pub async fn show_history(
    _permit: Permit<MayRead>,
    Data(site): Data<&Arc<Site>>,
    Path(id): Path<String>,
    Query(asked): Query<Asked>,
    caller: Caller,
) -> poem::Result<Response> {
    let (pet, _) = site.pet(&id)?;
    let (engine, id) = (Arc::clone(&site.engine), pet.id);
    let before = asked.before.map(Rev::new);
    let reading = tokio::task::spawn_blocking(move || engine.history(id, before, LINES));
    let changes = reading.await.map_err(|_| Failure::internal())?;
    let changes = changes.map_err(Failure::from)?;
    let last = changes.last().filter(|_| changes.len() == LINES);
    let older = last.map(|last| format!("/pets/{id}/history?before={}", last.rev.get()));
    site.show(&caller, &HistoryPage::new(&pet, &changes, older))
}

/// The newest changes before a rev that somebody made, newest first.
struct Signed {
    changes: Vec<Change>,
    /// The last change that was looked at, where there are older ones.
    reached: Option<(Rev, Moment)>,
}

fn signed_changes(engine: &dyn Engine, before: Rev) -> Result<Signed, StoreError> {
    let after = before.get().saturating_sub(1 + LOOKED_THROUGH);
    let mut changes = engine.kept(Rev::new(after), before)?;
    let oldest = changes.first().map(|change| (change.rev, change.at));
    changes.retain(|change| change.by != By::Simulator);
    changes.reverse();
    Ok(Signed {
        changes,
        reached: oldest.filter(|_| after > 0),
    })
}

/// The newest lines of both lists, and where the next page goes on.
fn merged(
    Signed { changes, reached }: Signed,
    deeds: Vec<(u64, Deed)>,
    mut before: Before,
) -> (Vec<Line>, Option<Before>) {
    let has_more_deeds = deeds.len() == LINES;
    let changes = changes.into_iter().map(Line::Change);
    let deeds = deeds
        .into_iter()
        .map(|(number, deed)| Line::Deed(number, deed));
    let mut lines: Vec<Line> = changes.chain(deeds).collect();
    let found = lines.len();
    // What is older than the changes that were looked at waits for those in between.
    lines.retain(|line| reached.is_none_or(|(_, at)| line.at() >= at));
    lines.sort_by_key(|line| std::cmp::Reverse(line.at()));
    let is_cut = lines.len() > LINES;
    lines.truncate(LINES);
    for line in &lines {
        match line {
            Line::Change(change) => before.change = Some(change.rev.get()),
            Line::Deed(number, _) => before.deed = Some(*number),
        }
    }
    if let (false, Some((rev, _))) = (is_cut, reached) {
        before.change = Some(rev.get());
    }
    let goes_on = is_cut || reached.is_some() || has_more_deeds || lines.len() < found;
    (lines, goes_on.then_some(before))
}

impl Line {
    fn at(&self) -> Moment {
        match self {
            Line::Change(change) => change.at,
            Line::Deed(_, deed) => deed.at,
        }
    }
}

impl Before {
    fn address(self) -> String {
        let change = self.change.map(|change| format!("change={change}"));
        let deed = self.deed.map(|deed| format!("deed={deed}"));
        let query: Vec<String> = change.into_iter().chain(deed).collect();
        format!("/audit?{}", query.join("&"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{ChangeKind, Epoch, PetId, Status};
    use crate::store::MemoryEngine;

    fn change(rev: u64, by: By) -> Change {
        Change {
            rev: Rev::new(rev),
            at: Moment::from_micros(i64::try_from(rev).unwrap()),
            by,
            author: None,
            pet: PetId::FIRST,
            kind: ChangeKind::Status(Status::Eating),
        }
    }

    #[test]
    fn what_somebody_did_is_found_behind_any_number_of_changes_by_the_simulator() {
        let engine = MemoryEngine::new(Epoch::new(7));
        let by = |rev| match rev {
            3 | 30_000 => By::Staff,
            _ => By::Simulator,
        };
        let changes: Vec<_> = (1..=35_000).map(|rev| change(rev, by(rev))).collect();
        engine.append(&changes).unwrap();
        let (mut found, mut before, mut pages) = (Vec::new(), Before::default(), 0);
        loop {
            let from = before.change.map_or(Rev::new(35_001), Rev::new);
            let (lines, next) = merged(signed_changes(&engine, from).unwrap(), Vec::new(), before);
            found.extend(lines.iter().map(Line::at));
            pages += 1;
            assert!(pages < 10, "it comes to an end");
            match next {
                Some(next) => before = next,
                None => break,
            }
        }
        assert_eq!(found, [30_000, 3].map(Moment::from_micros));
    }
}
