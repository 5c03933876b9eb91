//! Sets the status of several pets of the board, and undoes that.
//!
//! The answer to the form sets a cookie with the first and the last change, which expires with the offer
//! to undo them. The earlier statuses are read from the log. A pet whose status was set since is left as it
//! is, and the page after an undo names it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use poem::http::{HeaderMap, HeaderValue, header};
use poem::{Response, handler};

use super::flash::{Flash, KeptPets};
use super::form::Form;
use super::pets::referring_view;
use super::response::{PageResponder, redirect};
use super::undo;
use crate::auth::{Authenticator, MaySetStatus, Permit};
use crate::error::Failure;
use crate::model::{Activities, Change, ChangeKind, Cursor, PetId, Rev, Status, StatusStart};
use crate::store::{Engine, StoreError};
use crate::views::{BulkUndoView, counted};
use crate::web::board_view::parse_view;
use crate::web::site::run_blocking;
use crate::writer::{
    Command, Committed, Expected, IdempotencyKey, MAX_BULK_PETS, OnRefusal, Signer, StatusEdit,
    WriteError,
};

/// Path of the form that sets the statuses.
pub const PATH: &str = "/pets/statuses";

/// Path of the form that undoes that.
pub const UNDO_PATH: &str = "/pets/statuses/undo";

/// How long the statuses can be undone. Longer than for one pet: the page is large, and may be slow.
const OFFERED_FOR: Duration = Duration::from_secs(30);

/// First part of the cookie of `undo`, which then is not about one pet.
const COOKIE_KIND: &str = "many";

/// Sets the status of the pets that are selected, of all that the page showed, or of all that match its view now.
#[handler]
pub async fn set_statuses(
    permit: Permit<MaySetStatus>,
    pages: PageResponder,
    headers: &HeaderMap,
    form: Form,
) -> poem::Result<Response> {
    let rescue = pages.site.app.rescue();
    let status = rescue.activities.parse(form.text("status"));
    let status = status.map_err(Failure::from)?;
    let note = form.get("bulk-note").filter(|note| !note.trim().is_empty());
    let note = note.map(str::parse).transpose();
    let edit = StatusEdit {
        note: note.map_err(Failure::from)?,
        ..status.into()
    };
    let mut pets = selected_pets(&form)?;
    if let Some(view) = form.get("matching") {
        pets.extend(matching_pets(&pages, view, &rescue.activities).await?);
    }
    if pets.len() > MAX_BULK_PETS {
        return Err(Failure::invalid(format!(
            "At most {MAX_BULK_PETS} pets can be set together. Select fewer."
        ))
        .into());
    }
    let board = board_address(&pages, headers, &rescue.activities);
    if pets.is_empty() {
        return Ok(pages.redirect_with_flash(&board, &Flash::NoPetSelected));
    }
    // A pet that was removed since the page was rendered does not keep the others from being set.
    let set = Command::set_statuses(pets, edit, OnRefusal::Skip);
    let writer = pages.site.app.writer();
    let committed = writer.commit_once(set, form.key(), permit.signer()).await;
    let committed = committed.map_err(Failure::from)?;
    let mut response = redirect(&board);
    let cookie = BulkOffer::new(status, &committed).to_cookie(pages.principal.authenticator());
    response.headers_mut().insert(header::SET_COOKIE, cookie);
    Ok(response)
}

/// Returns the address of the view of the board that a form was sent from.
fn board_address(pages: &PageResponder, headers: &HeaderMap, activities: &Activities) -> String {
    let base_path = pages.principal.authenticator().base_path();
    referring_view(headers, base_path, activities).unwrap_or_else(|| "/pets".to_owned())
}

/// Returns the pets of a form: those that are checked, and all that the page showed if this is checked.
///
/// # Errors
/// 400 for what is not a pet's id.
fn selected_pets(form: &Form) -> Result<BTreeSet<PetId>, Failure> {
    let listed = form.values("pet").chain(form.values("all"));
    let ids = listed.flat_map(|ids| ids.split(',')).map(str::parse);
    Ok(ids.collect::<Result<_, _>>()?)
}

/// Returns the pets on all pages of the view with the address `view`.
///
/// # Errors
/// 422 for parameters that no view has: the form would set other pets than its author chose.
async fn matching_pets(
    pages: &PageResponder,
    view: &str,
    activities: &Activities,
) -> Result<BTreeSet<PetId>, Failure> {
    let (query, problems) = parse_view(view.strip_prefix("/pets?"), activities);
    if let Some(problem) = problems.first() {
        return Err(Failure::invalid(problem.to_string()));
    }
    let audience = pages.principal.audience();
    let board = pages.site.app.hub().board(audience);
    run_blocking(move || Ok(query.select_ids(&board.pets, audience))).await
}

/// Describes a form in the words of a button: "Set 12 pets to Eating".
pub fn description(form: &Form, activities: &Activities) -> String {
    let pets = match form.get("matching") {
        Some(_) => "all pets that match".to_owned(),
        None => counted(
            selected_pets(form).map_or(0, |pets| pets.len()),
            "pet",
            "pets",
        ),
    };
    let status = activities.parse(form.text("status"));
    let status = status.map_or_else(
        |_| "another status".to_owned(),
        |status| activities.text(status),
    );
    format!("Set {pets} to {status}")
}

/// Restores the statuses from before the changes that the form names.
#[handler]
pub async fn undo_statuses(
    permit: Permit<MaySetStatus>,
    pages: PageResponder,
    headers: &HeaderMap,
    form: Form,
) -> poem::Result<Response> {
    let name = pages.principal.account();
    let name = name.map(|account| account.name.to_string());
    let offer = BulkOffer::parse(form.text("undo"), &pages.site.app.rescue().activities);
    let offer = offer.filter(|offer| offer.first.epoch == pages.site.app.hub().epoch());
    let offer = offer.ok_or_else(not_undoable)?;
    let (first, last) = (offer.first, offer.last);
    let site = Arc::clone(&pages.site);
    let read = run_blocking(move || Ok(Undo::read(&*site.engine, first, last, name.as_deref())?));
    let undo = read.await?.ok_or_else(not_undoable)?;
    let restorable: Vec<PetId> = undo.statuses.keys().copied().collect();
    let restored = if restorable.is_empty() {
        Vec::new()
    } else {
        restore(&pages, permit.signer(), undo.statuses, &offer).await?
    };
    let is_left = |pet: &PetId| restored.iter().all(|change| change.pet != *pet);
    let changed: Vec<PetId> = restorable.into_iter().filter(is_left).collect();
    let flash = Flash::StatusesRestored {
        restored: restored.len(),
        changed: KeptPets::new(&changed),
        not_in_log: KeptPets::new(&undo.not_in_log),
    };
    let board = board_address(&pages, headers, &pages.site.app.rescue().activities);
    let mut response = pages.redirect_with_flash(&board, &flash);
    let removal = undo::cookie(pages.principal.authenticator(), "", Duration::ZERO);
    response.headers_mut().append(header::SET_COOKIE, removal);
    Ok(response)
}

/// Restores statuses, and returns the changes. A pet that changed since has none.
async fn restore(
    pages: &PageResponder,
    signer: Signer,
    statuses: BTreeMap<PetId, StatusEdit>,
    offer: &BulkOffer,
) -> Result<Vec<Change>, Failure> {
    let restore = Command::SetStatuses {
        statuses,
        on_refusal: OnRefusal::Skip,
    };
    // The same undo, sent twice, is one request.
    let key = IdempotencyKey::from_form(&format!("undo {} {}", offer.first, offer.last));
    let writer = pages.site.app.writer();
    let committed = writer.commit_once(restore, Some(key), signer);
    match committed.await {
        Ok(Committed { first, cursor, .. }) => {
            let site = Arc::clone(&pages.site);
            run_blocking(move || Ok(read_changes(&*site.engine, first, cursor)?)).await
        }
        Err(WriteError::StatusMovedOn | WriteError::UnknownPet(_)) => Ok(Vec::new()),
        Err(error) => Err(error.into()),
    }
}

fn not_undoable() -> Failure {
    Failure::conflict("This can't be undone any more. Set the statuses again instead.")
}

/// The changes that an undo undoes.
#[derive(Debug, PartialEq, Eq)]
struct BulkOffer {
    status: Status,
    first: Cursor,
    last: Cursor,
}

impl BulkOffer {
    fn new(status: Status, committed: &Committed) -> Self {
        BulkOffer {
            status,
            first: committed.first,
            last: committed.cursor,
        }
    }

    fn encode(&self) -> String {
        let BulkOffer {
            status,
            first,
            last,
        } = self;
        format!("{COOKIE_KIND}.{status}.{first}.{last}")
    }

    /// Parses the text of `encode`. Returns `None` for other text, also for more changes than a command
    /// makes.
    fn parse(text: &str, activities: &Activities) -> Option<Self> {
        let parts: Vec<&str> = text.split('.').collect();
        let [COOKIE_KIND, status, first, last] = *parts else {
            return None;
        };
        let offer = BulkOffer {
            status: activities.parse_earlier(status).ok()?,
            first: first.parse().ok()?,
            last: last.parse().ok()?,
        };
        let is_valid = offer.first.epoch == offer.last.epoch
            && offer.first.rev <= offer.last.rev
            && offer.count() <= MAX_BULK_PETS as u64;
        is_valid.then_some(offer)
    }

    fn count(&self) -> u64 {
        self.last.rev.since(self.first.rev) + 1
    }

    fn to_cookie(&self, authenticator: &Authenticator) -> HeaderValue {
        undo::cookie(authenticator, &self.encode(), OFFERED_FOR)
    }
}

/// Returns the offer to undo the statuses that this browser has just set.
pub fn offer_for(pages: &PageResponder, headers: &HeaderMap) -> Option<BulkUndoView> {
    let cookie = undo::read_cookie(pages.principal.authenticator(), headers)?;
    let activities = &pages.site.app.rescue().activities;
    let offer = BulkOffer::parse(cookie, activities)?;
    let is_ours = offer.first.epoch == pages.site.app.hub().epoch();
    let status = activities.text(offer.status);
    is_ours.then(|| BulkUndoView::new(offer.count(), &status, offer.encode()))
}

/// The statuses from before some changes.
struct Undo {
    /// The statuses to restore.
    statuses: BTreeMap<PetId, StatusEdit>,
    /// The pets whose earlier status is no longer in the log.
    not_in_log: Vec<PetId>,
}

impl Undo {
    /// Reads the statuses from before the changes from `first` to `last`; `None` if these are not what one
    /// command of `author` made. Blocks on the disk.
    fn read(
        engine: &dyn Engine,
        first: Cursor,
        last: Cursor,
        author: Option<&str>,
    ) -> Result<Option<Self>, StoreError> {
        let changes = read_changes(engine, first, last)?;
        let at = changes.first().map(|change| change.at);
        let is_of_command = |change: &Change| {
            let name = change.author.as_deref().map(|author| author.name.as_str());
            change.status().is_some() && Some(change.at) == at && name == author
        };
        let count = last.rev.since(first.rev) + 1;
        if changes.len() as u64 != count || !changes.iter().all(is_of_command) {
            return Ok(None);
        }
        let mut undo = Undo {
            statuses: BTreeMap::new(),
            not_in_log: Vec::new(),
        };
        for change in &changes {
            let before = engine.history(change.pet, Some(change.rev), 1)?;
            let before = before.first();
            let status = before.and_then(|before| match &before.kind {
                ChangeKind::Pet(pet) => Some((pet.status, pet.since)),
                _ => before.status(),
            });
            let (Some(before), Some((status, since))) = (before, status) else {
                undo.not_in_log.push(change.pet);
                continue;
            };
            let cursor = Cursor {
                rev: change.rev,
                ..first
            };
            let edit = StatusEdit {
                status,
                start: StatusStart::Restored(since),
                note: Some(before.kind.note().cloned().unwrap_or_default()),
                expected: Expected::StatusSetAt(cursor),
            };
            undo.statuses.insert(change.pet, edit);
        }
        Ok(Some(undo))
    }
}

fn read_changes(
    engine: &dyn Engine,
    first: Cursor,
    last: Cursor,
) -> Result<Vec<Change>, StoreError> {
    let after = first.rev.get().saturating_sub(1);
    engine.changes_between(Rev::new(after), last.rev.next())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{ChangeSource, Epoch, Timestamp, Visibility};
    use crate::store::MemoryEngine;

    #[test]
    fn an_offer_is_read_back_and_other_text_is_not() {
        let cursor = |rev| format!("9f2c41aa-{rev}").parse().unwrap();
        let offer = BulkOffer {
            status: Status::Eating,
            first: cursor(7),
            last: cursor(306),
        };
        assert_eq!(offer.count(), 300);
        let text = offer.encode();
        assert!(text.len() < 100, "{text}");
        assert_eq!(BulkOffer::parse(&text, &Activities::default()), Some(offer));
        for other in [
            "",
            "many.eating.9f2c41aa-7",
            "many.napping.9f2c41aa-7.9f2c41aa-8",
            "many.eating.9f2c41aa-8.9f2c41aa-7",
            "many.eating.9f2c41aa-7.00000001-8",
            "many.eating.9f2c41aa-1.9f2c41aa-1001",
            "7.eating.1.9f2c41aa-7",
        ] {
            assert_eq!(
                BulkOffer::parse(other, &Activities::default()),
                None,
                "{other}"
            );
        }
    }

    /// Such a pet was reported as changed since.
    #[test]
    fn a_pet_whose_earlier_status_is_no_longer_in_the_log_is_reported_as_such() {
        let engine = MemoryEngine::new(Epoch::new(7));
        let changes = [(1, "eating"), (1, "sleeping"), (2, "sleeping")];
        let changes = changes.iter().zip(1..).map(|(&(pet, status), rev)| Change {
            rev: Rev::new(rev),
            at: Timestamp::from_micros(i64::from(rev > 1)),
            by: ChangeSource::Staff,
            author: None,
            request: None,
            visibility: Visibility::default(),
            pet: PetId::new(pet),
            kind: ChangeKind::Status(status.parse().unwrap()),
        });
        engine.append(&changes.collect::<Vec<_>>()).unwrap();
        let cursor = |rev| Cursor {
            epoch: engine.epoch(),
            rev: Rev::new(rev),
        };
        let undo = Undo::read(&engine, cursor(2), cursor(3), None);
        let Undo {
            statuses,
            not_in_log,
        } = undo.unwrap().unwrap();
        assert_eq!(statuses[&PetId::new(1)].status, Status::Eating);
        assert_eq!(statuses.len(), 1);
        assert_eq!(not_in_log, [PetId::new(2)]);
    }
}
