//! Undo of a status, for ten seconds, on pages without their script.
//!
//! The answer to the form sets a cookie with the offer, which expires with the offer. The next page
//! shows a form that restores the earlier status, its time and its note, unless somebody else has set the status
//! since. Changes that follow each other within ten seconds are undone together: undo restores the
//! status from before the first of them. The script has an undo of its own.

use std::time::Duration;

use data_encoding::BASE64URL_NOPAD;
use poem::http::{HeaderMap, HeaderValue};

use super::response::PageResponder;
use crate::auth::Authenticator;
use crate::error::Failure;
use crate::model::{Activities, Cursor, FieldError, Pet, PetId, Status, StatusNote, Timestamp};
use crate::views::{Now, UndoView};
use crate::writer::{Committed, Expected};

/// How long a status can be undone.
const OFFERED_FOR: Duration = Duration::from_secs(10);

const COOKIE: &str = "pet-store-undo";

/// The status that an undo restores, and the change that it undoes.
pub struct UndoOffer {
    pet: PetId,
    status: Status,
    since: Timestamp,
    note: StatusNote,
    /// The change that set the status last when the offer was made.
    set_at: Cursor,
    /// Time when the offer was made.
    made: Timestamp,
}

impl UndoOffer {
    /// Offers to undo `committed`, which changed `before`.
    pub fn new(
        authenticator: &Authenticator,
        headers: &HeaderMap,
        before: &Pet,
        set_before: Cursor,
        committed: &Committed,
    ) -> Self {
        let earlier = UndoOffer::from_cookie(authenticator, headers);
        let continues =
            |earlier: &UndoOffer| earlier.pet == before.id && earlier.set_at == set_before;
        let (status, since, note) = match earlier.filter(continues) {
            Some(first) => (first.status, first.since, first.note),
            None => (before.status, before.since, before.note.clone()),
        };
        UndoOffer {
            pet: before.id,
            status,
            since,
            note,
            set_at: committed.cursor,
            made: Timestamp::now(),
        }
    }

    /// Returns the header that stores the offer in the browser.
    pub fn to_cookie(&self, authenticator: &Authenticator) -> HeaderValue {
        let UndoOffer {
            pet,
            status,
            since,
            note,
            set_at,
            made,
        } = self;
        let (since, made) = (since.micros(), made.micros());
        let note = BASE64URL_NOPAD.encode(note.as_str().as_bytes());
        let offer = format!("{pet}.{status}.{since}.{set_at}.{made}.{note}");
        cookie(authenticator, &offer, OFFERED_FOR)
    }

    fn from_cookie(authenticator: &Authenticator, headers: &HeaderMap) -> Option<Self> {
        let mut parts = read_cookie(authenticator, headers)?.split('.');
        let mut next = || parts.next();
        Some(UndoOffer {
            pet: next()?.parse().ok()?,
            status: authenticator
                .rescue()
                .activities
                .parse_earlier(next()?)
                .ok()?,
            since: Timestamp::from_micros(next()?.parse().ok()?),
            set_at: next()?.parse().ok()?,
            made: Timestamp::from_micros(next()?.parse().ok()?),
            note: {
                let note = BASE64URL_NOPAD.decode(next()?.as_bytes()).ok()?;
                String::from_utf8(note).ok()?.parse().ok()?
            },
        })
    }
}

/// Returns the header that stores an offer in the browser, in place of an earlier one.
pub fn cookie(authenticator: &Authenticator, offer: &str, kept_for: Duration) -> HeaderValue {
    let cookies = authenticator.cookies();
    cookies.set(COOKIE, offer, "/pets", kept_for.as_secs())
}

/// Returns the offer that the browser sent.
pub fn read_cookie<'a>(authenticator: &Authenticator, headers: &'a HeaderMap) -> Option<&'a str> {
    authenticator.cookies().value(headers, COOKIE)
}

/// Returns the offer to show on the board, or on the page of one pet, if it still holds.
pub fn offer_for(
    pages: &PageResponder,
    headers: &HeaderMap,
    now: &Now,
    page_of: Option<PetId>,
) -> Option<UndoView> {
    let offer = UndoOffer::from_cookie(pages.principal.authenticator(), headers)?;
    let is_shown_here = page_of.is_none_or(|pet| pet == offer.pet);
    let audience = pages.principal.audience();
    let (entry, epoch) = pages.site.app.hub().entry(offer.pet, audience)?;
    let (pet, rev) = (entry.pet, entry.status_set);
    let earlier = (offer.status, offer.since, &offer.note);
    let is_open = is_shown_here
        && now.at.since(offer.made) < OFFERED_FOR
        && offer.set_at == Cursor { epoch, rev }
        && offer.since.is_in_calendar()
        && (pet.status, pet.since, &pet.note) != earlier;
    is_open.then(|| UndoView::new(&pet, earlier, offer.set_at, now))
}

/// Parses the exact word of a status. An undo, which names the change that it replaces, may restore an activity
/// that was hidden since. So may anybody confirm the hidden activity `present` of a pet, for example with a note.
///
/// # Errors
/// 422 for a word that cannot be set.
pub fn parse_status(
    activities: &Activities,
    present: Option<Status>,
    word: &str,
    replaces: Option<&str>,
) -> Result<Status, Failure> {
    let status = match replaces {
        Some(_) => activities.parse_earlier(word),
        None => activities.parse_beside(present, word),
    };
    Ok(status?)
}

/// Parses the fields of an undo: the time to restore, and the precondition that the change at the
/// cursor was the last one of the status. Without these fields, a form sets a status from now on.
///
/// # Errors
/// 422 for a field that is not a time or a cursor.
pub fn parse_fields(
    since: Option<&str>,
    replaces: Option<&str>,
) -> Result<(Option<Timestamp>, Expected), Failure> {
    let invalid = |field, message: &str| Failure::from(FieldError::new(field, message));
    let since = since.map(|text| match Timestamp::from_rfc_3339(text) {
        Some(since) if since <= Timestamp::now() => Ok(since),
        Some(_) => Err(invalid("since", "Use a time that is not in the future.")),
        None => Err(invalid("since", Timestamp::RFC_3339_MESSAGE)),
    });
    let replaces = replaces.map(|text| {
        let message = "Use the cursor of the change that set the status.";
        text.parse().map_err(|_| invalid("replaces", message))
    });
    let expected = replaces
        .transpose()?
        .map_or(Expected::Anything, Expected::StatusSetAt);
    Ok((since.transpose()?, expected))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn since_is_a_time_of_rfc_3339_that_is_not_in_the_future() {
        for text in [
            "2026-11-22T14:05:00Z",
            "0001-01-01T00:00:00Z",
            "2016-12-31T23:59:60Z",
            "2020-11-22T14:05:00.123456Z",
            "2020-11-22T14:05:00.5-23:59",
            "2020-11-22T14:05:00+00:00",
        ] {
            let parsed = parse_fields(Some(text), None);
            assert_eq!(parsed.unwrap().0, Some(text.parse().unwrap()), "{text}");
        }
        for text in [
            "",
            "20201122T140500Z",
            "2020-11-22T14Z",
            "2020-11-22 14:05:00Z",
            "2020-11-22T14:05:00.Z",
            "2020-11-22T14:05:00",
            "2020-11-22T14:05:00z",
            "2020-11-22T14:05:00+01",
            "2020-11-22T14:05:00+01:00[Europe/Paris]",
            "+002020-11-22T14:05:00Z",
            "2020-02-30T14:05:00Z",
            "9999-01-01T00:00:00Z",
        ] {
            assert!(parse_fields(Some(text), None).is_err(), "{text}");
        }
    }
}
