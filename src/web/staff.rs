//! Who is staff, for admins: invite, change roles, reset, disable, remove.

use std::sync::Arc;

use poem::http::StatusCode;
use poem::web::{Data, Path};
use poem::{Request, Response, handler};

use super::form::Form;
use super::welcome::welcome_path;
use super::{Site, see_other};
use crate::auth::{Actor, Administrator, Caller, Directory, DirectoryError, Secret, SignedIn};
use crate::error::{Failure, at_field};
use crate::model::{AccountName, AccountNameError, FieldError, Role};
use crate::views::StaffPage;

const ADDRESS: &str = "/staff";

/// What an admin can do to an account.
#[derive(Clone, Copy)]
enum Order {
    GiveRole(Role),
    Disable,
    Enable,
    Reset,
    Remove,
}

#[handler]
pub fn show_staff(
    Administrator(admin): Administrator,
    Data(site): Data<&Arc<Site>>,
    caller: Caller,
) -> poem::Result<Response> {
    site.show(&caller, &staff_page(&admin)?)
}

#[handler]
pub async fn invite(
    Administrator(admin): Administrator,
    Data(site): Data<&Arc<Site>>,
    caller: Caller,
    request: &Request,
    form: Form,
) -> poem::Result<Response> {
    let again = |error: &FieldError| {
        let page = staff_page(&admin)?.with_error(form.text("name"), error);
        site.show_again(&caller, &page, StatusCode::UNPROCESSABLE_ENTITY)
    };
    let read = |form: &Form| Ok((form.read("name")?, form.read("role")?));
    let (name, role): (AccountName, Role) = match read(&form) {
        Ok(read) => read,
        Err(error) => return again(&error),
    };
    let invited = name.clone();
    let inviting = admin.edit(move |directory, admin| {
        let made = directory.invite(&invited, role, &admin.actor);
        match made {
            Err(error @ DirectoryError::NameTaken(_)) => Ok(Err(error)),
            made => made.map(Ok),
        }
    });
    match inviting.await? {
        Ok(secret) => show_link(site, &caller, &admin, request, (&name, &secret)),
        Err(taken) => again(&at_field("name", &taken)),
    }
}

#[handler]
pub async fn edit(
    Administrator(admin): Administrator,
    Data(site): Data<&Arc<Site>>,
    Path(name): Path<String>,
    caller: Caller,
    request: &Request,
    form: Form,
) -> poem::Result<Response> {
    let unknown = |_: AccountNameError| Failure::not_found("There is no such account.");
    let name: AccountName = name.parse().map_err(unknown)?;
    let order = Order::read(form.text("do"))?;
    let of = name.clone();
    let done = admin.edit(move |directory, admin| order.carry_out(directory, &of, &admin.actor));
    match done.await? {
        Some(secret) => show_link(site, &caller, &admin, request, (&name, &secret)),
        None => Ok(see_other(ADDRESS)),
    }
}

impl Order {
    /// # Errors
    /// 422 for a word that is none of them.
    fn read(text: &str) -> Result<Self, Failure> {
        match text {
            "make-admin" => Ok(Order::GiveRole(Role::Admin)),
            "make-staff" => Ok(Order::GiveRole(Role::Staff)),
            "disable" => Ok(Order::Disable),
            "enable" => Ok(Order::Enable),
            "reset" => Ok(Order::Reset),
            "remove" => Ok(Order::Remove),
            _ => Err(Failure::invalid(
                "do is make-admin, make-staff, disable, enable, reset or remove.",
            )),
        }
    }

    /// The secret of a link, where one was made.
    fn carry_out(
        self,
        directory: &Directory,
        name: &AccountName,
        actor: &Actor,
    ) -> Result<Option<Secret>, DirectoryError> {
        match self {
            Order::GiveRole(role) => directory.set_role(name, role, actor)?,
            Order::Disable => directory.disable(name, actor)?,
            Order::Enable => directory.enable(name, actor)?,
            Order::Reset => return directory.reset(name, actor).map(Some),
            Order::Remove => directory.remove(name, actor)?,
        }
        Ok(None)
    }
}

/// Shows the link that somebody chooses a password with. Only this once: the store has its hash.
fn show_link(
    site: &Site,
    caller: &Caller,
    admin: &SignedIn,
    request: &Request,
    (name, secret): (&AccountName, &Secret),
) -> poem::Result<Response> {
    if *name == admin.account.name {
        // Whoever resets their own password has no page of staff any more.
        return Ok(see_other(&welcome_path(secret)));
    }
    let origin = match caller.gate().base() {
        Some(base) => base.origin().to_owned(),
        None => {
            let host = request.header("host").unwrap_or_default();
            format!("http://{host}")
        }
    };
    let link = format!("{origin}{}", welcome_path(secret));
    site.show(caller, &staff_page(admin)?.with_link(name, link))
}

fn staff_page(admin: &SignedIn) -> Result<StaffPage, Failure> {
    let members = admin.staff()?.directory().members();
    Ok(StaffPage::new(&members, &admin.account.name))
}
