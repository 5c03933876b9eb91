//! The activity log of everything for admins, and the history of one pet for staff.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::Arc;

use poem::web::{Path, Query};
use poem::{Response, handler};
use serde::Deserialize;

use super::response::PageResponder;
use crate::auth::{Administrator, MayRead, Permit};
use crate::error::Failure;
use crate::model::{AuditEntry, Change, ChangeKind, ChangeSource, Pet, PetId, Rev, Timestamp};
use crate::store::{Engine, StoreError};
use crate::views::{AuditPage, HistoryPage, Now, Subject};
use crate::web::Site;
use crate::web::site::run_blocking;

/// Lines of one page.
const PAGE_LINES: usize = 50;

/// Changes that are read for one page of the activity log, which leaves out those of the simulator.
const MAX_CHANGES_READ: u64 = 10_000;

/// Changes of a pet that are read to find the profile before an edit.
const MAX_CHANGES_READ_FOR_PROFILE: usize = 100;

/// Where the next page of the activity log continues: before these numbers.
#[derive(Clone, Copy, Default, Deserialize)]
struct AuditPosition {
    change: Option<u64>,
    /// Addresses of earlier versions name it `deed`.
    #[serde(alias = "deed")]
    audit_entry: Option<u64>,
}

/// One line of the activity log.
enum AuditLine {
    Change(Change),
    Entry(AuditEntry),
}

/// Shows the activity log.
#[handler]
pub async fn show_audit(
    _admin: Administrator,
    pages: PageResponder,
    Query(position): Query<AuditPosition>,
) -> poem::Result<Response> {
    let newest = pages.site.app.hub().newest().0;
    let site = Arc::clone(&pages.site);
    let authenticator = pages.principal.authenticator().clone();
    let read = run_blocking(move || {
        let before = position.change.map_or(newest.next(), Rev::new);
        let changes = changes_by_people(&*site.engine, before)?;
        let accounts = authenticator.staff()?.accounts();
        let entries = accounts.audit_entries(position.audit_entry, PAGE_LINES)?;
        let (lines, next) = merge(changes, entries, position);
        let changes = lines.iter().filter_map(|line| match line {
            AuditLine::Change(change) => Some(change),
            AuditLine::Entry(_) => None,
        });
        let changes: Vec<&Change> = changes.collect();
        let subjects = subjects(&site, &changes)?;
        let previous = previous_pets(&*site.engine, &changes)?;
        let now = Now::new(&site.app.rescue());
        let mut page = AuditPage::new(next.map(AuditPosition::path), now);
        for line in &lines {
            match line {
                AuditLine::Change(change) => {
                    let subject = &subjects[&change.pet];
                    page.add_change(change, subject, previous.get(&change.rev).map(|pet| &**pet));
                }
                AuditLine::Entry(entry) => page.add_entry(entry),
            }
        }
        Ok(page)
    });
    pages.show(&read.await?)
}

/// Query of the history: only changes before this rev.
#[derive(Deserialize)]
struct HistoryQuery {
    before: Option<u64>,
}

/// Shows the history of a pet, also of one that was removed.
#[handler]
pub async fn show_history(
    _permit: Permit<MayRead>,
    pages: PageResponder,
    Path(id): Path<String>,
    Query(query): Query<HistoryQuery>,
) -> poem::Result<Response> {
    let unknown = || Failure::not_found("There is no such pet, and no history of a removed one.");
    let id: PetId = id.parse().map_err(|_| unknown())?;
    let site = Arc::clone(&pages.site);
    let before = query.before.map(Rev::new);
    let read = run_blocking(move || {
        let subject = site.subject(id)?.ok_or_else(unknown)?;
        let changes = site.engine.history(id, before, PAGE_LINES)?;
        let references: Vec<&Change> = changes.iter().collect();
        let previous = previous_pets(&*site.engine, &references)?;
        let last = changes.last().filter(|_| changes.len() == PAGE_LINES);
        let older = last.map(|last| format!("/pets/{id}/history?before={}", last.rev.get()));
        let mut page = HistoryPage::new(&subject, older, Now::new(&site.app.rescue()));
        for change in &changes {
            page.add_change(
                change,
                &subject,
                previous.get(&change.rev).map(|pet| &**pet),
            );
        }
        Ok(page)
    });
    pages.show(&read.await?)
}

/// Finds the pets that `changes` are about. Blocks on the disk.
fn subjects(site: &Site, changes: &[&Change]) -> Result<HashMap<PetId, Subject>, StoreError> {
    let mut subjects = HashMap::new();
    for change in changes {
        if let Entry::Vacant(vacant) = subjects.entry(change.pet) {
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

/// Finds the pet before each edit among `changes`, which are newest first and contain every edit
/// between their first and their last. Blocks on the disk.
fn previous_pets(
    engine: &dyn Engine,
    changes: &[&Change],
) -> Result<HashMap<Rev, Arc<Pet>>, StoreError> {
    let pet = |change: &Change| match &change.kind {
        ChangeKind::Pet(pet) => Some(Arc::clone(pet)),
        _ => None,
    };
    let mut pets = HashMap::new();
    for (place, change) in changes.iter().enumerate() {
        if pet(change).is_none() {
            continue;
        }
        let mut older = changes[place + 1..].iter();
        let mut previous = older.find_map(|older| pet(older).filter(|_| older.pet == change.pet));
        if previous.is_none() {
            let older =
                engine.history(change.pet, Some(change.rev), MAX_CHANGES_READ_FOR_PROFILE)?;
            previous = older.iter().find_map(pet);
        }
        pets.extend(previous.map(|previous| (change.rev, previous)));
    }
    Ok(pets)
}

/// Changes that were not made by the simulator, newest first.
struct ChangesByPeople {
    changes: Vec<Change>,
    /// The oldest change that was read, if the log goes on before it.
    oldest_read: Option<(Rev, Timestamp)>,
}

/// Reads the newest changes before a rev.
fn changes_by_people(engine: &dyn Engine, before: Rev) -> Result<ChangesByPeople, StoreError> {
    let after = before.get().saturating_sub(1 + MAX_CHANGES_READ);
    let mut changes = engine.changes_between(Rev::new(after), before)?;
    let oldest = changes.first().map(|change| (change.rev, change.at));
    changes.retain(|change| change.by != ChangeSource::Simulator);
    changes.reverse();
    Ok(ChangesByPeople {
        changes,
        oldest_read: oldest.filter(|_| after > 0),
    })
}

/// Merges changes and audit entries into the lines of a page, and returns where the next page
/// continues.
///
/// Each list is read in its own order, and the next page continues each list where this page ended.
/// So no line is lost or repeated between pages, whatever the clock did.
fn merge(
    ChangesByPeople {
        changes,
        oldest_read,
    }: ChangesByPeople,
    entries: Vec<(u64, AuditEntry)>,
    mut position: AuditPosition,
) -> (Vec<AuditLine>, Option<AuditPosition>) {
    let has_more_entries = entries.len() == PAGE_LINES;
    let mut changes = changes.into_iter().peekable();
    let mut entries = entries.into_iter().peekable();
    let mut lines = Vec::new();
    while lines.len() < PAGE_LINES {
        // An entry that is older than all changes that were read belongs to a later page.
        let next = changes.peek().map(|change| (change.rev, change.at));
        let is_next = |(_, entry): &(u64, AuditEntry)| {
            next.or(oldest_read)
                .is_none_or(|change| is_after(entry, change))
        };
        if let Some((number, entry)) = entries.next_if(is_next) {
            position.audit_entry = Some(number);
            lines.push(AuditLine::Entry(entry));
        } else if let Some(change) = changes.next() {
            position.change = Some(change.rev.get());
            lines.push(AuditLine::Change(change));
        } else {
            break;
        }
    }
    let has_more_changes = changes.peek().is_some();
    if let (false, Some((rev, _))) = (has_more_changes, oldest_read) {
        position.change = Some(rev.get());
    }
    let has_more =
        has_more_changes || oldest_read.is_some() || has_more_entries || entries.peek().is_some();
    (lines, has_more.then_some(position))
}

/// Returns true if `entry` was made after the change at this rev and time. Entries of earlier versions
/// have no rev, and are placed by their time.
fn is_after(entry: &AuditEntry, (rev, at): (Rev, Timestamp)) -> bool {
    entry.after.map_or(entry.at >= at, |after| after >= rev)
}

impl AuditPosition {
    fn path(self) -> String {
        let numbers = [("change", self.change), ("audit_entry", self.audit_entry)];
        let fields = numbers.into_iter().filter_map(|(name, number)| {
            let number = number?;
            Some(format!("{name}={number}"))
        });
        format!("/audit?{}", fields.collect::<Vec<_>>().join("&"))
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
            visibility: crate::model::Visibility::Public,
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

    /// Reads the audit from its first page to its last: revs of changes, and numbers of `audit_entries`.
    fn read_all(engine: &MemoryEngine, audit_entries: &[(u64, AuditEntry)]) -> Vec<String> {
        let (mut found, mut position) = (Vec::new(), AuditPosition::default());
        for _ in 0..20 {
            let from = position
                .change
                .map_or(engine.newest().unwrap().next(), Rev::new);
            let older = audit_entries.iter().rev();
            let older = older.filter(|(number, _)| {
                position
                    .audit_entry
                    .is_none_or(|audit_entry| *number < audit_entry)
            });
            let older = older.take(PAGE_LINES).cloned().collect();
            let (lines, next) = merge(changes_by_people(engine, from).unwrap(), older, position);
            found.extend(lines.iter().map(|line| match line {
                AuditLine::Change(change) => format!("change {}", change.rev.get()),
                AuditLine::Entry(audit_entry) => format!("audit_entry {}", audit_entry.action),
            }));
            match next {
                Some(next) => position = next,
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
