//! A status that was set by a slip of the thumb is taken back within ten seconds.
//!
//! The page's script does it by itself. Without it, the answer to the form leaves a cookie that
//! lives as long as the offer, and the page that is shown next makes it: a form that sets the
//! status from before, if the pet does still what it was set to.

use std::sync::Arc;
use std::time::Duration;

use poem::http::{HeaderMap, HeaderValue, header};

use crate::auth::Gate;
use crate::error::Failure;
use crate::model::{Moment, Pet, PetId, Status};
use crate::views::UndoView;

/// How long a status can be taken back.
const OFFERED_FOR: Duration = Duration::from_secs(10);

const COOKIE: &str = "pet-store-undo";

/// The header that leaves the offer to take back what was done to `before`.
pub fn offer(before: &Pet, gate: &Gate) -> HeaderValue {
    let (pet, status, seconds) = (before.id, before.status, OFFERED_FOR.as_secs());
    let secure = if gate.is_secure() { "; Secure" } else { "" };
    let text = format!(
        "{COOKIE}={pet}.{status}; Path=/pets; HttpOnly; SameSite=Lax{secure}; Max-Age={seconds}"
    );
    HeaderValue::from_str(&text).expect("a number and fixed words")
}

/// The offer to make on a page that shows the pet which `find` gives.
pub fn offered(
    headers: &HeaderMap,
    now: Moment,
    find: impl FnOnce(PetId) -> Option<Arc<Pet>>,
) -> Option<UndoView> {
    let cookies = headers.get(header::COOKIE)?.to_str().ok()?;
    let mut pairs = cookies
        .split(';')
        .filter_map(|pair| pair.trim().split_once('='));
    let (_, offer) = pairs.find(|(name, _)| *name == COOKIE)?;
    let (pet, status) = offer.split_once('.')?;
    let (pet, was): (PetId, Status) = (pet.parse().ok()?, status.parse().ok()?);
    let pet = find(pet)?;
    let is_open = now.since(pet.since) < OFFERED_FOR && pet.status != was;
    is_open.then(|| UndoView::new(&pet, was))
}

/// Lets a status be taken back unless somebody has set another meanwhile.
///
/// # Errors
/// 409, so that one does not undo what another one did.
pub fn check(pet: &Pet, since: Option<&str>) -> Result<(), Failure> {
    match since {
        Some(since) if since != pet.since.to_string() => Err(Failure::conflict(
            "Somebody has set what this pet is doing since then.",
        )),
        _ => Ok(()),
    }
}
