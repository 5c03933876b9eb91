//! Edits of the settings of the rescue.

use std::sync::Arc;

use super::{Accounts, AccountsResult, Actor, ActorRequirement, Plan};
use crate::model::{ActivityInput, FieldError, Logo, Rescue, RescueField};
use crate::store::AccountEdit;

/// Fields that an edit and somebody else changed to different texts.
pub type ConflictingFields = Vec<&'static RescueField>;

/// Edits the settings of the rescue.
pub struct Settings<'a>(pub(super) &'a Accounts);

impl Settings<'_> {
    /// Saves the settings that `edited` changed since `base`. Those that others changed stay. If both
    /// changed the same settings, nothing is saved, and these are returned.
    ///
    /// # Errors
    /// `SignedOut`, `NotAdmin`.
    pub fn save(
        &self,
        base: &Rescue,
        edited: &Rescue,
        actor: &Actor,
    ) -> AccountsResult<Result<(), ConflictingFields>> {
        self.0.edit(actor, ActorRequirement::Admin, |cache, _| {
            let (merged, conflicts) = cache.rescue.merge(base, edited);
            if !conflicts.is_empty() {
                return Ok(Plan::unchanged(Err(conflicts)));
            }
            let changed = merged.differences(&cache.rescue);
            if changed.is_empty() {
                return Ok(Plan::unchanged(Ok(())));
            }
            let edits = changed
                .iter()
                .map(|field| describe(field, &cache.rescue, &merged));
            let action = format!(
                "changed the settings: {}",
                edits.collect::<Vec<_>>().join(", ")
            );
            let put = AccountEdit::PutRescue(Arc::new(merged));
            Ok(Plan::administrative(vec![put], action, Ok(())))
        })
    }

    /// Saves the logo, or removes it.
    ///
    /// # Errors
    /// `SignedOut`, `NotAdmin`.
    pub fn save_logo(&self, logo: Option<Logo>, actor: &Actor) -> AccountsResult<()> {
        self.0.edit(actor, ActorRequirement::Admin, |cache, _| {
            if cache.rescue.logo == logo {
                return Ok(Plan::unchanged(()));
            }
            let change = if logo.is_some() { "set" } else { "removed" };
            let action = format!("changed the settings: logo {change}");
            let edited = Rescue {
                logo: logo.clone(),
                ..Rescue::clone(&cache.rescue)
            };
            let put = AccountEdit::PutRescue(Arc::new(edited));
            Ok(Plan::administrative(vec![put], action, ()))
        })
    }

    /// Adds an activity of the rescue's own, or edits the one with the word `edited`. Returns the errors of the form
    /// if a field breaks its rule, and `None` if there is no activity to edit.
    ///
    /// # Errors
    /// `SignedOut`, `NotAdmin`.
    pub fn save_activity(
        &self,
        edited: Option<&str>,
        input: &ActivityInput,
        actor: &Actor,
    ) -> AccountsResult<Option<Result<(), Vec<FieldError>>>> {
        self.0.edit(actor, ActorRequirement::Admin, |cache, _| {
            let before = &cache.rescue.activities;
            let changed = match edited {
                None => Some(before.with_new(input)),
                Some(word) => before.with_edit(word, input),
            };
            let activities = match changed {
                None => return Ok(Plan::unchanged(None)),
                Some(Err(errors)) => return Ok(Plan::unchanged(Some(Err(errors)))),
                Some(Ok(activities)) => activities,
            };
            let Some(action) = activities.describe_edit(before) else {
                return Ok(Plan::unchanged(Some(Ok(()))));
            };
            let put = AccountEdit::PutRescue(Arc::new(Rescue {
                activities,
                ..Rescue::clone(&cache.rescue)
            }));
            Ok(Plan::administrative(vec![put], action, Some(Ok(()))))
        })
    }
}

/// Describes an edit of one setting, for example "name from Paws to Happy Paws".
fn describe(field: &RescueField, before: &Rescue, after: &Rescue) -> String {
    let (name, before, after) = (field.name, field.text(before), field.text(after));
    if before.is_empty() {
        format!("{name} set to {after}")
    } else if after.is_empty() {
        format!("{name} removed")
    } else {
        format!("{name} from {before} to {after}")
    }
}
