//! The orders of an admin about an account: how each is confirmed, carried out and reported.

use super::flash::{Done, Ended};
use super::form;
use crate::auth::{AccountSummary, Accounts, AccountsError, Actor, Secret};
use crate::error::Failure;
use crate::model::{AccountName, Role};
use crate::views::{ConfirmPage, counted};

/// An order of an admin about an account.
#[derive(Clone, Copy)]
pub enum Order {
    GiveRole(Role),
    Disable,
    Enable,
    Reset,
    Remove,
}

impl Order {
    /// # Errors
    /// 422 for a word that is none of them.
    pub fn read(text: &str) -> Result<Self, Failure> {
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

    /// Carries the order out. Returns the secret of a link, if one was made.
    pub fn carry_out(
        self,
        directory: &Accounts,
        name: &AccountName,
        actor: &Actor,
    ) -> Result<Option<Secret>, AccountsError> {
        match self {
            Order::GiveRole(role) => directory.members().set_role(name, role, actor)?,
            Order::Disable => directory.members().disable(name, actor)?,
            Order::Enable => directory.members().enable(name, actor)?,
            Order::Reset => return directory.invitations().reset(name, actor).map(Some),
            Order::Remove => directory.members().remove(name, actor)?,
        }
        Ok(None)
    }

    /// The message after the order, which ended the sessions and tokens of `ended`.
    pub fn done(self, name: AccountName, ended: Ended) -> Option<Done> {
        match self {
            Order::GiveRole(role) => Some(Done::Role(name, role)),
            Order::Disable => Some(Done::Suspended(name, ended.without_tokens())),
            Order::Enable => Some(Done::Reactivated(name)),
            Order::Remove => Some(Done::Removed(name, ended)),
            // The page shows the link instead.
            Order::Reset => None,
        }
    }

    /// The question before the order; None for an order that revokes and removes nothing.
    pub fn question(self, member: &AccountSummary, is_self: bool) -> Option<ConfirmPage> {
        let name = &member.account.name;
        let sessions = counted(member.sessions, "session", "sessions");
        let tokens = counted(member.tokens, "API token", "API tokens");
        let (heading, order, button, mut consequences) = match self {
            Order::GiveRole(Role::Admin) | Order::Enable => return None,
            Order::GiveRole(Role::Staff) => (
                format!("Remove admin rights from {name}?"),
                "make-staff",
                "Remove admin rights",
                vec![
                    format!("{name} can still add and update pets, but no longer manage staff."),
                    format!("{name} has to sign in again: {sessions} will end."),
                ],
            ),
            Order::Disable => (
                format!("Suspend {name}?"),
                "disable",
                "Suspend account",
                vec![
                    format!("{name} can't sign in until an admin reactivates the account."),
                    format!("{sessions} will end now, and {tokens} will not work until then."),
                ],
            ),
            Order::Reset => (
                format!("Reset the password of {name}?"),
                "reset",
                "Reset password and tokens",
                vec![
                    format!(
                        "The password stops working, and {sessions} and {tokens} end for good."
                    ),
                    format!("You get a link to send to {name}, to choose a new password."),
                ],
            ),
            Order::Remove => (
                format!("Remove {name} for good?"),
                "remove",
                "Remove for good",
                vec![
                    format!("{name} can't sign in any more: {sessions} and {tokens} end now."),
                    format!("What {name} did stays in the activity log."),
                    "This can't be undone.".to_owned(),
                ],
            ),
        };
        if is_self {
            consequences.push("This is your own account: you will be signed out.".to_owned());
        }
        Some(ConfirmPage {
            heading,
            consequences,
            action: format!("/staff/{name}"),
            order: Some(order),
            request_key: Some(form::new_key().1),
            button,
            back: super::staff::ADDRESS,
        })
    }
}
