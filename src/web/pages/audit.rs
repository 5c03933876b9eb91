//! Who did what, when, and from which kind of client: of everything for admins, and of one pet for
//! staff.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::Arc;

use poem::web::{Data, Path, Query};
use poem::{Response, handler};
use serde::Deserialize;

use crate::auth::{Administrator, MayRead, Permit, Principal};
use crate::error::Failure;
use crate::model::{AuditEntry, Change, ChangeSource, PetId, Rev, Timestamp};
use crate::store::{Engine, StoreError};
use crate::views::{AuditPage, HistoryPage, Subject};
use crate::web::Site;

/// Lines of one page.
const LINES: usize = 50;

/// Changes that are looked through for one page: the simulator's are left out, and there may be
/// many of them.
const LOOKED_THROUGH: u64 = 10_000;

/// Where each of the two lists goes on: all before these numbers.
#[derive(Clone, Copy, Default, Deserialize)]
struct Before {
    change: Option<u64>,
    audit_entry: Option<u64>,
}

/// One line of the audit.
enum Line {
    Change(Change),
    AuditEntry(AuditEntry),
}

#[handler]
pub async fn show_audit(
    _admin: Administrator,
    Data(site): Data<&Arc<Site>>,
    Query(before): Query<Before>,
    caller: Principal,
) -> poem::Result<Response> {
    let newest = site.app.hub().newest().0;
    let (owned, authenticator) = (Arc::clone(site), caller.authenticator().clone());
    let reading = tokio::task::spawn_blocking(move || {
        let changes = signed_changes(
            &*owned.engine,
            before.change.map_or(newest.next(), Rev::new),
        )?;
        let audit_entries = authenticator.staff().map_err(Failure::from)?;
        let audit_entries = audit_entries
            .accounts()
            .audit_entries(before.audit_entry, LINES)?;
        let (lines, next) = merged(changes, audit_entries, before);
        let subjects = subjects(&owned, &lines)?;
        Ok::<_, Failure>((lines, subjects, next))
    });
    let (lines, subjects, next) = reading.await.map_err(|_| Failure::internal())??;
    let mut page = AuditPage::default();
    for line in &lines {
        match line {
            Line::Change(change) => page.add_change(change, &subjects[&change.pet]),
            Line::AuditEntry(audit_entry) => page.add_deed(audit_entry),
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
    caller: Principal,
) -> poem::Result<Response> {
    let id = id.parse().map_err(|_| unknown_pet())?;
    let (owned, before) = (Arc::clone(site), asked.before.map(Rev::new));
    let reading = tokio::task::spawn_blocking(move || {
        let subject = owned.subject(id)?.ok_or_else(unknown_pet)?;
        Ok::<_, Failure>((subject, owned.engine.history(id, before, LINES)?))
    });
    let (subject, changes) = reading.await.map_err(|_| Failure::internal())??;
    let last = changes.last().filter(|_| changes.len() == LINES);
    let older = last.map(|last| format!("/pets/{id}/history?before={}", last.rev.get()));
    site.show(&caller, &HistoryPage::new(&subject, &changes, older))
}

fn unknown_pet() -> Failure {
    Failure::not_found("There is no such pet, and no history of one that was removed.")
}

/// Finds the pets that the lines are about.
fn subjects(site: &Site, lines: &[Line]) -> Result<HashMap<PetId, Subject>, StoreError> {
    let mut subjects = HashMap::new();
    for line in lines {
        if let Line::Change(change) = line
            && let Entry::Vacant(vacant) = subjects.entry(change.pet)
        {
            let trimmed = Subject {
                id: change.pet,
                name: None,
                is_removed: true,
            };
            vacant.insert(site.subject(change.pet)?.unwrap_or(trimmed));
        }
    }
    Ok(subjects)
}

/// The newest changes before a rev that somebody made, newest first.
struct Signed {
    changes: Vec<Change>,
    /// The last change that was looked at, where there are older ones.
    reached: Option<(Rev, Timestamp)>,
}

fn signed_changes(engine: &dyn Engine, before: Rev) -> Result<Signed, StoreError> {
    let after = before.get().saturating_sub(1 + LOOKED_THROUGH);
    let mut changes = engine.changes_between(Rev::new(after), before)?;
    let oldest = changes.first().map(|change| (change.rev, change.at));
    changes.retain(|change| change.by != ChangeSource::Simulator);
    changes.reverse();
    Ok(Signed {
        changes,
        reached: oldest.filter(|_| after > 0),
    })
}

/// The newest lines of both lists, and where the next page goes on.
///
/// Each list is read in its own order, and the next page continues each list where this page ended. So
/// no line is lost or repeated between pages, whatever the clock did.
fn merged(
    Signed { changes, reached }: Signed,
    audit_entries: Vec<(u64, AuditEntry)>,
    mut before: Before,
) -> (Vec<Line>, Option<Before>) {
    let has_more_deeds = audit_entries.len() == LINES;
    let mut changes = changes.into_iter().peekable();
    let mut audit_entries = audit_entries.into_iter().peekable();
    let mut lines = Vec::new();
    while lines.len() < LINES {
        // An entry that is older than the changes read so far belongs to a later page.
        let next = changes.peek().map(|change| (change.rev, change.at));
        let is_next = |(_, audit_entry): &(u64, AuditEntry)| {
            next.or(reached).is_none_or(|at| follows(audit_entry, at))
        };
        if let Some((number, audit_entry)) = audit_entries.next_if(is_next) {
            before.audit_entry = Some(number);
            lines.push(Line::AuditEntry(audit_entry));
        } else if let Some(change) = changes.next() {
            before.change = Some(change.rev.get());
            lines.push(Line::Change(change));
        } else {
            break;
        }
    }
    let is_cut = changes.peek().is_some();
    if let (false, Some((rev, _))) = (is_cut, reached) {
        before.change = Some(rev.get());
    }
    let goes_on = is_cut || reached.is_some() || has_more_deeds || audit_entries.peek().is_some();
    (lines, goes_on.then_some(before))
}

/// Returns true if `audit_entry` was done after the change at this rev and time. Only an entry of an
/// earlier version has to be placed by its time.
fn follows(audit_entry: &AuditEntry, (rev, at): (Rev, Timestamp)) -> bool {
    audit_entry
        .after
        .map_or(audit_entry.at >= at, |after| after >= rev)
}

impl Before {
    fn address(self) -> String {
        let change = self.change.map(|change| format!("change={change}"));
        let audit_entry = self
            .audit_entry
            .map(|audit_entry| format!("audit_entry={audit_entry}"));
        let query: Vec<String> = change.into_iter().chain(audit_entry).collect();
        format!("/audit?{}", query.join("&"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Author, ChangeKind, Epoch, Status};
    use crate::store::MemoryEngine;

    fn change(rev: u64, by: ChangeSource) -> Change {
        Change {
            rev: Rev::new(rev),
            at: Timestamp::from_micros(i64::try_from(rev).unwrap()),
            by,
            author: None,
            request: None,
            pet: PetId::FIRST,
            kind: ChangeKind::Status(Status::Eating),
        }
    }

    fn audit_entry(number: u64, at: i64, after: Option<u64>) -> (u64, AuditEntry) {
        let audit_entry = AuditEntry {
            at: Timestamp::from_micros(at),
            author: Author {
                name: "anna".to_owned(),
                client: "Firefox".to_owned(),
            },
            kind: crate::model::AuditKind::Administrative,
            action: number.to_string(),
            after: after.map(Rev::new),
        };
        (number, audit_entry)
    }

    /// Reads the audit from its first page to its last: revs of changes, and numbers of audit_entries.
    fn read_all(engine: &MemoryEngine, audit_entries: &[(u64, AuditEntry)]) -> Vec<String> {
        let (mut found, mut before) = (Vec::new(), Before::default());
        for _ in 0..20 {
            let from = before
                .change
                .map_or(engine.newest().unwrap().next(), Rev::new);
            let older = audit_entries.iter().rev();
            let older = older.filter(|(number, _)| {
                before
                    .audit_entry
                    .is_none_or(|audit_entry| *number < audit_entry)
            });
            let older = older.take(LINES).cloned().collect();
            let (lines, next) = merged(signed_changes(engine, from).unwrap(), older, before);
            found.extend(lines.iter().map(|line| match line {
                Line::Change(change) => format!("change {}", change.rev.get()),
                Line::AuditEntry(audit_entry) => format!("audit_entry {}", audit_entry.action),
            }));
            match next {
                Some(next) => before = next,
                None => return found,
            }
        }
        panic!("it does not come to an end");
    }

    /// The lines were merged by time and paged by rev: with the clock five minutes back during 70
    /// changes, the audit showed 80 of 150.
    #[test]
    fn every_line_is_shown_once_and_in_order_whatever_the_clock_did() {
        let minute = 60_000_000;
        let at = |step: i64| match step {
            40..=109 => step * minute / 10 - 5 * minute,
            120 => step * minute / 10 + 400 * 24 * 60 * minute,
            _ => step * minute / 10,
        };
        for is_stamped in [true, false] {
            let engine = MemoryEngine::new(Epoch::new(7));
            let (mut audit_entries, mut expected) = (Vec::new(), Vec::new());
            let mut rev = 0;
            for step in 0..150 {
                if step % 3 == 0 {
                    let number = audit_entries.len() as u64 + 1;
                    audit_entries.push(audit_entry(number, at(step), is_stamped.then_some(rev)));
                    expected.push(format!("audit_entry {number}"));
                } else {
                    rev += 1;
                    let at = Timestamp::from_micros(at(step));
                    let change = change(rev, ChangeSource::Staff);
                    engine.append(&[Change { at, ..change }]).unwrap();
                    expected.push(format!("change {rev}"));
                }
            }
            expected.reverse();
            let mut found = read_all(&engine, &audit_entries);
            if !is_stamped {
                // Entries of earlier versions are all there, at least.
                found.sort_unstable();
                expected.sort_unstable();
            }
            assert_eq!(found, expected);
        }
    }

    #[test]
    fn what_somebody_did_is_found_behind_any_number_of_changes_by_the_simulator() {
        let engine = MemoryEngine::new(Epoch::new(7));
        let by = |rev| match rev {
            3 | 30_000 => ChangeSource::Staff,
            _ => ChangeSource::Simulator,
        };
        let changes: Vec<_> = (1..=35_000).map(|rev| change(rev, by(rev))).collect();
        engine.append(&changes).unwrap();
        let audit_entries = [
            audit_entry(1, 2, Some(2)),
            audit_entry(2, 20_000, Some(20_000)),
        ];
        let found = read_all(&engine, &audit_entries);
        assert_eq!(
            found,
            ["change 30000", "audit_entry 2", "change 3", "audit_entry 1"]
        );
    }
}
