//! Decides the status of a pet: since when it has the status, and with which note.

use super::{Decision, StatusEdit, WriteError};
use crate::model::{ChangeKind, Pet, Status, StatusStart, Timestamp};

/// Changes of a pet among which the start of the status before the present one is searched. Further back, only
/// `StatusStart` limits a correction.
const MAX_CHANGES_READ: usize = 100;

impl Decision<'_> {
    /// Returns the change that sets the status of `pet` `at` this time, or confirms it and keeps its `since` and
    /// its note unless that is old.
    ///
    /// # Errors
    /// `BeginsTooEarly`, and the errors of `Engine::history`.
    pub(super) fn set_status(
        &self,
        pet: &Pet,
        edit: &StatusEdit,
        at: Timestamp,
    ) -> Result<ChangeKind, WriteError> {
        let age = at.since(pet.since);
        let is_old = self.status_age.is_some_and(|limit| age >= limit);
        let is_confirmed = edit.status == pet.status && !is_old;
        let since = match edit.start {
            StatusStart::Now if is_confirmed => pet.since,
            StatusStart::Now => at,
            StatusStart::Restored(since) => since,
            StatusStart::At(began) => self.check_start(pet, edit.status, ("began", began))?,
            StatusStart::MinutesAgo(minutes) => {
                let began = at.minutes_before(minutes);
                self.check_start(pet, edit.status, ("minutes_ago", began))?
            }
        };
        let kept = || is_confirmed.then(|| pet.note.clone());
        let note = edit.note.clone().or_else(kept).unwrap_or_default();
        Ok(if since == at && note.is_empty() {
            ChangeKind::Status(edit.status)
        } else {
            ChangeKind::StatusSince(edit.status, since, note)
        })
    }

    /// Returns `began`, which is from this field of the request, unless `status` would then begin before the status that precedes it. That one is the
    /// present status; if the start of the present status is corrected, the one before.
    fn check_start(
        &self,
        pet: &Pet,
        status: Status,
        (field, began): (&'static str, Timestamp),
    ) -> Result<Timestamp, WriteError> {
        if began >= pet.since {
            return Ok(began);
        }
        let preceding = if status == pet.status {
            self.preceding_status(pet)?
        } else {
            Some((pet.status, pet.since))
        };
        match preceding.filter(|(status, _)| *status != Status::NotSetYet) {
            Some((status, since)) if began < since => Err(WriteError::BeginsTooEarly {
                status,
                since,
                field,
            }),
            _ => Ok(began),
        }
    }

    /// Returns the status that `pet` had before the present one, and when it began.
    fn preceding_status(&self, pet: &Pet) -> Result<Option<(Status, Timestamp)>, WriteError> {
        let logged = self.hub.newest_changes(pet.id, MAX_CHANGES_READ);
        let logged = logged.map_err(|error| WriteError::from_store(&error))?;
        let in_batch = self.changes.iter().rev().map(|applied| &applied.change);
        let changes = in_batch
            .filter(|change| change.pet == pet.id)
            .chain(&logged);
        let mut statuses = changes.filter_map(|change| match &change.kind {
            ChangeKind::Pet(pet) => Some((pet.status, pet.since)),
            _ => change.status(),
        });
        // One that began later was undone, or replaced by an earlier start.
        Ok(statuses.find(|(status, since)| *status != pet.status && *since <= pet.since))
    }
}
