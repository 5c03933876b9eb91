//! Stations: one's PIN, and the browser that becomes a station. `sign_in` has the page of a station.

use poem::http::StatusCode;
use poem::{Response, handler};

use super::{PATH, account_page, show_refused};
use crate::auth::{SignedIn, check_pin};
use crate::error::{Failure, at_field};
use crate::views::FieldMessages;
use crate::web::pages::flash::Flash;
use crate::web::pages::form::Form;
use crate::web::pages::response::{PageResponder, redirect};
use crate::web::pages::sign_in::{PATH as SIGN_IN_PATH, with_session, without_account};

/// Sets the PIN of the account, or removes it.
#[handler]
pub async fn set_pin(person: SignedIn, pages: PageResponder, form: Form) -> poem::Result<Response> {
    let is_removal = form.text("do") == "remove";
    let pin = form.text("pin");
    if let (false, Err(error)) = (is_removal, check_pin(pin)) {
        let mut page = account_page(&person)?;
        page.errors = FieldMessages::new([&at_field("pin", &error)]);
        return pages.show_with_status(&page, StatusCode::UNPROCESSABLE_ENTITY);
    }
    let hash = if is_removal {
        None
    } else {
        let staff = person.staff().map_err(Failure::from)?;
        match staff.hash_pin(pin).await {
            Ok(hash) => Some(hash),
            Err(error) => return show_refused(&pages, &person, error.into()),
        }
    };
    let edit = person.edit(move |accounts, person| {
        let members = accounts.members();
        members.set_pin(&person.account.name, hash, &person.actor)
    });
    edit.await?;
    let flash = if is_removal {
        Flash::PinRemoved
    } else {
        Flash::PinSet
    };
    Ok(pages.redirect_with_flash(PATH, &flash))
}

/// Makes this browser a station, and signs the person out.
#[handler]
pub async fn set_up_station(
    person: SignedIn,
    pages: PageResponder,
    _form: Form,
) -> poem::Result<Response> {
    let set_up = person.edit(|accounts, person| {
        let stations = accounts.stations();
        stations.set_up(&person.account.name, person.key, &person.actor)
    });
    let secret = set_up.await?;
    let response = without_account(redirect(SIGN_IN_PATH), &pages.principal);
    Ok(with_session(response, &pages.principal, &secret))
}
